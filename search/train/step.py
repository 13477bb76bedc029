"""One change of the weights, in named pieces, in the order in which they happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from blocks import Network
from search.train.batch import Batch
from search.train.divergence import LossWatch
from search.train.ema import MovingAverage
from search.train.observers import Observer
from search.train.precision import autocast, scaler_for
from search.train.recipe import TrainSpec
from search.train.teacher import Teacher

if TYPE_CHECKING:
    from search.train.rounding import Rounded


class Step:
    """Takes training steps: forward, loss, backward, clip, update, at the rate that the schedule says.

    Attributes:
        number: How many steps were taken, skipped ones included.
        micro_batch: How many images go through the network at a time. Gradients of a batch's parts are added up,
            each part weighing by the images in it, before the weights change.
        scaler: Of float16: its loss is scaled up before the backward pass, its gradients are brought back to size
            before anything looks at them, and steps whose gradients are not finite are skipped.
        teacher: What the recipe distils, where it does.
        average: Of the weights, where the recipe asks for one.
        rounded: What takes the network's place in training where that is to round as int8 does.
        observers: Called between the pieces.
    """

    def __init__(
        self,
        network: Network,
        recipe: TrainSpec,
        steps_per_epoch: int,
        device: torch.device,
        observers: Sequence[Observer] = (),
        halvings: int = 0,
        teacher: Teacher | None = None,
    ) -> None:
        self.network = network
        self.teacher = teacher
        if teacher is not None:
            teacher.watch(network)
        self.recipe = recipe
        self.optimizer = recipe.optimizer.build(network)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.steps_per_epoch = steps_per_epoch
        self.device = device
        self.micro_batch = recipe.images_at_once(halvings)
        self.average = MovingAverage(recipe.ema, network) if recipe.ema is not None else None
        self.scaler = scaler_for(recipe.precision, device)
        self.watch = LossWatch(device)
        self.observers = tuple(observers)
        self.rounded: Rounded | None = None
        self.number = 0

    def take(self, batch: Batch) -> Tensor:
        """Changes the weights once; returns the logits from before."""
        self.set_rate()
        logits, loss = self.gradients(batch)
        self.unscale()
        for observer in self.observers:
            observer.after_backward(self, loss)
        self.clip()
        self.update()
        if self.average is not None:
            self.average.update()
        self.number += 1
        for observer in self.observers:
            observer.after_step(self)
        return logits

    def set_rate(self) -> None:
        """Gives the optimiser the learning rate of this step, and begins to round when it is time."""
        aware, steps = self.recipe.quantisation_aware, self.recipe.epochs * self.steps_per_epoch
        if self.rounded is not None and aware is not None and self.number >= aware.start * steps:
            self.rounded.begin()
        multiplier = self.recipe.schedule.multiplier(self.number, self.steps_per_epoch, self.recipe.epochs)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * multiplier

    def gradients(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Leaves the gradients of a batch in the parameters; returns its logits and its loss, detached."""
        if len(batch) <= self.micro_batch:
            return self.backward(batch, 1.0)
        parts = [self.backward(part, len(part) / len(batch)) for part in batch.split(self.micro_batch)]
        return torch.cat([logits for logits, _ in parts]), torch.stack([loss for _, loss in parts]).sum()

    def backward(self, batch: Batch, share: float) -> tuple[Tensor, Tensor]:
        """Adds the gradients of some images, whose mean loss counts by their share of the step, to those there are."""
        logits = self.forward(batch.images)
        loss = self.loss(logits, batch)
        if share != 1:
            loss = loss * share
        self.watch.look(loss, self.number)
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        return logits.detach(), loss.detach()

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits: B K, float32 whatever the network computes in."""
        with autocast(self.recipe.precision, self.device, cached=not self.recipe.cuda_graphs):
            logits: Tensor = self.network(images) if self.rounded is None else self.rounded(images)
        return logits.float()

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Returns the mean loss of the images, with what the teacher says of them where there is one."""
        own = self.own_loss(logits, batch)
        return own if self.teacher is None else self.teacher.loss(own, logits, batch.images)

    def own_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Returns the mean loss by the labels; where images are mixed, each target counts by its share."""
        smoothing = self.recipe.label_smoothing
        if batch.others is None or batch.shares is None:
            return functional.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
        own, other = (
            functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
            for labels in (batch.labels, batch.others)
        )
        return torch.lerp(other, own, batch.shares).mean()

    def unscale(self) -> None:
        """Brings gradients of a scaled loss back to their size: before anything looks at them or clips them."""
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)

    def clip(self) -> None:
        """Limits the gradients, of true size, all parts of the batch added up."""
        trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        if self.recipe.clip_value is not None:
            nn.utils.clip_grad_value_(trained, self.recipe.clip_value)
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(trained, self.recipe.clip_norm)

    def update(self) -> None:
        """Changes the weights by the gradients, and forgets these."""
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
