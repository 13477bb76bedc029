"""Strided 1x1 convolutions of few channels, which torch 2.14 can't train on a CPU with the channels innermost."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from blocks.layers import Conv
from blocks.modules import StridedPointwiseConv2d


@pytest.mark.parametrize("in_channels", [3, 4, 7, 8])
@pytest.mark.parametrize("stride", [2, 3])
def test_it_computes_what_torch_does_in_the_other_layout(in_channels: int, stride: int) -> None:
    module = Conv(in_channels, 8, 1, stride).build()
    plain = nn.Conv2d(in_channels, 8, 1, stride, bias=False)
    assert isinstance(module, StridedPointwiseConv2d)
    plain.load_state_dict(module.state_dict())
    module.to(memory_format=torch.channels_last)
    for _ in range(20):  # one step alone seldom hits what it must not
        x = torch.randn(16, in_channels, 9, 9)
        ours, theirs = x.contiguous(memory_format=torch.channels_last).requires_grad_(), x.clone().requires_grad_()
        module.zero_grad()
        plain.zero_grad()
        outputs = module(ours), plain(theirs)
        for output in outputs:
            output.square().sum().backward()
        torch.testing.assert_close(*outputs)
        torch.testing.assert_close(module.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_only_strided_pointwise_convolutions_are_special() -> None:
    assert type(Conv(4, 8, 1, 1).build()) is nn.Conv2d
    assert type(Conv(4, 8, 3, 2).build()) is nn.Conv2d
