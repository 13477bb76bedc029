"""Sections that a design or a step of the study brings, and captions of figures."""

from __future__ import annotations

import numpy as np
from scipy import stats

from tests.reports.evidence import Row, Run
from tests.reports.recomputed.effects import whole
from tests.reports.recomputed.recipes import interval_of_tau
from tests.reports.sentences.matching import Found, Values, phrase


@phrase("", r"anking (?:after|by) # epochs? .+ after #", r"anking by # epochs for #")
@phrase("fidelity", r"# epochs and # epochs", r"after # epochs and after #")
def lengths(run: Run, found: Found) -> Values:
    return list(run.arms["fidelity"]["epochs"])


@phrase("", r"tau is # \[#, #\] over # arms")
def agreement(run: Run, found: Found) -> Values:
    return [run.record["fidelity"]["agreement"][name] for name in ("tau", "low", "high", "arms")]


@phrase("fidelity", r"Of two arms, # of the time")
def turned(run: Run, found: Found) -> Values:
    return [run.record["fidelity"]["agreement"]["reversed"]]


@phrase("tuning", r"Each of # arms?, the baseline too, tried #(?: to #)? values .+ on # seeds? that no comparison uses")
def tried(run: Run, found: Found) -> Values:
    rows, seeds = run.rows("tuning"), run.trials.loc[run.trials["phase"] == "tune", "seed"].nunique()
    return [len(rows), *sorted({row["candidates"] for row in rows}), seeds]


@phrase("tuning", r"# arms? kept the study’s own")
def kept(run: Run, found: Found) -> Values:
    """How many arms tuning left as they were; where all or none were, the page says that in words."""
    return [sum(row["kept"] for row in run.rows("tuning"))]


@phrase("population", r"# arms? drawn at random(?:, from # to # \w+)?(?:: # of # draws? were accepted)?")
def drawn(run: Run, found: Found) -> Values:
    design = run.arms["design"]
    band = [design["cost_band"][end] for end in ("min", "max")] if ", from" in found.words else []
    accepted = [design["acceptance"][name] for name in ("accepted", "drawn")] if "accepted" in found.words else []
    return [sum(len(space["arms"]) for space in design["spaces"]), *band, *accepted]


@phrase("answer", r"a mean error of # against # of \w+ \(.+: # \[#, #\], p (?:= )?#\)")
def better_space(run: Run, found: Found) -> Values:
    means = [row["mean"] for row in run.rows("population", "spaces")]
    return [min(means), max(means), *_difference(run)]


@phrase("answer", r"\(# \[#, #\] mean error, p (?:= )?#\)")
def no_better_space(run: Run, found: Found) -> Values:
    return _difference(run)


def _difference(run: Run) -> Values:
    (row,) = run.rows("population", "differences")
    return [row[name] for name in ("mean", "low", "high", "p_holm")]


def _judged(run: Run) -> Row:
    """Returns the difference that the story of the two noises is about: the winner's, or the first."""
    rows, chosen = run.rows("noise", "differences"), run.record["selection"]["winner"]
    return next((row for row in rows if chosen is not None and row["arm"] == chosen["arm"]), rows[0])


@phrase("noise", r"# (?:test|validation) images and # seeds?")
def judged_on(run: Run, found: Found) -> Values:
    return [run.record["noise"][name] for name in ("images", "seeds")]


@phrase("noise", r"which of the # images")
def images(run: Run, found: Found) -> Values:
    return [run.record["noise"]["images"]]


@phrase("noise", r": #, give or take # \(SE\)")
def both_noises(run: Run, found: Found) -> Values:
    return [_judged(run)[name] for name in ("mean", "error")]


@phrase("noise", r"same images alone: #; the same networks on other images: #")
def each_noise(run: Run, found: Found) -> Values:
    return [_judged(run)[name] for name in ("seed_error", "image_error")]


@phrase("noise", r"seeds alone would bring .+ to (?:#|almost nothing), more .+ images alone to (?:#|almost nothing)")
def what_stays(run: Run, found: Found) -> Values:
    return [error for name in ("more_seeds", "more_images") if (error := _judged(run)[name]) >= 5e-5]


@phrase("noise", r"(?<=: )#(?=\.$)")
def of_one_seed(run: Run, found: Found) -> Values:
    return [_judged(run)["mean"]]


@phrase("factorial", r"resolution #")
def resolution(run: Run, found: Found) -> Values:
    return [run.arms["design"]["fraction"]["resolution"]]


@phrase("factorial", r"# cells of the full factorial")
def cells(run: Run, found: Found) -> Values:
    return [len(run.levels)]


