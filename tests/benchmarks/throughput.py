"""Images a second of a trial, beside a plain PyTorch loop on the same network, images and machine.

    python -m tests.benchmarks.throughput --device cpu          # about 3 minutes on 2 cores
    python -m tests.benchmarks.throughput --device cuda --steps 100
    python -m tests.benchmarks.throughput --data FOLDER         # a folder of class folders instead of generated images

The plain loop is what a good engineer writes first: images as PIL, torchvision's transforms, a DataLoader with two
workers, float32, eager, NCHW. Both loops crop, flip, normalise, and step SGD with batches of 128; both use all
cores (or ``--threads``). They take turns; of each the median is kept. Warm-up, and the start of the workers, are
left out. On a machine that does something else besides, the figures mean little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets, transforms

from blocks import NetworkSpec, preset
from search.data import DATASETS, Images, Splits, prepare
from search.train import TrainSpec
from search.train.loop import Trial
from search.train.settings import trial_settings

BATCH, WARM_UP, SIZE = 128, 2, 32
LOADER_WORKERS = 2


def main() -> None:
    arguments = parse_arguments()
    device = torch.device(arguments.device)
    torch.set_num_threads(arguments.threads)
    images = arguments.steps * BATCH
    splits = real(arguments.data, images) if arguments.data else generated(images)
    rows = []
    print(
        f"{'network':24}{'trial':>12}{'plain loop':>12}{'ratio':>8}   images/s, {device}, {arguments.threads} threads"
    )
    for name, network in networks(len(splits.classes)).items():
        row = compare(network, splits, arguments, device)
        rows.append({"network": name, **row})
        print(f"{name:24}{row['trial']:12.0f}{row['plain']:12.0f}{row['ratio']:8.2f}", flush=True)
    mean = statistics.geometric_mean(row["ratio"] for row in rows)
    print(f"{'geometric mean':48}{mean:8.2f}")
    print(
        json.dumps(
            {
                "benchmark": "throughput",
                **machine(device),
                "threads": arguments.threads,
                "rows": rows,
                "geometric_mean_ratio": mean,
            }
        )
    )


def networks(classes: int) -> dict[str, NetworkSpec]:
    """Returns the networks to train, by name."""
    squeeze = preset("resnet20").plain()
    for stage in squeeze["stages"]:
        stage["block"]["attention"] = "se"
    bottlenecks = preset("resnet20").plain()
    for stage in bottlenecks["stages"]:
        stage["block"] = {"kind": "bottleneck", "expansion": 4}
    specs = {
        "ResNet-20": preset("resnet20").plain(),
        "ResNet-56": preset("resnet56").plain(),
        "SE-ResNet-20": squeeze,
        "ResNet-29 bottleneck": bottlenecks,
    }
    for spec in specs.values():
        spec["head"]["num_classes"] = classes
    return {name: NetworkSpec.model_validate(spec) for name, spec in specs.items()}


def compare(
    network: NetworkSpec, splits: Splits, arguments: argparse.Namespace, device: torch.device
) -> dict[str, Any]:
    """Returns the images a second of both loops, and their ratio: medians of the repeats, taken in turns."""
    trial = trial_epoch(network, splits, arguments.threads, device)
    plain = plain_epoch(network, splits, arguments, device)
    trial()
    measured = [(trial(), plain()) for _ in range(arguments.repeats)]
    ours, theirs = (statistics.median(speeds) for speeds in zip(*measured, strict=True))
    return {"trial": ours, "plain": theirs, "ratio": statistics.median(a / b for a, b in measured)}


def trial_epoch(network: NetworkSpec, splits: Splits, threads: int, device: torch.device) -> Callable[[], float]:
    """Returns a function that trains one epoch by our loop and returns images a second."""
    recipe = TrainSpec.model_validate(
        {"batch_size": BATCH, "epochs": 100, "augment": {"crop": 4, "flip": True}, "threads": threads}
    )
    with trial_settings(recipe.threads):
        trial = Trial(network, recipe, splits, 0, device)

    def run() -> float:
        before = trial.images
        with trial_settings(recipe.threads):
            started = perf_counter()
            trial.learn()  # ends by waiting for the device
            return (trial.images - before) / (perf_counter() - started)

    return run


def plain_epoch(
    network: NetworkSpec, splits: Splits, arguments: argparse.Namespace, device: torch.device
) -> Callable[[], float]:
    """Returns a function that trains some steps by a plain loop and returns images a second."""
    model = network.build(seed=0).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10_000)
    transform = transforms.Compose(
        [
            *([transforms.Resize(SIZE), transforms.CenterCrop(SIZE)] if arguments.data else []),
            transforms.RandomCrop(SIZE, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(splits.mean, splits.std),
        ]
    )
    dataset = (
        datasets.ImageFolder(training_folder(arguments.data), transform)
        if arguments.data
        else Pictures(splits.train, transform)
    )
    loader = DataLoader(
        dataset,
        BATCH,
        shuffle=True,
        num_workers=LOADER_WORKERS,
        pin_memory=device.type == "cuda",
        persistent_workers=True,
        drop_last=True,
    )
    batches = endless(loader)

    def step() -> None:
        images, labels = (each.to(device, non_blocking=True) for each in next(batches))
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        running.append(loss.item())

    running: list[float] = []

    def run() -> float:
        model.train()
        for _ in range(WARM_UP):
            step()
        started = perf_counter()
        for _ in range(arguments.steps):
            step()
        return arguments.steps * BATCH / (perf_counter() - started)

    return run


class Pictures(Dataset[tuple[Any, int]]):
    """Images from memory as torchvision's CIFAR10 gives them: PIL, transformed one by one."""

    def __init__(self, images: Images, transform: Callable[[Image.Image], Tensor]) -> None:
        self.pixels = images.pixels.transpose(0, 2, 3, 1)
        self.labels = images.labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader


def generated(images: int) -> Splits:
    """Returns CIFAR-like images, ``images`` of them for training."""
    spec = {"kind": "synthetic", "images": images * 10 // 6 + 100, "image_size": SIZE}
    return limited(prepare(DATASETS.parse(spec)), images)


def real(folder: Path, images: int) -> Splits:
    """Returns the images of a folder, at most ``images`` of them for training."""
    return limited(prepare(DATASETS.parse({"kind": "image_folder", "root": str(folder), "image_size": SIZE})), images)


def limited(splits: Splits, images: int) -> Splits:
    order = torch.randperm(len(splits.train), generator=torch.Generator().manual_seed(0))[:images].numpy()
    train = splits.train.take(order)
    return Splits(train, splits.validation, splits.test, splits.mean, splits.std, splits.classes, splits.checksum)


def training_folder(folder: Path) -> Path:
    return folder / "train" if (folder / "train").is_dir() else folder


def machine(device: torch.device) -> dict[str, Any]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {"device": name, "cores": os.cpu_count(), "torch": torch.__version__, "batch": BATCH}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--steps", type=int, default=8, help="steps a repeat (8)")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of each loop (3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads of either loop (all cores)")
    parser.add_argument("--data", type=Path, help="a folder of class folders")
    return parser.parse_args()


if __name__ == "__main__":
    main()
