"""Generated networks in studies: the generator's numbers are factors, the arms are ordinary networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks import NetworkSpec
from blocks.source import InputError
from tests.search.command import arms, write_study
from tests.search.conftest import Command
from tests.search.studies import plan, space, study

BASE = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network: {generate: {kind: resnet, depth: 8, variant: cifar, width: 4}}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""
ONE = "design: one_at_a_time"


def with_network(network: str) -> str:
    return BASE.replace(BASE.splitlines()[2], f"network: {network}")


def test_a_generators_numbers_are_factors() -> None:
    found = plan(
        "factors:",
        "  depth: {path: network.generate.depth, levels: [8, 14]}",
        "  width: {path: network.generate.width, levels: {scale: [0.5, 1]}}",
        "  attention: {path: network.generate.block.attention, levels: [none, se]}",
        ONE,
        base=BASE,
    )
    by_label = {row.label: row for row in found.rows}
    assert set(by_label) == {"baseline", "depth=14", "width=0.5", "attention=se"}
    deeper = by_label["depth=14"]
    assert deeper.levels == {"depth": "14", "width": "1", "attention": "none"}
    assert [stage.depth for stage in deeper.configuration.network.stages] == [2, 2, 2]
    assert type(deeper.configuration.network) is NetworkSpec
    assert [stage.width for stage in by_label["width=0.5"].configuration.network.stages] == [2, 4, 8]


def test_channels_and_classes_follow_the_data() -> None:
    network = space(ONE, base=BASE).baseline.network
    assert (network.in_channels, network.head.num_classes) == (1, 4)


def test_what_a_generator_gives_can_be_replaced() -> None:
    base = with_network("{generate: {kind: resnet, depth: 8, variant: cifar}, stem: {kind: conv3x3, width: 5}}")
    network = space(ONE, base=base).baseline.network
    assert network.stem.plain()["width"] == 5
    base = with_network("{preset: resnet20, stem: {kind: conv3x3, width: 5}}")
    assert space(ONE, base=base).baseline.network.stem.plain()["width"] == 5


def test_another_generator_is_a_level_too() -> None:
    found = space(
        "factors:",
        "  generator: {path: network.generate, levels: [{kind: wide_resnet, depth: 10, k: 0.5}]}",
        "  width: {path: network.generate.width, levels: [8]}",
        ONE,
        base=BASE,
    )
    generator, width = found.variables
    choice = {generator.name: generator.levels[0]}
    configuration = found.configuration(choice)
    assert [stage.block.kind for stage in configuration.network.stages] == ["wide"] * 3
    assert found.columns(choice, configuration)["width"] == ""  # a wide_resnet has none
    assert found.columns({width.name: width.levels[0]}, found.baseline)["width"] == "8"


def test_widths_are_matched_on_the_resolved_network() -> None:
    found = plan(
        "factors: {depth: {path: network.generate.depth, levels: [14]}}",
        "design: {kind: one_at_a_time, match: {cost: macs, tolerance: 0.25}}",
        base=BASE,
    )
    twin = next(row for row in found.rows if row.match == "macs")
    assert twin.gap is not None
    assert abs(twin.gap) <= 0.25
    assert "generate" not in twin.configuration.network.plain()


def test_the_resolved_study_keeps_the_generator() -> None:
    plain = study(ONE, base=BASE).spec.plain()
    assert set(plain["network"]) == {"generate"}  # what the data say is taken from them again


@pytest.mark.parametrize(
    ("factor", "complaint"),
    [
        (
            'x: {path: "network.stages[*].width", levels: [1]}',
            r"factors.x.path: the stages are written by the generator: vary its own numbers \(network.generate",
        ),
        (
            'x: {levels: {a: {"network.stages[0].block.attention": se}}}',
            r"factors.x.levels.a.*: the stages are written by the generator",
        ),
        ("x: {path: network.stem.width, levels: [8]}", "the stem is written by the generator: vary network.stem as a"),
        ("x: {path: network.generate.depth, levels: [9]}", "levels.*: no cifar resnet of basic blocks has 9 layers"),
        ("x: {path: network.generate.depht, levels: [8]}", "did you mean 'depth'"),
        ("x: {path: network.stages, levels: [[{block: basic, width: 4}]]}", "the stages are written by the generator"),
    ],
)
def test_what_can_not_be_varied_says_what_can(factor: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        space(f"factors:\n  {factor}", ONE, base=BASE)


@pytest.mark.parametrize(
    ("network", "complaint"),
    [
        ("{generate: {kind: resnet, depth: 9, variant: cifar}}", r"3:21: network.generate: no cifar resnet"),
        ("{generate: {kind: resnet, depht: 8}}", r"3:36: network.generate.depht: .* did you mean 'depth'"),
        (
            "{generate: {kind: resnet, depth: 8}, preset: resnet20}",
            "network.generate: a network comes from a preset or",
        ),
        ("{generate: {kind: resnet, depth: 18}, stages: []}", r"network.stages: the generator writes the stages"),
        (
            "{generate: {kind: resnet, depth: 18}, in_channels: 3}",
            r"network.in_channels: 3 channels, but the data has 1",
        ),
        ("resnet_20", r"3:10: network.*: unknown preset 'resnet_20'"),
        ("{preset: resnet_20}", r"3:19: network.preset: unknown preset 'resnet_20'"),
    ],
)
def test_a_baseline_that_there_is_not_is_refused_in_its_place(network: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        study(ONE, base=with_network(network))


def test_it_runs_to_its_winner(tmp_path: Path, inline: Command) -> None:
    write_study(
        tmp_path,
        BASE
        + "factors: {depth: {path: network.generate.depth, levels: [14]}}\n"
        + "design: {kind: one_at_a_time, seeds: 1}\nconfirm: {finalists: 1, seeds: 1}\n",
    )
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "tiny"
    winner = NetworkSpec.from_yaml(directory / "winner.yaml")
    networks = [arm["network"] for arm in arms(directory)["arms"]]
    assert winner.plain() in networks
    assert all("generate" not in network for network in networks)
    before = (directory / "trials.jsonl").read_bytes()
    assert inline(str(directory / "study.yaml")) == 0  # the resolved study is that study
    assert (directory / "trials.jsonl").read_bytes() == before


REGNET = """\
name: tiny
data: {kind: synthetic, image_size: 16, channels: 1, num_classes: 4, images: 120}
network: {generate: {kind: regnet, depth: 2, w_0: 8, w_a: 8, w_m: 2, group_width: 4}, stem: {kind: conv3x3, width: 8}}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""


def test_numbers_of_a_range_may_build_one_network_unless_all_do() -> None:
    same = "w_a: {path: network.generate.w_a, range: {low: 7.5, high: 8.5}}"
    grid = "w_a: {path: network.generate.w_a, range: {low: 2, high: 32, step: 5}}"
    population = "design: {kind: population, arms: 3}"
    whole = space(f"factors: {{{grid}}}", ONE, base=REGNET)
    found = [whole.configuration({"w_a": level}).identity for level in whole.variables[0].listed() or ()]
    assert 1 < len(set(found)) < len(found)  # some of these numbers build one network, and none of them is refused
    statuses = [row.status for row in plan(f"factors: {{{grid}}}", ONE, base=REGNET).rows]
    assert statuses.count("duplicate") == len(statuses) - statuses.count("run") > 0
    with pytest.raises(InputError, match=r"factors.w_a.range: every number from 7.5 to 8.5 builds the same network"):
        space(f"factors: {{{same}}}", population, base=REGNET)
    depth = "depth: {path: network.generate.depth, range: {low: 2, high: 40}}"
    assert space(f"factors: {{{same}, {depth}}}", population, base=REGNET)  # at other depths it does something
