"""What a block family is: a spec that describes one block of it as layers, wherever the block stands."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, NamedTuple

from blocks.base import Flag, Spec
from blocks.layers import Layer, Residual
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.none import NoAttentionSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec
from blocks.parts.shortcut.projection import ProjectionShortcutSpec
from blocks.registry import Registry


class Site(NamedTuple):
    """Where a block stands: the channels it is given, its stage's width, and its stride (1 but for a stage's first)."""

    in_channels: int
    width: int
    stride: int


class BlockSpec(Spec):
    """A block family. Register one with ``@register_block``, in a file of its own; nothing else is to be edited.

    A block that is given what it puts out is taken to be followed by blocks like it: they are costed once.
    """

    kind: str

    @abstractmethod
    def inner_channels(self, site: Site) -> int:
        """Returns the channels at which the block's branch works."""

    @abstractmethod
    def layers(self, site: Site) -> Layer:
        """Returns one block as layers; what comes out of them is the block's output.

        Raises:
            InfeasibleSpec: If there can be no such block at this site.
        """


class ResidualBlockSpec(BlockSpec):
    """The fields that residual families share: y = activation(attention(f(x)) + shortcut(x)).

    With ``zero_init_residual`` the scale of f's last norm starts at 0, so that the block starts as
    y = activation(shortcut(x)) (Goyal et al. 2017, https://arxiv.org/abs/1706.02677).
    """

    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    attention: Annotated[AttentionSpec, ATTENTIONS] = NoAttentionSpec()
    shortcut: Annotated[ShortcutSpec, SHORTCUTS] = ProjectionShortcutSpec()
    zero_init_residual: Flag = False

    def residual(self, branch: Layer, site: Site, out_channels: int) -> Layer:
        """Returns activation(branch(x) + shortcut(x)), where the branch puts out so many channels."""
        shortcut = self.shortcut.layer(site.in_channels, out_channels, site.stride, self.norm)
        return Residual(branch, shortcut, self.activation.layer())


BLOCKS: Registry[BlockSpec] = Registry("block", "blocks.families")

register_block = BLOCKS.register
