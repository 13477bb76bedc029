"""One job for a worker: train a trial, or open the test split for one that was trained."""

from __future__ import annotations

import time
import traceback
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from blocks.limits import LIMITS, Limits
from blocks.plugins import Plugin
from search.mishaps import mishap

VARIED: tuple[Literal["initialisation", "order", "augmentation"], ...] = ("initialisation", "order", "augmentation")
"""What a seed varies unless a study says otherwise."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know, as plain data, so that it travels anywhere.

    Attributes:
        name: The trial's name.
        task: ``train``; ``test``: evaluate given weights on the test split; ``lesion``: evaluate them on the
            validation split without each block in turn; or ``choose``: find out what the recipe
            leaves open, without images.
        configuration: Network, train and data as plain data.
        varied: What the seed varies; what is not named is the same under every seed.
        keep_weights: Whether the reply is to carry the trained weights.
        weights: The weights to evaluate, for ``test`` and ``lesion``.
        plugins: What the configuration's own kinds need; loaded where the job is done.
        limits: Networks over these are not built.
        halvings: How often the images that go through the network at a time are halved: earlier tries ran out of
            memory.
        question: What a choice is for, for ``choose``.
        until: The epoch after which a training pauses; its reply is then ``paused`` and carries a checkpoint.
        checkpoint: What the training goes on from.
    """

    name: str
    task: str
    configuration: dict[str, Any]
    seed: int
    varied: tuple[str, ...] = VARIED
    keep_weights: bool = False
    weights: bytes | None = None
    plugins: tuple[Plugin, ...] = ()
    limits: Limits = LIMITS
    halvings: int = 0
    question: dict[str, Any] | None = None
    until: int | None = None
    checkpoint: bytes | None = None

    @property
    def images_at_once(self) -> int:
        """How many images go through the network at a time."""
        train = self.configuration["train"]
        most: int = train.get("micro_batch") or -(-train["batch_size"] // train.get("accumulation", 1))
        return max(1, -(-most // (1 << self.halvings)))

    @property
    def cut(self) -> int | None:
        """The seed by which this trial's validation split is cut anew; None where all trials share one."""
        return self.seed if "split" in self.varied else None


class Runner(Protocol):
    """Does a job on the images it needs."""

    def __call__(self, job: Job, splits: Any, device: str) -> dict[str, Any]:
        """Returns the reply as plain data with a ``status`` and a ``reason``; ``weights`` may be bytes."""
        ...


def run(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """Trains or tests. Torch is imported here and not before: the driver plans without it."""
    import torch

    from blocks import NetworkSpec
    from search.train.chance import Seeds
    from search.train.loop import evaluate, measure_lesions, train
    from search.train.memory import give_memory_back
    from search.train.recipe import TrainSpec

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    for plugin in job.plugins:
        plugin.load()
    network = NetworkSpec.model_validate(job.configuration["network"])
    recipe = TrainSpec.model_validate(job.configuration["train"])
    if job.task == "choose":
        from search.train.choose import Question, choose

        assert job.question is not None
        found = choose(network, recipe, Question(**job.question), torch.device(device), job.limits)
        return {"status": "completed", "reason": "", **found}
    if job.task == "test":
        assert job.weights is not None
        threads, limits = recipe.threads, job.limits
        found = evaluate(
            network,
            job.weights,
            splits.test,
            splits,
            device=device,
            threads=threads,
            precision=recipe.precision,
            flip=recipe.evaluation.flip,
            int8=recipe.evaluation.int8,
            limits=limits,
        )
        reply = {"test_accuracy": found.accuracy, "test_loss": found.loss, "test_correct": found.correct}
        reply["test_images"] = len(splits.test)
        return {"status": "completed", "reason": "", **reply}
    if job.task == "lesion":
        assert job.weights is not None
        threads, precision, limits = recipe.threads, recipe.precision, job.limits
        lost = measure_lesions(
            network, job.weights, splits, device=device, threads=threads, precision=precision, limits=limits
        )
        return {"status": "completed", "reason": "", **asdict(lost)}
    keep, limits = job.keep_weights, job.limits
    seeds = Seeds(job.seed, frozenset(job.varied))
    outcome = train(
        network,
        recipe,
        splits,
        seeds,
        device=device,
        keep_weights=keep,
        limits=limits,
        halvings=job.halvings,
        until=job.until,
        checkpoint=job.checkpoint,
    )
    give_memory_back()
    kept = {"weights": outcome.weights, "checkpoint": outcome.checkpoint}
    return {**outcome.plain(), "val_images": len(splits.validation), **kept}


def attempt(runner: Runner, job: Job, splits: Any, device: str) -> dict[str, Any]:
    """Runs a job and turns an exception into a ``failed`` reply that keeps the sentence and the traceback."""
    started = time.monotonic()
    try:
        return runner(job, splits, device)
    except Exception as error:
        return {
            "status": "failed",
            "reason": f"{type(error).__name__}: {error}".split("\n")[0][:500],
            "traceback": traceback.format_exc(limit=-12),
            "train_seconds": time.monotonic() - started,
            "mishap": mishap(error),
        }
