"""Receptive fields: published ones, and what a single bright pixel is seen to change."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from blocks import NetworkSpec, preset, preset_names
from blocks.block import BLOCKS
from blocks.layers import (
    IDENTITY,
    AttentionProduct,
    AveragePool,
    Blur,
    Chain,
    Concat,
    Conv,
    Elementwise,
    GlobalPool,
    Layer,
    MaxPool,
    Residual,
    Scale,
    Sum,
    ZeroPad,
)
from blocks.presets import preset_input
from blocks.receptive import ALL, IMAGE, UNKNOWN, Field, Reach, extend, receptive_fields, through
from tests.blocks.networks import FAMILIES_AND_PARTS, feasible_for, small

CHANNELS = 2


def by_stage(spec: NetworkSpec, side: int = 224) -> dict[str, str]:
    """Returns what the last block of each stage reads."""
    parts = receptive_fields(spec, (spec.in_channels, side, side))
    return {str(part.stage): str(through(part.layer, given, part.repeats)) for part, given in parts}


@pytest.mark.parametrize(
    ("name", "fields"),
    [  # torchvision's (the stride is the 3x3's): https://gist.github.com/samson-wang/a6073c18f2adf16e0ab5fb95b53db3e6
        ("resnet18", [43, 99, 211, 435]),
        ("resnet34", [59, 179, 547, 899]),
        ("resnet50", [35, 91, 267, 427]),
        ("resnet101", [35, 91, 811, 971]),
    ],
)
def test_published_fields_of_resnets(name: str, fields: list[int]) -> None:
    stem, *stages, head = by_stage(preset(name)).values()
    assert (stem, [int(field) for field in stages], head) == ("11", fields, "all")


def slim_resnet(depths: tuple[int, ...]) -> Layer:
    """TF-slim's v1, which strides at the end of each stage but the last."""
    units = [
        Conv(CHANNELS, CHANNELS, 3, 2 if last and stage < 3 else 1)
        for stage, depth in enumerate(depths)
        for last in [False] * (depth - 1) + [True]
    ]
    layers = [Conv(CHANNELS, CHANNELS, 7, 2), MaxPool(3, 2), *units]
    return Chain({str(index): layer for index, layer in enumerate(layers)})


def vgg16() -> Layer:
    layers = [layer for depth in (2, 2, 3, 3, 3) for layer in [*[Conv(CHANNELS, CHANNELS, 3)] * depth, MaxPool(2, 2)]]
    return Chain({str(index): layer for index, layer in enumerate(layers)})


def mobilenet_v1() -> Layer:
    strides = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    return Chain({str(index): Conv(CHANNELS, CHANNELS, 3, stride) for index, stride in enumerate(strides)})


@pytest.mark.parametrize(
    ("layer", "size", "jump"),
    [  # https://github.com/google-research/receptive_field
        (vgg16(), 212, 32),
        (mobilenet_v1(), 315, 32),
        (slim_resnet((3, 4, 6, 3)), 483, 32),
        (slim_resnet((3, 4, 23, 3)), 1027, 32),
        (slim_resnet((3, 8, 36, 3)), 1507, 32),
    ],
)
def test_published_fields_and_strides(layer: Layer, size: int, jump: int) -> None:
    field = extend(layer, IMAGE)
    assert isinstance(field, Field)
    assert (str(field), field.jump) == (str(size), jump)


def test_even_windows_begin_at_their_position() -> None:
    assert extend(vgg16(), IMAGE) == Field(90, 121, 32)  # the padding of 90 is that table's, too


@pytest.mark.parametrize("seed", range(60))
def test_a_bright_pixel_changes_just_what_reads_it(seed: int) -> None:
    draw = random.Random(seed)
    layer = Chain({str(index): random_layer(draw, 2) for index in range(draw.randint(1, 4))})
    field = extend(layer, IMAGE)
    assert isinstance(field, Field)
    assert misread(layer.build(), field) == []


@pytest.mark.parametrize("family", [kind for kind in BLOCKS.kinds() if kind != "transformer"])
def test_every_family_reads_what_is_said(family: str) -> None:
    spec = small({"kind": family, "norm": "batch"})
    network = spec.build(0).eval()
    blocks, seen = [block for stage in network.stages for block in stage.children()], 0
    for part, given in list(receptive_fields(spec, (3, 90, 90)))[1:-1]:
        seen += part.repeats
        field = through(part.layer, given, part.repeats)
        assert isinstance(field, Field)
        assert misread(nn.Sequential(network.stem, *blocks[:seen]), field, channels=3) == []


@pytest.mark.parametrize(("family", "field", "kind"), FAMILIES_AND_PARTS)
def test_nothing_of_ours_is_unknown(family: str, field: str, kind: str) -> None:
    assert UNKNOWN not in by_stage(feasible_for(family, field, kind), 32).values()


