"""Every number of report.json against an independent computation from the files of the run directory.

By scipy and statsmodels, or by hand. A number that no computation here covers fails the test.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import AnovaRM, anova_lm
from statsmodels.stats.multitest import multipletests

KINDS = (
    "ablation",
    "factorial",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("search", "population", "tuned", "fidelity")),
)
ELSEWHERE = {"environment", "schema", "margin", "selection", "additions", "answer"}  # copied, or in words
ELSEWHERE |= {"panels"}  # checked whole


@dataclass
class Run:
    """What a run directory's files say, read with nothing of ours, and what of the record has been checked."""

    folder: Path
    record: dict[str, Any]
    seen: set[tuple[str, str]] = field(default_factory=set)
    pivots: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)

    @functools.cached_property
    def arms(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "arms.json").read_bytes()))

    @functools.cached_property
    def trials(self) -> pd.DataFrame:
        frame = pd.read_csv(self.folder / "results.csv", keep_default_na=False)
        numbers = ["val_accuracy", "train_accuracy", "test_accuracy", "train_seconds", "epochs_to_target"]
        numbers += ["images_per_second", "peak_memory"]
        return frame.assign(**{name: pd.to_numeric(frame[name], errors="coerce") for name in numbers})

    def wide(self, phase: str = "explore", value: str = "val_accuracy") -> pd.DataFrame:
        if (phase, value) not in self.pivots:
            own = self.trials[(self.trials["phase"] == phase) & (self.trials["status"] == "completed")]
            self.pivots[phase, value] = own.pivot(index="seed", columns="arm", values=value)
        return self.pivots[phase, value]

    @functools.cached_property
    def images(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "images.csv").set_index(["trial", "split"])

    def rows(self, *path: str) -> list[dict[str, Any]]:
        found: Any = self.record
        for name in path:
            found = found[name]
        return list(found)

    def check(self, where: str, rows: list[dict[str, Any]], name: str, expected: list[Any], rel: float = 1e-6) -> None:
        self.seen.add((where, name))
        assert len(rows) == len(expected)
        for row, value in zip(rows, expected, strict=True):
            if value is None or value != value:
                assert row[name] is None, (where, name, row)
            else:
                assert row[name] == pytest.approx(value, rel=rel, abs=1e-9), (where, name, row)


@pytest.fixture(scope="module")
def run(page: Callable[[str], Path]) -> Callable[[str], Run]:
    def load(name: str) -> Run:
        path = page(name)
        return Run(path.parent, json.loads(path.with_suffix(".json").read_bytes()))

    return load


@pytest.mark.parametrize("name", KINDS)
def test_every_number_is_recomputed(name: str, run: Callable[[str], Run]) -> None:
    found = run(name)
    for check in CHECKS:
        check(found)
    left = sorted({place for place in numeric(found.record) if place not in found.seen and place[0] not in ELSEWHERE})
    assert left == []


def numeric(record: dict[str, Any]) -> set[tuple[str, str]]:
    """Returns every place of the record that holds a number: the part's path, and the field's name."""
    places: set[tuple[str, str]] = set()

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, (*path, name))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            places.add((".".join(path[:-1]), path[-1]) if len(path) > 1 else (path[0], ""))

    for name, part in record.items():
        if name not in ELSEWHERE:
            walk(part, (name,))
    return places


