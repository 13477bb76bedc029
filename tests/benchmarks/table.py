"""Trains the arms of a table: what ``tests.benchmarks.search`` replays, so that samplers are compared on real networks.

    python -m tests.benchmarks.table digits --arms 1000 --processes 2     # about 20 minutes on 2 quiet cores
    python -m tests.benchmarks.table FILE.yaml --out FILE.csv

Arms are drawn at random from the space of ``digits.yaml``, each trained with 3 seeds, and every epoch's validation
accuracy is kept. Rows are appended as arms are done, so that the same command goes on where it was cut.

Columns: one a factor (empty where it does not apply), ``macs``, ``params``, ``activations``, and ``s0e1`` and so on:
the accuracy with seed 0 after epoch 1, from 0 to 1.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blocks.source import read_yaml
from search.arms import Arm
from search.data import prepare
from search.draw import draw
from search.plan import Plan
from search.study import resolve_study

HERE = Path(__file__).parent / "tables"
SEEDS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", help="digits, or a study's file")
    parser.add_argument("--arms", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, help="by default beside the study's file")
    options = parser.parse_args()
    path = HERE / f"{options.space}.yaml" if "." not in options.space else Path(options.space)
    out = options.out or path.with_suffix(".csv")
    plan = Plan(resolve_study(read_yaml(path)))
    epochs = plan.baseline.configuration.train.epochs
    header = [*plan.baseline.levels, "macs", "params", "activations"]
    header += [f"s{seed}e{epoch}" for seed in SEEDS for epoch in range(1, epochs + 1)]
    done = len(out.read_text().splitlines()) - 1 if out.exists() else 0
    if done < 1:
        out.write_text(",".join(header) + "\n", encoding="utf-8")
    jobs = [(number, arm.configuration.plain(), row_of(arm)) for number, arm in enumerate(arms(plan, options.arms))]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool, out.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in pool.imap(trained, jobs[max(done, 0) :]):  # in order: rows are the arms as they were drawn
            writer.writerow(row)
            file.flush()
            if number % 50 == 49:
                print(f"{number + 1} of {len(jobs)} arms", file=sys.stderr, flush=True)


def arms(plan: Plan, count: int) -> Iterator[Arm]:
    """Yields the baseline and arms drawn at random, each another network."""
    generator = random.Random(0)
    yield plan.baseline
    while len(plan.arms) < count:
        arm = plan.judge(draw(plan.space, generator))
        if arm.status == "run":
            yield plan.take(arm)


def row_of(arm: Arm) -> list[Any]:
    assert arm.cost is not None
    return [*arm.levels.values(), arm.cost.macs, arm.cost.params, arm.cost.activations]


def trained(job: tuple[int, dict[str, Any], list[Any]]) -> tuple[int, list[Any]]:
    """Returns an arm's number and its row, with the accuracy of every seed and epoch; 0 after a trial diverged."""
    from blocks import NetworkSpec
    from search.data.spec import DATASETS
    from search.train import TrainSpec
    from search.train.loop import train

    number, plain, row = job
    recipe = TrainSpec.model_validate(plain["train"])
    splits = prepare(DATASETS.parse(plain["data"]))
    for seed in SEEDS:
        outcome = train(NetworkSpec.model_validate(plain["network"]), recipe, splits, seed)
        reached = [f"{epoch.val_accuracy:.4f}".rstrip("0") for epoch in outcome.epochs]
        row += reached + ["0"] * (recipe.epochs - len(reached))
    return number, row


if __name__ == "__main__":
    main()
