"""What augmentations cost an image, in whole batches by ours, and one by one by torchvision's transforms.

    python -m tests.benchmarks.augmentation                 # about a minute on 2 cores, on generated 3x32x32 images
    python -m tests.benchmarks.augmentation --device cuda

Ours: drawing included, uint8 in, normalised floats out, the normalising taken off again. torchvision: its v2 transform
on each uint8 image, from a tensor, in this process; a DataLoader spreads the same work over processes. They take turns;
of each the median is kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from search.train.augmentation import Augmentation
from search.train.augmentations import Augment

SIZE, BATCH, ROUNDS = 32, 128, 5

CASES: dict[str, tuple[dict[str, Any], Callable[[], Callable[[Tensor], Tensor]] | None]] = {
    "crop and flip": (
        {"crop": 4, "flip": True},
        lambda: v2.Compose([v2.RandomCrop(SIZE, 4), v2.RandomHorizontalFlip()]),
    ),
    "rand_augment": ({"policy": "rand_augment"}, v2.RandAugment),
    "auto_augment": (
        {"policy": "auto_augment"},
        lambda: v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10),
    ),
    "trivial_augment": ({"policy": "trivial_augment"}, v2.TrivialAugmentWide),
    "color_jitter": (
        {"color_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}},
        lambda: v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
    ),
    "erasing": ({"erasing": {"probability": 0.5}}, lambda: v2.RandomErasing(0.5)),
    "mixup and cutmix": ({"mixup": 0.2, "cutmix": 1.0}, None),  # torchvision's work on batches, with one share for all
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--images", type=int, default=1024, help="whole batches, one at least (1024)")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    images = max(1, arguments.images // BATCH) * BATCH
    pixels = torch.randint(0, 256, (images, 3, SIZE, SIZE), dtype=torch.uint8)
    there, labels = pixels.to(device), torch.zeros(images, dtype=torch.int64, device=device)
    rows = {}
    print(f"{'':20}{'ours':>10}{'torchvision':>14}{'ratio':>8}   microseconds an image")
    for name, (augment, build) in CASES.items():
        ours, plain, theirs = [], [], []
        for _ in range(ROUNDS):
            plain.append(seconds(batches(Augment(), there, labels), device))
            ours.append(seconds(batches(Augment.model_validate(augment), there, labels), device))
            if build is not None:
                theirs.append(seconds(one_by_one(build(), pixels), device))
        each = max(0.0, median(ours) - median(plain)) / images * 1e6
        other = median(theirs) / images * 1e6 if theirs else None
        rows[name] = {"ours": each, "torchvision": other}
        shown = f"{other:14.1f}{other / max(each, 1e-9):8.1f}" if other is not None else ""
        print(f"{name:20}{each:10.1f}{shown}", flush=True)
    print(json.dumps({"benchmark": "augmentation", "device": str(device), "threads": arguments.threads, "rows": rows}))


def batches(augment: Augment, pixels: Tensor, labels: Tensor) -> Callable[[], None]:
    """Returns what makes an epoch's batches of images on a device."""
    whole = Augmentation(augment, 0, len(labels), (SIZE, SIZE))

    def run() -> None:
        draws = whole.epoch(torch.arange(len(labels)), BATCH)
        draws.batch(pixels, labels, lambda chosen: chosen.float(), 0, len(labels))

    return run


def one_by_one(transform: Callable[[Tensor], Tensor], pixels: Tensor) -> Callable[[], None]:
    """Returns what changes every image by a draw of its own, as a data set's transform does."""

    def run() -> None:
        for image in pixels:
            transform(image)

    return run


def seconds(run: Callable[[], None], device: torch.device) -> float:
    """Returns how long something takes, the device's work included."""
    started = perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter() - started


if __name__ == "__main__":
    main()
