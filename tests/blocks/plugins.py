"""Plugins for the tests: a block of one's own, in the two ways there are, and how to forget them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blocks import plugins

ARITHMETIC = '''\
"""A block that says what it is in layers."""

from __future__ import annotations

from typing import Literal

from blocks import BlockSpec, Site, register_block
from blocks.layers import Chain, Conv, Elementwise, Layer


@register_block
class LayeredBlockSpec(BlockSpec):
    kind: Literal["test_layered"] = "test_layered"
    kernel: int = 3

    def layers(self, site: Site) -> Layer:
        conv = Conv(site.in_channels, site.width, self.kernel, site.stride, bias=True)
        return Chain({"conv": conv, "activation": Elementwise("ReLU")})
'''

MODULE = '''\
"""A block that says what it is as a module."""

from typing import Literal

from blocks import BlockSpec, Site, register_block


@register_block
class ModuleBlockSpec(BlockSpec):
    kind: Literal["test_module"] = "test_module"

    def module(self, site: Site):
        from torch import nn

        return nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1)
'''


def write(folder: Path, text: str = ARITHMETIC, name: str = "my_block.py") -> Path:
    """Writes a plugin into a folder."""
    path = folder / name
    path.write_text(text)
    return path


@contextmanager
def forgotten() -> Iterator[None]:
    """Forgets, at the end, what was loaded within: other tests are not to see it."""
    before = dict(plugins._LOADED)
    try:
        yield
    finally:
        for module, plugin in list(plugins._LOADED.items()):
            if module not in before:
                plugin._forget()
                del plugins._LOADED[module]
