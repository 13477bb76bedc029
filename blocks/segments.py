"""How many blocks make a run that is checkpointed as one; without torch, so that memory is known beforehand."""

from __future__ import annotations

import math

KEPT_WITHIN = 6
"""About how many tensors of its input's size a block keeps for the backward pass: a basic block 6, a bottleneck 7."""


def segment_length(blocks: int) -> int:
    """Returns how many of so many blocks make a segment, so that the least is kept.

    With s blocks a segment, blocks / s inputs are kept all the time, and what s blocks keep within while one segment
    runs again: together the least at s = sqrt(blocks / kept within) (Chen et al. 2016, section 4.2, with a block's own
    size put in).
    """
    return max(1, round(math.sqrt(blocks / KEPT_WITHIN)))
