"""What trained as several layers computed as one convolution: RepVGG's branches, and batch norms behind convolutions.

A folded RepVGG (https://arxiv.org/abs/2101.03697) is a network with a spec of its own. One whose batch norms are folded
is a module for inference, no more.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from blocks.errors import InfeasibleSpec
from blocks.families.repvgg import RepVGGBlockSpec
from blocks.network import Network
from blocks.spec import NetworkSpec
from blocks.stage import StageSpec
from blocks.weights import TrainedNetwork


@torch.no_grad()
def fold(network: Network) -> Network:
    """Returns a network of the same logits whose RepVGG blocks are folded, in evaluation mode; the given one stays.

    Raises:
        InfeasibleSpec: If there is no RepVGG block to fold, or one whose norm depends on the image.
    """
    tensors = dict(network.state_dict())
    nothing = True
    for index, stage in enumerate(network.spec.stages):
        for place in range(stage.depth):
            block = stage.block_at(place)
            if _foldable(block):
                _fold_block(network, f"stages.{index}.{place}", tensors)
                nothing = False
    if nothing:
        raise InfeasibleSpec("there is nothing to fold: no block is a repvgg that isn't folded yet")
    stages = [_folded_stage(stage, index) for index, stage in enumerate(network.spec.stages)]
    folded = NetworkSpec.model_validate({**network.spec.plain(), "stages": stages}).build(seed=0)
    folded.load_state_dict(tensors)
    if isinstance(network, TrainedNetwork):
        folded = network.with_network(folded)
    some = next(network.parameters())
    return folded.to(some.device, some.dtype).eval()


@torch.no_grad()
def for_inference(network: Network) -> Network:
    """Returns a copy of the same logits, in evaluation mode, whose batch norms are folded into the convolutions before
    them, RepVGG's branches too. Norms that follow no convolution, as pre-activation has them, stay.

    Its modules are no longer those that its spec describes: it is to be run or exported, not saved.
    """
    branched = any(_foldable(stage.block_at(place)) for stage in network.spec.stages for place in range(stage.depth))
    try:
        copy = fold(network) if branched else deepcopy(network).eval()
    except InfeasibleSpec:  # its norms depend on the image
        copy = deepcopy(network).eval()
    for chain in [module for module in copy.modules() if isinstance(module, nn.Sequential)]:
        names = [name for name, _ in chain.named_children()]
        for before, after in pairwise(names):
            conv, norm = chain.get_submodule(before), chain.get_submodule(after)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(chain, before, fuse_conv_bn_eval(conv, norm))
                setattr(chain, after, nn.Identity())
    return copy


def _foldable(block: Any) -> bool:
    return isinstance(block, RepVGGBlockSpec) and not block.folded


def _folded_stage(stage: StageSpec, index: int) -> dict[str, Any]:
    overrides, start = [], 0
    for block, end in stage.runs(index):
        if block != stage.block:
            overrides.append({"at": list(range(start, end)), "set": _folded_block(block)})
        start = end
    return {**stage.plain(), "block": _folded_block(stage.block), "overrides": overrides}


def _folded_block(block: Any) -> dict[str, Any]:
    plain: dict[str, Any] = block.plain()
    return {**plain, "folded": True, "norm": {"kind": "none"}} if _foldable(block) else plain


def _fold_block(network: Network, name: str, tensors: dict[str, Tensor]) -> None:
    """Puts a block's single convolution in its branches' place."""
    branches = network.get_submodule(f"{name}.sum")
    weight, bias = _as_convolution(branches)
    for tensor in branches.state_dict():
        del tensors[f"{name}.sum.{tensor}"]
    tensors[f"{name}.conv.weight"], tensors[f"{name}.conv.bias"] = weight, bias


def _as_convolution(branches: nn.Module) -> tuple[Tensor, Tensor]:
    """Returns the weight and bias, in float64, whose convolution is the sum of the branches."""
    whole = _exact(branches.get_parameter("spatial.conv.weight"))
    weight, bias = torch.zeros_like(whole), torch.zeros_like(whole[:, 0, 0, 0])
    for branch in branches.children():
        layers = dict(branch.named_children()) if isinstance(branch, nn.Sequential) else {"norm": branch}
        conv, norm = layers.get("conv"), layers.get("norm")
        scale, shift = _affine(norm, bias)
        kernel = _exact(conv.weight) if isinstance(conv, nn.Conv2d) else _identity(whole)
        margin = (whole.shape[-1] - kernel.shape[-1]) // 2
        weight += scale[:, None, None, None] * functional.pad(kernel, [margin] * 4)
        bias += shift
        if isinstance(conv, nn.Conv2d) and conv.bias is not None:
            bias += scale * _exact(conv.bias)
    return weight, bias


def _affine(norm: nn.Module | None, like: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the scale and shift a channel that a norm is in evaluation."""
    if norm is None or isinstance(norm, nn.Identity):
        return torch.ones_like(like), torch.zeros_like(like)
    if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None or norm.running_var is None:
        raise InfeasibleSpec(f"only a batch norm can be folded into a convolution: {norm} depends on the image")
    scale = _exact(norm.weight) / torch.sqrt(_exact(norm.running_var) + norm.eps)
    return scale, _exact(norm.bias) - scale * _exact(norm.running_mean)


def _identity(like: Tensor) -> Tensor:
    """Returns the 1x1 kernel that leaves a map as it is, for a convolution of as many channels and groups."""
    channels, in_a_group = like.shape[:2]
    kernel = torch.zeros(channels, in_a_group, 1, 1, dtype=like.dtype)
    kernel[range(channels), [channel % in_a_group for channel in range(channels)]] = 1
    return kernel


def _exact(tensor: Tensor) -> Tensor:
    return tensor.to("cpu", torch.float64)
