"""A search beside random search: its course by the definition, and what the page says of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from reports.against_random import RANDOM, SEARCH, against_random, at_equal_macs
from reports.answer import answer
from reports.exchange import plain_markdown
from reports.figures import against_random as figure
from reports.findings import find
from reports.markdown import as_markdown
from reports.sections import progress
from reports.spending import spending
from reports.table import read
from reports.volume import courses
from tests.reports.runs import finished_search, raced_search


def test_both_courses_are_what_their_trials_trained_and_their_arms_found(tmp_path: Path) -> None:
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
        assert own["spent"].iloc[-1] == pytest.approx(sum(3 * row["macs"] * row["epochs"] * images for row in trials))
        seeds: dict[tuple[float, str], list[float]] = {}
        for row in trials:
            if row in scored:
                seeds.setdefault((math.log10(row["macs"]), row["arm"]), []).append(row["val_accuracy"])
        points = sorted((cost, sum(scores) / len(scores)) for (cost, _), scores in seeds.items())
        area, best = 0.0, worst
        for (cost, score), after in zip(points, [*points[1:], (dearest, 0.0)], strict=True):
            best = max(best, score)
            area += (after[0] - cost) * (best - worst)
        assert own["volume"].iloc[-1] == pytest.approx(area)
        assert own["best"].iloc[-1] == pytest.approx(best)
    assert max(map(len, seeds.values())) == 1 < len(sketch.seeds)
    assert "proves nothing" in figure.caption(figure.data(table))
    said = " ".join(progress.build(find(table)).lead).replace("\u00a0", " ")
    assert "The sampler evolution was chosen: of its reasons." in said
    assert "of 60 arms 60 came to epoch 3, and 54 to the end" in said
    assert "20% of the budget was kept for more seeds" in said
    assert figure.data(read(finished_search().write(tmp_path / "without"))).empty


def test_they_are_compared_at_the_same_macs_whichever_trained_more(tmp_path: Path) -> None:
    frame = against_random(read(raced_search().write(tmp_path)))
    ends = at_equal_macs(frame)
    found, other = (frame[frame["series"] == name] for name in (SEARCH, RANDOM))
    assert ends.spent == other["spent"].iloc[-1] < found["spent"].iloc[-1]
    assert not ends.whole
    assert (ends.volume, ends.other) == (
        found[found["spent"] <= ends.spent]["volume"].iloc[-1],
        other["volume"].iloc[-1],
    )
    held = found[found["spent"] < ends.share * ends.spent * (1 - 1e-9)]
    assert (held["volume"] < ends.other).all()
    more = frame.assign(spent=frame["spent"].where(frame["series"] == SEARCH, frame["spent"] * 10))
    swapped, macs = at_equal_macs(more), found["spent"].iloc[-1]
    assert (swapped.spent, swapped.whole, swapped.volume) == (macs, True, found["volume"].iloc[-1])
    assert swapped.other == other[other["spent"] * 10 <= macs]["volume"].iloc[-1] < ends.other


def test_the_answer_says_what_the_yardstick_found_in_the_comment_on_a_pull_request_too(tmp_path: Path) -> None:
    sketch = raced_search()
    found = find(read(sketch.write(tmp_path / "part")))
    said = answer(found).headline
    assert re.search(r"Random search has trained \d+% of the search’s MACs so far, and found \d+\.\d% more hyper", said)
    assert plain_markdown(said) in as_markdown(found)
    for number, entry in enumerate([*sketch.arms[12:], *sketch.arms[12:]]):
        sketch.run(entry["arm"], 3_000_000 + number, phase="random")
    for row in sketch.trials:
        if row["phase"] == "random":
            row["val_accuracy"] = min(float(row["val_accuracy"]) + 0.02, 0.999)
    ends = at_equal_macs(against_random(read(sketch.write(tmp_path / "whole"))))
    assert ends.whole
    assert ends.rival > ends.best
    said = answer(find(read(tmp_path / "whole" / sketch.name))).headline
    more = f"{(ends.other / ends.volume - 1) * 100:.1f}% more hypervolume"
    best = f"its best arm reached {ends.rival * 100:.1f}%, the search’s {ends.best * 100:.1f}%."
    assert said.endswith(f" Random search that trained as many MACs found {more}; {best}")
    assert "Random search" not in answer(find(read(finished_search().write(tmp_path / "without")))).headline


def test_what_random_search_took_is_no_time_of_the_baseline(tmp_path: Path) -> None:
    sketch = raced_search()
    base = sketch.arms[0]["arm"]
    sketch.run(sketch.derive(base, "random", {"width": "9"}, 0.9), 3_000_000, phase="random")  # as a run has them
    table = read(sketch.write(tmp_path))
    frame = spending(table)
    of_arms = frame[frame["by"] == "arm"]
    (beside,) = of_arms[of_arms["what"] == "random search"].to_dict("records")
    assert (beside["arm"], beside["trials"]) == ("", 13)
    own = table.trials[(table.trials["arm"] == base) & (table.trials["phase"] != "random")]
    (row,) = of_arms[of_arms["arm"] == base].to_dict("records")
    assert (row["trials"], row["seconds"]) == (len(own), pytest.approx(own["train_seconds"].sum()))
    assert of_arms["trials"].sum() == len(table.trials)
    assert of_arms["what"].iloc[-1].replace("\u00a0", " ") == "45 other arms"


def test_a_lucky_seed_is_no_find_once_its_arm_has_another() -> None:
    trials = [("a", 1.0, 0.5), ("b", 2.0, 0.6), ("c", 2.0, 0.9), ("c", 2.0, 0.5), ("d", 3.0, math.nan)]
    course = courses(trials, 3.0, 0.4)
    assert [volume for volume, _ in course] == pytest.approx([0.2, 0.3, 0.6, 0.4, 0.4])
    assert [best for _, best in course] == pytest.approx([0.5, 0.6, 0.9, 0.7, 0.7])
    fallen = courses([*trials, ("c", 2.0, 0.1)], 3.0, 0.4)[-1]  # to 0.5: what it beat is on the front again
    assert fallen == pytest.approx((0.3, 0.6))
