"""The plan on paper: arms, costs, trials, time, memory and what could be detected. Nothing is recorded."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from search.arms import Arm
from search.designs.base import AdaptiveDesign
from search.designs.search import Search
from search.doubts import doubts
from search.draw import feasible_arms
from search.engine import default_workers
from search.estimate import Estimate, estimate, macs
from search.known import check_known
from search.plan import COST_NAMES, Plan
from search.planned import planned_trials
from search.power import Statistics, power_lines
from search.stopwatch import Stopwatch, Timing
from search.study import Study

WIDE = 200

SHOWN = 24
"""Of more arms than this, the cheapest and the costliest are shown: the plan is to fit on a page."""

REASONS = 3
"""So many reasons are told why arms are passed over, the commonest first."""


def dry_run(
    study: Study, directory: Path, workers: int | None, statistics: Statistics, stopwatch: Stopwatch | None = None
) -> None:
    """Prints the plan of a study.

    Args:
        directory: Where the run would be; an earlier one there tells the noise.
        statistics: What tells how large an effect has to be.
        stopwatch: What knows the times of networks, where the study asks for them.

    Raises:
        InputError: If the study can't be planned, or nothing in its space can run.
    """
    plan = Plan(study, stopwatch)
    check_known(plan)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width, console.soft_wrap = WIDE, True  # a file or a pipe has no width to keep to
    console.print(f"[bold]{study.spec.name}[/bold]  {study.spec.question}", markup=True)
    console.print(
        f"design {study.spec.design.kind}, {_plural(len(plan.seeds), 'seed')} an arm, data {study.spec.data.kind}\n"
    )
    console.print(_arms_table(plan))
    _say_times(console, plan)
    arms = _say_arms(console, plan)
    power = list(power_lines(plan, directory, statistics))
    _say_counts(console, plan, arms)
    _say_time(console, estimate(plan, arms), workers or study.spec.ray.workers or default_workers(_threads(plan)))
    _say_memory(console, arms)
    for doubt in doubts(arms):
        console.print(f"warning: {doubt}", markup=False)
    for line in power:
        console.print(line, markup=False)


def _threads(plan: Plan) -> int:
    return plan.study.spec.train.threads


def _arms_table(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("arm")
    times = [f"ms of {batch}" for batch in plan.stopwatch.wanted.values()]
    for column in ("MACs", "vs baseline", "parameters", "activations", *times):
        table.add_column(column, justify="right")
    table.add_column("becomes")
    shown = _shown(plan.rows)
    for number, row in enumerate(shown):
        _add_row(table, plan, row)
        if len(shown) < len(plan.rows) and number + 1 == (SHOWN + 1) // 2:
            table.add_row(f"... and {len(plan.rows) - len(shown)} more in between")
    return table


def _shown(rows: list[Arm]) -> list[Arm]:
    """Returns the rows to show: all, or the baseline and then the cheapest and costliest of many."""
    if len(rows) <= SHOWN:
        return rows
    by_cost = sorted((row for row in rows[1:] if row.cost), key=macs)
    few = (SHOWN - 1) // 2
    return [rows[0], *by_cost[:few], *by_cost[-(SHOWN - 1 - few) :]]


def _add_row(table: Table, plan: Plan, row: Arm) -> None:
    base = plan.baseline.cost
    assert base is not None
    if row.cost is None:
        nothing = [""] * (4 + len(plan.stopwatch.wanted))
        table.add_row(row.label, *nothing, f"{row.status}: {row.reason}")
        return
    times = [_time(row.latency[name]) if name in row.latency else "" for name in plan.stopwatch.wanted]
    notes = [text for text in (row.reason, f"unmatched: {row.unmatched}" if row.unmatched else "") if text]
    numbers = (f"{row.cost.macs:,}", f"{row.cost.macs / base.macs - 1:+.1%}", f"{row.cost.params:,}")
    becomes = ": ".join([row.status, "; ".join(notes)][: 1 + bool(notes)])
    table.add_row(row.label, *numbers, f"{row.cost.activations:,}", *times, becomes)


def _time(timing: Timing) -> str:
    return f"{timing.median:.3g} [{timing.low:.3g}, {timing.high:.3g}]"


def _say_times(console: Console, plan: Plan) -> None:
    """Tells what stands behind the times of the table, where there are any."""
    times = list(plan.baseline.latency.values())
    if times:
        first = times[0]
        threads = _plural(first.threads, "thread")
        runtime = f"{first.runtime} on {first.provider}" if first.provider else first.runtime
        console.print(
            f"times: milliseconds of a batch on {first.machine}, {runtime}, {first.precision}, {threads}, batch "
            "norms folded: the median with its 95% interval, each beside the baseline"
        )
    for note in plan.stopwatch.notes:
        console.print(f"warning: {note}", markup=False)


def _say_arms(console: Console, plan: Plan) -> list[Arm]:
    """Tells what becomes of arms, and why; returns those that run, or of a search, arms like them."""
    if plan.adaptive:
        sample = feasible_arms(plan)
        before = " before they are timed" if plan.stopwatch.wanted else ""
        share = _share(len(sample.arms), sample.draws)
        console.print(f"space: {share} random draws can run{before}{_because(sample.reasons)}")
        return sample.arms
    counts = Counter(row.status for row in plan.rows)
    rows = f"{_plural(len(plan.rows), 'arm')} = {counts['run']} run + {counts['rejected']} rejected"
    passed_over = (row.reason for row in plan.rows if row.status != "run")
    console.print(f"{rows} + {counts['duplicate']} duplicate{_because(passed_over)}")
    for line in _of_design(plan):
        console.print(line, markup=False)
    return list(plan.arms.values())


def _of_design(plan: Plan) -> Iterator[str]:
    """Yields what a design says of its arms as a whole: how many draws were accepted, and why others were not, which
    ranges count as their single numbers, and what a fraction can tell."""
    accepted, fraction = plan.facts.get("acceptance"), plan.facts.get("fraction") or {"kind": "full"}
    if accepted:
        again = sum(space["repeated"] for space in plan.facts["spaces"])
        repeated = f"; {again:,} drawn before" if again else ""
        share = _share(accepted["accepted"], accepted["drawn"])
        yield f"space: {share} random draws were accepted{_because(plan.passed_over.elements())}{repeated}"
    else:
        for variable in plan.space.free:
            if variable.range is not None:
                levels = ", ".join(level.label for level in plan.space.listed(variable))
                yield f"factor {variable.name}: its range counts as the levels {levels}"
    if fraction["kind"] != "full":
        yield from _of_fraction(plan, fraction)


def _of_fraction(plan: Plan, fraction: dict[str, Any]) -> Iterator[str]:
    every = math.prod(len(plan.space.options(variable)) for variable in plan.space.free)
    runs = f"fraction: {fraction['runs']} of {every:,} combinations"
    if fraction["kind"] == "d_optimal":
        terms = ", ".join(":".join(term) for term in fraction["terms"])
        yield f"{runs}, D-efficiency {fraction['efficiency']:.2f} (1 is that of all of them, run by run)"
        yield f"it tells {terms}, if all other interactions are nothing"
        return
    yield f"{runs}, of resolution {fraction['resolution']}"
    chains = [f"{chain[0]} with {', '.join(chain[1:])}" for chain in fraction["aliases"]]
    told = "; ".join(chains) or "none among main effects and interactions of two"
    yield f"aliases, which it can't tell apart: {told}"


def _because(reasons: Iterable[str]) -> str:
    """Returns the commonest reasons, those that differ in nothing but a number taken together."""
    found = Counter(re.sub(r"\b[0-9][0-9,.]*( ms \[[^]]*])? (?=above|below)", "", reason) for reason in reasons)
    told = [f"{count} {reason}" for reason, count in found.most_common(REASONS)]
    if len(found) > len(told):
        told.append(f"and {_plural(len(found) - len(told), 'other reason')}")
    return "".join(f"; {text}" for text in told)


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.0%})"


def _say_counts(console: Console, plan: Plan, arms: list[Arm]) -> None:
    costs = [macs(arm) for arm in arms]
    console.print(f"MACs from {min(costs):,} to {max(costs):,}")
    match = getattr(plan.study.spec.design, "match", None)
    if match is not None:
        twins = sum(row.match != "none" and row.status == "run" for row in plan.rows)
        alone = sum(row.unmatched is not None for row in plan.rows)
        console.print(
            f"equal {COST_NAMES[match.cost]}: {_plural(twins, 'twin')} added, {_plural(alone, 'arm')} unmatched"
        )
    planned = planned_trials(plan)
    if (spent := _search_words(plan)) is not None:
        console.print(spent, markup=False)
    parts = " + ".join(f"{count:,} {phase}" for phase, count in planned.items())
    most = "; fewer where an arm's own values are its best" if plan.tuning else ""
    console.print(f"trials: {parts} = {sum(planned.values()):,}{most}")


def _search_words(plan: Plan) -> str | None:
    """Returns how a search spends what it has, where not every arm is trained with every seed to the end."""
    design = plan.study.spec.design
    if not isinstance(design, AdaptiveDesign):
        return None
    said, stopping = [], design.early_stopping
    if design.budget is not None:
        named = {"epochs": "epochs of training", "macs": "MACs of training", "gpu_hours": "hours of training"}
        said.append(f"the search may spend {design.budget.limit:,.6g} {named[design.budget.currency]}")
    if stopping is not None:
        rungs = ", ".join(map(str, stopping.epochs(plan.baseline.configuration.train.epochs)))
        said.append(f"after {rungs} epoch{'s' * (rungs != '1')} one arm of {stopping.eta:g} goes on")
    if isinstance(design, Search):
        sampler, reason = design.sampler.choice(plan, design)
        said += [f"its sampler is {sampler.kind}: {reason}"] if reason else []
        said += [f"it begins with {_plural(len(design.first), 'arm')} written by hand"] if design.first else []
        said += [f"it knows the arms of {', '.join(design.known)}"] if design.known else []
        if (screen := design.prescreen) is not None:
            said.append(f"of every {screen.candidates:,} proposals the best by {screen.proxy.kind} is trained")
        said += ["then random search spends as many MACs of training"] if design.compare else []
    if design.racing is not None:
        said.append(
            f"{design.racing:.0%} of it is for more seeds of arms that may be on the front, up to {len(plan.seeds)}"
        )
    return "search: " + "; ".join(said) if said else None


def _say_time(console: Console, found: Estimate | None, workers: int) -> None:
    if found is None:
        console.print("time: not known; the loss of the arms that were tried is not finite even for a few steps")
        return
    steps = ", ".join(f"{pace.training * batch * 1e3:.1f} ms at {cost:,} MACs" for cost, pace, batch in found.paces)
    console.print(f"a training step here, with all that the recipe does in it: {steps}")
    low, mean, high = map(_duration, found.trial)
    console.print(f"a trial: {f'{low} to {high}, {mean} on average' if low != high else mean}")
    console.print(
        f"time: about {_duration(found.total / workers)} on {_plural(workers, 'worker')} like this machine's: "
        + ", ".join(f"{phase} {_duration(seconds / workers)}" for phase, seconds in found.phases.items())
        + f"; {found.evaluation / found.total:.0%} of it to measure accuracies"
    )


def _say_memory(console: Console, arms: list[Arm]) -> None:
    """The arm that needs most, by arithmetic; with checkpointing that is a bound."""
    largest = max((arm.configuration for arm in arms), key=lambda own: own.all_memory)
    memory, (weights, maps) = largest.step_memory, largest.teacher_memory
    parts = [f"{_bytes(getattr(memory, name))} {name}" for name in ("parameters", "gradients", "optimizer")]
    less = " at most" if any(arm.configuration.train.checkpointing for arm in arms) else ""
    taught = f", its teacher's {_bytes(weights)} of weights and {_bytes(maps)} of maps" if weights else ""
    console.print(
        f"memory: {_bytes(largest.all_memory)} for a training step of the largest arm ({', '.join(parts)}, "
        f"{_bytes(memory.activations)} activations{less}{taught}), beside 0.7 GiB for torch itself"
    )


def _bytes(number: int) -> str:
    return f"{number / 2**20:,.1f} MiB" if number >= 2**20 else f"{number / 2**10:,.1f} KiB"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
