"""Zero-cost proxies: what they compute, by hand, and what a search makes of them."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from reports.sections.progress import prescreen
from search.arms import Arm
from search.draw import draw
from search.explore import Proposed
from search.prescreen import proxy_scores
from search.proxies import PROXIES
from search.proxies.naswot import naswot
from search.proxies.synflow import synflow
from tests.benchmarks.search import Memory
from tests.search.studies import plan

FACTORS = """\
factors:
  activation: {path: "network.stages[*].block.activation", levels: [relu, silu, gelu]}
  depth: {path: "network.stages[each].depth", range: {low: 1, high: 4}}
  width: {path: "network.stages[each].width", levels: [8, 12, 16, 24]}
constraints: {macs: {max: 3e6}}"""


def searching(screened: str = "", sampler: str = "random", trials: int = 10) -> Any:
    return plan(FACTORS, f"design: {{kind: search, trials: {trials}, sampler: {sampler}, startup: 4{screened}}}")


def run(made: Any, memory: Memory, finished: dict[str, Any], trials: int = 10**9) -> list[str]:
    queue, found = Proposed(made, memory, finished), []  # type: ignore[arg-type]
    while len(found) < trials and (trial := queue.next()) is not None:
        finished[trial.name] = {"status": "completed", "val_accuracy": 0.5 + made.arms[trial.arm].cost.params / 1e7}
        queue.finished(trial, finished[trial.name])
        found.append(trial.arm)
    return found


def test_synflow_is_the_flow_through_absolute_weights_once_a_layer_and_norms_let_it_through() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    norm = nn.BatchNorm1d(4)
    norm.weight.data.zero_()  # as zero_init_residual begins
    flow = (second.weight.abs().double() @ first.weight.abs().double()).sum().item()
    found = synflow(nn.Sequential(first, norm, nn.ReLU(), second), (3,))
    assert found == pytest.approx(math.log(2 * flow), abs=1e-12)  # each of two layers sees all of it


def test_naswot_is_the_log_determinant_of_how_many_units_agree() -> None:
    network = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU())
    network[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    images = torch.tensor([[1.0, -2.0], [1.0, 1.0], [-1.0, -1.0]])  # codes 1 0 0, 1 1 1 and 0 0 0
    kernel = np.array([[3, 1, 2], [1, 3, 0], [2, 0, 3]])
    assert naswot(network, images) == pytest.approx(math.log(np.linalg.det(kernel)))
    assert naswot(network, images[[0, 0]]) == -math.inf
    assert naswot(nn.Linear(2, 3), images) == -math.inf


@pytest.mark.parametrize("kind", PROXIES.kinds())
def test_every_proxy_gives_a_real_network_the_same_finite_score_again(kind: str) -> None:
    arm, proxy = searching().baseline, PROXIES.parse(kind)
    assert isinstance(arm, Arm)
    assert math.isfinite(proxy.score(arm))
    assert proxy.score(arm) == proxy.score(arm)


@pytest.mark.parametrize("sampler", ["random", "evolution", "nsga2"])
def test_the_best_of_every_few_proposals_is_trained_and_a_search_that_was_cut_goes_on_alike(sampler: str) -> None:
    screened = ", prescreen: {proxy: params, candidates: 5}"
    whole = searching(screened, sampler)
    found, memory, finished = run(whole, Memory(), {}), Memory(), dict[str, Any]()
    first = run(searching(screened, sampler), memory, finished, trials=6)
    assert first + run(searching(screened, sampler), memory, finished) == found
    assert len(set(found)) == 10
    scores = proxy_scores(memory.entries)
    assert scores == {arm: whole.arms[arm].cost.params for arm in found[1:]}
    if sampler == "random":
        generator = random.Random(0)
        drawn = [whole.judge(draw(whole.space, generator)) for _ in range(200)]
        usual = np.quantile([arm.cost.params for arm in drawn if arm.status == "run"], 0.5)
        assert sum(score > usual for score in scores.values()) >= 7  # each is the most of five


def test_the_page_says_how_the_proxy_ranked_what_was_trained() -> None:

    arms = [f"arm{number}" for number in range(12)]
    told = {"proxy": "synflow", "candidates": 4, "scores": {arm: float(place) for place, arm in enumerate(arms)}}
    trials = pd.DataFrame({"phase": "explore", "status": "completed", "arm": arms, "val_accuracy": np.arange(12) / 20})
    table: Any = SimpleNamespace(design=SimpleNamespace(prescreen=told), trials=trials)
    said = prescreen(table)
    assert "Of every 4 proposals the best by synflow was trained." in said
    assert "Kendall’s tau is 1.00 [" in said
    assert said.endswith("as it chose them, it may agree better with accuracy over all that was proposed.")
    trials["val_accuracy"] = [0.5, 0.6] * 6
    said = prescreen(table)
    assert said.endswith("This cannot tell whether it helps.")
    assert "leave out" not in said
    table.trials = pd.concat([trials, trials.iloc[:1].assign(phase="random")])
    assert prescreen(table).endswith(
        "This cannot tell whether it helps; how the whole search does beside random search is below."
    )
    table.trials = trials.assign(val_accuracy=np.arange(12)[::-1] / 20)
    assert prescreen(table).endswith(
        " It puts the better of these arms last: leave out prescreen, or choose another proxy."
    )
    table.trials = trials.iloc[:3]
    assert "can’t be told: 3 arms with a proxy’s score that were trained to their end" in prescreen(table)
