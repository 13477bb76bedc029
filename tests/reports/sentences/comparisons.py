"""Comparisons: in the headline by sentence, in statements by subject and opening, and how they were judged."""

from __future__ import annotations

import re

from tests.reports.evidence import Row, Run
from tests.reports.recomputed.effects import family, settings, whole
from tests.reports.sentences.matching import Found, Values, called, phrase


def row_of(run: Run, found: Found) -> Row:
    """Returns the comparison that a statement is of: that of its subject on the terms of its opening."""
    text = found.said.text
    matched, tuned = re.match("At equal", text), re.search("[Ee]ach with its own", text)
    said = " and ".join(name for name, is_so in (("matched", matched), ("tuned", tuned)) if is_so) or "raw"
    return next(row for row in run.rows("comparisons") if row["at"] == said and called(row["change"], found.said))


def _counted_in(run: Run, sentence: str) -> list[Row]:
    """Returns the comparisons that a sentence of the headline counts: those with a test, on its terms."""
    terms = {"matched"} if sentence.startswith("At equal") else {"raw"}
    terms = {"tuned", "matched and tuned"} if sentence.startswith("With each") else terms
    return [row for row in run.rows("comparisons") if row["at"] in terms and row["p"] is not None]


def _of_verdict(rows: list[Row], verdict: str) -> list[Row]:
    return [row for row in rows if row["verdict"] == verdict]


@phrase("answer", r"(?:#|None) of # changes?(?: compared \(# declared\))? moved .+")
@phrase("answer", r"At equal [\w ]+, (?:#|none) of # did.*", r"With each arm’s own [\w ]+, (?:#|none) of # did.*")
def how_many(run: Run, found: Found) -> Values:
    rows, words = _counted_in(run, found.words), re.sub("«[^»]*»", "«»", found.words)
    detected = _of_verdict(rows, "detected")
    none = re.search("^None|, none of", words) is not None
    declared = [sum(row["at"] == "raw" for row in run.rows("comparisons"))] if "declared" in words else []
    effects = [{row["effect"] for row in detected if row["change"] == name} for name in found.names]
    more = [len(detected) - 3] if re.search(r"\d more", words) else []
    told = [name for name in ("suggestive", "equivalent") if re.search(rf"(?:is|are) {name}", words)]
    others = [len(_of_verdict(rows, name)) for name in told]
    assert not (none and detected)
    return [*([] if none else [len(detected)]), len(rows), *declared, *effects, *more, *others]


@phrase("answer", r"None of # interactions was detected")
def interactions_counted(run: Run, found: Found) -> Values:
    assert not _of_verdict(run.rows("interactions"), "detected")
    return [len({row["term"] for row in run.rows("interactions") if row["p"] is not None})]


@phrase("answer", r"hangs on another: .+")
def acting_together(run: Run, found: Found) -> Values:
    strongest: dict[str, float] = {}
    for row in _of_verdict(run.rows("interactions"), "detected"):
        strongest[row["term"]] = max(strongest.get(row["term"], 0.0), row["effect"], key=abs)
    effects = sorted(strongest.values(), key=abs, reverse=True)
    return effects if len(effects) <= 4 else [*effects[:3], len(effects) - 3]


@phrase("answer", r"largest difference from the baseline is that of @ \(#\)")
def largest(run: Run, found: Found) -> Values:
    row = max((row for row in run.rows("comparisons") if row["effect"] is not None), key=lambda row: abs(row["effect"]))
    assert row["change"] == found.names[0]
    return [row["effect"]]


def _ends(row: Row, words: str) -> Values:
    return [row["low"], row["high"]] if "[" in words else []


@phrase("answer", r"^[+−±][\d.]+ pp(?: \[#, #\])? at (?:#|the same) MACs, ")
def raw_effect(run: Run, found: Found) -> Values:
    row = row_of(run, found)
    same = "the same" in found.words
    assert not same or abs(row["macs"]) < 0.0005
    return [row["effect"], *_ends(row, found.words), *([] if same else [row["macs"]])]


@phrase("answer", r"^At equal [\w ]+ \(gap #\): #(?: \[#, #\])?, ")
def matched_effect(run: Run, found: Found) -> Values:
    row = row_of(run, found)
    return [row["gap"], row["effect"], *_ends(row, found.words)]


