"""Any arm of a run as a model: from the weights that the run kept, or trained again where it kept none.

A run keeps the weights of the best confirm seed of every arm that was confirmed. Of an arm that was only explored, its
best seed can be trained again: on the same machine and versions that gives the same bits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blocks import NetworkSpec
from blocks.base import did_you_mean, there_are
from blocks.limits import LIMITS, Limits
from blocks.plugins import Plugin, load_plugins
from blocks.source import InputError
from search.constraints import LimitsSpec
from search.data.prepare import prepare
from search.data.spec import DATASETS
from search.described import Scores, describe
from search.outputs import latest
from search.record import read
from search.trial import VARIED, Job, run
from search.winner import rank

if TYPE_CHECKING:
    from blocks import Metadata, Network

Plain = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What a run directory says of its arms and trials.

    Attributes:
        arms: The rows of arms.json, by their identity.
        study: The study of the last session, resolved.
        finished, tested: The last entry of every trial, by its name.
        plugins: The run's own copies, loaded.
    """

    directory: Path
    arms: dict[str, Plain]
    study: Plain
    versions: Plain
    finished: dict[str, Plain]
    tested: dict[str, Plain]
    plugins: tuple[Plugin, ...]

    @property
    def limits(self) -> Limits:
        """What this study never builds."""
        return LimitsSpec.model_validate(self.study.get("limits", {})).whole() if self.study else LIMITS

    def arm(self, name: str) -> Plain:
        """Returns an arm by its identity, or by its label if only one has it. Raises ``InputError``."""
        labelled = [row for row in self.arms.values() if row["label"] == name and row["status"] == "run"]
        if name in self.arms or len(labelled) == 1:
            return self.arms.get(name) or labelled[0]
        known = [row["arm"] for row in self.arms.values()] + [row["label"] for row in self.arms.values()]
        some = [f"{row['arm']} ({row['label']})" for row in list(self.arms.values())[:8]]
        more = ", ..." if len(self.arms) > len(some) else ""
        raise InputError(
            f"{self.directory}: there is no arm '{name}': {there_are(some)}{more}{did_you_mean(name, known)}"
        )


def read_run(directory: Path) -> Run:
    """Reads a run directory; its plugins are loaded.

    Raises:
        InputError: If it is no run directory.
        RunDirectoryError: If its record is damaged.
    """
    if not (directory / "trials.jsonl").is_file() or not (directory / "arms.json").is_file():
        raise InputError(
            f"{directory}: no run directory: there are no trials.jsonl and arms.json; search.run makes one"
        )
    entries, _, _ = read(directory / "trials.jsonl")
    session: Plain = next((entry for entry in reversed(entries) if entry["event"] == "session"), {})
    names = session.get("environment", {}).get("plugins", {})
    return Run(
        directory,
        {row["arm"]: row for row in json.loads((directory / "arms.json").read_text(encoding="utf-8"))["arms"]},
        session.get("study", {}),
        session.get("environment", {}).get("versions", {}),
        latest(entries, "finished"),
        latest(entries, "tested"),
        load_plugins(directory / "plugins" / name for name in names),
    )


def model_of(run: Run, name: str, *, retrain: bool = False) -> tuple[Network, Metadata, list[str]]:
    """Returns an arm's network with its weights, its metadata, and what is to be said of them.

    Args:
        name: The arm's identity or label.
        retrain: Whether an arm without weights is trained again.

    Raises:
        InputError: If there is no such arm, or nothing of it to be had.
        DataError: If its data are not there any more.
    """
    arm = run.arm(name)
    entry, phase = _best(run, arm["arm"], "confirm"), "confirm"
    path = run.directory / "weights" / f"{entry['trial']}.safetensors" if entry else None
    notes: list[str] = []
    if entry is not None and path is not None and path.is_file():
        weights = path.read_bytes()
    else:
        entry, phase = _best(run, arm["arm"], "explore"), "explore"
        if entry is None:
            raise InputError(f"{run.directory}: no trial of {arm['arm']} ({arm['label']}) was completed")
        if not retrain:
            raise InputError(
                f"{run.directory}: {arm['arm']} ({arm['label']}) was explored and not confirmed, so its weights "
                f"weren't kept: --retrain trains its best seed, {entry['seed']}, again"
            )
        weights, note = _retrained(run, arm, entry)
        notes.append(note)
    network, metadata = _described(run, arm, entry, phase, weights)
    return network, metadata, notes


