"""The torch modules of parts that torch itself doesn't have."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


class GlobalMax(nn.Module):
    """The largest value of each channel."""

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C 1 1
        return x.amax((2, 3), keepdim=True)


class MeanAndMax(nn.Module):
    """Mean and largest value of each channel, as two positions; or of each position, as two channels."""

    def __init__(self, over: Literal["positions", "channels"]) -> None:
        super().__init__()
        self.over = over

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C 2 1 or N 2 H W
        over, behind = ((2, 3), 2) if self.over == "positions" else ((1,), 1)
        return torch.cat((x.mean(over, keepdim=True), x.amax(over, keepdim=True)), dim=behind)


class PositionSum(nn.Module):
    """The sum of each channel over its positions."""

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C 1 1
        return x.sum((2, 3), keepdim=True)


class AttentionPooling(nn.Module):
    """The mean of all positions attends to itself and to them (https://arxiv.org/abs/2103.00020)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C 1 1
        count, channels = x.shape[:2]
        positions = x.flatten(2).transpose(1, 2)  # N positions C
        tokens = torch.cat((positions.mean(1, keepdim=True), positions), dim=1)
        query = self._split(self.query(tokens[:, 0]).unsqueeze(1))  # N heads 1 C/heads
        attended = functional.scaled_dot_product_attention(
            query, self._split(self.key(tokens)), self._split(self.value(tokens))
        )
        pooled: Tensor = self.out(attended.transpose(1, 2).reshape(count, channels))
        return pooled.reshape(count, channels, 1, 1)

    def _split(self, tokens: Tensor) -> Tensor:  # N tokens C -> N heads tokens C/heads
        return tokens.reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)
