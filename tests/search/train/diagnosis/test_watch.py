"""What is measured while a trial trains, against autograd by hand; and that measuring changes nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search.data import Splits
from search.train.batch import Batch
from search.train.diagnosis.losses import left_for_good, spikes
from search.train.diagnosis.places import in_words, layers, places
from search.train.diagnosis.probe import probe
from search.train.diagnosis.sampling import EVERY, FEWEST, SHARE, sampling
from search.train.diagnosis.weights import Weights
from search.train.loop import Trial, train
from tests.search.train.specs import network_for, recipe_of


@pytest.mark.parametrize("recipe", [{}, {"batch_size": 16, "epochs": 1, "augment": {"crop": 1}, "checkpointing": True}])
def test_diagnosis_changes_no_bit(patterns: Splits, recipe: dict[str, Any]) -> None:
    block = {"kind": "bottleneck", "dropout": 0.2}
    network = network_for(patterns, width=8, depth=2, block=block).replace(drop_path=0.2)
    outcomes = {
        mode: train(network, recipe_of(diagnosis=mode, **recipe), patterns, 3, keep_weights=True)
        for mode in ("off", "sampled", "full")
    }
    off = outcomes["off"]
    assert off.diagnosis is None
    for mode in ("sampled", "full"):
        told = outcomes[mode]
        assert told.diagnosis is not None
        assert told.weights == off.weights
        assert [epoch.val_loss for epoch in told.epochs] == [epoch.val_loss for epoch in off.epochs]


def test_norms_are_those_of_autograd_by_hand(patterns: Splits) -> None:
    network = network_for(patterns, depth=2, block="bottleneck").build(0)
    images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    loss = functional.cross_entropy(network(images), torch.arange(8) % 3)
    weights = Weights(network)
    loss.backward(retain_graph=True)
    found = dict(zip(weights.names, weights.by_place(weights.gradients().tolist()), strict=True))
    for name, module in places(network).items():
        own = [weight for weight in module.parameters() if weight.ndim > 1]
        by_hand = torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, own, retain_graph=True)])
        assert found[name] == pytest.approx(by_hand.double().norm().item(), rel=1e-5)


def test_an_update_is_what_a_step_of_plain_descent_changes(patterns: Splits) -> None:
    still = {"kind": "sgd", "lr": 0.25, "momentum": 0, "weight_decay": 0}
    told = train(network_for(patterns), recipe_of(schedule="constant", optimizer=still), patterns, 0).diagnosis
    assert told is not None
    curves = told["curves"]
    for gradients, ratios, sizes in zip(
        curves["gradient_norm"], curves["update_ratio"], curves["weight_norm"], strict=True
    ):
        for gradient, ratio, size in zip(gradients[1:], ratios[1:], sizes[1:], strict=True):
            assert ratio == pytest.approx(0.25 * gradient / size, rel=0.02)


def test_every_step_and_epoch_is_looked_at_if_asked(patterns: Splits) -> None:
    trial = Trial(network_for(patterns), recipe_of(diagnosis="full"), patterns, 0, torch.device("cpu"))
    trial.run(keep_weights=False)
    assert trial.watch is not None
    seen = trial.watch.seen
    assert [reading.step for reading in seen.steps] == list(range(1, trial.step.number + 1))
    assert list(seen.probes) == [0, 1, 2]
    assert len(seen.losses) == trial.step.number


def test_what_is_looked_into_is_the_network_that_is_validated(patterns: Splits) -> None:
    recipe = recipe_of(diagnosis="full", ema={"decay": 0.99, "warmup": False})
    trial = Trial(network_for(patterns), recipe, patterns, 0, torch.device("cpu"))
    trial.run(keep_weights=False)
    assert trial.watch is not None
    last = trial.watch.seen.probes[recipe.epochs]
    averaged, trained = (
        probe(network, trial.validation, last.images, recipe.batch_size) for network in (trial.evaluated, trial.network)
    )
    assert last.deviation == averaged.deviation
    assert last.deviation != trained.deviation


@pytest.mark.parametrize("epochs", [1, 2, 10, 200])
@pytest.mark.parametrize("batch", [1, 64, 512])
def test_samples_are_few_and_reach_from_the_first_step_to_the_end(epochs: int, batch: int) -> None:
    per_epoch = 2048 // batch
    when = sampling("sampled", epochs, per_epoch, batch, 5000)
    total = epochs * per_epoch
    assert {0, total - 1} <= when.steps <= set(range(total))
    assert len(when.steps) <= max(2, total / EVERY)
    assert epochs in when.epochs
    assert when.epochs <= set(range(epochs + 1))
    assert len(when.epochs) * when.images <= max(FEWEST, SHARE * total * batch)


def test_a_step_that_diverges_leaves_what_was_seen_before(patterns: Splits) -> None:
    told = train(network_for(patterns), recipe_of(optimizer={"kind": "sgd", "lr": 1e30}), patterns, 0).diagnosis
    assert told is not None
    assert told["curves"]["gradient_norm"]
    assert all(
        value is None or math.isfinite(value) for rows in told["curves"].values() for row in rows for value in row
    )


def test_a_captured_step_may_write_all_losses_to_one_place(patterns: Splits) -> None:
    trial = Trial(network_for(patterns), recipe_of(), patterns, 0, torch.device("cpu"))
    watch = trial.watch
    assert watch is not None
    watch._on_host = False
    place = torch.zeros(())

    class Step:
        number = 1_000_000

    for value in (1.0, 2.0):
        place.fill_(value)
        watch.after_backward(Step, place)  # type: ignore[arg-type]
    watch.fetch()
    assert watch.seen.losses == [1.0, 2.0]


def test_parts_of_a_batch_are_one_step(patterns: Splits) -> None:
    trial = Trial(network_for(patterns), recipe_of(), patterns, 0, torch.device("cpu"))
    trial.step.micro_batch = 8
    trial.network.train()
    pixels = torch.from_numpy(patterns.train.pixels[:32].copy())
    trial.step.take(Batch(trial.training.normalised(pixels), torch.from_numpy(patterns.train.labels[:32].copy())))
    assert trial.watch is not None
    trial.watch.fetch()
    assert len(trial.watch.seen.losses) == len(trial.watch.seen.steps) == 1


def noisy(level: float, count: int) -> list[float]:
    return (level + 0.05 * torch.randn(count, generator=torch.Generator().manual_seed(0))).tolist()


def test_a_spike_counts_once_and_noise_does_not() -> None:
    steady = noisy(1.0, 200)
    assert spikes(steady, 128, 2.3) == []
    risen = [*steady[:100], 3.0, 3.1, 2.9, *steady[100:], 4.0]
    assert spikes(risen, 128, 2.3) == [101, 204]
    assert spikes([*noisy(0.001, 50), 0.1, *noisy(0.001, 50)], 128, 2.3) == []


def test_a_loss_leaves_its_start_for_good_or_comes_back() -> None:
    assert left_for_good([2.3, 2.2, 9, 8, 7, 6, 6, 6], 128) == 3
    assert left_for_good([2.3, 9, 8, 7, 2.2, 2, 2, 2], 128) is None
    assert left_for_good([2.3, 2, 1, 1, 1, 1, 9, 9], 128) is None
    assert left_for_good([2.3, 2.2, 2.1], 128) is None


def test_places_are_counted_from_one_and_layers_as_papers_do(patterns: Splits) -> None:
    assert [in_words(place) for place in ("stem", "stages.0", "stages.2.8", "head")] == [
        "the stem",
        "stage 1",
        "stage 3 block 9",
        "the head",
    ]
    se = {"kind": "basic", "attention": "se"}
    assert layers(network_for(patterns, depth=9, block=se).build(0)) == 20


def test_chance_is_what_guessing_by_frequency_costs() -> None:
    from search.train.diagnosis.evidence import entropy

    def cross_entropy(shares: Tensor) -> float:
        return -(shares * shares.log()).sum().item()

    assert entropy([5] * 10) == pytest.approx(math.log(10))
    assert entropy([30, 10]) == pytest.approx(cross_entropy(torch.tensor([0.75, 0.25])))
    assert entropy([7, 0]) == 0