def _best(run: Run, arm: str, phase: str) -> Plain | None:
    """Returns the completed trial of a phase with the best validation score."""
    found = [
        entry
        for entry in run.finished.values()
        if (entry["arm"], entry["phase"], entry["status"]) == (arm, phase, "completed")
    ]
    return max(found, key=rank, default=None)


def _configuration(run: Run, arm: Plain, phase: str) -> Plain:
    plain = {key: arm[key] for key in ("network", "train", "data")}
    epochs = run.study.get("confirm", {}).get("epochs")
    if phase == "confirm" and epochs is not None:
        plain["train"] = {**plain["train"], "epochs": epochs}
    return plain


def _cut(run: Run, seed: int) -> int | None:
    return seed if "split" in run.study.get("design", {}).get("vary", ()) else None


def _job(run: Run, arm: Plain, entry: Plain) -> Job:
    return Job(
        entry["trial"],
        "train",
        _configuration(run, arm, entry["phase"]),
        entry["seed"],
        tuple(run.study.get("design", {}).get("vary", VARIED)),
        keep_weights=True,
        plugins=run.plugins,
        limits=run.limits,
    )


def _retrained(run_: Run, arm: Plain, entry: Plain) -> tuple[bytes, str]:
    """Trains a trial again; returns its weights, and whether it came out as recorded. Raises ``InputError``."""
    job = _job(run_, arm, entry)
    reply = run(job, prepare(DATASETS.parse(job.configuration["data"]), job.cut), "auto")
    if reply["status"] != "completed":
        raise InputError(f"{run_.directory}: {entry['trial']} didn't come to its end again: {reply['reason']}")
    found, recorded = reply["epochs"][-1]["val_accuracy"], entry["val_accuracy"]
    entry["val_accuracy"] = found
    same = "as recorded" if found == recorded else f"and not the recorded {recorded:.2%}: other versions or hardware"
    return reply["weights"], f"trained {entry['trial']} again: validation accuracy {found:.2%}, {same}"


def _described(run: Run, arm: Plain, entry: Plain, phase: str, weights: bytes) -> tuple[Network, Metadata]:
    from blocks import weights_into

    configuration = _configuration(run, arm, phase)
    network = NetworkSpec.model_validate(arm["network"]).build(seed=0, limits=run.limits)
    weights_into(network, weights)
    alike = [other for other in run.finished.values() if (other["arm"], other["phase"]) == (arm["arm"], phase)]
    completed = [other for other in alike if other["status"] == "completed"]
    tests = [run.tested[other["trial"]]["test_accuracy"] for other in completed if other["trial"] in run.tested]
    test = run.tested.get(entry["trial"], {}).get("test_accuracy")
    scores = Scores(entry["val_accuracy"], [other["val_accuracy"] for other in completed], test, tests)
    provenance = {
        "study": run.study.get("name", run.directory.name),
        "arm": arm["arm"],
        "label": arm["label"],
        "phase": phase,
        "seed": entry["seed"],
        "trial": entry["trial"],
        "cut": _cut(run, entry["seed"]),
        "plugins": {plugin.name: plugin.sha256 for plugin in run.plugins},
        "versions": run.versions,
    }
    splits = prepare(DATASETS.parse(configuration["data"]), _cut(run, entry["seed"]))
    return network, describe(configuration, splits, scores, provenance)
