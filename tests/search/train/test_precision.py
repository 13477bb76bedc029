from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from search.data import Splits
from search.train.feed import Batch, Feed
from search.train.loop import Trial, evaluate, train
from search.train.measure import measure
from search.train.step import Step
from tests.search.train.specs import network_for, recipe_of

LOW = ["bfloat16", "float16"]
CPU = torch.device("cpu")


def trial(splits: Splits, **fields: object) -> Trial:
    return Trial(network_for(splits, width=8), recipe_of(**fields), splits, 0, CPU)


def batch_of(made: Trial) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(32, *made.training.shape, generator=generator).contiguous(memory_format=torch.channels_last)
    return Batch(images, torch.arange(32) % 3)


def precisions(network: nn.Module) -> list[torch.dtype]:
    """Returns what the convolutions of a network put out from now on, as it happens."""
    seen: list[torch.dtype] = []

    def look(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        seen.append(out.dtype)

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(look)
    return seen


@pytest.mark.parametrize("precision", LOW)
def test_convolutions_are_of_the_precision_and_logits_losses_and_weights_are_float32(
    patterns: Splits, precision: str
) -> None:
    made = trial(patterns, precision=precision)
    seen = precisions(made.network)
    logits, loss = made.step.gradients(batch_of(made))
    assert set(seen) == {getattr(torch, precision)}
    assert {logits.dtype, loss.dtype} == {torch.float32}
    assert {value.dtype for value in made.network.parameters()} == {torch.float32}
    seen.clear()
    measure(made.network, made.validation, precision)
    assert set(seen) == {getattr(torch, precision)}


@pytest.mark.parametrize("precision", LOW)
def test_it_learns_as_float32_does(patterns: Splits, precision: str) -> None:
    network = network_for(patterns, width=8)
    full, low = (train(network, recipe_of(epochs=3, precision=name), patterns, 0) for name in ("float32", precision))
    assert low.status == "completed"
    assert low.precision == precision
    assert low.epochs[-1].val_accuracy == pytest.approx(full.epochs[-1].val_accuracy, abs=0.1)
    assert low.epochs[-1].val_loss != full.epochs[-1].val_loss


def test_gradients_of_float16_are_of_true_size_when_they_are_looked_at(patterns: Splits) -> None:
    norms: dict[str, float] = {}

    class Looker:
        def __init__(self, name: str) -> None:
            self.name = name

        def after_backward(self, step: Step, loss: Tensor) -> None:
            gradients = [value.grad.norm() for value in step.network.parameters() if value.grad is not None]
            norms[self.name] = float(torch.stack(gradients).norm())

        def after_step(self, step: Step) -> None: ...

        def after_epoch(self, trial: Trial, epoch: object) -> None: ...

    for name in ("float32", "float16"):
        recipe = recipe_of(precision=name)
        made = Trial(network_for(patterns, width=8), recipe, patterns, 0, CPU, observers=[Looker(name)])
        made.step.take(batch_of(made))
    assert norms["float16"] == pytest.approx(norms["float32"], rel=0.05)


def test_a_step_of_float16_whose_gradients_overflow_is_skipped_and_the_scale_lowered(patterns: Splits) -> None:
    made = trial(patterns, precision="float16")
    scaler = made.step.scaler
    assert scaler is not None
    before, scale = [value.clone() for value in made.network.parameters()], scaler.get_scale()
    for value in made.network.parameters():
        value.register_hook(lambda gradient: gradient * float("inf"))
    made.step.take(batch_of(made))
    assert all(torch.equal(old, new) for old, new in zip(before, made.network.parameters(), strict=True))
    assert scaler.get_scale() == scale / 2


@pytest.mark.parametrize("fields", [{"precision": "bfloat16"}, {"deterministic": True}, {"micro_batch": 12}])
def test_the_same_seed_gives_the_same_bits(patterns: Splits, fields: dict[str, object]) -> None:
    network, recipe = network_for(patterns, width=8), recipe_of(epochs=1, **fields)
    first, again = (train(network, recipe, patterns, 7, keep_weights=True) for _ in range(2))
    assert first.weights is not None
    assert first.weights == again.weights
    assert not torch.are_deterministic_algorithms_enabled()


def test_weights_are_tested_in_the_precision_that_they_were_trained_in(patterns: Splits) -> None:
    network = network_for(patterns, width=8)
    outcome = train(network, recipe_of(precision="bfloat16"), patterns, 0, keep_weights=True)
    assert outcome.weights is not None
    found = evaluate(network, outcome.weights, patterns.validation, patterns, precision="bfloat16")
    assert (found.loss, found.accuracy) == (outcome.epochs[-1].val_loss, outcome.epochs[-1].val_accuracy)


def test_what_is_still_open_is_not_trained(patterns: Splits) -> None:
    for fields in ({"precision": "auto"}, {"compile": "auto"}, {"micro_batch": "auto"}):
        with pytest.raises(ValueError, match=r"beforehand|before the trial"):
            train(network_for(patterns), recipe_of(**fields), patterns, 0)


def test_graphs_are_recorded_of_plain_steps_only() -> None:
    with pytest.raises(ValueError, match="cuda_graphs records plain steps"):
        recipe_of(cuda_graphs=True, checkpointing=True)


def test_small_micro_batches_say_so_and_change_nothing_without_batch_norm(patterns: Splits) -> None:
    network = network_for(patterns, width=8, block={"kind": "basic", "norm": "group"}).replace(
        stem={"kind": "conv3x3", "width": 8, "norm": "group"}
    )
    whole, parts = (train(network, recipe_of(), patterns, 0, halvings=halvings) for halvings in (0, 2))
    assert (whole.micro_batch, whole.accumulation) == (32, 1)
    assert (parts.micro_batch, parts.accumulation) == (8, 4)
    assert parts.epochs[-1].train_loss == pytest.approx(whole.epochs[-1].train_loss, rel=1e-3)


def test_a_feed_tells_its_shape_and_place(patterns: Splits) -> None:
    feed = Feed.of(patterns.train, patterns, CPU)
    assert (feed.shape, feed.device) == ((3, 8, 8), CPU)
