"""What a sampler finds for the MACs that it trains: hypervolume against random search, over repeats.

    python -m tests.benchmarks.search                            # all problems and samplers; --repeats 5 is quick
    python -m tests.benchmarks.search --problem digits --sampler evolution --repeats 30

Problems: ``digits`` and ``cifar10``, tables of real trainings (``tests.benchmarks.table``), replayed; ``surface``,
generated, whose accuracy rises with MACs and whose front is known; ``blind``, generated, whose accuracy has nothing to
do with MACs. ``cifar10`` is not to be looked at while something is tuned.

A search is the real one, queue, plan and sampler; only the training is looked up. With ``+stopping`` behind its name a
sampler's arms are stopped early, by successive halving over rungs of the table's epochs: what an arm was trained until
it stopped counts, and it is no candidate. At each point a search's front is the arms that it believes in, those of the
best observed scores, and is valued by what they are worth: the mean over seeds, or the surface without noise. Never the
observed score. Hypervolume is of accuracy against log MACs; the reference point, fixed beforehand, is the worst
accuracy of all arms in the table (of 2,000 on a surface) and the most MACs.

Printed, over repeats: the hypervolume after a tenth of the MACs that random search trained in ``--trials`` trials; by
how much it is above random's after as many MACs as random trained in all, or after all its trials if it trained fewer
(mean, and its 95% interval by Student's t of the repeats' differences); and the MACs that a sampler had trained, over
random's, when it first held random's mean final hypervolume for good (median and quartiles, and how many never did).
Goal: 1/10, and never worse than random where MACs say nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from blocks.source import parse_yaml, read_yaml
from reports.statistics import means
from search.arms import Arm
from search.budget import epoch_macs
from search.configuration import Configuration
from search.draw import draw
from search.explore import Proposed
from search.factors import Choice
from search.genes import Key, key
from search.plan import Plan
from search.study import resolve_study
from tests.benchmarks.table import SEEDS

TABLES = Path(__file__).parent / "tables"
STOPPING = "+stopping"
SAMPLERS = (
    "random", "qmc", "tpe", "nsga2", "regularised_evolution", "evolution", "smallest",
    f"random{STOPPING}", f"evolution{STOPPING}",
)  # fmt: skip
TABLES_OF = ("digits", "cifar10")
GENERATED = """\
name: surface
data: {kind: synthetic, image_size: 8, channels: 3, num_classes: 10, images: 300}
network:
  stem: {kind: conv3x3, width: 8}
  stages:
    - {block: basic, depth: 2, width: 16}
    - {block: basic, depth: 2, width: 32, stride: 2}
    - {block: basic, depth: 2, width: 64, stride: 2}
train: {epochs: 1, batch_size: 16}
factors:
  block: {levels: {bottleneck: {"network.stages[*].block": bottleneck}}}
  activation: {path: "network.stages[*].block.activation", levels: [relu, silu, gelu]}
  kernel: {path: "network.stages[*].block.kernel", levels: [3, 5]}
  depth: {path: "network.stages[each].depth", range: {low: 1, high: 6}}
  width: {path: "network.stages[each].width", range: {low: 8, high: 96, step: 8}}
"""
DESIGN = "design: {{kind: search, trials: {trials}, sampler: {sampler}, sampler_seed: {seed}, startup: 20}}\n"
STOPPED = DESIGN.replace("}}", ", early_stopping: {{eta: 2}}}}")


@dataclass
class Problem:
    """What is searched.

    Attributes:
        text: The study's YAML without its design.
        score: The scores of an arm that a search observes, after each epoch, and what the arm is worth.
        reference: The worst accuracy, and the logarithm of the most MACs.
        known: Configurations by choice, where they are few: what they resolve to is the same in every search.
    """

    text: str
    score: Callable[[Arm, int], tuple[list[float], float]]
    reference: tuple[float, float]
    known: dict[Key, Configuration] | None = None

    def plan(self, design: str) -> Plan:
        """Returns the plan of a search."""
        plan = Plan(resolve_study(parse_yaml(self.text + design, "search.yaml")))
        known, resolve = self.known, plan.space.configuration
        if known is not None:

            def resolved(choice: Choice) -> Configuration:
                if (own := known.get(key(choice))) is None:
                    own = known[key(choice)] = resolve(choice)
                return own

            plan.space.configuration = resolved  # type: ignore[method-assign]
        return plan


Run = list[tuple[float, float]]
"""The MACs of training so far, and the hypervolume, after every trial."""


@dataclass
class Memory:
    """A record that is kept in memory."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def append(self, event: str, sync: bool = True, **fields: Any) -> None:
        self.entries.append({"event": event, **fields})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problem", choices=list(PROBLEMS), action="append")
    parser.add_argument("--sampler", action="append", help=f"by default {', '.join(SAMPLERS)}")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--trials", type=int, default=500)
    options = parser.parse_args()
    there = [name for name in PROBLEMS if name not in TABLES_OF or (TABLES / f"{name}.csv").exists()]
    for name in options.problem or there:
        print(json.dumps(compared(name, options)))


