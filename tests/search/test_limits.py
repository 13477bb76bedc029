"""Limits: what arms must meet to be trained, what is never built, and what memory a training step takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from blocks import InfeasibleSpec, Limits
from blocks.source import InputError
from search.data.kinds.synthetic import Synthetic
from search.data.prepare import prepare
from search.plan import Plan
from search.train.loop import Trial, train
from search.train.optimizers import OPTIMIZERS
from search.trial import Job, attempt, run
from tests.search.command import STUDY, write_study
from tests.search.conftest import Command
from tests.search.studies import plan, study

EXPANSION = 'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 6]}}'
DESIGN = "design: one_at_a_time"
SMALL = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network:
  stem: {kind: conv3x3, width: 4}
  stages: [{block: basic, depth: 1, width: 8}]
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""


def statuses(found: Plan) -> dict[str, tuple[str, str]]:
    return {row.label: (row.status, row.reason) for row in found.rows}


def test_memory_is_a_constraint() -> None:
    free = plan(EXPANSION, DESIGN)
    memory = {row.label: row.configuration.memory.total for row in free.rows}
    assert memory["expansion=1"] < memory["baseline"] < memory["expansion=6"]
    held = plan(EXPANSION, DESIGN, f"constraints: {{memory: {{max: {memory['baseline']}}}}}")
    status, reason = statuses(held)["expansion=6"]
    assert status == "rejected"
    assert reason == f"memory {memory['expansion=6']:,} above the limit of {memory['baseline']:,}"
    assert statuses(held)["expansion=1"][0] == "run"


def test_memory_is_that_of_the_recipe() -> None:
    found = plan(
        "factors:",
        "  batch: {path: train.batch_size, levels: [32]}",
        "  optimizer: {path: train.optimizer, levels: [adamw, {kind: sgd, momentum: 0}]}",
        DESIGN,
    )
    baseline, *_ = (row.configuration.memory for row in found.rows)
    memory = {row.label: row.configuration.memory for row in found.rows}
    assert memory["batch=32"].parameters == baseline.parameters
    assert memory["batch=32"].activations > 1.9 * baseline.activations
    assert baseline.optimizer == baseline.parameters
    assert memory["optimizer=adamw"].optimizer == 2 * baseline.parameters
    assert memory["optimizer=sgd(momentum=0)"].optimizer == 0


@pytest.mark.parametrize("spec", [*OPTIMIZERS.kinds(), {"kind": "sgd", "momentum": 0}])
def test_every_optimizer_keeps_as_many_numbers_as_it_says(spec: Any) -> None:
    parsed = OPTIMIZERS.parse(spec)
    module = torch.nn.Linear(5, 7)
    optimizer = parsed.build(module)
    module(torch.ones(2, 5)).sum().backward()
    optimizer.step()
    for parameter in module.parameters():
        kept = [value for value in optimizer.state[parameter].values() if torch.is_tensor(value) and value.dim()]
        assert sum(value.numel() for value in kept) == parsed.states * parameter.numel()


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("params: 3000", "parameters up to here are more than the limit of 3,000"),
        ("macs: 2e5", "MACs up to here are more than the limit of 200,000"),
        ("activations: 3e3", "activations up to here are more than the limit of 3,000"),
        ("memory: 4e5", "a training step on 16 images needs .* bytes, more than the limit of 400,000"),
    ],
)
def test_what_is_over_a_limit_is_an_arms_reason(limit: str, reason: str) -> None:
    found = plan(
        'factors: {width: {path: "network.stages[*].width", levels: {scale: [0.25, 3]}}}',
        "design: factorial",  # where an impossible arm is a row
        f"limits: {{{limit}}}",
        base=SMALL,
    )
    status, said = statuses(found)["width=3"]
    assert status == "rejected"
    assert re.search(f"can't be built: .*{reason}", said)
    assert statuses(found)["width=0.25"][0] == "run"


def test_a_baseline_over_a_limit_is_refused_in_its_place() -> None:
    with pytest.raises(InputError, match=r"network.stages\[1\]: the baseline can't be built: .* limit of 1"):
        plan("limits: {blocks: 1}", DESIGN, EXPANSION)


@pytest.mark.parametrize("limits", ["{params: 0}", "{blocks: many}", "{speed: 3}"])
def test_limits_are_numbers_above_zero(limits: str) -> None:
    with pytest.raises(InputError, match="limits"):
        study(f"limits: {limits}")


def test_a_limit_that_is_raised_is_raised_for_the_trials_too() -> None:
    """By default nothing of more than 10,000 blocks is built; a job carries what its study allows instead."""
    configuration = study().baseline
    splits = prepare(Synthetic.model_validate(configuration["data"]))
    job = Job("t", "train", configuration, 0, limits=Limits(blocks=1))
    reply = attempt(run, job, splits, "cpu")
    assert reply["status"] == "failed"
    assert "more than the limit of 1" in reply["reason"]
    assert plan("limits: {blocks: 20000}").limits == Limits(blocks=20000)


def test_training_refuses_what_is_over_its_limits() -> None:
    own = plan().baseline.configuration
    with pytest.raises(InfeasibleSpec, match="limit of 10"):
        train(own.network, own.train, prepare(own.data), 0, limits=Limits(params=10))


def test_checkpointing_is_a_part_of_the_recipe() -> None:
    found = plan("factors: {checkpointing: {path: train.checkpointing, levels: [true]}}", DESIGN)
    splits = prepare(found.baseline.configuration.data)
    losses = []
    for row in found.rows:
        own = row.configuration
        trial = Trial(own.network, own.train, splits, 0, torch.device("cpu"))
        assert trial.network.gradient_checkpointing is own.train.checkpointing
        losses.append([epoch.train_loss for epoch in trial.run(False).epochs])
    assert [row.configuration.train.checkpointing for row in found.rows] == [False, True]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_dry_run_tells_what_memory_the_largest_arm_takes(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path, STUDY)
    assert inline("study.yaml", "--dry-run") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("memory: "))
    assert "MiB for a training step of the largest arm" in line
    assert "activations)" in line