def interval(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:
        return np.nan, np.nan
    if np.std(values) == 0:
        return float(np.mean(values)), float(np.mean(values))
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return float(low), float(high)


def powered(effect: float, pairs: int, level: float) -> float:
    """The power of the paired t test at an effect in SDs, by integrating over the estimated SD."""
    freedom = pairs - 1
    critical, shift = stats.t.ppf(1 - level / 2, freedom), effect * np.sqrt(pairs)

    def found(s: float) -> float:
        far = stats.norm.sf(critical * s - shift) + stats.norm.cdf(-critical * s - shift)
        return float(far * stats.chi.pdf(s * np.sqrt(freedom), freedom) * np.sqrt(freedom))

    return float(integrate.quad(found, 0, 6, limit=200)[0])


@functools.cache
def findable(pairs: int, level: float) -> float:
    """The effect in SDs that is found with a power of 80%."""
    return float(optimize.brentq(lambda effect: powered(effect, pairs, level) - 0.8, 0.01, 200))


def front(points: list[tuple[float, float]]) -> list[bool]:
    return [
        not any((c <= cost and s > score) or (c < cost and s >= score) for c, s in points) for cost, score in points
    ]


def arms(run: Run) -> None:
    entries = [entry for entry in run.arms["arms"] if entry["status"] == "run"]
    rows, where = run.rows("arms"), "arms"
    assert [row["arm"] for row in rows] == [entry["arm"] for entry in entries]
    for cost in ("macs", "params", "activations"):
        run.check(where, rows, cost, [entry["cost"][cost] for entry in entries])
    run.check(where, rows, "out_channels", [entry["out_channels"] for entry in entries])
    wide = run.wide()
    values = [wide[row["arm"]].dropna().to_numpy() if row["arm"] in wide else np.array([]) for row in rows]
    run.check(where, rows, "n", [len(own) for own in values])
    run.check(where, rows, "planned", [len(run.arms["design"]["seeds"]) for _ in rows])
    run.check(where, rows, "mean", [own.mean() if len(own) else None for own in values])
    run.check(where, rows, "sd", [own.std(ddof=1) if len(own) > 1 else None for own in values])
    run.check(where, rows, "low", [interval(own)[0] for own in values])
    run.check(where, rows, "high", [interval(own)[1] for own in values])
    means = {"train_accuracy": "train_accuracy", "epochs_to_target": "epochs_to_target", "seconds": "train_seconds"}
    means |= {name: name for name in ("images_per_second", "peak_memory")}
    for name, column in means.items():
        own = run.wide(value=column).mean()
        run.check(where, rows, name, [own.get(row["arm"]) for row in rows])
    confirmed(run, rows, where)
    measured = [row for row in rows if row["mean"] is not None]
    on_front = front([(row["macs"], row["mean"]) for row in measured])
    assert [row["front"] for row in measured] == on_front


def confirmed(run: Run, rows: list[dict[str, Any]], where: str) -> None:
    for prefix, value in (("confirm", "val_accuracy"), ("test", "test_accuracy")):
        wide = run.wide("confirm", value)
        own = [wide[row["arm"]].dropna().to_numpy() if row["arm"] in wide else None for row in rows]
        run.check(where, rows, f"{prefix}_n", [None if each is None else len(each) for each in own])
        run.check(where, rows, f"{prefix}_mean", [None if each is None else each.mean() for each in own])
        for end, name in enumerate(("low", "high")):
            run.check(where, rows, f"{prefix}_{name}", [None if each is None else interval(each)[end] for each in own])


def confirm_phase(run: Run) -> None:
    rows, base = run.rows("confirmed"), run.record["baseline"]
    if not rows:
        return
    every = {row["arm"]: row for row in run.rows("arms")}
    for name in [name for name, value in rows[0].items() if not name.startswith(("gain_", "worth"))]:
        if any(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows):
            run.check("confirmed", rows, name, [every[row["arm"]][name] for row in rows])
    wide = run.wide("confirm")
    gains = [None if row["arm"] == base else (wide[row["arm"]] - wide[base]).to_numpy() for row in rows]
    run.check("confirmed", rows, "gain_effect", [None if own is None else own.mean() for own in gains])
    run.check("confirmed", rows, "gain_low", [None if own is None else interval(own)[0] for own in gains])
    run.check("confirmed", rows, "gain_high", [None if own is None else interval(own)[1] for own in gains])
    run.check("confirmed", rows, "gain_pairs", [None if own is None else len(own) for own in gains])
    shrunk(run, wide, base)
    worth(run, rows)


def worth(run: Run, rows: list[dict[str, Any]]) -> None:
    """What finalists are worth by both phases, as the posterior of two normal measurements weighed by precision."""
    first, fresh = run.wide().dropna(axis=1), run.wide("confirm").dropna(axis=1)
    fresh = fresh[[arm for arm in fresh if arm in first]]
    fits = [
        ols("score ~ C(arm) + C(seed)", wide.melt(ignore_index=False, value_name="score").reset_index()).fit()
        for wide in (first, fresh)
    ]
    noise = sum(fit.ssr for fit in fits) / sum(fit.df_resid for fit in fits)
    grand, spread, arms = first.mean().mean(), first.mean().var(), first.shape[1]
    kept = max(0, 1 - (arms - 3) / (arms - 1) * noise / len(first) / spread)
    expected = grand + kept * (first.mean()[fresh.columns] - grand)
    lift = (fresh.mean() - expected).mean()
    before, after = len(first) / (kept * noise), len(fresh) / noise  # precisions
    posterior = (before * (expected + lift) + after * fresh.mean()) / (before + after)
    together = max(0, fresh.mean(axis=1).var() - noise / fresh.shape[1]) / len(fresh)
    own = 1 / (before + after) + (before / (before + after)) ** 2 * (1 / before + 1 / after) / fresh.shape[1]
    rest = sum(fit.df_resid for fit in fits)
    freedom = (own + together) ** 2 / (own**2 / rest + together**2 / (len(fresh) - 1))  # Satterthwaite
    half = stats.t.ppf(0.975, freedom) * np.sqrt(own + together)
    run.check("confirmed", rows, "worth", [posterior.get(row["arm"]) for row in rows])
    run.check("confirmed", rows, "worth_low", [posterior.get(row["arm"], np.nan) - half for row in rows])
    run.check("confirmed", rows, "worth_high", [posterior.get(row["arm"], np.nan) + half for row in rows])


def shrunk(run: Run, fresh: pd.DataFrame, base: str) -> None:
    rows, first = run.rows("shrinkage"), run.wide()
    before, after = first.sub(first[base], axis=0), fresh.sub(fresh[base], axis=0)
    chosen = [row["arm"] for row in rows if row["arm"] is not None]
    pairs = [
        (before[arm].dropna(), after[arm])
        if arm is not None
        else (before[chosen].mean(axis=1), after[chosen].mean(axis=1))
        for arm in [row["arm"] for row in rows]
    ]
    run.check("shrinkage", rows, "selected", [one.mean() for one, _ in pairs])
    run.check("shrinkage", rows, "confirmed", [other.mean() for _, other in pairs])
    run.check("shrinkage", rows, "shrinkage", [one.mean() - other.mean() for one, other in pairs])
    run.check("shrinkage", rows, "selected_n", [len(one) for one, _ in pairs])
    run.check("shrinkage", rows, "confirmed_n", [len(other) for _, other in pairs])
    several = [len(one) > 1 for one, _ in pairs]
    tests = [
        stats.ttest_ind(one, other, equal_var=False) if more else None
        for (one, other), more in zip(pairs, several, strict=True)
    ]
    ends = [None if test is None else test.confidence_interval(0.95) for test in tests]
    run.check("shrinkage", rows, "p", [None if test is None else test.pvalue for test in tests])
    run.check("shrinkage", rows, "low", [None if end is None else end.low for end in ends])
    run.check("shrinkage", rows, "high", [None if end is None else end.high for end in ends])


def differences(run: Run) -> list[np.ndarray]:
    """Returns each comparison's paired differences over seeds, by its own way to them."""
    wide, entries = run.wide(), {entry["arm"]: entry for entry in run.arms["arms"]}
    if run.arms["design"]["kind"] != "factorial":
        return [(wide[row["arm"]] - wide[row["against"]]).dropna().to_numpy() for row in run.rows("comparisons")]
    levels = pd.DataFrame({arm: entries[arm]["levels"] for arm in wide.columns}).T
    base = entries[run.record["baseline"]]["levels"]
    made = []
    for row in run.rows("comparisons"):
        own, reference = (wide.loc[:, levels[row["factor"]] == level] for level in (row["level"], base[row["factor"]]))
        made.append((own.mean(axis=1) - reference.mean(axis=1)).to_numpy())
    return made


def comparisons(run: Run) -> None:
    rows = run.rows("comparisons")
    if not rows:
        return
    where, own = "comparisons", differences(run)
    tests = [stats.ttest_1samp(each, 0) for each in own]
    run.check(where, rows, "effect", [each.mean() for each in own])
    run.check(where, rows, "sd", [each.std(ddof=1) for each in own])
    run.check(where, rows, "low", [interval(each)[0] for each in own])
    run.check(where, rows, "high", [interval(each)[1] for each in own])
    run.check(where, rows, "p", [test.pvalue for test in tests])
    run.check(where, rows, "pairs", [len(each) for each in own])
    run.check(where, rows, "planned", [len(run.arms["design"]["seeds"]) for _ in own])
    every = [test.pvalue for test in tests] + [row["p"] for row in run.rows("interactions")]
    corrected = multipletests(every, method="holm")[1]
    run.check(where, rows, "p_holm", corrected[: len(rows)].tolist())
    found = [findable(len(each), 0.05 / len(every)) for each in own]
    run.check(where, rows, "detectable", [d * each.std(ddof=1) for d, each in zip(found, own, strict=True)], rel=1e-3)
    standardised(run, rows, own)
    costs = {entry["arm"]: entry["cost"]["macs"] for entry in run.arms["arms"]}
    gaps = {entry["arm"]: entry["gap"] for entry in run.arms["arms"]}
    if run.arms["design"]["kind"] == "factorial":
        run.check(
            where,
            rows,
            "macs",
            [
                {"2": {"expansion": -0.5, "depth": 1.0}, "3": {"depth": 2.0}}[row["level"]][row["factor"]]
                for row in rows
            ],
        )
    else:
        run.check(where, rows, "macs", [costs[row["arm"]] / costs[run.record["baseline"]] - 1 for row in rows])
        run.check(
            where, rows, "gap", [gaps[row["arm"]] if row["same"] or "matched" in row["at"] else None for row in rows]
        )


def standardised(run: Run, rows: list[dict[str, Any]], own: list[np.ndarray]) -> None:
    """The effect in SDs of the differences, corrected for few pairs; its ends by inverting the noncentral t."""
    where = "comparisons"
    for row, each in zip(rows, own, strict=True):
        assert abs(row["standardised"]) <= abs(each.mean() / each.std(ddof=1)) + 1e-9
        assert row["standardised_low"] < row["standardised"] < row["standardised_high"]
        t = each.mean() / each.std(ddof=1) * np.sqrt(len(each))
        for end, tail in (("standardised_low", 0.025), ("standardised_high", 0.975)):
            noncentral = row[end] * np.sqrt(len(each))
            assert stats.nct.sf(t, len(each) - 1, noncentral) == pytest.approx(tail, abs=0.006), (end, row["change"])
    run.seen |= {(where, name) for name in rows[0] if name.startswith("standardised")}


def interactions(run: Run) -> None:
    rows = run.rows("interactions")
    if not rows:
        return
    where, entries, wide = "interactions", run.arms["arms"], run.wide()
    arm = {(entry["levels"]["expansion"], entry["levels"]["depth"]): entry["arm"] for entry in entries}
    own = [
        ((wide[arm["2", deep]] - wide[arm["4", deep]]) - (wide[arm["2", "1"]] - wide[arm["4", "1"]])).to_numpy()
        for deep in ("2", "3")
    ]
    tests = [stats.ttest_1samp(each, 0) for each in own]
    run.check(where, rows, "effect", [each.mean() for each in own])
    run.check(where, rows, "sd", [each.std(ddof=1) for each in own])
    run.check(where, rows, "low", [interval(each)[0] for each in own])
    run.check(where, rows, "high", [interval(each)[1] for each in own])
    run.check(where, rows, "p", [test.pvalue for test in tests])
    run.check(where, rows, "pairs", [len(each) for each in own])
    run.check(where, rows, "planned", [len(run.arms["design"]["seeds"]) for _ in own])
    run.check(where, rows, "order", [2, 2])
    every = [row["p"] for row in run.rows("comparisons")] + [test.pvalue for test in tests]
    run.check(where, rows, "p_holm", multipletests(every, method="holm")[1][-2:].tolist())
    found = [findable(len(each), 0.05 / len(every)) for each in own]
    run.check(where, rows, "detectable", [d * each.std(ddof=1) for d, each in zip(found, own, strict=True)], rel=1e-3)
    # The same by a statsmodels formula: the seed as a block, treatment coding, the interaction's coefficients.
    long = wide.melt(ignore_index=False, value_name="y").reset_index()
    long["expansion"] = [next(e["levels"]["expansion"] for e in entries if e["arm"] == name) for name in long["arm"]]
    long["depth"] = [next(e["levels"]["depth"] for e in entries if e["arm"] == name) for name in long["arm"]]
    fit = ols("y ~ C(seed) + C(expansion, Treatment('4')) * C(depth, Treatment('1'))", long).fit()
    coefficients = [value for name, value in fit.params.items() if ":" in name]
    run.check(where, rows, "effect", coefficients)
    for row, each in zip(rows, own, strict=True):
        assert row["standardised_low"] < row["standardised"] < row["standardised_high"]
        assert abs(row["standardised"]) <= abs(each.mean() / each.std(ddof=1)) + 1e-9
    run.seen |= {(where, name) for name in rows[0] if name.startswith("standardised")}


def terms(run: Run) -> None:
    """The analysis of variance for repeated measures by statsmodels; p by Greenhouse and Geisser, by hand."""
    rows, where = run.rows("terms"), "terms"
    if not rows:
        return
    levels = {entry["arm"]: entry["levels"] for entry in run.arms["arms"]}
    long = run.wide().melt(ignore_index=False, value_name="y").reset_index()
    long = long.join(pd.DataFrame([levels[arm] for arm in long["arm"]]))
    table = AnovaRM(long, "y", "seed", within=["expansion", "depth"]).fit().anova_table
    assert [row["term"] for row in rows] == table.index.tolist()
    run.check(where, rows, "order", [1, 1, 2])
    run.check(where, rows, "f", table["F Value"].tolist())
    run.check(where, rows, "freedom", table["Num DF"].tolist())
    run.check(where, rows, "error_freedom", table["Den DF"].tolist())
    explained = table["F Value"] * table["Num DF"]
    run.check(where, rows, "eta_squared", (explained / (explained + table["Den DF"])).tolist())
    cells = long.pivot(index="seed", columns=["expansion", "depth"], values="y")
    contrasts = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    by_depth = {"depth": cells["2"] + cells["4"], "expansion:depth": cells["2"] - cells["4"]}
    epsilon = {"expansion": 1.0}
    for name, seeds in by_depth.items():
        scatter = np.cov(seeds.to_numpy() @ contrasts.T, rowvar=False)
        epsilon[name] = np.trace(scatter) ** 2 / (2 * (scatter**2).sum())
    run.check(where, rows, "epsilon", [epsilon[row["term"]] for row in rows])
    shrunk = [
        (row["f"], epsilon[row["term"]] * row["freedom"], epsilon[row["term"]] * row["error_freedom"]) for row in rows
    ]
    run.check(where, rows, "p", [stats.f.sf(*each) for each in shrunk])


def panels(run: Run) -> None:
    """What opens from an arm is what the files say of it: difference, spec, trials, curves."""
    found, entries = run.record["panels"], {entry["arm"]: entry for entry in run.arms["arms"]}
    assert run.record["baseline"] == found["baseline"]
    assert set(found["arms"]) <= set(entries)
    assert found["left"] == 0
    epochs = dict(list(pd.read_csv(run.folder / "epochs.csv").groupby("trial")))
    for arm, own in found["arms"].items():
        entry = entries[arm]
        assert [own["label"], own["status"], own["costs"]] == [entry["label"], entry["status"], entry["cost"]]
        assert patched(found["spec"], own["patch"]) == {part: entry[part] for part in ("network", "train", "data")}
        trials = run.trials[run.trials["arm"] == arm]
        assert len(own["trials"]) == len(trials)
        for row, trial in zip(own["trials"], trials.to_dict("records"), strict=True):
            for name, value in zip(found["columns"], row, strict=True):
                expected = None if trial[name] != trial[name] else trial[name]
                assert value == (pytest.approx(expected, abs=5e-6) if isinstance(expected, float) else expected)
        curves = [epochs[trial] for trial in trials["trial"] if trial in epochs]
        assert [curve["seed"] for curve in own["curves"]] == [curve["seed"].iloc[0] for curve in curves]
        for curve, raw in zip(own["curves"], curves, strict=True):
            assert curve.get("x", list(range(1, len(curve["y"]) + 1))) == raw["epoch"].tolist()
            assert curve["y"] == pytest.approx(raw["val_accuracy"].tolist(), abs=5e-6)


def patched(spec: dict[str, Any], steps: list[list[Any]]) -> dict[str, Any]:
    made = json.loads(json.dumps(spec))
    for (*way, last), *value in steps:
        holder = functools.reduce(lambda inner, key: inner[key], way, made)
        if value:
            holder[last] = value[0]
        else:
            del holder[last]
    return dict(made)


def outlook(run: Run) -> None:
    found, where = run.record["outlook"], "outlook"
    explored = run.trials[(run.trials["phase"] == "explore") & (run.trials["status"] == "completed")]
    trained = sum(entry["status"] == "run" for entry in run.arms["arms"])
    run.check(where, [found], "arms", [trained])
    run.check(where, [found], "trial_seconds", [explored["train_seconds"].mean()])
    family = len(run.rows("comparisons")) + len(run.rows("interactions"))
    run.check(where, [found], "level", [0.05 / max(family, 1)])
    named = {(row["change"], row["at"]): row for row in run.rows("comparisons")}
    workers = run.record["environment"]["workers"]
    for row in found["open"]:
        source = named[row["change"], row["at"]]
        assert source["verdict"] in ("not detected", "suggestive")
        half = (source["high"] - source["low"]) / 2
        expected = {"effect": source["effect"], "sd": source["sd"], "pairs": source["pairs"], "half_width": half}
        expected |= {"planned": source["planned"], "target": half, "more": row["needed"] - source["pairs"]}
        expected |= {"trials": expected["more"] * trained}
        expected["seconds"] = expected["trials"] * found["trial_seconds"] / workers
        for name, value in expected.items():
            run.check(f"{where}.open", [row], name, [value])
        steps = (row["needed"] - 1, row["needed"])
        power = [powered(half / source["sd"], int(n), found["level"]) for n in steps]
        assert power[0] < 0.8 + 1e-4
        assert power[1] > 0.8 - 1e-4
        run.seen.add((f"{where}.open", "needed"))
    seeds_bought(run, found, trained, workers)


def seeds_bought(run: Run, found: dict[str, Any], trained: int, workers: int) -> None:
    rows, where = found["seeds"], "outlook.seeds"
    if not rows:
        return
    sd = float(np.median([row["sd"] for row in run.rows("comparisons")]))
    now = rows[0]["pairs"]
    run.check(where, rows, "more", [0, 1, 2, 5, 10, 20])
    run.check(where, rows, "pairs", [now + row["more"] for row in rows])
    run.check(where, rows, "sd", [sd] * 6)
    run.check(where, rows, "trials", [row["more"] * trained for row in rows])
    run.check(where, rows, "seconds", [row["trials"] * found["trial_seconds"] / workers for row in rows])
    expected_sd = {n: stats.chi.mean(n - 1) / np.sqrt(n - 1) for n in [row["pairs"] for row in rows]}
    half = [stats.t.ppf(0.975, n - 1) * sd * expected_sd[n] / expected_sd[now] / np.sqrt(n) for n in expected_sd]
    run.check(where, rows, "half_width", half)
    found_d = [findable(n, found["level"]) for n in expected_sd]
    run.check(where, rows, "detectable", [d * sd for d in found_d], rel=1e-3)


def selection(run: Run) -> None:
    found = run.record["inflation"]
    if found is None:
        return
    wide = run.wide()
    run.check("inflation", [found], "arms", [wide.notna().any().sum()])
    run.check("inflation", [found], "seeds", [len(wide)])
    whole = wide.dropna(axis=1)
    if len(wide) > 1:
        long = whole.melt(ignore_index=False, value_name="y").reset_index()
        sd = float(np.sqrt(ols("y ~ C(seed) + C(arm)", long).fit().mse_resid))
    elif found["source"] == "seeds":  # pooled over the arms that were run again
        groups = run.trials[run.trials["phase"].isin(["explore", "confirm"])].groupby(["arm", "phase"])["val_accuracy"]
        freedom = groups.count() - 1
        sd = float(np.sqrt((groups.var() * freedom)[freedom > 0].sum() / freedom[freedom > 0].sum()))
    else:
        typical = wide.mean().median()
        sd = float(np.sqrt(typical * (1 - typical) / run.record["environment"]["data"]["validation"]))
    run.check("inflation", [found], "sd", [sd])
    count = found["arms"]
    largest = integrate.quad(lambda x: x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1), -10, 10)[0]
    run.check("inflation", [found], "expected", [sd / np.sqrt(len(wide)) * largest])


