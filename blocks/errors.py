"""What can be wrong with a network.

ValueError
├── InfeasibleSpec        no such network can be
│   └── InputTooSmall     not at this input size
├── UnknownPreset         no preset has this name
└── WeightsError          a file of weights that can't be trusted, or doesn't fit
"""

from __future__ import annotations

from typing import Self


class InfeasibleSpec(ValueError):
    """A spec that is well formed, but of a network that can't be. Raised by arithmetic, before anything is allocated.

    Attributes:
        stage: The index of the stage, or ``"stem"`` or ``"head"``; None until the network has said which.
        block: The index of the block in its stage; None in stem and head.
        reason: Why, as a sentence without the place.
    """

    def __init__(self, reason: str, stage: int | str | None = None, block: int | None = None) -> None:
        super().__init__(reason, stage, block)  # all of them, so that the error can be pickled
        self.reason, self.stage, self.block = reason, stage, block

    def at(self, stage: int | str, block: int | None = None) -> Self:
        """Returns the same error with its place."""
        return type(self)(self.reason, stage, block)

    def __str__(self) -> str:
        if self.stage is None:
            return self.reason
        place = f"stage {self.stage}" if isinstance(self.stage, int) else self.stage
        return f"{place}{'' if self.block is None else f', block {self.block}'}: {self.reason}"


class InputTooSmall(InfeasibleSpec):
    """The input is so small that nothing is left of it: a larger one would do."""


class UnknownPreset(ValueError):
    """No preset has this name; the message lists those that there are."""


class WeightsError(ValueError):
    """A file of weights that is missing, damaged, of a newer schema, or doesn't fit its network. Nothing was loaded."""
