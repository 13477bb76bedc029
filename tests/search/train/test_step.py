"""The pieces of a step: parts of a batch, clipping, the average of the weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import NetworkSpec
from search.data import Splits
from search.train.batch import Batch
from search.train.extras import Ema
from search.train.loop import Trial, train
from search.train.recipe import TrainSpec
from search.train.step import Step
from tests.search.train.specs import network_for, recipe_of

CPU = torch.device("cpu")


def network(norm: str = "group") -> nn.Module:
    spec = {
        "in_channels": 3,
        "stem": {"kind": "conv3x3", "width": 4, "norm": norm},
        "stages": [{"block": {"kind": "basic", "norm": norm}, "depth": 1, "width": 4}],
        "head": {"kind": "linear", "num_classes": 5},
    }
    return NetworkSpec.model_validate(spec).build(seed=0)


def step(module: nn.Module, **fields: Any) -> Step:
    still = {"kind": "sgd", "lr": 0.1, "momentum": 0, "weight_decay": 0}
    given = {"batch_size": 12, "schedule": "constant", "optimizer": still, **fields}
    return Step(module, TrainSpec.model_validate(given), 1, CPU)  # type: ignore[arg-type]


def batch(count: int = 12) -> Batch:
    generator = torch.Generator().manual_seed(2)
    return Batch(torch.randn(count, 3, 8, 8, generator=generator), torch.randint(5, (count,), generator=generator))


def weights(module: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


@pytest.mark.parametrize("parts", [2, 3, 5, 12])  # 5 parts of 12 images: 3, 3, 3 and 3
@pytest.mark.parametrize("count", [12, 11, 7])  # and parts of unequal sizes
def test_parts_of_a_batch_give_the_gradient_of_the_whole(parts: int, count: int) -> None:
    whole, in_parts = network(), network()
    logits = step(whole).take(batch(count))
    assert torch.allclose(step(in_parts, accumulation=parts).take(batch(count)), logits, atol=1e-6)
    for one, other in zip(weights(whole), weights(in_parts), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_a_mean_of_the_parts_means_would_not() -> None:
    whole, wrong, images = network(), network(), batch(11)
    step(whole).take(images)
    for part in images.split(4):
        (functional.cross_entropy(wrong(part.images), part.labels) / 3).backward()
    step(wrong).update()
    assert not all(torch.allclose(a, b, atol=1e-6) for a, b in zip(weights(whole), weights(wrong), strict=True))


def test_batch_norm_sees_the_parts() -> None:
    whole, in_parts = network("batch"), network("batch")
    step(whole).take(batch())
    step(in_parts, accumulation=3).take(batch())
    assert not all(torch.allclose(a, b, atol=1e-5) for a, b in zip(weights(whole), weights(in_parts), strict=True))


class Norms:
    """Notes the norm of all gradients before they are clipped."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def after_backward(self, step: Step, loss: Tensor) -> None:
        gradients = [p.grad for group in step.optimizer.param_groups for p in group["params"]]
        self.found.append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))

    def after_step(self, step: Step) -> None: ...

    def after_epoch(self, trial: Trial, epoch: Any) -> None: ...


@pytest.mark.parametrize("scale", [None, 1024.0])
@pytest.mark.parametrize("parts", [1, 3])
def test_the_norm_of_a_whole_step_is_limited_at_true_size(scale: float | None, parts: int) -> None:
    """Also where float16 has scaled the loss: clipped before unscaling, a step would be 1024 times too short."""
    module, watch = network(), Norms()
    taken = step(module, clip_norm=0.05, accumulation=parts)
    taken.observers = (watch,)
    if scale is not None:
        taken.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    before = weights(module)
    taken.take(batch())
    (norm,) = watch.found
    assert norm > 0.2  # true size, not scaled
    moved = torch.cat([(b - a).flatten() for a, b in zip(before, weights(module), strict=True)]).norm()
    assert moved == pytest.approx(0.1 * 0.05, rel=1e-3)


def test_small_gradients_are_left_alone() -> None:
    free, clipped = network(), network()
    step(free).take(batch())
    step(clipped, clip_norm=1000, clip_value=1000).take(batch())
    for one, other in zip(weights(free), weights(clipped), strict=True):
        torch.testing.assert_close(one, other)


def test_values_are_cut_off() -> None:
    module = network()
    before = weights(module)
    step(module, clip_value=0.001).take(batch())
    moves = torch.cat([(b - a).flatten() for a, b in zip(before, weights(module), strict=True)])
    assert moves.abs().max() == pytest.approx(0.1 * 0.001, rel=0.01)