def bits(run: Run, trial: str, split: str) -> np.ndarray:
    row = run.images.loc[(trial, split)]
    every = "".join(f"{byte:08b}" for byte in base64.b64decode(row["correct"]))
    return np.array([float(bit) for bit in every[: row["images"]]])


def noise(run: Run) -> None:
    found = run.record["noise"]
    if found is None:
        return
    trials = run.trials[(run.trials["phase"] == found["phase"]) & (run.trials["status"] == "completed")]
    base = run.record["baseline"]
    names = [row["arm"] for row in found["arms"]]
    seeds = sorted(trials.loc[trials["arm"].isin(names), "seed"].unique())
    run.check("noise", [found], "seeds", [len(seeds)])
    scores = {
        arm: np.array(
            [
                bits(run, trials[(trials["arm"] == arm) & (trials["seed"] == seed)]["trial"].iloc[0], found["split"])
                for seed in seeds
            ]
        )
        for arm in names
    }
    run.check("noise", [found], "images", [scores[base].shape[1]])
    for part in ("arms", "differences"):
        for row in found[part]:
            components(run, f"noise.{part}", row, scores[row["arm"]] - (scores[base] if part == "differences" else 0))
    for row in found["differences"]:  # the bootstrap's interval is about the normal one over images
        gain = (scores[row["arm"]] - scores[base]).mean(axis=0)
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        run.check("noise.differences", [row], "bootstrap_low", [gain.mean() - 1.96 * error], rel=0.25)
        run.check("noise.differences", [row], "bootstrap_high", [gain.mean() + 1.96 * error], rel=0.25)


