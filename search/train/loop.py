"""Training one network: the loop. Everything that it decides is in the recipe, the splits or the seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import torch
import torch._dynamo  # the first step of torch's optimisers would: a second and 100 MB, charged to some trial
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from blocks import Limits, NetworkSpec, dump_weights, weights_into
from blocks.limits import LIMITS
from search.data.images import Images, Splits
from search.train.chance import seeded_layers, stream
from search.train.divergence import Diverged, LossWatch, require_finite
from search.train.feed import Feed, evaluation_batches, training_batches
from search.train.memory import MemoryMeter
from search.train.outcome import Epoch, Evaluation, Outcome, pack
from search.train.recipe import TrainSpec
from search.train.tally import Score, Tally

EVALUATION_BATCH = {"cpu": 256, "cuda": 2048}


def train(
    network: NetworkSpec,
    recipe: TrainSpec,
    splits: Splits,
    seed: int,
    *,
    device: str = "cpu",
    keep_weights: bool = False,
    limits: Limits = LIMITS,
) -> Outcome:
    """Builds a network, trains it, and validates it after every epoch.

    The seed decides initial values, order, augmentation and what layers draw, each by a stream of its own, so that
    arms which share a seed differ in nothing else. On a CPU the same arguments give the same bits.

    Args:
        network: What to build.
        recipe: How to train it.
        splits: What to train and validate it on; the test split is not touched.
        seed: From 0 to 2**63 - 1.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        keep_weights: Whether the outcome carries the last epoch's weights.
        limits: Networks over these are not built.

    Raises:
        InfeasibleSpec: If the network cannot be built.
    """
    where = torch.device(device)
    with trial_settings(recipe.threads), seeded_layers(seed, where):
        return Trial(network, recipe, splits, seed, where, limits).run(keep_weights)


def evaluate(
    network: NetworkSpec,
    weights: bytes,
    images: Images,
    splits: Splits,
    *,
    device: str = "cpu",
    threads: int = 1,
    limits: Limits = LIMITS,
) -> Evaluation:
    """Measures a trained network on images, normalised as it was trained.

    Args:
        network: What the weights belong to.
        weights: Those of an ``Outcome``.
        images: ``splits.test``, say.
        splits: What it was trained on.
        device: Where to compute.
        threads: Of the CPU.
        limits: Networks over these are not built.

    Raises:
        WeightsError: If the weights are not those of such a network.
    """
    where = torch.device(device)
    with trial_settings(threads):
        module = network.build(seed=0, limits=limits)
        weights_into(module, weights)
        score, correct = measure(on_device(module, where), Feed.of(images, splits, where))
    return Evaluation(score.loss, score.accuracy, score.top5, pack(correct))


class Trial:
    """A network in training, with all that goes with it."""

    def __init__(
        self,
        network: NetworkSpec,
        recipe: TrainSpec,
        splits: Splits,
        seed: int,
        device: torch.device,
        limits: Limits = LIMITS,
    ) -> None:
        self.started = perf_counter()
        self.recipe = recipe
        self.training = Feed.of(splits.train, splits, device)
        self.validation = Feed.of(splits.validation, splits, device)
        self.meter = MemoryMeter(device)
        self.order, self.augmentation = stream(seed, "order"), stream(seed, "augmentation")
        built = network.build(seed=seed, limits=limits)
        built.gradient_checkpointing = recipe.checkpointing
        self.network = on_device(built, device)
        self.optimizer = recipe.optimizer.build(self.network)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.steps_per_epoch = max(1, len(splits.train) // recipe.batch_size)
        self.watch = LossWatch(device)
        self.step = 0
        self.images = 0
        self.training_seconds = 0.0

    def run(self, keep_weights: bool) -> Outcome:
        """Trains to the end, or until a loss is not finite."""
        epochs: list[Epoch] = []
        correct, reason = None, ""
        try:
            for number in range(1, self.recipe.epochs + 1):
                epoch, correct = self.epoch(number)
                epochs.append(epoch)
        except Diverged as diverged:
            correct, reason = None, f"{diverged} (epoch {len(epochs) + 1})"
        return Outcome(
            status="diverged" if reason else "completed",
            reason=reason,
            epochs=tuple(epochs),
            epochs_to_target=epochs_to_target(epochs, self.recipe.target_accuracy),
            train_seconds=perf_counter() - self.started,
            images_per_second=self.images / self.training_seconds if self.images else 0.0,
            peak_memory=self.meter.peak(),
            correct=None if correct is None else pack(correct),
            weights=dump_weights(self.network) if keep_weights and not reason else None,
        )

    def epoch(self, number: int) -> tuple[Epoch, NDArray[np.bool_]]:
        """Trains and validates once; returns how it went, and which validation images were right."""
        started = perf_counter()
        learned = self.learn()
        trained = perf_counter()
        self.training_seconds += trained - started
        validated, correct = measure(self.network, self.validation)
        require_finite(validated.loss, "the validation loss")
        epoch = Epoch(
            epoch=number,
            train_loss=learned.loss,
            train_accuracy=learned.accuracy,
            val_loss=validated.loss,
            val_accuracy=validated.accuracy,
            train_top5=learned.top5,
            val_top5=validated.top5,
            lr=self.optimizer.param_groups[0]["lr"],
            seconds=perf_counter() - started,
        )
        return epoch, correct

    def learn(self) -> Score:
        """Goes over the training split once. The host waits for the device once, at the end."""
        self.network.train()
        tally = Tally(self.training.pixels.device)
        for batches in training_batches(self.training, self.recipe, self.order, self.augmentation):
            logits = [self.take_step(images, labels) for images, labels in batches]
            tally.add(torch.cat(logits), torch.cat([labels for _, labels in batches]))
            self.images += sum(len(labels) for _, labels in batches)
        score = tally.score()
        require_finite(score.loss, "the training loss")
        return score

    def take_step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Changes the weights once; returns the logits from before."""
        multiplier = self.recipe.schedule.multiplier(self.step, self.steps_per_epoch, self.recipe.epochs)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * multiplier
        logits: Tensor = self.network(images)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self.watch.look(loss, self.step)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return logits.detach()


@torch.no_grad()
def measure(network: nn.Module, feed: Feed) -> tuple[Score, NDArray[np.bool_]]:
    """Returns how a network does on all images of a feed, and which of them it gets right."""
    network.eval()
    device = feed.pixels.device
    tally = Tally(device)
    correct = [
        tally.add(network(images), labels) for images, labels in evaluation_batches(feed, EVALUATION_BATCH[device.type])
    ]
    return tally.score(), torch.cat(correct).cpu().numpy()


@contextmanager
def trial_settings(threads: int) -> Iterator[None]:
    """Sets what torch keeps for the whole process, and puts it back: the number of CPU threads; and on GPUs the choice
    of the fastest convolution by trying, which pays because every step has the same shape.

    On a CPU torch's operations are deterministic for a given number of threads without being told.
    """
    before = torch.get_num_threads(), torch.backends.cudnn.benchmark
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cudnn.benchmark = before[1]


def on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Moves a network, its convolutions' weights with the channels innermost, as its images have them."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def epochs_to_target(epochs: list[Epoch], target: float | None) -> int | None:
    """Returns the first epoch whose validation accuracy is at least the target."""
    reached = (epoch.epoch for epoch in epochs if target is not None and epoch.val_accuracy >= target)
    return next(reached, None)
