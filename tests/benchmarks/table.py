"""Trains the arms of a table: what ``tests.benchmarks.search`` replays, so that samplers are compared on real networks.

    python -m tests.benchmarks.table digits --processes 2
    python -m tests.benchmarks.table cifar10 --data FOLDER --processes 2
    python -m tests.benchmarks.table FILE.yaml --out FILE.csv

All arms of the space of ``tables/digits.yaml`` that keep its limit are trained with 3 seeds each, in a random order,
and every epoch's validation accuracy is kept. Rows are appended as arms are done, so that the same command goes on
where it was cut.

``--data`` is where the images lie: files as torchvision lays them out, or ``train`` and ``test`` with a folder a class,
which are read as ``image_folder`` at the size and with the fractions of the space's file.

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
from search.data.images import Splits
from search.data.spec import DATASETS
from search.factors import Choice, Variable
from search.plan import Plan
from search.space import Space
from search.study import resolve_study

HERE = Path(__file__).parent / "tables"
SEEDS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", help="digits, cifar10, or a study's file")
    parser.add_argument("--data", type=Path, help="the folder of the images, where they are files")
    parser.add_argument("--arms", type=int, help="only so many of them")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, help="by default beside the study's file")
    options = parser.parse_args()
    path = HERE / f"{options.space}.yaml" if "." not in options.space else Path(options.space)
    out = options.out or path.with_suffix(".csv")
    plan = Plan(resolve_study(read_yaml(path)))
    data = images(plan.baseline.configuration.data.plain(), options.data)
    epochs = plan.baseline.configuration.train.epochs
    header = [*plan.baseline.levels, "macs", "params", "activations"]
    header += [f"s{seed}e{epoch}" for seed in SEEDS for epoch in range(1, epochs + 1)]
    done = len(out.read_text().splitlines()) - 1 if out.exists() else 0
    if done < 1:
        out.write_text(",".join(header) + "\n", encoding="utf-8")
    jobs = [(number, arm.configuration.plain(), row_of(arm)) for number, arm in enumerate(arms(plan)[: options.arms])]
    pool = multiprocessing.get_context("spawn").Pool(options.processes, hold, (data,))
    with pool, out.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in pool.imap(trained, jobs[max(done, 0) :]):  # in order: rows are the arms as they were drawn
            writer.writerow(row)
            file.flush()
            if number % 50 == 49:
                print(f"{number + 1} of {len(jobs)} arms", file=sys.stderr, flush=True)


def images(data: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Returns the data of a space, read from a folder if one is given."""
    if folder is None:
        return data
    if not (folder / "train").is_dir():
        return {**data, "root": str(folder)}
    size = data["image_size"]
    shares = {name: data[name] for name in ("train_fraction", "validation_fraction", "split_seed")}
    return {"kind": "image_folder", "root": str(folder), "image_size": size, **shares}


def arms(plan: Plan) -> list[Arm]:
    """Returns every arm of the space, in an order that a part of the table is a fair sample in."""
    for choice in choices(plan.space, list(plan.space.in_order), {}):
        if choice and (arm := plan.judge(choice)).status == "run":
            plan.take(arm)
    found = list(plan.arms.values())
    random.Random(0).shuffle(found)
    return found


def choices(space: Space, variables: list[Variable], choice: Choice) -> Iterator[Choice]:
    if not variables:
        yield choice
        return
    first, *rest = variables
    if not space.active(first, choice):
        yield from choices(space, rest, choice)
        return
    options = first.listed() if first.range else space.options(first)
    for level in options or ():
        yield from choices(space, rest, choice if level is None else {**choice, first.name: level})


def row_of(arm: Arm) -> list[Any]:
    assert arm.cost is not None
    return [*arm.levels.values(), arm.cost.macs, arm.cost.params, arm.cost.activations]


HELD: list[Splits] = []
"""The images of a process, which all of its arms are trained on."""


def hold(data: dict[str, Any]) -> None:
    HELD.append(prepare(DATASETS.parse(data)))


def trained(job: tuple[int, dict[str, Any], list[Any]]) -> tuple[int, list[Any]]:
    """Returns an arm's number and its row, with the accuracy of every seed and epoch; 0 after a trial diverged."""
    from blocks import NetworkSpec
    from search.train import TrainSpec
    from search.train.loop import train

    number, plain, row = job
    recipe = TrainSpec.model_validate(plain["train"])
    for seed in SEEDS:
        outcome = train(NetworkSpec.model_validate(plain["network"]), recipe, HELD[0], seed)
        reached = [f"{epoch.val_accuracy:.4f}".rstrip("0") for epoch in outcome.epochs]
        row += reached + ["0"] * (recipe.epochs - len(reached))
    return number, row


if __name__ == "__main__":
    main()
