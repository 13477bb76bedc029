"""The test split: opened once the winner is on record, to report and never to choose; then what each block is worth."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from search.arms import Trial
from search.diagnosis import lesion_trials
from search.dispatch import finite
from search.outputs import latest
from search.select import confirmed_arms, scores, winner
from search.winner import write_winner

if TYPE_CHECKING:
    from search.session import Session


def open_test(session: Session, chosen: list[str], trials: list[Trial]) -> None:
    """Names the winner by validation, writes that down, and only then opens the test split, to report.

    Args:
        chosen: The finalists.
        trials: The confirm phase's.
    """
    plan, record, finished, seeds = session.plan, session.record, session.finished, session.confirm_seeds
    confirmed = scores(plan, finished, "confirm", seeds) if seeds else {}
    candidates = confirmed_arms(plan, chosen)
    best = winner(plan, {arm: score for arm, score in confirmed.items() if arm in candidates})
    if best is None:
        said = "no arm completed the confirm phase, so there is no winner and the test split stays sealed"
        session.talk.warn(said)
        return
    seed = max(seeds, key=lambda seed: (finished[f"{best}-s{seed}"]["val_accuracy"], -seed))
    last = record.last("winner")
    if (last.get("arm"), last.get("seed")) != (best, seed):
        record.append("winner", arm=best, seed=seed, val_accuracy=confirmed[best])
    tested = latest(record.entries, "tested")
    completed = [trial for trial in trials if finished.get(trial.name, {}).get("status") == "completed"]
    missing = [trial for trial in completed if trial.name not in tested]
    if missing:
        why = _why_open(session, best)
        arms = sorted({trial.arm for trial in missing})
        record.append("test_opened", time=now(), arms=arms, trials=len(missing), winner=best, why=why)
        _test(session, missing)
    write_winner(session, best, seed)


def measure_lesions(session: Session, trials: list[Trial]) -> None:
    """Finds out, once, what each residual block of the finalists is worth: of the best seed of each."""
    done = latest(session.record.entries, "lesion")
    missing = [trial for trial in lesion_trials(trials, session.finished) if trial.name not in done]
    for trial, reply in session.dispatch.answers(missing, "lesion"):
        if reply["status"] == "failed":
            session.talk.warn(f"{trial.name} without single blocks could not be measured: {reply['reason']}")
        else:
            measured = {name: reply[name] for name in ("images", "accuracy", "blocks")}
            session.record.append("lesion", trial=trial.name, **measured)


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _why_open(session: Session, best: str) -> str:
    """Returns why the test split is opened now, in words; warns where it was open before."""
    before, label = session.record.last("test_opened"), session.plan.label(best)
    if not before:
        return f"the winner was chosen: {label}"
    changed = before.get("winner") != best
    why = f"the choice {'changed' if changed else 'stayed, with more trials behind it'}: {label}"
    first = next(entry["time"] for entry in session.record.entries if entry["event"] == "test_opened")
    session.warn(f"the test split, first opened {first}, is opened again: {why}")
    return why


def _test(session: Session, trials: list[Trial]) -> None:
    session.talk.note(f"test split: opened to report on {len(trials)} confirmed trials")
    for trial, reply in session.dispatch.answers(trials, "test"):
        if reply["status"] == "failed":
            raise RuntimeError(f"{trial.name} could not be tested: {reply['reason']}\n{reply.get('traceback', '')}")
        told = finite({key: value for key, value in reply.items() if key != "status"})
        session.record.append("tested", trial=trial.name, **told)
