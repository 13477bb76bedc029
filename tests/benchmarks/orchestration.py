"""What a trial costs that is not training: 500 trials that train nothing, beside Ray Tune on the same machine.

    python -m tests.benchmarks.orchestration        # 2 to 3 minutes on 2 cores; needs the extra `benchmark`

Goal: at most 5 milliseconds a trial, and 10 times less than Ray Tune. A trial's time is the time between the end of
one trial and the end of the next, the first trials left out: until then workers start and samplers only guess.

session, Ray    the real session: a study with `design: search`, plan, record on disk (flushed as always), Ray workers
session, inline the same without Ray
Optuna alone    ask, suggest and tell by the same sampler on the same space, in a loop: the sampler's own time
Ray Tune        OptunaSearch with the same sampler and space, class Trainable with `reuse_actors`, no checkpoints
Tune, no logs   the same without the files of results that Tune writes by default; ours always writes its record

Each measurement has a process and, where needed, a private local Ray of its own. `--sampler tpe` and the like measure
one sampler; by default it is random and then TPE, whose own time grows with the number of trials. So the ratio to Tune
is of means over as many trials of each.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import optuna

from blocks.source import parse_yaml
from search.cluster import OnRay
from search.engine import Executor, Inline, default_workers
from search.interrupts import Interrupts
from search.local_ray import LocalRay
from search.plan import Plan
from search.progress import Talk
from search.record import Record
from search.session import Session
from search.shelf import Shelf
from search.study import RaySpec, resolve_study
from search.train.outcome import Epoch, Outcome
from search.trial import Job

TRIALS, WARM_UP = 500, 20
TUNE_TRIALS = 100
STARTUP = 10
GOAL_MILLISECONDS, GOAL_RATIO = 5.0, 10.0
LIMIT_SECONDS = 60.0
"""Of one measurement."""

STUDY = """\
name: orchestration
data: {{kind: synthetic, image_size: 8, channels: 1, num_classes: 10, images: 300}}
network:
  stem: {{kind: conv3x3, width: 8}}
  stages:
    - {{block: {{kind: bottleneck, expansion: 4}}, depth: 1, width: 8}}
    - {{block: {{kind: bottleneck, expansion: 4}}, depth: 1, width: 16, stride: 2}}
train: {{epochs: 10, batch_size: 64, optimizer: {{kind: sgd, lr: 0.1}}}}
factors:
  lr:        {{path: train.optimizer.lr, range: {{low: 0.001, high: 1, log: true}}}}
  momentum:  {{path: train.optimizer.momentum, range: {{low: 0.5, high: 0.99}}}}
  depth:     {{path: "network.stages[each].depth", range: {{low: 1, high: 4}}}}
  expansion: {{path: "network.stages[*].block.expansion", levels: [1, 2, 4, 6]}}
