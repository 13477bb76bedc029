"""What diagnosis costs: the time of trials with it over that of the same trials without, taken in turns.

    python -m tests.benchmarks.diagnosis [--rounds 5]

The goal is a ratio under 1.02. Times are the CPU time of this process, one thread, so that other work on the machine
disturbs them less.
"""

from __future__ import annotations

import argparse
import time
from statistics import median, quantiles

from blocks import NetworkSpec
from search.data import DATASETS, Splits, prepare
from search.train import TrainSpec
from search.train.loop import train

DIGITS = {
    "in_channels": 1,
    "stem": {"kind": "conv3x3", "width": 8},
    "stages": [
        {"block": "basic", "depth": 2, "width": 8},
        {"block": "basic", "depth": 2, "width": 16, "stride": 2},
    ],
    "head": {"kind": "linear", "num_classes": 10},
}
CIFAR = {
    "in_channels": 3,
    "stem": {"kind": "conv3x3", "width": 16},
    "stages": [
        {"block": "basic", "depth": 3, "width": width, "stride": stride}
        for width, stride in ((16, 1), (32, 2), (64, 2))
    ],
    "head": {"kind": "linear", "num_classes": 10},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    generated = {"kind": "synthetic", "images": 4000, "image_size": 32, "num_classes": 10}
    for name, network, data, epochs in (("digits", DIGITS, "digits", 10), ("ResNet-20, 32x32", CIFAR, generated, 1)):
        splits = prepare(DATASETS.parse(data))
        spec = NetworkSpec.model_validate(network)
        seconds(spec, splits, epochs, "off")  # warm-up
        turns = [in_turn(spec, splits, epochs, first=bool(turn % 2)) for turn in range(rounds)]
        ratios = [turn["sampled"] / turn["off"] for turn in turns]
        low, ratio, high = quantiles(ratios, n=4)
        without = median(turn["off"] for turn in turns)
        spread = f"quartiles {low:.3f} to {high:.3f} of {rounds}"
        print(f"{name}: {ratio:.3f} times the time without ({spread}; {without:.1f} s)")


def in_turn(spec: NetworkSpec, splits: Splits, epochs: int, *, first: bool) -> dict[str, float]:
    """Returns the CPU times of a trial with diagnosis and of one without; who is first changes from turn to turn."""
    modes = ("sampled", "off") if first else ("off", "sampled")
    return {mode: seconds(spec, splits, epochs, mode) for mode in modes}


def seconds(spec: NetworkSpec, splits: Splits, epochs: int, mode: str) -> float:
    """Returns the CPU time of one trial."""
    recipe = TrainSpec.model_validate({"epochs": epochs, "batch_size": 64, "diagnosis": mode})
    started = time.process_time()
    train(spec, recipe, splits, 0)
    return time.process_time() - started


if __name__ == "__main__":
    main()