@phrase("cost", r"called equal \(#\)")
def tolerance(run: Run, found: Found) -> Values:
    return [run.arms["design"]["tolerance"]]


@phrase("cost", r"Measured on .+, \d{4}-\d\d-\d\d, with # threads?")
def timed(run: Run, found: Found) -> Values:
    row = run.rows("figures", "latency")[0]
    assert f"Measured on {row['machine']}, {row['date']}" in found.said.text
    return [*map(float, row["date"].split("-")), row["threads"]]


@phrase("time", r"together, #, validation included")
def training_time(run: Run, found: Found) -> Values:
    own = run.trials[run.trials["status"].isin(["completed", "stopped", "diverged", "failed"])]
    return [float(own["train_seconds"].sum())]


@phrase("network", r"its share of # MACs and # parameters")
def network(run: Run, found: Found) -> Values:
    return [sum(row[cost] for row in run.rows("figures", "network")) for cost in ("macs", "params")]


@phrase("importance", r"over # arms")
def arms_of_importance(run: Run, found: Found) -> Values:
    scored = run.wide().notna().any()
    arms = [arm for arm in run.levels.index if scored.get(arm, False)]
    return [sum(whole(run, arm) for arm in arms) if run.kind == "factorial" else len(arms)]


@phrase("", r"The first # of # rows")
def rows_shown(run: Run, found: Found) -> Values:
    return [200, {len(rows) for rows in run.record["figures"].values()}]


@phrase("arms", r"The # best of # arms")
def arms_shown(run: Run, found: Found) -> Values:
    return [200, len(run.rows("arms"))]


@phrase("answer", r"^# more$")
def folded(run: Run, found: Found) -> Values:
    return [len(run.record["answer"]["statements"]) - 8]


@phrase("diagnosis", r"Trials of # arms? told")
def told(run: Run, found: Found) -> Values:
    return [len({row["arm"] for row in run.rows("diagnosis", "sentences")})]


def _lesions(run: Run, found: Found) -> list[Row]:
    """Returns the blocks of the arm that a sentence begins with, the one that is worth most first."""
    rows = [row for row in run.rows("diagnosis", "lesions") if found.said.text.startswith(f"{row['label']}:")]
    return sorted(rows, key=lambda row: float(row["change"]))


def _place(row: Row) -> Values:
    return [int(part) + 1 for part in row["block"].split(".")[1:]]


@phrase("diagnosis", r"(?:stage # block # \(# without it\)(?:, | and )?)+(?:# more blocks?)?")
def removable(run: Run, found: Found) -> Values:
    gone = [row for row in _lesions(run, found)[::-1] if row["change"] >= -(run.record["margin"] or 0.005)]
    named = [value for row in gone[:6] for value in (*_place(row), row["change"])]
    return named + ([len(gone) - 6] if len(gone) > 6 else [])


@phrase("diagnosis", r"without stage # block # it loses #")
def worst(run: Run, found: Found) -> Values:
    row = _lesions(run, found)[0]
    return [*_place(row), -row["change"]]


@phrase("diagnosis", r"\(# validation images")
def images_of_lesions(run: Run, found: Found) -> Values:
    return [_lesions(run, found)[0]["images"]]


@phrase("diagnosis", r"^mean #(?: #)*, deviation #(?: #)*, by channel")
def pixels(run: Run, found: Found) -> Values:
    own = run.record["diagnosis"]["data"]
    return [*own["mean"], *own["deviation"]]


@phrase("diagnosis", r"^# to #$")
def class_sizes(run: Run, found: Found) -> Values:
    counts = run.record["diagnosis"]["data"]["classes"]["train"]
    return [min(counts), max(counts)]


@phrase("diagnosis", r"(?:\w+ and \w+: #(?:, )?)+")
def in_two_splits(run: Run, found: Found) -> Values:
    return [number for number in run.record["diagnosis"]["data"]["leaks"].values() if number]


@phrase("diagnosis", r"^#$")
def twice(run: Run, found: Found) -> Values:
    assert found.said.subject == "Images that are in a split twice"
    return [sum(run.record["diagnosis"]["data"]["duplicates"].values())]


@phrase("progress", r"scores of # arms? of # earlier runs?")
def known(run: Run, found: Found) -> Values:
    runs = run.arms["design"]["known"]
    return [sum(each["arms"] for each in runs), len(runs)]


@phrase("progress", r"of # arms?(?: # came to epoch #,)* # came to epoch #, and # to the end")
def stopped(run: Run, found: Found) -> Values:
    own = run.trials[run.trials["phase"] == "explore"]
    lengths = own.assign(epochs=own["epochs"].astype(int)).groupby("arm")["epochs"].max()
    came = [value for rung in run.arms["design"]["rungs"] for value in ((lengths >= rung).sum(), rung)]
    return [len(lengths), *came, len(set(own.loc[own["status"] == "completed", "arm"]))]


