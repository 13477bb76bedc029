"""A loss that stays where guessing stands: each cause is provoked, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import blocks.network
from blocks import NetworkSpec
from blocks.block import BLOCKS, BlockSpec, Site
from search.data import Images, Splits
from search.train.loop import train
from tests.blocks.plugins import forgotten
from tests.search.train.specs import network_for, recipe_of


def found(network: NetworkSpec, splits: Splits, **recipe: Any) -> dict[str, str]:
    """Returns the sentences of a trial by their kind."""
    given = {"epochs": 6, "batch_size": 32, "schedule": "constant"} | recipe
    diagnosis = train(network, recipe_of(**given), splits, 0).diagnosis
    assert diagnosis is not None
    return {finding["kind"]: finding["text"] for finding in diagnosis["findings"]}


STUCK = {
    "stuck",
    "zero_weights",
    "no_path",
    "unnormalised_input",
    "learning_rate_high",
    "learning_rate_low",
    "shuffled_labels",
    "constant_labels",
}


def without_norms(splits: Splits) -> NetworkSpec:
    plain = network_for(splits, width=8, block={"kind": "basic", "norm": "none"}).plain()
    plain["stem"]["norm"] = "none"
    return NetworkSpec.model_validate(plain)


def test_a_trial_that_learns_has_no_cause(patterns: Splits) -> None:
    assert not STUCK & found(network_for(patterns, width=8), patterns).keys()


def test_zero_weights(patterns: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    def zero(network: nn.Module, seed: int) -> None:
        for parameter in network.parameters():
            nn.init.zeros_(parameter)

    monkeypatch.setattr(blocks.network, "initialise", zero)
    said = found(network_for(patterns), patterns)
    assert said["zero_weights"] == (
        "the loss stays near ln(3) = 1.10: all weights of the stem are zero, and no step changes them"
    )


class Detached(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x) + 0 * x


def test_no_path_for_the_gradient(patterns: Splits) -> None:
    with forgotten():

        class Severed(BlockSpec):
            """y = 0"""

            kind: Literal["severed"] = "severed"

            def module(self, site: Site) -> nn.Module:
                return nn.Sequential(nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1), Detached())

        BLOCKS.register(Severed)
        try:
            said = found(network_for(patterns, block="severed"), patterns)
        finally:
            BLOCKS.forget(__name__)
    assert said["no_path"] == "the loss stays near ln(3) = 1.10: no gradient reaches the stem"


def test_a_gradient_that_vanishes_on_its_way_is_no_path(patterns: Splits) -> None:
    plain = without_norms(patterns).plain()
    plain["stages"][0] |= {"depth": 24, "block": {"kind": "plain", "norm": "none", "activation": "silu"}}
    said = found(NetworkSpec.model_validate(plain), patterns, epochs=4)
    assert said["no_path"].endswith(
        "it vanishes on its way: no shortcut in `plain` blocks and norm `none` at 26 layers"
    )


def test_images_that_are_not_normalised(patterns: Splits) -> None:
    raw = replace(patterns, mean=(0.0,) * 3, std=(1 / 255,) * 3)  # pixels from 0 to 255 go in as they are
    said = found(without_norms(patterns), raw, optimizer={"kind": "sgd", "lr": 0.1})
    assert "the images are not normalised, they have mean 1" in said["unnormalised_input"]


def test_a_learning_rate_that_is_too_high(patterns: Splits) -> None:
    said = found(network_for(patterns, width=8), patterns, optimizer={"kind": "sgd", "lr": 30})["learning_rate_high"]
    assert "the learning rate, 30, is too high: the loss left its start at step 2 and never came back" in said


def test_weights_that_a_high_rate_blew_up_are_not_said_to_lack_a_path(patterns: Splits) -> None:
    said = found(network_for(patterns, width=8), patterns, optimizer={"kind": "sgd", "lr": 1000})
    assert said.keys() & STUCK == {"learning_rate_high"}


def test_a_learning_rate_that_is_too_high_for_any_number(patterns: Splits) -> None:
    said = found(network_for(patterns, width=8), patterns, optimizer={"kind": "sgd", "lr": 1e30})
    assert said["learning_rate_high"].startswith("the learning rate, 1.0e+30, is too high: the loss was not finite at")


def test_a_learning_rate_that_is_too_low(patterns: Splits) -> None:
    said = found(network_for(patterns, width=8), patterns, optimizer={"kind": "sgd", "lr": 1e-6})
    assert (
        "the learning rate, 1.0e-06, is too low: all steps together move weights by at most"
        in (said["learning_rate_low"])
    )


def test_shuffled_labels(digits: Splits) -> None:
    shuffled = np.random.default_rng(0).permutation(digits.train.labels)
    splits = replace(digits, train=Images(digits.train.pixels, shuffled))
    said = found(network_for(digits), splits, epochs=3, optimizer={"kind": "sgd", "lr": 0.05})
    assert said["shuffled_labels"].startswith("the loss stays near ln(10) = 2.30: the labels look shuffled: ")


def test_constant_labels(patterns: Splits) -> None:
    constant = Images(patterns.train.pixels, np.full_like(patterns.train.labels, 2))
    said = found(network_for(patterns), replace(patterns, train=constant))
    assert said["constant_labels"] == "every training image is of class “pattern 2”: nothing is to be told apart"


def test_in_a_handful_of_steps_nothing_is_said(patterns: Splits) -> None:
    assert not STUCK & found(network_for(patterns), patterns, epochs=1, optimizer={"kind": "sgd", "lr": 1e-9}).keys()
