"""What a run directory's files say, read with nothing of ours, and the few tests that every recomputation needs."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML
from scipy import integrate, optimize, special, stats

Floats = NDArray[np.float64]
Row = dict[str, Any]
NUMBERS = (
    *("val_accuracy", "train_accuracy", "test_accuracy", "train_seconds"),
    *("epochs_to_target", "images_per_second", "peak_memory"),
)


@dataclass(eq=False)
class Run:
    """A run directory, its report.json, and which places of that have been checked."""

    folder: Path
    record: Row
    seen: set[tuple[str, str]] = field(default_factory=set)
    pivots: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, page: Path) -> Run:
        """Reads the run that a page is of."""
        return cls(page.parent, json.loads(page.with_suffix(".json").read_bytes()))

    @functools.cached_property
    def arms(self) -> Row:
        return dict(json.loads((self.folder / "arms.json").read_bytes()))

    @functools.cached_property
    def entries(self) -> dict[str, Row]:
        """The entries of arms.json that were run, by id."""
        return {entry["arm"]: entry for entry in self.arms["arms"] if entry["status"] == "run"}

    @functools.cached_property
    def study(self) -> Row:
        return dict(YAML(typ="safe").load((self.folder / "study.yaml").read_text(encoding="utf-8")))

    @functools.cached_property
    def trials(self) -> pd.DataFrame:
        frame = pd.read_csv(self.folder / "results.csv", keep_default_na=False)
        return frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in NUMBERS})

    @functools.cached_property
    def epochs(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "epochs.csv")

    @functools.cached_property
    def images(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "images.csv").set_index(["trial", "split"])

    @property
    def kind(self) -> str:
        return str(self.arms["design"]["kind"])

    @property
    def main(self) -> str:
        """The phase that the page is about: a single arm has nothing to explore."""
        return "confirm" if self.kind == "train" else "explore"

    @property
    def baseline(self) -> str:
        return str(self.arms["baseline"])

    @property
    def seeds(self) -> list[int]:
        """The seeds that were planned for the main phase."""
        planned = self.record["environment"]["seeds"]
        return list(planned["confirm"]) if self.main == "confirm" else list(self.arms["design"]["seeds"])

    @functools.cached_property
    def levels(self) -> pd.DataFrame:
        """Levels of the arms as they stand, a row an arm, a column a factor."""
        own = {
            arm: entry["levels"]
            for arm, entry in self.entries.items()
            if entry["match"] == "none" and entry["tuned_of"] is None
        }
        return pd.DataFrame(own).T

    @property
    def fraction(self) -> bool:
        """Whether a factorial is one by part of its cells only."""
        return (self.arms["design"]["fraction"] or {}).get("kind", "full") != "full"

    @property
    def base(self) -> Row:
        """The baseline's levels."""
        return dict(self.entries[self.baseline]["levels"])

    def wide(self, phase: str = "", value: str = "val_accuracy") -> pd.DataFrame:
        """Returns a value of completed trials, a row a seed, a column an arm; of the main phase by default."""
        key = phase or self.main, value
        if key not in self.pivots:
            own = self.trials[(self.trials["phase"] == key[0]) & (self.trials["status"] == "completed")]
            self.pivots[key] = own.pivot(index="seed", columns="arm", values=value)
        return self.pivots[key]

    def scores(self, arm: str | None, phase: str = "", value: str = "val_accuracy") -> pd.Series:
        """Returns an arm's completed trials by seed; none of an arm without any."""
        wide = self.wide(phase, value)
        return wide[arm].dropna() if arm in wide else pd.Series(dtype=float)

    def rows(self, *path: str) -> list[Row]:
        """Returns the rows at a place of report.json; none where it has no such place."""
        found: Any = self.record
        for name in path:
            found = (found or {}).get(name)
        return list(found or [])

    def check(self, where: str, rows: list[Row], name: str, expected: list[Any], rel: float = 1e-6) -> None:
        """Holds a field of some rows against its values, None or nan where it must be missing."""
        self.seen.add((where, name))
        assert len(rows) == len(expected)
        for row, value in zip(rows, expected, strict=True):
            if value is None or value != value:
                assert row[name] is None, (where, name, row)
            else:
                assert row[name] == pytest.approx(value, rel=rel, abs=1e-9), (where, name, row)

    def check_row(self, where: str, row: Row, expected: Row, rel: float = 1e-6) -> None:
        """Holds several fields of one row against their values."""
        for name, value in expected.items():
            self.check(where, [row], name, [value], rel)


def numbers(values: pd.Series | Floats) -> Floats:
    """Returns the known values as an array."""
    array = np.asarray(values, dtype=float)
    return array[~np.isnan(array)]


def interval(values: Floats) -> tuple[float, float]:
    """The 95% t interval of a mean; missing of one value, and without width where they do not vary."""
    if len(values) < 2:
        return np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(low), float(high)


def mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else np.nan


def sd(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def p_value(differences: Floats) -> float:
    """That of the two-sided paired t test; missing where there is nothing to test against."""
    if len(differences) < 2 or np.ptp(differences) < 1e-12:
        return np.nan
    return float(stats.ttest_1samp(differences, 0).pvalue)


def powered(effect: float, pairs: int, level: float) -> float:
    """The power of the paired t test at an effect in SDs, by integrating over the estimated SD."""
    freedom = pairs - 1
    critical, shift = stats.t.ppf(1 - level / 2, freedom), effect * np.sqrt(pairs)
    reach = 10 / np.sqrt(2 * freedom)
    s = np.linspace(max(1 - reach, 0), 1 + reach, 4001)
    found = special.ndtr(shift - critical * s) + special.ndtr(-critical * s - shift)
    density = stats.chi.pdf(s * np.sqrt(freedom), freedom) * np.sqrt(freedom)
    return float(integrate.trapezoid(found * density, s))


@functools.cache
def findable(pairs: int, level: float) -> float:
    """The effect in SDs that is found with a power of 80%; missing of one pair."""
    if pairs < 2:
        return np.nan
    return float(optimize.brentq(lambda effect: powered(effect, pairs, level) - 0.8, 0.01, 2000))


def scatter(run: Run) -> tuple[float, float]:
    """The SD of one trial, pooled over arms and phases with several seeds, and its degrees of freedom.

    Where no arm has two seeds, that of the validation split's size, of infinitely many.
    """
    own = run.trials[run.trials["phase"].isin(["explore", "confirm"]) & (run.trials["status"] == "completed")]
    groups = own.groupby(["arm", "phase"])["val_accuracy"]
    freedom = (groups.count() - 1).clip(lower=0)
    if freedom.sum():
        return float(np.sqrt((groups.var().fillna(0) * freedom).sum() / freedom.sum())), float(freedom.sum())
    typical = float(run.wide().mean().median())
    return float(np.sqrt(typical * (1 - typical) / run.record["environment"]["data"]["validation"])), np.inf
