"""Equal cost: one multiplier that brings a network to a cost, and a repair of what rounding leaves.

By width, only the stages' widths are scaled; the stem keeps its own, as in Wide ResNets. A shared multiplier leaves a
gap of a few per cent on narrow networks; moving single stages by one step closes most of it, and is allowed as long as
no ratio between two stages moves by more than 10%. By depth, the stages' numbers of blocks are scaled; each becomes one
of the two whole numbers beside what the multiplier gives, which is as well as the ratios can be kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from blocks import InfeasibleSpec, NetworkSpec
from search.designs.base import MatchSpec

MAX_RATIO_MOVE = 0.10
MAX_MULTIPLIER = 1024.0

NEAR = 0.12
"""Roundings are tried at multipliers up to so much beside the one that bisection finds, or one step of a width."""

FEW_STAGES = 5
"""Up to so many stages all combinations of moves are tried; stage by stage beyond, where they would be too many."""

Input = tuple[int, int, int]
Sizes = tuple[int, ...]
"""The widths, or the depths, of a network's stages."""


@dataclass(frozen=True)
class Matched:
    """A network at (nearly) the wanted cost.

    Attributes:
        multiplier: Mean ratio of its stage widths (or depths) to the ones it was made from.
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
    sizes = tuple(getattr(stage, spec.by) for stage in network.stages)

    def cost_of(sizes: Sizes) -> int | None:
        try:
            return matched_cost(_with_sizes(network, spec.by, sizes), input, spec.cost)
        except (InfeasibleSpec, ValidationError):
            return None

    best: tuple[float, float, Sizes] | None = None
    for candidate, drift in _candidates(sizes, target, spec, cost_of):
        if best is not None and best[0] == 0 and drift >= best[1]:
            continue
        cost = cost_of(candidate)
        if cost is not None and (best is None or (abs(cost / target - 1), drift) < best[:2]):
            best = (abs(cost / target - 1), drift, candidate)
    if best is None:
        steps = "" if spec.multiple_of == 1 else f" that are multiples of {spec.multiple_of}"
        raise Unmatched(f"no {spec.by}s{steps} that can be built keep the stages' ratios")
    found = best[2]
    result = _with_sizes(network, spec.by, found)
    gap = matched_cost(result, input, spec.cost) / target - 1
    if abs(gap) > spec.tolerance:
        raise Unmatched(
            f"the nearest {spec.by}s ({', '.join(map(str, found))}) leave a gap of {100 * gap:+.2g}% in {spec.cost}, "
            f"over the tolerance of {100 * spec.tolerance:.3g}%"
        )
    return Matched(result, sum(new / old for new, old in zip(found, sizes, strict=True)) / len(sizes), gap)


CostOf = Callable[[Sizes], int | None]
"""Gives what a network of these widths or depths costs; None if it can't be built."""


def _candidates(sizes: Sizes, target: int, spec: MatchSpec, cost_of: CostOf) -> Iterator[tuple[Sizes, float]]:
    """Yields sizes near the wanted cost, each once, with how far they are from the proportions of those that were."""
    if spec.by == "depth":
        multiplier = _bisect(lambda multiplier: cost_of(_scaled(sizes, multiplier, (1,) * len(sizes))), target)
        found = _depths(sizes, multiplier)
        yield from ((depths, _ratio_move(sizes, depths)) for depths in found)
        return
    steps = tuple(math.lcm(spec.multiple_of, step) for step in _steps(sizes, cost_of))
    multiplier = _bisect(lambda multiplier: cost_of(_scaled(sizes, multiplier, steps)), target)
    for widths in _widths(sizes, multiplier, steps):
        drift = _ratio_move(sizes, widths)
        if drift <= MAX_RATIO_MOVE + 1e-9:
            yield widths, drift


