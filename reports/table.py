"""A run directory as tidy tables. Everything that the page shows starts here."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

FILES = ("study.yaml", "arms.json", "results.csv", "epochs.csv", "environment.json")
SCHEMA = 1
TRIAL_TEXT = ("trial", "arm", "match", "phase", "status", "reason")
ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy")
EFFORTS = ("epochs_to_target", "train_seconds", "images_per_second", "peak_memory")
TRIAL_NUMBERS = ("seed", *ACCURACIES, *EFFORTS)
EPOCH_TEXT = ("trial", "arm", "phase")
EPOCH_NUMBERS = ("seed", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
ARM_TEXT = ("arm", "label", "status", "reason", "match", "match_of", "twin", "unmatched")
ARM_NUMBERS = ("multiplier", "gap", "inner_channels", "out_channels")
COSTS = ("macs", "params", "activations")
VARIANT = "variant"  # the factor column of a design that lists its arms
NUMBER = (int, float)
ENVIRONMENT: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("hardware.gpus", "sessions", "data.classes", "seeds.explore", "seeds.confirm", "varied", "warnings"), (list,)
    ),
    **dict.fromkeys(("data.train", "data.validation", "data.test", "planned.trials", "wall_seconds"), NUMBER),
    **dict.fromkeys(("hardware.cores", "workers", "threads"), NUMBER),
    **dict.fromkeys(("hardware.cpu", "hardware.memory_gib", "data.kind", "data.checksum"), (object,)),
    **dict.fromkeys(("command", "engine", "commit"), (object,)),
    "versions": (dict,),
}


class RunError(ValueError):
    """A folder is not a run directory that this version can read; the message says what is missing or wrong."""


@dataclass(frozen=True)
class Factor:
    """A thing that the study varies; ``[each]`` factors have a column a stage."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Design:
    """How the arms were chosen, and the number of comparisons that were declared with it."""

    kind: str
    seeds: tuple[int, ...]
    match: str | None
    tolerance: float | None
    family: int | None


@dataclass(frozen=True)
class Table:
    """A run directory, read.

    Attributes:
        folder: Where it was read from.
        study: The resolved study.
        environment: How it was run.
        design: How the arms were chosen.
        factors: What was varied.
        baseline: The id of the reference arm.
        arms: One row an entry of the list of arms: label, status, match, twin, costs (macs, params, activations).
            Indexed by id; an entry that repeats another's id, as duplicates do, has its place in the list added to it,
            so that an id is always the arm that was run.
        levels: One row an arm, one column a factor column: its level as text. Indexed like ``arms``.
        trials: One row a trial; accuracies are fractions.
        epochs: One row a trial and epoch.
        finalists: Arms of the confirm phase, by id.
        winner: Its arm, seed and weights file, or None.
        test_openings: When the test split was opened (ISO 8601): never, once, or, after the choice changed, more often.
        passed_over: Proposals of a sampler that did not become arms, by what they were: rejected, duplicate.
    """

    folder: Path
    study: Mapping[str, Any]
    environment: Mapping[str, Any]
    design: Design
    factors: tuple[Factor, ...]
    baseline: str
    arms: pd.DataFrame
    levels: pd.DataFrame
    trials: pd.DataFrame
    epochs: pd.DataFrame
    finalists: tuple[str, ...]
    winner: Mapping[str, Any] | None
    test_openings: tuple[str, ...]
    passed_over: Mapping[str, int]

    def phase(self, name: str) -> pd.DataFrame:
        """Returns the trials of a phase, accuracies missing in those that did not complete."""
        trials = self.trials[self.trials["phase"] == name].copy()
        measured = list(ACCURACIES)
        trials[measured] = trials[measured].where(trials["status"] == "completed")
        return trials

    @property
    def main_phase(self) -> str:
        """The phase whose trials the page compares: a study of one arm has nothing to explore."""
        return "confirm" if self.design.kind == "train" else "explore"

    def entry(self, arm: str) -> dict[str, Any]:
        """Returns an arm's row of ``arms``."""
        return {str(column): value for column, value in self.arms.loc[arm].items()}

    @property
    def margin(self) -> float | None:
        """The study's equivalence margin, as a fraction of accuracy."""
        margin = self.study.get("margin")
        return None if margin is None else float(margin)


def read(folder: str | Path) -> Table:
    """Reads a run directory.

    Raises:
        RunError: If the folder is missing, lacks a file of a run directory, or one of them cannot be understood.
    """
    folder = Path(folder)
    _require_files(folder)
    arms = _read_json(folder / "arms.json")
    if arms.get("schema") != SCHEMA:
        raise RunError(f"{folder / 'arms.json'}: schema {arms.get('schema')!r}; this version reads schema {SCHEMA}")
    try:
        return _assemble(folder, arms)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{folder}: a field is missing or of the wrong type: {error}") from error


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder}: not a run directory: {', '.join(missing)} missing")


