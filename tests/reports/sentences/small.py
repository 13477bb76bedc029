"""What stands in small type under a number of a table: its interval, or what it is held against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.reports.evidence import Row, Run
from tests.reports.sentences.arms import clipped
from tests.reports.sentences.comparisons import averaged_over, lost_of, settings, values_of
from tests.reports.sentences.matching import Found, Values, called, phrase

PREFIXES = {"effect": "", "mean": "", "shrinkage": "", "low": "", "worth": "worth_", "gain_effect": "gain_"}


def ends_of(run: Run, key: str | None) -> tuple[set[float], set[float]]:
    """Returns the ends of the intervals of a number of the record, by its sort key; also turned about zero."""
    low, high = set[float](), set[float]()
    for row in _objects(run.record):
        for name, value in row.items():
            if isinstance(value, float) and key in (f"{value:.9g}", f"{-value:.9g}"):
                first, last = _ends(row, name)
                low, high = low | {first, *clipped(first), -last}, high | {last, *clipped(last), -first}
    return low, high


def _ends(row: Row, name: str) -> tuple[float, float]:
    prefix = PREFIXES.get(name, name.removesuffix("mean").removesuffix("low"))
    ends = [row.get(f"{prefix}{end}") for end in ("low", "high")]
    return (np.nan, np.nan) if None in ends else (float(ends[0]), float(ends[1]))  # type: ignore[arg-type]


def _objects(value: Any) -> Iterator[Row]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


@phrase("", r"^\[#, #\]$")
def interval(run: Run, found: Found) -> Values:
    return [*ends_of(run, found.said.key)]


@phrase("arms", r"^±#$")
def half_width(run: Run, found: Found) -> Values:
    assert found.said.key is not None
    return [{(end - float(found.said.key)) * 100 for end in ends_of(run, found.said.key)[1]}]


def _rows(run: Run, found: Found) -> list[Row]:
    """Returns the comparisons, or the steps of an interaction, that a row of a table may be of."""
    named = [*run.rows("comparisons"), *run.rows("interactions")]
    return [row for row in named if called(row.get("change"), found.said) or called(row.get("term"), found.said)]


@phrase("ablation", r"^# could have been")
@phrase("factorial", r"^# could have been")
def could_have_been(run: Run, found: Found) -> Values:
    return [{row["detectable"] for row in _rows(run, found) if row["verdict"] == "not detected"}]


@phrase("ablation", r"# (?:of the (?:baseline|bare recipe) )?(?:failed|diverged|stopped|running|not run yet)")
def lost(run: Run, found: Found) -> Values:
    rows = [row for row in _rows(run, found) if row["arm"] is not None]
    return [{number for row in rows for number in lost_of(run, row, found.words)}]


@phrase("ablation", r"mean of # (?:of # )?settings of the other factors", r"coefficient over the # cells")
def averaged(run: Run, found: Found) -> Values:
    rows = _rows(run, found)
    kept = {len(settings(run, row)) for row in rows}
    return [kept, averaged_over(run, rows[0])] if re.search(r"\d of \d", found.words) else [kept]


@phrase("ablation", r"^# against #$")
def tuned(run: Run, found: Found) -> Values:
    rows = [row for row in _rows(run, found) if "tuned" in row["at"]]
    return [{values_of(run, row[side])[0] for row in rows} for side in ("arm", "against")]


@phrase("power", r"^has #$")
def has(run: Run, found: Found) -> Values:
    return [{row["pairs"] for row in run.rows("outlook", "open") if called(row["change"], found.said)}]


@phrase("power", r"^# more$")
def more(run: Run, found: Found) -> Values:
    return [{row["more"] for row in run.rows("outlook", "seeds") if str(row["pairs"]) == found.said.key}]
