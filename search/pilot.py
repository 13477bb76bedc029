"""What an earlier run tells about a study before anything is spent."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev


def earlier_noise(directory: Path, baseline: str) -> float | None:
    """Returns the SD of paired differences that a run directory's explore trials show: root mean square over arms.

    Args:
        baseline: The reference arm; None is returned for a run that has no trials of it.
    """
    results = directory / "results.csv"
    if not results.exists():
        return None
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    with results.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["phase"] == "explore" and row["status"] == "completed":
                scores[row["arm"]][row["seed"]] = float(row["val_accuracy"])
    reference = scores.pop(baseline, {})
    differences = [[arm[seed] - reference[seed] for seed in arm if seed in reference] for arm in scores.values()]
    variances = [stdev(values) ** 2 for values in differences if len(values) > 1]
    return fmean(variances) ** 0.5 if variances else None
