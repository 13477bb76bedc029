"""The torch modules that torch itself doesn't have."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ResidualSum(nn.Module):
    """activation(branch(x) + shortcut(x)); without a shortcut, activation(branch(x)).

    Raises:
        ValueError: If the two summands differ in shape. Adding would broadcast, silently.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module | None, activation: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        out: Tensor = self.branch(x)
        if self.shortcut is not None:
            beside: Tensor = self.shortcut(x)
            if out.shape != beside.shape:
                raise ValueError(
                    f"a residual sum needs equal shapes, but the branch gives {tuple(out.shape)} "
                    f"and the shortcut {tuple(beside.shape)}"
                )
            out = out + beside
        activated: Tensor = self.activation(out)
        return activated


class Scaled(nn.Module):
    """x * gate(x), where the gate gives one number a channel."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C H W
        gate: Tensor = self.gate(x)  # N C 1 1
        return x * gate


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of each position of a map, as in ConvNeXt (https://arxiv.org/abs/2201.03545)."""

    def forward(self, input: Tensor) -> Tensor:  # N C H W -> N C H W
        last = input.permute(0, 2, 3, 1)  # N H W C
        return functional.layer_norm(last, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)
