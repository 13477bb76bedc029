"""Equal cost: one width multiplier that brings a network to a cost, and a repair of what rounding leaves.

Only the stages' widths are scaled; the stem keeps its own, as in Wide ResNets. A shared multiplier leaves a gap of a
few per cent on narrow networks; moving single stages by one step closes most of it, and is allowed as long as no
ratio between two stages moves by more than 10%.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from blocks import InfeasibleSpec, NetworkSpec
from search.designs.base import MatchSpec

MAX_RATIO_MOVE = 0.10
MAX_MULTIPLIER = 1024.0

Input = tuple[int, int, int]
Widths = tuple[int, ...]


@dataclass(frozen=True)
class Matched:
    """A network at (nearly) the wanted cost.

    Attributes:
        multiplier: Mean ratio of its stage widths to the ones it was made from.
        gap: Relative difference between its cost and the wanted one.
    """

    network: NetworkSpec
    multiplier: float
    gap: float


class Unmatched(ValueError):
    """No network of these proportions has the wanted cost; the message says how near it comes."""


def matched_cost(network: NetworkSpec, input: Input, cost: str) -> int:
    """Returns the cost that a match holds equal: MACs, parameters, activations, or the last stage's channels."""
    return network.out_channels if cost == "out_channels" else int(getattr(network.cost(input), cost))


def match(network: NetworkSpec, input: Input, target: int, spec: MatchSpec) -> Matched:
    """Returns the network of these stage proportions whose cost is nearest to ``target``.

    Raises:
        Unmatched: If none comes within the tolerance.
    """
    widths = tuple(stage.width for stage in network.stages)
    multiplier = _bisect(network, input, target, spec, widths)
    best: tuple[float, float, Widths] | None = None
    for candidate in _candidates(widths, multiplier, spec.multiple_of):
        drift = _ratio_move(widths, candidate)
        if drift > MAX_RATIO_MOVE + 1e-9:
            continue
        cost = _cost(network, candidate, input, spec.cost)
        if cost is not None and (best is None or (abs(cost / target - 1), drift) < best[:2]):
            best = (abs(cost / target - 1), drift, candidate)
    if best is None:
        raise Unmatched(f"no widths that are multiples of {spec.multiple_of} keep the stages' ratios within 10%")
    found = best[2]
    result = _with_widths(network, found)
    gap = matched_cost(result, input, spec.cost) / target - 1
    if abs(gap) > spec.tolerance:
        raise Unmatched(
            f"the nearest widths ({', '.join(map(str, found))}) leave a gap of {gap:+.1%} in {spec.cost}, "
            f"over the tolerance of {spec.tolerance:.1%}"
        )
    return Matched(result, sum(new / old for new, old in zip(found, widths, strict=True)) / len(widths), gap)


def _bisect(network: NetworkSpec, input: Input, target: int, spec: MatchSpec, widths: Widths) -> float:
    """Finds the multiplier whose rounded widths cost about the target; cost grows with width."""

    def above(multiplier: float) -> bool:
        cost = _cost(network, _scaled(widths, multiplier, spec.multiple_of), input, spec.cost)
        return cost is not None and cost > target

    low, high = 1.0, 1.0
    while above(low) and low > 1 / MAX_MULTIPLIER:
        low /= 2
    while not above(high) and high < MAX_MULTIPLIER:
        high *= 2
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if above(middle) else (middle, high)
    return low


def _candidates(widths: Widths, multiplier: float, multiple_of: int) -> Iterator[Widths]:
    """Yields the rounded widths near a multiplier, then each of them with single stages moved by one step."""
    rounded = {_scaled(widths, multiplier * 1.01**step, multiple_of) for step in range(-12, 13)}
    seen = set(rounded)
    yield from sorted(rounded)
    # All combinations for usual numbers of stages; stage by stage beyond, where 3^stages would take too long.
    moves = list(itertools.product((-1, 0, 1), repeat=len(widths))) if len(widths) <= 5 else _single_moves(len(widths))
    for start in sorted(rounded):
        for move in moves:
            moved = tuple(width + step * multiple_of for width, step in zip(start, move, strict=True))
            if moved not in seen and min(moved) >= multiple_of:
                seen.add(moved)
                yield moved


def _single_moves(stages: int) -> list[tuple[int, ...]]:
    return [
        tuple(step if index == moved else 0 for index in range(stages)) for moved in range(stages) for step in (-1, 1)
    ]


def _scaled(widths: Widths, multiplier: float, multiple_of: int) -> Widths:
    return tuple(max(1, int(width * multiplier / multiple_of + 0.5)) * multiple_of for width in widths)


def _ratio_move(before: Widths, after: Widths) -> float:
    """Returns the largest relative change of any ratio between two stages' widths."""
    scales = [new / old for new, old in zip(after, before, strict=True)]
    return max(scales) / min(scales) - 1


def _with_widths(network: NetworkSpec, widths: Widths) -> NetworkSpec:
    plain = network.plain()
    for stage, width in zip(plain["stages"], widths, strict=True):
        stage["width"] = width
    return NetworkSpec.model_validate(plain)


def _cost(network: NetworkSpec, widths: Widths, input: Input, cost: str) -> int | None:
    try:
        return matched_cost(_with_widths(network, widths), input, cost)
    except InfeasibleSpec:
        return None