def test_no_preset_is_unknown() -> None:
    for name in preset_names():
        assert UNKNOWN not in by_stage(preset(name), preset_input(name)[1]).values()


def test_gates_of_the_whole_map_are_left_aside_and_others_not() -> None:
    whole = Scale(Chain({"pool": GlobalPool(), "conv": Conv(CHANNELS, CHANNELS)}))
    local = Scale(Conv(CHANNELS, 1, 7))
    assert extend(whole, IMAGE) == IMAGE
    assert extend(local, IMAGE) == Field(3, 3, 1)


def test_attention_reaches_everywhere_and_stays_there() -> None:
    attention = Chain(
        {"qkv": Conv(CHANNELS, 3 * CHANNELS), "product": AttentionProduct(CHANNELS, 1), "conv": Conv(2, 2, 3)}
    )
    assert extend(Residual(attention, IDENTITY), IMAGE) == ALL


class Mystery:
    """A record of a user's own, which doesn't say what it reads."""


class Telling(Mystery):
    def receptive_field(self, given: Reach) -> Reach:
        return given if isinstance(given, str) else given._replace(before=given.before + 5)


def test_records_of_a_users_own() -> None:
    assert extend(Mystery(), IMAGE) == UNKNOWN  # type: ignore[arg-type]
    assert extend(Mystery(), ALL) == ALL  # type: ignore[arg-type]
    assert extend(Telling(), IMAGE) == Field(5, 0, 1)  # type: ignore[arg-type]
    assert extend(Chain({"a": Mystery(), "b": Conv(2, 2, 3)}), IMAGE) == UNKNOWN  # type: ignore[dict-item]


def random_layer(draw: random.Random, depth: int) -> Layer:
    """Returns a layer of two channels that doesn't shrink a map to less than a third."""
    stride, kernel = draw.choice([1, 1, 2, 3]), draw.choice([1, 3, 5])
    simple: list[Layer] = [
        Conv(CHANNELS, CHANNELS, kernel, stride),
        Conv(CHANNELS, CHANNELS, 2, 2),
        MaxPool(draw.choice([2, 3]), 2),
        AveragePool(draw.choice([2, 3])),
        Blur(CHANNELS, stride),
        ZeroPad(CHANNELS, CHANNELS, stride),
        Elementwise("ReLU"),
    ]
    if depth == 0 or draw.random() < 0.5:
        return draw.choice(simple)
    same = Chain({str(index): Conv(CHANNELS, CHANNELS, draw.choice([1, 3, 5])) for index in range(draw.randint(1, 2))})
    strided = Chain({"same": same, "conv": Conv(CHANNELS, CHANNELS, kernel, stride)})
    shortcut = draw.choice([Conv(CHANNELS, CHANNELS, 1, stride), ZeroPad(CHANNELS, CHANNELS, stride)])
    before = draw.choice([IDENTITY, Conv(CHANNELS, CHANNELS, 3)])
    pooled = Chain({"pool": AveragePool(stride, ceil=True), "conv": Conv(CHANNELS, CHANNELS)})
    squeezed = Chain({"joined": Concat(same), "conv": Conv(2 * CHANNELS, CHANNELS)})
    return draw.choice(
        [
            Residual(same, IDENTITY, Elementwise("ReLU")),
            Residual(strided, shortcut, before=before, shared=draw.random() < 0.5),
            Residual(strided, None, before=before),
            Residual(strided, pooled),
            Sum({"one": strided, "other": shortcut}),
            squeezed,
        ]
    )


@torch.no_grad()
def misread(module: nn.Module, field: Field, channels: int = CHANNELS) -> list[str]:
    """Returns how the outermost columns that one position reads differ from what is said.

    With positive weights, a bright column on black changes each position that reads any of it, through max-pooling too.
    """
    for name, parameter in module.named_parameters():
        parameter.zero_() if name.endswith("bias") else parameter.uniform_(0.5, 1)
    side = min(field.before + field.after + 3 * field.jump + 4, 160)
    position = -(-field.before // field.jump) if field.before < side else side // (2 * field.jump)
    first, last = position * field.jump - field.before, position * field.jump + field.after
    read = {first - 1: False, first: True, last: True, last + 1: False}
    columns = [column for column in read if 0 <= column < side]
    images = torch.zeros(len(columns), channels, side, side, dtype=torch.float64)
    for image, column in zip(images, columns, strict=True):
        image[:, :, column] = 1
    out = module.double().eval()(images)[..., position]  # N C H
    changed = out.abs().sum((1, 2)) > 0
    return [
        f"{column} of {first} to {last}" for column, seen in zip(columns, changed, strict=True) if seen != read[column]
    ]
