"""Drawing from a space at random: to learn how much of it is feasible, and for when a sampler is stuck."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from blocks import Cost
from search.arms import Arm
from search.factors import Choice, Kept, Level, Variable
from search.plan import Plan
from search.space import Space

PROBES, MAX_PROBES = 200, 1000
"""How many random arms tell what share of a space can run; how many are drawn before it counts as infeasible."""

TIMED = 8
"""So many arms, those of fewest MACs, are timed before a limit of time counts as one that none can keep."""


@dataclass(frozen=True)
class Sample:
    """Arms drawn from a space: those that can run, how many were drawn, and why the others can't."""

    arms: list[Arm]
    draws: int
    reasons: list[str]


def feasible_arms(plan: Plan) -> Sample:
    """Draws arms of a search's space, to learn which can run, by arithmetic; limits of time are held against a few.

    Raises:
        InputError: If none of ``MAX_PROBES`` can, naming the limit that rejected most; or none of the few is in time.
    """
    generator = random.Random(0)
    found: list[Arm] = []
    reasons: list[str] = []
    limits: Counter[str] = Counter()
    least: Cost | None = None
    draws = 0
    while draws < PROBES or (not found and draws < MAX_PROBES):
        draws += 1
        arm = plan.judge(draw(plan.space, generator), timed=False)
        if arm.status == "run" or (arm.status == "duplicate" and not plan.baseline.outside):
            found.append(arm)
        else:
            reasons.append(arm.reason)
            least = arm.cost if least is None or (arm.cost and arm.cost.macs < least.macs) else least
            limits[arm.reason.partition(" ")[0] if arm.status == "rejected" and arm.cost else arm.reason] += 1
    if not found:
        (limit, times), *_ = limits.most_common(1)
        message = f"none of {MAX_PROBES} random arms can run; most ({times}) were rejected by: {limit}"
        if least is not None:
            message += f"; the one of fewest MACs has {least.macs:,} MACs, {least.params:,} parameters"
        raise plan.study.source.error(("constraints",), message)
    _demand_in_time(plan, found)
    return Sample(found, draws, reasons)


def _demand_in_time(plan: Plan, found: list[Arm]) -> None:
    """Times the cheapest of some arms (the costliest too, where a time has a least) until one is within the limits.

    Raises:
        InputError: If none is.
    """
    constraints = plan.study.spec.constraints
    limited = [name for name in plan.stopwatch.wanted if name in constraints.named]
    if not limited or not plan.baseline.outside:
        return
    cheapest = sorted(found, key=lambda arm: arm.value("macs"))
    ends = [*cheapest[:TIMED], *cheapest[::-1][:TIMED]] if any(constraints.has_least(name) for name in limited) else []
    reasons = []
    for arm in ends or cheapest[:TIMED]:
        if (slow := constraints.slow(plan.stopwatch.of(arm.configuration))) is None:
            return
        reasons.append(f"{arm.label}: {slow}")
    message = f"none of the {len(reasons)} arms that were timed can run, which are those of fewest MACs" + (
        " and of most" if ends else ""
    )
    raise plan.study.source.error(("constraints", limited[0]), f"{message}. {'; '.join(reasons[:3])}")


def draw(space: Space, generator: random.Random, kept: Mapping[str, Kept] | None = None) -> Choice:
    """Returns a choice drawn uniformly (log-uniformly in a log range), conditions respected.

    Args:
        kept: For variables that are not to be drawn from all that they have, what is kept.
    """
    choice: Choice = {}
    for variable in space.in_order:
        if space.active(variable, choice):
            level = drawn(variable, space, generator, (kept or {}).get(variable.name))
            if level is not None:
                choice[variable.name] = level
    return choice


def drawn(variable: Variable, space: Space, generator: random.Random, kept: Kept | None = None) -> Level | None:
    """Returns a level of one variable, drawn as ``draw`` does; None is the baseline's own value, where it has one."""
    limits = variable.range
    if limits is None:
        options = space.options(variable)
        if isinstance(kept, frozenset):
            options = tuple(level for level in options if (level.label if level else variable.baseline) in kept)
        return generator.choice(options)
    low, high = kept if isinstance(kept, tuple) else (limits.low, limits.high)
    levels = None if limits.log else variable.listed()
    if levels is not None:
        return generator.choice(levels if kept is None else [one for one in levels if low <= one.value <= high])
    # Halves beyond whole ends, so that those are drawn as often as their neighbours.
    margin = 0.5 if limits.whole else 0.0
    if limits.log:
        value = math.exp(generator.uniform(math.log(low - margin), math.log(high + margin)))
    else:
        value = generator.uniform(low - margin, high + margin)
    return variable.level(min(max(round(value), low), high) if limits.whole else value)
