"""Hypervolume of a front of cost and score, trial by trial."""

from __future__ import annotations

from bisect import bisect_left


def volumes(costs: list[float], scores: list[float], dearest: float, worst: float) -> list[float]:
    """Returns the area above the reference corner that the front dominates, after each trial.

    The front is kept as two sorted lists; a point that is on it replaces those that it beats.
    """
    front_costs: list[float] = []
    front_scores: list[float] = []
    volume, volumes = 0.0, []
    for cost, score in zip(costs, scores, strict=True):
        at = bisect_left(front_costs, cost)
        beaten = score != score or (at > 0 and front_scores[at - 1] >= score)
        beaten = beaten or (at < len(front_costs) and front_costs[at] == cost and front_scores[at] >= score)
        if not beaten:
            end = at
            while end < len(front_costs) and front_scores[end] <= score:
                end += 1
            front_costs[at:end], front_scores[at:end] = [cost], [score]
            volume = _volume(front_costs, front_scores, dearest, worst)
        volumes.append(volume)
    return volumes


def _volume(costs: list[float], scores: list[float], dearest: float, worst: float) -> float:
    ends = [*costs[1:], dearest]
    return sum((end - cost) * (score - worst) for cost, end, score in zip(costs, ends, scores, strict=True))
