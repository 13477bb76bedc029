"""How a search grows: trials that train nothing, up to 10,000 of them, by the sampler.

    python -m tests.benchmarks.growth                                        # evolution
    python -m tests.benchmarks.growth --sampler nsga2 --trials 100 1000
    python -m tests.benchmarks.growth --arrivals 2000                        # early stopping's decisions alone

Printed, of a search that has so many trials, in CPU time of this process: milliseconds from one proposal to the next
(mean of the last tenth; plan, sampler and record on disk are the real ones), by how much the process has grown, how
long a new session takes until it can propose the next arm, and the size of the record. Goals at 10,000 trials of our
own sampler: 10 ms a proposal, and 5 seconds to go on.

Of early stopping: milliseconds an arm that comes to a rung, and how many times as long it takes to put all arms in
order anew for each, which must come to the same.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

from blocks.source import parse_yaml
from search.arms import Trial
from search.arrivals import Best
from search.explore import Proposed
from search.plan import Plan
from search.record import Record
from search.study import resolve_study
from search.train.memory import resident
from tests.benchmarks.search import DESIGN, GENERATED
from tests.search.test_early_stopping import best as plainly_best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sampler", default="evolution")
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--arrivals", type=int, help="arms that come to a rung, in place of trials")
    options = parser.parse_args()
    if options.arrivals:
        print(json.dumps({"benchmark": "growth", "arrivals": options.arrivals, **arrived(options.arrivals)}))
        return
    print(f"{options.sampler:>12}{'trials':>9}{'ms each':>15}{'grown, MiB':>12}{'to go on, s':>13}{'record, MiB':>13}")
    for trials in options.trials:
        with tempfile.TemporaryDirectory(prefix="growth-") as folder:
            row = grown(options.sampler, trials, Path(folder))
        print(
            f"{'':12}{trials:9,}{row['ms']:15.1f}{row['mib']:12.0f}{row['resume']:13.2f}{row['size']:13.1f}", flush=True
        )
        print(json.dumps({"benchmark": "growth", "sampler": options.sampler, "trials": trials, **row}))


def grown(sampler: str, trials: int, folder: Path) -> dict[str, float]:
    before = resident("VmRSS")
    plan = planned(sampler, trials)
    finished: dict[str, Any] = {}
    with Record(folder) as record:
        queue, ends = Proposed(plan, record, finished), [process_time()]
        while (trial := queue.next()) is not None:
            entry = scored(plan, trial)
            record.append("finished", trial=trial.name, **entry)
            finished[trial.name] = entry
            queue.finished(trial, entry)
            ends.append(process_time())
    tenth = max(trials // 10, 1)
    size = (folder / "trials.jsonl").stat().st_size / 2**20
    grown_by = (resident("VmRSS") - before) / 2**20
    started = process_time()
    with Record(folder) as record:
        again = planned(sampler, trials + 1)
        done = {entry["trial"]: entry for entry in record.entries if entry["event"] == "finished"}
        assert Proposed(again, record, done).next() is not None
    took = process_time() - started
    return {"ms": (ends[-1] - ends[-1 - tenth]) / tenth * 1000, "mib": grown_by, "resume": took, "size": size}


def arrived(count: int) -> dict[str, float]:
    """Has so many arms come to a rung, of which larger ones mostly score better."""
    dice, points, best = random.Random(0), list[tuple[float, float]](), Best()
    for _ in range(count):
        cost = dice.gauss(0, 1)
        points.append((0.3 * math.exp(-cost / 2 - 1) + dice.gauss(0, 0.02), cost))
    begun = process_time()
    found = [best.add(str(number), point, (number + 1) // 3) for number, point in enumerate(points)]
    then, gone_on, same = process_time(), set[str](), list[list[str]]()
    for number in range(1, count + 1):
        same.append([name for name in map(str, plainly_best(points[:number], number // 3)) if name not in gone_on])
        gone_on.update(same[-1])
    assert found == same
    return {"ms": (then - begun) / count * 1000, "anew": (process_time() - then) / (then - begun)}


def planned(sampler: str, trials: int) -> Plan:
    text = GENERATED + DESIGN.format(trials=trials, sampler=sampler, seed=0)
    return Plan(resolve_study(parse_yaml(text, "growth.yaml")))


def scored(plan: Plan, trial: Trial) -> dict[str, Any]:
    """Returns the entry of a trial that trained nothing: its accuracy rises with its arm's MACs."""
    cost = plan.arms[trial.arm].cost
    assert cost is not None
    return {"status": "completed", "val_accuracy": 0.95 - 0.3 * math.sqrt(1e5 / (1e5 + cost.macs))}


if __name__ == "__main__":
    main()
