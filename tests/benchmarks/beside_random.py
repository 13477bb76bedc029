"""What a search found beside random search that trained as many MACs, by what the arms are worth.

    python -m search.run studies/search_with_less.yaml --out runs/one
    python -m tests.benchmarks.beside_random runs/one runs/two runs/three

A run of a search with ``compare: random`` knows only the scores that it chose by, one or a few noisy ones an arm, and
the best of many is luck in part. Here the arms of both observed fronts are trained anew, with seeds that neither has
seen, and each front is valued by the means: hypervolume of accuracy against log10 MACs, beyond a corner that both
share, the dearest arm's MACs and the worst accuracy that either observed. Beside it what the page says, of the scores
observed. With several runs also the mean difference, and its 95% interval by Student's t.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from blocks import NetworkSpec
from reports.table import Table, read
from search.budget import epoch_macs
from search.data import prepare
from search.data.spec import DATASETS
from search.plan import Plan
from search.study import load_study
from search.train import TrainSpec
from search.train.loop import train
from search.yardstick import random_trials
from tests.benchmarks.search import half_width, hypervolume

PHASES = {"explore": "search", "random": "random"}
SEEDS = (7_000_001, 7_000_002, 7_000_003)
"""Of no phase of any study."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="+")
    options = parser.parse_args()
    print(f"{'':24}{'worth':>20}{'observed':>22}{'trained MACs':>16}\n{'':24}", end="")
    print(f"{'search':>10}{'random':>10}{'search':>12}{'random':>10}{'search/random':>16}")
    rows = []
    for folder in options.run:
        rows.append({"run": folder.name, **compared(read(folder))})
        row = rows[-1]
        print(f"{folder.name:24}{row['search']:10.4f}{row['random']:10.4f}", end="")
        print(f"{row['search_observed']:12.4f}{row['random_observed']:10.4f}{row['share']:16.2f}", flush=True)
    gains = [row["search"] - row["random"] for row in rows]
    print(f"search less random: {fmean(gains):+.4f} ± {half_width(gains):.4f}")
    print(json.dumps({"benchmark": "beside_random", "rows": rows}))


def compared(table: Table) -> dict[str, float]:
    trials = {phase: mean_scores(table, phase) for phase in PHASES}
    reference = min(own["score"].min() for own in trials.values()), max(own["cost"].max() for own in trials.values())
    fronts = {phase: front(own) for phase, own in trials.items()}
    worth = trained(table, sorted({arm for own in fronts.values() for arm in own.index}))
    found: dict[str, float] = {}
    for phase, own in fronts.items():
        valued = [(cost, score, worth[arm]) for arm, cost, score in own.itertuples()]
        found[PHASES[phase]] = hypervolume(valued, reference)
        found[f"{PHASES[phase]}_observed"] = hypervolume([(c, score, score) for c, score, _ in valued], reference)
    return {**found, "share": spent(table, "explore") / spent(table, "random")}


def mean_scores(table: Table, phase: str) -> pd.DataFrame:
    """Returns what a phase observed of each arm that it trained to the end: log10 MACs, mean score."""
    own = table.phase(phase)
    own = own[own["status"] == "completed"]
    score = own.groupby("arm")["val_accuracy"].mean()
    cost = [math.log10(macs_of(table, arm)) for arm in score.index]
    return pd.DataFrame({"cost": cost, "score": score})


def front(own: pd.DataFrame) -> pd.DataFrame:
    """Returns the arms that no arm as cheap is better than."""
    own = own.sort_values(["cost", "score"], ascending=[True, False])
    return own[own["score"] > own["score"].cummax().shift(fill_value=-1)]


def macs_of(table: Table, arm: str) -> float:
    return float(table.arms.at[arm, "macs"] if arm in table.arms.index else table.derived[arm]["cost"]["macs"])


def spent(table: Table, phase: str) -> float:
    own = table.phase(phase)
    lengths = table.epochs.groupby("trial")["epoch"].max()
    return sum(
        macs_of(table, arm) * length
        for arm, length in zip(own["arm"], own["trial"].map(lengths).fillna(0), strict=True)
    )


def trained(table: Table, arms: list[str]) -> dict[str, float]:
    """Returns the mean validation accuracy of arms over fresh seeds."""
    plan = Plan(load_study(table.folder / "study.yaml"))
    random_trials(plan, budget(plan, table))
    worth = {}
    for arm in arms:
        plain = own_documents(plan, table, arm)
        splits = prepare(DATASETS.parse(plain["data"]))
        recipe, network = TrainSpec.model_validate(plain["train"]), NetworkSpec.model_validate(plain["network"])
        outcomes = [train(network, recipe, splits, seed) for seed in SEEDS]
        worth[arm] = fmean(outcome.epochs[-1].val_accuracy for outcome in outcomes)
    return worth


def budget(plan: Plan, table: Table) -> float:
    """Returns the MACs of training that the run's random search took."""
    epochs = plan.baseline.configuration.train.epochs
    return sum(
        epoch_macs(plan, plan.baseline) * epochs / macs_of(table, table.baseline) * macs_of(table, arm)
        for arm in table.phase("random")["arm"]
    )


def own_documents(plan: Plan, table: Table, arm: str) -> dict[str, Any]:
    """Returns an arm's network, recipe and data; of one drawn at random, which no file has, as it is drawn again."""
    if arm in table.documents:
        return {part: table.documents[arm].document(part) for part in ("network", "train", "data")}
    return plan.derived[arm].configuration.plain()


if __name__ == "__main__":
    main()
