"""Training one network: the loop. Everything that it decides is in the recipe, the splits or the seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
import torch
import torch._dynamo  # the first step of torch's optimisers would: a second and 100 MB, charged to some trial
from numpy.typing import NDArray

from blocks import Limits, Network, NetworkSpec, dump_weights, weights_into
from blocks.limits import LIMITS
from search.data.images import Images, Splits
from search.train.augmentation import Augmentation
from search.train.chance import Seeds, seeded_layers, stream
from search.train.checkpoint import restored, saved
from search.train.diagnosis import diagnose as diagnosis
from search.train.diagnosis.lesion import Lesions, lesions
from search.train.diagnosis.places import original
from search.train.divergence import Diverged, require_finite
from search.train.extras import EarlyStopping
from search.train.feed import Feed, training_batches
from search.train.measure import measure
from search.train.memory import MemoryMeter
from search.train.observers import Observer
from search.train.outcome import Epoch, Evaluation, Outcome, pack
from search.train.preparation import prepared
from search.train.quicken import quicken
from search.train.recipe import TrainSpec
from search.train.settings import device_name, on_device, trial_settings
from search.train.step import Step
from search.train.tally import Score, Tally
from search.train.teacher import Teacher


def train(
    network: NetworkSpec,
    recipe: TrainSpec,
    splits: Splits,
    seed: int | Seeds,
    *,
    device: str = "cpu",
    keep_weights: bool = False,
    limits: Limits = LIMITS,
    observers: Sequence[Observer] = (),
    halvings: int = 0,
    until: int | None = None,
    checkpoint: bytes | None = None,
) -> Outcome:
    """Builds a network, trains it, and validates it after every epoch.

    The seed decides initial values, order, augmentation and what layers draw, each by a stream of its own, so that
    arms which share a seed differ in nothing else. On a CPU the same arguments give the same bits.

    Args:
        network: What to build.
        recipe: How to train it.
        splits: What to train and validate it on; the test split is not touched.
        seed: From 0 to 2**63 - 1; or seeds that vary some of these and hold the others.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        keep_weights: Whether the outcome carries the last epoch's weights.
        limits: Networks over these are not built.
        observers: Look at the trial while it trains.
        halvings: How often the images that go through the network at a time are halved, for want of memory.
        until: The epoch after which the trial pauses, where its recipe would go on.
        checkpoint: What the same trial goes on from.

    Raises:
        InfeasibleSpec: If the network cannot be built.
        ValueError: If something is still ``auto``.
    """
    where = torch.device(device)
    if "auto" in (recipe.precision, recipe.compile):
        raise ValueError("the recipe leaves its precision or its compiling to be measured, which is done beforehand")
    with trial_settings(recipe.threads, deterministic=recipe.deterministic), seeded_layers(seed, where):
        trial = Trial(network, recipe, splits, seed, where, limits, observers, halvings)
        return trial.run(keep_weights, until, checkpoint)


def evaluate(
    network: NetworkSpec,
    weights: bytes,
    images: Images,
    splits: Splits,
    *,
    device: str = "cpu",
    threads: int = 1,
    precision: str = "float32",
    flip: bool = False,
    int8: bool = False,
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
        precision: That of the recipe.
        flip: Whether each image is seen mirrored too.
        int8: Whether it is asked as an int8 graph.
        limits: Networks over these are not built.

    Raises:
        WeightsError: If the weights are not those of such a network.
    """
    where = torch.device(device)
    with trial_settings(threads):
        module = network.build(seed=0, limits=limits)
        weights_into(module, weights)
        if int8:
            score, correct = measured_int8(module, images, splits, threads)
        else:
            score, correct = measure(on_device(module, where), Feed.of(images, splits, where), precision, flip=flip)
    return Evaluation(score.loss, score.accuracy, score.top5, pack(correct))


