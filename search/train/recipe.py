"""The recipe of a trial: everything about training that is not the network, the data or the seed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blocks.base import Count, Flag, Fraction, Natural, Number, Spec
from search.train.optimizers import OPTIMIZERS, OptimizerSpec
from search.train.schedules import SCHEDULES, ScheduleSpec


class Augment(Spec):
    """Random changes to training images; each image of each epoch gets its own draw."""

    crop: Natural = 0
    """Pixels of black border put around an image before a window of the image's own size is cut out of it."""
    flip: Flag = False
    """Whether every other image, by chance, is mirrored left to right."""


class TrainSpec(Spec):
    """How a network is trained. Every field can be a factor of a study."""

    epochs: Count = 10
    """Passes over the training split."""
    batch_size: Count = 128
    """Images a step. Every step has exactly this many: the images left over at the end of an epoch are left out of
    it, others each time. It can be no larger than the training split."""
    optimizer: Annotated[OptimizerSpec, OPTIMIZERS] = Field(default_factory=lambda: OPTIMIZERS.parse("sgd"))
    schedule: Annotated[ScheduleSpec, SCHEDULES] = Field(default_factory=lambda: SCHEDULES.parse("cosine"))
    """How the learning rate changes from step to step."""
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The share of each target that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567)."""
    augment: Augment = Augment()
    target_accuracy: Fraction | None = None
    """The validation accuracy whose first epoch is reported as ``epochs_to_target``."""
    checkpointing: Flag = False
    """Whether blocks are run again in the backward pass instead of being remembered: less memory for more time
    (Chen et al. 2016, https://arxiv.org/abs/1604.06174)."""
    threads: Count = 1
    """CPU threads of a trial. They change the order of sums, hence the last digits: a part of the recipe."""
