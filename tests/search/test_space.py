"""Factors bound to a baseline: sharing, patches, ranges, relative levels, links, conditions, and what is refused."""

from __future__ import annotations

import pytest

from blocks.source import InputError
from search.factors import Choice
from search.space import Space
from tests.search.studies import at, space, study

SEARCH = "design: {kind: search, trials: 10}"


def choose(space: Space, **labels: str) -> Choice:
    """Returns a choice of levels by their labels; ``__`` stands for brackets: ``depth__0`` is ``depth[0]``."""
    choice: Choice = {}
    for key, label in labels.items():
        name = f"{key[:-3]}[{key[-1]}]" if key[-3:-1] == "__" else key
        variable = next(variable for variable in space.free if variable.name == name)
        choice[name] = next(level for level in variable.listed() or () if level.label == label)
    return choice


def test_a_star_is_one_shared_choice() -> None:
    one = space('factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}', SEARCH)
    assert [variable.name for variable in one.variables] == ["expansion"]
    network = one.configuration(choose(one, expansion="2")).network.plain()
    assert [stage["block"]["expansion"] for stage in network["stages"]] == [2, 2]


def test_each_is_a_choice_of_its_own_for_every_stage() -> None:
    two = space('factors: {depth: {path: "network.stages[each].depth", range: {low: 1, high: 3}}}', SEARCH)
    assert [variable.name for variable in two.variables] == ["depth[0]", "depth[1]"]
    network = two.configuration(choose(two, depth__1="3")).network
    assert [stage.depth for stage in network.stages] == [1, 3]
    assert two.columns(choose(two, depth__1="3")) == {"depth[0]": "1", "depth[1]": "3"}


def test_named_patches() -> None:
    one = space(
        'factors: {block: {levels: {basic: {"network.stages[*].block": basic},',
        '                          se: {"network.stages[*].block.attention": se}}}}',
        SEARCH,
    )
    assert one.columns({}) == {"block": "baseline"}
    kinds = [stage.block.kind for stage in one.configuration(choose(one, block="basic")).network.stages]
    assert kinds == ["basic", "basic"]
    se = one.configuration(choose(one, block="se")).network.plain()
    assert at(se, "stages", 0, "block", "attention", "kind") == "se"
    assert at(se, "stages", 0, "block", "expansion") == 4


def test_a_factor_may_be_anywhere_in_the_study() -> None:
    one = space(
        "factors:",
        '  lr: {path: "train.optimizer.lr", levels: [0.01, 0.1]}',
        '  images: {path: "data.train_fraction", levels: [0.5, 1]}',
        SEARCH,
    )
    found = one.configuration(choose(one, lr="0.01", images="0.5"))
    assert (found.train.plain()["optimizer"]["lr"], found.data.train_fraction) == (0.01, 0.5)
    assert one.columns({}) == {"lr": "0.1", "images": "1"}


def test_relative_levels_multiply_the_baseline_and_round() -> None:
    one = space(
        'factors: {width: {path: "network.stages[*].width", levels: {scale: [0.5, 1, 1.6], multiple_of: 4}}}', SEARCH
    )
    assert one.columns({}) == {"width": "1"}
    widths = [stage.width for stage in one.configuration(choose(one, width="1.6")).network.stages]
    assert widths == [12, 24]  # 12.8 and 25.6, to the nearest multiple of 4


def test_a_link_follows_another_factor() -> None:
    one = space(
        "factors:",
        '  first: {path: "network.stages[0].width", levels: [8, 12]}',
        '  second: {path: "network.stages[1].width", same_as: first, times: 2}',
        SEARCH,
    )
    assert [variable.name for variable in one.free] == ["first"]
    found = one.configuration(choose(one, first="12"))
    assert [stage.width for stage in found.network.stages] == [12, 24]
    assert one.columns(choose(one, first="12")) == {"first": "12", "second": "24"}


def test_a_condition_switches_a_factor_off() -> None:
    one = space(
        "factors:",
        '  block: {levels: {basic: {"network.stages[*].block": basic}}}',
        '  expansion: {path: "network.stages[*].block.expansion", levels: [1, 2], when: {block: [baseline]}}',
        SEARCH,
    )
    both = choose(one, block="basic", expansion="2")
    assert one.columns(both) == {"block": "basic", "expansion": ""}
    assert one.configuration(both).identity == one.configuration(choose(one, block="basic")).identity