def components(run: Run, where: str, row: dict[str, Any], score: np.ndarray) -> None:
    """The two-way analysis of variance by statsmodels, then the components by the method of moments."""
    seeds, images = score.shape
    mean, by_seed, by_image = score.mean(), score.mean(axis=1), score.mean(axis=0)
    rest_ms = ((score - by_seed[:, None] - by_image + mean) ** 2).sum() / ((seeds - 1) * (images - 1))
    seed = max(images * by_seed.var(ddof=1) - rest_ms, 0) / images
    image = max(seeds * by_image.var(ddof=1) - rest_ms, 0) / seeds
    both = rest_ms / (seeds * images)
    expected = {"mean": mean, "seed": seed, "image": image, "rest": rest_ms, "seeds": seeds, "images": images}
    expected |= {"error": np.sqrt(seed / seeds + image / images + both), "seed_error": np.sqrt(seed / seeds + both)}
    expected |= {"image_error": np.sqrt(image / images + both), "more_seeds": np.sqrt(image / images)}
    expected["more_images"] = np.sqrt(seed / seeds)
    for name, value in expected.items():
        run.check(where, [row], name, [value], rel=1e-4)


def bands(run: Run) -> None:
    rows = run.rows("bands")
    every = [row for row in run.rows("arms") if row["mean"] is not None]
    base = next(row["mean"] for row in every if row["arm"] == run.record["baseline"])
    sd, quantile = scatter(run)
    unit = quantile * sd
    for row in rows:
        within = [arm for arm in every if row["limit"] is None or arm["macs"] <= row["limit"]]
        best = max(within, key=lambda arm: (arm["mean"], -arm["macs"]))
        assert row["arm"] == best["arm"]
        rivals = [
            arm
            for arm in within
            if arm["arm"] != best["arm"] and best["mean"] - arm["mean"] < unit * np.sqrt(1 / best["n"] + 1 / arm["n"])
        ]
        expected = {"macs": best["macs"], "mean": best["mean"], "n": best["n"], "gain": best["mean"] - base}
        expected |= {"rivals": len(rivals), "lead": min((best["mean"] - arm["mean"] for arm in rivals), default=None)}
        for name, value in expected.items():
            run.check("bands", [row], name, [value])
    run.seen.add(("bands", "limit"))


