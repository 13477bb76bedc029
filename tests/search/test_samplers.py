"""Samplers: what every one of them keeps to, and what our own finds."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from blocks.source import InputError
from search.ageing import AgeingProposer
from search.arms import Arm
from search.designs.search import Search
from search.draw import draw
from search.explore import Proposed
from search.genes import Genes
from search.plan import Plan
from search.resume import StudyChanged, check_resumable
from search.samplers import SAMPLERS
from search.surrogate import Surrogate
from tests.benchmarks.search import Memory
from tests.search.studies import plan

FACTORS = """\
factors:
  block: {levels: {basic: {"network.stages[*].block": basic}}}
  expansion: {path: "network.stages[*].block.expansion", levels: [1, 2, 4], when: {block: [baseline]}}
  activation: {path: "network.stages[*].block.activation", levels: [relu, silu, gelu]}
  depth: {path: "network.stages[each].depth", range: {low: 1, high: 4}}
  width: {path: "network.stages[each].width", levels: [8, 12, 16, 24]}
  lr: {path: train.optimizer.lr, range: {low: 0.01, high: 1, log: true}}
constraints: {macs: {max: 3e6}}"""
CONDITIONAL = """\
factors:
  block: {levels: {inverted: {"network.stages[*].block": inverted_bottleneck}}}
  expansion: {path: "network.stages[*].block.expansion", levels: [1, 2], when: {block: [inverted]}}
  width: {path: "network.stages[each].width", levels: [8, 12, 16, 24]}"""
QUIET = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def searching(sampler: str, trials: int, objectives: str = "val_accuracy, macs", factors: str = FACTORS) -> Plan:
    design = f"{{kind: search, trials: {trials}, sampler: {sampler}, objectives: [{objectives}], startup: 4}}"
    return plan(factors, f"design: {design}")


def score(arm: Arm) -> float:
    """An accuracy that rises with MACs and levels off, and likes one activation."""
    assert arm.cost is not None
    return 0.95 - 0.5 * (arm.cost.macs / 1e4) ** -0.5 - 0.02 * (arm.levels.get("activation") == "gelu")


def run(made: Plan, memory: Memory, finished: dict[str, Any], trials: int = 10**9) -> list[str]:
    """Runs a search, whose trials only look up their score; returns the arms in order."""
    queue, found = Proposed(made, memory, finished), []  # type: ignore[arg-type]
    while len(found) < trials and (trial := queue.next()) is not None:
        entry = {"status": "completed", "val_accuracy": score(made.arms[trial.arm])}
        finished[trial.name] = entry
        queue.finished(trial, entry)
        found.append(trial.arm)
    return found


@QUIET
@pytest.mark.parametrize(
    "kind",
    [
        "{kind: regularised_evolution, population: 4, sample: 2}",
        *(pytest.param(kind, marks=[pytest.mark.slow] * (kind == "gp")) for kind in SAMPLERS.kinds()),
    ],
)
def test_every_sampler_spends_its_budget_on_arms_that_run_each_once_and_goes_on_where_it_was_cut(kind: str) -> None:
    whole = searching(kind, 14)
    found = run(whole, Memory(), {})
    assert len(found) == len(set(found)) == 14
    assert all(arm.status == "run" for arm in whole.arms.values())
    memory, finished = Memory(), dict[str, Any]()
    first = run(searching(kind, 14), memory, finished, trials=8)
    assert first + run(searching(kind, 14), memory, finished) == found


def test_a_search_goes_on_without_judging_its_arms_again_and_from_older_records_as_well() -> None:
    memory, finished = Memory(), dict[str, Any]()
    first = searching("evolution", 14)
    run(first, memory, finished, trials=12)
    old = Memory([{name: value for name, value in entry.items() if name != "judged"} for entry in memory.entries])
    again, judged_anew, resolved = searching("evolution", 14), searching("evolution", 14), list[Any]()
    resolve = again.space.resolve
    again.space.resolve = lambda plain: resolved.append(plain) or resolve(plain)  # type: ignore[func-returns-value, method-assign]
    Proposed(again, memory, finished)  # type: ignore[arg-type]
    Proposed(judged_anew, old, finished)  # type: ignore[arg-type]
    assert not resolved
    whole = list(first.arms.values())[: len(again.arms)]
    for made in (again, judged_anew):
        for arm, before in zip(made.arms.values(), whole, strict=True):
            assert (arm.arm, arm.label, arm.levels, arm.cost) == (before.arm, before.label, before.levels, before.cost)
            assert arm.configuration.structure == before.configuration.structure
            assert arm.configuration.plain() == before.configuration.plain()
    assert len(resolved) == len(whole) - 1  # all but the baseline, now that their networks were asked for


def test_an_arm_that_is_another_now_is_noticed_when_its_network_is_asked_for() -> None:
    memory, finished = Memory(), dict[str, Any]()
    run(searching("evolution", 8), memory, finished, trials=6)
    entry = next(entry for entry in memory.entries if entry["event"] == "arm")
    entry["arm"] = "0123456789ab"
    again = searching("evolution", 8)
    Proposed(again, memory, finished)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the record's arm 0123456789ab resolves to"):
        again.arms["0123456789ab"].configuration.plain()


@pytest.mark.parametrize(
    ("sampler", "objectives", "said"),
    [
        ("evolution", "val_accuracy, macs, params", "evolution looks for accuracy, alone or at one cost"),
        ("evolution", "macs", "evolution looks for accuracy"),
    ],
)
def test_what_a_sampler_can_not_search_is_refused_before_anything_runs(
    sampler: str, objectives: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        searching(sampler, 6, objectives)
    assert "design.sampler" in str(refused.value)


@pytest.mark.parametrize(
    ("trials", "objectives", "factors", "kind"),
    [
        (40, "val_accuracy, macs", FACTORS, "evolution"),
        (8, "val_accuracy, macs", FACTORS, "qmc"),
        (40, "val_accuracy, macs, params", FACTORS, "nsga3"),
        (40, "val_accuracy, macs", "\n".join(FACTORS.split("\n")[:2]), "random"),
    ],
)
def test_auto_chooses_by_space_objectives_and_budget_and_says_why(
    trials: int, objectives: str, factors: str, kind: str
) -> None:
    made = searching("auto", trials, objectives, factors)
    design = made.study.spec.design
    assert isinstance(design, Search)
    chosen, why = design.sampler.choice(made, design)
    assert chosen.kind == kind
    assert why
    assert SAMPLERS.parse(kind).choice(made, design)[1] == ""


def test_runs_from_when_samplers_were_names_resume() -> None:
    now = searching("tpe", 6).study.spec.plain()
    before = {**now, "design": {**now["design"], "sampler": "tpe"}}
    check_resumable(before, now)
    with pytest.raises(StudyChanged, match=r"design\.sampler\.kind: was nsga2, is now tpe"):
        check_resumable({**now, "design": {**now["design"], "sampler": "nsga2"}}, now)


def test_evolution_finds_more_for_less_than_random_search() -> None:
    def spent_and_found(kind: str) -> tuple[float, float]:
        made = searching(kind, 40)
        arms = [made.arms[arm] for arm in run(made, Memory(), {})]
        costs = [arm.cost.macs for arm in arms if arm.cost is not None]
        area, best = 0.0, 0.5
        for cost, value in sorted(zip(costs, map(score, arms), strict=True)):
            area, best = area + max(value - best, 0) * (math.log(3e6) - math.log(cost)), max(best, value)
        return sum(costs), area

    (random_spent, random_found), (spent, found) = spent_and_found("random"), spent_and_found("evolution")
    assert found > 1.05 * random_found
    assert spent < 0.7 * random_spent


def test_regularised_evolution_has_children_of_the_last_arms_only() -> None:
    made = searching("{kind: regularised_evolution, population: 3, sample: 3}", 30)
    design = made.study.spec.design
    assert isinstance(design, Search)
    proposer = AgeingProposer(made, design, population=3, sample=3)
    generator = random.Random(1)
    choices = [draw(made.space, generator) for _ in range(40)]
    for age, choice in enumerate(choices):  # each better and cheaper than all that come after it
        proposer.remember(choice, {"val_accuracy": 0.9 - age / 100, "macs": 1e5 + age, "share": 1.0}, {})
    changed = 0
    for _ in range(20):
        child = proposer.ask().choice
        shared = [sum(child.get(name) == level for name, level in choice.items()) for choice in choices]
        changed += max(range(40), key=lambda place: (shared[place], -place)) == 37  # the best of the three alive
        proposer.accept(proposer._number)
    assert changed >= 15


def test_children_lack_no_level_that_the_baseline_has_none_for() -> None:
    space, generator = searching("evolution", 6, factors=CONDITIONAL).space, random.Random(0)
    genes = Genes(space)
    for _ in range(300):
        child = genes.crossed(draw(space, generator), draw(space, generator), generator)
        for choice in (child, genes.changed(child, generator)):
            assert ("expansion" in choice) == ("block" in choice)


# The model


def test_the_model_is_bayesian_linear_regression_with_the_evidences_own_precisions() -> None:
    dice = np.random.default_rng(0)
    numbers = dice.uniform(-1, 1, (60, 3))
    truth = 2 + numbers[:, 0] - 3 * numbers[:, 1] * numbers[:, 2]
    scores = truth + dice.normal(0, 0.05, 60)
    model = Surrogate(3)
    for row, value in zip(numbers, scores, strict=True):
        model.learn(row, float(value))
    mean, _ = model.drawn(np.random.default_rng(1))
    fresh = dice.uniform(-1, 1, (200, 3))
    wanted = 2 + fresh[:, 0] - 3 * fresh[:, 1] * fresh[:, 2]
    assert np.abs(model.scores(fresh, mean) - wanted).mean() < 0.05
    drawn = np.array([model.scores(fresh, model.drawn(np.random.default_rng(seed))[1]) for seed in range(50)])
    assert 0.005 < drawn.std(0).mean() < 0.06  # about the noise over the root of images a weight


def test_with_nothing_to_learn_the_model_expects_the_mean() -> None:
    dice = np.random.default_rng(0)
    model = Surrogate(4)
    for row in dice.uniform(-1, 1, (30, 4)):
        model.learn(row, -3.0 + float(dice.normal(0, 0.1)))
    mean, _ = model.drawn(dice)
    assert np.allclose(model.scores(dice.uniform(-1, 1, (50, 4)), mean), -3, atol=0.2)


# Choices as numbers


def test_numbers_are_within_their_ends_and_changes_are_of_one_or_two_factors() -> None:
    made, generator = searching("random", 4), random.Random(0)
    genes = Genes(made.space)
    for _ in range(200):
        choice = draw(made.space, generator)
        numbers = genes.numbers(choice)
        assert numbers.shape == (genes.count,)
        assert np.abs(numbers).max() <= 1.5
        changed = genes.changed(choice, generator)
        levels = [made.space.columns(each) for each in (choice, changed)]
        factors = {name.partition("[")[0] for name in levels[0] if levels[0][name] != levels[1][name]}
        assert len(factors - {"expansion"}) <= 2  # which comes and goes with the block
        assert made.judge(changed).reason == "" or made.judge(changed).status in ("duplicate", "rejected")


def test_a_child_of_two_has_each_factor_from_one_of_them() -> None:
    made, generator = searching("random", 4), random.Random(1)
    genes = Genes(made.space)
    for _ in range(50):
        one, other = (draw(made.space, generator) for _ in range(2))
        child = made.space.columns(genes.crossed(one, other, generator))
        parents = [made.space.columns(each) for each in (one, other)]
        for name, level in child.items():
            assert level in {parent[name] for parent in parents} or name == "expansion"
