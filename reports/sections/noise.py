"""Seed noise and image noise told apart."""

from __future__ import annotations

from typing import Any

from reports.arms import digits
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.noise import Noises
from reports.numbers import ABSENT, count, percent, points, points_interval
from reports.sections import Section

ID = "noise"
ORDER = 60
TITLE = "Which noise: seeds or images"

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section, empty without a record of which images were right."""
    found = findings.noises
    if found is None or found.differences.empty:
        return Section(TITLE)
    grids = (_differences(found), _arms(findings, found))
    return Section(
        TITLE, lead=(_story(findings, found),), grids=grids, notes=(("How this is computed", _method(found)),)
    )


def _story(findings: Findings, found: Noises) -> str:
    winner = findings.table.winner["arm"] if findings.table.winner else None
    arm = winner if winner in found.differences.index else found.differences.index[0]
    row: Row = found.differences.loc[arm].to_dict()
    who = "The winner" if arm == winner else str(row["label"])
    said = (
        f"{who} against the baseline on {_where(found)}: {points(row['mean'])}, give or take {_size(row['error'])} (SE)"
    )
    if row["error"] != row["error"]:
        said = f"{who} against the baseline on {_where(found)}: {points(row['mean'])}"
        return f"{said}. With one seed, what the seed adds cannot be told."
    return (
        f"{said}, had other seeds trained them and other images judged them. Other seeds on the same images alone: "
        f"{_size(row['seed_error'])}; the same networks on other images: {_size(row['image_error'])}. More and more "
        f"seeds alone would bring the error of both down to {_left(row['more_seeds'])}, more and more images alone to "
        f"{_left(row['more_images'])}."
    )


def _differences(found: Noises) -> Grid:
    columns = (
        Column("Arm", numeric=False),
        Column("Against the baseline"),
        Column("SE, both", hint="What the difference would move by with fresh seeds and fresh images"),
        Column("Fresh seeds", hint="SE with fresh seeds on the same images"),
        Column("Fresh images", hint="SE with the same networks on fresh images"),
        Column("95% over images", hint="Paired bootstrap over images, the networks held fixed"),
    )
    rows = [
        [
            Cell(row["label"], arm=str(arm)),
            Cell(points(row["mean"]), row["mean"]),
            *_errors(row),
            Cell(points_interval(row["bootstrap_low"], row["bootstrap_high"]) or ABSENT, row["bootstrap_low"]),
        ]
        for arm, row in found.differences.to_dict("index").items()
    ]
    return Grid("Differences from the baseline", columns, rows, f"On {_where(found)}. Standard errors (SE) in pp.")


def _arms(findings: Findings, found: Noises) -> Grid:
    shown = digits(findings.table, found.split)
    columns = (
        Column("Arm", numeric=False),
        Column("Accuracy"),
        Column("SE, both"),
        Column("Fresh seeds"),
        Column("Fresh images"),
    )
    rows = [
        [Cell(row["label"], arm=str(arm)), Cell(percent(row["mean"], shown), row["mean"]), *_errors(row)]
        for arm, row in found.arms.to_dict("index").items()
    ]
    return Grid("Accuracies", columns, rows)


def _errors(row: Row) -> list[Cell]:
    return [Cell(_size(row[name]), row[name]) for name in ("error", "seed_error", "image_error")]


def _size(error: float) -> str:
    return ABSENT if error != error else points(error)[1:]


def _left(error: float) -> str:
    return "almost nothing" if error < 5e-5 else _size(error)


def _where(found: Noises) -> str:
    return f"{count(found.images, f'{found.split} image')} and {count(found.seeds, 'seed')}"


def _method(found: Noises) -> str:
    return (
        f"From which of the {found.images:,} images each network got right. Seeds and images are two crossed random "
        "effects: their variance components are found by the method of moments (Searle, Casella and McCulloch 1992), "
        "and the standard errors follow from them. The t intervals elsewhere on this page are over seeds, on these "
        "images; they do not say what other images would have shown."
    )
