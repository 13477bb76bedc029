"""Arms whose fields differ and whose networks don't: a mistake, or a duplicate with its reason; never a silent null."""

from __future__ import annotations

import pytest

from blocks.source import InputError
from search.draw import draw
from tests.search.studies import BASE, plan, space

FLAT = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network:
  stem: {kind: conv3x3, width: 8}
  stages:
    - {block: basic, depth: 1, width: 8}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""
"""Nothing is projected in it, and nothing has a stride."""

SHORTCUT = 'shortcut: {path: "network.stages[*].block.shortcut", levels: [identity, zero_padded]}'
ANTI_ALIAS = 'anti_alias: {path: "network.stages[*].block.anti_alias", levels: [true]}'


def test_two_levels_that_build_the_same_network_are_a_mistake() -> None:
    message = "levels 'identity' and 'zero_padded' build the same network: the difference between them does nothing"
    with pytest.raises(InputError, match=f"factors.shortcut.levels.*{message}"):
        space("factors:", f"  {SHORTCUT}", "design: one_at_a_time", base=FLAT)


def test_so_are_two_arms_of_a_list() -> None:
    arms = '{a: {"network.stages[0].block.shortcut": identity}, b: {"network.stages[0].block.shortcut": zero_padded}}'
    with pytest.raises(InputError, match=r"design\.arms\.b: levels 'a' and 'b' build the same network"):
        space(f"design: {{kind: list, arms: {arms}}}", base=FLAT)


def test_where_levels_meet_they_are_duplicates_with_a_reason() -> None:
    found = plan(
        "factors:",
        f"  {SHORTCUT}",
        '  stride: {path: "network.stages[0].stride", levels: [2]}',
        "design: factorial",
        base=FLAT,
    )
    by_label = {row.label: row for row in found.rows}
    assert by_label["shortcut=identity"].status == "duplicate"
    assert by_label["shortcut=identity"].reason == "the same network, trained alike, as baseline"
    assert by_label["shortcut=identity"].arm == found.baseline.arm  # whose results are its results
    assert by_label["shortcut=zero_padded, stride=2"].status == "run"
    assert by_label["shortcut=identity, stride=2"].status == "rejected"


def test_a_level_that_does_nothing_to_the_baseline_is_a_duplicate_of_it() -> None:
    found = plan(
        "factors:",
        f"  {ANTI_ALIAS}",
        "  lr: {path: train.optimizer.lr, levels: [1]}",
        "design: one_at_a_time",
        base=FLAT,
    )
    (row,) = (row for row in found.rows if row.label == "anti_alias=true")
    assert (row.status, row.reason) == ("duplicate", "the same network, trained alike, as baseline")
    strided = plan("factors:", f"  {ANTI_ALIAS}", "design: one_at_a_time", base=BASE)
    assert [row.status for row in strided.rows] == ["run", "run"]


def test_the_same_network_trained_otherwise_is_another_arm() -> None:
    found = plan("factors: {lr: {path: train.optimizer.lr, levels: [0.2]}}", "design: one_at_a_time", base=FLAT)
    assert [row.status for row in found.rows] == ["run", "run"]


def test_a_search_passes_over_them() -> None:
    import random

    found = plan("factors:", f"  {ANTI_ALIAS}", "design: {kind: search, trials: 4}", base=FLAT)
    drawn = [found.judge(draw(found.space, random.Random(seed))) for seed in range(20)]
    assert {arm.status for arm in drawn} == {"duplicate"}
