"""What was chosen from how many, on which seeds, and when the test split was opened: facts for the trust panel."""

from __future__ import annotations

from reports.findings import Findings
from reports.numbers import count, moment, points, words
from reports.table import PHASES

Facts = list[tuple[str, str]]
KNOWN = {
    "split": "which images are held out for validation",
    "initialisation": "the initial values of the weights",
    "order": "the order of the training images",
    "augmentation": "how each training image is altered",
}


def seeds_used(findings: Findings) -> Facts:
    """Returns the seeds of each phase, what they vary, and what was added after results had been seen."""
    environment = findings.table.environment
    used = [f"{phase} {_span(environment['seeds'][phase])}" for phase in PHASES if environment["seeds"].get(phase)]
    varied = [KNOWN.get(str(word), str(word)) for word in environment["varied"]]
    facts = [
        ("Seeds", "; ".join(used) or "none"),
        ("What a seed varies", f"{words(varied)}. Arms that share a seed share all of it." if varied else "nothing"),
    ]
    added = [f"{each['what']} ({moment(each['time'])})" for each in findings.table.additions]
    looking = "; ".join(added) or "nothing: all was planned before the first result"
    return [*facts, ("Added after results had been seen", looking)]


def chosen(findings: Findings) -> Facts:
    """Returns how much selection alone makes of the best arm, and whether short runs may rank arms."""
    facts, found = [], findings.inflation
    if found is not None:
        noise = (
            "over seeds" if found.source == "seeds" else "of the validation split’s size alone; seeds were not repeated"
        )
        sd = points(found.sd)[1:]
        said = (
            f"The best of {count(found.arms, 'arm')}, {count(found.seeds, 'seed')} each, looks better than it is: by "
            f"{points(found.expected)[1:]} if all were equal (one trial scatters by {sd}, SD {noise})."
        )
        facts.append(
            ("Selection", said + " The winner’s own figures are from fresh seeds." * bool(len(findings.confirmed)))
        )
    if findings.fidelity is not None:
        short, full = findings.fidelity.epochs
        reason = findings.fidelity.agreement.reason
        facts.append((f"Ranking by {short} epochs for {full}", f"{reason[:1].upper()}{reason[1:]}."))
    return facts


def test_ledger(findings: Findings) -> Facts:
    """Returns each opening of the test split: when, for how many arms and trials, and why."""
    table = findings.table
    if not table.test_openings:
        return [("Test split", "sealed: no trial was ever judged on it")]
    if not table.ledger:
        times = words([moment(time) for time in table.test_openings])
        return [("Test split", f"opened {_often(len(table.test_openings))}: {times}")]
    said = []
    for entry in table.ledger:
        arms, trials = count(len(entry["arms"] or ()), "arm"), count(int(entry["trials"] or 0), "trial")
        why = f", {entry['why']}" if entry.get("why") else ""
        said.append(f"{moment(entry['time'])}, after the choice, for {arms} and {trials}{why}")
    return [("Test split", f"opened {_often(len(said))}: {'; '.join(said)}")]


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _span(seeds: list[int]) -> str:
    consecutive = len(seeds) > 3 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"{seeds[0]} to {seeds[-1]}" if consecutive else ", ".join(str(seed) for seed in seeds)
