"""The vocabulary in which networks are described: one description, two readings.

A layer is a small record. It can be *traced* (what shape comes out, at what cost: arithmetic on whole numbers, nothing
allocated, torch not even imported) and it can be *built* (the torch module that does it). Both readings stand side by
side, so that what is counted can't drift from what runs.

    trace(shape, tally) -> shape    adds its row to the tally; raises InfeasibleSpec where no such layer can be
    build() -> nn.Module            takes N C H W

Equal records build equal modules: their ``repr`` tells whether two specs are the same network. To describe a layer that
isn't here, write another such record, anywhere.
"""

from blocks.layers.base import IDENTITY, ZERO_INIT, Identity, Layer, show_shape
from blocks.layers.combine import Chain, Concat, Residual, Scale, Sum
from blocks.layers.convolution import Blur, ChannelConv, Conv, Linear
from blocks.layers.elementwise import Dropout, Elementwise, LayerScale, dropout
from blocks.layers.measured import Measured
from blocks.layers.norm import BatchNorm, ChannelNorm, GroupNorm
from blocks.layers.pool import AdaptivePool, AveragePool, Flatten, GlobalPool, MaxPool, ZeroPad
from blocks.layers.product import AttentionProduct

__all__ = [
    "IDENTITY",
    "ZERO_INIT",
    "AdaptivePool",
    "AttentionProduct",
    "AveragePool",
    "BatchNorm",
    "Blur",
    "Chain",
    "ChannelConv",
    "ChannelNorm",
    "Concat",
    "Conv",
    "Dropout",
    "Elementwise",
    "Flatten",
    "GlobalPool",
    "GroupNorm",
    "Identity",
    "Layer",
    "LayerScale",
    "Linear",
    "MaxPool",
    "Measured",
    "Residual",
    "Scale",
    "Sum",
    "ZeroPad",
    "dropout",
    "show_shape",
]
