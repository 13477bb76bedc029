"""Places short labels beside the points of a chart so that they cover neither each other nor the points."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 880.0, 360.0  # pixels of a typical plot area
CHARACTER, LINE, REACH = 7.0, 15.0, 8.0
EDGE = 28.0  # narrower plots bring points nearer to the edges, and labels not smaller
ABOVE = 8.0  # labels stand higher over large points
CUT = 100.0  # a pixel of a label beyond the edge, over one that is covered
MOST_COVERED = 0.15  # of a label, by other labels and by points
SIDES = {
    "middle right": (1, 0),
    "middle left": (-1, 0),
    "top right": (1, 1),
    "bottom right": (1, -1),
    "top left": (-1, 1),
    "bottom left": (-1, -1),
    "top center": (0, 1),
    "bottom center": (0, -1),
}
Box = tuple[float, float, float, float]


def place(
    costs: Sequence[float],
    scores: Sequence[float],
    tags: Sequence[str],
    log_range: Sequence[float],
    span: Sequence[float],
    wall: float,
) -> list[str | None]:
    """Returns plotly's ``textposition`` for each tag, greedily, in the order given; None where there is no room for it.

    Args:
        costs: Horizontal positions, on a logarithmic axis.
        scores: Vertical positions.
        tags: The labels; an empty one takes no room.
        log_range: The ends of the horizontal axis, as powers of ten.
        span: The ends of the vertical axis.
        wall: Where a vertical line crosses the plot.
    """
    points = [
        (
            (math.log10(cost) - log_range[0]) / (log_range[1] - log_range[0]) * WIDTH,
            (score - span[0]) / (span[1] - span[0]) * HEIGHT,
        )
        for cost, score in zip(costs, scores, strict=True)
    ]
    taken: list[Box] = [(x - REACH, y - REACH, x + REACH, y + REACH) for x, y in points]
    # A whisker through each point, and the step of the front that may leave it to the right.
    whiskers: list[Box] = [(x - 1, y - 30, x + 1, y + 30) for x, y in points]
    whiskers += [(x, y - 2, x + 60, y + 2) for x, y in points]
    middle = (math.log10(wall) - log_range[0]) / (log_range[1] - log_range[0]) * WIDTH
    whiskers.append((middle - 2, 0, middle + 2, HEIGHT))
    chosen: list[str | None] = []
    for (x, y), tag in zip(points, tags, strict=True):
        boxes = {side: _box(x, y, len(tag) * CHARACTER, *direction) for side, direction in SIDES.items()}
        best = min(boxes, key=lambda side: _cost(boxes[side], taken, whiskers))
        covered = sum(_overlap(boxes[best], other) for other in taken)
        room = covered <= MOST_COVERED * len(tag) * CHARACTER * LINE
        chosen.append(best if room else None)
        if tag and room:
            taken.append(boxes[best])
    return chosen


def _box(x: float, y: float, width: float, across: int, up: int) -> Box:
    left = x + REACH if across > 0 else x - REACH - width if across < 0 else x - width / 2
    bottom = y - LINE / 2 + up * (LINE / 2 + REACH * (0.4 if across else 1))
    return left, bottom, left + width, bottom + LINE


def _cost(box: Box, taken: list[Box], whiskers: list[Box]) -> float:
    outside = max(0, EDGE - box[0]) + max(0, box[2] - WIDTH + EDGE) + max(0, -box[1]) + max(0, box[3] - HEIGHT + ABOVE)
    covered = sum(_overlap(box, other) for other in taken) + 0.5 * sum(_overlap(box, other) for other in whiskers)
    return covered + CUT * outside


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return across * up if across > 0 and up > 0 else 0.0
