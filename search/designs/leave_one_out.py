"""Leave one out: the baseline is the full recipe, and each arm is it without one of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from blocks.base import Flag
from search.designs.base import DESIGNS, ListedDesign
from search.factors import OFF, Choice, Level

if TYPE_CHECKING:
    from search.plan import Plan
    from search.space import Space


@DESIGNS.register
class LeaveOneOut(ListedDesign):
    """The baseline, and beside it the baseline without each factor's part: at its ``off``.

    What an ablation takes away is told at the full recipe, where its parts may stand in for each other; what a part
    brings by itself is told at the bare one.

    Attributes:
        add_one_in: Whether there are also the bare recipe, every part off, and each part alone added to it.
    """

    only_off: ClassVar[bool] = True
    kind: Literal["leave_one_out"] = "leave_one_out"
    add_one_in: Flag = False

    def choices(self, plan: Plan) -> Iterator[Choice]:
        space, parts = plan.space, dict[str, Level]()
        for variable in space.free:
            (level,) = (level for level in variable.levels if level.label == OFF)
            parts[variable.name] = level
            if not space.active(variable, {}):
                message = "the baseline doesn't meet this 'when', so there is nothing to take off"
                raise space.error(variable, message, "when")
        for name, level in parts.items():
            yield {name: level}
        if self.add_one_in and len(parts) > 1:
            yield dict(parts)
            if len(parts) > 2:  # of two parts, one alone is the baseline without the other
                for name in parts:
                    yield {other: level for other, level in parts.items() if other != name}

    def called(self, choice: Choice, space: Space) -> str | None:
        """Calls the arm with every part off bare, and one with a single part left bare + that part."""
        left = [variable.name for variable in space.free if variable.name not in choice]
        if not self.add_one_in or len(choice) < 2 or len(left) > 1:
            return None
        return " + ".join(["bare", *left])
