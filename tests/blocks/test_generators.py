"""Generators: a few numbers give the published networks, and numbers that give none are refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from blocks import NetworkSpec, preset
from blocks.expand import GeneratedNetworkSpec
from blocks.generators import GENERATORS
from blocks.generators.resnet import shared_out

EXAMPLES: dict[str, dict[str, Any]] = {
    "densenet": {"growth": 12, "depths": [2, 3]},
    "regnet": {"depth": 13, "w_0": 24, "w_a": 36.44, "w_m": 2.49, "group_width": 8},
    "resnet": {"depth": 18},
    "wide_resnet": {"depth": 10, "k": 2},
}
"""A network of every kind."""


def stages(**generator: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = GENERATORS.parse(generator).network()["stages"]
    return found


def depths(**generator: Any) -> list[int]:
    return [stage["depth"] for stage in stages(**generator)]


def network(generator: dict[str, Any], **beside: Any) -> NetworkSpec:
    return NetworkSpec.model_validate({"generate": generator, **beside})


def test_every_generator_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(GENERATORS.kinds())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_generated_is_an_ordinary_network(kind: str) -> None:
    spec = network({"kind": kind, **EXAMPLES[kind]})
    assert type(spec) is NetworkSpec
    assert "generate" not in spec.plain()
    assert NetworkSpec.model_validate(spec.plain()) == spec
    assert spec.cost((3, 64, 64)).macs > 0


@pytest.mark.parametrize(
    ("name", "generator"),
    [
        *((f"resnet{depth}", {"kind": "resnet", "depth": depth}) for depth in (18, 34, 50, 101, 152)),
        *((f"resnet{n}", {"kind": "resnet", "depth": n, "variant": "cifar"}) for n in (20, 56, 1202)),
        ("wrn28_10", {"kind": "wide_resnet", "depth": 28, "k": 10}),
        ("wrn16_8", {"kind": "wide_resnet", "depth": 16, "k": 8}),
        ("densenet121", {"kind": "densenet", "growth": 32, "depths": [6, 12, 24, 16]}),
        ("densenet161", {"kind": "densenet", "growth": 48, "depths": [6, 12, 36, 24]}),
        ("densenet_bc100_k12", {"kind": "densenet", "growth": 12, "depths": [16, 16, 16], "variant": "cifar"}),
        ("resnetv2_50", {"kind": "resnet", "depth": 50, "block": "preactivation_bottleneck"}),
        ("resnext50_32x4d", {"kind": "resnet", "depth": 50, "block": "resnext"}),
    ],
)
def test_published_networks_are_generated(name: str, generator: dict[str, Any]) -> None:
    expected = preset(name)
    assert network(generator, head=expected.head.plain()) == expected


@pytest.mark.parametrize(
    ("depth", "block", "expected"),
    [
        (10, "basic", [1, 1, 1, 1]),
        (14, "bottleneck", [1, 1, 1, 1]),
        (26, "bottleneck", [2, 2, 2, 2]),
        (42, "basic", [4, 5, 7, 4]),
        (200, "bottleneck", [3, 24, 36, 3]),
    ],
)
def test_blocks_are_shared_out_among_the_stages(depth: int, block: str, expected: list[int]) -> None:
    assert depths(kind="resnet", depth=depth, block=block) == expected


def test_shares_sum_up_and_none_is_empty() -> None:
    for total in range(4, 200):
        parts = shared_out(total, (3, 4, 6, 3))
        assert sum(parts) == total
        assert all(abs(part - total * share / 16) < 1 for part, share in zip(parts, (3, 4, 6, 3), strict=True))
        assert min(parts) >= 1


@pytest.mark.parametrize(
    ("numbers", "widths", "blocks"),
    [  # Radosavovic et al. 2020, tables 5 and 6; torchvision's widths where the paper's own rounding differs
        ((13, 24, 36.44, 2.49, 8), [24, 56, 152, 368], [1, 1, 4, 7]),
        ((22, 24, 24.48, 2.54, 16), [32, 64, 160, 400], [1, 2, 7, 12]),
        ((16, 56, 35.73, 2.28, 16), [64, 128, 288, 672], [1, 3, 7, 5]),
        ((18, 80, 34.01, 2.25, 24), [72, 168, 408, 912], [2, 4, 10, 2]),
        ((23, 80, 49.56, 2.88, 120), [80, 240, 720, 1920], [2, 5, 15, 1]),
        ((27, 456, 160.83, 2.52, 264), [528, 1056, 2904, 7392], [2, 7, 17, 1]),
    ],
)
def test_regnets_widths_and_depths(numbers: tuple[Any, ...], widths: list[int], blocks: list[int]) -> None:
    names = ("depth", "w_0", "w_a", "w_m", "group_width")
    found = stages(kind="regnet", **dict(zip(names, numbers, strict=True)))
    assert [stage["width"] for stage in found] == widths
    assert [stage["depth"] for stage in found] == blocks
    assert all(stage["stride"] == 2 for stage in found)


def test_a_group_is_never_wider_than_its_convolution() -> None:
    found = stages(kind="regnet", depth=23, w_0=80, w_a=49.56, w_m=2.88, group_width=120)
    assert [stage["block"]["group_width"] for stage in found] == [80, 120, 120, 120]


@pytest.mark.parametrize("ratio", [1, 2, 4, 0.5, 0.25])
@pytest.mark.parametrize("group_width", [1, 8, 24, 64])
def test_regnets_of_any_group_width_can_be_built(ratio: float, group_width: int) -> None:
    generator = {"kind": "regnet", **EXAMPLES["regnet"], "group_width": group_width, "bottleneck_ratio": ratio}
    assert network(generator).cost((3, 64, 64)).macs > 0


def test_a_regnet_z_is_inverted_unless_it_is_told_otherwise() -> None:
    inverted = stages(kind="regnet", block="regnet_z", **EXAMPLES["regnet"])
    assert {stage["block"]["bottleneck_ratio"] for stage in inverted} == {0.25}
    straight = stages(kind="regnet", block="regnet_z", **EXAMPLES["regnet"], bottleneck_ratio=1)
    assert {stage["block"]["bottleneck_ratio"] for stage in straight} == {1}


def test_every_block_gets_what_block_says() -> None:
    spec = network(
        {"kind": "resnet", "depth": 18, "block": {"attention": "se", "norm": {"kind": "group", "groups": 8}}}
    )
    plain = spec.plain()
    assert {stage["block"]["attention"]["kind"] for stage in plain["stages"]} == {"se"}
    assert {stage["block"]["norm"]["groups"] for stage in plain["stages"]} == {8}


def test_keys_beside_generate_replace_what_it_gives() -> None:
    head = {"kind": "linear", "num_classes": 7}
    stem = {"kind": "conv3x3", "width": 64}
    spec = network(EXAMPLES["resnet"] | {"kind": "resnet"}, head=head, stem=stem, in_channels=1, drop_path=0.1)
    assert (spec.in_channels, spec.stem.kind, spec.head.num_classes, spec.drop_path) == (1, "conv3x3", 7, 0.1)


def test_keys_beside_a_preset_replace_what_it_gives() -> None:
    spec = NetworkSpec.model_validate({"preset": "resnet20", "head": {"kind": "linear", "num_classes": 7}})
    assert spec.stages == preset("resnet20").stages
    assert spec.head.num_classes == 7


def test_a_generated_network_may_replace_all_but_the_stages() -> None:
    assert set(GeneratedNetworkSpec.model_fields) == {*NetworkSpec.model_fields, "generate"} - {"stages"}


def test_a_generated_network_is_kept_as_it_was_written() -> None:
    written = {"generate": {"kind": "resnet", "depth": 18}, "head": "linear"}
    plain = GeneratedNetworkSpec.model_validate(written).plain()
    assert set(plain) == {"generate", "head"}
    assert GeneratedNetworkSpec.model_validate(plain).plain() == plain


def test_files_may_be_short_too(tmp_path: Any) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("generate: {kind: resnet, depth: 18}\nhead: {kind: linear, num_classes: 3}\n")
    assert NetworkSpec.from_yaml(path).head.num_classes == 3
    path.write_text("preset: resnet20\n")
    assert NetworkSpec.from_yaml(path) == preset("resnet20")


@pytest.mark.parametrize(
    ("generator", "complaint"),
    [
        ({"kind": "resnet", "depth": 19}, "no imagenet resnet of basic blocks has 19 layers: .* such as 18 or 20"),
        ({"kind": "resnet", "depth": 51}, "no imagenet resnet of bottleneck blocks has 51 layers: .* such as 50 or 53"),
        ({"kind": "resnet", "depth": 2}, "at least 10, such as 10"),
        ({"kind": "resnet", "depth": 22, "variant": "cifar"}, "2 [+] a multiple of 6, at least 8, such as 20 or 26"),
        ({"kind": "resnet", "depth": 18, "block": "convnext"}, "how many layers a block 'convnext' has"),
        ({"kind": "wide_resnet", "depth": 27}, "it has 6n [+] 4, such as 22 or 28"),
        ({"kind": "wide_resnet", "depth": 3}, "such as 10"),
        ({"kind": "regnet", **EXAMPLES["regnet"], "w_0": 20}, "multiple of 8"),
        ({"kind": "regnet", **EXAMPLES["regnet"], "w_m": 1}, "greater than 1"),
        ({"kind": "regnet", **EXAMPLES["regnet"], "w_a": -1}, "greater than or equal to 0"),
        ({"kind": "densenet", "growth": 12, "depths": []}, "at least 1"),
        ({"kind": "densenet", "growth": 12, "depths": [2], "compression": 0}, "greater than 0"),
        ({"kind": "resnett", "depth": 18}, "did you mean 'resnet'"),
        ({"kind": "resnet", "depht": 18}, "did you mean 'depth'"),
        ({"kind": "resnet", "depth": 18, "block": {"attentoin": "se"}}, "block.attentoin: .* did you mean 'attention'"),
        ({"kind": "resnet", "depth": 18, "block": {"attention": "sse"}}, "block.attention: .* did you mean 'se'"),
    ],
)
def test_what_there_is_not_is_refused_at_generate(generator: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){complaint}") as error:
        network(generator)
    assert {details["loc"][0] for details in error.value.errors()} == {"generate"}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"preset": "resnet18", "generate": {"kind": "resnet", "depth": 18}}, "from a preset or from a generator"),
        ({"generate": {"kind": "resnet", "depth": 18}, "stages": []}, "write them or generate them"),
        ({"generate": {"kind": "resnet", "depth": 18}, "haed": "linear"}, "did you mean 'head'"),
        ({"preset": "resnet_18"}, "did you mean 'resnet18'"),
        ({"preset": 18}, "expected a preset's name, not 18"),
    ],
)
def test_what_can_not_stand_together(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        NetworkSpec.model_validate(given)
