"""The torch modules that torch itself doesn't have."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional


class StridedPointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution with a stride, which on a CPU first takes the pixels that the stride picks: the same numbers.

    In torch 2.14 the weight gradient of such a convolution writes past its memory on a CPU if there are fewer than 8
    input channels and they are innermost in memory: the process dies of it, then or later.
    """

    FEWEST = 8
    """Input channels (of a group) from which on torch's own way is safe."""

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        innermost = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        if not innermost or x.device.type != "cpu" or self.in_channels // self.groups >= self.FEWEST:
            return super().forward(x)
        down, right = self.stride
        return functional.conv2d(x[:, :, ::down, ::right], self.weight, self.bias, groups=self.groups)


class ResidualSum(nn.Module):
    """activation(branch(b) + shortcut(s)) with b = before(x); without a shortcut, activation(branch(b)).

    s is x, or b if ``shared``. With ``precise`` the sum is one of float32, whatever the precision of its summands.

    While training, the branch of each image is dropped with probability ``drop_path``, and otherwise divided by the
    probability that it stays (Huang et al. 2016, https://arxiv.org/abs/1603.09382). The network sets it.

    Raises:
        ValueError: If the two summands differ in shape. Adding would broadcast, silently.
    """

    def __init__(
        self,
        branch: nn.Module,
        shortcut: nn.Module | None,
        activation: nn.Module,
        *,
        before: nn.Module | None = None,
        shared: bool = False,
        precise: bool = False,
    ) -> None:
        super().__init__()
        self.before = before
        self.branch = branch
        self.shortcut = shortcut
        self.activation = activation
        self.shared, self.precise = shared, precise
        self.drop_path = 0.0

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        ready: Tensor = x if self.before is None else self.before(x)
        out: Tensor = self.branch(ready)
        if self.shortcut is not None:
            beside: Tensor = self.shortcut(ready if self.shared else x)
            if out.shape != beside.shape:
                raise ValueError(
                    f"a residual sum needs equal shapes, but the branch gives {tuple(out.shape)} "
                    f"and the shortcut {tuple(beside.shape)}"
                )
            if self.drop_path > 0 and self.training:
                out = drop_path(out, self.drop_path)
            out = out.float() + beside.float() if self.precise else out + beside
        activated: Tensor = self.activation(out)
        return activated


def drop_path(x: Tensor, rate: float) -> Tensor:  # N C H W -> N C H W
    """Sets whole images of a batch to 0 with this probability; divides the others by the probability of staying."""
    stays = torch.full((x.shape[0], 1, 1, 1), 1 - rate, dtype=x.dtype, device=x.device)
    return x * (torch.bernoulli(stays) / max(1 - rate, torch.finfo(x.dtype).tiny))


class Scaled(nn.Module):
    """x * gate(x), where the gate gives one number a channel, or one a position."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C H W
        gate: Tensor = self.gate(x)  # N C 1 1 or N 1 H W
        return x * gate


class SumOf(nn.Module):
    """The sum of what several modules make of x, which must be of equal shapes."""

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        first, *others = [module(x) for module in self.children()]
        total: Tensor = first
        for other in others:
            if other.shape != total.shape:
                raise ValueError(f"a sum needs equal shapes, not {tuple(total.shape)} and {tuple(other.shape)}")
            total = total + other
        return total


class Concatenated(nn.Module):
    """x with the channels of branch(x) behind its own."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C + C' H W
        return torch.cat((x, self.branch(x)), dim=1)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of each position of a map, as in ConvNeXt (https://arxiv.org/abs/2201.03545)."""

    def forward(self, input: Tensor) -> Tensor:  # N C H W -> N C H W
        last = input.permute(0, 2, 3, 1)  # N H W C
        return functional.layer_norm(last, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """scale * x, a learned scale a channel (Touvron et al. 2021, https://arxiv.org/abs/2103.17239)."""

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.channels, self.initial = channels, initial
        self.scale = nn.Parameter(torch.empty(channels, 1, 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Starts every channel at the same scale."""
        nn.init.constant_(self.scale, self.initial)

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C H W
        return x * self.scale


class ChannelConvolution(nn.Conv1d):
    """A convolution along the channels of vectors (Wang et al. 2019, https://arxiv.org/abs/1910.03151)."""

    def __init__(self, kernel: int) -> None:
        super().__init__(1, 1, kernel, padding=kernel // 2, bias=False)
        self.kernel = kernel

    def forward(self, input: Tensor) -> Tensor:  # N C 1 1 -> N C 1 1
        return super().forward(input.flatten(2).transpose(1, 2)).transpose(1, 2).unsqueeze(-1)


class BlurPool(nn.Module):
    """A fixed binomial filter of 3x3, then every stride-th row and column (https://arxiv.org/abs/1904.11486).

    The border is reflected where it can be (not in maps of one row or column, whose edge is repeated).
    """

    kernel: Tensor

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", row.outer(row).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C H' W'
        mode = "reflect" if x.shape[-1] > 1 and x.shape[-2] > 1 else "replicate"
        padded = functional.pad(x, (1, 1, 1, 1), mode=mode)
        return functional.conv2d(padded, self.kernel, stride=self.stride, groups=self.channels)


class ZeroPadding(nn.Module):
    """Every stride-th row and column, and channels of zeros behind those that there are."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.channels))


class DotProductAttention(nn.Module):
    """Attention among all positions of a map, from its queries, keys and values.

    The numbers of a position are laid side by side first: on other layouts torch falls back from its fused kernel to
    one that keeps positions^2 numbers a head.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, qkv: Tensor) -> Tensor:  # N 3C H W -> N C H W
        count, channels, height, width = qkv.shape
        last = qkv.permute(0, 2, 3, 1).contiguous()
        split = last.view(count, height * width, 3, self.heads, channels // (3 * self.heads))
        queries, keys, values = split.transpose(1, 3).unbind(2)  # N heads positions channels
        out = functional.scaled_dot_product_attention(queries, keys, values)
        return out.transpose(1, 2).reshape(count, height, width, channels // 3).permute(0, 3, 1, 2)
