"""Looking at a trial while it trains: an observer that changes nothing and waits for the device once an epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from blocks.network import Network
from search.train.diagnosis.places import original
from search.train.diagnosis.probe import Probe, probe
from search.train.diagnosis.sampling import Sampling
from search.train.diagnosis.weights import Weights
from search.train.feed import Feed

if TYPE_CHECKING:
    from search.train.loop import Trial
    from search.train.outcome import Epoch
    from search.train.step import Step


@dataclass(frozen=True)
class StepReading:
    """One step, by the places of ``Weights.names``: Euclidean norms.

    Attributes:
        step: Counted from 1.
        gradient: Of the gradient of the place's weights.
        size: Of the weights before the step.
        update: Of what the step changed.
    """

    step: int
    gradient: tuple[float, ...]
    size: tuple[float, ...]
    update: tuple[float, ...]


@dataclass
class Seen:
    """All that was seen of a trial.

    Attributes:
        places: What the readings of steps are of.
        steps: Readings in order.
        probes: By the epoch after which they were taken; 0 is before the first. They are of the network that is
            validated and kept: the average of the weights, if there is one. Steps are of the weights in training.
        losses: Of every step, as it was trained on: smoothed or mixed, where labels are.
    """

    places: tuple[str, ...]
    steps: list[StepReading] = field(default_factory=list)
    probes: dict[int, Probe] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)


class Watch:
    """Keeps what it sees on the device, and fetches it when an epoch has ended.

    Args:
        network: In training; it may be wrapped by a compiler, whose graphs are not looked into.
        validation: Where the samples come from.
        when: When to look.
        batch_size: Images that go through the network at a time.
    """

    def __init__(self, network: nn.Module, validation: Feed, when: Sampling, batch_size: int) -> None:
        self._network, self._validation, self._when, self._batch_size = original(network), validation, when, batch_size
        self._weights = Weights(self._network)
        self._on_host = validation.device.type == "cpu"
        self._losses: list[Tensor] = []
        self._norms: list[tuple[int, list[Tensor]]] = []
        self._before: list[Tensor] | None = None
        self.seen = Seen(self._weights.names)
        self._probe(0, self._network)

    def wants(self, number: int) -> bool:
        """Tells whether step ``number``, counted from 0, is one whose gradients are looked at."""
        return number in self._when.steps

    def after_backward(self, step: Step, loss: Tensor) -> None:
        if self._on_host:
            self.seen.losses.append(loss.item())
        else:
            self._losses.append(loss.clone())  # a captured step writes every loss to the same place
        if self.wants(step.number):
            self._norms.append((step.number + 1, [self._weights.gradients(), self._weights.sizes()]))
            self._before = self._weights.copy()

    def after_step(self, step: Step) -> None:
        if self._before is not None:
            self._norms[-1][1].append(self._weights.moved(self._before))
            self._before = None

    def after_epoch(self, trial: Trial, epoch: Epoch) -> None:
        self.fetch()
        self._probe(epoch.epoch, original(trial.evaluated))

    def fetch(self) -> None:
        """Brings what was measured since the last time to the host; here it waits for the device."""
        if self._losses:
            self.seen.losses += torch.stack(self._losses).tolist()
        for number, norms in self._norms:
            if len(norms) == 3:  # a step that diverged was not taken
                rows = (tuple(self._weights.by_place(row)) for row in torch.stack(norms).tolist())
                self.seen.steps.append(StepReading(number, *rows))
        self._losses, self._norms = [], []

    def _probe(self, epoch: int, network: Network) -> None:
        if epoch in self._when.epochs:
            self.seen.probes[epoch] = probe(network, self._validation, self._when.images, self._batch_size)
