"""What may change between two sessions of a study: what only adds is welcome, everything else is another study."""

from __future__ import annotations

from typing import Any

from blocks.source import Location, dotted
from search.paths import differences


class StudyChanged(Exception):
    """The study file no longer matches the run that it would resume (exit code 4)."""


def check_resumable(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Compares two resolved studies as plain data.

    More seeds, levels, factors, named arms, trials and finalists are additive; workers, where the data lies and the
    wording of the question make no difference.

    Raises:
        StudyChanged: With a line for every field that was changed or removed.
    """
    changes = [
        f"  {dotted(location)}: was {_text(first)}, is now {_text(second)}"
        for location, first, second in differences(_settled(before), _settled(now))
        if not _additive(location, first, second)
    ]
    if changes:
        fields = "\n".join(changes)
        raise StudyChanged(
            f"the study no longer matches the run that it would resume:\n{fields}\n"
            "Undo the change, give the study another name or --out, or start again with --fresh."
        )


def added_seeds(before: dict[str, Any], now: dict[str, Any]) -> list[int]:
    """Returns the explore seeds that a study has now and had not before."""
    return [seed for seed in _seeds(now["design"]["seeds"]) if seed not in _seeds(before["design"]["seeds"])]


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


def _settled(study: dict[str, Any]) -> dict[str, Any]:
    """Returns the study with what makes no difference left out."""
    # Plugins are compared by their content, as code is.
    kept = {key: value for key, value in study.items() if key not in {"question", "ray", "plugins"}}
    return {**kept, "data": {key: value for key, value in study["data"].items() if key != "root"}}


def _additive(location: Location, first: Any, second: Any) -> bool:
    if location[:2] == ("design", "seeds"):
        return location == ("design", "seeds") and set(_seeds(first)) <= set(_seeds(second))
    if location == ("design", "trials") or location[0] == "confirm":
        return location[-1] != "epochs" and (first is None or (second is not None and second >= first))
    if first is None and location[0] == "factors":
        return len(location) == 2 or location[2:3] == ("levels",)
    return first is None and location[:2] == ("design", "arms") and len(location) == 3


def _seeds(seeds: int | list[int]) -> list[int]:
    return list(range(seeds)) if isinstance(seeds, int) else list(seeds)


def _text(value: Any) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
