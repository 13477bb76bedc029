"""What a search found by the time it had spent so much, and how it went about it."""

from __future__ import annotations

import pandas as pd

from reports.findings import Findings
from reports.numbers import count, percent
from reports.sections import Section
from reports.statistics import rank_agreement
from reports.table import Table

ID = "progress"
ORDER = 33


def build(findings: Findings) -> Section:
    """Returns the section: its figures, and what the search did with its budget."""
    table = findings.table
    parts = (_sampler, _acceptance, prescreen, _known, _stopping, _race)
    return Section("Progress of the search", lead=tuple(filter(None, (part(table) for part in parts))))


def _sampler(table: Table) -> str:
    chosen = table.design.sampler
    return f"The sampler {chosen['kind']} was chosen: {chosen['why']}." if chosen and chosen["why"] else ""


def _acceptance(table: Table) -> str:
    """Says how many of the proposals became arms; the baseline is none."""
    if table.design.kind != "search" or not table.passed_over:
        return ""
    states = table.arms.loc[table.listed.drop(table.baseline), "status"].value_counts()
    ran = int(states.get("run", 0))
    lost = [(status, int(states.get(status, 0)) + number) for status, number in table.passed_over.items()]
    every = ran + sum(number for _, number in lost)
    if not every:
        return ""
    why = ", ".join(f"{number:,} {status}" for status, number in lost if number)
    share = f" ({percent(ran / every, 0)})"
    return f"Of {count(every, 'proposal')} {ran:,} could run and were new{share}{f': {why}' if why else ''}."


def prescreen(table: Table) -> str:
    """Says which proxy chose among proposals, and how well it ranked those that were trained to their end."""
    design = table.design.prescreen
    if design is None:
        return ""
    explored = table.trials[(table.trials["phase"] == "explore") & (table.trials["status"] == "completed")]
    reached = explored.groupby("arm")["val_accuracy"].mean()
    scores = pd.Series(design["scores"], dtype=float)
    found = rank_agreement(scores, reached.reindex(scores.index))
    said = f"Of every {design['candidates']:,} proposals the best by {design['proxy']} was trained."
    if pd.isna(found.tau):
        why = found.reason.replace("both scores", "a proxy’s score that were trained to their end")
        return f"{said} How well it ranks them can’t be told: {why}."
    seen = f"{found.tau:.2f} [{found.low:.2f}, {found.high:.2f}]".replace("-", "−")
    said += (
        f" Between its scores and the validation accuracy of the {found.arms:,} arms that it chose and that were "
        f"trained to their end, Kendall’s tau is {seen}; as it chose them, it may agree better with accuracy over all "
        "that was proposed."
    )
    if found.low > 0:
        return said
    if found.high < 0:
        return f"{said} It puts the better of these arms last: leave out prescreen, or choose another proxy."
    compared = (table.trials["phase"] == "random").any()
    told = "; how the whole search does beside random search is below" if compared else ""
    return f"{said} This cannot tell whether it helps{told}."


def _known(table: Table) -> str:
    arms = sum(run["arms"] for run in table.design.known)
    if not table.design.known:
        return ""
    runs = count(len(table.design.known), "earlier run")
    return f"The sampler knew the scores of {count(arms, 'arm')} of {runs}; none of them counts as a trial here."


def _stopping(table: Table) -> str:
    """Says how many arms came how far."""
    if not table.design.rungs:
        return ""
    explored = table.trials[table.trials["phase"] == "explore"]
    epochs = explored["trial"].map(table.epochs.groupby("trial")["epoch"].max()).fillna(0)
    lengths = epochs.groupby(explored["arm"]).max()
    came = [f"{int((lengths >= rung).sum()):,} came to epoch {rung}" for rung in table.design.rungs]
    whole = explored.loc[explored["status"] == "completed", "arm"].nunique()
    return (
        f"Arms were stopped early: of {count(len(lengths), 'arm')} {', '.join(came)}, and {whole:,} to the end. At "
        f"each of these epochs one arm of {table.design.eta:g} goes on, by the non-dominated order of the objectives."
    )


def _race(table: Table) -> str:
    if table.design.racing is None:
        return ""
    seeds = table.trials[table.trials["phase"] == "explore"].groupby("arm")["seed"].nunique()
    more, most = int((seeds > 1).sum()), len(table.design.seeds)
    kept = f"{percent(table.design.racing, 0)} of the budget was kept for more seeds of arms that may be on the front"
    if not more:
        return f"{kept}: no arm got any."
    return f"{kept}: {count(more, 'arm')} got more than one, {int((seeds == most).sum()):,} of them all {most}."
