"""What may change between two sessions of a study: what only adds is welcome, everything else is another study."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from blocks.source import Location, dotted
from search.additions import fewest_confirm_seeds, seeds_of
from search.paths import differences
from search.train.recipe import TrainSpec
from search.trial import VARIED

NO_DIFFERENCE = ("question", "ray", "time", "power", "plugins", "tracking")
"""Sections that no trial depends on. Plugins are compared by their content, as code is."""

MAY_GROW = {
    ("design", "trials"),
    ("design", "budget", "epochs"),
    ("design", "budget", "macs"),
    ("design", "budget", "gpu_hours"),
    ("design", "arms"),
    ("confirm", "finalists"),
    ("confirm", "seeds"),
    ("tune", "trials"),
    ("fidelity", "arms"),
    ("fidelity", "seeds"),
}
"""Numbers of things of which there may be more."""


class StudyChanged(Exception):
    """The study file no longer matches the run that it would resume (exit code 4)."""


def check_resumable(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Compares two resolved studies as plain data.

    More seeds, levels, factors, named arms, trials and finalists are additive, and so is what was not there (``tune``,
    ``fidelity``, ``confirm.best_under``); workers, where the data lies, what is said of power and the wording of the
    question make no difference.

    Raises:
        StudyChanged: With a line for every field that was changed or removed.
    """
    changes = [
        f"  {dotted(location)}: was {_text(first)}, is now {_text(second)}"
        for location, first, second in differences(*_settled(before, now))
        if not _additive(location, first, second)
    ]
    changes += _fewer_arms(before, now) + _drawn_anew(before, now)
    if changes:
        fields = "\n".join(changes)
        raise StudyChanged(
            f"the study no longer matches the run that it would resume:\n{fields}\n"
            "Undo the change, give the study another name or --out, or start again with --fresh."
        )


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Returns what differs of versions, code, plugins and data between the entries of two sessions, in words."""
    old, new = before["environment"], now["environment"]
    changed = [
        f"{package} {old['versions'].get(package)} -> {number}"
        for package, number in new["versions"].items()
        if old["versions"].get(package) != number
    ]
    if old["commit"] != new["commit"]:
        changed.append(f"code {old['commit']} -> {new['commit']}")
    kept = old.get("plugins", {})
    changed += [f"plugin {name}" for name, sha256 in new["plugins"].items() if kept.get(name, sha256) != sha256]
    if before["data"]["checksum"] != now["data"]["checksum"]:
        changed.append("the data's checksum")
    return changed


def _settled(before: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns both studies with what makes no difference left out: also the order of levels, if none is gone."""
    first, second = copy.deepcopy(before), copy.deepcopy(now)
    for study in (first, second):
        for key in NO_DIFFERENCE:
            study.pop(key, None)
        study["data"].pop("root", None)
        study["train"] = _recipe(study["train"])
        if isinstance(sampler := study["design"].get("sampler"), str):  # before samplers had fields
            study["design"]["sampler"] = {"kind": sampler}
        study["design"].setdefault("vary", list(VARIED))  # what runs had before there was a choice
        study["confirm"]["seeds"] = fewest_confirm_seeds(study)
    for name, factor in (first.get("factors") or {}).items():
        other = (second.get("factors") or {}).get(name) or {}
        old, new = factor["levels"], other.get("levels")
        if isinstance(old, list) and isinstance(new, list) and all(level in new for level in old):
            factor["levels"] = new
        elif isinstance(old, dict) and isinstance(new, dict) and {*old} == {*new} == {"scale", "multiple_of"}:
            old["scale"] = new["scale"] if set(old["scale"]) <= set(new["scale"]) else old["scale"]
    return first, second


def _recipe(train: dict[str, Any]) -> dict[str, Any]:
    """Returns a recipe's content: what was written before there was a field is what says its default."""
    try:
        return TrainSpec.model_validate(train).content()
    except ValidationError:  # of another version: compared as it is written
        return train


def _additive(location: Location, first: Any, second: Any) -> bool:
    if location[:2] == ("design", "seeds"):
        return location == ("design", "seeds") and set(_seeds(first)) <= set(_seeds(second))
    if location in MAY_GROW:
        return second is not None and (first is None or second >= first)
    if location in {("tune",), ("fidelity",), ("latency",), ("confirm", "best_under"), ("design", "compare")}:
        return first is None
    if first is None and location[0] == "factors":
        return len(location) == 2 or location[2:3] == ("levels",)
    return first is None and location[:2] == ("design", "arms") and len(location) == 3


def _fewer_arms(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Returns a line where a search would have fewer arms: its trials are shared out among more seeds."""
    old, new = (study["design"].get("trials") for study in (before, now))
    if not old or not new or old > new or now["design"].get("racing") is not None:
        return []
    arms = old // len(seeds_of(before)), new // len(seeds_of(now))
    wanted = arms[0] * len(seeds_of(now))
    return [f"  design.trials: {new} are {arms[1]} arms, and the run has {arms[0]}: at least {wanted}"] * (
        arms[1] < arms[0]
    )


def _drawn_anew(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Returns a line for every change of factors from which arms are drawn or chosen: all of those would be others."""
    design = before["design"]
    if design["kind"] != "population" and not design.get("fraction"):
        return []
    found = differences(before.get("factors") or {}, now.get("factors") or {}, ("factors",))
    return [f"  {dotted(location)}: was {_text(first)}, is now {_text(second)}" for location, first, second in found]


def _seeds(seeds: int | list[int]) -> list[int]:
    return list(range(seeds)) if isinstance(seeds, int) else list(seeds)


def _text(value: Any) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
