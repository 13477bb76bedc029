"""What a block family is: a spec that describes one block of it, wherever the block stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from blocks.base import Flag, Kernel, Rate, Spec
from blocks.errors import InfeasibleSpec
from blocks.layers import IDENTITY, Blur, Chain, Conv, Identity, Layer, Measured, Residual, dropout
from blocks.parts.activation import ACTIVATIONS, ActivationSpec
from blocks.parts.activation.relu import ReLUSpec
from blocks.parts.attention import ATTENTIONS, AttentionSpec
from blocks.parts.attention.none import NoAttentionSpec
from blocks.parts.norm import NORMS, NormSpec
from blocks.parts.norm.batch import BatchNormSpec
from blocks.parts.shortcut import SHORTCUTS, ShortcutSpec
from blocks.parts.shortcut.projection import ProjectionShortcutSpec
from blocks.registry import Registry

if TYPE_CHECKING:
    from torch import nn


class Site(NamedTuple):
    """Where a block stands: the channels it is given, its stage's width, and its stride (1 but for a stage's first)."""

    in_channels: int
    width: int
    stride: int


class BlockSpec(Spec):
    """A block family. Register one with ``@register_block``, in a file of its own; nothing else is to be edited.

    Say what a block is in one of two ways: ``layers(site)`` describes it in records, costed by arithmetic;
    ``module(site)`` returns any ``nn.Module`` from N C H W to N C' H' W', costed by watching it on the meta device.

    A block that is given what it puts out is taken to be followed by blocks like it: they are costed once.
    """

    kind: str

    ends_normed: ClassVar[bool] = True
    """Whether a block's output needs no norm in front of the head. Families with pre-activation leave that to it."""

    def inner_channels(self, site: Site) -> int:
        """Returns the channels at which the block's branch works; the stage's width, unless the family says else."""
        return site.width

    def layers(self, site: Site) -> Layer:
        """Returns one block as layers; what comes out of them is the block's output.

        Raises:
            InfeasibleSpec: If there can be no such block at this site.
        """
        return Measured(self, site)

    def module(self, site: Site) -> nn.Module:
        """Returns one block as a torch module, its parameters not yet at their initial values."""
        if type(self).layers is BlockSpec.layers:
            raise TypeError(f"{type(self).__name__} says neither layers(site) nor module(site)")
        return self.layers(site).build()


class ConvolutionalBlockSpec(BlockSpec):
    """The fields that families of convolutions share.

    With ``anti_alias``, a strided convolution runs at stride 1, and a blur after its activation subsamples (Zhang 2019,
    https://arxiv.org/abs/1904.11486).
    """

    norm: Annotated[NormSpec, NORMS] = BatchNormSpec()
    activation: Annotated[ActivationSpec, ACTIVATIONS] = ReLUSpec()
    attention: Annotated[AttentionSpec, ATTENTIONS] = NoAttentionSpec()
    kernel: Kernel = 3
    anti_alias: Flag = False
    dropout: Rate = 0

    usual_place: ClassVar[str] = "output"
    """Where this family's paper has its attention."""

    def convolution(
        self,
        name: int | str,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        *,
        active: bool = True,
        bias: bool = False,
        zero: bool = False,
    ) -> dict[str, Layer]:
        """Returns convolution, norm and (if ``active``) activation, called ``conv1``, ``norm1``, ``activation1``.

        A convolution has a bias where there is no norm to shift its result, or if ``bias``. With ``zero``, the last of
        the two starts at 0.
        """
        norm = self.norm.layer(out_channels, zero=zero)
        bare = norm is IDENTITY
        blurred = stride > 1 and self.anti_alias
        conv = Conv(in_channels, out_channels, kernel, 1 if blurred else stride, groups, bias or bare, zero and bare)
        layers: dict[str, Layer] = {f"conv{name}": conv, f"norm{name}": norm}
        if active:
            layers[f"activation{name}"] = self.activation.layer()
        if blurred:
            layers[f"blur{name}"] = Blur(out_channels, stride)
        return layers

    def normed(
        self,
        name: int | str,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        *,
        zero: bool = False,
    ) -> dict[str, Layer]:
        """Returns norm, activation and convolution, in this order: `convolution` as pre-activation has it.

        With ``zero``, the convolution starts at 0. Without any norm it has a bias.
        """
        norm = self.norm.layer(in_channels)
        blurred = stride > 1 and self.anti_alias
        conv = Conv(in_channels, out_channels, kernel, 1 if blurred else stride, groups, norm is IDENTITY, zero)
        layers = {f"norm{name}": norm, f"activation{name}": self.activation.layer(), f"conv{name}": conv}
        return {**layers, f"blur{name}": Blur(out_channels, stride)} if blurred else layers

    def drop(self) -> Layer:
        """Returns the dropout that stands before a branch's last convolution."""
        return dropout(self.dropout)

    def attend(self, place: str, channels: int, site: Site) -> Layer:
        """Returns the attention over so many channels, if this is its place in the block; else the identity."""
        return self.attention.at(place, self.usual_place, channels, site.in_channels)