@phrase("progress", r"Of # proposals? # could run and were new \(#\)(?:: |, |# rejected|# duplicate)*")
def acceptance(run: Run, found: Found) -> Values:
    passed = run.arms["design"]["proposals_passed_over"]
    proposed = [entry["status"] for entry in run.arms["arms"] if entry["arm"] != run.baseline]
    gone = [proposed.count(status) + passed.get(status, 0) for status in ("rejected", "duplicate")]
    ran = proposed.count("run")
    return [ran + sum(gone), ran, ran / (ran + sum(gone)), *filter(None, gone)]


@phrase("progress", r"Of every # proposals the best by .+ was trained")
def candidates(run: Run, found: Found) -> Values:
    return [run.arms["design"]["prescreen"]["candidates"]]


@phrase("progress", r"the # arms that it chose and that were trained to their end, .+ tau is # \[#, #\]")
def prescreened(run: Run, found: Found) -> Values:
    reached, scores = run.wide().mean().dropna(), run.arms["design"]["prescreen"]["scores"]
    arms = [arm for arm in scores if arm in reached]
    first, then = np.array([scores[arm] for arm in arms]), reached[arms].to_numpy()
    tau = float(stats.kendalltau(first, then).statistic)
    ends = [{end + off for off in (-2e-3, 0, 2e-3)} for end in interval_of_tau(first, then, tau)]
    return [len(arms), tau, *ends]


@phrase("progress", r"can’t be told: # arms? with a proxy’s score .+: at least # are needed")
def too_few_prescreened(run: Run, found: Found) -> Values:
    reached = run.wide().mean().dropna()
    return [sum(arm in reached for arm in run.arms["design"]["prescreen"]["scores"]), 5]


@phrase("progress", r"one arm of # goes on")
def eta(run: Run, found: Found) -> Values:
    return [run.arms["design"]["eta"]]


@phrase("progress", r"# of the budget was kept", r"# arms? got more than one, # of them all #")
def raced(run: Run, found: Found) -> Values:
    if "budget" in found.words:
        return [run.arms["design"]["racing"]]
    counts = run.trials[run.trials["phase"] == "explore"].groupby("arm")["seed"].nunique()
    most = len(run.arms["design"]["seeds"])
    return [(counts > 1).sum(), (counts == most).sum(), most]


def at_equal_macs(run: Run) -> tuple[Row, Row, float]:
    """Returns where both searches stood at the same MACs, the smaller of what they trained, and these MACs."""
    rows = run.rows("figures", "against_random")
    both = [[row for row in rows if row["series"] == name] for name in ("the search", "random search")]
    spent = min(max(row["spent"] for row in own) for own in both)
    ours, random = (max((row for row in own if row["spent"] <= spent), key=lambda row: row["trial"]) for own in both)
    return ours, random, spent


@phrase("progress", r"the search found # less", r"after # of its MACs, and for as many it found # more")
def bought(run: Run, found: Found) -> Values:
    ours, random, spent = at_equal_macs(run)
    end, goal = ours["volume"], random["volume"]
    if "less" in found.words:
        return [1 - end / goal]
    rows = [row for row in run.rows("figures", "against_random") if row["series"] == "the search"]
    return [min(row["spent"] for row in rows if row["volume"] >= goal) / spent, end / goal - 1]


@phrase("answer", r"Random search that trained as many MACs found # (?:less|more) hypervolume")
def yardstick(run: Run, found: Found) -> Values:
    ours, random, _ = at_equal_macs(run)
    gain = random["volume"] / ours["volume"] - 1
    assert ("less" in found.words) == (gain < 0)
    return [abs(gain)]


@phrase(
    "answer", r"Random search has trained # of the search’s MACs so far(?:, and found # (?:less|more) hypervolume)?"
)
def yardstick_so_far(run: Run, found: Found) -> Values:
    rows = run.rows("figures", "against_random")
    whole, part = (
        max(row["spent"] for row in rows if row["series"] == name) for name in ("the search", "random search")
    )
    ours, random, spent = at_equal_macs(run)
    assert spent == part < whole
    gain = random["volume"] / ours["volume"] - 1
    assert ("less" in found.words) == (gain <= -0.0005)
    return [part / whole, *([abs(gain)] if "hypervolume" in found.words else [])]


@phrase("answer", r"its best arm reached #, the search’s #")
def better_arm(run: Run, found: Found) -> Values:
    ours, random, _ = at_equal_macs(run)
    assert random["best"] > ours["best"]
    return [random["best"], ours["best"]]
