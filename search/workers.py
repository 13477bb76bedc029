"""What a study needs before its first trial: images, sound weights to start from, and workers."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from blocks.source import Location
from search.data.images import Splits
from search.data.spec import DataError
from search.engine import Executor, Inline, overcrowding
from search.interrupts import Interrupts
from search.plan import Plan
from search.progress import Talk
from search.settle import arms_to_run
from search.shelf import Shelf
from search.study import Study
from search.trial import Job

if TYPE_CHECKING:
    from search.local_ray import LocalRay


def baseline_images(study: Study, plan: Plan, shelf: Shelf) -> Splits:
    """Loads the baseline's images. Raises ``InputError`` if they can't be used."""
    configuration, source = plan.baseline.configuration, study.source
    try:
        splits = shelf.splits(configuration.data.plain())
    except DataError as error:
        raise source.error(("data",), str(error)) from None
    if configuration.train.batch_size > len(splits.train):
        message = f"more than the {len(splits.train):,} images of the training split"
        raise source.error(("train", "batch_size"), message)
    return splits


def demand_sound_weights(study: Study, plan: Plan) -> None:
    """Reads, once, the files that trials start from: what is damaged is told before there is a run directory."""
    recipes = {arm.configuration.train for arm in arms_to_run(plan)}
    taught: Location = ("train", "distill", "teacher")
    files: dict[str | None, Location] = {recipe.init.file: ("train", "init") for recipe in recipes if recipe.init}
    files |= {recipe.distill.teacher.file: taught for recipe in recipes if recipe.distill}
    for file, place in ((file, place) for file, place in files.items() if file is not None):
        from blocks import WeightsError, load_model

        try:
            load_model(file)
        except WeightsError as error:
            raise study.source.error(place, str(error)) from None


def start_ray(options: argparse.Namespace, study: Study) -> LocalRay:
    """Starts Ray, or joins the cluster that was named, beside other work."""
    from search.local_ray import LocalRay

    return LocalRay(options.ray, options.workers or study.spec.ray.workers)


def hired(
    options: argparse.Namespace,
    study: Study,
    plan: Plan,
    shelf: Shelf,
    interrupts: Interrupts,
    talk: Talk,
    ray: LocalRay | None,
) -> Executor:
    """Returns what trains the trials of a study: this process, or workers on Ray.

    Args:
        ray: That was started; None if all is done in this process.

    Raises:
        ConnectionError: If Ray can't be reached, or no trial can run there.
    """

    def splits_of(job: Job) -> Any:
        return shelf.splits(job.configuration["data"], job.cut)

    asked, threads = study.spec.ray, plan.baseline.configuration.train.threads
    minutes = study.spec.time.trial_minutes
    seconds = None if minutes is None else 60 * minutes
    executor: Executor
    if ray is None:
        executor = Inline(splits_of, "cpu" if asked.gpus == 0 else "auto", seconds=seconds)
    else:
        from search.cluster import OnRay

        talk.note("starting Ray" if options.ray is None else f"joining {options.ray}")
        with interrupts.window():
            ray.wait_until_ready()
        interrupts.listen()  # again: Ray has put its own handler before ours
        executor = OnRay(
            ray,
            splits_of,
            data_of=lambda job: json.dumps([job.configuration["data"], job.cut], sort_keys=True),
            workers=options.workers or asked.workers,
            threads=threads,
            asked=asked,
            step_bytes=_most_memory(plan) if asked.gpus == "auto" else 0,
            seconds=seconds,
        )
    crowded = overcrowding(executor.slots, threads) if options.ray is None else None
    if crowded is not None:
        talk.warn(crowded)
    trials, each = f"{executor.slots} trial{'s' * (executor.slots > 1)}", f"{threads} thread{'s' * (threads > 1)}"
    talk.note(f"{executor.name}: {trials} at a time, {each} each")
    return executor


def _most_memory(plan: Plan) -> int:
    """Returns the bytes of a training step of the arm that needs most, by arithmetic."""
    return max(arm.configuration.all_memory for arm in arms_to_run(plan))
