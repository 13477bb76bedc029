"""Images that are decoded while the device computes: a pipeline of worker processes, pinned memory and prefetching."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from search.data.files import Files

AHEAD = 2
"""Pieces that each process keeps ready."""


@dataclass(frozen=True)
class Stream:
    """Files as the pixels of a feed: uint8 N C H W, on a device whenever some of them are asked for.

    Attributes:
        files: The images.
        device: Where they are wanted.
        workers: Processes that decode; 0 decodes in this one.
    """

    files: Files
    device: torch.device
    workers: int

    @classmethod
    def of(cls, files: Files, device: torch.device) -> Stream:
        """Decodes with as many processes as there are cores, four at most."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(files, device, min(4, cores))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """N C H W."""
        return self.files.shape

    def __getitem__(self, positions: Tensor) -> Tensor:
        return torch.from_numpy(self.files[positions.cpu().numpy()]).to(self.device)

    def pieces(self, positions: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the images at each list of positions, in order, while those to come are being decoded."""
        loader = DataLoader(
            _Decoded(self.files),
            batch_size=None,
            sampler=[each.cpu().numpy() for each in positions],
            num_workers=min(self.workers, len(positions)),
            pin_memory=self.device.type == "cuda",
            prefetch_factor=AHEAD if self.workers and positions else None,
        )
        for pixels in loader:
            yield pixels.to(self.device, non_blocking=True)


class _Decoded(Dataset[Tensor]):
    def __init__(self, files: Files) -> None:
        self._files = files

    def __getitem__(self, positions: np.ndarray) -> Tensor:
        return torch.from_numpy(self._files[positions])
