"""Quantisation-aware training: the forward pass rounds as int8 does, and the network is trained all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from blocks import Metadata, prune, save_model, weights_into
from search.data import Splits
from search.train.fits import missing
from search.train.loop import Trial, train
from search.train.step import Step
from search.train.tally import Score
from tests.search.train.specs import network_for, recipe_of

CPU = torch.device("cpu")
INT8 = {"evaluation": {"int8": True}, "diagnosis": "off"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"evaluation": {}}, "set evaluation: {int8: true} too"),
        ({"checkpointing": True}, "not with checkpointing"),
        ({"compile": "on"}, "not with compile"),
        ({"precision": "bfloat16"}, "not with precision: bfloat16"),
        ({"freeze": ["stem"]}, "not with freeze"),
        ({"freeze_batch_norm": "both"}, "not with freeze_batch_norm"),
        ({"batch_size": 1}, "on two images at a time"),
        ({"quantisation_aware": {"start": 1.0}}, "less than 1"),
    ],
)
def test_what_does_not_go_with_it_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recipe_of(**{"quantisation_aware": {}, **INT8, **fields})


def test_recipes_without_it_are_what_they_were() -> None:
    assert "quantisation_aware" not in recipe_of(**INT8).content()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.train.fits.find_spec", lambda name: None if name == "torchao" else object())
    recipe = recipe_of(quantisation_aware={}, **INT8)
    assert missing(recipe) == (
        "quantisation-aware training needs torchao, which isn't there: pip install 'residual-search[qat]'",
        ("train", "quantisation_aware"),
    )
    assert missing(recipe_of(**INT8)) is None


@pytest.mark.slow
def test_it_rounds_from_its_start_on_and_the_network_is_what_is_trained(
    patterns: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchao")
    spec = network_for(patterns, width=8)
    outcome = train(spec, recipe_of(optimizer={"kind": "sgd", "lr": 0.1}), patterns, 0, keep_weights=True)
    assert outcome.weights is not None
    network = spec.build(0)
    weights_into(network, outcome.weights)
    metadata = Metadata(labels=patterns.classes, input=(3, 8, 8), mean=patterns.mean, std=patterns.std)
    save_model(tmp_path / "w.safetensors", network, metadata)
    smaller = prune(network, 0.5).spec
    init = {"file": str(tmp_path / "w.safetensors"), "prune": {"fraction": 0.5}}
    recipe = recipe_of(init=init, quantisation_aware={"start": 0.5}, optimizer={"kind": "sgd", "lr": 0.05}, **INT8)
    seen: list[bool] = []

    class Watching:
        def after_backward(self, step: Step, loss: torch.Tensor) -> None:
            """Nothing is asked of it."""

        def after_step(self, step: Step) -> None:
            assert step.rounded is not None
            seen.append(step.rounded.begun)

        def after_epoch(self, trial: Trial, epoch: Any) -> None:
            """Nor of this."""

    trial = Trial(smaller, recipe, patterns, 0, CPU, observers=[Watching()])
    before = {name: value.clone() for name, value in trial.network.state_dict().items()}
    ended = trial.run(keep_weights=True)
    half = len(seen) // 2
    assert seen == [False] * half + [True] * half
    assert all(not torch.equal(value, before[name]) for name, value in trial.network.state_dict().items())
    rounded, images = trial.step.rounded, torch.randn(8, 3, 8, 8)
    assert rounded is not None
    with torch.no_grad():
        found, whole = rounded(images), trial.network.train()(images)
    assert 0 < float((found - whole).abs().max()) < 0.3 * float(whole.abs().max())
    assert ended.status == "completed"
    assert ended.epochs[-1].val_accuracy > 0.5  # of the int8 graph; chance is a third
    paused = train(smaller, recipe, patterns, 0, until=1)
    assert paused.status == "paused"
    # what its int8 graph answers was seen above, and takes most of the time
    monkeypatch.setattr("search.train.loop.measured_int8", lambda *_: (Score(1.0, 0.5, 1.0), numpy.ones(1, bool)))
    went_on = train(smaller, recipe, patterns, 0, keep_weights=True, checkpoint=paused.checkpoint)
    assert went_on.weights == ended.weights  # as if it had never paused
