"""What the trials tell about themselves, where it matters; what single blocks are worth; and how the data lie."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import diagnosis
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.numbers import count, points, words
from reports.sections import Section

ID = "diagnosis"
ORDER = 60
REMOVABLE = 0.005
"""Half a point: where a study states no margin, a block that costs no more when it is taken out can be removed."""
MOST = 6


def build(findings: Findings) -> Section:
    """Returns the section, empty for runs that tell nothing."""
    said = diagnosis.sentences(findings.table)
    told = _lesions(diagnosis.lesions(findings.table), findings.table.margin or REMOVABLE)
    facts = _facts(diagnosis.data(findings.table))
    lead = tuple(part for part in (_summary(said, bool(facts)), *told) if part)
    return Section("Diagnosis", lead=lead, grids=(_grid(said),) if len(said) else (), facts=facts, notes=_notes(said))


def _summary(said: pd.DataFrame, looked: bool) -> str:
    if said.empty:
        return "No trial told of anything that was wrong with it." if looked else ""
    arms = said["arm"].nunique()
    return f"Trials of {count(arms, 'arm')} told of something that was wrong with them, or out of the ordinary."


def _grid(said: pd.DataFrame) -> Grid:
    columns = (
        Column("Arm", numeric=False),
        Column("What", numeric=False),
        Column("Seeds", hint="Trials that say so, of those that ended"),
    )
    rows = [
        [Cell(row["label"], arm=row["arm"]), Cell(_sentence(row["text"])), Cell(f"{row['n']} of {row['of']}", row["n"])]
        for row in said.to_dict("records")
    ]
    return Grid("What trials tell", columns, rows, "The words are those of the trial in which it was worst.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _lesions(frame: pd.DataFrame, margin: float) -> list[str]:
    """Says of each confirmed arm which blocks can go, and which is worth most."""
    return [_arm_lesions(label, part, margin) for label, part in frame.groupby("label", sort=False)]


def _arm_lesions(label: Any, part: pd.DataFrame, margin: float) -> str:
    removable = part[part["change"] >= -margin].sort_values("change", ascending=False, kind="stable")
    worst = part.sort_values("change", kind="stable").to_dict("records")[0]
    named = [
        f"{diagnosis.in_words(row['block'])} ({points(row['change'])} without it)"
        for row in removable.to_dict("records")
    ]
    more = [count(len(named) - MOST, "more block")] if len(named) > MOST else []
    single = "one at a time, " if len(named) > 1 else ""
    can = f"{single}{words(named[:MOST] + more)} can be removed" if named else "no residual block can be removed"
    size = f"{int(part['images'].iloc[0]):,} validation images, best confirmed seed"
    return f"{label}: {can}; {_without(worst)} ({size})."


def _without(worst: dict[Any, Any]) -> str:
    """Says what the block costs that is worth most; nothing is lost where all do harm."""
    if worst["change"] < 0:
        return f"without {diagnosis.in_words(worst['block'])} it loses {points(worst['change'])[1:]}"
    return "no block is worth anything: without any one of them it is as good, or better"


def _facts(data: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if data is None:
        return ()
    statistics = [" ".join(f"{value:.3f}" for value in data[name]) for name in ("mean", "deviation")]
    counts = data["classes"]["train"]
    shared = {both: shared for both, shared in data["leaks"].items() if shared}
    twice = sum(data["duplicates"].values())
    return (
        ("Training pixels", f"mean {statistics[0]}, deviation {statistics[1]}, by channel, a pixel being from 0 to 1"),
        ("Training images a class", f"{min(counts):,} to {max(counts):,}"),
        ("Images in two splits", ", ".join(f"{both}: {number:,}" for both, number in shared.items()) or "none"),
        ("Images that are in a split twice", f"{twice:,}" if twice else "none"),
        *(("Warning", warning) for warning in data["warnings"]),
    )


def _notes(said: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    if said.empty:
        return ()
    return (
        (
            "How trials are looked at",
            "Gradients and updates are measured at a few steps, more of them early; activations, dead units and batch "
            "norm’s statistics on a sample of validation images; losses at every step. A unit is dead if it is "
            "positive nowhere, for no image of the sample; leaky ReLU and ELU have none. Sentences have thresholds; "
            "all that was measured is in diagnosis.csv. Stages and blocks are counted from 1.",
        ),
    )
