"""The plan on paper: arms, costs, trials, time, memory and what could be detected. Nothing is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from rich import box
from rich.console import Console
from rich.table import Table

from blocks import Limits
from search.doubts import doubts
from search.draw import feasible_arms
from search.engine import default_workers
from search.pilot import earlier_noise
from search.plan import COST_NAMES, Arm, Plan
from search.planned import planned_trials
from search.study import Study

WIDE = 200

SIGNIFICANCE = 0.05

STEPS, MEASURING_SECONDS = 6, 1.0
"""Training steps of a time measurement, fewer (at least two) if they take longer than so many seconds."""


def dry_run(study: Study, directory: Path, workers: int | None, detectable: Callable[[int, float], float]) -> None:
    """Prints the plan of a study.

    Args:
        directory: Where the run would be; an earlier one there tells the noise.
        detectable: Gives the smallest detectable effect, in SDs of a paired difference, for pairs and a level.

    Raises:
        InputError: If the study can't be planned, or nothing in its space can run.
    """
    plan = Plan(study)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDE  # a file or a pipe has no width to keep to
    console.print(f"[bold]{study.spec.name}[/bold]  {study.spec.question}", markup=True)
    console.print(
        f"design {study.spec.design.kind}, {_plural(len(plan.seeds), 'seed')} an arm, data {study.spec.data.kind}\n"
    )
    console.print(_arms_table(plan))
    if plan.adaptive:
        arms, draws = feasible_arms(plan)
        console.print(f"space: {len(arms)} of {draws} random draws can run")
    else:
        arms = [row for row in plan.rows if row.status == "run"]
    _say_counts(console, plan, arms)
    _say_time(console, plan, arms, workers or study.spec.ray.workers or default_workers(study.spec.train.threads))
    _say_memory(console, arms)
    for doubt in doubts(arms):
        console.print(f"warning: {doubt}", markup=False)
    _say_power(console, plan, directory, detectable)


@dataclass(frozen=True)
class _Timing:
    step_seconds: float
    macs: int


def _arms_table(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("arm")
    for column in ("MACs", "vs baseline", "parameters", "activations"):
        table.add_column(column, justify="right")
    table.add_column("becomes")
    base = plan.baseline.cost
    assert base is not None
    for row in plan.rows:
        if row.cost is None:
            table.add_row(row.label, "", "", "", "", f"{row.status}: {row.reason}")
            continue
        becomes = "run" if row.status == "run" else row.status
        notes = [text for text in (row.reason, f"unmatched: {row.unmatched}" if row.unmatched else "") if text]
        numbers = (f"{row.cost.macs:,}", f"{row.cost.macs / base.macs - 1:+.1%}", f"{row.cost.params:,}")
        table.add_row(
            row.label, *numbers, f"{row.cost.activations:,}", ": ".join([becomes, "; ".join(notes)][: 1 + bool(notes)])
        )
    return table


def _say_counts(console: Console, plan: Plan, arms: list[Arm]) -> None:
    counts = Counter(row.status for row in plan.rows)
    macs = [_macs(arm) for arm in arms]
    if not plan.adaptive:
        rows = f"{_plural(len(plan.rows), 'arm')} = {counts['run']} run + {counts['rejected']} rejected"
        console.print(f"{rows} + {counts['duplicate']} duplicate")
    console.print(f"MACs from {min(macs):,} to {max(macs):,}")
    match = getattr(plan.study.spec.design, "match", None)
    if match is not None:
        twins = sum(row.match != "none" and row.status == "run" for row in plan.rows)
        alone = sum(row.unmatched is not None for row in plan.rows)
        console.print(
            f"equal {COST_NAMES[match.cost]}: {_plural(twins, 'twin')} added, {_plural(alone, 'arm')} unmatched"
        )
    planned = planned_trials(plan)
    parts = " + ".join(f"{count} {phase}" for phase, count in planned.items())
    console.print(f"trials: {parts} = {sum(planned.values())}")


def _say_time(console: Console, plan: Plan, arms: list[Arm], workers: int) -> None:
    """Measures a few real steps of the cheapest and the costliest arm, and scales between them by MACs."""
    ordered = sorted(arms, key=_macs)
    timings = [_measured(arm, plan.limits) for arm in {arm.arm: arm for arm in (ordered[0], ordered[-1])}.values()]
    spec = plan.study.spec
    steps_text = " to ".join(f"{timing.step_seconds * 1e3:.1f}" for timing in timings)
    console.print(
        f"a training step: {steps_text} ms here, forward and backward, from the cheapest arm to the costliest"
    )
    images = spec.data.facts().images
    # A share of None is a folder's own split or the usual fifth, which is near enough for an estimate.
    shares = [getattr(spec.data, f"{split}_fraction", 0.0) for split in ("validation", "test")]
    validation, test = (images * (0.2 if share is None else share) for share in shares)
    train = (images - validation - test) * spec.data.train_fraction
    # A forward pass is about a third of a step.
    steps_an_epoch = max(1.0, train / spec.train.batch_size) + validation / spec.train.batch_size / 3
    planned = planned_trials(plan)
    explore, confirm = planned.get("explore", 0), planned["confirm"]
    epochs = explore * spec.train.epochs + confirm * (spec.confirm.epochs or spec.train.epochs)
    mean_step = sum(_interpolated(timings, arm) for arm in ordered) / len(ordered)
    total = epochs * steps_an_epoch * mean_step / workers
    console.print(f"time: about {_duration(total)} of training on {workers} workers like this machine's processor")


def _measured(arm: Arm, limits: Limits) -> _Timing:
    import torch

    own = arm.configuration
    torch.set_num_threads(own.train.threads)
    network = own.network.build(seed=0, limits=limits)
    network.gradient_checkpointing = own.train.checkpointing
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(own.train.batch_size, *own.input, generator=generator)  # N C H W
    labels = torch.zeros(own.train.batch_size, dtype=torch.int64)
    seconds: list[float] = []
    while len(seconds) < 2 or (len(seconds) < STEPS and sum(seconds) < MEASURING_SECONDS):
        started = perf_counter()
        loss: torch.Tensor = torch.nn.functional.cross_entropy(network(images), labels)
        torch.autograd.backward(loss)
        seconds.append(perf_counter() - started)
    return _Timing(median(seconds[1:]), _macs(arm))  # the first step warms up


def _macs(arm: Arm) -> int:
    assert arm.cost is not None
    return arm.cost.macs


def _interpolated(timings: list[_Timing], arm: Arm) -> float:
    first, last = timings[0], timings[-1]
    share = (_macs(arm) - first.macs) / (last.macs - first.macs) if last.macs > first.macs else 0.0
    return first.step_seconds + share * (last.step_seconds - first.step_seconds)


def _say_memory(console: Console, arms: list[Arm]) -> None:
    """The arm that needs most, by arithmetic; with checkpointing that is a bound."""
    memory = max((arm.configuration.step_memory for arm in arms), key=lambda memory: memory.total)
    parts = [f"{_bytes(getattr(memory, name))} {name}" for name in ("parameters", "gradients", "optimizer")]
    less = " at most" if any(arm.configuration.train.checkpointing for arm in arms) else ""
    console.print(
        f"memory: {_bytes(memory.total)} for a training step of the largest arm ({', '.join(parts)}, "
        f"{_bytes(memory.activations)} activations{less}), beside 0.7 GiB for torch itself"
    )


def _bytes(number: int) -> str:
    return f"{number / 2**20:,.1f} MiB" if number >= 2**20 else f"{number / 2**10:,.1f} KiB"


def _say_power(console: Console, plan: Plan, directory: Path, detectable: Callable[[int, float], float]) -> None:
    """The smallest effect that the seeds could show, in noise SDs; in points too if an earlier run tells the noise."""
    seeds = len(plan.seeds)
    if plan.adaptive or plan.study.spec.design.kind == "train":
        return
    if seeds < 2:
        console.print(
            "smallest detectable effect: none; a single seed shows no noise, so no effect can be told from it"
        )
        return
    # Holm asks this of the smallest p of a family; every arm beside the baseline is compared once.
    comparisons = max(1, len(plan.arms) - 1)
    size = detectable(seeds, SIGNIFICANCE / comparisons)
    text = (
        f"smallest detectable effect: {size:.2f} SDs of a paired difference, with {seeds} seeds and "
        f"{_plural(comparisons, 'comparison')} (80% power, two-sided 5% over all of them)"
    )
    noise = earlier_noise(directory, plan.baseline.arm)
    if noise is not None:
        text += f"; {size * noise * 100:.2f} points at the SD of {noise * 100:.2f} that the run in {directory} shows"
    console.print(text)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
