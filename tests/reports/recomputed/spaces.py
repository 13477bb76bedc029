"""Populations: the error distributions of spaces, at equal cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from tests.reports.evidence import Run


def check(run: Run) -> None:
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
        run.check_row("population.spaces", row, expected)
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
    run.check_row("population.differences", row, expected, rel=1e-4)
    root = np.sqrt(sizes[row["space"]] * sizes[row["against"]] / sum(sizes.values()))
    run.check("population.differences", [row], "ks_p", [stats.kstwobign.sf(root * distance)], rel=0.05)
    _distribution(run, sample)


def weighted(run: Run) -> pd.DataFrame:
    """Returns the sample of a population with its weights of equal cost, bin by bin, by hand."""
    mean, entries = run.wide().mean(), run.entries
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


def _distribution(run: Run, sample: pd.DataFrame) -> None:
    """The steps of each curve, with the simultaneous band of Dvoretzky, Kiefer and Wolfowitz."""
    where = "figures.error_distribution"
    for row in run.rows("figures", "error_distribution"):
        own = sample[sample["space"] == row["space"]]
        weight = own["weight"] if row["weights"] == "equal cost" else pd.Series(1 / len(own), index=own.index)
        share = weight[own["error"] <= row["error"] + 1e-12].sum()
        used = weight[weight > 0]
        half = np.sqrt(np.log(2 / 0.05) / 2 * (used**2).sum() / used.sum() ** 2)
        expected = {"share": share, "low": max(share - half, 0), "high": min(share + half, 1)}
        run.check_row(where, row, expected, rel=1e-4)
        assert (own["error"] - row["error"]).abs().min() < 1e-9
    run.seen.add((where, "error"))
