"""Several studies beside each other: the arms that they share, how their arms are distributed, what set them apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.findings import Findings, find
from reports.numbers import count, percent, points, words
from reports.statistics import Verdict, edf, paired
from reports.table import Table

MOST_STEPS = 400  # of a curve, as it is drawn
ADAPTIVE = ("search",)
CIRCUMSTANCES = ("commit", "versions", "hardware", "engine", "workers", "threads", "varied", "seeds", "data")


@dataclass(frozen=True)
class Study:
    """A study among others, under a name of its own."""

    name: str
    findings: Findings

    @property
    def table(self) -> Table:
        """Its run directory, read."""
        return self.findings.table


@dataclass(frozen=True)
class Across:
    """Several studies; the first is what the others are compared with.

    Attributes:
        studies: As they were given.
        shared: One row an arm that the first and another study have: ``study`` (the other), ``arm``, ``label``,
            ``first`` and ``second`` (mean accuracies over the shared trials), ``identical`` (of them, those that agree
            to the last digit), then the columns of :func:`reports.statistics.paired`; Holm's family is all rows.
        spread: One row a study or, in a population, a space: ``study``, ``space``, ``arms``, ``best``, and the
            quartiles of the arms' mean accuracies (``low``, ``median``, ``high``).
        curves: The distributions of the arms' errors, as drawn: ``study``, ``space``, ``error``, ``share``, ``low``,
            ``high``.
        circumstances: One row a field of the study file or the environment that differs, one column a study.
    """

    studies: tuple[Study, ...]
    shared: pd.DataFrame
    spread: pd.DataFrame
    curves: pd.DataFrame
    circumstances: pd.DataFrame


def across(tables: Sequence[Table]) -> Across:
    """Compares studies with the first of them."""
    studies = tuple(Study(name, find(table)) for name, table in zip(_names(tables), tables, strict=True))
    groups = [group for study in studies for group in _groups(study)]
    return Across(studies, _shared(studies), _spread(groups), _curves(groups), _circumstances(studies))


def headline(found: Across) -> str:
    """Returns the answer in a sentence or two."""
    first, *others = found.studies
    if len(found.shared):
        return " ".join(_shared_words(found, first, other) for other in others)
    groups = found.spread.to_dict("records")
    best = max(groups, key=lambda group: group["median"], default=None)
    said = f"No arm was measured in {first.name} and in another study, so they are compared as groups of arms."
    if best is None:
        return f"{said} None has a result yet."
    return f"{said} The highest median accuracy is that of {_full_name(best)}, {percent(best['median'])}."


def caveats(found: Across) -> list[str]:
    """Returns what a reader of the comparison has to know."""
    said = []
    changed = found.circumstances["field"].tolist()
    if len(found.shared) and changed:
        more = f" and {len(changed) - 4} more" if len(changed) > 4 else ""
        said.append(
            f"The studies differ in {words(changed[:4]) if not more else ', '.join(changed[:4])}{more}: a difference "
            "between arms may come from any of it."
        )
    for study in found.studies:
        waiting = study.findings.counts.not_run + study.findings.counts.of("running")
        if waiting:
            said.append(f"{study.name} is unfinished: {count(waiting, 'trial')} to go.")
        if study.table.design.kind in ADAPTIVE:
            said.append(
                f"The arms of {study.name} were chosen by a sampler that learns: its distribution is that of what it "
                "looked at, not of its space."
            )
    return said


def _shared_words(found: Across, first: Study, other: Study) -> str:
    rows = found.shared[found.shared["study"] == other.name]
    if rows.empty:
        return f"No arm was measured in both {first.name} and {other.name}."
    pairs, same = int(rows["pairs"].sum()), int(rows["identical"].sum())
    said = f"{count(len(rows), 'arm')} of {first.name} {'is' if len(rows) == 1 else 'are'} also in {other.name}"
    if not pairs:
        return f"{said}, with no seed in common."
    if same == pairs:
        return f"{said}: {count(pairs, 'shared trial')}, all with the same accuracy to the last digit."
    moved = rows[rows["verdict"] == Verdict.DETECTED]
    named = [f"{row['label']} ({points(row['effect'])})" for row in moved.head(3).to_dict("records")]
    number = f"{len(moved)} moved" if len(moved) else "none moved"
    agree = f"{same:,} of {count(pairs, 'shared trial')} agree to the last digit"
    return f"{said}: {number} detectably{': ' + words(named) if named else ''}; {agree}."


def _names(tables: Sequence[Table]) -> list[str]:
    """Returns a name a study: its own, with its folder where two have the same, and a number where those do too."""
    names = [str(table.study.get("name", table.folder.name)) for table in tables]
    full = [
        f"{name} ({table.folder.name})" if names.count(name) > 1 and table.folder.name != name else name
        for name, table in zip(names, tables, strict=True)
    ]
    return [
        f"{name} #{full[: index + 1].count(name)}" if full.count(name) > 1 else name for index, name in enumerate(full)
    ]


def _trials(table: Table) -> pd.Series:
    """Returns the accuracies of completed trials by arm, phase and seed."""
    parts = [table.phase(phase) for phase in ("explore", "confirm")]
    trials = pd.concat(parts).dropna(subset=["val_accuracy"]).drop_duplicates(["arm", "phase", "seed"])
    return trials.set_index(["arm", "phase", "seed"])["val_accuracy"]


def _shared(studies: Sequence[Study]) -> pd.DataFrame:
    first, *others = studies
    base = _trials(first.table)
    rows: list[dict[str, Any]] = []
    differences: dict[int, pd.Series] = {}
    for other in others:
        own = _trials(other.table)
        arms = [arm for arm in base.index.unique("arm") if arm in set(own.index.unique("arm"))]
        both = pd.DataFrame({"first": base, "second": own}).dropna()
        for arm in arms:
            pairs = both.xs(arm, level="arm") if arm in both.index.get_level_values("arm") else both.iloc[:0]
            label = str(first.table.arms.at[arm, "label"])
            identical = int((pairs["first"] == pairs["second"]).sum())
            row = {"study": other.name, "arm": arm, "label": label, "identical": identical}
            differences[len(rows)] = (pairs["second"] - pairs["first"]).reset_index(drop=True)
            rows.append({**row, "first": pairs["first"].mean(), "second": pairs["second"].mean()})
    if not rows:
        return pd.DataFrame(columns=["study", "arm", "label", "first", "second", "identical", "pairs", "verdict"])
    wide = pd.DataFrame(differences)
    return pd.DataFrame(rows).join(paired(wide.reindex(columns=range(len(rows))), planned=wide.count()))


def _full_name(row: Mapping[Any, Any]) -> str:
    return f"{row['study']}, {row['space']}" if row["space"] else str(row["study"])


def _groups(study: Study) -> Iterator[tuple[str, str, pd.Series]]:
    """Yields the mean accuracies of a study's arms, a group for every space that it drew from."""
    means = study.findings.arms["mean"].dropna()
    spaces = study.table.design.spaces or ({"name": "", "arms": list(means.index)},)
    for space in spaces:
        inside = means[means.index.isin(list(space["arms"]))]
        if len(inside):
            yield study.name, str(space["name"]), inside


