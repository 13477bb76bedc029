"""Arms and their costs: the front, the best within a limit, what cannot be told from it."""

from __future__ import annotations

import re

from tests.reports.evidence import Row, Run, scatter
from tests.reports.reading import NUMBER, amount
from tests.reports.sentences.matching import Found, Values, phrase


def measured(run: Run) -> list[Row]:
    return [row for row in run.rows("arms") if row["mean"] is not None]


def clipped(*values: float) -> Values:
    return [min(max(value, 0.0), 1.0) for value in values]


@phrase("answer", r"# arms? of # measured makes? the Pareto front: (?:from )?# at # MACs(?: to # at # MACs)?")
def the_front(run: Run, found: Found) -> Values:
    rows = sorted((row for row in measured(run) if row["front"]), key=lambda row: float(row["macs"]))
    ends = [rows[0], rows[-1]] if len(rows) > 1 else rows
    return [len(rows), len(measured(run)), *(value for row in ends for value in (row["mean"], row["macs"]))]


@phrase("answer", r"The baseline, # at # MACs, is")
def the_baseline(run: Run, found: Found) -> Values:
    row = next(row for row in run.rows("arms") if row["arm"] == run.baseline)
    return [row["mean"], row["macs"]]


@phrase("answer", r"The network reaches #(?: \[#, #\])? on validation over # seeds?, at # MACs and # parameters")
def single(run: Run, found: Found) -> Values:
    (row,) = measured(run)
    ends = clipped(row["low"], row["high"]) if "[" in found.words else []
    return [row["mean"], *ends, row["n"], row["macs"], row["params"]]


def _band(run: Run, found: Found) -> Row:
    """Returns the band that a statement is about: the one whose limit its subject names, or the last."""
    limit, rows = re.search(NUMBER, found.said.subject), run.rows("bands")
    if limit is None:
        return rows[-1]
    return min(rows[:-1], key=lambda row: abs(float(row["limit"]) - amount(limit[0])))


COST = r"(?:MACs|parameters|activations|ms for # images?)"


@phrase("answer", rf"^Up to # {COST}$")
def limit(run: Run, found: Found) -> Values:
    text, *images = re.findall(NUMBER, found.words)
    named = [*run.rows("unmet"), *run.rows("bands")[:-1]]
    wanted = {row["limit"] for row in named if abs(row["limit"] / amount(text) - 1) < 1e-9}
    return [wanted, *_images(run, images)]


@phrase("answer", rf"^no arm; the smallest that was measured has # {COST}")
@phrase("cost", r"the smallest has #")
def smallest(run: Run, found: Found) -> Values:
    images = re.findall(NUMBER, found.words)[1:]
    return [{row["least"] for row in run.rows("unmet")}, *_images(run, images)]


def _images(run: Run, said: list[str]) -> Values:
    """Returns the images that times are of, as often as they are said."""
    cost = run.rows("bands")[-1]["cost"]
    return [float(cost.rpartition("_")[2])] * len(said) if cost.startswith("latency") else []


@phrase("answer", rf"^(?:@|baseline) reaches # at # {COST}(?:, # against the baseline)?")
def best_within(run: Run, found: Found) -> Values:
    row = _band(run, found)
    assert [row["label"]] == (found.names or ["baseline"])
    timed = _images(run, re.findall("ms for", found.words))
    return [row["mean"], row["has"], *timed, *([row["gain"]] if "against" in found.words else [])]


@phrase("answer", r"^On # fresh seeds? it reached #(?: \[#, #\])?")
def confirmed_within(run: Run, found: Found) -> Values:
    arm = _band(run, found)["arm"]
    row = next(row for row in run.rows("confirmed") if row["arm"] == arm)
    ends = clipped(row["confirm_low"], row["confirm_high"]) if "[" in found.words else []
    return [row["confirm_n"], row["confirm_mean"], *ends]


@phrase("answer", r"# arms cannot be told from it: .+")
def rivals(run: Run, found: Found) -> Values:
    row, every = _band(run, found), {row["arm"]: row for row in run.rows("arms")}
    cheapest = [every[row["rival"]][row["cost"]]] if "the cheapest" in found.words else []
    named = [every[row[which]]["label"] for which in ("next", "rival")][: 1 + len(cheapest)]
    assert found.names == [name for name in named if name != "baseline"]
    return [row["rivals"], *cheapest, *_images(run, re.findall("ms for", found.words))]


@phrase("answer", r"One trial scatters by # over seeds \(SD on # degrees", r"size alone makes an SD of #")
def one_trial(run: Run, found: Found) -> Values:
    sd, freedom = scatter(run)
    return [sd, freedom] if "degrees" in found.words else [sd]
