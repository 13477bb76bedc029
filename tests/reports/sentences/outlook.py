"""What more seeds would buy, and what would change the answer."""

from __future__ import annotations

import re

import numpy as np
from scipy import stats

from tests.reports.evidence import Row, Run, powered, scatter
from tests.reports.sentences.matching import Found, Values, phrase


def _about(value: float) -> float:
    """A time that is guessed is told with two digits."""
    return float(f"{value:.2g}")


@phrase("answer", r"A true difference of # would be found with the # seeds?")
@phrase("answer", r"one of # with # \(about # more on # workers?\)")
def would_find(run: Run, found: Found) -> Values:
    seeds = int(re.findall(r"with (?:the )?(\d+)", found.words)[0])
    row = next(row for row in run.rows("outlook", "seeds") if row["pairs"] == seeds)
    assert row["more"] in ((0,) if "the" in found.words else (5, 20))
    price = [_about(row["seconds"]), run.record["environment"]["workers"]] if "about" in found.words else []
    return [row["detectable"], row["pairs"], *price]


@phrase("answer", r"as large as the study’s margin, #, .+", r"hardest of # open comparisons, .+")
def would_decide(run: Run, found: Found) -> Values:
    whole = [row for row in run.rows("outlook", "open") if row["pairs"] == row["planned"]]
    known = [row for row in whole if row["needed"] is not None]
    easiest = "margin" in found.words
    row: Row = (min if easiest else max)(known, key=lambda row: float(row["needed"]))
    assert row["change"] == found.names[0]
    price = [row["needed"]]
    if "no more than it has" not in found.words:
        price += [row["more"], row["trials"], _about(row["seconds"]), run.record["environment"]["workers"]]
    return [row["target"] if easiest else len(whole), *price]


@phrase("answer", r"from the next, # behind, would take about # seeds? of each: # more trials?, about # on # workers?")
def would_tell(run: Run, found: Found) -> Values:
    best, every = run.rows("bands")[-1], {row["arm"]: row for row in run.rows("arms")}
    effect, workers = best["lead"] / scatter(run)[0] / np.sqrt(2), run.record["environment"]["workers"]
    needed = int(re.findall(r"about ([\d,]+) seed", found.words)[0].replace(",", ""))
    assert powered(effect, needed - 1, 0.05) < 0.8 + 1e-6
    assert powered(effect, needed, 0.05) > 0.8 - 1e-6
    trials = max(2 * needed - best["n"] - every[best["next"]]["n"], 0)
    seconds = trials * run.record["outlook"]["trial_seconds"] / workers
    return [best["lead"], needed, trials, _about(seconds), workers]


@phrase("power", r"an SD of #")
def typical(run: Run, found: Found) -> Values:
    return [run.rows("outlook", "seeds")[0]["sd"]]


@phrase("power", r"An SD from # pairs .+ may be # to # times as large")
def how_uncertain(run: Run, found: Found) -> Values:
    """By the chi-squared distribution of an estimated variance."""
    pairs = run.rows("outlook", "seeds")[0]["pairs"]
    ends = [np.sqrt((pairs - 1) / stats.chi2.ppf(tail, pairs - 1)) for tail in (0.975, 0.025)]
    return [pairs, *ends]


@phrase("power", r"trains all # arms?")
def trained(run: Run, found: Found) -> Values:
    return [len(run.entries)]
