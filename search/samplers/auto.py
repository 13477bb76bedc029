"""The sampler that suits a study, chosen by its space, its objectives and its budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from search.samplers import SAMPLERS, SamplerSpec

if TYPE_CHECKING:
    from search.designs.base import Proposer
    from search.designs.search import Search
    from search.plan import Plan

MANY_NUMBERS = 60
"""Beyond so many numbers an arm, evolution's model of their products takes longer than it saves."""


@SAMPLERS.register
class Auto(SamplerSpec):
    """Whichever of the others suits the space, the objectives and the budget; the log, the dry run and the page say
    which it is, and why."""

    kind: Literal["auto"] = "auto"

    def proposer(self, plan: Plan, design: Search) -> Proposer:
        return self.choice(plan, design)[0].proposer(plan, design)

    def choice(self, plan: Plan, design: Search) -> tuple[SamplerSpec, str]:
        """Returns a sampler, and why it is that one, as the rest of a sentence."""
        from search.genes import Genes
        from search.planned import arms_at_most

        arms, numbers = arms_at_most(plan), Genes(plan.space).count
        size = math.prod(_options(plan))
        if arms >= size:
            kind, why = "random", f"the budget holds all {size:,.0f} arms of the space: their order does not matter"
        elif arms <= 2 * design.startup:
            kind, why = "qmc", f"{arms:,} arms are too few to learn from: they are spread evenly"
        elif SAMPLERS.parse("evolution").misfit(plan, design) is not None:
            kind = "nsga3" if len(design.objectives) > 2 else "tpe"
            why = f"evolution takes accuracy and one cost, and the objectives are {', '.join(design.objectives)}"
        elif numbers > MANY_NUMBERS:
            kind, why = "nsga2", f"an arm is {numbers} numbers, and evolution models the products of any two"
        else:
            kind, why = "evolution", "it knows what an arm costs before it is trained, and learns from all arms so far"
        return SAMPLERS.parse(kind), why


def _options(plan: Plan) -> list[float]:
    """Returns how many values each variable may have; of a range without an end of them, infinitely many."""
    counts = []
    for variable in plan.space.in_order:
        listed = variable.listed()
        known = len(listed or ()) if variable.range is not None else len(plan.space.options(variable))
        counts.append(float(known) if listed is not None else math.inf)
    return counts
