"""The factorial model: which factors act, which act together, and what this design cannot tell apart."""

from __future__ import annotations

from typing import Any

from reports.changes import step
from reports.comparisons import interactions
from reports.findings import Findings
from reports.grid import Cell, Column, Grid
from reports.lost import what_was_lost
from reports.model import Model, model
from reports.numbers import ABSENT, could_have_been, count, p_value, points, points_interval, unbroken, words
from reports.sections import Section
from reports.statistics import Factorial, Verdict

ID = "factorial"
ORDER = 22
TITLE = "The factorial model"

Row = dict[Any, Any]


def build(findings: Findings) -> Section:
    """Returns the section, empty for designs that are no factorial."""
    fitted = model(findings.table)
    if fitted is None:
        return Section(TITLE)
    if fitted.fit is None:
        refused = f"No interactions: {fitted.refusal}. The map below shows which cells there are."
        return Section(TITLE, banners=(refused,), lead=_linked(findings))
    steps = interactions(findings.table)
    grids = [_terms(fitted.fit)]
    if len(steps):
        grids.append(_steps(steps.to_dict("records")))
    notes = (("How this is computed", _method(fitted)),)
    return Section(
        TITLE,
        lead=(*_linked(findings), *_aliases(findings, fitted.fit), *_lost(findings)),
        grids=tuple(grids),
        notes=notes,
    )


def _linked(findings: Findings) -> tuple[str, ...]:
    said = [f"{factor.name} moves with {factor.same_as}" for factor in findings.table.factors if factor.same_as]
    if not said:
        return ()
    return (
        f"{words(said).capitalize()}, as the study says: they count as one factor, and no effect is either’s alone.",
    )


def _aliases(findings: Findings, fit: Factorial) -> tuple[str, ...]:
    fraction = findings.table.design.fraction or {}
    if fraction.get("kind", "full") == "full":
        return ()
    kind = f"a fraction of resolution {fraction['resolution']}" if "resolution" in fraction else "a D-optimal fraction"
    said = [f"This is {kind}: {count(fit.arms, 'cell')} of the full factorial were run."]
    groups = [f"{group[0]} is also {words(list(group[1:]))}" for group in fit.aliases if len(group) > 1]
    if groups:
        said.append(
            f"Effects that it cannot tell apart: {'; '.join(groups)}. Each estimate is that of the whole group."
        )
    return (" ".join(said),)


def _lost(findings: Findings) -> tuple[str, ...]:
    gone = what_was_lost(findings.table)
    return (f"Fitted to the cells that are left: {gone} gave no result.",) if gone else ()


def _terms(fit: Factorial) -> Grid:
    columns = (
        Column("Term", numeric=False),
        Column("F", hint="Mean square of the term over that of its own scatter over seeds"),
        Column("Degrees of freedom"),
        Column("p", hint="Uncorrected"),
        Column("Partial η²", hint="Its share of the sum of squares of itself and its error"),
    )
    rows = []
    for row in fit.terms.to_dict("records"):
        known = row["f"] == row["f"]
        freedom = f"{row['freedom']:.0f}, {row['error_freedom']:.0f}"
        rows.append(
            [
                Cell(row["term"]),
                Cell(f"{row['f']:.2f}" if known else ABSENT, row["f"]),
                Cell(freedom, float(row["freedom"])),
                Cell(p_value(row["p"]), row["p"]),
                Cell(f"{row['eta_squared']:.2f}" if known else ABSENT, row["eta_squared"]),
            ]
        )
    return Grid("Main effects and interactions", columns, rows, copies=True)


def _steps(steps: list[Row]) -> Grid:
    columns = (
        Column("Interaction", numeric=False),
        Column("Step", numeric=False),
        Column("Effect,\u00a0pp"),
        Column("95% interval"),
        Column("Verdict", numeric=False),
        Column("p"),
        Column("p,\u00a0Holm"),
        Column("Pairs"),
    )
    note = "What the step of one factor gives more when the other has stepped too, in percentage points (pp)."
    return Grid("Interactions, step by step", columns, [_step(row) for row in steps], note, copies=True)


def _step(row: Row) -> list[Cell]:
    verdict = Verdict(row["verdict"])
    could = could_have_been(row["detectable"]) if verdict is Verdict.NOT_DETECTED else ""
    style = f"verdict {verdict.replace(' ', '-')}"
    whole = row["pairs"] == row["planned"]
    return [
        Cell(row["term"]),
        Cell(_both(row)),
        Cell(points(row["effect"]).removesuffix("\u00a0pp"), row["effect"]),
        Cell(points_interval(row["low"], row["high"]) or ABSENT, row["low"]),
        Cell(verdict, float([*Verdict].index(verdict)), note=could, style=style),
        Cell(p_value(row["p"]), row["p"]),
        Cell(p_value(row["p_holm"]), row["p_holm"]),
        Cell(f"{row['pairs']:.0f}" if whole else f"{row['pairs']:.0f} of {row['planned']:.0f}", float(row["pairs"])),
    ]


def _both(row: Row) -> str:
    """Returns the steps of an interaction in words: "expansion 4 → 2 and depth 1 → 3"."""
    names, base, own = (str(row[part]).split(":") for part in ("term", "against", "level"))
    if not len(names) == len(base) == len(own):  # a level has a colon of its own
        return unbroken(f"{row['against']} → {row['level']}")
    return unbroken(words([step(*each) for each in zip(names, base, own, strict=True)]))


def _method(fitted: Model) -> str:
    return (
        f"An arm’s accuracy is modelled as the seed’s own level, a main effect of {words(list(fitted.factors))}, and "
        "interactions of two. The model is fitted within each seed, and every contrast is held against its own scatter "
        "over seeds, so arms may differ in noise and a seed may favour a factor; terms of several degrees of freedom "
        "are corrected by Greenhouse and Geisser’s epsilon. Holm’s correction is over main effects and interactions "
        "together."
    )
