"""Search: a sampler proposes each arm in the light of the scores so far, by ask and tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from blocks.base import Count, Natural, Text
from search.budget import check_budget
from search.designs.base import DESIGNS, AdaptiveDesign, Proposer
from search.known import check_first
from search.prescreen import Prescreened, PrescreenSpec
from search.rungs import check_rungs
from search.samplers import SAMPLERS, SamplerSpec

if TYPE_CHECKING:
    from search.plan import Plan

Objective = Literal["val_accuracy", "macs", "params", "activations", "latency_1", "latency_64"]


@DESIGNS.register
class Search(AdaptiveDesign):
    """Looks for the arms that no other beats in every objective.

    Accuracy is maximised, costs are minimised. Each proposal depends on nothing but the scores told so far and the
    proposal's number, so with one worker a resumed search goes the way of an uninterrupted one.

    Attributes:
        sampler: What proposes arms, by name: ``tpe``, ``nsga2``, ``random`` and others, one file each in
            ``search/samplers``; ``auto`` chooses.
        compare: ``random`` has random search spend as many training MACs after this search, each arm at full length, so
            that the page shows what the search has bought. Its arms are a yardstick only, and never finalists.
        first: Arms that are tried before the sampler proposes any: levels by the name of a factor or of a stage's part.
        known: Earlier runs' directories, relative to the study's file: the sampler learns the scores of those of their
            arms that this study could have too. They are no trials of this run.
        prescreen: ``{proxy: synflow, candidates: 4}``: of so many proposals the best by a zero-cost proxy is trained.
            The page says how well the proxy then ranked what was trained.
        objectives: What the search trades off.
        startup: How many random proposals come first: TPE's start, NSGA-II's population.
        sampler_seed: Seeds the sampler, not the trials.
    """

    kind: Literal["search"] = "search"
    sampler: Annotated[SamplerSpec, SAMPLERS] = Field(default_factory=lambda: SAMPLERS.parse("tpe"))
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = ("val_accuracy", "macs")
    startup: Annotated[Count, Field(ge=2)] = 10
    sampler_seed: Natural = 0
    compare: Literal["random"] | None = None
    first: tuple[dict[Text, Any], ...] = ()
    known: tuple[Text, ...] = ()
    prescreen: PrescreenSpec | None = None

    @field_validator("objectives")
    @classmethod
    def _each_once(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if len(set(objectives)) < len(objectives):
            raise ValueError("each objective is named once")
        return objectives

    @property
    def objective_names(self) -> tuple[str, ...]:
        return self.objectives

    def check(self, plan: Plan) -> None:
        check_rungs(plan, self)
        check_budget(plan, self)
        check_first(plan, self)
        if self.known and any(name.startswith("latency") for name in self.objectives):
            raise plan.study.source.error(("design", "known"), "earlier runs' times are those of other machines")
        if (wrong := self.sampler.misfit(plan, self)) is not None:
            raise plan.study.source.error(("design", "sampler"), wrong)

    def proposer(self, plan: Plan) -> Proposer:
        proposer = self.sampler.proposer(plan, self)
        return proposer if self.prescreen is None else Prescreened(proposer, self.prescreen, plan)