def _steps(widths: Sizes, cost_of: CostOf) -> Sizes:
    """Returns by how much each stage's width can be changed: its groups, or its heads, divide it.

    A width that can't be changed by itself, because a shortcut ties it to another stage's, moves freely: what can't be
    built is left out later.
    """

    def step(stage: int) -> int:
        for more in range(1, widths[stage] + 1):
            changed = tuple(width + more * (index == stage) for index, width in enumerate(widths))
            if cost_of(changed) is not None:
                return more
        return 1

    return tuple(step(stage) for stage in range(len(widths)))


def _bisect(cost_at: Callable[[float], int | None], target: int) -> float:
    """Finds the multiplier whose rounded sizes cost about the target; cost grows with size.

    What can't be built says nothing of cost, so the next larger multiplier at which there is a network is asked; if
    there is none in reach, it counts as too large, and the search ends.
    """

    def above(multiplier: float) -> bool:
        costs = (cost_at(multiplier * 1.02**step) for step in range(36))  # up to twice as large
        return next((cost for cost in costs if cost is not None), math.inf) > target

    low, high = 1.0, 1.0
    while above(low) and low > 1 / MAX_MULTIPLIER:
        low /= 2
    while not above(high) and high < MAX_MULTIPLIER:
        high *= 2
    for _ in range(20):  # to a millionth of a doubling, finer than any rounding
        middle = (low * high) ** 0.5
        low, high = (low, middle) if above(middle) else (middle, high)
    return low


def _widths(widths: Sizes, multiplier: float, steps: Sizes) -> Iterator[Sizes]:
    """Yields the rounded widths near a multiplier, then each of them with single stages moved by one step."""
    reach = max(NEAR, max(step / (width * multiplier) for step, width in zip(steps, widths, strict=True)))
    around = range(-12, 13)
    rounded = {_scaled(widths, multiplier * (1 + min(reach, 1.0)) ** (number / 12), steps) for number in around}
    seen = set(rounded)
    yield from sorted(rounded)
    for start in sorted(rounded):
        for move in _moves(len(widths)):
            moved = tuple(width + sign * step for width, sign, step in zip(start, move, steps, strict=True))
            if moved not in seen and all(width >= step for width, step in zip(moved, steps, strict=True)):
                seen.add(moved)
                yield moved


def _depths(depths: Sizes, multiplier: float) -> list[Sizes]:
    """Returns the depths each of which is a whole number beside its share, at multipliers near one."""
    found: set[Sizes] = set()
    reach = max(NEAR, 1 / (min(depths) * multiplier))
    for number in range(-24, 25):
        shares = [depth * multiplier * (1 + reach) ** (number / 24) for depth in depths]
        if len(depths) <= FEW_STAGES:
            beside = [{max(1, math.floor(share)), max(1, math.ceil(share))} for share in shares]
            found.update(itertools.product(*beside))
        else:
            found.add(tuple(max(1, round(share)) for share in shares))
    return sorted(found)


def _moves(stages: int) -> list[tuple[int, ...]]:
    if stages <= FEW_STAGES:
        return list(itertools.product((-1, 0, 1), repeat=stages))
    return [
        tuple(sign if index == moved else 0 for index in range(stages)) for moved in range(stages) for sign in (-1, 1)
    ]


def _scaled(sizes: Sizes, multiplier: float, steps: Sizes) -> Sizes:
    return tuple(max(1, int(size * multiplier / step + 0.5)) * step for size, step in zip(sizes, steps, strict=True))


def _ratio_move(before: Sizes, after: Sizes) -> float:
    """Returns the largest relative change of any ratio between two stages' sizes."""
    scales = [new / old for new, old in zip(after, before, strict=True)]
    return max(scales) / min(scales) - 1


def _with_sizes(network: NetworkSpec, field: str, sizes: Sizes) -> NetworkSpec:
    plain = network.plain()
    for stage, size in zip(plain["stages"], sizes, strict=True):
        stage[field] = size
    return NetworkSpec.model_validate(plain)