def compared(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Prints a table of one problem; returns its rows."""
    problem = PROBLEMS[name]()
    base = [search(problem, "random", options.trials, seed) for seed in range(options.repeats)]
    goal = statistics.fmean(run[-1][1] for run in base)
    spent = statistics.fmean(run[-1][0] for run in base)
    print(f"{name}: random search reaches {goal:.4f} with {spent:.3g} MACs of training in {options.trials} trials")
    print(f"{'':24}{'a tenth of':>11}{'hypervolume less random’s,':^32}{'MACs to reach random’s':^31}{'ms a':>12}")
    print(f"{'':24}{'the MACs':>11}{'at most as many MACs':^32}{'median':>9}{'quartiles':>16}{'never':>6}{'trial':>12}")
    rows = []
    samplers = [one for one in SAMPLERS if name in TABLES_OF or not one.endswith(STOPPING)]
    for sampler in options.sampler or samplers:
        started, anew = perf_counter(), [] if sampler == "random" else range(options.repeats)
        runs = [search(problem, sampler, options.trials, seed) for seed in anew] or base
        taken = (perf_counter() - started) / options.repeats / options.trials * 1000
        rows.append({"sampler": sampler, **valued(runs, base, goal), "ms": taken})
        print(said(rows[-1]), flush=True)
    return {"problem": name, "goal": goal, "repeats": options.repeats, "trials": options.trials, "rows": rows}


def valued(runs: list[Run], base: list[Run], goal: float) -> dict[str, float]:
    """Returns what a sampler's repeats are worth, beside random search's."""
    spent = statistics.fmean(run[-1][0] for run in base)
    gains = [at(run, other[-1][0]) - other[-1][1] for run, other in zip(runs, base, strict=True)]
    shares = sorted(reached(run, goal) / spent for run in runs)
    low, middle, high = (float(np.quantile(shares, q, method="nearest")) for q in (0.25, 0.5, 0.75))
    found = {"tenth": statistics.fmean(at(run, spent / 10) for run in runs), "gain": statistics.fmean(gains)}
    found["within"] = half_width(gains)
    never = sum(math.isinf(share) for share in shares)
    return {**found, "share": middle, "low": low, "high": high, "never": never}


def half_width(values: list[float]) -> float:
    """Returns half of the 95% interval of a mean; infinity for a single value."""
    row = means(values).iloc[0]
    return math.inf if len(values) < 2 else float(row["high"] - row["mean"])


def said(row: dict[str, Any]) -> str:
    low, high = row["gain"] - row["within"], row["gain"] + row["within"]
    gain = f"{row['gain']:+.4f} [{low:+.4f}, {high:+.4f}]" if row["sampler"] != "random" else ""
    shares = f"{row['share']:9.3f}{row['low']:9.3f} to {row['high']:.3f}{row['never']:6.0f}"
    ms = f"{row['ms']:12.1f}" if row["sampler"] != "random" else ""
    return f"{row['sampler']:24}{row['tenth']:11.4f}{gain:>32}{shares}{ms}"


def search(problem: Problem, sampler: str, trials: int, seed: int) -> Run:
    """Returns how a search went, by the hypervolume of what it believes in."""
    named = "random" if sampler == "smallest" else sampler.removesuffix(STOPPING)
    design = STOPPED if sampler.endswith(STOPPING) else DESIGN
    plan = problem.plan(design.format(trials=trials, sampler=named, seed=seed))
    queue = Proposed(plan, Memory(), {})  # type: ignore[arg-type]
    spent, seen, course, trained = 0.0, [], [], dict[str, int]()
    while (trial := queue.next()) is not None:
        arm = plan.arms[trial.arm]
        assert arm.cost is not None
        scores, worth = problem.score(arm, seed)
        if sampler == "smallest":
            scores = [math.log(arm.cost.params) / 100]  # believes in nothing but the number of parameters
        end = queue.until(trial) or len(scores)
        spent += (end - trained.get(trial.name, 0)) * epoch_macs(plan, arm)
        trained[trial.name] = end
        entry = reported(scores[:end])
        if end < len(scores):
            queue.paused(trial, {**entry, "status": "paused"})
        else:
            seen.append((math.log(arm.cost.macs), scores[-1], worth))
            queue.finished(trial, entry)
        course.append((spent, hypervolume(seen, problem.reference)))
    return course


def reported(scores: list[float]) -> dict[str, Any]:
    """Returns what a trial reports that was trained so far."""
    held = [min(max(score, 0.0), 1.0) for score in scores]
    return {"status": "completed", "val_accuracy": held[-1], "epochs": [{"val_accuracy": one} for one in held]}


def hypervolume(seen: list[tuple[float, float, float]], reference: tuple[float, float]) -> float:
    """Returns the area that the arms of the observed front dominate, by what they are worth."""
    worst, end = reference
    area, best, held = 0.0, -math.inf, worst
    points = []
    for cost, observed, worth in sorted(seen):
        if observed > best:
            best = observed
            points.append((cost, worth))
    for cost, worth in points:
        if worth > held:
            area += (worth - held) * max(end - cost, 0.0)
            held = worth
    return area


def at(run: Run, spent: float) -> float:
    return next((volume for macs, volume in reversed(run) if macs <= spent), 0.0)


def reached(run: Run, goal: float) -> float:
    """Returns the MACs after which a run held the goal to its end; infinity if it didn't."""
    last = next((index for index in range(len(run) - 1, -1, -1) if run[index][1] < goal), -1)
    return run[last + 1][0] if last + 1 < len(run) else math.inf


def table(name: str) -> Problem:
    """Returns a table of real trainings: scores are one seed's, the worth is the mean of the last epochs over seeds."""
    space = (TABLES / f"{name}.yaml").read_text().partition("design:")[0]
    plan = Plan(resolve_study(read_yaml(TABLES / f"{name}.yaml")))
    columns, epochs = list(plan.baseline.levels), plan.baseline.configuration.train.epochs
    with (TABLES / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    scores = {
        tuple(row[column] for column in columns): [
            [float(row[f"s{seed}e{epoch}"]) for epoch in range(1, epochs + 1)] for seed in SEEDS
        ]
        for row in rows
    }

    def score(arm: Arm, seed: int) -> tuple[list[float], float]:
        key = tuple(arm.levels[column] for column in columns)
        if key not in scores:
            raise SystemExit(
                f"{name}.csv has {len(rows):,} arms, and lacks {arm.label}: tests.benchmarks.table goes on"
            )
        return scores[key][seed % len(SEEDS)], worth(scores[key])

    worst = min(map(worth, scores.values()))
    return Problem(space, score, (worst, math.log(max(float(row["macs"]) for row in rows))), {})


def worth(scores: list[list[float]]) -> float:
    return statistics.fmean(one[-1] for one in scores)


def generated(worth: Callable[[Arm], float]) -> Problem:
    plan = Plan(resolve_study(parse_yaml(GENERATED + DESIGN.format(trials=10, sampler="random", seed=0), "s.yaml")))
    dice = random.Random(0)
    sample = [arm for _ in range(2000) if (arm := plan.judge(draw(plan.space, dice))).status == "run"]
    reference = min(map(worth, sample)), math.log(max(arm.cost.macs for arm in sample if arm.cost))

    def score(arm: Arm, seed: int) -> tuple[list[float], float]:
        true = worth(arm)
        return [true + random.Random(f"{arm.arm}/{seed}").gauss(0, 0.004)], true

    return Problem(GENERATED, score, reference)


def surface(arm: Arm) -> float:
    """Accuracy that rises with MACs and levels off, best where depths and widths grow together."""
    own, levels = arm.cost, arm.levels
    assert own is not None
    balance = sum(abs(math.log(width(levels, stage + 1) / width(levels, stage) / 1.6)) for stage in (0, 1))
    deep = abs(math.log(sum(depth(levels, stage) for stage in range(3)) / 9))
    kind = 0.006 * (levels["activation"] == "silu") - 0.004 * (levels["kernel"] == "5")
    reward = 0.01 * (levels["block"] == "bottleneck") * (own.macs > 3e6)
    return 0.95 - 0.35 * (own.macs / 1e5) ** -0.45 - 0.02 * balance - 0.02 * deep + kind + reward


def blind(arm: Arm) -> float:
    """Accuracy that has nothing to do with MACs: of the activation, and of depths by parity."""
    levels = arm.levels
    odd = sum(int(levels[f"depth[{stage}]"]) % 2 for stage in range(3))
    return 0.9 + 0.02 * (levels["activation"] == "gelu") + 0.01 * odd + 0.01 * (int(levels["width[1]"]) % 16 == 0)


def width(levels: Mapping[str, str], stage: int) -> int:
    return int(levels[f"width[{stage}]"])


def depth(levels: Mapping[str, str], stage: int) -> int:
    return int(levels[f"depth[{stage}]"])


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "digits": lambda: table("digits"),
    "cifar10": lambda: table("cifar10"),
    "surface": lambda: generated(surface),
    "blind": lambda: generated(blind),
}

if __name__ == "__main__":
    main()
