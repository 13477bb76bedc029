"""Pruned networks are ordinary networks, made of the channels with the largest filters."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from blocks import InfeasibleSpec, Network, NetworkSpec, prune
from blocks.block import BLOCKS
from blocks.channels import Channels
from blocks.narrowing import tied, uniform
from tests.blocks.networks import feasible_for, small

NOT_PRUNED = {"transformer"}
"""Families whose heads are not taken apart."""

IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def silenced(network: Network, smaller: NetworkSpec) -> Network:
    """Returns a network in which the channels that pruning takes away put out nothing."""
    channels = Channels.of(network, Network(smaller))
    kept = channels._kept(network.state_dict())
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name, cuts in channels._cuts.items():
        for cut in cuts:
            gone = [place for place, node in enumerate(cut.nodes) if channels._class(node) not in kept]
            if cut.dim == 0 and not name.endswith(("running_mean", "running_var")):
                tensors[name][gone] = 0
    network.load_state_dict(tensors)
    return network


@pytest.mark.parametrize("family", sorted(BLOCKS.kinds().keys() - NOT_PRUNED))
def test_what_is_pruned_is_what_put_out_nothing(family: str) -> None:
    """A channel whose filter, scale and shift are 0 puts out 0: taking it away changes no logit."""
    norm = {"norm": "batch"} if "norm" in BLOCKS.kinds()[family].model_fields else {}
    spec = small({"kind": family, **norm}, width=16)
    smaller = uniform(spec, 0.5)
    network = silenced(spec.build(0).eval(), smaller)
    pruned = prune(network, 0.5)
    assert pruned.spec == smaller
    with torch.no_grad():
        torch.testing.assert_close(pruned(IMAGES), network(IMAGES), rtol=1e-4, atol=1e-5)
    assert pruned.spec.cost((3, 16, 16)).macs < 0.5 * spec.cost((3, 16, 16)).macs


@pytest.mark.parametrize(
    ("field", "kind"), [("attention", "se"), ("attention", "cbam"), ("shortcut", "zero_padded"), ("norm", "group")]
)
def test_with_parts(field: str, kind: str) -> None:
    pruned = prune(feasible_for("basic", field, kind).build(0), 0.5)
    assert pruned(IMAGES).shape == (2, 5)


def test_what_cannot_be_pruned_is_said() -> None:
    with pytest.raises(
        InfeasibleSpec, match=r"stages.0.0.*DotProductAttention can't be pruned: its channels aren't alike"
    ):
        prune(small("transformer", width=16).build(0), 0.5)


@pytest.mark.parametrize("scope", ["uniform", "global"])
def test_grouped_convolutions_lose_whole_groups(scope: Any) -> None:
    """Of four groups of 6 channels the two with the smallest filters go; groups of 6 are no power of two."""
    block = {"kind": "regnet_y", "group_width": 6}
    spec = NetworkSpec.model_validate(
        {"stem": {"kind": "conv3x3", "width": 12}, "stages": [{"block": block, "depth": 1, "width": 24}]}
    )
    network = spec.build(0).eval()
    conv = network.get_submodule("stages.0.0.branch.conv2")
    assert isinstance(conv, nn.Conv2d)
    with torch.no_grad():
        for name in ("conv1", "conv2"):
            network.state_dict()[f"stages.0.0.branch.{name}.weight"][6:18] *= 0.01
    pruned = prune(network, 0.5, scope)
    smaller = pruned.get_submodule("stages.0.0.branch.conv2")
    assert isinstance(smaller, nn.Conv2d)
    assert (smaller.groups, smaller.in_channels) == (2, 12)
    assert torch.equal(smaller.weight, torch.cat([conv.weight[:6], conv.weight[18:]]))
    assert pruned(IMAGES).shape == (2, 1000)
    assert [
        stage.width % 16
        for stage in prune(NetworkSpec.model_validate({"preset": "regnet_x_400mf"}).build(0), 0.3).spec.stages
    ] == [0] * 4


def test_the_smallest_filters_go() -> None:
    network = small("basic", strides=(1,), depth=1).build(0)
    conv = network.get_submodule("stages.0.0.branch.conv1")
    assert isinstance(conv, nn.Conv2d)
    with torch.no_grad():
        conv.weight[[1, 4, 6, 7]] *= 0.01
    pruned = prune(network, 0.5).get_submodule("stages.0.0.branch.conv1")
    assert isinstance(pruned, nn.Conv2d)
    stream = prune(network, 0.5).state_dict()["stem.conv.weight"]
    rows = [row for row, filter_ in enumerate(network.state_dict()["stem.conv.weight"]) if any(
        torch.equal(filter_, other) for other in stream
    )]  # fmt: skip
    assert torch.equal(pruned.weight, conv.weight[[0, 2, 3, 5]][:, rows])


def test_global_pruning_takes_more_where_filters_are_small() -> None:
    spec = NetworkSpec.model_validate({"preset": "resnet20"})
    network = spec.build(0)
    with torch.no_grad():  # half of the last stage's filters do next to nothing
        for name, tensor in network.state_dict().items():
            if name.startswith("stages.2.") and tensor.ndim == 4:
                tensor[::2] *= 0.01
    pruned = prune(network, 0.3, "global").spec
    widths = [stage.width for stage in pruned.stages]
    assert widths[2] < 0.7 * 64
    assert widths[2] / 64 < min(widths[0] / 16, widths[1] / 32)


def test_widths_stay_multiples_where_engines_want_them() -> None:
    spec = small("bottleneck", width=32)
    assert [stage.width for stage in prune(spec.build(0), 0.6, multiple_of=8).spec.stages] == [16, 16]
    assert [stage.width for stage in prune(spec.build(0), 0.6).spec.stages] == [13, 13]
    pruned = prune(spec.build(0), 0.4, "global", 8).spec
    assert all(stage.width % 8 == 0 for stage in pruned.stages)


def test_widths_that_an_identity_ties_go_together() -> None:
    spec = feasible_for("basic", "shortcut", "identity")
    assert tied(spec) == [(("stem", "width"), ("stages", 0, "width"))]
    pruned = prune(spec.build(0), 0.5).spec
    assert pruned.stem.plain()["width"] == pruned.stages[0].width == 4


@pytest.mark.parametrize(
    ("fraction", "said"),
    [(0.99, "of a width of 8 channels leaves nothing"), (0.001, "takes no channel away"), (1.0, "below 1, not 1")],
)
def test_pruning_to_nothing_or_of_nothing(fraction: float, said: str) -> None:
    with pytest.raises(InfeasibleSpec, match=said):
        prune(small("basic").build(0), fraction)


def test_a_pruned_network_trains_and_is_costed_like_any_other() -> None:
    network = small("bottleneck", width=16).build(0)
    pruned: Any = prune(network, 0.3).train()
    pruned(IMAGES).square().mean().backward()
    assert all(parameter.grad is not None for parameter in pruned.parameters())
    params = sum(parameter.numel() for parameter in pruned.parameters())
    assert params == pruned.spec.cost((3, 16, 16)).params