def scatter(run: Run) -> tuple[float, float]:
    """The SD of one trial, and the quantile of a two-sided test at 5% with what is known of it."""
    groups = run.trials[run.trials["phase"].isin(["explore", "confirm"])].groupby(["arm", "phase"])["val_accuracy"]
    freedom = (groups.count() - 1).clip(lower=0)
    if freedom.sum():
        sd = np.sqrt((groups.var().fillna(0) * freedom).sum() / freedom.sum())
        return float(sd), float(stats.t.ppf(0.975, freedom.sum()))
    typical = run.wide().mean().median()
    sd = np.sqrt(typical * (1 - typical) / run.record["environment"]["data"]["validation"])
    return float(sd), float(stats.norm.ppf(0.975))


def tuning(run: Run) -> None:
    rows, told_by = run.rows("tuning"), run.arms["tuning"]
    scores = run.trials.set_index("trial")["val_accuracy"]
    for row in rows:
        tried = told_by["arms"][row["arm"]]["candidates"]
        own = next(scores[each["trial"]] for each in tried if each["arm"] == row["arm"])
        best = max(scores[each["trial"]] for each in tried)
        expected = {"own_score": own, "score": best, "gain": best - own, "candidates": len(tried), "ended": len(tried)}
        for name, value in expected.items():
            run.check("tuning", [row], name, [value])
        best_value = max(tried, key=lambda each: scores[each["trial"]])["values"]
        assert row["values"] == best_value
    run.seen |= {(f"tuning.{name}", "train.optimizer.lr") for name in ("own", "values")}


def ranking(run: Run) -> None:
    found = run.record["fidelity"]
    if found is None:
        return
    scores = run.trials.set_index("trial")["val_accuracy"]
    pairs = run.arms["fidelity"]["arms"]
    rows = found["arms"]
    for length in ("short", "full"):
        own = [scores[pair[length]["trials"]].mean() for pair in pairs]
        run.check("fidelity.arms", rows, length, own)
        run.check("fidelity.arms", rows, f"{length}_n", [len(pair[length]["trials"]) for pair in pairs])
        run.check("fidelity.arms", rows, f"{length}_rank", stats.rankdata([-each for each in own], "min").tolist())
    short, full = ([row[length] for row in rows] for length in ("short", "full"))
    agreement = found["agreement"]
    kendall = stats.kendalltau(short, full)
    run.check("fidelity.agreement", [agreement], "tau", [kendall.statistic])
    run.check("fidelity.agreement", [agreement], "p", [kendall.pvalue])
    run.check("fidelity.agreement", [agreement], "arms", [len(rows)])
    run.check("fidelity.agreement", [agreement], "reversed", [(1 - kendall.statistic) / 2])  # no ties here
    assert agreement["low"] <= agreement["tau"] <= agreement["high"]
    run.seen |= {("fidelity.agreement", "low"), ("fidelity.agreement", "high"), ("fidelity", "epochs")}
    assert found["epochs"] == run.arms["fidelity"]["epochs"]


