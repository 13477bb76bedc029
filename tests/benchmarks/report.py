"""How long a page takes, and how large it is, beside Optuna's own figures of the same study.

    python -m tests.benchmarks.report              ~1 minute on 2 cores

Goals: 10,000 trials in under 2 seconds, cold, and in under 5 MB. A search of one seed an arm, with 8 epochs a trial,
and with specs as long as real ones; each page is built by a process of its own, by ``python -m reports``, and the best
of three counts, since other work on the machine only ever adds. Modules are compiled beforehand, as an installation
does. ``cpu`` is what that process computed, over all its threads.
optuna        the same trials, two objectives, as six of Optuna's figures (history, front, slice, parallel coordinates,
              importances, distribution) in one HTML file with plotly.js inlined once; also a process of its own, which
              only reads the trials from a pickle
refresh       what it costs the driver to have the page written once a minute while 60 trials end: the share of its time
              that it spends on beginning the process that writes, and on finding that none is due
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import optuna

from blocks import NetworkSpec
from search.data.spec import DATASETS
from search.refresh import EVERY_SECONDS, Refresher
from search.train.recipe import TrainSpec
from tests.reports import runs

SIZES = (100, 1_000, 10_000)
REPEATS = 3
OPTUNA = """
import pickle, sys, warnings
warnings.simplefilter("ignore")
import optuna
from optuna import visualization as v
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(directions=["maximize", "minimize"])
with open(sys.argv[1], "rb") as stream:
    study.add_trials(pickle.load(stream))
score = lambda trial: trial.values[0]
named = {"target": score, "target_name": "validation accuracy"}
figures = [
    v.plot_optimization_history(study, **named),
    v.plot_pareto_front(study, target_names=["validation accuracy", "MACs"]),
    v.plot_slice(study, **named),
    v.plot_parallel_coordinate(study, **named),
    v.plot_param_importances(study, **named),
    v.plot_edf(study, **named),
]
parts = [figure.to_html(full_html=False, include_plotlyjs=index == 0) for index, figure in enumerate(figures)]
with open(sys.argv[2], "w", encoding="utf-8") as stream:
    stream.write("\\n".join(parts))
"""


def main() -> int:
    """Prints the table, then one JSON line; returns 1 where a goal was missed."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(size, Path(folder)) for size in SIZES]
    print(f"{'':8}{'ours':>26}{'Optuna':>29}\n{'trials':>8}" + 2 * f"{'seconds':>9}{'cpu':>9}{'MB':>8}   ")
    for row in rows:
        ours, theirs = row["ours"], row["optuna"]
        cells = [f"{one['seconds']:9.2f}{one['cpu']:9.2f}{one['megabytes']:8.2f}" for one in (ours, theirs)]
        print(f"{row['trials']:8,}" + "   ".join(cells))
    share = _refresh_share()
    print(f"refreshed once a minute while trials run: {share:.5%} of the driver's time")
    last = rows[-1]["ours"]
    met = last["seconds"] < 2 and last["megabytes"] < 5
    print(f"goals at {SIZES[-1]:,} trials, under 2 s and 5 MB: {'met' if met else 'missed'}")
    machine = {"python": platform.python_version(), "cpu": platform.processor(), "optuna": optuna.__version__}
    print(json.dumps({"benchmark": "report", "rows": rows, "refresh_share": share, **machine}))
    return 0 if met else 1


def _refresh_share() -> float:
    """Returns the share of a minute that the driver spends on one refresh, a trial ending every second."""
    with tempfile.TemporaryDirectory() as folder:
        refresher = Refresher(Path(folder), warn=print, every=0)
        started = time.perf_counter()
        refresher.trial_ended()  # begins one
        for _ in range(59):
            refresher.trial_ended()  # it is under way
        spent = time.perf_counter() - started
        refresher.close()
    return spent / EVERY_SECONDS


def _row(size: int, folder: Path) -> dict[str, Any]:
    sketch = runs.searched(arms=size, name=f"search{size}")
    for entry in sketch.arms:
        entry |= _whole(entry["levels"], entry["cost"])
    run, trials, page = sketch.write(folder), folder / f"{size}.pickle", folder / f"{size}.html"
    with trials.open("wb") as stream:
        pickle.dump(_trials(sketch), stream)
    ours = _best([sys.executable, "-m", "reports", str(run)], run / "report.html")
    theirs = _best([sys.executable, "-c", OPTUNA, str(trials), str(page)], page)
    return {"trials": size, "ours": ours, "optuna": theirs}


def _whole(levels: dict[str, str], cost: dict[str, int]) -> dict[str, Any]:
    """Returns what arms.json says of an arm at length: its spec, its recipe, its data, its difference, its blocks."""
    widths, depths = (
        (int(levels["width"]), 2 * int(levels["width"])),
        (int(levels["depth[0]"]), int(levels["depth[1]"])),
    )
    stages = [
        {"block": levels["block"], "depth": depth, "width": width, "stride": 1 + index}
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True))
    ]
    given = {
        "in_channels": 1,
        "stem": {"kind": "conv3x3", "width": 8},
        "stages": stages,
        "head": {"kind": "linear", "num_classes": 10},
    }
    network = NetworkSpec.model_validate(given)
    steps = [
        {"path": f"network.stages[{index}].{name}", "baseline": base, "arm": stage[name]}
        for index, stage in enumerate(stages)
        for name, base in (("depth", 1), ("width", 8))
        if stage[name] != base
    ]
    blocks = [
        {"name": f"stages.{index}.{place}", "kind": levels["block"], "output": [width, 8, 8], **cost}
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True))
        for place in range(depth)
    ]
    whole = {"network": network.plain(), "train": TrainSpec().plain(), "data": DATASETS.parse("digits").plain()}
    return {**whole, "diff": steps, "blocks": blocks}


def _trials(sketch: runs.Sketch) -> list[optuna.trial.FrozenTrial]:
    levels = {entry["arm"]: entry for entry in sketch.arms}
    numbers = {name: optuna.distributions.IntDistribution(1, 64) for name in sketch.columns if name != "block"}
    space = {**numbers, "block": optuna.distributions.CategoricalDistribution(("basic", "bottleneck"))}
    return [
        optuna.trial.create_trial(
            values=[row["val_accuracy"], levels[row["arm"]]["cost"]["macs"]],
            params={name: own if name == "block" else int(own) for name, own in levels[row["arm"]]["levels"].items()},
            distributions=space,
        )
        for row in sketch.trials
    ]


def _best(command: list[str], page: Path) -> dict[str, float]:
    """Returns the fewest seconds of a few runs, the fewest seconds of computing, and the page's megabytes."""
    seconds, cpu = [], []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONHASHSEED"] = "0"
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)  # compiles what isn't compiled yet
    for _ in range(REPEATS):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(time.perf_counter() - started)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"seconds": min(seconds), "cpu": min(cpu), "megabytes": page.stat().st_size / 1e6}


if __name__ == "__main__":
    sys.exit(main())
