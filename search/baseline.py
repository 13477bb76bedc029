"""The network of a study's baseline, and what it takes from the data because the file leaves it out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError

from blocks import NetworkSpec
from blocks.expand import expanded
from blocks.source import Source
from search.data.spec import DataSpec

FilledIn = Literal["in_channels", "num_classes"]


def fill_in(network: dict[str, Any], data: DataSpec, what: frozenset[FilledIn]) -> dict[str, Any]:
    """Returns a network's mapping written out, with input channels and classes taken from the data where so asked.

    Raises:
        ValidationError: If a preset or generator has no such network.
    """
    facts = data.facts()
    filled = dict(expanded(network))
    if "in_channels" in what:
        filled["in_channels"] = facts.channels
    if "num_classes" in what and isinstance(filled.get("head", {}), (dict, str)):
        head = filled.get("head", "linear")
        filled["head"] = {**({"kind": head} if isinstance(head, str) else head), "num_classes": len(facts.classes)}
    return filled


def baseline_network(source: Source, given: Any, data: DataSpec) -> tuple[dict[str, Any], frozenset[FilledIn]]:
    """Returns the network with what the data say filled in; a generated one with nothing but what was written."""
    if isinstance(given, str):
        given = {"preset": given}
    if not isinstance(given, dict):
        raise source.error(("network",), "expected a mapping with stem and stages, or a preset's name")
    what = _left_out(source, given, data)
    try:
        filled = fill_in(given, data, what)
        if "generate" not in given:
            return filled, what
        NetworkSpec.model_validate(filled)  # whatever is wrong is wrong now, not when it is built
    except ValidationError as error:
        raise source.explain(error, ("network",)) from None
    return {**given, **({"head": filled["head"]} if "head" in given else {})}, what


def _left_out(source: Source, network: dict[str, Any], data: DataSpec) -> frozenset[FilledIn]:
    """Returns what a network leaves to the data. Raises ``InputError`` if it says something else than they do."""
    facts, what = data.facts(), set[FilledIn]()
    if "in_channels" not in network:
        what.add("in_channels")
    elif network["in_channels"] != facts.channels:
        message = (
            f"{network['in_channels']!r} channels, but the data has {facts.channels}; leave the field out to take those"
        )
        raise source.error(("network", "in_channels"), message)
    head = network.get("head")
    if not (isinstance(head, dict) and "num_classes" in head):
        what.add("num_classes")
    elif head["num_classes"] != len(facts.classes):
        message = (
            f"{head['num_classes']!r} classes, but the data has {len(facts.classes)}; leave the field out to take those"
        )
        raise source.error(("network", "head", "num_classes"), message)
    return frozenset(what)
