"""A sentence about a trial."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What matters of a trial.

    Attributes:
        kind: What it is about, for counting: ``dead_units``, say.
        text: The sentence, without a full stop.
        value: The number that made it matter.
    """

    kind: str
    text: str
    value: float


def figure(number: float) -> str:
    """Writes a number to two digits; large ones to three, without a power of ten."""
    if abs(number) >= 1e7 or 0 < abs(number) < 1e-3:
        return f"{number:.1e}"
    return f"{float(f'{number:.3g}'):,.0f}" if abs(number) >= 100 else f"{number:.2g}"
