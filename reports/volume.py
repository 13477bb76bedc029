"""Hypervolume of a front of cost and score, trial by trial."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable

Point = tuple[float, float]
"""A cost and a score."""


def courses(trials: Iterable[tuple[str, float, float]], dearest: float, worst: float) -> list[Point]:
    """Returns, after each trial, the area above the reference corner that the front dominates, and the best score.

    An arm counts with the mean of its scores so far: the best of several seeds would be their luck. So both may fall.

    Args:
        trials: Arm, cost and score of each, in the order in which they ended; the score is nan of one that has none.
        dearest: The corner's cost, which no scored arm exceeds.
        worst: The corner's score, which no arm's mean falls below.

    Returns:
        One pair a trial. Before the first score the area is 0 and the best score nan.
    """
    scores: dict[str, list[float]] = {}
    means: dict[str, Point] = {}
    front: list[Point] = []  # cheapest first, each better than those before
    course, now = [], (0.0, math.nan)
    for arm, cost, score in trials:
        if score == score:
            own = scores.setdefault(arm, [])
            own.append(score)
            before, means[arm] = means.get(arm), (cost, math.fsum(own) / len(own))
            if before is not None and before in front:  # what it beat may be on the front again
                front = []
                for point in sorted(means.values()):
                    _insert(front, point)
            elif not _insert(front, means[arm]):  # as are most of thousands
                course.append(now)
                continue
            now = _volume(front, dearest, worst), front[-1][1]
        course.append(now)
    return course


def _insert(front: list[Point], point: Point) -> bool:
    """Puts a point on the front in place of those that it beats, and returns True, unless one there is as good."""
    at = bisect_left(front, point)
    if at > 0 and front[at - 1][1] >= point[1]:
        return False
    if at < len(front) and front[at][0] == point[0]:  # of the same cost, and no worse
        return False
    end = at
    while end < len(front) and front[end][1] <= point[1]:
        end += 1
    if at > 0 and front[at - 1][0] == point[0]:  # of the same cost, and worse
        at -= 1
    front[at:end] = [point]
    return True


def _volume(front: list[Point], dearest: float, worst: float) -> float:
    ends = [*(cost for cost, _ in front[1:]), dearest]
    return sum((end - cost) * (score - worst) for (cost, score), end in zip(front, ends, strict=True))
