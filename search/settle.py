"""What a study leaves to be measured (``auto``) is measured once, before its first trial, and is the same for all arms.

The values become part of the study: they stand in the run's ``study.yaml`` and in the identity of every arm, and a
resumed study keeps those of its first session.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from search.arms import Arm
from search.draw import feasible_arms
from search.engine import default_workers, in_new_process
from search.plan import Plan
from search.record import read
from search.study import Study, resolve_study
from search.train.recipe import TrainSpec
from search.trial import Job, run

OPEN = ("precision", "compile", "micro_batch")
"""Fields of the recipe that can be left to be measured."""


def left_open(study: Study) -> list[str]:
    """Returns which fields of the recipe a study leaves to be measured."""
    return [name for name in OPEN if getattr(study.spec.train, name) == "auto"]


def settled(study: Study, plan: Plan, directory: Path, options: argparse.Namespace) -> tuple[Study, dict[str, Any]]:
    """Returns the study with values for all that it leaves open, and what was measured for them, as plain data.

    Args:
        plan: Of the study as it is.
        directory: Of the run; an earlier session there has settled it already.
        options: The command's: where trials will run, and how many at a time.

    Raises:
        InputError: If an arm leaves open what the baseline doesn't.
        RuntimeError: If nothing can be measured.
    """
    names = left_open(study)
    _demand_same_for_all(study, plan, names)
    if not names:
        return study, {}
    earlier = None if options.fresh else _earlier(directory)
    if earlier is None:
        measured = _measured(study, plan, options)
        values = measured["chosen"]
    else:
        measured = earlier.get("measured", {})
        values = {**TrainSpec().plain(), **earlier["study"]["train"]}  # a run may be older than a field
    source = study.source
    for name in names:
        source = source.with_value(("train", name), values[name], "measured")
    return resolve_study(source), measured


def _demand_same_for_all(study: Study, plan: Plan, names: list[str]) -> None:
    for arm in plan.rows:
        for name in OPEN:
            if name not in names and getattr(arm.configuration.train, name) == "auto":
                message = (
                    f"the arm {arm.label} leaves train.{name} to be measured, and what is measured is the same for all "
                    "arms: leave it to the baseline, or give each level its value"
                )
                raise study.source.error(("factors",), message)


def _earlier(directory: Path) -> dict[str, Any] | None:
    record = directory / "trials.jsonl"
    entries = read(record)[0] if record.exists() else []
    return next((entry for entry in reversed(entries) if entry["event"] == "session"), None)


def _measured(study: Study, plan: Plan, options: argparse.Namespace) -> dict[str, Any]:
    configuration, limits = plan.baseline.configuration, plan.limits
    question = _question(study, plan, options)
    job = Job("", "choose", configuration.plain(), 0, plugins=study.plugins, limits=limits, question=question)
    if options.ray is None:  # a process of this machine's, as the trials' will be
        reply = in_new_process(run, job, None, "cpu" if study.spec.ray.gpus == 0 else "auto")
    else:
        reply = _on_cluster(study, job, options.ray)
    if reply["status"] != "completed":
        raise RuntimeError(f"what is left to be measured can't be: {reply['reason']}\n{reply.get('traceback', '')}")
    return {key: value for key, value in reply.items() if key not in ("status", "reason")}


def _on_cluster(study: Study, job: Job, address: str) -> dict[str, Any]:
    from search.cluster import OnRay
    from search.local_ray import LocalRay

    process = LocalRay(address)
    try:
        threads, asked = study.spec.train.threads, study.spec.ray
        executor = OnRay(
            process,
            lambda job: None,
            data_of=lambda job: "",
            workers=1,
            threads=threads,
            asked=asked.replace(gpus=None) if asked.gpus == "auto" else asked,
        )
        executor.submit(job)
        replies = executor.wait()
        while not replies:  # the cluster grows
            replies = executor.wait()
        ((_, reply),) = replies
    finally:
        process.close()
    return reply


def _question(study: Study, plan: Plan, options: argparse.Namespace) -> dict[str, Any]:
    recipe, facts = study.spec.train, study.spec.data.facts()
    largest = max((arm.configuration for arm in arms_to_run(plan)), key=lambda own: own.all_memory)
    memory, (weights, maps) = largest.step_memory, largest.teacher_memory
    at_once = options.workers or study.spec.ray.workers or default_workers(recipe.threads)
    return {
        "shape": facts.shape,
        "steps": recipe.epochs * max(1, facts.images // recipe.batch_size),
        "fixed": memory.total - memory.activations + weights,
        "activations": memory.activations + maps,
        "at_once": 1 if options.inline else at_once,
    }


def arms_to_run(plan: Plan) -> list[Arm]:
    """Returns the arms that a plan trains; of a search, those of a sample of its space."""
    return [plan.baseline, *feasible_arms(plan).arms] if plan.adaptive else list(plan.arms.values())
