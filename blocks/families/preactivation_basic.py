"""The basic block with pre-activation. He et al. 2016, figure 1 (b), https://arxiv.org/abs/1603.05027"""

from __future__ import annotations

from typing import ClassVar, Literal

from blocks.block import ResidualBlockSpec, Site, register_block
from blocks.layers import IDENTITY, Chain, Layer


class PreactivationSpec(ResidualBlockSpec):
    """What blocks with pre-activation share: nothing stands behind the sum, so that y = x + f(x) from block to block.

    A shortcut that isn't the identity starts behind the first norm and activation, and has no norm of its own. With
    ``zero_init_residual`` the branch's last convolution starts at 0 (there is no norm behind it): y = shortcut(x).
    The network needs a last norm and activation in front of its pooling: the linear head's ``norm`` and ``activation``.
    """

    ends_normed: ClassVar[bool] = False

    def last(self, name: int, in_channels: int, out_channels: int, kernel: int, site: Site) -> dict[str, Layer]:
        """Returns norm, activation, attention if it is an inner one, dropout, and the branch's last convolution."""
        layers = self.normed(name, in_channels, out_channels, kernel, zero=self.zeroed(site, out_channels))
        *ready, conv = layers.items()
        inner = self.attend("inner", in_channels, site)
        return dict([*ready, ("inner_attention", inner), ("dropout", self.drop()), conv])

    def preactivated(self, branch: dict[str, Layer], site: Site, out_channels: int) -> Layer:
        """Returns the block of a branch that begins with ``norm1`` and ``activation1``."""
        before = Chain({name: branch.pop(name) for name in ("norm1", "activation1")})
        return self.residual(branch, site, out_channels, activation=IDENTITY, before=before)


class PreactivationBasicSpec(PreactivationSpec):
    """What basic blocks with pre-activation share, whatever their width."""

    def basic(self, site: Site, width: int) -> Layer:
        """Returns the block that works at, and puts out, so many channels."""
        branch = {
            **self.normed(1, site.in_channels, width, self.kernel, site.stride),
            **self.last(2, width, width, self.kernel, site),
        }
        return self.preactivated(branch, site, width)


@register_block
class PreactivationBasicBlockSpec(PreactivationBasicSpec):
    """y = x + f(x),  f = norm, activation, 3x3 (stride), norm, activation, dropout, 3x3, attention.

    Width is both the inner width and the output's.
    """

    kind: Literal["preactivation_basic"] = "preactivation_basic"

    def layers(self, site: Site) -> Layer:
        return self.basic(site, site.width)
