"""The winner as files: ``winner.yaml``, the network alone, and ``winner.safetensors``, all that a model needs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from search.outputs import latest
from search.record import write_atomically

if TYPE_CHECKING:
    from search.session import Session


FILES = ("winner.safetensors", "winner.yaml")


def write_winner(session: Session, arm: str, seed: int) -> None:
    """Writes the winner's files, unless they are there and of this very trial; then lets go of weights that lost.

    Of every confirmed arm the weights of its best seed by validation are kept in ``weights/``.
    """
    trial = f"{arm}-s{seed}"
    directory, tested = session.directory, latest(session.record.entries, "tested")
    scores = [tested[f"{arm}-s{seed}"]["test_accuracy"] for seed in session.confirm_seeds]
    written = session.last("exported")
    if (
        written.get("trial") == trial
        and written.get("scores") == scores
        and all(sha256_of(directory / name) == sha256 for name, sha256 in written.get("sha256", {"": ""}).items())
    ):
        return
    from blocks import Metadata, save_model, weights_into

    plan = session.plan
    own = plan.arms[arm].configuration
    splits = session.shelf.splits(own.data.plain(), session.cut(seed))
    network = own.network.build(seed=seed, limits=plan.limits)
    weights_into(network, session.weights(trial).read_bytes())
    metrics: dict[str, Any] = {
        "val_accuracy": session.finished[trial]["val_accuracy"],
        "test_accuracy": tested[trial]["test_accuracy"],
        "test_accuracy_mean": fmean(scores),
        "test_accuracy_interval": interval(scores),
        "seeds": len(scores),
    }
    provenance = {
        "study": plan.study.spec.name,
        "arm": arm,
        "label": plan.arms[arm].label,
        "seed": seed,
        "trial": trial,
        "train": own.train.plain(),
        "data": own.data.content(),
        "data_checksum": splits.checksum,
        "plugins": {plugin.name: plugin.sha256 for plugin in plan.study.plugins},
    }
    metadata = Metadata(
        labels=splits.classes,
        input=own.input,
        mean=splits.mean,
        std=splits.std,
        metrics=metrics,
        provenance=provenance,
    )
    save_model(directory / "winner.safetensors", network, metadata)
    write_atomically(directory / "winner.yaml", own.network.to_yaml())
    kept = _prune(session)
    sha256 = {name: sha256_of(directory / name) for name in FILES}
    session.record.append("exported", trial=trial, arm=arm, scores=scores, sha256=sha256, kept=kept)


def sha256_of(path: Path) -> str:
    """Returns the hash of a file's bytes; nothing where there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def interval(values: list[float]) -> list[float] | None:
    """Returns the 95% t interval of a mean, or None for a single value."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / len(values) ** 0.5
    return [fmean(values) - half, fmean(values) + half]


def _prune(session: Session) -> list[str]:
    """Lets go of weights that lost; returns the trials whose weights are kept."""
    kept: dict[str, tuple[float, str]] = {}
    confirmed = [entry for entry in session.finished.values() if entry["phase"] == "confirm"]
    for entry in confirmed:
        if entry["status"] == "completed":
            best = kept.get(entry["arm"], (-1.0, ""))
            kept[entry["arm"]] = max(best, (entry["val_accuracy"], entry["trial"]), key=lambda pair: pair[0])
    names = {name for _, name in kept.values()}
    for entry in confirmed:
        if entry["trial"] not in names:
            session.weights(entry["trial"]).unlink(missing_ok=True)
    return sorted(names)
