"""Samplers, one file each: what a search tries next. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from blocks.base import Spec, Text
from blocks.registry import Registry

if TYPE_CHECKING:
    from search.designs.base import Proposer
    from search.designs.search import Search
    from search.plan import Plan


class SamplerSpec(Spec, ABC):
    """A sampler as data."""

    kind: Text

    @abstractmethod
    def proposer(self, plan: Plan, design: Search) -> Proposer:
        """Returns what proposes arms of a plan's space, towards the design's objectives."""

    def misfit(self, plan: Plan, design: Search) -> str | None:
        """Returns why the sampler can't search this space for these objectives, in a sentence; None if it can."""
        return None

    def choice(self, plan: Plan, design: Search) -> tuple[SamplerSpec, str]:
        """Returns the sampler that proposes in the end, and why, as the rest of a sentence; nothing if it was named."""
        return self, ""


class OptunaSampler(SamplerSpec, ABC):
    """A sampler of Optuna's as data."""

    @abstractmethod
    def made(self, design: Search, seed: int) -> Any:
        """Returns Optuna's sampler. It is asked for anew at every proposal, which then hangs on the history alone."""

    def proposer(self, plan: Plan, design: Search) -> Proposer:
        from search.optuna_proposer import OptunaProposer

        return OptunaProposer(plan.space, design, lambda seed: self.made(design, seed))


SAMPLERS: Registry[SamplerSpec] = Registry("sampler", "search.samplers")
