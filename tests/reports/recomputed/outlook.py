"""What more seeds would buy."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tests.reports.evidence import Row, Run, findable, powered
from tests.reports.recomputed.effects import family

MOST_PAIRS = 100_000


def check(run: Run) -> None:
    found, where = run.record["outlook"], "outlook"
    explored = run.trials[(run.trials["phase"] == "explore") & (run.trials["status"] == "completed")]
    run.check(where, [found], "arms", [len(run.entries)])
    run.check(where, [found], "trial_seconds", [explored["train_seconds"].mean()])
    tested = [row for row in run.rows("comparisons") if row["p"] is not None]
    level = 0.05 / family(run) if tested else 0.05
    run.check(where, [found], "level", [level])
    named = {(row["change"], row["at"]): row for row in tested}
    open_still = [key for key, row in named.items() if row["verdict"] in ("not detected", "suggestive")]
    assert [(row["change"], row["at"]) for row in found["open"]] == open_still
    for row in found["open"]:
        _open(run, row, named[row["change"], row["at"]])
    if found["seeds"]:
        _bought(run, found["seeds"], tested)


def _seconds(run: Run, trials: float) -> float:
    return float(trials * run.record["outlook"]["trial_seconds"] / run.record["environment"]["workers"])


def _open(run: Run, row: Row, source: Row) -> None:
    where, half = "outlook.open", (source["high"] - source["low"]) / 2
    target = half if run.record["margin"] is None else run.record["margin"]
    expected = {name: source[name] for name in ("effect", "sd", "pairs", "planned")}
    run.check_row(where, row, expected | {"half_width": half, "target": target})
    run.seen.add((where, "needed"))
    level = run.record["outlook"]["level"]
    if row["needed"] is None:
        assert powered(target / source["sd"], MOST_PAIRS, level) < 0.8
        return
    more = max(row["needed"] - source["pairs"], 0)
    trials = more * len(run.entries)
    run.check_row(where, row, {"more": more, "trials": trials, "seconds": _seconds(run, trials)})
    assert powered(target / source["sd"], int(row["needed"]), level) > 0.8 - 1e-4
    if row["needed"] > 2:
        assert powered(target / source["sd"], int(row["needed"]) - 1, level) < 0.8 + 1e-4


def _bought(run: Run, rows: list[Row], tested: list[Row]) -> None:
    where = "outlook.seeds"
    spread = float(np.median([row["sd"] for row in tested]))
    now = max(int(np.median([row["pairs"] for row in tested])), 2)
    more = [0, 1, 2, 5, 10, 20]
    run.check(where, rows, "more", more)
    run.check(where, rows, "pairs", [now + each for each in more])
    run.check(where, rows, "sd", [spread] * len(rows))
    trials = [each * len(run.entries) for each in more]
    run.check(where, rows, "trials", trials)
    run.check(where, rows, "seconds", [_seconds(run, each) for each in trials])
    c4 = {n: stats.chi.mean(n - 1) / np.sqrt(n - 1) for n in [row["pairs"] for row in rows]}
    half = [stats.t.ppf(0.975, n - 1) * spread * c4[n] / c4[now] / np.sqrt(n) for n in c4]
    run.check(where, rows, "half_width", half)
    found = [findable(n, run.record["outlook"]["level"]) for n in c4]
    run.check(where, rows, "detectable", [d * spread for d in found], rel=1e-3)