@phrase(
    "answer",
    r"ach with its own [\w ]+ \([^;]+; the (?:baseline|bare recipe)’s [^)]+\)(?: \(gap #\))?: #(?: \[#, #\])?, ",
)
def tuned_effect(run: Run, found: Found) -> Values:
    row = row_of(run, found)
    gap = [row["gap"]] if "gap" in found.words else []
    return [*values_of(run, row["arm"]), *values_of(run, row["against"]), *gap, row["effect"], *_ends(row, found.words)]


def values_of(run: Run, arm: str) -> Values:
    """Returns the tuned values that an arm was trained with."""
    origin = run.entries[arm]["tuned_of"]
    told = run.arms["tuning"]["arms"][origin or arm]
    return list((told["own"] if origin is None else told["values"]).values())


@phrase("answer", r"That is at equal [\w ]+ already \(gap #\)")
def gap_already(run: Run, found: Found) -> Values:
    return [row_of(run, found)["gap"]]


@phrase("answer", r"# of # paired seeds", r"# paired seeds?")
def pairs(run: Run, found: Found) -> Values:
    row = row_of(run, found)
    assert " of " in found.words or row["pairs"] == row["planned"]
    return [row["pairs"], row["planned"]] if " of " in found.words else [row["pairs"]]


@phrase("answer", r"# (?:of the (?:baseline|bare recipe) )?(?:failed|diverged|stopped|running|not run yet)(?=[,)])")
def lost(run: Run, found: Found) -> Values:
    return lost_of(run, row_of(run, found), found.words)


def lost_of(run: Run, row: Row, words: str) -> Values:
    """Returns how many trials of one side of a comparison ended, or did not, as the words say."""
    arm = row["against"] if "of the" in words else row["arm"]
    own = run.trials[(run.trials["arm"] == arm) & (run.trials["phase"] == "explore")]
    if "not run yet" in words:
        return [len(run.seeds) - own["seed"].nunique()]
    return [int((own["status"] == words.split()[-1]).sum())]


@phrase("answer", r"mean of # (?:of # )?settings of the other factors", r"coefficient over the # cells")
def averaged(run: Run, found: Found) -> Values:
    row = row_of(run, found)
    kept, every = len(settings(run, row)), averaged_over(run, row)
    assert " of # " in re.sub(r"\d+", "#", found.words).removeprefix("mean of #") or kept == every
    return [kept, every] if re.search(r"\d of \d", found.words) else [kept]


@phrase("answer", r"Lost: .+ \(# of # trials\) gave no result")
@phrase("factorial", r"cells that are left: .+ \(# of # trials\) gave no result")
def gave_no_result(run: Run, found: Found) -> Values:
    own = run.trials[run.trials["arm"].isin([arm for arm in run.levels.index if not whole(run, arm)])]
    return [int((own["status"] != "completed").sum()), len(own)]


def averaged_over(run: Run, row: Row) -> int:
    """Returns how many settings there are to average an effect over, or cells of a fraction."""
    levels, factors = run.levels, row["factor"].split(" and ")
    if run.fraction:
        return len(levels)
    others = [name for name in levels if name not in factors]
    wanted = row["level"].split(", ")[0], run.base[factors[0]]
    both = [set(map(tuple, levels.loc[levels[factors[0]] == each, others].to_numpy())) for each in wanted]
    return len(both[0] & both[1])


@phrase("answer", r"\(# could have been\)")
def could_have_been(run: Run, found: Found) -> Values:
    return [row_of(run, found)["detectable"]]


@phrase("answer", r"within #")
@phrase("ablation", r"beyond #, the study’s margin")
def margin(run: Run, found: Found) -> Values:
    return [run.record["margin"]]


@phrase("ablation", r"together: # comparisons?", r"the family, / #", r"# comparisons? declared, and none made")
@phrase("power", r"of the family, / #")
def family_size(run: Run, found: Found) -> Values:
    return [family(run)]


@phrase("ablation", r"drawn from # to #")
def common_scale(run: Run, found: Found) -> Values:
    """The ends of the drawings in the table: all effects, and intervals as far as they do not dwarf them."""
    rows = [row for row in run.rows("comparisons") if row["effect"] is not None]
    effects = [row["effect"] for row in rows]
    reach = 2.5 * max(*map(abs, effects), 1e-3)
    ends = [[row["effect"] if row[end] is None else row[end] for row in rows] for end in ("low", "high")]
    low, high = max(min(*ends[0], *effects, 0), -reach), min(max(*ends[1], *effects, 0), reach)
    room = max(0.04 * (high - low), 1e-4)
    return [low - room, high + room]