@pytest.mark.parametrize("warmup", [True, False])
def test_the_average_is_that_of_the_closed_form(warmup: bool) -> None:
    module = network("batch")
    taken = step(module, ema={"decay": 0.8, "warmup": warmup})
    assert taken.average is not None
    history = [{name: value.clone() for name, value in module.state_dict().items()}]
    for _ in range(5):
        taken.take(batch())
        history.append({name: value.clone() for name, value in module.state_dict().items()})
    kept = [min(0.8, (1 + t) / (10 + t)) if warmup else 0.8 for t in range(1, 6)]
    shares = [1.0, *(1 - d for d in kept)]  # of each state, once later steps have shrunk it
    for late, d in enumerate(kept, 1):
        for early in range(late):
            shares[early] *= d
    assert sum(shares) == pytest.approx(1)
    for name, average in taken.average.network.state_dict().items():
        if average.is_floating_point():
            expected = sum(share * state[name] for share, state in zip(shares, history, strict=True))
            torch.testing.assert_close(average, expected, atol=1e-6, rtol=1e-4)
        else:
            assert average == 5  # how many batches were seen, not a mean of it


def test_the_average_is_evaluated_and_kept(patterns: Splits) -> None:
    recipe = recipe_of(ema={"decay": 0.9}, epochs=3)
    trial = Trial(network_for(patterns), recipe, patterns, 0, CPU)
    outcome = trial.run(keep_weights=True)
    assert trial.step.average is not None
    assert trial.evaluated is trial.step.average.network
    plain = train(network_for(patterns), recipe_of(epochs=3), patterns, 0, keep_weights=True)
    assert outcome.weights != plain.weights
    assert outcome.epochs[-1].train_loss == plain.epochs[-1].train_loss  # it changes nothing about training
    assert outcome.epochs[-1].val_loss != plain.epochs[-1].val_loss


def test_early_stopping_counts_epochs_without_anything_better(patterns: Splits) -> None:
    still = {"kind": "sgd", "lr": 1e-12}
    rule = {"patience": 2, "min_delta": 10}
    outcome = train(network_for(patterns), recipe_of(epochs=9, optimizer=still, early_stopping=rule), patterns, 0)
    assert (outcome.status, outcome.reason, len(outcome.epochs)) == ("completed", "", 3)
    learning = recipe_of(epochs=4, early_stopping={"patience": 4, "of": "val_accuracy"})
    assert len(train(network_for(patterns), learning, patterns, 0).epochs) == 4


def test_evaluation_with_flips_asks_twice(patterns: Splits) -> None:
    from search.train.measure import answers

    module = network().eval()
    images = batch().images
    expected = (module(images) + module(images.flip(3))) / 2
    torch.testing.assert_close(answers(module, images, True), expected)
    torch.testing.assert_close(answers(module, images, True), answers(module, images.flip(3), True))
    torch.testing.assert_close(answers(module, images, False), module(images))
    plain, flipped = (
        train(network_for(patterns), recipe_of(evaluation={"flip": flip}), patterns, 0) for flip in (False, True)
    )
    assert plain.epochs[-1].train_loss == flipped.epochs[-1].train_loss
    assert plain.epochs[-1].val_loss != flipped.epochs[-1].val_loss


def test_the_plain_recipe_is_a_plain_loop(patterns: Splits) -> None:
    """What all the pieces come to when none is asked for, bit for bit, whatever the machine."""
    from blocks import weights_into
    from search.train.chance import stream
    from search.train.feed import Feed

    outcome = train(network_for(patterns), recipe_of(), patterns, 0, keep_weights=True)
    module = network_for(patterns).build(seed=0).to(memory_format=torch.channels_last).train()
    feed, order = Feed.of(patterns.train, patterns, CPU), stream(0, "order")
    decayed = [p for p in module.parameters() if p.ndim > 1]
    free = [p for p in module.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.0001}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, fused=True)
    steps = len(feed.labels) // 32
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for number in range(2 * steps):
        if number % steps == 0:
            positions = torch.randperm(len(feed.labels), generator=order)
        chosen = positions[number % steps * 32 :][:32]
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * ((1 + math.cos(math.pi * number / (2 * steps))) / 2)
        functional.cross_entropy(module(feed.normalised(feed.pixels[chosen])), feed.labels[chosen]).backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.set_num_threads(threads)
    assert outcome.weights is not None
    trained = network_for(patterns).build(seed=1)
    weights_into(trained, outcome.weights)
    for name, value in module.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name]), name


def test_decay_grows_to_its_limit() -> None:
    from search.train.ema import MovingAverage

    average = MovingAverage(Ema(decay=0.9), network())  # type: ignore[arg-type]
    assert [average.decay(step) for step in (1, 2, 1000)] == pytest.approx([2 / 11, 3 / 12, 0.9])
