"""One factor at a time: the baseline, and each level of each factor alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from search.designs.base import DESIGNS, ListedDesign
from search.factors import Choice

if TYPE_CHECKING:
    from search.plan import Plan


@DESIGNS.register
class OneAtATime(ListedDesign):
    """The baseline, and beside it every level of every factor with all else as in the baseline."""

    kind: Literal["one_at_a_time"] = "one_at_a_time"

    def choices(self, plan: Plan) -> Iterator[Choice]:
        space = plan.space
        for variable in space.free:
            for level in filter(None, space.options(variable)):
                choice = {variable.name: level}
                if not space.active(variable, choice):
                    raise space.error(
                        variable,
                        "varied one at a time, this factor never meets its own 'when', since the baseline doesn't",
                        "when",
                    )
                yield choice
