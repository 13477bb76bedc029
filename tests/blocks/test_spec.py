from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from blocks import InfeasibleSpec, InputTooSmall, Limits, NetworkSpec
from blocks.source import InputError
from tests.blocks.networks import small

STUDY_NETWORK = """\
in_channels: 1
stem: {kind: conv3x3, width: 8}
stages:
  - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 8, stride: 1}
  - {block: bottleneck, depth: 2, width: 16, stride: 2}
head: {kind: linear, num_classes: 10}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_bare_kind_is_shorthand(tmp_path: Path) -> None:
    spec = NetworkSpec.from_yaml(written(tmp_path, STUDY_NETWORK))
    assert spec.stages[0].block == spec.stages[1].block
    assert (spec.inner_channels, spec.out_channels) == (16, 64)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expansion: 4", "expansoin: 4", r"yaml:4:\d+: .*expansoin.*did you mean 'expansion'"),
        ("kind: bottleneck", "kind: botleneck", r"yaml:4:\d+: .*botleneck.*known are .*did you mean 'bottleneck'"),
        ("width: 16", "width: 1.5", r"yaml:5:\d+: .*width"),
        ("expansion: 4", "expansion: 0", r"yaml:4:\d+: .*expansion.*greater than 0"),
        ("expansion: 4", "expansion: true", r"yaml:4:\d+: .*expansion.*number"),
        ("kind: bottleneck", "kind: basic", r"unknown field 'expansion'"),
    ],
)
def test_bad_yaml_is_told_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        NetworkSpec.from_yaml(written(tmp_path, STUDY_NETWORK.replace(old, new)))


def test_a_network_needs_a_stage() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        NetworkSpec.model_validate({"stages": []})


@pytest.mark.parametrize(
    ("width", "expansion", "out"),
    [(8, 4, 32), (8, 0.5, 4), (5, 0.5, 3), (5, 0.3, 2), (1, 0.1, 1), (16, 1.5, 24), (10**18 + 1, 3, 3 * 10**18 + 3)],
)
def test_output_width_is_rounded_half_up_and_at_least_one(width: int, expansion: float, out: int) -> None:
    assert small({"kind": "bottleneck", "expansion": expansion}, width=width).out_channels == out


@pytest.mark.parametrize(
    ("block", "place", "reason"),
    [
        ({"kind": "bottleneck", "groups": 3}, (0, 0), "3 groups don't divide a convolution of 8 to 8 channels"),
        ({"kind": "basic", "norm": {"kind": "group", "groups": 3}}, (0, 0), "3 groups don't divide the 8 channels"),
        (
            {"kind": "basic", "norm": {"kind": "group", "channels_per_group": 5}},
            (0, 0),
            "groups of 5 channels don't divide the 8 channels",
        ),
        ({"kind": "basic", "shortcut": "identity"}, (1, 0), "a residual sum needs equal shapes"),
        ({"kind": "bottleneck", "shortcut": "identity"}, (0, 0), "a residual sum needs equal shapes"),
    ],
)
def test_infeasible_names_stage_block_and_reason(block: Any, place: tuple[int, int], reason: str) -> None:
    spec = small(block)
    for attempt in (lambda: spec.cost((3, 8, 8)), lambda: spec.cost_by_block((3, 8, 8)), spec.build):
        with pytest.raises(InfeasibleSpec) as error:
            attempt()
        assert (error.value.stage, error.value.block) == place
        assert error.value.reason.startswith(reason)
        assert str(error.value) == f"stage {place[0]}, block {place[1]}: {error.value.reason}"
        assert not isinstance(error.value, InputTooSmall)


def test_a_map_shrunk_to_nothing() -> None:
    spec = small("basic", strides=(2, 2, 2, 2))
    with pytest.raises(InputTooSmall, match=r"^stage 3, block 0: a stride of 2 leaves nothing of a map of 1x1.* 9 pix"):
        spec.cost((3, 8, 8))
    assert spec.cost((3, 9, 9)).macs > 0
    assert spec.cost((3, 1, 9)).macs > 0  # one long side is enough


def test_a_network_that_no_input_helps_is_not_called_too_small() -> None:
    spec = small({"kind": "basic", "shortcut": "identity"}, strides=(2,))
    with pytest.raises(InfeasibleSpec) as error:
        spec.cost((3, 1, 1))
    assert not isinstance(error.value, InputTooSmall)


def test_other_channels_than_the_networks_own() -> None:
    with pytest.raises(InfeasibleSpec, match=r"^stem: takes 3 channels, not an image of 1x8x8"):
        small("basic").cost((1, 8, 8))


def test_an_infeasible_spec_travels_between_processes() -> None:
    error = InputTooSmall("because", 2, 1)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (InputTooSmall, "stage 2, block 1: because")


def huge(**stage: Any) -> NetworkSpec:
    return NetworkSpec.model_validate(
        {"stages": [{"block": "basic", "width": 16}, {"block": "basic", "width": 16, **stage}]}
    )


@pytest.mark.parametrize(
    ("stage", "block", "said"),
    [
        ({"width": 1_000_000}, 0, "parameters up to here are more than the limit of 2,000,000,000"),
        ({"depth": 10**9}, 0, "about|parameters|blocks"),
        ({"depth": 10_001, "width": 1}, 1, "10,002 blocks up to here are more than the limit of 10,000"),
        ({"width": 10**400}, 0, r"about 10\^\d+ parameters"),
    ],
)
def test_absurd_networks_are_refused_by_arithmetic(stage: dict[str, Any], block: int, said: str) -> None:
    started = time.perf_counter()
    spec = huge(**stage)
    with pytest.raises(InfeasibleSpec, match=said) as error:
        spec.build()
    assert (error.value.stage, error.value.block) == (1, block)
    assert time.perf_counter() - started < 1


def test_depth_multiplies() -> None:
    one, many = huge(depth=2).cost((3, 32, 32)), huge(depth=10**9).cost((3, 32, 32))
    block = huge(depth=3).cost((3, 32, 32)) - one
    assert many == one + block * (10**9 - 2)


def test_too_many_blocks_to_list() -> None:
    with pytest.raises(InfeasibleSpec, match="blocks are too many to list"):
        huge(depth=10**9).cost_by_block((3, 32, 32))


def test_limits_can_be_set() -> None:
    spec = huge()
    params = spec.cost((3, 32, 32)).params
    assert spec.build(limits=Limits(params=params)).spec == spec
    with pytest.raises(InfeasibleSpec, match=rf"^head: {params:,} parameters"):
        spec.build(limits=Limits(params=params - 1))


@pytest.mark.parametrize("shape", [(3, -224, 224), (3, 0, 224), (0, 8, 8)])
def test_an_image_has_pixels(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 channel, row and column"):
        small("basic").cost(shape)


@pytest.mark.parametrize("numbers", [{"batch_size": 0}, {"batch_size": 1.5}, {"batch_size": 1, "optimizer_states": -1}])
def test_a_training_step_has_images(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is a whole number of at least"):
        small("basic").training_memory((3, 8, 8), **numbers)


def test_factors_beyond_all_bounds_are_infeasible() -> None:
    with pytest.raises(InfeasibleSpec, match="stage 0, block 0: inf times as many channels"):
        small({"kind": "regnet_x", "bottleneck_ratio": 5e-324}).cost((3, 8, 8))


@pytest.mark.parametrize("family", ["preactivation_basic", "wide", "dense", "transformer"])
def test_a_last_norm_that_is_missing_is_told(family: str) -> None:
    spec = small(family)
    assert len(spec.warnings) == 1
    assert f"a {family} block ends without a norm" in spec.warnings[0]
    head = {**spec.head.plain(), "norm": "batch"}
    assert spec.replace(head=head).warnings == ()
    assert small("basic").warnings == ()


def test_a_preset_keeps_what_is_not_replaced() -> None:
    spec = NetworkSpec.model_validate({"preset": "densenet121", "head": {"num_classes": 10}})
    assert (spec.head.num_classes, spec.head.norm.kind, spec.head.activation.kind) == (10, "batch", "relu")
    assert spec.cost((3, 224, 224)).params == 6_964_106
    other = NetworkSpec.model_validate({"preset": "densenet121", "head": {"kind": "vgg", "num_classes": 10}})
    assert other.head.kind == "vgg"
