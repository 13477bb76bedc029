"""A list: arms written out by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from blocks.base import Text
from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice, Factor

if TYPE_CHECKING:
    from search.plan import Plan

VARIANT = "variant"
"""The column that holds the arms' names."""


@DESIGNS.register
class Listed(ListedDesign):
    """Named arms, each a patch of the baseline: ``arms: {wide: {"network.stages[*].width": 32}}``."""

    kind: Literal["list"] = "list"
    arms: Annotated[dict[Text, dict[Text, Any]], Field(min_length=1)]

    def own_factors(self) -> dict[str, Factor]:
        return {VARIANT: Factor(levels=self.arms)}

    def choices(self, plan: Plan) -> Iterator[Choice]:
        (variable,) = (variable for variable in plan.space.free if variable.name == VARIANT)
        for level in plan.space.listed(variable):
            yield {VARIANT: level}
