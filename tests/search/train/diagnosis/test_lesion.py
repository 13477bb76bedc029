"""A network without a branch, against one that is built without it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blocks import NetworkSpec, weights_into
from blocks.block import BLOCKS
from blocks.laws.subject import subject
from blocks.modules import ResidualSum
from blocks.network import Network
from search.data import Splits
from search.train.diagnosis.lesion import lesions, without_branches
from search.train.feed import Feed
from search.train.loop import train
from tests.search.train.specs import network_for, recipe_of

CPU = torch.device("cpu")


def test_a_block_of_identity_is_one_that_is_not_there(patterns: Splits) -> None:
    """Basic blocks of one width: without its branch, relu(x) of an x that is not negative, a block is x."""
    deep, shallow = (network_for(patterns, width=8, depth=depth).build(0) for depth in (3, 2))
    moved = {name.replace("stages.0.2.", "stages.0.1."): value for name, value in deep.state_dict().items()}
    shallow.load_state_dict({name: moved[name] for name in shallow.state_dict()})
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    deep.eval()
    shallow.eval()
    with torch.no_grad(), without_branches(deep.blocks()[1][1]):
        assert torch.equal(deep(images), shallow(images))
    assert not torch.equal(deep(images), shallow(images))


@pytest.mark.parametrize("kind", BLOCKS.kinds())
def test_in_every_family_it_is_the_sum_with_a_branch_of_zeros(kind: str) -> None:
    found = subject(BLOCKS.parse(kind), (3, 16, 16), 16)
    network = found.network.build(0).eval()
    with torch.no_grad():
        for _, block in network.blocks():
            x = network.stem(found.images())
            for _, earlier in network.blocks():
                if earlier is block:
                    break
                x = earlier(x)
            sums = [module for module in block.modules() if isinstance(module, ResidualSum) and module.shortcut]
            hooks = [module.branch.register_forward_hook(zeros) for module in sums]
            expected = block(x)
            for hook in hooks:
                hook.remove()
            with without_branches(block):
                assert torch.equal(block(x), expected)
            assert not any("forward" in module.__dict__ for module in block.modules())


def zeros(module: object, given: object, out: Tensor) -> Tensor:
    return torch.zeros_like(out)


def test_accuracies_are_those_of_the_networks_without_each_block(patterns: Splits) -> None:
    spec = network_for(patterns, width=8, depth=3)
    outcome = train(spec, recipe_of(epochs=6), patterns, 0, keep_weights=True)
    assert outcome.weights is not None
    network = spec.build(0)
    weights_into(network, outcome.weights)
    feed = Feed.of(patterns.validation, patterns, CPU)
    found = lesions(network, feed)
    assert found.images == len(patterns.validation)
    assert found.accuracy == outcome.epochs[-1].val_accuracy
    assert list(found.blocks) == ["stages.0.0", "stages.0.1", "stages.0.2"]
    for ((_, index), block), accuracy in zip(network.blocks(), found.blocks.values(), strict=True):
        with torch.no_grad(), without_branches(block):
            logits = network(feed.normalised(feed.pixels))
        assert accuracy == (logits.argmax(1) == feed.labels).double().mean().item(), index
    assert found.blocks["stages.0.0"] < found.accuracy


def test_blocks_without_a_shortcut_are_left_out(patterns: Splits) -> None:
    plain: NetworkSpec = network_for(patterns, depth=2, block={"kind": "basic", "shortcut": "none"})
    network: Network = plain.build(0)
    assert lesions(network, Feed.of(patterns.validation, patterns, CPU)).blocks == {}
