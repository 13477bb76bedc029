"""All that is known of a trial when it is judged, and what every rule takes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, log
from typing import Any

from search.data.images import Images
from search.train.diagnosis.losses import spikes
from search.train.diagnosis.places import in_words, stages_of
from search.train.diagnosis.probe import Probe
from search.train.diagnosis.watch import Seen

FAR = 100
"""Between the first and the last block's gradient, at the start. Networks that train well stay within 15 (8 to 56
residual layers, digits and CIFAR-10 shapes); of 56 layers without shortcuts, which don't, plain ones have 1,300 and
VGG-like ones 320."""


@dataclass(frozen=True)
class Evidence:
    """A trial and what was seen of it.

    Attributes:
        network: The spec as plain data.
        layers: Weighted layers one behind another.
        seen: What the watch saw.
        batch_size: Images of a step.
        micro_batch: Images that went through the network at a time.
        learning_rate: At the schedule's peak.
        classes: Their names.
        training: The training split, for a look at its labels.
        chance: The loss, in nats, of guessing by the classes' frequencies: ln(classes) where they are even.
        train_accuracy, val_accuracy: Of the last epoch; None if none was finished.
        diverged: Whether a loss was not finite.
    """

    network: dict[str, Any]
    layers: int
    seen: Seen
    batch_size: int
    micro_batch: int
    learning_rate: float
    classes: tuple[str, ...]
    training: Images
    chance: float
    train_accuracy: float | None
    val_accuracy: float | None
    diverged: bool

    @property
    def stages(self) -> tuple[str, ...]:
        """The stem, the stages and the head, as far as they have weights."""
        return stages_of(self.seen.places)

    @property
    def blocks(self) -> list[int]:
        """The indices of the blocks among the places."""
        return [index for index, name in enumerate(self.seen.places) if name.startswith("stages.")]

    @cached_property
    def spikes(self) -> list[int]:
        """The steps (from 1) at which the loss rose suddenly."""
        return spikes(self.seen.losses, self.batch_size, self.chance)

    @property
    def last_probe(self) -> Probe | None:
        """The last look at what happens within the network."""
        return self.seen.probes[max(self.seen.probes)] if self.seen.probes else None


def gradient_ratio(evidence: Evidence) -> float | None:
    """Returns the gradient of the first block's weights over that of the last block's, at the first step.

    None where there are no two blocks, or one has no gradient.
    """
    if len(evidence.blocks) < 2 or not evidence.seen.steps:
        return None
    gradient = evidence.seen.steps[0].gradient
    first, last = gradient[evidence.blocks[0]], gradient[evidence.blocks[-1]]
    return first / last if first > 0 and last > 0 else None


def far_apart(evidence: Evidence, ratio: float) -> tuple[str, str, str]:
    """Returns what a gradient ratio is called, and the blocks, in words, of the larger and the smaller gradient."""
    first, last = (in_words(evidence.seen.places[evidence.blocks[end]]) for end in (0, -1))
    return ("exploding_gradient", first, last) if ratio > 1 else ("vanishing_gradient", last, first)


def entropy(labels: Sequence[int]) -> float:
    """Returns the entropy, in nats, of how often each count is: the loss of guessing by frequency."""
    total = sum(labels)
    return -fsum(count / total * log(count / total) for count in labels if count)


def lacking(evidence: Evidence) -> str:
    """Names what the blocks lack that would carry a gradient, a shortcut or a norm, and how many layers there are."""
    blocks = [stage["block"] for stage in evidence.network["stages"]]
    lacks = []
    if all(block.get("shortcut", {"kind": "none"})["kind"] == "none" for block in blocks):
        lacks.append("shortcut `none`" if "shortcut" in blocks[0] else f"no shortcut in `{blocks[0]['kind']}` blocks")
    if all(block.get("norm", {"kind": ""})["kind"] == "none" for block in blocks):
        lacks.append("norm `none`")
    return f"{' and '.join(lacks) or 'with its shortcuts and norms'} at {evidence.layers} layers"
