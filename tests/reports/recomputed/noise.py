"""Seed noise and image noise, from which images every network got right."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from tests.reports.evidence import Floats, Row, Run


def check(run: Run) -> None:
    found = run.record["noise"]
    if found is None:
        return
    trials = run.trials[(run.trials["phase"] == found["phase"]) & (run.trials["status"] == "completed")]
    names = [row["arm"] for row in found["arms"]]
    trial = trials[trials["arm"].isin(names)].pivot(index="seed", columns="arm", values="trial").dropna()
    run.check("noise", [found], "seeds", [len(trial)])
    scores = {arm: np.array([_bits(run, each, found["split"]) for each in trial[arm]]) for arm in names}
    base = scores[run.baseline]
    run.check("noise", [found], "images", [base.shape[1]])
    for row in found["arms"]:
        _components(run, "noise.arms", row, scores[row["arm"]])
    for row in found["differences"]:
        _components(run, "noise.differences", row, scores[row["arm"]] - base)
        _bootstrap(run, row, (scores[row["arm"]] - base).mean(axis=0))


def _bits(run: Run, trial: str, split: str) -> Floats:
    row = run.images.loc[(trial, split)]
    every = "".join(f"{byte:08b}" for byte in base64.b64decode(row["correct"]))
    return np.array([float(bit) for bit in every[: row["images"]]])


def _components(run: Run, where: str, row: Row, score: Floats) -> None:
    """The two-way analysis of variance by hand, then the components by the method of moments."""
    seeds, images = score.shape
    mean, by_seed, by_image = score.mean(), score.mean(axis=1), score.mean(axis=0)
    run.check_row(where, row, {"mean": mean, "seeds": seeds, "images": images})
    if seeds < 2:  # what the seed adds cannot be told
        unknown = dict.fromkeys(("seed", "rest", "error", "seed_error", "more_seeds", "more_images"))
        image = by_image.var(ddof=1)
        run.check_row(where, row, unknown | {"image": image, "image_error": np.sqrt(image / images)}, rel=1e-4)
        return
    rest_ms = ((score - by_seed[:, None] - by_image + mean) ** 2).sum() / ((seeds - 1) * (images - 1))
    seed = max(images * by_seed.var(ddof=1) - rest_ms, 0) / images
    image = max(seeds * by_image.var(ddof=1) - rest_ms, 0) / seeds
    both = rest_ms / (seeds * images)
    expected = {"seed": seed, "image": image, "rest": rest_ms}
    expected |= {"error": np.sqrt(seed / seeds + image / images + both), "seed_error": np.sqrt(seed / seeds + both)}
    expected |= {"image_error": np.sqrt(image / images + both), "more_seeds": np.sqrt(image / images)}
    expected["more_images"] = np.sqrt(seed / seeds)
    run.check_row(where, row, expected, rel=1e-4)


def _bootstrap(run: Run, row: Row, gain: Floats) -> None:
    """Percentiles of other draws of images than the page's 2,000: four of their standard errors apart at most."""
    drawn = np.random.default_rng(99).multinomial(len(gain), np.full(len(gain), 1 / len(gain)), 4000) @ gain / len(gain)
    run.seen |= {("noise.differences", name) for name in ("bootstrap_low", "bootstrap_high")}
    ends = np.quantile(drawn, [0.025, 0.975])
    room = 0.3 * drawn.std()
    assert [row["bootstrap_low"], row["bootstrap_high"]] == pytest.approx(ends.tolist(), abs=room)
