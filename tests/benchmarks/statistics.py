"""Whether the statistics do what they promise, by simulation with noise that is not always as they suppose.

    python -m tests.benchmarks.statistics          ~2 minutes on 1 core

Each row is a share (or a size) over simulated studies, its standard error from the number of studies, and the goal. A
goal is met if the figure is within it, give or take two standard errors. Seeds are fixed: it prints the same each time.

gaussian          every trial's noise is normal, the same for all arms
skewed            every trial's noise is exponential, its long tail towards bad scores
skewed, one arm   that of the arm alone; the baseline's is normal, and a third of it: differences are skewed
heteroscedastic   normal, and arms differ in it by up to ten times
seeds favour      normal, and each seed favours some levels of the factors as much as it scatters
"""

from __future__ import annotations

import itertools
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd
import scipy.stats
import statsmodels
from numpy.typing import NDArray

from reports.statistics import (
    Factorial,
    Verdict,
    compare_spaces,
    confirmed_means,
    detectable,
    edf,
    effects,
    equalising_weights,
    equivalence_power,
    expected_inflation,
    factorial,
    image_bootstrap,
    mcnemar,
    paired,
    pairs_needed,
    power,
    rank_agreement,
)

Floats = NDArray[np.float64]
SEEDS = (3, 5, 10)
COVERAGE = (0.93, 0.97)
HOLDS = (0.93, 1.0)
FALSE = (0.0, 0.05)
MARGIN = 2.0


@dataclass(frozen=True)
class Row:
    """A figure, and what it should be."""

    what: str
    noise: str
    n: int
    value: float
    error: float
    low: float
    high: float

    @property
    def met(self) -> bool:
        return self.low - 2 * self.error <= self.value <= self.high + 2 * self.error


