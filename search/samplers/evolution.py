"""Evolution along the front, with a model that looks first: our own sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Number
from search.samplers import SAMPLERS, SamplerSpec

if TYPE_CHECKING:
    from search.designs.search import Search
    from search.evolution import EvolutionProposer
    from search.plan import Plan


@SAMPLERS.register
class Evolution(SamplerSpec):
    """Children of the best arms at every cost, chosen by a quick model of the scores so far, after ``startup`` random
    arms. It knows what an arm costs before it is trained, and proposes no child that can't run or is there already."""

    kind: Literal["evolution"] = "evolution"
    thrift: Annotated[Number, Field(ge=0, le=1)] = 0.5
    """How strongly cost counts against an arm: what it may add to the front is divided by its cost to this
    power: its MACs, where accuracy is the only objective."""

    def misfit(self, plan: Plan, design: Search) -> str | None:
        costs = [name for name in design.objectives if name != "val_accuracy"]
        if "val_accuracy" not in design.objectives or len(costs) > 1:
            return "evolution looks for accuracy, alone or at one cost: objectives: [val_accuracy, macs]"
        return None

    def proposer(self, plan: Plan, design: Search) -> EvolutionProposer:
        from search.evolution import EvolutionProposer

        return EvolutionProposer(plan, design, self.thrift)
