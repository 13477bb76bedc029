"""How many trials a study has, phase by phase, and the seeds of each."""

from __future__ import annotations

from search.designs.base import FIRST_CONFIRM_SEED, AdaptiveDesign
from search.plan import Plan


def confirm_seeds(plan: Plan) -> range:
    """Returns the seeds of a study's confirm phase, which no design uses."""
    spec = plan.study.spec
    fewest = 1 if spec.design.kind == "train" else 3
    return range(FIRST_CONFIRM_SEED, FIRST_CONFIRM_SEED + (spec.confirm.seeds or max(fewest, len(plan.seeds))))


def planned_trials(plan: Plan) -> dict[str, int]:
    """Returns how many trials each phase has, as far as can be told before it runs; phases without any are left out."""
    design, finalists_wanted = plan.study.spec.design, plan.study.spec.confirm.finalists
    if isinstance(design, AdaptiveDesign):
        explore = design.trials // len(plan.seeds) * len(plan.seeds)
        others = explore // len(plan.seeds) - 1
    else:
        explore, others = len(plan.explore_trials()), len(plan.arms) - 1
    confirm = len(confirm_seeds(plan)) * (1 + min(finalists_wanted, others))
    return {phase: count for phase, count in {"explore": explore, "confirm": confirm}.items() if count}
