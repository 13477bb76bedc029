"""What was added to a run after its results had been seen: read off the studies of its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Plain = Mapping[str, Any]


def additions(entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Returns what each session added to a run of which trials had ended by then, with the time, as the page shows it.

    Args:
        entries: The record's.
    """
    found: list[dict[str, str]] = []
    before: Plain | None = None
    seen = False
    for entry in entries:
        seen = seen or entry["event"] == "finished"
        if entry["event"] != "session":
            continue
        if before is not None and seen:
            found += [{"time": entry["time"], "what": what} for what in added(before, entry["study"])]
        before = entry["study"]
    return found


def added(before: Plain, now: Plain) -> list[str]:
    """Returns what a resolved study has more than an earlier one, in words, one text a kind of thing."""
    return [text for text in (*_of_design(before, now), *_of_factors(before, now), *_of_phases(before, now)) if text]


def seeds_of(study: Plain) -> list[int]:
    """Returns a resolved study's explore seeds."""
    seeds = study["design"]["seeds"]
    return list(range(seeds)) if isinstance(seeds, int) else list(seeds)


def fewest_confirm_seeds(study: Plain) -> int:
    """Returns how many confirm seeds a resolved study has: those it asks for, or the default."""
    fewest = 1 if study["design"]["kind"] == "train" else 3
    return study["confirm"]["seeds"] or max(fewest, len(seeds_of(study)))


def _of_design(before: Plain, now: Plain) -> list[str]:
    first, second = before["design"], now["design"]
    old, new = first.get("arms"), second.get("arms")
    counted = isinstance(new, int)  # a population's are drawn, a list's are named
    names = [] if counted else [name for name in new or {} if name not in (old or {})]
    return [
        _more("arms", old, new) if counted else "",
        _list("seed", [seed for seed in seeds_of(now) if seed not in seeds_of(before)]),
        _list("arm", names),
        _more("trials", first.get("trials"), second.get("trials")),
        *(
            _more(f"budget in {name}", old, (second.get("budget") or {}).get(name))
            for name, old in (first.get("budget") or {}).items()
        ),
    ]


def _of_factors(before: Plain, now: Plain) -> list[str]:
    first, second = before.get("factors") or {}, now.get("factors") or {}
    levels = []
    for name, factor in second.items():
        old, new = _levels((first.get(name) or {}).get("levels")), _levels(factor.get("levels"))
        if name in first and (more := [level for level in new if level not in old]):
            levels.append(_list("level", more) + f" of {name}")
    return [_list("factor", [name for name in second if name not in first]), *levels]


def _of_phases(before: Plain, now: Plain) -> list[str]:
    found = [_more("finalists", before["confirm"]["finalists"], now["confirm"]["finalists"])]
    found.append(_more("confirm seeds", fewest_confirm_seeds(before), fewest_confirm_seeds(now)))
    for section, parts in (("tune", ("trials",)), ("fidelity", ("arms", "seeds"))):
        first, second = before.get(section), now.get(section)
        if second and not first:
            found.append(f"the section {section}")
        elif first and second:
            found += [_more(f"{section} {part}", first[part], second[part]) for part in parts]
    return found


def _levels(levels: Any) -> list[Any]:
    if isinstance(levels, Mapping):
        return list(levels["scale"]) if set(levels) == {"scale", "multiple_of"} else list(levels)
    return list(levels or [])


def _list(noun: str, items: list[Any]) -> str:
    return f"{noun}{'' if len(items) == 1 else 's'} {', '.join(map(str, items))}" if items else ""


def _more(noun: str, first: int | None, second: int | None) -> str:
    return f"{noun}: {second} in place of {first}" if first and second and second > first else ""
