"""Stems, from the image to the first stage: one file a kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from blocks.base import Count, Flag, Spec
from blocks.layers import IDENTITY, Blur, Conv, Layer, MaxPool
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.registry import Registry


class StemSpec(Spec):
    """What stands before the stages."""

    kind: str

    @abstractmethod
    def layers(self, in_channels: int) -> Layer:
        """Returns the stem for images of so many channels."""

    @property
    @abstractmethod
    def reduction(self) -> int:
        """How many times smaller the stem makes an image's sides."""

    @property
    def usual_size(self) -> int:
        """The pixels of an image's side for which such a stem is made; what ``blocks.show`` assumes."""
        return 32 if self.reduction == 1 else 224


class ConvolutionalStemSpec(StemSpec):
    """The fields that stems of convolutions share.

    Attributes:
        width: The channels that come out.
        norm: Behind a convolution; likewise ``activation``.
        bias: Whether convolutions have one; by default, where no norm shifts their result.
    """

    width: Count = 64
    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    bias: Flag | None = None

    def convolution(
        self, name: int | str, in_channels: int, out_channels: int, kernel: int, stride: int = 1
    ) -> dict[str, Layer]:
        """Returns convolution, norm and activation, called ``conv1``, ``norm1``, ``activation1``."""
        norm = self.norm.layer(out_channels)
        bias = norm is IDENTITY if self.bias is None else self.bias
        return {
            f"conv{name}": Conv(in_channels, out_channels, kernel, stride, bias=bias),
            f"norm{name}": norm,
            f"activation{name}": self.activation.layer(),
        }


class PooledStemSpec(ConvolutionalStemSpec):
    """The fields that stems for large images share: a convolution with stride 2, then max-pooling with stride 2.

    Attributes:
        pool: Whether there is the max-pooling.
        anti_alias: Whether it runs at stride 1 and a blur subsamples (Zhang 2019, https://arxiv.org/abs/1904.11486).
    """

    pool: Flag = True
    anti_alias: Flag = False

    @property
    def reduction(self) -> int:
        return 4 if self.pool else 2

    def pooling(self) -> dict[str, Layer]:
        """Returns the max-pooling, if there is to be any."""
        if not self.pool:
            return {}
        if self.anti_alias:
            return {"pool": MaxPool(kernel=3, stride=1), "blur": Blur(self.width, 2)}
        return {"pool": MaxPool(kernel=3, stride=2)}


STEMS: Registry[StemSpec] = Registry("stem", __name__, shared=True)
