"""Images a second of our trials, beside (a) a plain PyTorch loop and (b) the same loop made as good as a hand can.

    python -m tests.benchmarks.throughput                       # about 10 minutes on 2 quiet cores; --quick: 2
    python -m tests.benchmarks.throughput --data FOLDER         # class folders of images instead of generated ones
    python -m tests.benchmarks.throughput --device cuda --pack 4
    python -m tests.benchmarks.throughput --accuracy            # beside speed: accuracy after equal epochs, 3 seeds
    python -m tests.benchmarks.throughput --train 20 --data FOLDER    # ResNet-20 and nothing else, epoch by epoch

Columns: `trial` is one trial with all threads, as (a) and (b) have them; `packed` is what a machine gives that runs
trials side by side, as a study does: one a core of one thread each (on a GPU `--pack`). Ratios: packed to (a), trial to
(b). All take turns; of each the median is kept; warm-up is left out. `first step` is from nothing to the end of the
first step; memory is what the process's peak rose by, ours, (a) (without its loaders) and (b); the share is that of the
best matrix product measured here in that precision. On a machine that does something else besides, the figures mean
little, ratios too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from blocks import NetworkSpec, preset
from blocks.limits import LIMITS
from search.data import DATASETS, Splits, prepare
from search.train import TrainSpec
from search.train.choose import Question, choose
from search.train.memory import MemoryMeter
from search.train.settings import device_name
from tests.benchmarks.loops import BATCH, SIZE, ByHand, Ours, Plain, accuracy, seconds_to_first_step

STEPS, SECONDS = 16, 2.5
"""Steps that a measurement takes at most, and the seconds that it should."""


def main() -> None:
    arguments = parse_arguments()
    device = torch.device(arguments.device)
    torch.set_num_threads(arguments.threads)
    splits = images_of(arguments)
    arguments.precision = arguments.precision or fastest_precision(arguments, splits, device)
    print(f"{device_name(device)}, {arguments.threads} threads, {arguments.precision}, torch {torch.__version__}")
    rows = (trained if arguments.train else compared)(arguments, splits, device)
    print(json.dumps({"benchmark": "throughput", **machine(device), "settings": plain(arguments), "rows": rows}))


def networks(classes: int, quick: bool) -> dict[str, NetworkSpec]:
    """Returns the networks to train, by name."""
    block = {"kind": "basic"}
    changed = {
        "ResNet-20": ("resnet20", block),
        "ResNet-56": ("resnet56", block),
        "SE-ResNet-20": ("resnet20", {**block, "attention": "se"}),
        "GN-ResNet-20": ("resnet20", {**block, "norm": "group"}),
        "ResNet-29 bottleneck": ("resnet20", {"kind": "bottleneck", "expansion": 4}),
        "pre-activation 20": ("resnet20", {"kind": "preactivation_basic"}),
    }
    specs = {}
    for name, (base, own) in changed.items():
        specs[name] = preset(base).plain()
        for stage in specs[name]["stages"]:
            stage["block"] = own
    specs["pre-activation 20"]["head"]["norm"] = "batch"
    specs["ResNet-14, 2x wide"] = wide(preset("resnet20").plain())
    specs["ResNet-18, 3x3 stem"] = preset("resnet18_cifar").plain()
    for spec in specs.values():
        spec["head"]["num_classes"] = classes
    names = ["ResNet-20", "SE-ResNet-20", "pre-activation 20"] if quick else list(specs)
    return {name: NetworkSpec.model_validate(specs[name]) for name in names}


def wide(spec: dict[str, Any]) -> dict[str, Any]:
    for stage in spec["stages"]:
        stage["width"], stage["depth"] = 2 * stage["width"], 2
    return spec


def compared(arguments: argparse.Namespace, splits: Splits, device: torch.device) -> list[dict[str, Any]]:
    """Prints a table of all networks; returns its rows."""
    peak = matrix_peak(device, arguments.precision)
    print(
        f"best matrix product: {peak / 1e9:,.0f} GFLOP/s\n\n{'':22}{'images a second':^38}{'ratios':^16}{'':8}", end=""
    )
    print(f"{'first step, s':^21}{'memory, MiB':^18}")
    heads = ["trial", "packed", "(a)", "(b)", "to (a)", "to (b)", "of peak", "ours", "(a)", "(b)", "ours", "(a)", "(b)"]
    print(f"{'network':22}" + "".join(f"{head:>{9 if i < 4 else 7}}" for i, head in enumerate(heads)))
    rows = []
    for name, network in networks(len(splits.classes), arguments.quick).items():
        row = {"network": name, **compare(network, splits, arguments, device, peak)}
        rows.append(row)
        speeds = "".join(f"{row[key]:9,.0f}" for key in ("trial", "packed", "plain", "hand"))
        ratios = f"{row['to_plain']:7.2f}{row['to_hand']:7.2f}{row['of_peak']:7.0%}"
        firsts = "".join(f"{value:7.2f}" for value in row["first_step"])
        memory = "".join(f"{value / 2**20:7,.0f}" for value in row["memory"])
        print(f"{name:22}{speeds}{ratios}{firsts}{memory}", flush=True)
        if arguments.accuracy:
            row["accuracy"] = accuracies(network, splits, arguments, device)
            for loop, values in row["accuracy"].items():
                print(f"    accuracy, {loop:5} {statistics.mean(values):.3f}  of {[round(v, 3) for v in values]}")
    mean, worst = statistics.geometric_mean(row["to_plain"] for row in rows), min(row["to_hand"] for row in rows)
    print(f"\nto (a), geometric mean: {mean:.2f} (goal: 3); to (b), the least: {worst:.2f} (goal: 0.98)")
    return rows


def compare(
    network: NetworkSpec, splits: Splits, arguments: argparse.Namespace, device: torch.device, peak: float
) -> dict[str, Any]:
    """Returns the medians of all loops, which take turns, what they need, and how long they take to begin."""
    makers: dict[str, Callable[[], Any]] = {
        "trial": partial(Ours, network, splits, device, arguments),
        "plain": partial(Plain, network, splits, device, arguments, training_folder(arguments)),
        "hand": partial(ByHand, network, splits, device, arguments),
    }
    loops, first, memory = {}, {}, {}
    for name, make in makers.items():
        meter = MemoryMeter(device)
        loops[name], first[name] = seconds_to_first_step(make)
        memory[name] = meter.peak() or 0
    steps = max(1, min(STEPS, round(SECONDS / max(loops["trial"].steps(1), 1e-3))))
    with Packed(network, splits, arguments, device) as packed:
        seconds: dict[str, list[float]] = {name: [] for name in [*loops, "packed"]}
        for _ in range(arguments.repeats):
            for name, loop in loops.items():
                seconds[name].append(loop.steps(steps))
            seconds["packed"].append(packed.steps(steps) / packed.count)
    speed = {name: steps * BATCH / statistics.median(taken) for name, taken in seconds.items()}
    flops = 6 * network.cost((3, SIZE, SIZE)).macs  # two each, forward once and backward twice
    turns = {name: [own / other for own, other in zip(seconds[name], seconds[ours], strict=True)]
             for name, ours in (("plain", "packed"), ("hand", "trial"))}  # fmt: skip
    return {
        **speed,
        "to_plain": statistics.median(turns["plain"]),
        "to_hand": statistics.median(turns["hand"]),
        "of_peak": flops * speed["packed"] / peak,
        "first_step": [first[name] for name in ("trial", "plain", "hand")],
        "memory": [memory[name] for name in ("trial", "plain", "hand")],
        "steps": steps,
    }


class Packed:
    """Trials side by side, each in a process of its own: on a CPU one a core, of one thread."""

    def __init__(
        self, network: NetworkSpec, splits: Splits, arguments: argparse.Namespace, device: torch.device
    ) -> None:
        self.count = arguments.pack or (1 if device.type == "cuda" else arguments.threads)
        settings = argparse.Namespace(**{**vars(arguments), "threads": 1})
        context = multiprocessing.get_context("spawn")
        self._ends, self._processes = [], []
        for _ in range(self.count):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, network, splits, settings, device), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)
        for end in self._ends:
            end.recv()

    def __enter__(self) -> Packed:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def steps(self, count: int) -> float:
        """Has all take so many steps at once; returns the seconds until the last is done."""
        started = perf_counter()
        for end in self._ends:
            end.send(count)
        for end in self._ends:
            end.recv()
        return perf_counter() - started


def serve(pipe: Any, network: NetworkSpec, splits: Splits, settings: argparse.Namespace, device: torch.device) -> None:
    """What a process of a pack does: as many steps as it is told, again and again."""
    loop = Ours(network, splits, device, settings)
    loop.steps(1)
    pipe.send("ready")
    while True:
        loop.steps(pipe.recv())
        pipe.send("done")


def accuracies(
    network: NetworkSpec, splits: Splits, arguments: argparse.Namespace, device: torch.device
) -> dict[str, list[float]]:
    """Returns the validation accuracy after equal epochs, for each loop and seed."""
    found: dict[str, list[float]] = {"ours": [], "plain": [], "hand": []}
    for seed in range(3):
        settings = argparse.Namespace(**{**vars(arguments), "seed": seed})
        loops = {
            "ours": Ours(network, splits, device, settings),
            "plain": Plain(network, splits, device, settings, training_folder(arguments)),
            "hand": ByHand(network, splits, device, settings),
        }
        for name, loop in loops.items():
            for _ in range(arguments.epochs):
                loop.epoch()
            found[name].append(accuracy(loop, splits.validation, splits, device))
    return found


def trained(arguments: argparse.Namespace, splits: Splits, device: torch.device) -> list[dict[str, Any]]:
    """Trains ResNet-20 by a trial of ours and by the plain loop, in turns; prints and returns epoch by epoch."""
    network = networks(len(splits.classes), quick=True)["ResNet-20"]
    loops = {
        "ours": Ours(network, splits, device, arguments),
        "plain": Plain(network, splits, device, arguments, training_folder(arguments)),
    }
    print(
        f"{len(splits.train):,} images to train on, {len(splits.validation):,} to validate on, "
        f"{len(splits.test):,} to test on"
    )
    rows = []
    print(f"{'epoch':>5}{'ours':>9}{'plain':>9}   {'images/s':>8}{'plain':>9}{'ratio':>7}")
    for epoch in range(1, arguments.train + 1):
        seconds = {name: loop.epoch() for name, loop in loops.items()}
        right = {name: accuracy(loop, splits.validation, splits, device) for name, loop in loops.items()}
        speed = {name: len(splits.train) // BATCH * BATCH / taken for name, taken in seconds.items()}
        rows.append({"epoch": epoch, "accuracy": right, "images_per_second": speed})
        accuracies_now = f"{epoch:5}{right['ours']:9.2%}{right['plain']:9.2%}"
        speeds = f"{speed['ours']:8,.0f}{speed['plain']:9,.0f}{speed['ours'] / speed['plain']:7.2f}"
        print(f"{accuracies_now}   {speeds}", flush=True)
    tested = {name: accuracy(loop, splits.test, splits, device) for name, loop in loops.items()}
    print(f"test {tested['ours']:9.2%}{tested['plain']:9.2%}")
    return [*rows, {"test": tested}]


def images_of(arguments: argparse.Namespace) -> Splits:
    """Returns the images: all where accuracy matters, else as many as a measurement takes."""
    if arguments.data is None:
        few = {"kind": "synthetic", "images": arguments.images * 10 // 6 + 100, "image_size": SIZE}
        return limited(prepare(DATASETS.parse(few)), arguments.images)
    share = {"validation_fraction": arguments.validation_fraction} if arguments.train else {}
    return limited(
        prepare(
            DATASETS.parse({"kind": "image_folder", "root": str(arguments.data), "image_size": SIZE, **share}),
        ),
        arguments.images,
    )


def limited(splits: Splits, images: int) -> Splits:
    if images >= len(splits.train):
        return splits
    order = torch.randperm(len(splits.train), generator=torch.Generator().manual_seed(0))[:images].numpy()
    train = splits.train.take(order)
    return Splits(train, splits.validation, splits.test, splits.mean, splits.std, splits.classes, splits.checksum)


def training_folder(arguments: argparse.Namespace) -> Path | None:
    """Returns the folder that the plain loop reads: none where it is to see the very images that ours does."""
    if arguments.data is None or arguments.train or arguments.accuracy:
        return None
    folder: Path = arguments.data
    return folder / "train" if (folder / "train").is_dir() else folder


def fastest_precision(arguments: argparse.Namespace, splits: Splits, device: torch.device) -> str:
    """Returns what a study's `precision: auto` takes here, so that the loop made by hand has it too."""
    recipe = TrainSpec(batch_size=BATCH, precision="auto", threads=arguments.threads)
    network = networks(len(splits.classes), quick=True)["ResNet-20"]
    found = choose(network, recipe, Question((3, SIZE, SIZE), 1, 0, 0, 1), device, LIMITS)
    print("seconds a step of ResNet-20:", {name: round(value, 4) for name, value in found["step_seconds"].items()})
    return str(found["chosen"]["precision"])


