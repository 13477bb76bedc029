"""Trials that pause between epochs and go on: to the bit as if they hadn't."""

from __future__ import annotations

from typing import Any

import pytest

from search.data import Splits
from search.train.loop import train
from tests.search.train.specs import network_for, recipe_of
from tests.search.train.test_loop import without_times

RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {"augment": {"crop": 1, "flip": "alternating", "policy": "trivial_augment", "mixup": 0.2}},
    "adamw": {"optimizer": {"kind": "adamw"}, "ema": {"decay": 0.9}, "augment": {"cutout": 3}},
    "muon": {"optimizer": {"kind": "muon"}, "clip_norm": 1.0, "accumulation": 2},
    "rmsprop": {"optimizer": {"kind": "rmsprop", "lr": 0.01}, "schedule": {"kind": "cosine", "warmup_epochs": 1}},
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_paused_trial_goes_on_to_the_same_bits(patterns: Splits, name: str) -> None:
    recipe = recipe_of(epochs=5, **RECIPES[name])
    network = network_for(patterns, block={"kind": "basic", "dropout": 0.2})
    whole = train(network, recipe, patterns, 3, keep_weights=True)
    first = train(network, recipe, patterns, 3, until=2)
    assert first.status == "paused"
    assert first.epochs_to_target is None
    assert first.weights is None
    assert [epoch.val_loss for epoch in first.epochs] == [epoch.val_loss for epoch in whole.epochs[:2]]
    second = train(network, recipe, patterns, 3, until=3, checkpoint=first.checkpoint)
    last = train(network, recipe, patterns, 3, until=9, checkpoint=second.checkpoint, keep_weights=True)
    assert last.status == "completed"
    assert last.checkpoint is None
    assert last.weights == whole.weights
    assert without_times(last) == without_times(whole)
    assert last.train_seconds > first.train_seconds


def test_a_trial_that_is_over_by_its_own_rule_does_not_pause(patterns: Splits) -> None:
    recipe = recipe_of(epochs=6, early_stopping={"patience": 1, "min_delta": 9.0})
    assert train(network_for(patterns), recipe, patterns, 0, until=2).status == "completed"
