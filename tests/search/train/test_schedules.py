"""What holds for every schedule, and each one's formula."""

from __future__ import annotations

import math
from typing import Any

import pytest

from search.train.schedules import SCHEDULES

STEPS, EPOCHS = 10, 6


def values(spec: Any) -> list[float]:
    schedule = SCHEDULES.parse(spec)
    return [schedule.multiplier(step, STEPS, EPOCHS) for step in range(STEPS * EPOCHS)]


@pytest.mark.parametrize("kind", SCHEDULES.kinds())
def test_every_schedule_starts_at_the_peak_and_stays_at_or_below_it(kind: str) -> None:
    assert values(kind)[0] == 1
    assert all(0 <= value <= 1 for value in values(kind))


@pytest.mark.parametrize("kind", SCHEDULES.kinds())
def test_warmup_rises_linearly_and_then_the_schedule_begins(kind: str) -> None:
    warm = values({"kind": kind, "warmup_epochs": 1.5})
    assert warm[:15] == [(step + 1) / 15 for step in range(15)]
    assert warm[15] == 1


@pytest.mark.parametrize("kind", SCHEDULES.kinds())
def test_a_warmup_longer_than_training_never_ends(kind: str) -> None:
    warm = values({"kind": kind, "warmup_epochs": EPOCHS + 1})
    assert warm[-1] == pytest.approx(STEPS * EPOCHS / (STEPS * (EPOCHS + 1)))


def test_cosine() -> None:
    warm = values({"kind": "cosine", "warmup_epochs": 1, "final": 0.1})
    for step in range(10, 60):
        assert warm[step] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - 10) / 50)))


def test_step_counts_in_shares_of_training() -> None:
    assert values({"kind": "step", "at": [0.5, 0.75], "factor": 0.1}) == pytest.approx(
        [1] * 30 + [0.1] * 15 + [0.01] * 15
    )


def test_constant() -> None:
    assert set(values("constant")) == {1}
