"""Numbers as people read them: sensible digits, a true minus sign, and a unit that cannot be torn off its number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

SPACE = "\u00a0"
NARROW = "\u202f"
MINUS = "−"
ABSENT = "–"
PREFIXES = ("", "k", "M", "G", "T", "P")


def percent(fraction: float, digits: int = 1) -> str:
    """Formats a fraction as a percentage: 0.9742 is 97.4%."""
    return ABSENT if math.isnan(fraction) else f"{fraction * 100:.{digits}f}%".replace("-", MINUS)


def percent_interval(low: float, high: float, digits: int = 1) -> str:
    """Formats an interval of fractions in percent, clipped to 0 to 100, without the sign: [96.8, 98.0]."""
    return _interval(clip(low) * 100, clip(high) * 100, digits)


def clip(fraction: float) -> float:
    """Returns the nearest fraction that an accuracy can be; a missing one stays missing."""
    return fraction if math.isnan(fraction) else min(max(fraction, 0.0), 1.0)


def points(difference: float) -> str:
    """Formats a difference of accuracies in percentage points: +0.31 pp."""
    return ABSENT if math.isnan(difference) else f"{_signed(difference * 100, 2)}{SPACE}pp"


def could_have_been(detectable: float) -> str:
    """Says what could have been detected: 1.42 pp could have been."""
    if not detectable <= 1:
        return "nothing could have been, at this noise"
    return f"{points(detectable)[1:]} could have been"


def points_interval(low: float, high: float) -> str:
    """Formats an interval of differences in percentage points, without the unit: [0.05, 0.57]."""
    return _interval(low * 100, high * 100, 2)


def change(ratio: float) -> str:
    """Formats a relative change: 0.48 is +48%, 0.021 is +2.1%, 3.2 is ×4.2."""
    if math.isnan(ratio):
        return ABSENT
    if abs(ratio) < 0.0005:
        return "±0%"
    if ratio >= 2:
        return f"×{1 + ratio:.3g}"
    digits = 0 if abs(ratio) >= 0.0995 else 1
    return f"{_signed(ratio * 100, digits)}%"


def quantity(value: float, unit: str = "") -> str:
    """Formats a count with three digits and an SI prefix: 4089184256 is 4.09 G."""
    if math.isnan(value):
        return ABSENT
    power = min(max(int(math.log10(max(abs(value), 1)) // 3), 0), len(PREFIXES) - 1)
    if abs(value) / 1000**power >= 999.5 and power < len(PREFIXES) - 1:
        power += 1
    size, prefix = abs(value) / 1000**power, PREFIXES[power]
    digits = 0 if not prefix and size == int(size) else max(0, 2 - int(math.log10(max(size, 1))))
    sign = MINUS if value < 0 else ""
    gap = SPACE if prefix or unit else ""
    return f"{sign}{size:.{digits}f}{gap}{prefix}{SPACE + unit if prefix and unit else unit}"


def milliseconds(value: float) -> str:
    """Formats milliseconds with three digits, without the unit: 0.204, 3.41, 128."""
    if math.isnan(value):
        return ABSENT
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 1e-3))))}f}"


def round_quantity(value: float, unit: str = "") -> str:
    """Formats a round number like :func:`quantity`, without zeros after the point: 60 k, 1.5 M."""
    return trimmed(quantity(value, unit))


def trimmed(text: str) -> str:
    """Returns a number in a text without zeros after its point: 1.50 M is 1.5 M."""
    return re.sub(r"(\.\d*?)0+(?=\D|$)", r"\1", text).replace(f".{SPACE}", SPACE)


def p_value(p: float) -> str:
    """Formats a p value: three digits after the point, and never zero."""
    if math.isnan(p):
        return ABSENT
    return "<.001" if p < 0.001 else "1" if p > 0.9995 else f"{p:.3f}"[1:]


def seconds(value: float) -> str:
    """Formats a duration: 0.42 s, 61 s, 12 min, 3.4 h."""
    if math.isnan(value):
        return ABSENT
    if value < 120:
        return f"{value:.3g}{SPACE}s" if value < 99.5 else f"{value:.0f}{SPACE}s"
    return f"{value / 60:.0f}{SPACE}min" if value < 5400 else f"{value / 3600:.1f}{SPACE}h"


def about(value: float) -> str:
    """Formats a duration that is guessed, with two digits at most: 9.9 s, 50 s, 12 min."""
    return ABSENT if math.isnan(value) else seconds(float(f"{value:.2g}"))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Formats a number of things: 1 seed, 5 seeds."""
    return f"{number:,}{SPACE}{noun if number == 1 else plural or noun + 's'}"


def unbroken(text: str) -> str:
    """Returns a text in which no line breaks at an arrow: "expansion 4 → 6"."""
    return text.replace(" → ", f"{SPACE}→{SPACE}")


def words(parts: list[str]) -> str:
    """Joins words as a sentence does: a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def moment(iso: str) -> str:
    """Formats a moment written in ISO 8601 as 2026-11-22 05:00 UTC; the clock's zone is kept as it was written."""
    day, _, clock = iso.partition("T")
    zone = "UTC" if clock.endswith(("Z", "+00:00")) else clock[8:].lstrip("0123456789.")
    return f"{day} {clock[:5]} {zone}".strip()


def moments(times: Sequence[str]) -> str:
    """Formats moments as a list in a sentence."""
    return words([moment(time) for time in times])


def _signed(value: float, digits: int) -> str:
    rounded = f"{abs(value):.{digits}f}"
    sign = "±" if float(rounded) == 0 else "+" if value > 0 else MINUS
    return sign + rounded


def _interval(low: float, high: float, digits: int) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{low:.{digits}f}, {high:.{digits}f}]".replace("-", MINUS)
