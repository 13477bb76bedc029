"""A run directory as tidy tables. Everything that the page shows starts here."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import pandas as pd
from msgspec import structs

from reports.documents import Arms, Entry, read_arms
from reports.files import RunError as RunError
from reports.files import read_csv, read_environment, read_yaml

FILES = ("study.yaml", "arms.json", "results.csv", "epochs.csv", "environment.json")
TRIAL_TEXT = ("trial", "arm", "match", "phase", "status", "reason")
ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy")
EFFORTS = ("epochs_to_target", "train_seconds", "images_per_second", "peak_memory")
TRIAL_NUMBERS = ("seed", *ACCURACIES, *EFFORTS)
TRIAL_OPTIONAL = ("precision", "device")
EPOCH_TEXT = ("trial", "arm", "phase")
EPOCH_NUMBERS = ("seed", "epoch", "val_accuracy")
ARM_TEXT = ("arm", "label", "status", "reason", "match", "match_of", "twin", "unmatched", "tuned", "tuned_of")
ARM_NUMBERS = ("multiplier", "gap", "inner_channels", "out_channels")
COSTS = ("macs", "params", "activations")
LATENCIES = ("latency_1", "latency_64")  # milliseconds of a batch, where a study had them measured
SIZE, ENGINE = "megabytes", "engine"  # of the file that was timed, and what ran it
VARIANT = "variant"  # the factor column of a design that lists its arms
PHASES = ("tune", "explore", "random", "fidelity", "confirm")  # as a run goes through them


@dataclass(frozen=True)
class Factor:
    """A thing that the study varies; ``[each]`` factors have a column a stage, linked ones move as another does."""

    name: str
    columns: tuple[str, ...]
    same_as: str | None = None


@dataclass(frozen=True)
class Design:
    """How the arms were chosen, and the number of comparisons that were declared with it.

    Attributes:
        fraction: Of a factorial, which of its cells were run and which effects share them; None where all were.
        spaces: Of a population, the spaces that its arms were drawn from.
        cost_band: Of a population, the cost and the limits that all its arms keep.
        acceptance: Of a population, how many draws became arms.
        sampler: Of a search, its sampler's ``kind``, and ``why`` where it was chosen and not named.
        rungs, eta: Of a search, after which epochs one arm of how many goes on.
        racing: Of a search, the share of its budget for more seeds of arms that may be on the front.
        prescreen: Of a search, the ``proxy`` that chose among how many ``candidates``, and its ``scores`` by arm.
        known: Of a search, the earlier runs that its sampler knew, and how many ``arms`` of each.
    """

    kind: str
    seeds: tuple[int, ...]
    match: str | None
    tolerance: float | None
    family: int | None
    fraction: Mapping[str, Any] | None = None
    spaces: tuple[Mapping[str, Any], ...] = ()
    cost_band: Mapping[str, Any] | None = None
    acceptance: Mapping[str, Any] | None = None
    sampler: Mapping[str, str] | None = None
    rungs: tuple[int, ...] = ()
    eta: float | None = None
    racing: float | None = None
    known: tuple[Mapping[str, Any], ...] = ()
    prescreen: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """A run directory, read.

    Attributes:
        folder: Where it was read from.
        study: The resolved study.
        environment: How it was run.
        design: How the arms were chosen.
        factors: What was varied.
        baseline: The id of the reference arm.
        arms: One row an entry of the list of arms: label, status, match, twin, tuned, tuned_of, costs (macs, params,
            activations; latency_1, latency_64 and megabytes, with the engine that they are of, missing where they
            weren't measured). Indexed by id; an entry that repeats another's id, as duplicates do, has its place in the
            list added to it, so that an id is always the arm that was run.
        levels: One row an arm, one column a factor column: its level as text. Indexed like ``arms``.
        trials: One row a trial; accuracies are fractions.
        epochs: One row a trial and epoch.
        finalists: Arms of the confirm phase, by id.
        winner: Its arm, seed and weights file, or None.
        test_openings: When the test split was opened (ISO 8601): never, once, or, after the choice changed, more often.
        passed_over: Proposals of a sampler that did not become arms, by what they were: rejected, duplicate.
        documents: The entries of arms.json, by the id that ``arms`` gives them: spec, recipe, difference, blocks.
        derived: Configurations that exist only to be tuned or to check the fidelity, by id.
        tuning: How each arm found its own recipe, or None.
        fidelity: Arms that were trained short and full, or None.
        additions: What was added to the run after its results had been seen.
        ledger: Each opening of the test split: its time, the arms, the number of trials.
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
    documents: Mapping[str, Entry]
    derived: Mapping[str, Mapping[str, Any]]
    tuning: Mapping[str, Any] | None
    fidelity: Mapping[str, Any] | None
    additions: tuple[Mapping[str, Any], ...]
    ledger: tuple[Mapping[str, Any], ...]

    def phase(self, name: str) -> pd.DataFrame:
        """Returns the trials of a phase, accuracies missing in those that did not complete."""
        return _phase(self, name).copy()

    @property
    def main_phase(self) -> str:
        """The phase whose trials the page compares: a study of one arm has nothing to explore."""
        return "confirm" if self.design.kind == "train" else "explore"

    def entry(self, arm: str) -> dict[str, Any]:
        """Returns an arm's row of ``arms``."""
        return {str(column): value for column, value in self.arms.loc[arm].items()}

    @functools.cached_property
    def listed(self) -> pd.Index:
        """The arms that the design lists: neither equal-cost twins nor arms with a recipe that was found for them."""
        return self.arms.index[(self.arms["match"] == "none") & self.arms["tuned_of"].isna()]

    @functools.cached_property
    def cells(self) -> pd.Index:
        """Those of the listed arms that were run."""
        run: pd.Index = self.listed[self.arms.loc[self.listed, "status"] == "run"]
        return run

    @functools.cached_property
    def earlier(self) -> frozenset[str]:
        """Trials of an earlier plan: of finalists, or samples, that others took the place of since."""
        return frozenset(self.environment["planned"].get("earlier") or ())

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
    with ThreadPoolExecutor() as pool:  # pandas parses without the interpreter's lock, while arms.json is decoded
        trials = pool.submit(read_csv, folder / "results.csv", TRIAL_TEXT, TRIAL_NUMBERS, TRIAL_OPTIONAL)
        epochs = pool.submit(read_csv, folder / "epochs.csv", EPOCH_TEXT, EPOCH_NUMBERS)
        arms = read_arms(folder / "arms.json")
    try:
        return _assemble(folder, arms, trials.result(), epochs.result())
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{folder}: a field is missing or of the wrong type: {error}") from error


@functools.lru_cache(maxsize=8)  # almost every part of the page asks for one
def _phase(table: Table, name: str) -> pd.DataFrame:
    trials = table.trials[table.trials["phase"] == name].copy()
    measured = list(ACCURACIES)
    trials[measured] = trials[measured].where(trials["status"] == "completed")
    return trials


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder}: not a run directory: {', '.join(missing)} missing")


