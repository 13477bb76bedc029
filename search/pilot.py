"""What an earlier run tells about a study before anything is spent."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev


def earlier_noise(directory: Path) -> float | None:
    """Returns the SD of paired differences that a run directory's explore trials show: root mean square over arms."""
    results = directory / "results.csv"
    if not results.exists():
        return None
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    with results.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["phase"] == "explore" and row["status"] == "completed":
                scores[row["arm"]][row["seed"]] = float(row["val_accuracy"])
    first, *others = scores.values() or [{}]  # the baseline's rows come first
    differences = [[arm[seed] - first[seed] for seed in arm if seed in first] for arm in others]
    variances = [stdev(values) ** 2 for values in differences if len(values) > 1]
    return fmean(variances) ** 0.5 if variances else None
