"""What the networks of a study warn of: said by the dry run and the run, and kept for the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.doubts import doubts
from tests.search.command import write_study
from tests.search.conftest import Command
from tests.search.studies import plan

BASE = """\
name: bare
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network:
  stem: {kind: conv3x3, width: 4}
  stages:
    - {block: basic, depth: 1, width: 4}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
confirm: {finalists: 1, seeds: 1}
"""
BARE = 'bare: {levels: {pre: {"network.stages[*].block": preactivation_basic}}}'
WIDTH = 'width: {path: "network.stages[*].width", levels: [4, 5, 6, 7, 8]}'
DESIGN = "design: {kind: one_at_a_time, seeds: 1}"


def test_a_sentence_is_said_once_with_the_arms_that_it_is_about() -> None:
    made = plan(f"factors: {{{BARE}}}", DESIGN, base=BASE)
    (doubt,) = doubts(made.arms.values())
    (bare,) = (arm for arm in made.arms.values() if arm is not made.baseline)
    assert doubt == f"{bare.label}: {bare.configuration.network.warnings[0]}"
    assert doubts([made.baseline]) == []


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("augment: {cutout: 8}", "a cutout of 8 pixels leaves little or nothing of images of 8x8"),
        ("batch_size: 1, augment: {mixup: 0.2}", "a batch of one image has none to mix it with"),
        ("augment: {cutout: 4, mixup: 0.2, cutmix: 1}", None),
    ],
)
def test_augmentations_that_do_nothing_or_leave_nothing_are_named(recipe: str, said: str | None) -> None:
    base = BASE.replace("batch_size: 16, ", "" if "batch_size" in recipe else "batch_size: 16, ")
    base = base.replace("epochs: 1", f"epochs: 1, {recipe}")
    found = doubts([plan("design: {kind: train, seeds: 1}", base=base).baseline])
    assert [doubt.startswith(f"baseline: {said}") for doubt in found] == ([] if said is None else [True])


def test_cutmix_of_single_pixels_is_named() -> None:
    base = BASE.replace("image_size: 8", "image_size: 1").replace("epochs: 1", "epochs: 1, augment: {cutmix: 1}")
    (doubt,) = doubts([plan("design: {kind: train, seeds: 1}", base=base).baseline])
    assert doubt == "baseline: an image of one pixel has no part to replace: cutmix does nothing"


def test_many_arms_are_three_names_and_a_number() -> None:
    base = BASE.replace("basic", "preactivation_basic")
    made = plan(f"factors: {{{WIDTH}}}", DESIGN, base=base)
    every = list(made.arms.values())
    (doubt,) = doubts(every)
    assert doubt.startswith("all arms: nothing normalises")
    usual = plan(DESIGN.replace("one_at_a_time", "train"), base=BASE).baseline
    (doubt,) = doubts([usual, *every])
    assert doubt.startswith(f"{every[0].label}, {every[1].label}, {every[2].label} and 2 more: nothing normalises")


def test_the_dry_run_and_the_run_say_it_and_the_run_keeps_it(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path, BASE + f"factors: {{{BARE}}}\n{DESIGN}\n")
    assert inline("study.yaml", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "warning: bare=pre: nothing normalises what the last block puts out" in said
    assert " KiB for a training step" in said
    assert inline("study.yaml") == 0
    assert "warning: bare=pre: nothing normalises" in capsys.readouterr().err
    directory = tmp_path / "runs" / "bare"
    (kept,) = json.loads((directory / "environment.json").read_text())["warnings"]
    assert kept.startswith("bare=pre: nothing normalises")
    assert "bare=pre: nothing normalises" in (directory / "report.html").read_text()


def test_parts_of_a_batch_are_warned_of_where_batch_norms_see_different_ones() -> None:
    def said(levels: str, base: str = BASE) -> list[str]:
        factor = f"factors: {{varied: {{path: train.accumulation, levels: {levels}}}}}"
        return doubts(plan(factor, DESIGN, base=base).rows)

    (sentence,) = said("[4]")
    assert sentence.startswith("varied=4: batch norm sees 4 images at a time, a part of the batch, and not as many")
    assert len(said("[2, 4]")) == 2
    norm = BASE.replace("kind: conv3x3,", "kind: conv3x3, norm: group,")
    assert said("[4]", base=norm.replace("block: basic", "block: {kind: basic, norm: group}")) == []
    alike = BASE.replace("batch_size: 16,", "batch_size: 16, accumulation: 4,")
    assert doubts(plan("factors: {lr: {path: train.optimizer.lr, levels: [0.2]}}", DESIGN, base=alike).rows) == []


def test_frozen_halves_are_named() -> None:
    for level, sentence in (("statistics", "nothing has measured"), ("both", "nothing has measured"), ("affine", "")):
        factor = f"factors: {{frozen: {{path: train.freeze_batch_norm, levels: [{level}]}}}}"
        said = doubts(plan(factor, DESIGN, base=BASE).rows)
        assert (sentence in said[0]) if sentence else said == []
    said = doubts(plan("factors: {frozen: {path: train.freeze, levels: [[stem]]}}", DESIGN, base=BASE).rows)
    assert "stays as chance made it" in said[0]
