"""What a sample of images tells of a network's inside, against networks made for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from blocks import NetworkSpec
from blocks.block import BLOCKS
from blocks.laws.subject import subject
from blocks.parts.activation import ACTIVATIONS
from search.data import Images, Splits
from search.train.diagnosis.probe import RELU_LIKE, probe
from search.train.feed import Feed
from tests.search.train.specs import network_for

CPU = torch.device("cpu")


def feed_of(splits: Splits) -> Feed:
    return Feed.of(splits.validation, splits, CPU)


def test_a_unit_that_never_fires_is_counted_and_no_other(patterns: Splits) -> None:
    network = network_for(patterns, width=8).build(0).eval()
    assert sum(probe(network, feed_of(patterns), 60, 32).dead.values()) == 0
    norm = next(module for module in network.stem.modules() if isinstance(module, nn.BatchNorm2d))
    with torch.no_grad():
        norm.bias[[1, 5]] = -1000.0
    found = probe(network, feed_of(patterns), 60, 32)
    assert (found.dead["stem"], found.units["stem"]) == (2, 8)
    assert found.sparsity["stem"] > 2 / 8


@pytest.mark.parametrize("kind", ACTIVATIONS.kinds())
def test_activations_that_fall_silent_are_counted_and_those_that_do_not_are_not(kind: str, patterns: Splits) -> None:
    network = network_for(patterns, block={"kind": "basic", "activation": kind}).build(0).eval()
    module = ACTIVATIONS.parse(kind).layer().build()
    far = torch.tensor([-30.0], requires_grad=True)
    (slope,) = torch.autograd.grad(module(far).sum(), far)
    silent = slope.abs().item() < 1e-6 and abs(module(far).item()) < 1e-6
    assert isinstance(module, RELU_LIKE) == silent
    assert ("stages.0" in probe(network, feed_of(patterns), 60, 32).units) == silent


@pytest.mark.parametrize("kind", BLOCKS.kinds())
def test_every_family_is_seen_and_left_as_it_was(kind: str, patterns: Splits) -> None:
    spec = subject(BLOCKS.parse(kind), (3, 16, 16), 16).network
    network = spec.build(0)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 3, 16, 16), np.uint8)
    feed = Feed(
        torch.from_numpy(pixels), torch.zeros(20, dtype=torch.long), torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)
    )
    network.stem.eval()  # frozen norms, say
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    found = probe(network, feed, 20, 4)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
    assert not network.stem.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert found.distinct
    assert set(found.deviation) >= {"input", "stem", "stages.0", "head"}
    norms = {name.rpartition(".")[0] for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert bool(found.noise) == bool(norms)


def test_means_of_batches_are_those_of_numpy(patterns: Splits) -> None:
    network = network_for(patterns, width=4).build(0)
    feed = feed_of(patterns)
    conv, norm = (module for module in network.stem.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)))
    norm.running_mean.fill_(0.5)
    norm.running_var.fill_(4.0)
    found = probe(network, feed, 60, 4)
    with torch.no_grad():
        out = conv(feed.normalised(feed.pixels)).numpy()  # 60 images
    means = (out.reshape(15, 4, *out.shape[1:]).mean((1, 3, 4)) - 0.5) / np.sqrt(4 + norm.eps)
    assert len(feed.labels) == 60
    assert found.noise["stem"] == pytest.approx(float(np.sqrt((means**2).mean())), rel=1e-4)
    assert found.drift["stem"] == pytest.approx(float(np.sqrt((means.mean(0) ** 2).mean())), rel=1e-4)


def test_images_are_taken_from_all_over_the_split(patterns: Splits) -> None:
    """Folders are sorted by class: the first images are all of one."""
    order = np.argsort(patterns.validation.labels, kind="stable")
    ordered = Images(patterns.validation.pixels[order], patterns.validation.labels[order])
    feed = Feed.of(ordered, patterns, CPU)
    seen: list[Any] = []
    network = network_for(patterns).build(0)
    network.stem.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    probe(network, feed, 6, 2)
    expected = feed.normalised(feed.pixels[[0, 12, 24, 35, 47, 59]])
    assert torch.equal(torch.cat(seen), expected)


def test_a_network_that_tells_no_images_apart_is_told(patterns: Splits) -> None:
    network = network_for(patterns).build(0)
    assert probe(network, feed_of(patterns), 10, 5).distinct
    with torch.no_grad():
        next(iter(network.stem.parameters())).zero_()
    assert not probe(network, feed_of(patterns), 10, 5).distinct


def test_units_of_gates_are_no_units_of_a_stage(patterns: Splits) -> None:
    def units(**block: Any) -> int:
        spec: NetworkSpec = network_for(patterns, width=16, block={"kind": "basic", **block})
        return probe(spec.build(0), feed_of(patterns), 10, 5).units["stages.0"]

    assert units(attention="se") == units() == 32