class ResidualBlockSpec(ConvolutionalBlockSpec):
    """The fields that residual families share: y = activation(attention(f(x)) + shortcut(x)).

    With ``zero_init_residual`` the scale of f's last norm starts at 0 wherever there is a shortcut: the block starts as
    y = activation(shortcut(x)) (Goyal et al. 2017, https://arxiv.org/abs/1706.02677). With ``shortcut_precision:
    float32`` the sum is one of float32 under autocast too, and the shortcuts carry float32 from block to block.
    """

    shortcut: Annotated[ShortcutSpec, SHORTCUTS] = ProjectionShortcutSpec()
    zero_init_residual: Flag = False
    shortcut_precision: Literal["same", "float32"] = "same"

    def zeroed(self, site: Site, out_channels: int) -> bool:
        """Whether the branch starts at 0: if it is asked for, and there is a shortcut that lets something through."""
        return self.zero_init_residual and self.shortcut.joins(site.in_channels, out_channels, site.stride)

    def residual(
        self,
        branch: dict[str, Layer],
        site: Site,
        out_channels: int,
        *,
        activation: Layer | None = None,
        before: Layer = IDENTITY,
    ) -> Layer:
        """Returns activation(branch(x) + shortcut(x)), where the branch puts out so many channels.

        ``activation`` is the block's own unless given. Attention at the output, before the branch, on the shortcut or
        behind the sum is put there (Hu et al. 2017, section 7.5). What is given as ``before``, a pre-activation,
        stands in front of the branch and of a shortcut that isn't the identity, which then has no norm of its own.
        """
        in_channels, _, stride = site
        if self.shortcut.kind == "none" and (self.zero_init_residual or self.shortcut_precision != "same"):
            raise InfeasibleSpec("without a shortcut, zero_init_residual and shortcut_precision mean nothing")
        norm = self.norm if before is IDENTITY else None
        shortcut = self.shortcut.layer(in_channels, out_channels, stride, norm, anti_alias=self.anti_alias)
        shared = before is not IDENTITY and shortcut is not None and not isinstance(shortcut, Identity)
        after = self.activation.layer() if activation is None else activation
        place = self.attention.where(self.usual_place)
        if place == "output":
            branch["attention"] = self.attention.layer(out_channels, in_channels)
        elif place == "pre":
            branch = {"attention": self.attention.layer(in_channels, in_channels), **branch}
        elif place == "identity":
            shortcut = _attended(shortcut, self.attention.layer(out_channels, in_channels))
        elif place == "post":
            after = Chain({"activation": after, "attention": self.attention.layer(out_channels, in_channels)})
        return Residual(Chain(branch), shortcut, after, before, shared, self.shortcut_precision == "float32")


def _attended(shortcut: Layer | None, attention: Layer) -> Layer:
    if shortcut is None:
        raise InfeasibleSpec("attention on the shortcut needs a shortcut")
    return attention if isinstance(shortcut, Identity) else Chain({"shortcut": shortcut, "attention": attention})


BLOCKS: Registry[BlockSpec] = Registry("block", "blocks.families", shared=True)

register_block = BLOCKS.register
