"""The models that a session writes: the winner, and the best confirmed arm under each of the study's cost bands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from search.described import Scores, describe
from search.jobs import configuration_of, cut_of, weights_of
from search.outputs import latest
from search.run_directory import sha256_of, write_atomically

if TYPE_CHECKING:
    from search.session import Session


FILES = ("winner.safetensors", "winner.yaml")


def write_winner(session: Session, arm: str, seed: int) -> None:
    """Writes the winner's files, unless they are there and of this very trial; then lets go of weights that lost.

    ``winner.yaml`` is the network alone, ``winner.safetensors`` all that a model needs. Of every confirmed arm the
    weights of its best seed by validation are kept in ``weights/``.
    """
    trial = f"{arm}-s{seed}"
    directory, tested = session.directory, latest(session.record.entries, "tested")
    scores = [tested[f"{arm}-s{seed}"]["test_accuracy"] for seed in session.confirm_seeds]
    bands = session.plan.study.spec.confirm.best_under
    wanted: dict[str, Any] = {"trial": trial, "arm": arm, "scores": scores}
    wanted["best_under"] = bands.plain() if bands else None
    written = session.record.last("exported")
    same = all(written.get(name) == value for name, value in wanted.items())
    if same and all(sha256_of(directory / name) == sha256 for name, sha256 in written.get("sha256", {"": ""}).items()):
        return
    _write_model(session, arm, seed, directory / "winner.safetensors")
    write_atomically(directory / "winner.yaml", session.plan.arms[arm].configuration.network.to_yaml())
    files = [*FILES, *_write_bands(session)]
    kept = _prune(session)
    sha256 = {name: sha256_of(directory / name) for name in files}
    session.record.append("exported", **wanted, sha256=sha256, kept=kept)


def _write_bands(session: Session) -> list[str]:
    """Writes, under ``best_under/``, the confirmed arm with the best mean validation score under each limit.

    Returns:
        The names of the files.
    """
    bands = session.plan.study.spec.confirm.best_under
    if bands is None:
        return []
    folder = session.directory / "best_under"
    folder.mkdir(exist_ok=True)
    confirmed, written = _confirmed(session), []
    for limit in bands.limits:
        within = {arm: trials for arm, trials in confirmed.items() if not session.plan.arms[arm].outside}
        fitting = {arm: trials for arm, trials in within.items() if _cost(session, arm, bands.cost) <= limit}
        path = folder / f"{bands.cost}_{limit:.12g}.safetensors"
        if not fitting:
            path.unlink(missing_ok=True)
            session.warn(f"no confirmed arm has at most {limit:,.12g} {bands.cost}: there is no {path.name}")
            continue
        best = max(fitting, key=lambda arm: (_mean(fitting[arm]), -_cost(session, arm, "macs"), arm))
        _write_model(session, best, max(fitting[best], key=rank)["seed"], path)
        written.append(f"{folder.name}/{path.name}")
    return written


def rank(entry: Mapping[str, Any]) -> tuple[float, int]:
    """Returns by what the best seed of an arm is chosen: validation accuracy, then the smaller seed."""
    return entry["val_accuracy"], -entry["seed"]


def _mean(entries: list[dict[str, Any]]) -> float:
    return fmean(entry["val_accuracy"] for entry in entries)


def _cost(session: Session, arm: str, cost: str) -> float:
    return session.plan.arms[arm].value(cost)


def _write_model(session: Session, arm: str, seed: int, path: Path) -> None:
    """Writes the weights of a confirm trial with all that is known of its arm."""
    from blocks import save_model, weights_into

    plan, trial = session.plan, f"{arm}-s{seed}"
    configuration = configuration_of(plan, arm, "confirm")
    splits = session.shelf.splits(configuration["data"], cut_of(plan, seed))
    network = plan.arms[arm].configuration.network.build(seed=seed, limits=plan.limits)
    weights_into(network, weights_of(session.directory, trial).read_bytes())
    tested = latest(session.record.entries, "tested")
    finished = [session.finished[f"{arm}-s{other}"] for other in session.confirm_seeds]
    completed = [entry for entry in finished if entry["status"] == "completed"]
    scores = Scores(
        session.finished[trial]["val_accuracy"],
        [entry["val_accuracy"] for entry in completed],
        tested[trial]["test_accuracy"],
        [tested[entry["trial"]]["test_accuracy"] for entry in completed],
    )
    provenance = {
        "study": plan.study.spec.name,
        "arm": arm,
        "label": plan.arms[arm].label,
        "phase": "confirm",
        "seed": seed,
        "trial": trial,
        "cut": cut_of(plan, seed),
        "plugins": {plugin.name: plugin.sha256 for plugin in plan.study.plugins},
        "versions": session.record.last("session").get("environment", {}).get("versions", {}),
    }
    save_model(path, network, describe(configuration, splits, scores, provenance))


def _confirmed(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Returns the confirm trials of every arm all of whose seeds completed and whose weights are there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in session.finished.values():
        if entry["phase"] == "confirm" and entry["arm"] in session.plan.arms:
            found.setdefault(entry["arm"], []).append(entry)
    wanted = set(session.confirm_seeds)
    return {
        arm: entries
        for arm, entries in found.items()
        if {entry["seed"] for entry in entries if entry["status"] == "completed"} >= wanted
    }


def _prune(session: Session) -> list[str]:
    """Lets go of all weights but those of every confirmed arm's best seed by validation; returns the trials
    whose weights are kept."""
    confirmed = [entry for entry in session.finished.values() if entry["phase"] == "confirm"]
    best: dict[str, dict[str, Any]] = {}
    for entry in confirmed:
        if entry["status"] == "completed":
            best[entry["arm"]] = max(best.get(entry["arm"], entry), entry, key=rank)
    names = {entry["trial"] for entry in best.values()}
    for entry in confirmed:
        if entry["trial"] not in names:
            weights_of(session.directory, entry["trial"]).unlink(missing_ok=True)
    return sorted(names)
