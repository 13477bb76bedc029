"""Narrower networks of the same layers: whose weights can be cut out of the wider one's. No torch is needed.

What can be narrowed are the widths of the stem, of each stage and of a convolutional head. Some go together: where a
shortcut is the identity, both ends have the same channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from blocks.errors import InfeasibleSpec
from blocks.spec import NetworkSpec
from blocks.walk import fitting_input, image_shape, trace

Place = tuple[str | int, ...]
"""Where a width stands in a network's plain data: ``("stages", 0, "width")``."""

MULTIPLES = (1, 2, 4, 8, 16, 32)
"""Widths are tried as multiples of these, until groups and heads divide them."""


def widths(spec: NetworkSpec) -> dict[Place, int]:
    """Returns the widths that a network can be narrowed at, from stem to head."""
    plain = spec.plain()
    places: list[Place] = [("stem", "width"), *(("stages", index, "width") for index in range(len(spec.stages)))]
    places.append(("head", "width"))
    return {place: _at(plain, place) for place in places if _has(plain, place)}


def tied(spec: NetworkSpec) -> list[tuple[Place, ...]]:
    """Returns the widths in groups that can be narrowed one without the other.

    Raises:
        InfeasibleSpec: If the network can't be narrowed at all.
    """
    groups: list[tuple[Place, ...]] = []
    open_: tuple[Place, ...] = ()
    for place in widths(spec):
        open_ = (*open_, place)
        if _narrowed(spec, dict.fromkeys(open_, 0.5)) not in (None, spec):
            groups.append(open_)
            open_ = ()
    if open_:  # what is left goes with the last that could stand alone
        groups = [*groups[:-1], (*groups[-1], *open_)] if groups else [open_]
    return groups


def uniform(spec: NetworkSpec, fraction: float, multiple_of: int = 1) -> NetworkSpec:
    """Returns a spec all of whose widths have lost a fraction, to the nearest, or less, up to such a multiple.

    Raises:
        InfeasibleSpec: If that leaves nothing of a width, or takes nothing from any.
    """
    demand_fraction(fraction)
    found = narrowed(spec, dict.fromkeys(widths(spec), 1 - fraction), multiple_of)
    if found == spec:
        raise InfeasibleSpec(f"pruning {fraction:.1%} takes no channel away: the widths are too small for it")
    return found


def demand_fraction(fraction: float) -> None:
    """Raises ``InfeasibleSpec`` unless something is taken and something left."""
    if not 0 < fraction < 1:
        raise InfeasibleSpec(f"what is pruned is a fraction of the channels, above 0 and below 1, not {fraction:g}")


def narrowed(spec: NetworkSpec, shares: Mapping[Place, float], multiple_of: int = 1) -> NetworkSpec:
    """Returns a network that has the same layers and these shares of its widths, to the nearest, at least 1.

    Widths are the next larger multiple of ``multiple_of``; where groups don't divide one, of 2, 4, 8, ... that they do,
    or of their own size.

    Raises:
        InfeasibleSpec: If a share leaves nothing of a width, or there is no such network.
    """
    for place, share in shares.items():
        width = _at(spec.plain(), place)
        if width * share < 0.5:
            raise InfeasibleSpec(f"{share:.1%} of a width of {width} channels leaves nothing")
    found = _narrowed(spec, shares, multiple_of)
    if found is None:
        raise InfeasibleSpec(
            "no network of the same layers has such widths: an identity shortcut, groups or heads need others"
        )
    return found


def _narrowed(spec: NetworkSpec, shares: Mapping[Place, float], multiple_of: int = 1) -> NetworkSpec | None:
    kinds = list(_kinds(spec))
    steps = dict.fromkeys(shares, 1)
    tries = [multiple_of, *(more for more in MULTIPLES if more > multiple_of and more % multiple_of == 0), None]
    for multiple in tries:
        if multiple is None:  # each width by its own groups
            steps, multiple = {place: _step(spec, place, kinds) for place in shares}, multiple_of
        plain = spec.plain()
        for place, share in shares.items():
            width, by = _at(plain, place), math.lcm(multiple, steps[place])
            wanted = max(1, int(width * share + 0.5))
            _set(plain, place, min(width, -(-wanted // by) * by))
        found = _checked(plain, kinds)
        if found is not None and (multiple == multiple_of or found != spec):
            return found
    return None


def _checked(plain: Any, kinds: list[tuple[Any, ...]]) -> NetworkSpec | None:
    """Returns a network of these kinds of layers; None if there is none such."""
    try:
        found = NetworkSpec.model_validate(plain)
        return found if list(_kinds(found)) == kinds else None
    except (InfeasibleSpec, ValidationError):
        return None


def _step(spec: NetworkSpec, place: Place, kinds: list[tuple[Any, ...]]) -> int:
    """Returns by how much a width can be changed by itself: its groups divide it."""
    width = _at(spec.plain(), place)
    for step in range(1, width):
        plain = spec.plain()
        _set(plain, place, width - step)
        if _checked(plain, kinds) is not None:
            return step
    return 1


def _kinds(spec: NetworkSpec) -> Iterator[tuple[Any, ...]]:
    """Yields the kinds of all layers, in order: what the names of a network's tensors follow from. Of the groups of a
    convolution one may be left."""
    shape = image_shape(spec, fitting_input(spec))
    for part in trace(spec, shape):
        kinds = tuple(kind.removeprefix("grouped ") for kind, *_ in part.rows())
        yield from [(part.stage, kinds)] * part.repeats


def _has(plain: Any, place: Place) -> bool:
    return "width" in _at(plain, place[:-1])


def _at(plain: Any, place: Sequence[str | int]) -> Any:
    for key in place:
        plain = plain[key]
    return plain


def _set(plain: Any, place: Place, value: int) -> None:
    _at(plain, place[:-1])[place[-1]] = value