def weighted(run: Run) -> pd.DataFrame:
    """Returns the sample of a population with its weights of equal cost, bin by bin, by hand."""
    mean, entries = run.wide().mean(), {entry["arm"]: entry for entry in run.arms["arms"]}
    rows = [
        (s["name"], arm, 1 - mean[arm], entries[arm]["cost"]["macs"])
        for s in run.arms["design"]["spaces"]
        for arm in s["arms"]
    ]
    frame = pd.DataFrame(rows, columns=["space", "arm", "error", "macs"])
    logs = np.log(frame["macs"])
    ends = [logs.groupby(frame["space"]).min().max(), logs.groupby(frame["space"]).max().min()]
    place = np.clip(np.floor((logs - ends[0]) / (ends[1] - ends[0]) * 10), None, 9)
    place = place.where((logs >= ends[0] - 1e-12) & (logs <= ends[1] + 1e-12))
    shared = [bin for bin in place.dropna().unique() if frame.loc[place == bin, "space"].nunique() == 2]
    frame["weight"] = 0.0
    for bin in shared:
        for space in frame["space"].unique():
            own = (place == bin) & (frame["space"] == space)
            frame.loc[own, "weight"] = 1 / own.sum() / len(shared)
    return frame


def spaces(run: Run) -> None:
    found = run.record["population"]
    if found is None:
        return
    sample, declared = weighted(run), {space["name"]: space for space in run.arms["design"]["spaces"]}
    parts = dict(list(sample.groupby("space")))
    means = {name: float(own["error"] @ own["weight"]) for name, own in parts.items()}
    sizes = {name: own["weight"].sum() ** 2 / (own["weight"] ** 2).sum() for name, own in parts.items()}
    for row in found["spaces"]:
        own = parts[row["space"]]
        expected = {"arms": len(own), "mean": means[row["space"]], "median": own["error"].median()}
        expected |= {"best": own["error"].min(), "effective": sizes[row["space"]]}
        expected |= {name: declared[row["space"]][name] for name in ("drawn", "accepted")}
        for name, value in expected.items():
            run.check("population.spaces", [row], name, [value])
    (row,) = found["differences"]
    used = {name: own[own["weight"] > 0] for name, own in parts.items()}
    variance = {
        name: ((own["weight"] * (own["error"] - means[name])) ** 2).sum() * len(own) / (len(own) - 1)
        for name, own in used.items()
    }
    total, gap = sum(variance.values()), means[row["space"]] - means[row["against"]]
    freedom = total**2 / sum(own**2 / (sizes[name] - 1) for name, own in variance.items())
    half = stats.t.ppf(0.975, freedom) * np.sqrt(total)
    p = 2 * stats.t.sf(abs(gap) / np.sqrt(total), freedom)
    grid = np.sort(sample["error"])
    curves = [np.array([own.loc[own["error"] <= at, "weight"].sum() for at in grid]) for own in parts.values()]
    distance = float(np.abs(curves[0] - curves[1]).max())
    expected = {"mean": gap, "low": gap - half, "high": gap + half, "p": p, "p_holm": p, "ks": distance}
    for name, value in expected.items():
        run.check("population.differences", [row], name, [value], rel=1e-4)
    root = np.sqrt(sizes[row["space"]] * sizes[row["against"]] / sum(sizes.values()))
    run.check("population.differences", [row], "ks_p", [stats.kstwobign.sf(root * distance)], rel=0.05)


def counts(run: Run) -> None:
    trials, found = run.trials, run.record["counts"]
    table = found["trials"]
    for phase, row in table["by_phase"].items():
        own = trials[trials["phase"] == phase]
        for status, number in row.items():
            assert number == (own["status"] == status).sum(), (phase, status)
            run.seen.add((f"counts.trials.by_phase.{phase}", status))
        if phase in table["planned_by_phase"]:
            assert table["planned_by_phase"][phase] == len(own)
            run.seen.add(("counts.trials.planned_by_phase", phase))
    assert table["planned"] == len(trials)
    assert table["not_run"] == 0
    passed = run.arms["design"].get("proposals_passed_over", {})
    states = [entry["status"] for entry in run.arms["arms"]]
    for status in ("run", "rejected", "duplicate"):
        assert found["arms"][status] == states.count(status) + passed.get(status, 0)
    assert found["arms"]["listed"] == len(states) + sum(passed.values())
    assert found["arms"]["unmatched"] == sum(entry["unmatched"] is not None for entry in run.arms["arms"])
    lost = trials[trials["status"].isin(["stopped", "diverged", "failed"])]
    assert sum(row["count"] for row in found["reasons"]) == len(lost) + sum(passed.values()) + len(
        states
    ) - states.count("run")
    for status, number in table["all"].items():
        assert number == (trials["status"] == status).sum()
        run.seen.add(("counts.trials.all", status))
    run.seen |= {("counts.trials", name) for name in ("planned", "not_run")} | {("counts.reasons", "count")}
    run.seen |= {("counts.arms", name) for name in found["arms"]}


def figures_of_arms(run: Run) -> None:
    """Figures that show numbers of arms and comparisons repeat those that are checked above."""
    every = {row["arm"]: row for row in run.rows("arms")}
    for name in ("accuracy_cost", "parallel", "selection"):
        for row in run.record["figures"].get(name, []):
            own, where = every[row["arm"]], f"figures.{name}"
            stage = {"validation, fresh seeds": "confirm_", "test, fresh seeds": "test_"}.get(row.get("stage", ""), "")
            for field_name in [key for key, value in row.items() if isinstance(value, int | float) and key in own]:
                value = own[f"{stage}{field_name}"]
                clipped = min(max(value, 0), 1) if field_name in ("low", "high") else value
                run.check(where, [row], field_name, [clipped])
    compared = {(row["change"], row["at"]): row for row in run.rows("comparisons")}
    for row in run.record["figures"].get("forest", []):
        for name in ("effect", "low", "high", "pairs", "macs"):
            run.check("figures.forest", [row], name, [compared[row["change"], row["at"]][name]])
    run.seen |= {(f"figures.{name}", "order") for name in ("forest", "selection")}
    likely(run)
    places(run)