def measure_lesions(
    network: NetworkSpec,
    weights: bytes,
    splits: Splits,
    *,
    device: str = "cpu",
    threads: int = 1,
    precision: str = "float32",
    limits: Limits = LIMITS,
) -> Lesions:
    """Measures a trained network on validation images, whole and without each residual block's branches.

    Args and raises as ``evaluate``.
    """
    where = torch.device(device)
    with trial_settings(threads):
        module = network.build(seed=0, limits=limits)
        weights_into(module, weights)
        return lesions(original(on_device(module, where)), Feed.of(splits.validation, splits, where), precision)


class Trial:
    """A network in training, with all that goes with it.

    Args:
        published: Whether presets' published weights are fetched; if not, they are stood in for by others, and a
            teacher's classes are not looked at: to measure how long steps take.
    """

    def __init__(
        self,
        network: NetworkSpec,
        recipe: TrainSpec,
        splits: Splits,
        seed: int | Seeds,
        device: torch.device,
        limits: Limits = LIMITS,
        observers: Sequence[Observer] = (),
        halvings: int = 0,
        *,
        published: bool = True,
    ) -> None:
        self.started = perf_counter()
        self.recipe, self.splits = recipe, splits
        self.training = Feed.of(splits.train, splits, device)
        self.validation = Feed.of(splits.validation, splits, device)
        self.meter = MemoryMeter(device)
        self.order = stream(seed, "order")
        height, width = splits.train.pixels.shape[2:]
        self.augmentation = Augmentation(recipe.augment, seed, len(splits.train), (height, width))
        values = seed.of("initialisation") if isinstance(seed, Seeds) else seed
        self.network, self.first_weights = prepared(
            network, recipe, splits.classes, values, device, limits, published=published
        )
        steps_per_epoch = max(1, len(splits.train) // recipe.batch_size)
        watched = recipe.epochs > 0
        self.watch = diagnosis.begin(self, steps_per_epoch, recipe.images_at_once(halvings)) if watched else None
        self.observers = (*observers, *([self.watch] if self.watch is not None else []))
        teacher = None
        if recipe.distill is not None:
            teacher = Teacher(recipe.distill, splits, device, recipe.precision, published=published)
        self.step = Step(self.network, recipe, steps_per_epoch, device, self.observers, halvings, teacher)
        quicken(self.network, recipe, self.training.shape, self.step.micro_batch, device)
        if recipe.quantisation_aware is not None:
            from search.train.rounding import Rounded  # torchao's import takes seconds

            self.step.rounded = Rounded(self.network, self.training.shape, device)
        self.images = 0
        self.training_seconds = 0.0
        self.before, self.peak_before = 0.0, 0

    def run(self, keep_weights: bool, until: int | None = None, checkpoint: bytes | None = None) -> Outcome:
        """Trains to the end, until a loss is not finite, or to the epoch after which it is to pause."""
        epochs = [] if checkpoint is None else restored(self, checkpoint)
        correct, reason, paused = None, "", False
        try:
            for number in range(len(epochs) + 1, self.recipe.epochs + 1) if self.recipe.epochs else [0]:
                epoch, correct = self.epoch(number)
                epochs.append(epoch)
                if (rule := self.recipe.early_stopping) is not None and is_over(rule, epochs):
                    break
                if paused := number == until and number < self.recipe.epochs:
                    break
            if self.recipe.evaluation.int8 and not paused:
                epochs[-1], correct = self.quantised(epochs[-1])
        except Diverged as diverged:
            correct, reason = None, f"{diverged} (epoch {len(epochs) + 1})"
        told = None if self.watch is None else diagnosis.close(self, self.watch, self.splits, epochs, bool(reason))
        return Outcome(
            status="diverged" if reason else "paused" if paused else "completed",
            reason=reason,
            epochs=tuple(epochs),
            epochs_to_target=epochs_to_target(epochs, self.recipe.target_accuracy),
            train_seconds=self.seconds(),
            images_per_second=self.images / self.training_seconds if self.images else 0.0,
            peak_memory=self.peak_memory(),
            precision=self.recipe.precision,
            device=device_name(self.training.device),
            micro_batch=self.step.micro_batch,
            accumulation=-(-self.recipe.batch_size // self.step.micro_batch),
            correct=None if correct is None else pack(correct),
            weights=dump_weights(self.evaluated) if keep_weights and not reason else None,
            diagnosis=told,
            checkpoint=saved(self, epochs) if paused else None,
            first_weights=self.first_weights,
        )

    def seconds(self) -> float:
        """Returns the wall time so far, without that between a pause and going on."""
        return self.before + perf_counter() - self.started

    def peak_memory(self) -> int | None:
        """Returns the most bytes so far; None where the system does not tell."""
        peak = self.meter.peak()
        return None if peak is None else max(peak, self.peak_before or 0)

    @property
    def evaluated(self) -> Network:
        """The network that is validated and kept: the average of the weights, if there is one."""
        return self.network if self.step.average is None else self.step.average.network

    def epoch(self, number: int) -> tuple[Epoch, NDArray[np.bool_]]:
        """Trains and validates once; returns how it went, and which validation images were right.

        Number 0 only validates, and has no training figures.
        """
        started = perf_counter()
        learned = self.learn() if number else Score(math.nan, math.nan, None)
        trained = perf_counter()
        self.training_seconds += trained - started
        validated, correct = measure(
            self.evaluated, self.validation, self.recipe.precision, flip=self.recipe.evaluation.flip
        )
        require_finite(validated.loss, "the validation loss")
        epoch = Epoch(
            epoch=number,
            train_loss=learned.loss,
            train_accuracy=learned.accuracy,
            val_loss=validated.loss,
            val_accuracy=validated.accuracy,
            train_top5=learned.top5,
            val_top5=validated.top5,
            lr=self.step.optimizer.param_groups[0]["lr"],
            seconds=perf_counter() - started,
        )
        for observer in self.observers:
            observer.after_epoch(self, epoch)
        return epoch, correct

    def quantised(self, last: Epoch) -> tuple[Epoch, NDArray[np.bool_]]:
        """Returns the last epoch with the validation figures of the int8 graph, and which images that got right."""
        score, correct = measured_int8(self.evaluated, self.splits.validation, self.splits, self.recipe.threads)
        return replace(last, val_loss=score.loss, val_accuracy=score.accuracy, val_top5=score.top5), correct

    def learn(self) -> Score:
        """Goes over the training split once. The host waits for the device once, at the end."""
        self.network.train()
        tally = Tally(self.training.device)
        for batches in training_batches(self.training, self.recipe, self.order, self.augmentation):
            logits = [self.step.take(batch) for batch in batches]
            tally.add(torch.cat(logits), torch.cat([batch.labels for batch in batches]))
            self.images += sum(len(batch) for batch in batches)
        score = tally.score()
        require_finite(score.loss, "the training loss")
        return score


def measured_int8(network: Network, images: Images, splits: Splits, threads: int) -> tuple[Score, NDArray[np.bool_]]:
    """Returns how a network does as an int8 graph; what that takes is imported where it is asked for."""
    from search.quantise import measure_int8

    return measure_int8(network, images, splits, threads)


def is_over(rule: EarlyStopping, epochs: list[Epoch]) -> bool:
    """Returns whether the last ``patience`` epochs have brought nothing better than those before."""
    sign = 1 if rule.of == "val_accuracy" else -1
    scores = [sign * getattr(epoch, rule.of) for epoch in epochs]
    best, since = -math.inf, 0
    for score in scores:
        best, since = (score, 0) if score > best + rule.min_delta else (best, since + 1)
    return since >= rule.patience


def epochs_to_target(epochs: list[Epoch], target: float | None) -> int | None:
    """Returns the first epoch whose validation accuracy is at least the target."""
    reached = (epoch.epoch for epoch in epochs if target is not None and epoch.val_accuracy >= target)
    return next(reached, None)