def main() -> int:
    """Prints the table, then one JSON line."""
    started = time.process_time()
    parts = (_effects, _families, _equivalence, _plans, _selection, _factorials, _rankings, _spaces, _images)
    rows: list[Row] = []
    print(f"{'':46} {'noise':16} {'n':>4} {'measured':>16}   goal")
    for number, part in enumerate(parts):
        for row in part(np.random.default_rng(number)):
            rows.append(row)
            goal = f"{row.low:.3f} to {row.high:.3f}"
            measured = f"{row.value:.3f} ± {row.error:.3f}"
            print(f"{row.what:46} {row.noise:16} {row.n:4} {measured:>16}   {goal:18} {'met' if row.met else 'MISSED'}")
    missed = sum(not row.met for row in rows)
    print(f"\n{len(rows) - missed} of {len(rows)} goals met, {time.process_time() - started:.0f} s of one core")
    versions = {"python": platform.python_version(), "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
    print(json.dumps({"benchmark": "statistics", **versions, "rows": [asdict(row) for row in rows]}))
    return 0


def _noise(kind: str, random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Returns noise of mean 0; the first axis is the arms, the baseline first."""
    if kind == "gaussian":
        return random.normal(size=shape)
    if kind == "skewed":
        return 1 - random.exponential(size=shape)
    if kind == "skewed, one arm":
        others = 1 - random.exponential(size=(shape[0] - 1, *shape[1:]))
        return np.concatenate([random.normal(0, 1 / 3, (1, *shape[1:])), others])
    scale = np.geomspace(0.3, 3, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    return random.normal(size=shape) * scale


NOISES = ("gaussian", "skewed", "skewed, one arm", "heteroscedastic")
FACTORIAL_NOISES = ("gaussian", "skewed", "heteroscedastic", "seeds favour")


def _share(
    what: str, noise: str, n: int, hits: Sequence[bool] | NDArray[np.bool_] | pd.Series, goal: tuple[float, float]
) -> Row:
    value, studies = float(np.mean(hits)), len(hits)
    return Row(what, noise, n, value, float(np.sqrt(max(value * (1 - value), 1 / studies) / studies)), *goal)


def _effects(random: np.random.Generator) -> Iterator[Row]:
    """Coverage of the interval of an effect; the seeds move both arms."""
    for kind, n in itertools.product(NOISES, SEEDS):
        base, arm = _noise(kind, random, (2, n, 20_000)) + random.normal(size=(1, n, 20_000))
        frame = paired(pd.DataFrame(arm - base), planned=n)
        yield _share("effect: interval covers", kind, n, (frame["low"] < 0) & (frame["high"] > 0), COVERAGE)
    for n in SEEDS:
        base, arm = _noise("skewed, one arm", random, (2, n, 20_000))
        yield _share("not used: Johnson's t covers", "skewed, one arm", n, _johnson_covers(arm - base), COVERAGE)
    for n in SEEDS:
        frame = paired(pd.DataFrame(random.normal(1, 1, (n, 20_000))), planned=n)
        covers = (frame["standardised_low"] < 1) & (frame["standardised_high"] > 1)
        yield _share("standardised effect: interval covers", "gaussian", n, covers, COVERAGE)


def _johnson_covers(differences: Floats) -> NDArray[np.bool_]:
    """Tells of each column whether the t test that Johnson (1978) corrected for skewness keeps a mean of 0."""
    n, mean, sd = len(differences), differences.mean(axis=0), differences.std(axis=0, ddof=1)
    third = ((differences - mean) ** 3).sum(axis=0) * n / ((n - 1) * (n - 2))
    t = (mean + third / (6 * sd**2 * n) + third * mean**2 / (3 * sd**4)) / (sd / np.sqrt(n))
    return np.abs(t) < scipy.stats.t.ppf(0.975, n - 1)


def _families(random: np.random.Generator) -> Iterator[Row]:
    """Studies of eight arms equal to the baseline in which any is called different."""
    arms, studies = 8, 4000
    for kind, n in itertools.product(NOISES, SEEDS):
        scores = _noise(kind, random, (arms + 1, n, studies))
        found = _any_detected((scores[1:] - scores[0]).transpose(1, 2, 0))
        yield _share("eight null arms: any detected", kind, n, found, FALSE)
    rows = pd.DataFrame(itertools.product(range(arms + 1), range(5)), columns=["arm", "seed"])
    verdicts = [
        effects(rows.assign(score=random.normal(size=len(rows))), baseline=0, by="arm", value="score")["verdict"]
        for _ in range(300)
    ]
    found = [(own == Verdict.DETECTED).any() for own in verdicts]
    yield _share("the same, by the verdicts of effects()", "gaussian", 5, found, FALSE)


def _any_detected(differences: Floats) -> NDArray[np.bool_]:
    """Tells of each study, seeds x studies x comparisons, whether Holm's first step finds anything."""
    seeds, studies, comparisons = differences.shape
    p = paired(pd.DataFrame(differences.reshape(seeds, -1)), planned=seeds)["p"].to_numpy()
    return p.reshape(studies, comparisons).min(axis=1) * comparisons < 0.05


def _equivalence(random: np.random.Generator) -> Iterator[Row]:
    """Effects of exactly the margin that are called equivalent."""
    for kind, n in itertools.product(NOISES, SEEDS):
        base, arm = _noise(kind, random, (2, n, 20_000))
        frame = paired(pd.DataFrame(arm - base + MARGIN), planned=n, margin=MARGIN)
        yield _share("at the margin: called equivalent", kind, n, frame["verdict"] == Verdict.EQUIVALENT, FALSE)


def _plans(random: np.random.Generator) -> Iterator[Row]:
    """Power as planned against power as it turns out."""
    for n, family in itertools.product(SEEDS, (1, 8)):
        effect = float(detectable(pd.Series([1.0]), pd.Series([n]), 0.05 / family).iloc[0])
        p = paired(pd.DataFrame(random.normal(effect, 1, (n, 20_000))), planned=n)["p"]
        what = "detectable effect: power" + (", strictest of 8" if family > 1 else "")
        yield _share(what, "gaussian", n, p < 0.05 / family, (0.8, 0.8))
    for effect in (0.8, 1.5):
        n = pairs_needed(effect, 1.0) or 0
        p = paired(pd.DataFrame(random.normal(effect, 1, (n, 20_000))), planned=n)["p"]
        planned = power(effect, 1.0, n)
        yield _share(f"seeds needed for {effect} SD: power", "gaussian", n, p < 0.05, (planned, planned))
    for n in SEEDS:
        frame = paired(pd.DataFrame(random.normal(0.2, 1, (n, 20_000))), planned=n, margin=MARGIN)
        planned = equivalence_power(MARGIN, 1.0, n, effect=0.2)
        yield _share("power of equivalence, as planned", "gaussian", n, frame["within_margin"], (planned, planned))


def _selection(random: np.random.Generator) -> Iterator[Row]:
    """50 arms on 3 seeds, the best 5 on 5 fresh ones: by how much the winner is overstated, in SDs of a trial."""
    arms, finalists, first, second, studies = 50, 5, 3, 5, 400
    for spread, name in ((0.0, "equal arms"), (0.5, "arms' SD 0.5")):
        chosen, raw, shrunken, covered = [], [], [], []
        for _ in range(studies):
            worth = spread * random.normal(size=arms)
            explore = worth + random.normal(size=(first, arms)) + random.normal(size=(first, 1))
            best = explore.mean(axis=0).argsort()[-finalists:]
            confirm = worth[best] + random.normal(size=(second, finalists))
            chosen.append(explore.mean(axis=0).max() - explore.mean() + worth.mean() - worth[best[-1]])
            frame = confirmed_means(
                _tidy(explore, range(arms), 0), _tidy(confirm, best, 1000), by="arm", pair="seed", value="score"
            )
            winner = frame["confirmed"].idxmax()
            own = frame.loc[winner]
            raw.append(own["confirmed"] - worth[winner])
            shrunken.append(own["shrunken"] - worth[winner])
            covered.append(own["low"] < worth[winner] < own["high"])
        expected = expected_inflation(arms, 1.0, first)
        goal = (expected, expected) if spread == 0 else (0, expected)
        yield _size("best of 50: inflation before", name, first, chosen, goal)
        yield _size("winner of 5: inflation of its fresh mean", name, second, raw, (-0.1, 0.1))
        yield _size("winner of 5: inflation, shrunken", name, second, shrunken, (-0.1, 0.1))
        yield _share("winner of 5: interval, shrunken, covers", name, second, covered, HOLDS)


def _size(what: str, noise: str, n: int, values: Sequence[float] | Floats, goal: tuple[float, float]) -> Row:
    return Row(what, noise, n, float(np.mean(values)), float(np.std(values) / np.sqrt(len(values))), *goal)


def _tidy(scores: Floats, arms: object, first_seed: int) -> pd.DataFrame:
    wide = pd.DataFrame(scores, columns=pd.Index(arms, name="arm"))
    wide.index = pd.RangeIndex(first_seed, first_seed + len(wide), name="seed")
    return wide.stack().rename("score").reset_index()


def _factorials(random: np.random.Generator) -> Iterator[Row]:
    """A 2 x 3 x 2 factorial with all two-way interactions and no effects: coverage of the contrasts, false F tests."""
    cells = pd.DataFrame(itertools.product(range(2), range(3), range(2)), columns=list("abc"))
    weights = _contrasts(cells)  # contrasts x cells
    for kind, n in itertools.product(FACTORIAL_NOISES, SEEDS):
        scores = _factorial_noise(kind, random, cells, (4000, n))  # cells studies seeds
        differences = np.einsum("kc,csn->nsk", weights, scores)
        frame = paired(pd.DataFrame(differences.reshape(n, -1)), planned=n)
        covers = ((frame["low"] < 0) & (frame["high"] > 0)).to_numpy().reshape(-1, len(weights)).mean(axis=1)
        yield _size("factorial, own error: intervals cover", kind, n, covers, COVERAGE)
        yield _share("factorial, own error: any detected", kind, n, _any_detected(differences), FALSE)
    for error, kind in itertools.product(("own", "pooled"), ("gaussian", "heteroscedastic", "seeds favour")):
        results = [_factorial(cells, _factorial_noise(kind, random, cells, (5,)), error) for _ in range(100)]
        covers = [((own.effects["low"] < 0) & (own.effects["high"] > 0)).mean() for own in results]
        yield _size(f"factorial(), {error} error: intervals cover", kind, 5, covers, COVERAGE)
        found = [(own.effects["verdict"] == Verdict.DETECTED).any() for own in results]
        yield _share(f"factorial(), {error} error: any detected", kind, 5, found, FALSE)
        false = [(own.terms["p"] < 0.05).mean() for own in results]
        yield _size(f"factorial(), {error} error: F tests at 5%", kind, 5, false, FALSE)


def _factorial(cells: pd.DataFrame, scores: Floats, error: Literal["own", "pooled"]) -> Factorial:
    n = scores.shape[1]
    table = cells.loc[np.repeat(cells.index, n)].assign(seed=np.tile(np.arange(n), len(cells)), score=scores.ravel())
    baseline = dict.fromkeys(cells.columns, 0)
    return factorial(table, factors=list(cells.columns), baseline=baseline, value="score", error=error)


def _contrasts(cells: pd.DataFrame) -> Floats:
    """Returns what each cell weighs in each contrast: the effects of a table that is 1 there and 0 elsewhere."""
    single = np.eye(len(cells))[:, :, None].repeat(2, axis=2)
    return np.stack([_factorial(cells, scores, "own").effects["effect"] for scores in single], axis=1)


def _factorial_noise(kind: str, random: np.random.Generator, cells: pd.DataFrame, shape: tuple[int, ...]) -> Floats:
    """Returns cells x shape, the last axis the seeds."""
    if kind != "seeds favour":
        return _noise(kind, random, (len(cells), *shape))
    scores = random.normal(size=(len(cells), *shape))
    for name in cells.columns:
        scores += random.normal(size=(int(cells[name].max()) + 1, *shape))[cells[name]]
    return scores


def _rankings(random: np.random.Generator) -> Iterator[Row]:
    """Coverage of Kendall's tau: normal scores, and clumps of equal arms seen with noise."""
    shapes: dict[str, Callable[[float, int, int], tuple[Floats, Floats]]] = {
        "normal": lambda strength, arms, count: _normal_scores(random, strength, arms, count),
        "clumps": lambda strength, arms, count: _clumped_scores(random, strength, arms, count),
    }
    for (name, draw), strength, arms in itertools.product(shapes.items(), (0.0, 0.5, 0.9, 0.97), (8, 12, 30)):
        truth = float(np.mean([_agreement(one, other) for one, other in zip(*draw(strength, 1500, 4), strict=True)]))
        pairs = zip(*draw(strength, arms, 250), strict=True)
        found = [rank_agreement(pd.Series(one), pd.Series(other)) for one, other in pairs]
        covered = [own.low <= truth <= own.high for own in found]
        yield _share(f"tau {truth:.1f}: interval covers", name, arms, covered, HOLDS)


def _normal_scores(random: np.random.Generator, strength: float, arms: int, count: int) -> tuple[Floats, Floats]:
    one = random.normal(size=(count, arms))
    return one, strength * one + np.sqrt(1 - strength**2) * random.normal(size=(count, arms))


def _clumped_scores(random: np.random.Generator, strength: float, arms: int, count: int) -> tuple[Floats, Floats]:
    worth = np.where(random.random((count, arms)) < 0.5, 0, 2 * random.normal(size=(count, arms)))
    noise = np.sqrt(1 / max(strength, 1e-3) - 1)
    return worth + noise * random.normal(size=(count, arms)), worth + noise * random.normal(size=(count, arms))


def _agreement(one: Floats, other: Floats) -> float:
    product = np.sign(one[:, None] - one) * np.sign(other[:, None] - other)
    return float(product.sum() / (len(one) * (len(one) - 1)))


def _spaces(random: np.random.Generator) -> Iterator[Row]:
    """Bands around EDFs, with and without weights, and comparisons of spaces that differ in cost and nothing else."""
    for n in (20, 100, 500):
        covered = []
        for _ in range(300):
            band = edf(pd.Series(random.random(n)))
            covered.append(_inside(band, band["error"].to_numpy()))
        yield _share("EDF band covers", "uniform", n, covered, HOLDS)
    for n in (50, 100, 300):
        covered, detected, means = [], [], []
        for _ in range(200):
            table = pd.DataFrame({"space": np.repeat(["one", "two"], n)})
            # Log costs on [0, 1] with density 0.5 + x in one space and 1.5 - x in the other; dear networks err less.
            log_cost = np.sqrt(0.25 + 2 * random.random(2 * n)) - 0.5
            log_cost[n:] = 1 - log_cost[n:]
            table["cost"], table["error"] = np.exp(log_cost), 1 - log_cost + random.random(2 * n)
            table["weight"] = equalising_weights(table["cost"], table["space"], bins=5)
            own = table[table["space"] == "one"]
            band = edf(own["error"], own["weight"])
            at = band["error"].to_numpy()
            truth = np.where(at < 1, at.clip(0) ** 2 / 2, 1 - (2 - at).clip(0) ** 2 / 2)  # the sum of two uniforms
            covered.append(_inside(band, truth))
            found = compare_spaces(table, first="one", second="two", weight="weight")
            detected.append(found.ks_p < 0.05)
            means.append(found.mean_low < 0 < found.mean_high)
        yield _share("EDF band at equal cost covers", "weighted", n, covered, HOLDS)
        yield _share("KS test at equal cost: equal spaces differ", "weighted", n, detected, FALSE)
        yield _share("difference of mean errors: interval covers", "weighted", n, means, HOLDS)


def _inside(band: pd.DataFrame, truth: Floats) -> bool:
    """Tells whether a continuous distribution, given at the steps of the curve, lies within the band throughout."""
    before = np.r_[0.0, band["high"].to_numpy()[:-1]]
    first = before[0] + (band["high"].iloc[0] - band["share"].iloc[0])
    above = np.r_[first, before[1:]]  # the most that is allowed just before each step
    return bool((truth >= band["low"]).all() and (truth <= above).all())


def _images(random: np.random.Generator) -> Iterator[Row]:
    """Two networks that are equally good: noise of images alone."""
    for images in (100, 1000):
        draws = 2000 if images == 100 else 1000
        easy = random.random((draws, images))
        one, two = (random.random((draws, images)) < 0.8 + 0.2 * easy for _ in range(2))
        found = [mcnemar(first, second) for first, second in zip(one, two, strict=True)]
        differ = [own.p < 0.05 for own in found]
        yield _share("McNemar, mid-p: equal networks differ", "images", images, differ, FALSE)
        covers = [own.low <= 0 <= own.high for own in found]
        yield _share("McNemar: interval covers", "images", images, covers, HOLDS)
        pairs = np.stack([one[:200], two[:200]], axis=1)[:, :, None]  # draws, arms, seeds, images
        bands = pd.concat([image_bootstrap(own, baseline=0, draws=500) for own in pairs])
        covers = (bands["low"] <= 0) & (bands["high"] >= 0)
        yield _share("bootstrap over images: interval covers", "images", images, covers, HOLDS)


if __name__ == "__main__":
    sys.exit(main())
