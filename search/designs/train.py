"""One arm, trained: no question asked, just the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice

if TYPE_CHECKING:
    from search.plan import Plan


@DESIGNS.register
class Train(ListedDesign):
    """The baseline alone. With nothing to choose there is no explore phase: every seed is a confirm trial."""

    kind: Literal["train"] = "train"

    def choices(self, plan: Plan) -> Iterator[Choice]:
        return iter(())
