"""What follows from how a search's trials come out: its course, what its proposer learns, and which arms go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search.arms import Trial
from search.course import Course
from search.feedback import Feedback
from search.promotion import Promotion
from search.rungs import rungs_of

if TYPE_CHECKING:
    from search.designs.base import AdaptiveDesign, Proposer
    from search.plan import Plan

Entry = Mapping[str, Any]


class Outcomes:
    """The three that learn how trials come out, each in its turn.

    Attributes:
        promotion: None where no arm is stopped early.
    """

    def __init__(self, plan: Plan, design: AdaptiveDesign, proposer: Proposer) -> None:
        self._first_seeds, rungs = design.first_seeds, rungs_of(plan, design)
        self.course = Course(plan, design, rungs.epochs[0] if rungs else None)
        self.feedback = Feedback(plan, design, proposer, self.course)
        self.promotion = Promotion(plan, design, rungs, self.course) if rungs else None

    def paused(self, trial: Trial, entry: Entry) -> str:
        """Learns how far a trial has come that paused; returns why it is stopped there, nothing if it goes on."""
        assert self.promotion is not None
        self.course.took(trial, entry)
        self.feedback.learn(trial.arm)
        return self.promotion.paused(trial, entry)

    def finished(self, trial: Trial, entry: Entry) -> None:
        """Learns how a trial ended that wasn't stopped."""
        self.course.took(trial, entry)
        if self.promotion is not None and entry["status"] == "completed":
            self.promotion.completed(trial, entry)
        if trial.seed in self._first_seeds:
            self.feedback.learn(trial.arm)
