"""The one rule by which channel counts are rounded."""

from __future__ import annotations

import math


def scaled(channels: int, factor: float) -> int:
    """Returns channels * factor, both above zero, to the nearest whole number (halves up), at least 1."""
    whole = int(factor)
    if whole == factor:
        return channels * whole
    return math.floor(channels * factor + 0.5) or 1
