"""The one rule by which channel counts are rounded."""

from __future__ import annotations

import math

from blocks.errors import InfeasibleSpec

MAX_FACTOR = 1e300


def scaled(channels: int, factor: float) -> int:
    """Returns channels * factor, both above zero, to the nearest whole number (halves up), at least 1."""
    if not factor <= MAX_FACTOR:
        raise InfeasibleSpec(f"{factor:g} times as many channels are more than any network has")
    whole = int(factor)
    if whole == factor:
        return channels * whole
    return math.floor(channels * factor + 0.5) or 1


def show_large(number: int) -> str:
    """Writes a whole number of any size; Python itself refuses to write those of more than 4,300 digits."""
    return f"{number:,}" if number < 10**18 else f"about 10^{int(number.bit_length() * 0.30103)}"
