"""The module that tells attention where a position is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LONGEST = 10_000
"""The wave lengths grow from 2 pi to almost 2 pi times this (https://arxiv.org/abs/1706.03762, section 3.5)."""


class SinePositions(nn.Module):
    """x + the sines and cosines, of rising wave lengths, of each position's row and column."""

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C H W
        _, channels, height, width = x.shape
        steps = torch.arange(channels // 4, device=x.device)
        frequencies = torch.pow(LONGEST, -4 * steps / channels)
        rows = self._waves(height, frequencies)[:, :, None].expand(-1, -1, width)
        columns = self._waves(width, frequencies)[:, None, :].expand(-1, height, -1)
        return x + torch.cat((rows, columns)).to(x.dtype)

    def _waves(self, count: int, frequencies: Tensor) -> Tensor:  # -> C/2 count
        angles = frequencies[:, None] * torch.arange(count, device=frequencies.device)
        return torch.cat((angles.sin(), angles.cos()))
