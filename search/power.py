"""What a study's seeds could show, before any is spent: from an earlier run's noise, or from a stated prior."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    """

    detectable: Callable[[float, int, float], float]
    pairs_needed: Callable[[float, float, float], int | None]
    pairs_for_equivalence: Callable[[float, float], int | None]


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
    # Holm asks this of the smallest p of a family; every arm beside the baseline is compared once, also when tuned.
    comparisons = max(1, len(plan.arms) - 1) * (2 if plan.tuning else 1)
    level = SIGNIFICANCE / comparisons
    family = f"{comparisons} comparison{'' if comparisons == 1 else 's'}"
    if seeds < 2:
        yield "smallest detectable effect: none; a single seed shows no noise, so no effect can be told from it"
    else:
        size = statistics.detectable(1.0, seeds, level)
        points = f"{size * known.sd * 100:.2f} points, " if known else ""
        yield (
            f"smallest detectable effect: {points}{size:.2f} SDs of a paired difference, with {seeds} seeds and "
            f"{family} (80% power, two-sided 5% over all of them)"
        )
        if spec.design.kind == "factorial":
            yield "that is between two arms: a factor's effect, an average over the others' settings, can be smaller"
    if known is None:
        yield "its SD is not known yet: 'power: {sd: 0.008}' states a guess, 'power: {run: DIR}' names a run that tells"
        return
    yield f"its SD: {known.sd * 100:.2f} points, {source}"
    effect, margin = spec.power.effect, spec.margin
    if effect is not None:
        needed = statistics.pairs_needed(effect, known.sd, level)
        yield f"to detect {effect * 100:.2f} points: {_seeds(needed)}"
    if margin is not None:
        needed = statistics.pairs_for_equivalence(margin, known.sd)
        yield f"to show equality within the margin of {margin * 100:.2f} points, where there is none: {_seeds(needed)}"


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