def _assemble(folder: Path, arms: Arms, trials: pd.DataFrame, epochs: pd.DataFrame) -> Table:
    design, selection = arms.design, arms.selection
    study = read_yaml(folder / "study.yaml")
    factors = tuple(_factor(factor, study) for factor in arms.factors)
    names = _names(arms.arms)
    listed = [_plainly_named(arm) for arm in arms.arms] if design["kind"] == "list" else arms.arms
    frame = _arm_frame(listed, names)
    if arms.baseline not in frame.index:
        raise RunError(f"{folder / 'arms.json'}: the baseline {arms.baseline!r} is not among the arms")
    return Table(
        folder=folder,
        study=study,
        environment=read_environment(folder / "environment.json"),
        design=_design(design),
        factors=factors,
        baseline=arms.baseline,
        arms=frame,
        levels=_level_frame(listed, names, [column for factor in factors for column in factor.columns]),
        trials=trials,
        epochs=epochs,
        finalists=tuple(selection["finalists"]),
        winner=selection["winner"],
        test_openings=_openings(selection),
        passed_over=design.get("proposals_passed_over", {}),
        documents=dict(zip(frame.index, listed, strict=True)),
        derived={entry["arm"]: entry for entry in arms.derived or ()},
        tuning=arms.tuning,
        fidelity=arms.fidelity,
        additions=tuple(arms.additions or ()),
        ledger=tuple(selection.get("ledger") or ()),
    )


def _factor(factor: Mapping[str, Any], study: Mapping[str, Any]) -> Factor:
    declared = (study.get("factors") or {}).get(factor["name"])
    same_as = declared.get("same_as") if isinstance(declared, dict) else None
    return Factor(factor["name"], tuple(factor["columns"]), same_as)


def _design(design: Mapping[str, Any]) -> Design:
    return Design(
        kind=design["kind"],
        seeds=tuple(design["seeds"]),
        match=design["match"],
        tolerance=design["tolerance"],
        family=design.get("family"),
        fraction=design.get("fraction"),
        spaces=tuple(design.get("spaces") or ()),
        cost_band=design.get("cost_band"),
        acceptance=design.get("acceptance"),
        sampler=design.get("sampler"),
        rungs=tuple(design.get("rungs") or ()),
        eta=design.get("eta"),
        racing=design.get("racing"),
        known=tuple(design.get("known") or ()),
        prescreen=design.get("prescreen"),
    )


def _openings(selection: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(selection.get("test_openings") or filter(None, [selection["test_opened"]]))


def _names(arms: list[Entry]) -> pd.Index:
    """Names each entry by its id, and by its place too where another entry is the arm of that id."""
    owners: dict[str, int] = {}
    for place in sorted(range(len(arms)), key=lambda place: arms[place].status != "run"):
        owners.setdefault(arms[place].arm, place)
    names = [arm.arm if owners[arm.arm] == place else f"{arm.arm}, entry {place + 1}" for place, arm in enumerate(arms)]
    return pd.Index(names, name="id", dtype=object)


def _plainly_named(arm: Entry) -> Entry:
    """Calls an arm of a list by its name alone: "variant=wide" is wide."""
    level = arm.levels.get(VARIANT)
    long = f"{VARIANT}={level}"
    if level is None or not arm.label.startswith(long):
        return arm
    return structs.replace(arm, label=level + arm.label.removeprefix(long))


def _arm_frame(arms: list[Entry], names: pd.Index) -> pd.DataFrame:
    costs = [arm.cost or {} for arm in arms]
    timed = [next(iter((arm.latency or {}).values()), None) for arm in arms]
    columns = {name: pd.Series(map(attrgetter(name), arms), names, dtype=object) for name in ARM_TEXT}
    columns |= {name: pd.Series(map(attrgetter(name), arms), names, dtype=float) for name in ARM_NUMBERS}
    columns |= {
        name: pd.Series([cost.get(name) for cost in costs], names, dtype=float) for name in (*COSTS, *LATENCIES)
    }
    columns[SIZE] = pd.Series([None if time is None else time.bytes / 1e6 for time in timed], names, dtype=float)
    columns[ENGINE] = pd.Series([None if time is None else time.engine for time in timed], names, dtype=object)
    return pd.DataFrame(columns)


def _level_frame(arms: list[Entry], names: pd.Index, columns: list[str]) -> pd.DataFrame:
    levels = {column: [arm.levels.get(column) for arm in arms] for column in columns}
    return pd.DataFrame(levels, index=names, dtype=object)
