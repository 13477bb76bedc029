"""Which arm leads, against a scan of all trials."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from search.leaders import Leaders


def test_the_leader_is_the_best_mean_however_trials_come_fail_and_are_run_again() -> None:
    draw, leaders, ended = random.Random(0), Leaders(), dict[tuple[str, str], dict[str, float]]()
    assert leaders.best("explore") is None
    for _ in range(2_000):
        phase, arm, seed = draw.choice(["explore", "confirm"]), f"arm{draw.randrange(5)}", draw.randrange(30)
        status, score = draw.choice(["completed", "completed", "failed"]), round(draw.random(), 2)
        leaders.add({"status": status, "phase": phase, "arm": arm, "trial": f"{arm}-s{seed}", "val_accuracy": score})
        if status == "completed":
            ended.setdefault((phase, arm), {})[f"{arm}-s{seed}"] = score
        means = [fmean(scores.values()) for (of, _), scores in ended.items() if of == "explore"]
        best = leaders.best("explore")
        assert (best is None) == (not means)
        if best is not None:
            assert best[0] == pytest.approx(max(means))
            assert fmean(ended["explore", best[1]].values()) == pytest.approx(best[0])
