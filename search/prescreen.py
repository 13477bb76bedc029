"""A look before training: of several proposals the one is trained that a zero-cost proxy puts first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from blocks.base import Count, Spec
from search.designs.base import Proposal, Proposer
from search.factors import Choice
from search.proxies import PROXIES, ProxySpec

if TYPE_CHECKING:
    from search.plan import Plan

PROXY = "proxy"
"""Under this name the score stands in what the record keeps of an arm."""

PATIENCE = 10
"""So many proposals are asked for, for each candidate that can run."""


class PrescreenSpec(Spec):
    """Which proposals of a search are trained.

    Attributes:
        proxy: What tells before training: ``params``, ``macs``, ``synflow`` or ``naswot``, one file each in
            ``search/proxies``.
        candidates: Of so many proposals that can run the best by the proxy is trained.
    """

    proxy: Annotated[ProxySpec, PROXIES]
    candidates: Annotated[Count, Field(ge=2, le=1000)] = 4


class Prescreened:
    """A proposer of whose every few proposals the best by a proxy is tried; it is told that the others weren't."""

    def __init__(self, proposer: Proposer, spec: PrescreenSpec, plan: Plan) -> None:
        self._proposer, self._spec, self._plan = proposer, spec, plan
        self._scores: dict[int, float] = {}

    def ask(self) -> Proposal:
        found: dict[str, tuple[float, Proposal]] = {}
        others: list[tuple[Proposal, str]] = []
        passed_over: Counter[str] = Counter()
        while len(found) < self._spec.candidates and len(found) + len(others) < PATIENCE * self._spec.candidates:
            proposal = self._proposer.ask()
            arm = proposal.arm or self._plan.judge(proposal.choice)
            if arm.status == "run" and arm.arm not in found:
                found[arm.arm] = self._spec.proxy.score(arm), replace(proposal, arm=arm)
            else:
                others.append((proposal, arm.status))
                passed_over[arm.status] += arm.status != "run"
        if found:
            score, best = max(found.values(), key=lambda one: one[0])
        else:
            score, (best, status) = -math.inf, others.pop()
            passed_over[status] -= 1  # counted by who asked
        for other in [*(proposal for proposal, _ in others), *(proposal for _, proposal in found.values())]:
            if other is not best:
                self._proposer.tell(other.number, None)
        self._scores = {best.number: score}
        return replace(best, passed_over=dict(+passed_over))

    def accept(self, number: int) -> dict[str, Any]:
        score = self._scores[number]
        return {**self._proposer.accept(number), PROXY: score if math.isfinite(score) else None}

    def tell(self, number: int, values: Mapping[str, float] | None) -> None:
        self._proposer.tell(number, values)

    def follow(self, choice: Choice, values: Mapping[str, float]) -> None:
        self._proposer.follow(choice, values)

    def recall(self, choice: Choice, values: Mapping[str, float]) -> None:
        self._proposer.recall(choice, values)

    def remember(self, choice: Choice, values: Mapping[str, float] | None, memo: Mapping[str, Any]) -> None:
        self._proposer.remember(choice, values, {name: value for name, value in memo.items() if name != PROXY})


def proxy_scores(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Returns the proxy's score of every arm of a record that was chosen by one, and has a score."""
    memos = {entry["arm"]: entry["memo"] for entry in entries if entry["event"] == "arm"}
    return {arm: memo[PROXY] for arm, memo in memos.items() if memo.get(PROXY) is not None}
