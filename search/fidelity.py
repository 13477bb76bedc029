"""Whether short runs rank arms as full ones do: a sample of arms, spread over their cost, trained both ways.

Both lengths are trained on seeds of their own, so that nothing that was chosen by these very trials flatters either.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from blocks import InfeasibleSpec
from search.arms import Arm, Trial
from search.configuration import Unresolvable
from search.designs.base import AdaptiveDesign, DesignSpec
from search.phases import FEWEST_RANKED, FIRST_FIDELITY_SEED

if TYPE_CHECKING:
    from search.plan import Plan

EPOCHS = "train.epochs"


class Fidelity:
    """The check of a plan's short runs.

    Raises:
        InputError: If lengths of training can't be compared in this study.
    """

    def __init__(self, plan: Plan) -> None:
        spec = plan.study.spec.fidelity
        assert spec is not None
        self.plan, self.spec = plan, spec
        self.seeds = range(FIRST_FIDELITY_SEED, FIRST_FIDELITY_SEED + spec.seeds)
        self._check()

    def sample(self, kept: list[str]) -> list[str]:
        """Returns the arms to train both ways: one from each quantile of the MACs, cheapest first.

        Args:
            kept: Arms of an earlier sample, which stay.
        """
        arms = self._arms()
        kept = [arm for arm in kept if arm in arms]
        count = min(self.spec.arms, len(arms))
        chosen = set(kept)
        while len(chosen) < count:
            strata = [arms[len(arms) * number // count : len(arms) * (number + 1) // count] for number in range(count)]
            emptiest = min(strata, key=lambda stratum: sum(arm in chosen for arm in stratum) / len(stratum))
            chosen.add(random.Random(f"fidelity/{emptiest[0]}").choice([arm for arm in emptiest if arm not in chosen]))
        return [arm for arm in arms if arm in chosen]

    def trials(self, sample: list[str]) -> list[Trial]:
        """Returns the trials of a sample, seed by seed."""
        arms = [length for arm in sample for length in self.lengths(arm)]
        return [Trial(arm, seed, "fidelity") for seed in self.seeds for arm in arms]

    def lengths(self, arm: str) -> tuple[str, str]:
        """Returns the identities of an arm's configuration at the short length and at the full one."""
        short, full = (self._at(self.plan.arms[arm], epochs) for epochs in self.spec.epochs)
        return short, full

    def notes(self) -> list[str]:
        """Returns what to know of the arms of a search that can't be sampled."""
        impossible = [found[1] for arm in self._untuned() if (found := self._impossible(arm))]
        if not impossible:
            return []
        count = f"{len(impossible)} arm{'' if len(impossible) == 1 else 's'}"
        return [f"fidelity: {count} can't be trained both ways and can't be sampled: {impossible[0]}"]

    def table(self, sample: list[str]) -> dict[str, Any]:
        """Returns the part of arms.json that tells of the check."""
        names = ("short", "full")
        rows = [
            {
                "arm": arm,
                **{
                    name: {"arm": length, "trials": [f"{length}-s{seed}" for seed in self.seeds]}
                    for name, length in zip(names, self.lengths(arm), strict=True)
                },
            }
            for arm in sample
        ]
        return {"epochs": list(self.spec.epochs), "seeds": list(self.seeds), "arms": rows}

    def _arms(self) -> list[str]:
        """Returns the arms that may be sampled, the cheapest first; of arms at one recipe, not those tuned from it."""
        possible = [arm for arm in self._untuned() if not self._impossible(arm)]
        return [arm.arm for arm in sorted(possible, key=lambda arm: (arm.cost.macs if arm.cost else 0, arm.arm))]

    def _untuned(self) -> list[Arm]:
        return [arm for arm in self.plan.arms.values() if arm.tuned_of is None and arm.cost is not None]

    def _impossible(self, arm: Arm) -> tuple[int, str] | None:
        """Returns which of the lengths an arm can't be trained at, and why; None where it can at both."""
        for number, epochs in enumerate(self.spec.epochs):
            try:
                self._at(arm, epochs)
            except (Unresolvable, InfeasibleSpec) as error:
                return number, f"the arm {arm.label} can't be trained for {epochs} epochs: {error}"
        return None

    def _at(self, arm: Arm, epochs: int) -> str:
        if arm.configuration.train.epochs == epochs:
            return arm.arm
        return self.plan.derive(arm, "fidelity", {EPOCHS: epochs}).arm

    def _check(self) -> None:
        source, design = self.plan.study.source, self.plan.study.spec.design
        if design.kind == "train":
            raise source.error(("fidelity",), "design: train has one arm, and one arm has no ranking", at_key=True)
        for variable in self.plan.space.variables:
            places = [variable.path, *(place for level in variable.levels for place, _ in level.changes)]
            if any(place in {("train",), ("train", "epochs")} for place in places):
                raise source.error(("fidelity",), f"the factor {variable.name} varies train.epochs itself", at_key=True)
        count = self._most(design)
        if count < FEWEST_RANKED:
            message = f"a ranking needs at least {FEWEST_RANKED} arms that run, and the design has {count}"
            raise source.error(("fidelity",), message, at_key=True)
        for arm in self._untuned():
            if found := self._impossible(arm):  # those of a search are yet to come, and are left out
                number, why = found
                raise source.error(("fidelity", "epochs", number), why)

    def _most(self, design: DesignSpec) -> int:
        """Returns how many arms there will be to sample from, at most."""
        from search.planned import arms_at_most

        return arms_at_most(self.plan) if isinstance(design, AdaptiveDesign) else len(self._untuned())
