"""What is possible in the networks of a study, but hardly meant: a sentence for each, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable

from search.plan import Arm

NAMED = 3
"""Of many arms, so many are named."""


def doubts(arms: Iterable[Arm]) -> list[str]:
    """Returns what the networks of arms warn of, each sentence once, with the arms that it is about."""
    found: dict[str, dict[str, None]] = {}
    different = {arm.arm: arm for arm in arms}
    for arm in different.values():
        for warning in arm.configuration.network.warnings:
            found.setdefault(warning, {})[arm.label] = None
    return [f"{_whose(list(labels), len(different))}: {warning}" for warning, labels in found.items()]


def _whose(labels: list[str], count: int) -> str:
    if len(labels) == count and count > 1:
        return "all arms"
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more