def likely(run: Run) -> None:
    """Probabilities of the front, by other draws around the shrunken means (or, of one seed, the means)."""
    rows = run.record["figures"]["accuracy_cost"]
    where = "figures.accuracy_cost"
    run.seen |= {(where, "count"), (where, "tolerance")}
    assert all(row["count"] == 1 for row in rows)
    wide = run.wide().dropna(axis=1)
    seeds, names = len(wide), [row["arm"] for row in rows]
    if seeds > 1:
        mean, grand, count = wide.mean(), wide.to_numpy().mean(), wide.shape[1]
        rest = wide.sub(mean).sub(wide.mean(axis=1), axis=0) + grand
        noise_ms = (rest**2).to_numpy().sum() / ((count - 1) * (seeds - 1)) / seeds
        kept = max(0, 1 - (count - 3) / (count - 1) * noise_ms / mean.var(ddof=1))
        score = grand + kept * (mean - grand)
        unknown = 2 / (count - 3) * ((1 - kept) * (mean - grand)) ** 2
        error = np.sqrt(noise_ms * (1 - (count - 1) / count * (1 - kept)) + unknown)
    else:
        score = wide.mean()
        error = pd.Series(scatter(run)[0], index=score.index)
    cost = np.array([row["macs"] for row in rows])
    random = np.random.default_rng(99)
    drawn = score[names].to_numpy() + error[names].to_numpy() * random.standard_normal((2000, len(names)))
    beaten = [
        (
            (drawn[:, cost <= own] > drawn[:, [at]])
            | ((cost[cost <= own] < own) & (drawn[:, cost <= own] >= drawn[:, [at]]))
        )
        .any(axis=1)
        .mean()
        for at, own in enumerate(cost)
    ]
    shares = 1 - np.array(beaten)
    assert np.array([row["likely"] for row in rows]) == pytest.approx(shares, abs=0.05)
    run.seen.add((where, "likely"))


def places(run: Run) -> None:
    """Lines across the axes: each place is the value's share of its axis."""
    rows = run.record["figures"].get("parallel", [])
    if not rows:
        return
    for name in [key for key in rows[0] if key.startswith("at:")]:
        run.seen.add(("figures.parallel", name))
        assert {0.0, 1.0} <= {round(row[name], 9) for row in rows}
    low, high = (end(row["mean"] for row in rows) for end in (min, max))
    run.check("figures.parallel", rows, "at:accuracy", [(row["mean"] - low) / (high - low) for row in rows])
    costs = [np.log(row["macs"]) for row in rows]
    run.check("figures.parallel", rows, "at:MACs", [(c - min(costs)) / (max(costs) - min(costs)) for c in costs])


def curves(run: Run) -> None:
    epochs, trials = pd.read_csv(run.folder / "epochs.csv"), run.trials
    ends = {
        status: set(trials.loc[(trials["status"] == status) & (trials["phase"] == "explore"), "trial"])
        for status in ("completed", "stopped")
    }
    completed = epochs[epochs["trial"].isin(ends["completed"])]
    rows, where = run.record["figures"]["learning_curves"], "figures.learning_curves"
    shown = {row["arm"] for row in rows}
    others = completed[~completed["arm"].isin(shown)].groupby(["arm", "epoch"])["val_accuracy"].mean()
    last = epochs[epochs["trial"].isin(ends["stopped"])].groupby("trial").last()
    for row in rows:
        if row["stopped"]:
            own = last.loc[last["epoch"] == row["epoch"], "val_accuracy"]
            expected = (own.mean(), own.min(), own.max(), len(own))
        elif not row["arm"]:
            own = others.xs(row["epoch"], level="epoch")
            expected = (own.median(), own.quantile(0.1), own.quantile(0.9), len(own))
        else:
            own = completed.loc[(completed["arm"] == row["arm"]) & (completed["epoch"] == row["epoch"]), "val_accuracy"]
            expected = (own.mean(), own.min(), own.max(), len(own))
        for name, value in zip(("mean", "low", "high", "n"), expected, strict=True):
            run.check(where, [row], name, [value])
    run.seen.add((where, "epoch"))


def levels(run: Run) -> None:
    rows, where = run.record["figures"].get("trends", []), "figures.trends"
    entries, wide = {entry["arm"]: entry for entry in run.arms["arms"]}, run.wide()
    base = entries[run.record["baseline"]]["levels"]
    for row in rows:
        series, factor = row["series"], row["factor"]
        chosen = [
            arm for arm in wide.columns if arm in entries and float(entries[arm]["levels"][factor]) == row["level"]
        ]
        if series.startswith(("its own", "equal")):
            others = [name for name in base if name != factor]
            chosen = [arm for arm in chosen if all(entries[arm]["levels"][name] == base[name] for name in others)]
            chosen = [arm for arm in chosen if (entries[arm]["tuned_of"] is not None) == series.endswith("tuned")]
            if float(base[factor]) != row["level"]:
                chosen = [arm for arm in chosen if (entries[arm]["match"] != "none") == series.startswith("equal")]
            values = wide[chosen[0]].to_numpy()
            assert len(chosen) == 1
        elif row["over"] == "seeds":
            values = wide[chosen].mean(axis=1).to_numpy()
        else:
            many = len({entry["levels"][factor] for arm, entry in entries.items() if arm in wide}) > 12
            values = wide[binned(run, row) if many else chosen].mean().to_numpy()
        run.check(where, [row], "n", [len(values)])
        run.check(where, [row], "mean", [values.mean()])
        run.check(where, [row], "low", [max(interval(values)[0], 0)])
        run.check(where, [row], "high", [min(interval(values)[1], 1)])
    run.seen.add((where, "level"))


def binned(run: Run, row: dict[str, Any]) -> list[str]:
    """Returns the arms of the bin of equal counts whose mean level is the row's."""
    entries, wide = {entry["arm"]: entry for entry in run.arms["arms"]}, run.wide()
    own = pd.Series({arm: float(entries[arm]["levels"][row["factor"]]) for arm in wide.columns if arm in entries})
    for part in own.groupby(pd.qcut(own, 8, duplicates="drop"), observed=True):
        if part[1].mean() == pytest.approx(row["level"]):
            return part[1].index.tolist()
    raise AssertionError(row)


