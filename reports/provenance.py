"""How the run was made: facts for the trust panel, enough to make it again."""

from __future__ import annotations

from reports.findings import Findings
from reports.numbers import count, seconds, words


def provenance(findings: Findings) -> list[tuple[str, str]]:
    """Returns command, data, hardware, engine, time, commit, versions and design."""
    environment = findings.table.environment
    data, hardware = environment["data"], environment["hardware"]
    gpus = words([str(gpu) for gpu in hardware["gpus"]]) or "no GPU"
    workers = count(environment["workers"], "worker")
    split = f"{data['train']:,} to train, {data['validation']:,} to validate, {data['test']:,} to test"
    facts = [
        ("Command", environment["command"]),
        ("Data", f"{data['kind']}: {split}"),
        ("Classes", str(len(data["classes"]))),
        ("Data checksum", data["checksum"]),
        ("Hardware", f"{hardware['cpu']}; {count(hardware['cores'], 'core')}; {hardware['memory_gib']} GiB; {gpus}"),
        ("Engine", f"{environment['engine']}, {workers} of {count(environment['threads'], 'thread')}"),
        *_computed(findings),
        (
            "Wall time",
            f"{seconds(float(environment['wall_seconds']))} in {count(len(environment['sessions']), 'session')}",
        ),
        ("Commit", environment["commit"] or "none: not a git checkout"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in environment["versions"].items())),
        ("Design", f"{findings.table.design.kind.replace('_', ' ')}; baseline arm {findings.table.baseline}"),
    ]
    return [(name, str(value)) for name, value in facts]


def _computed(findings: Findings) -> list[tuple[str, str]]:
    """Returns the precision and the devices of the trials, where the run tells them."""
    trials = findings.table.trials
    told = {name: sorted(set(trials[name]) - {""}) for name in ("precision", "device")}
    if not any(told.values()):
        return []
    return [("Computed", " on ".join(words(values) for values in told.values() if values))]
