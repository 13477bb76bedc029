"""How many trials a study has, phase by phase, and the seeds of each.

No seed is used twice: designs have those below 1000, the confirm phase those from there on, tuning 1,000,000, and the
check of short runs those from 2,000,000 on.
"""

from __future__ import annotations

from search.designs.base import FIRST_CONFIRM_SEED, AdaptiveDesign
from search.phases import FIRST_TUNE_SEED
from search.plan import Plan


def confirm_seeds(plan: Plan) -> range:
    """Returns the seeds of a study's confirm phase, which no design uses."""
    spec = plan.study.spec
    fewest = 1 if spec.design.kind == "train" else 3
    return range(FIRST_CONFIRM_SEED, FIRST_CONFIRM_SEED + (spec.confirm.seeds or max(fewest, len(plan.seeds))))


def beside_seeds(plan: Plan) -> dict[str, list[int]]:
    """Returns the seeds of the phases beside exploring and confirming, of a study that has such."""
    found = {"tune": [FIRST_TUNE_SEED]} if plan.tuning else {}
    return found | ({"fidelity": list(plan.fidelity.seeds)} if plan.fidelity else {})


def planned_trials(plan: Plan) -> dict[str, int]:
    """Returns how many trials each phase has, at most, as far as can be told now; phases without any are left out.

    Arms whose own recipe is the best have no tuned arm beside them: that makes fewer.
    """
    spec, seeds = plan.study.spec, len(plan.seeds)
    explored = spec.design.trials // seeds if isinstance(spec.design, AdaptiveDesign) else len(plan.arms)
    finalists = min(spec.confirm.finalists, explored - 1)
    planned = {"tune": 0, "explore": 0 if spec.design.kind == "train" else explored * seeds, "fidelity": 0}
    if plan.tuning:
        planned["tune"] = len(plan.tuning.trials())
        open_still = len(plan.tuning.candidates) - len(plan.tuning.kept)
        planned["explore"] += open_still * seeds
        most = explored + open_still
        finalists = min(spec.confirm.finalists, most - 1)
        finalists += finalists < most - 1  # the baseline with a recipe of its own
    if plan.fidelity:
        ranked = explored if plan.adaptive else sum(arm.tuned_of is None for arm in plan.arms.values())
        planned["fidelity"] = 2 * len(plan.fidelity.seeds) * min(plan.fidelity.spec.arms, ranked)
    if spec.confirm.best_under:
        finalists = min(finalists + len(spec.confirm.best_under.limits), explored - 1)
    planned["confirm"] = len(confirm_seeds(plan)) * (1 + finalists)
    return {phase: count for phase, count in planned.items() if count}
