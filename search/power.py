"""What a study's seeds could show, before any is spent: from an earlier run's noise, or from a stated prior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.pilot import Noise, noise
from search.plan import Plan

SIGNIFICANCE = 0.05

COMPARED = ("one_at_a_time", "leave_one_out", "factorial", "list")
"""The designs whose arms are compared with the baseline, pair by pair."""


@dataclass(frozen=True)
class Statistics:
    """What ``reports`` lends for planning: each at 80% power.

    Attributes:
        detectable: The smallest detectable effect for an SD of a paired difference, a number of pairs and a level.
        pairs_needed: The pairs that an effect needs at an SD and a level; None where no number will do.
        pairs_for_equivalence: The pairs that it takes to show equality within a margin, at an SD.
        planned_effects: What the page of a factorial will compare: ``reports.planned``.
    """

    detectable: Callable[[float, int, float], float]
    pairs_needed: Callable[[float, float, float], int | None]
    pairs_for_equivalence: Callable[[float, float], int | None]
    planned_effects: Callable[..., tuple[Sequence[tuple[str, float]], int, int]]


def power_lines(plan: Plan, directory: Path, statistics: Statistics) -> Iterator[str]:
    """Yields what the seeds could show, and how many would show what is wanted.

    Args:
        directory: Where the run would be; an earlier one there tells the noise.

    Raises:
        InputError: If the run that ``power`` names tells nothing.
    """
    spec, seeds = plan.study.spec, len(plan.seeds)
    known, source = _noise(plan, directory)
    if spec.design.kind not in COMPARED:
        if spec.power.effect is not None or spec.power.sd is not None:
            kind = spec.design.kind
            yield f"smallest detectable effect: none; design {kind} compares no arm with the baseline in pairs"
        return
    family = _family(plan, statistics)
    level = SIGNIFICANCE / family.size
    if seeds < 2:
        yield "smallest detectable effect: none; a single seed shows no noise, so no effect can be told from it"
    else:
        for what, spread in family.effects:
            size = spread * statistics.detectable(1.0, seeds, level)
            points = f"{size * known.sd * 100:.2f} points, " if known else ""
            yield f"smallest detectable {what}: {points}{size:.2f} SDs of a paired difference{_of(family, seeds)}"
        if family.note:
            yield family.note
    if known is None:
        yield "its SD is not known yet: 'power: {sd: 0.008}' states a guess, 'power: {run: DIR}' names a run that tells"
        return
    yield f"its SD: {known.sd * 100:.2f} points, {source}"
    effect, margin = spec.power.effect, spec.margin
    sd = known.sd * max(spread for _, spread in family.effects)
    if effect is not None:
        needed = statistics.pairs_needed(effect, sd, level)
        yield f"to detect {effect * 100:.2f} points: {_seeds(needed)}"
    if margin is not None:
        needed = statistics.pairs_for_equivalence(margin, sd)
        yield f"to show equality within the margin of {margin * 100:.2f} points, where there is none: {_seeds(needed)}"


@dataclass(frozen=True)
class Family:
    """What is compared: Holm's family, and how much each effect scatters.

    Attributes:
        size: Comparisons in it.
        text: The same in words.
        effects: What there is to detect, and its SD in SDs of a difference of two arms.
        note: What that supposes.
    """

    size: int
    text: str
    effects: tuple[tuple[str, float], ...]
    note: str = ""


def _of(family: Family, seeds: int) -> str:
    return f", with {seeds} seeds and {family.text} (80% power, two-sided 5% over all of them)"


def _family(plan: Plan, statistics: Statistics) -> Family:
    """Returns the family that the page will have; Holm's correction asks 5% over its size of the smallest p."""
    if plan.study.spec.design.kind == "factorial":
        return _of_factorial(plan, statistics)
    # Every arm beside the baseline is compared once, also when tuned.
    size = max(1, len(plan.arms) - 1) * (2 if plan.tuning else 1)
    return Family(size, f"{size} comparison{'' if size == 1 else 's'}", (("effect", 1.0),))


def _of_factorial(plan: Plan, statistics: Statistics) -> Family:
    cells = [row for row in plan.rows if row.status == "run" and row.match == "none" and row.tuned_of is None]
    factors = [_factor(plan, name) for name in dict.fromkeys(each.factor for each in plan.space.variables)]
    twins = None
    if getattr(plan.study.spec.design, "match", None) is not None:
        twins = {row.arm: row.twin for row in cells if row.twin in plan.arms}
    levels = {row.arm: row.levels for row in cells}
    fraction = plan.facts.get("fraction") or {}
    effects, matched, steps = statistics.planned_effects(levels, plan.baseline.arm, factors, fraction, twins)
    tuned = 2 if plan.tuning else 1
    main = len(effects)
    parts = [f"{main} main effects", f"{matched} at equal cost" if matched else ""]
    parts += [f"{main + matched} tuned at most" if plan.tuning else "", f"{steps} interaction steps" if steps else ""]
    size = max(1, (main + matched) * tuned + steps)
    text = f"a family of {size}: {', '.join(part for part in parts if part)}"
    spreads: dict[str, float] = {}
    for name, spread in effects:
        spreads[f"main effect of {name}"] = max(spread, spreads.get(f"main effect of {name}", 0.0))
    note = "supposed is that arms scatter each by itself; where a seed favours a level at all settings, it takes more"
    return Family(size, text, tuple(spreads.items()) or (("effect", 1.0),), note)


def _factor(plan: Plan, name: str) -> tuple[str, tuple[str, ...], str | None]:
    columns = tuple(variable.name for variable in plan.space.variables if variable.factor == name)
    return name, columns, plan.study.spec.factors[name].same_as


def _noise(plan: Plan, directory: Path) -> tuple[Noise | None, str]:
    """Returns the noise that is known, and where it is known from: the run itself, the run named, the guess."""
    own, spec = noise(directory), plan.study.spec.power
    if own is not None:
        return own, f"as the run in {directory} shows ({own.text})"
    if spec.run is not None:
        named = noise(Path(spec.run))
        if named is None:
            message = (
                f"'{spec.run}' is no run directory, from here, that tells the noise: it takes a baseline and another "
                "arm, explored with two seeds or more"
            )
            raise plan.study.source.error(("power", "run"), message)
        return named, f"as the run in {spec.run} shows ({named.text})"
    return (Noise(spec.sd), "the study's own guess") if spec.sd else (None, "")


def _seeds(needed: int | None) -> str:
    return "more seeds than anyone has" if needed is None else f"{needed} seeds"
