"""What a trial of a plan is as a job, and where its weights are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search.arms import Trial
from search.plan import Plan
from search.trial import Job


def job_of(plan: Plan, trial: Trial, task: str) -> Job:
    """Returns the job that does a task for a trial."""
    varied = plan.study.spec.design.vary
    configuration = configuration_of(plan, trial.arm, trial.phase)
    return Job(trial.name, task, configuration, trial.seed, varied, plugins=plan.study.plugins, limits=plan.limits)


def configuration_of(plan: Plan, arm: str, phase: str) -> dict[str, Any]:
    """Returns what an arm is trained as in a phase, as plain data."""
    found = plan.find(arm)
    assert found is not None
    plain = found.configuration.plain()
    epochs = plan.study.spec.confirm.epochs
    if phase == "confirm" and epochs is not None:
        plain["train"] = {**plain["train"], "epochs": epochs}
    return plain


def cut_of(plan: Plan, seed: int) -> int | None:
    """Returns by what number the validation split of a seed's trials is cut anew; None where all share one."""
    return seed if "split" in plan.study.spec.design.vary else None


def weights_of(directory: Path, trial: str) -> Path:
    """Returns where a run keeps a confirm trial's weights."""
    return directory / "weights" / f"{trial}.safetensors"