design: {{kind: search, trials: {trials}, sampler: {sampler}, startup: {startup}, objectives: [val_accuracy]}}
confirm: {{finalists: 1, seeds: 1}}
"""

Row = dict[str, Any]


def main() -> int:
    """Prints the table, then one JSON line; measures one thing if told which."""
    arguments = parse_arguments()
    if arguments.measure:
        # Ray's processes may still write their last words there.
        with tempfile.TemporaryDirectory(prefix="trials-", ignore_cleanup_errors=True) as folder:
            os.environ["RAY_TMPDIR"] = folder
            print(json.dumps(MEASUREMENTS[arguments.measure](arguments, Path(folder))))
        return 0
    if not find_spec("ray.tune") or not find_spec("pyarrow"):
        print("this benchmark compares with Ray Tune: pip install 'residual-search[benchmark]'", file=sys.stderr)
        return 2
    samplers = [arguments.sampler] if arguments.sampler else ["random", "tpe"]
    print(heading(arguments), flush=True)
    results = {sampler: compare(sampler, arguments) for sampler in samplers}
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "workers": arguments.workers}
    goals = {"goal_milliseconds": GOAL_MILLISECONDS, "goal_ratio": GOAL_RATIO}
    print(json.dumps({"benchmark": "orchestration", "unit": "milliseconds a trial", **goals, **machine, **results}))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.orchestration")
    parser.add_argument("--sampler", choices=["random", "tpe"], help="only this one")
    parser.add_argument("--workers", type=int, default=min(default_workers(1), 4), help="trials at once, not inline")
    parser.add_argument("--trials", type=int, default=TRIALS, help="trials to measure of ours")
    parser.add_argument("--tune-trials", type=int, default=TUNE_TRIALS, help="trials to measure of Ray Tune")
    parser.add_argument("--measure", choices=list(MEASUREMENTS), help="only this, in this process, as JSON")
    return parser.parse_args()


def heading(arguments: argparse.Namespace) -> str:
    """Returns what is said above the table."""
    few = "" if arguments.tune_trials == arguments.trials else f", of Ray Tune {arguments.tune_trials}"
    return (
        f"{arguments.trials} trials that train nothing{few}; {WARM_UP} before them are left out; "
        f"{arguments.workers} workers\n"
        f"{'milliseconds a trial':28}{'median':>9}{'p99':>9}{'mean':>9}{'of it record':>14}"
    )


def compare(sampler: str, arguments: argparse.Namespace) -> Row:
    """Measures everything with one sampler, and prints a line of each."""
    rows: Row = {}
    for name in MEASUREMENTS:
        row = rows[name] = measured_apart(name, sampler, arguments)
        record = f"{row['record']:14.2f}" if "record" in row else ""
        print(f"{f'{name}, {sampler}':28}{row['median']:9.2f}{row['p99']:9.2f}{row['mean']:9.2f}{record}", flush=True)
    ours = rows["session, Ray"]["mean"]
    rows["ratio"] = round(rows["Ray Tune"]["mean"] / rows["session, Ray"]["mean_of_as_many"], 1)
    rows["met"] = ours <= GOAL_MILLISECONDS and rows["ratio"] >= GOAL_RATIO
    print(
        f"  session, Ray against the goal, by the mean: {ours:.2f} ms (at most {GOAL_MILLISECONDS:g}), "
        f"{rows['ratio']:.1f} times less than Ray Tune (at least {GOAL_RATIO:g}): "
        f"{'met' if rows['met'] else 'missed'}\n"
    )
    return rows


def measured_apart(name: str, sampler: str, arguments: argparse.Namespace) -> Row:
    """Measures one thing in a process of its own. Raises ``RuntimeError`` with its last words if that fails."""
    numbers = {"workers": arguments.workers, "trials": arguments.trials, "tune-trials": arguments.tune_trials}
    command = [sys.executable, "-m", "tests.benchmarks.orchestration", "--measure", name, "--sampler", sampler]
    command += [f"--{option}={number}" for option, number in numbers.items()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def summary(ends: list[float], trials: int) -> Row:
    """Returns median, 99th percentile and mean of the time between ends (in seconds), the first left out."""
    gaps = [1e3 * (end - before) for before, end in zip(ends[WARM_UP - 1 :], ends[WARM_UP:], strict=False)][:trials]
    if len(gaps) < trials:
        raise RuntimeError(f"only {len(gaps)} of {trials} trials ended")
    ranked = sorted(gaps)
    p99 = ranked[math.ceil(0.99 * len(ranked)) - 1]
    figures = {"median": statistics.median(gaps), "p99": p99, "mean": statistics.fmean(gaps)}
    return {"trials": trials, **{name: round(figure, 3) for name, figure in figures.items()}}


# Ours


class TimedRecord(Record):
    """The record as it is, that also notes when trials ended and how long its writing took."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.ends: list[float] = []
        self.seconds = 0.0

    def append(self, event: str, **fields: Any) -> dict[str, Any]:
        started = perf_counter()
        entry = super().append(event, **fields)
        ended = perf_counter()
        self.seconds += ended - started
        if event == "finished" and fields["phase"] == "explore":
            self.ends.append(ended)
        return entry


def measure_on_ray(arguments: argparse.Namespace, folder: Path) -> Row:
    ray_process = LocalRay(None, arguments.workers)
    shelf = Shelf()
    try:
        executor = OnRay(
            ray_process,
            lambda job: shelf.splits(job.configuration["data"]),
            data_of=lambda job: json.dumps(job.configuration["data"], sort_keys=True),
            workers=arguments.workers,
            threads=1,
            asked=RaySpec(gpus=0.0),
            runner=no_training,
        )
        return measure_session(executor, shelf, arguments, folder)
    finally:
        ray_process.close()


def measure_inline(arguments: argparse.Namespace, folder: Path) -> Row:
    shelf = Shelf()
    executor = Inline(lambda job: shelf.splits(job.configuration["data"]), runner=no_training)
    return measure_session(executor, shelf, arguments, folder)


def measure_session(executor: Executor, shelf: Shelf, arguments: argparse.Namespace, folder: Path) -> Row:
    """Runs a session to its end; nothing is confirmed, so the test split stays sealed and nothing is exported."""
    text = STUDY.format(trials=WARM_UP + arguments.trials, sampler=arguments.sampler, startup=STARTUP)
    plan = Plan(resolve_study(parse_yaml(text, "orchestration.yaml")))
    with TimedRecord(folder) as record:
        Session(plan, folder, record, lambda: executor, Talk(), shelf, Interrupts()).run()
    per_trial = 1e3 * record.seconds / len(record.ends)
    as_many = summary(record.ends, min(arguments.trials, arguments.tune_trials))["mean"]
    return {**summary(record.ends, arguments.trials), "mean_of_as_many": as_many, "record": round(per_trial, 3)}


