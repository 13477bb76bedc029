"""A search beside random search: its course by the definition, and what the page says of it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from reports.against_random import RANDOM, SEARCH, against_random, share_to_reach
from reports.figures import against_random as figure
from reports.findings import find
from reports.sections import progress
from reports.table import read
from tests.reports.runs import finished_search, raced_search


def test_both_courses_are_what_their_trials_trained_and_found(tmp_path: Path) -> None:
    sketch = raced_search()
    table = read(sketch.write(tmp_path))
    frame = against_random(table)
    rows = [row for row in sketch.trials if row["phase"] in ("explore", "random")]
    scored = [row for row in rows if row["status"] == "completed"]
    dearest, worst = max(math.log10(row["macs"]) for row in scored), min(row["val_accuracy"] for row in scored)
    images = table.environment["data"]["train"]
    for series, phase in ((SEARCH, "explore"), (RANDOM, "random")):
        own = frame[frame["series"] == series]
        trials = [row for row in rows if row["phase"] == phase]
        assert len(own) == len(trials)
        spent = sum(3 * row["macs"] * row["epochs"] * images for row in trials)
        assert own["spent"].iloc[-1] == pytest.approx(spent)
        points = sorted((math.log10(row["macs"]), row["val_accuracy"]) for row in trials if row in scored)
        area, best = 0.0, worst
        for (cost, score), after in zip(points, [*points[1:], (dearest, 0.0)], strict=True):
            best = max(best, score)
            area += (after[0] - cost) * (best - worst)
        assert own["volume"].iloc[-1] == pytest.approx(area)
    share, goal = share_to_reach(frame), frame.loc[frame["series"] == RANDOM, "volume"].iloc[-1]
    assert share is not None
    held = frame[(frame["series"] == SEARCH) & (frame["spent"] < share * spent * (1 - 1e-9))]
    assert (held["volume"] < goal).all()
    assert "proves nothing" in figure.caption(figure.data(table))
    said = " ".join(progress.build(find(table)).lead).replace("\u00a0", " ")
    assert "The sampler evolution was chosen: of its reasons." in said
    assert "of 60 arms 60 came to epoch 3, and 54 to the end" in said
    assert "20% of the budget was kept for more seeds" in said
    assert figure.data(read(finished_search().write(tmp_path / "without"))).empty
