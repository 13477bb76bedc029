"""The books: trials by phase and status, arms by what became of them, every mishap."""

from __future__ import annotations

from tests.reports.evidence import Run

LOST = ("stopped", "diverged", "failed")


def check(run: Run) -> None:
    table = run.record["counts"]["trials"]
    earlier = run.record["environment"]["planned"].get("earlier", [])
    trials = run.trials[~run.trials["trial"].isin(earlier)]
    assert table["earlier"] == len(run.trials) - len(trials)
    for phase, row in table["by_phase"].items():
        own = trials[trials["phase"] == phase]
        for status, number in row.items():
            assert number == (own["status"] == status).sum(), (phase, status)
            run.seen.add((f"counts.trials.by_phase.{phase}", status))
    for status, number in table["all"].items():
        assert number == (trials["status"] == status).sum()
        run.seen.add(("counts.trials.all", status))
    assert sum(table["all"].values()) == len(trials)
    planned = run.record["environment"]["planned"]
    assert table["planned"] == planned["trials"]
    assert table["planned_by_phase"] == planned.get("by_phase", {})
    assert table["not_run"] == planned["trials"] - len(trials)
    run.seen |= {("counts.trials", name) for name in ("planned", "not_run", "earlier")}
    run.seen |= {("counts.trials.planned_by_phase", phase) for phase in table["planned_by_phase"]}
    _arms(run)
    _reasons(run)


def _arms(run: Run) -> None:
    found = run.record["counts"]["arms"]
    passed = run.arms["design"].get("proposals_passed_over", {})
    states = [entry["status"] for entry in run.arms["arms"]]
    for status in ("run", "rejected", "duplicate"):
        assert found[status] == states.count(status) + passed.get(status, 0)
    assert found["listed"] == len(states) + sum(passed.values())
    assert found["unmatched"] == sum(entry["unmatched"] is not None for entry in run.arms["arms"])
    run.seen |= {("counts.arms", name) for name in found}


def _reasons(run: Run) -> None:
    passed = run.arms["design"].get("proposals_passed_over", {})
    expected: dict[tuple[str, str], int] = {(status, ""): number for status, number in passed.items() if number}
    told = [(entry["status"], entry["reason"]) for entry in run.arms["arms"] if entry["status"] != "run"]
    told += [("unmatched", entry["unmatched"]) for entry in run.arms["arms"] if entry["unmatched"] is not None]
    lost = run.trials[run.trials["status"].isin(LOST)]
    told += [
        _lost(run, str(status), str(reason)) for status, reason in zip(lost["status"], lost["reason"], strict=True)
    ]
    for key in told:
        expected[key] = expected.get(key, 0) + 1
    found: dict[tuple[str, str], int] = {}
    for row in run.rows("counts", "reasons"):
        key = row["what"], "" if row["subject"] == "proposals of the sampler" else row["reason"]
        found[key] = found.get(key, 0) + row["count"]
    assert found == expected
    run.seen.add(("counts.reasons", "count"))


def _lost(run: Run, status: str, reason: str) -> tuple[str, str]:
    """Stops at a rung are told by the rung alone."""
    rungs = run.arms["design"].get("rungs") or ()
    return status, next((f"{at}, as planned" for rung in rungs if _at(reason, at := f"after epoch {rung}")), reason)


def _at(reason: str, start: str) -> bool:
    return reason.startswith(start) and not reason[len(start) :][:1].isdigit()
