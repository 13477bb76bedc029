from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from search.data import Images, Splits
from search.train.batch import Batch
from search.train.loop import evaluate, train
from search.train.outcome import Outcome, pack, unpack
from search.train.step import Step
from tests.search.train.specs import network_for, recipe_of


def without_times(outcome: Outcome) -> dict[str, object]:
    plain = outcome.plain()
    plain["epochs"] = [{**epoch, "seconds": 0} for epoch in plain["epochs"]]
    return {name: value for name, value in plain.items() if name not in MEASURED}


MEASURED = {"train_seconds", "images_per_second", "peak_memory"}


def test_a_network_learns_to_read_digits(digits: Splits) -> None:
    recipe = recipe_of(epochs=6, batch_size=64, target_accuracy=0.8)  # 0.944 to 0.958 over three seeds
    outcome = train(network_for(digits, width=16, depth=2), recipe, digits, 0)
    assert outcome.status == "completed"
    last = outcome.epochs[-1]
    assert last.val_accuracy > 0.88
    assert last.val_top5 is not None
    assert last.val_top5 > last.val_accuracy
    assert last.train_loss < outcome.epochs[0].train_loss / 2
    reached = [epoch.epoch for epoch in outcome.epochs if epoch.val_accuracy >= 0.8]
    assert outcome.epochs_to_target == reached[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_bits(patterns: Splits, threads: int) -> None:
    recipe = recipe_of(threads=threads, augment={"crop": 1, "flip": True}, label_smoothing=0.1)
    network = network_for(patterns, width=8, block="bottleneck")
    first, again = (train(network, recipe, patterns, 7, keep_weights=True) for _ in range(2))
    assert without_times(first) == without_times(again)
    assert first.weights == again.weights
    assert train(network, recipe, patterns, 8, keep_weights=True).weights != first.weights


def test_what_the_caller_drew_before_does_not_matter_nor_what_it_draws_after(patterns: Splits) -> None:
    network, threads = network_for(patterns), torch.get_num_threads()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = train(network, recipe_of(threads=2), patterns, 0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert without_times(train(network, recipe_of(threads=2), patterns, 0)) == without_times(first)


def test_arms_with_one_seed_see_the_same_images_in_the_same_order(
    patterns: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[bytes]] = []
    take = Step.take

    def remember(step: Step, batch: Batch) -> torch.Tensor:
        seen[-1].append(batch.images.contiguous().numpy().tobytes() + batch.labels.numpy().tobytes())
        return take(step, batch)

    monkeypatch.setattr(Step, "take", remember)
    recipe = recipe_of(augment={"crop": 1, "flip": True})
    for network in (network_for(patterns), network_for(patterns, width=8, depth=2, block="bottleneck")):
        seen.append([])
        train(network, recipe, patterns, 3)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == len(seen[0]) == 2 * (len(patterns.train) // 32)


def test_weights_make_the_round_trip(patterns: Splits) -> None:
    network = network_for(patterns)
    outcome = train(network, recipe_of(), patterns, 0, keep_weights=True)
    assert outcome.weights is not None
    evaluation = evaluate(network, outcome.weights, patterns.validation, patterns)
    last = outcome.epochs[-1]
    assert (evaluation.loss, evaluation.accuracy, evaluation.correct) == (
        last.val_loss,
        last.val_accuracy,
        outcome.correct,
    )
    assert evaluation.top5 is None
    assert train(network, recipe_of(epochs=1), patterns, 0).weights is None


def test_correctness_of_each_image_is_kept(patterns: Splits) -> None:
    outcome = train(network_for(patterns), recipe_of(epochs=1), patterns, 0)
    assert outcome.correct is not None
    correct = unpack(outcome.correct, len(patterns.validation))
    assert correct.mean() == pytest.approx(outcome.epochs[-1].val_accuracy)
    some = np.arange(21) % 3 == 0
    np.testing.assert_array_equal(unpack(pack(some), 21), some)


def test_outcomes_are_plain_data(patterns: Splits) -> None:
    plain = train(network_for(patterns), recipe_of(), patterns, 0, keep_weights=True).plain()
    assert json.loads(json.dumps(plain, allow_nan=False)).keys() == plain.keys()
    assert "weights" not in plain
    assert [epoch["epoch"] for epoch in plain["epochs"]] == [1, 2]
    assert plain["images_per_second"] > 0
    assert plain["train_seconds"] >= sum(epoch["seconds"] for epoch in plain["epochs"])


def test_a_loss_that_is_not_finite_ends_the_trial_within_a_step(
    patterns: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    take = Step.take
    monkeypatch.setattr(Step, "take", lambda *given: steps.append(1) or take(*given))
    wild = recipe_of(epochs=3, schedule="constant", optimizer={"kind": "sgd", "lr": 1e30})
    outcome = train(network_for(patterns), wild, patterns, 0, keep_weights=True)
    assert outcome.status == "diverged"
    assert outcome.reason == f"the training loss at step {len(steps)} is not a number (epoch 1)"
    assert len(steps) <= 3
    assert outcome.epochs == ()
    assert outcome.correct is None
    assert outcome.weights is None
    json.dumps(outcome.plain(), allow_nan=False)


def test_a_validation_loss_that_is_not_finite_is_a_divergence_too(patterns: Splits) -> None:
    one_step = recipe_of(epochs=1, batch_size=4096, optimizer={"kind": "sgd", "lr": 1e38})
    outcome = train(network_for(patterns), one_step, patterns, 0)
    assert outcome.status == "diverged"
    assert outcome.reason.startswith("the validation loss is")


def test_the_learning_rate_follows_the_schedule_step_by_step(patterns: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    take = Step.take

    def remember(step: Step, batch: Batch) -> torch.Tensor:
        logits = take(step, batch)
        rates.append({group["lr"] for group in step.optimizer.param_groups})
        return logits

    monkeypatch.setattr(Step, "take", remember)
    outcome = train(network_for(patterns), recipe_of(optimizer={"kind": "sgd", "lr": 0.4}), patterns, 0)
    total = len(rates)
    expected = [0.2 * (1 + math.cos(math.pi * step / total)) for step in range(total)]
    assert [rate for (rate,) in rates] == pytest.approx(expected)
    assert outcome.epochs[0].lr == pytest.approx(expected[total // 2 - 1])


def test_reported_losses_leave_smoothing_out(patterns: Splits) -> None:
    still = {"optimizer": {"kind": "sgd", "lr": 1e-12}, "epochs": 1}
    plain, smoothed = (
        train(network_for(patterns), recipe_of(label_smoothing=smoothing, **still), patterns, 0)
        for smoothing in (0, 0.9)
    )
    assert plain.epochs[0].train_loss == pytest.approx(smoothed.epochs[0].train_loss)


def test_the_test_split_is_not_touched(patterns: Splits) -> None:
    closed = Images(np.empty((0, 3, 8, 8), np.uint8), np.empty(0, np.int64))
    without = Splits(patterns.train, patterns.validation, closed, patterns.mean, patterns.std, patterns.classes, "")
    network = network_for(patterns)
    assert without_times(train(network, recipe_of(), without, 0)) == without_times(
        train(network, recipe_of(), patterns, 0)
    )
