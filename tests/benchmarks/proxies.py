"""What zero-cost proxies tell of the arms of the tables: their rank correlation with what the arms reach when trained.

    python -m tests.benchmarks.proxies digits
    python -m tests.benchmarks.proxies cifar10 --data FOLDER          # as tests.benchmarks.table takes it

Printed, a proxy a line: Kendall's tau between its score and the mean accuracy over seeds after the last epoch, of all
arms of the table; the same among arms of about the same MACs (in each fifth of the table by MACs, the mean of the
five), which is what a proxy adds to knowing what an arm costs; and milliseconds an arm.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from statistics import fmean
from time import process_time

import numpy as np
from scipy.stats import kendalltau

from blocks.source import read_yaml
from search.arms import Arm
from search.data.spec import DATASETS
from search.plan import Plan
from search.proxies import PROXIES
from search.study import resolve_study
from tests.benchmarks.search import TABLES, TABLES_OF, table
from tests.benchmarks.table import arms, images

PARTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES_OF)
    parser.add_argument("--data", type=Path, help="the folder of the images, where they are files")
    options = parser.parse_args()
    plan, problem = Plan(resolve_study(read_yaml(TABLES / f"{options.table}.yaml"))), table(options.table)
    every = arms(plan)
    reached = np.array([problem.score(arm, 0)[1] for arm in every])
    own = DATASETS.parse(images(plan.baseline.configuration.data.plain(), options.data))
    print(f"{options.table}, {len(every):,} arms\n{'':12}{'tau':>8}{'at equal MACs':>16}{'ms an arm':>12}")
    for kind in PROXIES.kinds():
        proxy, begun = PROXIES.parse(kind), process_time()
        scores = np.array([proxy.score(fed(arm, own)) for arm in every])
        taken = (process_time() - begun) / len(every) * 1000
        row = {"tau": agreement(scores, reached), "at_equal_macs": within(every, scores, reached), "ms": taken}
        print(f"{kind:12}{row['tau']:8.3f}{row['at_equal_macs']:16.3f}{taken:12.2f}", flush=True)
        print(json.dumps({"benchmark": "proxies", "table": options.table, "proxy": kind, **row}))


def fed(arm: Arm, data: object) -> Arm:
    """Returns an arm on the images as they lie here."""
    from dataclasses import replace

    return replace(arm, configuration=replace(arm.configuration, data=data))


def within(every: list[Arm], scores: np.ndarray, reached: np.ndarray) -> float:
    """Returns the mean agreement among arms of about the same MACs."""
    parts = np.array_split(np.argsort([arm.value("macs") for arm in every], kind="stable"), PARTS)
    return fmean(agreement(scores[part], reached[part]) for part in parts)


def agreement(scores: np.ndarray, reached: np.ndarray) -> float:
    known = np.isfinite(scores)
    tau = float(kendalltau(scores[known], reached[known]).statistic)
    return 0.0 if math.isnan(tau) else tau


if __name__ == "__main__":
    main()
