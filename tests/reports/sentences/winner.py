"""The winner, how it was chosen, what it is worth, and what choosing makes of the best."""

from __future__ import annotations

from tests.reports.evidence import Row, Run
from tests.reports.sentences.arms import clipped, measured
from tests.reports.sentences.matching import Found, Values, phrase


def winner(run: Run) -> Row:
    chosen = run.record["selection"]["winner"]["arm"]
    return next(row for row in run.rows("confirmed") if row["arm"] == chosen)


def spread(row: Row, name: str, found: Found) -> Values:
    """Returns a mean and, where one is said with it, its interval; one seed has none."""
    low, high = (row[f"{name.removesuffix('_mean').removesuffix('_effect')}_{end}"] for end in ("low", "high"))
    ends = [low, high] if name.endswith("_effect") else clipped(low, high) if low is not None else []
    return [row[name], *(ends if "[" in found.words else [])]


@phrase("answer", r"^#(?: \[#, #\])? on validation over # (?:fresh )?seeds?(?:, by which .+ among # finalists?)?")
def confirmed(run: Run, found: Found) -> Values:
    row = winner(run)
    among = [len(run.record["selection"]["finalists"])] if "finalist" in found.words else []
    return [*spread(row, "confirm_mean", found), row["confirm_n"], *among]


@phrase("answer", r"; #(?: \[#, #\])? against the baseline, paired")
def gain(run: Run, found: Found) -> Values:
    return spread(winner(run), "gain_effect", found)


@phrase("answer", r"it is worth #(?: \[#, #\])?")
def worth(run: Run, found: Found) -> Values:
    row = winner(run)
    return [row["worth"], *(clipped(row["worth_low"], row["worth_high"]) if "[" in found.words else [])]


@phrase("answer", r"^#(?: \[#, #\])? on the sealed test split(?:, opened # times)?")
def tested(run: Run, found: Found) -> Values:
    row = winner(run)
    return [*spread(row, "test_mean", found), *openings(run, found)]


@phrase("confirm", r"opened # times")
def openings(run: Run, found: Found) -> Values:
    return [len(run.record["selection"]["test_openings"])] if "times" in found.words else []


@phrase("answer", r"The file holds seed #(?:, the lowest of # that tie on validation)?, which has #")
def shipped(run: Run, found: Found) -> Values:
    chosen = run.record["selection"]["winner"]
    own = run.trials[(run.trials["phase"] == "confirm") & (run.trials["arm"] == chosen["arm"])]
    best = own[own["val_accuracy"] == own["val_accuracy"].max()]
    assert chosen["seed"] in best["seed"].tolist()
    tie = [len(best)] if "lowest" in found.words else []
    return [chosen["seed"], *tie, float(own.loc[own["seed"] == chosen["seed"], "test_accuracy"].iloc[0])]


@phrase("answer", r"^# MACs(?: \(# against the baseline\))?, # parameters")
def costs(run: Run, found: Found) -> Values:
    row = winner(run)
    base = run.entries[run.baseline]["cost"]["macs"]
    return [row["macs"], *([row["macs"] / base - 1] if "against" in found.words else []), row["params"]]


@phrase("", r"mean gain over the baseline moved by #(?: \[#, #\])?")
def moved(run: Run, found: Found) -> Values:
    row = next(row for row in run.rows("shrinkage") if row["arm"] is None)
    return [-row["shrinkage"], *([-row["high"], -row["low"]] if "[" in found.words else [])]


@phrase("confirm", r"# more arms? (?:was a finalist|were finalists) of an earlier plan")
def of_an_earlier_plan(run: Run, found: Found) -> Values:
    confirmed = {row["arm"] for row in run.rows("confirmed")}
    return [len(confirmed - {run.baseline, *run.record["selection"]["finalists"]})]


@phrase("confirm", r"# finalists? of # arms? and the baseline")
def chosen_from(run: Run, found: Found) -> Values:
    return [len(run.record["selection"]["finalists"]), len(measured(run))]


@phrase("confirm", r"Had all # arms been equal, the best would have been expected to fall by #")
def expected_fall(run: Run, found: Found) -> Values:
    return [run.record["inflation"][name] for name in ("arms", "expected")]


@phrase("trust", r"The best of # arms, # seeds? each, looks better than it is: by # .+ scatters by #")
def expected_inflation(run: Run, found: Found) -> Values:
    return [run.record["inflation"][name] for name in ("arms", "seeds", "expected", "sd")]
