"""Full factorial: every combination of the factors' levels, the baseline's own values among them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice, Level

if TYPE_CHECKING:
    from search.space import Space

MAX_ARMS = 20_000


@DESIGNS.register
class Factorial(ListedDesign):
    """Every combination of levels. A factor whose ``when`` is not met keeps the baseline's own value."""

    combines: ClassVar[bool] = True
    kind: Literal["factorial"] = "factorial"

    def choices(self, space: Space) -> Iterator[Choice]:
        grids: list[tuple[Level | None, ...]] = []
        size = 1
        for variable in space.free:
            grids.append(space.options(variable))
            size *= len(grids[-1])
            if size > MAX_ARMS:
                raise space.error(variable, f"the full factorial has more than {MAX_ARMS:,} arms; use design: search")
        seen: set[tuple[tuple[str, str], ...]] = set()
        for combination in itertools.product(*grids):
            full = {variable.name: level for variable, level in zip(space.free, combination, strict=True) if level}
            choice = {
                variable.name: full[variable.name]
                for variable in space.free
                if variable.name in full and space.active(variable, full)
            }
            # Combinations that differ only in factors which are switched off are one arm.
            key = tuple((name, level.label) for name, level in choice.items())
            if key not in seen:
                seen.add(key)
                yield choice
