"""The books and the trust panel: trials, arms and seeds, counted in the files."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.reports.evidence import Run
from tests.reports.sentences.matching import Found, Source, Values, phrase


def _ended(run: Run, words: str) -> Values:
    """The trials of each status that the words name, in their order."""
    named = re.findall("completed|stopped|diverged|failed|running", words)
    trials = run.trials[~run.trials["trial"].isin(_earlier(run))]
    return [int((trials["status"] == name).sum()) for name in named]


def _planned(run: Run) -> int:
    return int(run.record["environment"]["planned"]["trials"])


@phrase("trust", r"# trials? planned [=≠] .+")
def trial_sum(run: Run, found: Found) -> Values:
    left = [_planned(run) - len(run.trials) + len(_earlier(run))] if "not run yet" in found.words else []
    return [_planned(run), *_ended(run, found.words), *left]


@phrase("trust", r"Beside them # trials? of an earlier plan")
def beside(run: Run, found: Found) -> Values:
    return [len(_earlier(run))]


def _earlier(run: Run) -> list[str]:
    return list(run.record["environment"]["planned"].get("earlier", []))


@phrase("trust", r"# arms? = # run \+ # rejected \+ # duplicate")
def arm_sum(run: Run, found: Found) -> Values:
    passed = run.arms["design"].get("proposals_passed_over") or {}
    states = [entry["status"] for entry in run.arms["arms"]]
    parts = [states.count(name) + passed.get(name, 0) for name in ("run", "rejected", "duplicate")]
    return [sum(parts), *parts]


@phrase("trust", r"# arms? could not be matched")
def unmatched(run: Run, found: Found) -> Values:
    return [sum(entry["unmatched"] is not None for entry in run.arms["arms"])]


@phrase("answer", r"Unfinished: # of # planned trials have ended")
def so_far(run: Run, found: Found) -> Values:
    return [int((run.trials["status"] != "running").sum()), _planned(run)]


@phrase("answer", r"no answer: # trials planned", r"no answer: (?:# (?:failed|diverged|stopped)[, and]*)+ of # trials?")
def no_answer(run: Run, found: Found) -> Values:
    return [*_ended(run, found.words), _planned(run)]


@phrase("answer", r"without a result: (?:# (?:failed|diverged)[and ]*)+")
def mishaps(run: Run, found: Found) -> Values:
    return _ended(run, found.words)


@phrase("answer", r"The run left # warnings?")
def warnings(run: Run, found: Found) -> Values:
    return [len(run.record["environment"]["warnings"])]


def fact(name: str, *words: str) -> Callable[[Source], Source]:
    """Registers the source of the numbers of one fact of the panel."""

    def register(source: Source) -> Source:
        def own(run: Run, found: Found) -> Values:
            assert found.said.subject == name, (found.said, name)
            return source(run, found)

        phrase("trust", *words)(own)
        return source

    return register


@fact("Seeds", r"(?:explore|confirm|tune|fidelity|random) #(?:, #)*(?: to #)?")
def seeds(run: Run, found: Found) -> Values:
    used = run.record["environment"]["seeds"][found.words.split()[0]]
    if " to " not in found.words:
        return list(used)
    assert used == list(range(used[0], used[-1] + 1))
    return [used[0], used[-1]]


@fact("Test split", r"for # arms? and # trials?")
def opened_for(run: Run, found: Found) -> Values:
    ledger = run.record["selection"]["ledger"]
    return [{len(entry["arms"]) for entry in ledger}, {entry["trials"] for entry in ledger}]


@fact("Test split", r"opened # times")
def opened(run: Run, found: Found) -> Values:
    return [len(run.record["selection"]["ledger"])]


@fact("Data", r"# to train, # to validate, # to test")
def split(run: Run, found: Found) -> Values:
    return [run.record["environment"]["data"][name] for name in ("train", "validation", "test")]


@fact("Classes", r"^#$")
def classes(run: Run, found: Found) -> Values:
    return [len(run.record["environment"]["data"]["classes"])]


@fact("Hardware", r"# cores?; # GiB")
def hardware(run: Run, found: Found) -> Values:
    own = run.record["environment"]["hardware"]
    return [own["cores"], own["memory_gib"]]


@fact("Engine", r"# workers? of # threads?")
def engine(run: Run, found: Found) -> Values:
    return [run.record["environment"]["workers"], run.record["environment"]["threads"]]


@fact("Wall time", r"^# in # sessions?")
def wall_time(run: Run, found: Found) -> Values:
    return [run.record["environment"]["wall_seconds"], len(run.record["environment"]["sessions"])]
