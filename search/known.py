"""What a search begins with: arms that were written by hand, and the scores of arms of earlier runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from blocks.base import did_you_mean, there_are
from search.factors import Choice, Variable, label
from search.record import Record, read
from search.run_directory import RunDirectoryError

if TYPE_CHECKING:
    from search.designs.search import Search
    from search.plan import Plan

FIRST, KNOWN = ("design", "first"), ("design", "known")


def first_choices(plan: Plan, design: Search) -> list[Choice]:
    """Returns the choices of the arms that were written by hand. Raises ``InputError`` where one is none."""
    return [_choice(plan, written, number) for number, written in enumerate(design.first)]


def check_first(plan: Plan, design: Search) -> None:
    """Raises ``InputError`` where an arm that was written by hand can't run, or is another's."""
    seen = {plan.baseline.configuration.structure: "the baseline"}
    for number, choice in enumerate(first_choices(plan, design)):
        arm = plan.judge(choice)
        if arm.status == "rejected":
            raise plan.study.source.error((*FIRST, number), f"this arm can't run: {arm.reason}")
        same = seen.setdefault(arm.configuration.structure, f"number {number + 1}")
        if same != f"number {number + 1}":
            raise plan.study.source.error((*FIRST, number), f"this arm trains the same network as {same}")


def check_known(plan: Plan) -> None:
    """Raises ``InputError`` where what is named as an earlier run is none; a run that has begun needs it no more."""
    for number, run in enumerate(getattr(plan.study.spec.design, "known", ())):
        _read(plan, run, number)


def recall(plan: Plan, record: Record) -> None:
    """Writes what is known of earlier runs' arms into the record, once: what they are there is then this run's own.

    An arm is known if this study's own space gives it the same identity: the same network, recipe and data.

    Raises:
        InputError: If there is no such run.
    """
    runs = getattr(plan.study.spec.design, "known", ())
    if any(entry["event"] == "known" for entry in record.entries):
        return
    found = [_recalled(plan, run, number) for number, run in enumerate(runs)]
    for run, arms in zip(runs, found, strict=True):
        record.append("known", run=run, arms=arms)


def read_choice(plan: Plan, values: Mapping[str, Any]) -> Choice | None:
    """Returns the choice that has these labels, by the name of the variable; None if the space has no such."""
    choice: Choice = {}
    for variable in plan.space.free:
        text = values.get(variable.name, "")
        if text in ("", variable.baseline):
            continue
        level = _level(variable, text)
        if level is None:
            return None
        choice[variable.name] = level
    return choice


def _choice(plan: Plan, written: Mapping[str, Any], number: int) -> Choice:
    source, choice = plan.study.source, Choice()
    names = [variable.name for variable in plan.space.free] + [variable.factor for variable in plan.space.free]
    for name, value in written.items():
        meant = [variable for variable in plan.space.free if name in (variable.name, variable.factor)]
        if not meant:
            message = f"there is no factor '{name}': {there_are(dict.fromkeys(names))}{did_you_mean(name, names)}"
            raise source.error((*FIRST, number, name), message, at_key=True)
        for variable in meant:
            text = label(value)
            level = None if text == variable.baseline else _level(variable, text)
            if level is not None:
                choice[variable.name] = level
            elif text != variable.baseline:
                raise source.error((*FIRST, number, name), f"{variable.name} has no level '{text}'{_allowed(variable)}")
    return choice


def _level(variable: Variable, text: str) -> Any:
    """Returns a variable's level by its label; None if it has no such."""
    if variable.range is None:
        return next((level for level in variable.levels if level.label == text), None)
    try:
        number = float(text)
    except ValueError:
        return None
    grid = None if variable.range.log else variable.range.grid()
    inside = variable.range.low <= number <= variable.range.high and (number.is_integer() or not variable.range.whole)
    return variable.level(number) if (number in grid if grid is not None else inside) else None


def _allowed(variable: Variable) -> str:
    if variable.range is not None:
        step = f" in steps of {variable.range.step:g}" if variable.range.step else ""
        return f": it goes from {variable.range.low:g} to {variable.range.high:g}{step}"
    return f": it has {', '.join(dict.fromkeys([variable.baseline, *(level.label for level in variable.levels)]))}"


def _recalled(plan: Plan, run: str, number: int) -> list[dict[str, Any]]:
    """Returns the arms of an earlier run that this study knows too, with their mean scores."""
    entries, arms = _read(plan, run, number)
    scores: dict[str, list[float]] = {}
    for entry in {entry["trial"]: entry for entry in entries if entry["event"] == "finished"}.values():
        if entry["phase"] == "explore" and entry["status"] == "completed":
            scores.setdefault(entry["arm"], []).append(entry["val_accuracy"])
    found = []
    for row in arms:
        choice = read_choice(plan, row["levels"]) if row["status"] == "run" and row["arm"] in scores else None
        if choice is not None and plan.judge(choice).configuration.identity == row["arm"]:
            levels = {name: level.label for name, level in choice.items()}
            found.append({"arm": row["arm"], "levels": levels, "val_accuracy": fmean(scores[row["arm"]])})
    return found


def _read(plan: Plan, run: str, number: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the record of an earlier run, and its arms."""
    directory = Path(plan.study.source.origin).parent / run
    try:
        entries = read(directory / "trials.jsonl")[0]
        arms = json.loads((directory / "arms.json").read_text(encoding="utf-8"))["arms"]
    except (RunDirectoryError, OSError, ValueError, KeyError) as error:
        raise plan.study.source.error((*KNOWN, number), f"{directory} is no run that can be read: {error}") from None
    return entries, arms


def values_of(plan: Plan, choice: Choice, accuracy: float) -> dict[str, float] | None:
    """Returns the objectives of an arm that is known from an earlier run; None if this study can't have it now."""
    arm = plan.judge(choice)
    if arm.cost is None:
        return None
    costs = {name: float(getattr(arm.cost, name)) for name in ("macs", "params", "activations")}
    return {"val_accuracy": accuracy, "share": 1.0, **costs}
