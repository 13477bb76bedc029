"""Which parameters weight decay holds back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def parameter_groups(
    parameters: Iterable[nn.Parameter], weight_decay: float, decay_norm_and_bias: bool
) -> list[dict[str, Any]]:
    """Returns the trainable parameters as an optimiser's groups.

    Convolution and linear weights have two or more dimensions. What has fewer is a norm's scale or shift, or a
    bias: decaying those regularises nothing and often costs accuracy (He et al., "Bag of Tricks",
    arXiv:1812.01187, section 3.1), so that it is done on request only.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    if decay_norm_and_bias:
        return [{"params": trainable, "weight_decay": weight_decay}]
    return [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
