"""Batch norms that stay as they are while the rest is trained: their statistics, their scale and shift, or both.

Three different things. Without frozen statistics, a norm works with each batch's own, and its running ones move.
Without frozen affine, it keeps learning its scale and shift. ``requires_grad_(False)`` freezes only the latter, and
``eval()`` only the former, until the next ``train()``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class _FrozenStatistics:
    """Mixed into a batch norm: it stays in evaluation, where it works with its running statistics and leaves them."""

    def train(self, mode: bool = True) -> Any:
        return super().train(False)  # type: ignore[misc]


class FrozenBatchNorm1d(_FrozenStatistics, nn.BatchNorm1d):
    """BatchNorm1d with frozen statistics."""


class FrozenBatchNorm2d(_FrozenStatistics, nn.BatchNorm2d):
    """BatchNorm2d with frozen statistics."""


class FrozenBatchNorm3d(_FrozenStatistics, nn.BatchNorm3d):
    """BatchNorm3d with frozen statistics."""


class FrozenSyncBatchNorm(_FrozenStatistics, nn.SyncBatchNorm):
    """SyncBatchNorm with frozen statistics."""


FROZEN: dict[type[_BatchNorm], type[_BatchNorm]] = {
    nn.BatchNorm1d: FrozenBatchNorm1d,
    nn.BatchNorm2d: FrozenBatchNorm2d,
    nn.BatchNorm3d: FrozenBatchNorm3d,
    nn.SyncBatchNorm: FrozenSyncBatchNorm,
}
USUAL = {frozen: usual for usual, frozen in FROZEN.items()}


def freeze_batch_norm(network: nn.Module, *, statistics: bool = True, affine: bool = True) -> int:
    """Freezes every batch norm of a network, until `unfreeze_batch_norm`; returns how many there are.

    Args:
        network: Any module. Names and values of its tensors stay as they are.
        statistics: Whether the norms work with their running statistics, and leave them, in training too: also after
            ``network.train()``.
        affine: Whether their scale and shift are no longer trained. An optimizer made before skips them from then on.

    Raises:
        ValueError: If neither is to be frozen.
        TypeError: If a batch norm is of a class of its own, whose statistics can't be frozen.
    """
    if not statistics and not affine:
        raise ValueError("nothing to freeze: statistics and affine are both false")
    norms = list(_norms(network))
    for norm in norms:
        if statistics and type(norm) not in FROZEN and type(norm) not in USUAL:
            raise TypeError(f"the statistics of a {type(norm).__name__} can't be frozen: it is a class of its own")
    for norm in norms:
        if statistics:
            norm.__class__ = FROZEN.get(type(norm), type(norm))
            norm.eval()
        if affine:
            norm.requires_grad_(False)
            norm.zero_grad(set_to_none=True)  # else an optimizer's momentum and weight decay would go on
    return len(norms)


def unfreeze_batch_norm(network: nn.Module, *, statistics: bool = True, affine: bool = True) -> int:
    """Undoes `freeze_batch_norm`, or half of it; returns how many batch norms there are.

    Norms whose statistics were frozen are then in training if the network is.
    """
    norms = list(_norms(network))
    for norm in norms:
        if statistics and type(norm) in USUAL:
            norm.__class__ = USUAL[type(norm)]
            norm.train(network.training)
        if affine:
            norm.requires_grad_(True)
    return len(norms)


def _norms(network: nn.Module) -> Iterator[_BatchNorm]:
    return (module for module in network.modules() if isinstance(module, _BatchNorm))
