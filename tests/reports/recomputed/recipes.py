"""Each arm's own recipe, and whether short runs rank arms as full ones do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from tests.reports.evidence import Run


def check(run: Run) -> None:
    _tuning(run)
    _ranking(run)


def _tuning(run: Run) -> None:
    scores = run.trials.set_index("trial")["val_accuracy"]
    for row in run.rows("tuning"):
        tried = run.arms["tuning"]["arms"][row["arm"]]["candidates"]
        own = next(scores[each["trial"]] for each in tried if each["arm"] == row["arm"])
        ended = [each for each in tried if each["status"] == "completed"]
        best = max(ended, key=lambda each: float(scores[each["trial"]]))
        score = scores[best["trial"]]
        expected = {"own_score": own, "score": score, "gain": score - own}
        run.check_row("tuning", row, expected | {"candidates": len(tried), "ended": len(ended)})
        assert row["values"] == best["values"]
        run.seen |= {(f"tuning.{name}", path) for name in ("own", "values") for path in row[name]}


def _ranking(run: Run) -> None:
    found = run.record["fidelity"]
    if found is None:
        return
    scores = run.trials.set_index("trial")["val_accuracy"]
    pairs, rows = run.arms["fidelity"]["arms"], found["arms"]
    for length in ("short", "full"):
        own = [scores[pair[length]["trials"]].mean() for pair in pairs]
        run.check("fidelity.arms", rows, length, own)
        run.check("fidelity.arms", rows, f"{length}_n", [len(pair[length]["trials"]) for pair in pairs])
        run.check("fidelity.arms", rows, f"{length}_rank", stats.rankdata([-each for each in own], "min").tolist())
    short, full = ([row[length] for row in rows] for length in ("short", "full"))
    kendall = stats.kendalltau(short, full)
    low, high = interval_of_tau(np.array(short), np.array(full), kendall.statistic)
    pairs_of_arms = [(short[i] - short[j]) * (full[i] - full[j]) for i in range(len(rows)) for j in range(i)]
    apart = [each for each in pairs_of_arms if each]
    turned = sum(each < 0 for each in apart) / len(apart)
    expected = {"tau": kendall.statistic, "p": kendall.pvalue, "arms": len(rows), "reversed": turned}
    run.check_row("fidelity.agreement", found["agreement"], expected)
    run.seen |= {("fidelity.agreement", "low"), ("fidelity.agreement", "high"), ("fidelity", "epochs")}
    ends = [found["agreement"]["low"], found["agreement"]["high"]]
    assert ends == pytest.approx([low, high], abs=2e-3)
    assert found["epochs"] == run.arms["fidelity"]["epochs"]
    for row in run.rows("figures", "fidelity"):
        told = next(each for each in rows if each["arm"] == row["arm"])
        own = {name: told[name] for name in ("short", "full", "short_n", "full_n", "short_rank", "full_rank")}
        epochs = dict(zip(("epochs_short", "epochs_full"), found["epochs"], strict=True))
        run.check_row("figures.fidelity", row, own | epochs)


def interval_of_tau(short: np.ndarray, full: np.ndarray, tau: float) -> tuple[float, float]:
    """At each end the wider of Cliff's interval and that of a normal copula, pair by pair; with ties as in tau-b."""
    arms = len(short)
    agree = np.array(
        [[np.sign(short[i] - short[j]) * np.sign(full[i] - full[j]) for j in range(arms)] for i in range(arms)]
    )
    untied = [sum(one != other for one in scores for other in scores) for scores in (short, full)]
    agree = agree * arms * (arms - 1) / np.sqrt(untied[0] * untied[1])
    own = agree.sum(axis=1) / (arms - 1)
    squares = 4 * (arms - 2) * ((own - tau) ** 2).sum() / (arms - 1)
    squares += 2 * ((agree**2).sum() / (arms * (arms - 1)) - tau**2)
    half = stats.t.ppf(0.975, arms - 2) * np.sqrt(max(squares, 0) / (arms * (arms - 1)))

    def beyond(true: float) -> float:
        """How far tau is from a true one, less 1.96 of its standard errors there (Esscher 1924)."""
        rho = np.sin(np.pi / 2 * true)
        single = 1 / 9 - (2 / np.pi * np.arcsin(rho / 2)) ** 2
        error = np.sqrt(max(2 / (arms * (arms - 1)) * (1 - true**2 + 2 * (arms - 2) * single), 0))
        return float(abs(tau - true) - stats.norm.ppf(0.975) * error)

    low = -1.0 if beyond(-1) <= 0 else optimize.brentq(beyond, -1, tau)
    high = 1.0 if beyond(1) <= 0 else optimize.brentq(beyond, tau, 1)
    return max(-1.0, min(low, tau - half)), min(1.0, max(high, tau + half))
