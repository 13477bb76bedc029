"""What a trial returns, as data: how each epoch went, how it ended, and which images it got right."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Epoch:
    """One pass over the training split, and one over the validation split after it.

    Losses are cross-entropies in nats, without label smoothing, and accuracies fractions from 0 to 1; every image
    counts the same. The training figures are running ones: of the images as they were trained on, augmented, by a
    network that was still changing. They cost nothing, and lag behind what a second pass would give.

    Attributes:
        epoch: Counted from 1; 0 is a network that was validated as it came, whose training figures are NaN.
        train_top5, val_top5: The fraction whose class is among the five likeliest; None below ten classes.
        lr: The learning rate of the epoch's last step.
        seconds: Wall time, validation included.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    train_top5: float | None
    val_top5: float | None
    lr: float
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How a trial went.

    Attributes:
        status: ``diverged`` if a loss was not finite; ``paused`` if it is to go on from its checkpoint. A run that is
            stopped from outside raises instead.
        reason: One sentence if the trial diverged, else empty.
        epochs: The epochs that were finished, in order.
        epochs_to_target: The first epoch whose validation accuracy reached the recipe's target; None if none did.
        train_seconds: Wall time of the trial: building, training and validating.
        images_per_second: Training images by the wall time of the training steps, validation left out.
        peak_memory: Bytes; see ``search.train.memory``. None where the system does not tell.
        precision: What the network computed in.
        device: ``cpu``, or the GPU's name.
        micro_batch: How many images went through the network at a time.
        accumulation: In how many parts a batch did.
        correct: Which validation images the last epoch got right, in their order, by ``pack``; None if diverged.
        weights: The last epoch's weights in safetensors' format, if they were asked for and the trial completed.
        diagnosis: What it tells about itself, by ``search.train.diagnosis``; None if the recipe says ``off``.
        checkpoint: What a paused trial goes on from, by ``search.train.checkpoint``.
        first_weights: What it took of trained weights, where it started from such; see ``search.train.preparation``.
    """

    status: Literal["completed", "diverged", "paused"]
    reason: str
    epochs: tuple[Epoch, ...]
    epochs_to_target: int | None
    train_seconds: float
    images_per_second: float
    peak_memory: int | None
    precision: str
    device: str
    micro_batch: int
    accumulation: int
    correct: str | None
    weights: bytes | None
    diagnosis: dict[str, Any] | None = None
    checkpoint: bytes | None = None
    first_weights: dict[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """Returns everything but the weights and the checkpoint as JSON-able data."""
        return {name: value for name, value in asdict(self).items() if name not in ("weights", "checkpoint")}


@dataclass(frozen=True)
class Evaluation:
    """How a trained network does on images that it has not seen.

    Attributes:
        loss: Mean cross-entropy in nats, an image.
        accuracy, top5: Fractions from 0 to 1; ``top5`` is None below ten classes.
        correct: Which images it got right, in their order, by ``pack``.
    """

    loss: float
    accuracy: float
    top5: float | None
    correct: str


def pack(correct: NDArray[np.bool_]) -> str:
    """Returns one bit an image as base64: eight to a byte, the first image highest, the last byte zero-filled."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode()


def unpack(packed: str, count: int) -> NDArray[np.bool_]:
    """Returns what was packed, given the number of images."""
    return np.unpackbits(np.frombuffer(base64.b64decode(packed), np.uint8), count=count).astype(np.bool_)
