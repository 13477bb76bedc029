"""Arms with their seeds folded in."""

from __future__ import annotations

import numpy as np

from tests.reports.evidence import Row, Run, interval, mean, numbers, sd


def check(run: Run) -> None:
    rows, where = run.rows("arms"), "arms"
    assert [row["arm"] for row in rows] == list(run.entries)
    for cost in next(iter(run.entries.values()))["cost"]:
        run.check(where, rows, cost, [entry["cost"][cost] for entry in run.entries.values()])
    sizes = [entry["latency"]["latency_1"]["bytes"] / 1e6 for entry in run.entries.values() if entry.get("latency")]
    if sizes:
        run.check(where, rows, "megabytes", sizes)
    run.check(where, rows, "out_channels", [entry["out_channels"] for entry in run.entries.values()])
    values = [numbers(run.scores(row["arm"])) for row in rows]
    run.check(where, rows, "n", [len(own) for own in values])
    run.check(
        where, rows, "planned", [max(_planned(run, row), len(own)) for row, own in zip(rows, values, strict=True)]
    )
    run.check(where, rows, "mean", [mean(own) for own in values])
    run.check(where, rows, "sd", [sd(own) for own in values])
    run.check(where, rows, "low", [interval(own)[0] for own in values])
    run.check(where, rows, "high", [interval(own)[1] for own in values])
    means = {"train_accuracy": "train_accuracy", "epochs_to_target": "epochs_to_target", "seconds": "train_seconds"}
    means |= {name: name for name in ("images_per_second", "peak_memory")}
    for name, column in means.items():
        run.check(where, rows, name, [mean(numbers(run.scores(row["arm"], value=column))) for row in rows])
    _confirmed(run)
    measured = [row for row in rows if row["mean"] is not None]
    points = [(row["macs"], row["mean"]) for row in measured]
    assert [row["front"] for row in measured] == front(points)


def _planned(run: Run, row: Row) -> int:
    """All seeds of an arm; in a race as many as it got."""
    if run.arms["design"].get("racing") is None:
        return len(run.seeds)
    return max(run.trials[(run.trials["phase"] == run.main) & (run.trials["arm"] == row["arm"])]["seed"].nunique(), 1)


def _confirmed(run: Run) -> None:
    rows = run.rows("arms")
    for prefix, value in (("confirm", "val_accuracy"), ("test", "test_accuracy")):
        columns = run.wide("confirm", value).columns
        own = [numbers(run.scores(row["arm"], "confirm", value)) if row["arm"] in columns else None for row in rows]
        run.check("arms", rows, f"{prefix}_n", [None if each is None else len(each) for each in own])
        run.check("arms", rows, f"{prefix}_mean", [np.nan if each is None else mean(each) for each in own])
        for end, name in enumerate(("low", "high")):
            ends = [np.nan if each is None else interval(each)[end] for each in own]
            run.check("arms", rows, f"{prefix}_{name}", ends)


def front(points: list[tuple[float, float]]) -> list[bool]:
    """Which points, cost and score, no other one beats."""
    return [
        not any((c <= cost and s > score) or (c < cost and s >= score) for c, s in points) for cost, score in points
    ]
