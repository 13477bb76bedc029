"""What an earlier run tells about a study before anything is spent."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev


@dataclass(frozen=True)
class Noise:
    """The SD of a paired difference of accuracy between two arms, and how many arms and pairs each it is known from."""

    sd: float
    arms: int = 0
    pairs: int = 0

    @property
    def text(self) -> str:
        """What it is known from, in words."""
        return f"{self.arms} arm{'' if self.arms == 1 else 's'} beside the baseline, {self.pairs} seeds"


def noise(directory: Path) -> Noise | None:
    """Returns the noise of a run directory's explore trials, root mean square over arms; None if they show none."""
    try:
        baseline = json.loads((directory / "arms.json").read_text(encoding="utf-8"))["baseline"]
        with (directory / "results.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["phase"] == "explore" and row["status"] == "completed"]
    except (OSError, ValueError, KeyError):
        return None
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        scores[row["arm"]][row["seed"]] = float(row["val_accuracy"])
    reference = scores.pop(baseline, {})
    differences = [[arm[seed] - reference[seed] for seed in arm if seed in reference] for arm in scores.values()]
    variances = [stdev(values) ** 2 for values in differences if len(values) > 1]
    if not variances or not any(variances):
        return None
    return Noise(fmean(variances) ** 0.5, len(variances), max(map(len, differences)))