def shares(run: Run) -> None:
    """Importance by statsmodels: type II sums of squares of the additive model over that of the mean."""
    rows, where = run.record["figures"].get("importance", []), "figures.importance"
    if not rows:
        return
    entries = {entry["arm"]: entry for entry in run.arms["arms"]}
    mean = run.wide().mean()
    frame = pd.DataFrame({arm: entries[arm]["levels"] for arm in mean.index}).T
    names = {}
    for index, column in enumerate(frame.columns):
        known = pd.to_numeric(frame[column], errors="coerce")
        many = known.notna().all() and known.nunique() > 8
        names[column] = f"f{index}"
        frame[f"f{index}"] = pd.qcut(known, 5, labels=False, duplicates="drop").astype(str) if many else frame[column]
    frame["y"] = mean
    table = anova_lm(ols("y ~ " + " + ".join(names.values()), frame).fit(), typ=2)["sum_sq"]
    total = ((mean - mean.mean()) ** 2).sum()
    for row in rows:
        if row["factor"] in names:
            run.check(where, [row], "share", [table[names[row["factor"]]] / total])
    rest = [row["share"] for row in rows if row["factor"] not in names]
    assert sum(rest) == pytest.approx(table["Residual"] / total, rel=1e-6)
    run.check(where, rows, "arms", [len(mean)] * len(rows))
    for row in rows:
        assert row["low"] is None or row["low"] <= row["share"] * 1.2 + 0.02
        assert row["high"] is None or row["high"] >= row["share"] * 0.8 - 0.02
    run.seen |= {(where, "low"), (where, "high")}


def cells_and_steps(run: Run) -> None:
    rows, where = run.record["figures"].get("interactions", []), "figures.interactions"
    entries, mean = {entry["arm"]: entry for entry in run.arms["arms"]}, run.wide().mean()
    if rows:
        own = {
            (entries[arm]["levels"][rows[0]["rows"]], entries[arm]["levels"][rows[0]["columns"]]): value
            for arm, value in mean.items()
        }
        fit = ols("y ~ r + c", pd.DataFrame([(r, c, y) for (r, c), y in own.items()], columns=["r", "c", "y"])).fit()
        left = dict(zip(own, fit.resid, strict=True))
        keys = [(row["row"], row["column"]) for row in rows]
        run.check(where, rows, "mean", [own[key] for key in keys])
        run.check(where, rows, "interaction", [left[key] for key in keys])
        run.check(where, rows, "arms", [1] * len(rows))


def progress(run: Run) -> None:
    rows, where = run.record["figures"].get("progress", []), "figures.progress"
    if not rows:
        return
    trials = run.trials[run.trials["phase"] == "explore"].reset_index(drop=True)
    cost, score = np.log10(trials["macs"].astype(float)), trials["val_accuracy"].where(trials["status"] == "completed")
    corner = cost.max(), score.min()

    def volume(last: int) -> float:
        """The area by slices: between two costs, the best score of what is at most as dear."""
        known = score[: last + 1].notna()
        points = sorted(zip(cost[: last + 1][known], score[: last + 1][known], strict=True))
        area, best = 0.0, corner[1]
        for (own, height), after in zip(points, [*points[1:], (corner[0], 0.0)], strict=True):
            best = max(best, height)
            area += (after[0] - own) * (best - corner[1])
        return area

    whole = volume(len(trials) - 1)
    chosen = rows[:: max(len(rows) // 7, 1)]
    run.check(where, chosen, "volume", [volume(row["trial"] - 1) / whole for row in chosen])
    run.check(where, rows, "best", [score[: row["trial"]].max() for row in rows])
    run.check(where, rows, "spent", [trials["train_seconds"][: row["trial"]].sum() for row in rows])
    run.seen.add((where, "trial"))


def time(run: Run) -> None:
    rows, where = run.record["figures"]["spending"], "figures.spending"
    owners = {entry["arm"]: entry["of"] for entry in run.arms["derived"]}
    trials = run.trials.copy()
    trials["owner"] = [owners.get(arm, arm) for arm in trials["arm"]]
    named = {row["arm"] for row in rows}
    for row in rows:
        own = trials[trials["status"] == row["status"]]
        if row["by"] == "phase":
            own = own[own["phase"] == row["what"]]
        else:
            own = own[own["owner"] == row["arm"] if row["arm"] else ~own["owner"].isin(named)]
        run.check(where, [row], "seconds", [own["train_seconds"].sum()])
        run.check(where, [row], "trials", [len(own)])


def drawn_network(run: Run) -> None:
    rows, where = run.record["figures"]["network"], "figures.network"
    blocks = next(entry["blocks"] for entry in run.arms["arms"] if entry["arm"] == rows[0]["arm"])
    for cost in ("macs", "params", "activations"):
        assert sum(row[cost] for row in rows) == sum(block[cost] for block in blocks)
        run.check(where, rows, cost, [block[cost] for block in blocks])  # a block a stage here
    run.check(where, rows, "blocks", [1] * len(rows))


def other_figures(run: Run) -> None:
    told_by = {row["arm"]: row for row in (run.record["fidelity"] or {"arms": []})["arms"]}
    for row in run.record["figures"].get("fidelity", []):
        for name in ("short", "full", "short_n", "full_n", "short_rank", "full_rank"):
            run.check("figures.fidelity", [row], name, [told_by[row["arm"]][name]])
    run.seen |= {("figures.fidelity", "epochs_short"), ("figures.fidelity", "epochs_full")}
    rows, where = run.record["figures"].get("error_distribution", []), "figures.error_distribution"
    sample = weighted(run) if rows else pd.DataFrame()
    for row in rows:
        own = sample[sample["space"] == row["space"]]
        weight = own["weight"] if row["weights"] == "equal cost" else pd.Series(1 / len(own), index=own.index)
        share = weight[own["error"] <= row["error"] + 1e-12].sum()
        used = weight[weight > 0]
        half = np.sqrt(np.log(2 / 0.05) / 2 * (used**2).sum() / used.sum() ** 2)
        run.check(where, [row], "share", [share], rel=1e-4)
        run.check(where, [row], "low", [max(share - half, 0)], rel=1e-4)
        run.check(where, [row], "high", [min(share + half, 1)], rel=1e-4)
    run.seen.add((where, "error"))


CHECKS = (
    *(
        arms,
        confirm_phase,
        comparisons,
        interactions,
        terms,
        panels,
        outlook,
        selection,
        noise,
        bands,
        tuning,
        ranking,
        spaces,
        counts,
    ),
    *(figures_of_arms, curves, levels, shares, cells_and_steps, progress, time, drawn_network, other_figures),
)