def matrix_peak(device: torch.device, precision: str) -> float:
    """Returns the most floating-point operations a second of a large matrix product, measured, all threads."""
    size = 8192 if device.type == "cuda" else 1536
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    dtype = torch.float32 if precision == "float32" else torch.bfloat16
    left = torch.randn(size, size, device=device, dtype=dtype)
    seconds = []
    for _ in range(10):
        started = perf_counter()
        left @ left
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(perf_counter() - started)
    return 2 * size**3 / min(seconds)


def machine(device: torch.device) -> dict[str, Any]:
    return {"device": device_name(device), "cores": os.cpu_count(), "torch": torch.__version__, "batch": BATCH}


def plain(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(arguments).items()}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--device", default="cpu", help="cpu or cuda")
    add("--threads", type=int, default=os.cpu_count(), help="CPU threads of a loop (all cores)")
    add("--repeats", type=int, default=3, help="measurements of each loop (3)")
    add("--pack", type=int, help="trials side by side (on a CPU one a thread; on a GPU 1)")
    add("--precision", choices=["float32", "bfloat16", "float16"], help="of ours and (b); by default the faster here")
    add("--data", type=Path, help="a folder of class folders, or of train and test with class folders")
    add("--images", type=int, help="training images (all with --train or --accuracy, else as many as are measured)")
    add("--validation-fraction", type=float, default=0.1, help="with --train, of the training images (0.1)")
    add("--accuracy", action="store_true", help="also compare accuracy after --epochs, over 3 seeds")
    add("--epochs", type=int, default=5, help="epochs for --accuracy (5)")
    add("--train", type=int, metavar="EPOCHS", help="only train ResNet-20, ours beside the plain loop")
    add("--seed", type=int, default=0, help="of initial values, order and augmentation (0)")
    add("--quick", action="store_true", help="three networks")
    arguments = parser.parse_args()
    arguments.epochs = arguments.train or arguments.epochs
    measured = STEPS * BATCH if arguments.data is None or not (arguments.train or arguments.accuracy) else 10**9
    arguments.images = arguments.images or measured
    return arguments


if __name__ == "__main__":
    main()
