"""What to run next: the trials of a listed design in order; those of a search are ``search.proposed``."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from search.arms import Trial
from search.proposed import Proposed as Proposed


class Queue(Protocol):
    """Where the trials of a phase come from."""

    def next(self) -> Trial | None:
        """Returns a trial to start now, or None if there is none for now."""
        ...

    def until(self, trial: Trial) -> int | None:
        """Returns the epoch after which a trial that starts now is to pause; None if it goes on to its end."""
        ...

    def paused(self, trial: Trial, entry: Mapping[str, Any]) -> str:
        """Learns how far a trial has come that paused; returns why it is stopped there, nothing if it goes on."""
        ...

    def finished(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        """Learns how a trial ended that wasn't stopped."""
        ...

    @property
    def total(self) -> int:
        """How many trials the phase has in all, as far as is known."""
        ...

    @property
    def already(self) -> int:
        """How many of them an earlier session finished."""
        ...

    @property
    def planned(self) -> dict[str, Any]:
        """What the record keeps of the plan: arms and seeds, and how many trials where not all arms are known yet."""
        ...


@dataclass
class Listed:
    """Trials known beforehand, less those that are finished."""

    trials: list[Trial]
    done: set[str]
    _waiting: deque[Trial] = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = deque(trial for trial in self.trials if trial.name not in self.done)

    def next(self) -> Trial | None:
        return self._waiting.popleft() if self._waiting else None

    def until(self, trial: Trial) -> int | None:
        return None

    def paused(self, trial: Trial, entry: Mapping[str, Any]) -> str:
        raise TypeError("what is listed is trained to its end")

    def finished(self, trial: Trial, entry: Mapping[str, Any]) -> None:
        """A list learns nothing."""

    @property
    def total(self) -> int:
        return len(self.trials)

    @property
    def already(self) -> int:
        return sum(trial.name in self.done for trial in self.trials)

    @property
    def planned(self) -> dict[str, Any]:
        arms, seeds = (dict.fromkeys(getattr(trial, name) for trial in self.trials) for name in ("arm", "seed"))
        return {"arms": list(arms), "seeds": list(seeds)}
