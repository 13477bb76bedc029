"""Tables as LaTeX, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from reports.details import patch
from reports.exchange import copies, frame_csv
from reports.grid import Cell, Column, Grid

GRID = Grid(
    "Effects",
    (
        Column("Change", numeric=False),
        Column("Effect,\u00a0pp"),
        Column("", hint="drawn"),
        Column("Verdict", numeric=False),
    ),
    [
        [Cell("a_b → 50%"), Cell("−0.31", -0.0031), Cell(""), Cell("not detected", note="0.4\u00a0pp could have been")],
        [Cell("=cmd|' /C calc'!A0"), Cell("+0.10", 0.001), Cell(""), Cell("detected")],
    ],
)


def test_latex_is_booktabs_and_escaped() -> None:
    lines = copies(GRID)["LaTeX"].splitlines()
    assert lines[:4] == [r"\begin{tabular}{lrl}", r"\toprule", r"Change & Effect,~pp & Verdict \\", r"\midrule"]
    assert lines[4] == r"a\_b $\to$ 50\% & $-$0.31 & not detected \\"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]


def test_markdown_has_as_many_cells_in_every_row() -> None:
    lines = copies(GRID)["Markdown"].splitlines()
    assert lines[1] == "| --- | ---: | --- |"
    assert lines[2] == r"| a\_b → 50% | −0.31 | not detected (0.4 pp could have been) |"
    assert r"\|" in lines[3]


def test_csv_reads_back_and_runs_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(copies(GRID)["CSV"])))
    assert rows[0] == ["Change", "Effect, pp", "Verdict"]
    assert [float(row[1]) for row in rows[1:]] == [-0.31, 0.1]
    assert rows[2][0].startswith("'=")


def test_a_figures_csv_keeps_every_digit() -> None:
    frame = pd.DataFrame({"arm": ["x", "-y"], "mean": [1 / 3, np.nan], "hidden": [1, 2]})
    text = frame_csv(frame, {"arm": "Arm", "mean": "Mean"})
    assert text.splitlines() == ["Arm,Mean", f"x,{1 / 3!r}", "'-y,"]


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(plain, plain)
def test_a_patch_makes_one_spec_of_another(base: Any, own: Any) -> None:
    made: dict[str, Any] = {"spec": base}
    for path, *value in patch({"spec": base}, {"spec": own}):
        *way, last = path
        holder: Any = made
        for key in way:
            holder = holder[key]
        if value:
            holder[last] = value[0]
        else:
            del holder[last]
    assert repr_sorted(made["spec"]) == repr_sorted(own)


def repr_sorted(value: Any) -> str:
    """Tells True from 1, and no order of keys from another."""
    if isinstance(value, dict):
        return str(sorted((key, repr_sorted(entry)) for key, entry in value.items()))
    return str([repr_sorted(entry) for entry in value]) if isinstance(value, list) else repr(value)


def test_patches_are_small() -> None:
    base = {"network": {"stages": [{"width": 8, "depth": 1}, {"width": 16, "depth": 1}]}}
    own = {"network": {"stages": [{"width": 8, "depth": 1}, {"width": 32, "depth": 1}]}}
    assert patch(base, own) == [[["network", "stages", 1, "width"], 32]]
    assert patch(base, base) == []