def _assemble(folder: Path, arms: Mapping[str, Any]) -> Table:
    design, selection = arms["design"], arms["selection"]
    factors = tuple(Factor(factor["name"], tuple(factor["columns"])) for factor in arms["factors"])
    names = _names(arms["arms"])
    listed = [_plainly_named(arm) for arm in arms["arms"]] if design["kind"] == "list" else arms["arms"]
    frame = _arm_frame(listed, names)
    if arms["baseline"] not in frame.index:
        raise RunError(f"{folder / 'arms.json'}: the baseline {arms['baseline']!r} is not among the arms")
    return Table(
        folder=folder,
        study=_read_yaml(folder / "study.yaml"),
        environment=_read_environment(folder / "environment.json"),
        design=_design(design),
        factors=factors,
        baseline=arms["baseline"],
        arms=frame,
        levels=_level_frame(listed, names, [column for factor in factors for column in factor.columns]),
        trials=_read_csv(folder / "results.csv", TRIAL_TEXT, TRIAL_NUMBERS),
        epochs=_read_csv(folder / "epochs.csv", EPOCH_TEXT, EPOCH_NUMBERS),
        finalists=tuple(selection["finalists"]),
        winner=selection["winner"],
        test_openings=_openings(selection),
        passed_over=design.get("proposals_passed_over", {}),
    )


def _design(design: Mapping[str, Any]) -> Design:
    family = design.get("family")
    return Design(design["kind"], tuple(design["seeds"]), design["match"], design["tolerance"], family)


def _openings(selection: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(selection.get("test_openings") or filter(None, [selection["test_opened"]]))


def _names(arms: list[dict[str, Any]]) -> pd.Index:
    """Names each entry by its id, and by its place too where another entry is the arm of that id."""
    owners: dict[str, int] = {}
    for place in sorted(range(len(arms)), key=lambda place: arms[place]["status"] != "run"):
        owners.setdefault(arms[place]["arm"], place)
    names = [
        arm["arm"] if owners[arm["arm"]] == place else f"{arm['arm']}, entry {place + 1}"
        for place, arm in enumerate(arms)
    ]
    return pd.Index(names, name="id")


def _plainly_named(arm: dict[str, Any]) -> dict[str, Any]:
    """Calls an arm of a list by its name alone: "variant=wide" is wide."""
    level = arm["levels"].get(VARIANT)
    long = f"{VARIANT}={level}"
    if level is None or not arm["label"].startswith(long):
        return arm
    return {**arm, "label": level + arm["label"].removeprefix(long)}


def _arm_frame(arms: list[dict[str, Any]], names: pd.Index) -> pd.DataFrame:
    columns = {name: [arm[name] for arm in arms] for name in ARM_TEXT}
    columns |= {name: [arm.get(name) for arm in arms] for name in ARM_NUMBERS}  # an infeasible arm has no channels,
    costs = [arm.get("cost") or {} for arm in arms]  # and no cost
    columns |= {name: [cost.get(name) for cost in costs] for name in COSTS}
    frame = pd.DataFrame(columns, index=names)
    numbers = [*COSTS, *ARM_NUMBERS]
    frame[numbers] = frame[numbers].astype(float)
    texts = ["match_of", "twin", "unmatched"]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def _level_frame(arms: list[dict[str, Any]], names: pd.Index, columns: list[str]) -> pd.DataFrame:
    levels = {column: [arm["levels"].get(column) for arm in arms] for column in columns}
    return pd.DataFrame(levels, index=names, dtype=object)


def _read_environment(path: Path) -> dict[str, Any]:
    """Reads the environment, and checks all that the page takes from it, so that nothing is missed half-way."""
    environment = _read_json(path)
    for field, kind in ENVIRONMENT.items():
        value: Any = environment
        for part in field.split("."):
            if not isinstance(value, dict) or part not in value:
                raise RunError(f"{path}: {field} is missing")
            value = value[part]
        if not isinstance(value, kind):
            raise RunError(f"{path}: {field} is of the wrong type: {value!r}")
    return environment


def _read_json(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
        data = json.loads(text)
        if b"\\ud" in text.lower():  # half a surrogate pair cannot be written again
            data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: expected an object")
    return data


def _read_yaml(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError, RecursionError) as error:
        raise RunError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: expected a mapping")
    return data


def _read_csv(path: Path, texts: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame:
    """Reads the fixed columns of a CSV file; the factors' levels are taken from arms.json, where they are exact."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (UnicodeError, csv.Error) as error:
        raise RunError(f"{path}: not a table of trials: {error}") from error
    missing = [column for column in (*texts, *numbers) if column not in header]
    if missing:
        raise RunError(f"{path}: the column {', '.join(missing)} is missing")
    try:
        frame = pd.read_csv(
            path,
            usecols=[*texts, *numbers],
            dtype={**dict.fromkeys(texts, "str"), **dict.fromkeys(numbers, "float64")},
            keep_default_na=False,
            na_values={column: ["", "nan"] for column in numbers},
        )
    except ValueError as error:
        raise RunError(f"{path}: not a table of trials: {error}") from error
    if "reason" in frame:
        # The exporter defuses what a spreadsheet would run as a formula; here it is text again.
        frame["reason"] = frame["reason"].str.replace(r"^'(?=[=+\-@])", "", regex=True)
    return frame