def test_shorter_paths_come_first_so_that_a_replaced_block_keeps_what_is_set_inside_it() -> None:
    one = space(
        "factors:",
        '  expansion: {path: "network.stages[*].block.expansion", levels: [2]}',
        '  block: {path: "network.stages[*].block", levels: [{kind: bottleneck, norm: group, expansion: 3}]}',
        SEARCH,
    )
    block = one.variables[1].levels[0]
    found = one.configuration({"block": block, **choose(one, expansion="2")}).network.plain()
    assert at(found, "stages", 0, "block", "expansion") == 2
    assert at(found, "stages", 0, "block", "norm", "kind") == "group"


def test_channels_and_classes_follow_the_data() -> None:
    one = space(
        "factors: {data: {levels: {rgb: {data: {kind: synthetic, channels: 3, num_classes: 7, image_size: 8}}}}}",
        SEARCH,
    )
    network = one.configuration(choose(one, data="rgb")).network
    assert (network.in_channels, network.head.plain()["num_classes"]) == (3, 7)


@pytest.mark.parametrize(
    ("factor", "place", "complaint"),
    [
        ('x: {path: "network.stages.width", levels: [1, 2]}', "path", "is a list"),
        ('x: {path: "network.stagez[*].width", levels: [1, 2]}', "path", "did you mean 'stages'"),
        ('x: {path: "name", levels: [a, b]}', "path", "in network, train or data"),
        ('x: {path: "network.stages[*].block.expanson", levels: [1, 2]}', "levels", "did you mean 'expansion'"),
        ('x: {path: "network.stages[*].width", levels: [8, 0]}', "levels", "not possible"),
        ('x: {path: "network.stages[*].width", levels: [8, 4, 4]}', "levels", "resolve to the same arm"),
        (
            'x: {levels: {a: {"network.stages[*].block": basic}, b: {"network.stages[0:]": 1}}}',
            "levels",
            "is not a path",
        ),
        ('x: {levels: {a: {"train.epochs": 2}, b: {"train.epochs": 2.0}}}', "levels", "not possible"),
        ('x: {levels: {a: {"train.epochs": 2}, b: {"train.epochs": 2}}}', "levels", "resolve to the same arm"),
        ('x: {path: "network.stages[*].width", range: {low: 9, high: 1}}', "range", "above high"),
        ('x: {path: "train.optimizer.lr", range: {low: 0, high: 1, log: true}}', "range", "starts above 0"),
        ('x: {path: "train.optimizer.lr", range: {low: -1, high: 1}}', "range", "not possible"),
        ('x: {path: "train.optimizer.kind", levels: {scale: [2]}}', "levels", "can't be scaled"),
        ('x: {path: "network.stages[0].width", same_as: y}', "same_as", "there is no factor 'y'"),
        ('x: {path: "train.epochs", levels: [2], when: {y: [1]}}', "when", "there is no factor 'y'"),
        ('x: {path: "train.epochs", levels: [2], when: {x: [2]}}', "", "circle"),
        ("x: {levels: [1, 2]}", "", "needs a path"),
        ('x: {path: "train.epochs"}', "", "one of levels, range and same_as"),
        ('x: {path: "train.epochs", levels: [2], range: {low: 1, high: 2}}', "", "one of levels, range and same_as"),
        ('macs: {path: "train.epochs", levels: [2]}', "", "a fixed column"),
    ],
)
def test_refusals_name_the_place(factor: str, place: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        space(f"factors:\n  {factor}", SEARCH)
    first = str(caught.value).splitlines()[0]
    assert first.startswith("study.yaml:10:")
    assert f"factors.{factor.split(':')[0]}{'.' if place else ''}{place}" in first


def test_a_when_must_name_levels_that_there_are() -> None:
    with pytest.raises(InputError, match="'huge' is no level of y"):
        space(
            "factors:",
            '  y: {path: "train.batch_size", levels: [8]}',
            '  x: {path: "train.epochs", levels: [2], when: {y: [huge]}}',
            SEARCH,
        )


def test_a_link_that_the_baseline_breaks_is_refused() -> None:
    with pytest.raises(InputError, match="the baseline breaks this link: 16 is not 3 times the 8"):
        space(
            "factors:",
            '  first: {path: "network.stages[0].width", levels: [8, 12]}',
            '  second: {path: "network.stages[1].width", same_as: first, times: 3}',
            SEARCH,
        )


def test_where_the_data_lie_is_no_part_of_identity(tmp_path: object) -> None:
    base = "name: a\nnetwork: resnet20\ntrain: {epochs: 1}\n"
    first = Space(study("data: {kind: cifar10}", base=base)).baseline
    second = Space(study(f"data: {{kind: cifar10, root: '{tmp_path}'}}", base=base)).baseline
    assert first.identity == second.identity
