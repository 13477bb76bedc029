"""Arms of which too little came out to compare them: those that diverged, failed or were stopped with most seeds."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from types import MappingProxyType

import pandas as pd

from reports.numbers import words
from reports.table import Table

NAMED = 3
ENDED = ("completed", "stopped", "diverged", "failed")


@functools.lru_cache(maxsize=2)
def lost(table: Table) -> Mapping[str, tuple[int, int]]:
    """Returns the lost arms of the explore phase, each with its trials that gave no result, and all of its trials.

    An arm is lost if all of its seeds have ended, and fewer than half of them, or fewer than two of several, with a
    result. What has not ended may still give one.
    """
    trials = table.trials[table.trials["phase"] == "explore"].drop_duplicates(["arm", "seed"])
    planned = len(table.design.seeds)
    wanted = min(planned, max(2, (planned + 1) // 2))
    ended = trials[trials["status"].isin(ENDED)]
    whole = (ended["status"] == "completed").groupby(ended["arm"], sort=False)
    counted = pd.DataFrame({"all": whole.size(), "whole": whole.sum()})
    gone = counted[(counted["all"] >= planned) & (counted["whole"] < wanted)]
    return MappingProxyType(
        {str(arm): (int(row["all"] - row["whole"]), int(row["all"])) for arm, row in gone.iterrows()}
    )


def called(table: Table, arms: Collection[str], among: Collection[str] | None = None) -> list[str]:
    """Returns what arms of a factorial are called: levels of which all arms are among them, then the other arms.

    Args:
        among: The arms that are spoken of, where a level's others are none of the matter; all cells without it.
    """
    own = table.cells if among is None else table.cells[table.cells.isin(list(among))]
    levels, left, said = table.levels.loc[own], set(arms), []
    for column in levels.columns:
        for level in levels[column].dropna().unique():
            having = set(own[levels[column] == level])
            if having <= left and 1 < len(having) < len(own):
                said.append((f"{column}={level}", having))
    within = {arm for _, having in said for arm in having}
    return [name for name, _ in said] + [str(table.arms.at[arm, "label"]) for arm in arms if arm not in within]


def some(names: list[str]) -> str:
    """Returns names in words; of many, the first. Semicolons part names that have commas of their own."""
    shown = names if len(names) <= NAMED + 1 else [*names[:NAMED], f"{len(names) - NAMED} more"]
    if len(shown) > 1 and any("," in name for name in shown):
        return f"{'; '.join(shown[:-1])}; and {shown[-1]}"
    return words(shown)


def what_of(table: Table, arms: Collection[str]) -> str:
    """Returns what became of lost arms, in words: "diverged", "diverged and failed"."""
    trials = table.trials[(table.trials["phase"] == "explore") & table.trials["arm"].isin(list(arms))]
    ended = trials.loc[trials["status"] != "completed", "status"]
    said = {"stopped": "was stopped"}
    return words([said.get(str(status), str(status)) for status in ended.unique()])


def what_was_lost(table: Table) -> str:
    """Says which arms were lost, and with how many of their trials; nothing if none was."""
    if not lost(table):
        return ""
    own = [arm for arm in lost(table) if arm in table.listed] or list(lost(table))
    without, trials = (sum(lost(table)[arm][place] for arm in own) for place in (0, 1))
    return f"{some(called(table, own))} ({without:,} of {trials:,} trials)"
