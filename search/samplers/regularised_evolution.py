"""Regularised evolution, which lets arms die of age: what architecture search is usually compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blocks.base import Count
from search.samplers import SAMPLERS, SamplerSpec

if TYPE_CHECKING:
    from search.ageing import AgeingProposer
    from search.designs.search import Search
    from search.plan import Plan


@SAMPLERS.register
class RegularisedEvolution(SamplerSpec):
    """A change of the best of a few arms, of those that came last (Real et al., "Regularized evolution for image
    classifier architecture search", AAAI 2019, algorithm 1). Of several objectives the best is one that no other of the
    few beats. The first arms, as many as the population, are drawn at random.

    Attributes:
        population: So many of the last arms may have children.
        sample: Of so many, drawn at random, the best has one.
    """

    kind: Literal["regularised_evolution"] = "regularised_evolution"
    population: Annotated[Count, Field(ge=2)] = 50
    sample: Annotated[Count, Field(ge=2)] = 12

    def proposer(self, plan: Plan, design: Search) -> AgeingProposer:
        from search.ageing import AgeingProposer

        return AgeingProposer(plan, design, self.population, self.sample)
