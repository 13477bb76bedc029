"""How fast a network trains and is measured here: a few real steps of its recipe, on images made up for it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch

from blocks import Limits, NetworkSpec
from search.data.images import Images, Splits
from search.train.chance import seeded_layers
from search.train.loop import Trial
from search.train.measure import measure
from search.train.recipe import TrainSpec
from search.train.settings import trial_settings

STEPS, SECONDS = 6, 1.0
"""So many steps are timed after one that warms up; fewer, but one at least, if they take longer than these seconds."""


@dataclass(frozen=True)
class Pace:
    """Seconds an image: to train on it for an epoch, and to measure the network on it."""

    training: float
    evaluation: float


def pace(network: NetworkSpec, recipe: TrainSpec, shape: tuple[int, int, int], limits: Limits, device: str) -> Pace:
    """Times the recipe's own training step, augmentation and optimizer included.

    What the recipe leaves to be measured before the first trial (its precision, its micro-batch) is taken as written
    by default, and nothing is compiled: that takes longer than this may. Nor is anything downloaded: a preset's
    published weights are stood in for by others, which take as long. Rounding as int8 does is left out.

    Args:
        shape: C H W of an image.
        device: ``"cpu"`` or ``"cuda"``.

    Raises:
        InfeasibleSpec: If the network can't be built.
    """
    settled = recipe.replace(
        compile="off",
        quantisation_aware=None,
        precision="float32" if recipe.precision == "auto" else recipe.precision,
        micro_batch=None if recipe.micro_batch == "auto" else recipe.micro_batch,
    )
    where = torch.device(device)
    with trial_settings(settled.threads, deterministic=settled.deterministic), seeded_layers(0, where):
        classes = network.head.num_classes
        made_up = _made_up(settled.batch_size, shape, classes)
        first = _timed(Trial(network, settled, made_up, 0, where, limits, published=False))
        steps = min(STEPS, max(1, int(SECONDS / first)))
        made_up = _made_up(steps * settled.batch_size, shape, classes)
        trial = Trial(network, settled, made_up, 0, where, limits, published=False)
        training = _timed(trial) / (steps * settled.batch_size)
        measure(trial.network, trial.validation, settled.precision)
        started = perf_counter()
        measure(trial.network, trial.validation, settled.precision)
        evaluation = (perf_counter() - started) / len(trial.validation.labels)
    return Pace(training, evaluation)


def _timed(trial: Trial) -> float:
    """Returns how long a trial takes to learn from its images once; what they do to its loss is no matter."""
    started = perf_counter()
    trial.learn()
    return perf_counter() - started


def _made_up(count: int, shape: tuple[int, int, int], classes: int) -> Splits:
    """Returns splits of grey noise: ``count`` images to train on, and a hundred or so to be measured on."""
    generator = np.random.default_rng(0)
    train, validation = (
        Images(generator.integers(0, 256, (number, *shape), np.uint8), generator.integers(0, classes, number))
        for number in (count, min(count, 128))
    )
    names = tuple(map(str, range(classes)))
    return Splits(train, validation, validation, (0.5,) * shape[0], (0.25,) * shape[0], names, "")