def no_training(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """Replies as a worker does after ten epochs, at once; stops what is to be confirmed."""
    if job.keep_weights:
        return {"status": "stopped", "reason": "this benchmark explores only", "epochs": []}
    optimizer, stages = job.configuration["train"]["optimizer"], job.configuration["network"]["stages"]
    expansion = stages[0]["block"]["expansion"]
    reached = accuracy(optimizer["lr"], optimizer["momentum"], [stage["depth"] for stage in stages], expansion)
    epochs = tuple(
        Epoch(
            epoch=epoch,
            train_loss=2.3 / epoch,
            train_accuracy=reached,
            val_loss=2.4 / epoch,
            val_accuracy=reached - 0.1 / epoch,
            train_top5=0.987654321,
            val_top5=0.987654321,
            lr=optimizer["lr"],
            seconds=0.123456789,
        )
        for epoch in range(1, 11)
    )
    return Outcome("completed", "", epochs, None, 1.23456789, 1234.56789, 500_000_000, "A" * 12, None).plain()


def accuracy(lr: float, momentum: float, depths: list[int], expansion: float) -> float:
    """Returns an accuracy that depends on every factor, so that a sampler has something to learn."""
    return 0.9 - 0.05 * abs(math.log10(lr) + 1) - 0.1 * abs(momentum - 0.9) + 0.005 * (sum(depths) - 2 + expansion / 6)


# Optuna alone, and Ray Tune


def measure_optuna(arguments: argparse.Namespace, folder: Path) -> Row:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna_sampler(arguments.sampler))
    ends = []
    for _ in range(WARM_UP + arguments.trials):
        trial = study.ask()
        suggest(trial)
        study.tell(trial, score(trial.params))
        ends.append(perf_counter())
    return summary(ends, arguments.trials)


def measure_tune_without_logs(arguments: argparse.Namespace, folder: Path) -> Row:
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    return measure_tune(arguments, folder)


def measure_tune(arguments: argparse.Namespace, folder: Path) -> Row:
    with local_ray(arguments.workers):  # before ray is imported, which reads then how it authenticates
        return tuned(arguments, folder)


def tuned(arguments: argparse.Namespace, folder: Path) -> Row:
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    ends: list[float] = []

    class Nothing(tune.Trainable):  # type: ignore[misc]
        """Reports a score at once; is used again for the next trial."""

        def setup(self, config: dict[str, Any]) -> None:
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.config = new_config
            return True

        def step(self) -> dict[str, Any]:
            return {"val_accuracy": score(self.config), "done": True}

    class Ends(tune.Callback):  # type: ignore[misc]
        """Notes when trials ended."""

        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            ends.append(perf_counter())

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = OptunaSearch(suggest, metric="val_accuracy", mode="max", sampler=optuna_sampler(arguments.sampler))
    tune.Tuner(
        tune.with_resources(Nothing, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=search,
            num_samples=WARM_UP + arguments.tune_trials,
            max_concurrent_trials=arguments.workers,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=str(folder),
            verbose=0,
            callbacks=[Ends()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    ).fit()
    return summary(ends, arguments.tune_trials)


@contextlib.contextmanager
def local_ray(workers: int) -> Iterator[None]:
    """Starts a private local Ray as ours do, whose processes end with the block."""
    ray_process = LocalRay(None, workers)
    try:
        ray_process.wait_until_ready()
        yield
    finally:
        ray_process.close()


def optuna_sampler(name: str) -> optuna.samplers.BaseSampler:
    """Returns the sampler that a search of ours has, with the same settings."""
    if name == "random":
        return optuna.samplers.RandomSampler(seed=0)
    return optuna.samplers.TPESampler(seed=0, n_startup_trials=STARTUP, constant_liar=True)


def suggest(trial: optuna.Trial) -> None:
    """Asks for the factors of the study."""
    trial.suggest_float("lr", 0.001, 1.0, log=True)
    trial.suggest_float("momentum", 0.5, 0.99)
    trial.suggest_int("depth[0]", 1, 4)
    trial.suggest_int("depth[1]", 1, 4)
    trial.suggest_categorical("expansion", [1, 2, 4, 6])


def score(chosen: dict[str, Any]) -> float:
    """Returns the accuracy of what was suggested."""
    return accuracy(
        chosen["lr"], chosen["momentum"], [chosen["depth[0]"], chosen["depth[1]"]], float(chosen["expansion"])
    )


MEASUREMENTS = {
    "session, Ray": measure_on_ray,
    "session, inline": measure_inline,
    "Optuna alone": measure_optuna,
    "Ray Tune": measure_tune,
    "Tune, no logs": measure_tune_without_logs,
}


if __name__ == "__main__":
    sys.exit(main())
