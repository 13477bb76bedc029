"""When a study is to end: on a clock that no one sets, over all of its sessions together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class TimeLimit:
    """The time that a study has left.

    Attributes:
        seconds: From now on; None if there is no limit.
        was_up: Whether something was not begun because of it.
    """

    seconds: float | None
    was_up: bool = False
    _begun: float = field(default_factory=time.monotonic)

    @property
    def set(self) -> bool:
        """Whether there is a limit."""
        return self.seconds is not None

    @property
    def left(self) -> float | None:
        """Seconds until the limit, at least 0; None if there is none."""
        return None if self.seconds is None else max(0.0, self.seconds - (time.monotonic() - self._begun))

    def up(self, reserve: float) -> bool:
        """Whether no more is left than what is held back for later phases; remembered if so."""
        left = self.left
        if left is not None and left <= reserve:
            self.was_up = True
        return left is not None and left <= reserve