def _spread(groups: Sequence[tuple[str, str, pd.Series]]) -> pd.DataFrame:
    rows = []
    for study, space, means in groups:
        low, median, high = np.quantile(means, [0.25, 0.5, 0.75])
        rows.append({"study": study, "space": space, "arms": len(means), "best": means.max(), "low": low})
        rows[-1] |= {"median": median, "high": high}
    return pd.DataFrame(rows, columns=["study", "space", "arms", "best", "low", "median", "high"])


def _curves(groups: Sequence[tuple[str, str, pd.Series]]) -> pd.DataFrame:
    parts = []
    for study, space, means in groups:
        curve = edf(1 - means)
        if len(curve) > MOST_STEPS:
            curve = curve.iloc[np.linspace(0, len(curve) - 1, MOST_STEPS).round().astype(int)]
        parts.append(curve.assign(study=study, space=space))
    columns = ["study", "space", "error", "share", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _circumstances(studies: Sequence[Study]) -> pd.DataFrame:
    told = [dict(_flat(_told(study.table))) for study in studies]
    fields = list(dict.fromkeys(field for one in told for field in one))
    rows = [
        {"field": field, **{s.name: one.get(field, "") for s, one in zip(studies, told, strict=True)}}
        for field in fields
    ]
    differing = [row for row in rows if len({row[study.name] for study in studies}) > 1]
    return pd.DataFrame(differing, columns=["field", *(study.name for study in studies)])


def _told(table: Table) -> dict[str, Any]:
    environment = {name: table.environment.get(name) for name in CIRCUMSTANCES}
    study = {name: value for name, value in table.study.items() if name not in ("name", "question", "data")}
    return {**environment, "study": study}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _flat(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        for index, entry in enumerate(value):
            yield from _flat(entry, f"{path}[{index}]")
    else:
        yield path, ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
