"""What holds for every schedule, and each one's formula."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from search.train.recipe import TrainSpec
from search.train.schedules import SCHEDULES, RisingScheduleSpec

STEPS, EPOCHS = 10, 6


def values(spec: Any) -> list[float]:
    given = {"first_epochs": 5} if spec == "cosine_restarts" else {}
    schedule = SCHEDULES.parse({"kind": spec, **given} if isinstance(spec, str) else spec)
    return [schedule.multiplier(step, STEPS, EPOCHS) for step in range(STEPS * EPOCHS)]


KINDS = SCHEDULES.kinds()
FALLING = [kind for kind, spec in KINDS.items() if not issubclass(spec, RisingScheduleSpec)]
RISING = [kind for kind in KINDS if kind not in FALLING]


@pytest.mark.parametrize("kind", KINDS)
def test_every_schedule_stays_at_or_below_the_peak_and_reaches_it(kind: str) -> None:
    assert max(values(kind)) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in values(kind))
    assert kind in RISING or values(kind)[0] == 1


@pytest.mark.parametrize("kind", FALLING)
def test_warmup_rises_linearly_and_then_the_schedule_begins(kind: str) -> None:
    warm = values({"kind": kind, "warmup_epochs": 1.5})
    assert warm[:15] == [(step + 1) / 15 for step in range(15)]
    assert warm[15] == 1


@pytest.mark.parametrize("kind", FALLING)
def test_a_gradual_warmup_rises_from_the_usual_rate(kind: str) -> None:
    warm = values({"kind": kind, "warmup_epochs": 1, "warmup_start": 0.25})
    assert warm[:10] == pytest.approx([0.25 + 0.75 * (step + 1) / 10 for step in range(10)])
    assert warm[10] == 1


def test_a_constant_warmup_jumps_to_the_peak() -> None:
    warm = values({"kind": "constant", "warmup_epochs": 1, "warmup_start": 0.1, "warmup": "constant"})
    assert warm == [0.1] * 10 + [1] * 50


@pytest.mark.parametrize("kind", RISING)
def test_what_rises_by_itself_takes_no_warmup(kind: str) -> None:
    with pytest.raises(ValueError, match="rises by itself"):
        SCHEDULES.parse({"kind": kind, "warmup_epochs": 1})


@pytest.mark.parametrize("kind", FALLING)
def test_a_warmup_longer_than_training_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"counts to epoch (7|17) .*training ends after 6"):
        TrainSpec.model_validate({"epochs": 6, "schedule": {"kind": kind, "warmup_epochs": 7}})


def test_a_constant_warmup_at_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="learns nothing"):
        SCHEDULES.parse({"kind": "cosine", "warmup_epochs": 1, "warmup": "constant"})


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


def test_step_counts_in_epochs_from_the_start_where_told_so() -> None:
    steps = values({"kind": "step", "at_epochs": [2, 4.5], "factor": 0.1, "warmup_epochs": 1})
    assert steps[10:] == pytest.approx([1] * 10 + [0.1] * 25 + [0.01] * 15)


def test_epochs_shares_and_batches_are_not_taken_for_each_other() -> None:
    with pytest.raises(ValueError, match=r"shares of the training.*at_epochs"):
        SCHEDULES.parse({"kind": "step", "at": [32000, 48000]})
    with pytest.raises(ValueError, match=r"counts to epoch 48000 \(epochs, not batches\)"):
        TrainSpec.model_validate({"epochs": 200, "schedule": {"kind": "step", "at_epochs": [32000, 48000]}})
    with pytest.raises(ValueError, match="not both"):
        SCHEDULES.parse({"kind": "step", "at": [0.5], "at_epochs": [3]})


def test_linear() -> None:
    assert values({"kind": "linear", "final": 0.2}) == pytest.approx([1 - 0.8 * step / 60 for step in range(60)])


def test_polynomial() -> None:
    expected = [0.1 + 0.9 * (1 - step / 60) ** 3 for step in range(60)]
    assert values({"kind": "polynomial", "power": 3, "final": 0.1}) == pytest.approx(expected)


def test_exponential() -> None:
    values_ = values({"kind": "exponential", "final": 0.01})
    assert values_ == pytest.approx([0.01 ** (step / 60) for step in range(60)])
    shares = [after / before for before, after in pairwise(values_)]
    assert shares == pytest.approx([shares[0]] * 59)


def test_one_cycle() -> None:
    found = values({"kind": "one_cycle", "peak_at": 0.25, "start": 0.1, "final": 0.01})
    up = [0.1 + 0.9 * 0.5 * (1 - math.cos(math.pi * step / 15)) for step in range(15)]
    down = [0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / 45)) for step in range(45)]
    assert found == pytest.approx(up + down)


def test_triangular() -> None:
    found = values({"kind": "triangular", "cycles": 2, "peak_at": 0.2, "start": 0.1, "final": 0.3})
    cycle = [0.1 + 0.9 * step / 6 for step in range(6)] + [0.3 + 0.7 * (24 - step) / 24 for step in range(24)]
    assert found == pytest.approx(cycle * 2)


def test_cosine_restarts() -> None:
    found = values({"kind": "cosine_restarts", "first_epochs": 1, "growth": 2, "final": 0.1, "warmup_epochs": 1})
    for start, length in ((10, 10), (20, 20), (40, 40)):
        for step in range(start, min(start + length, 60)):
            cosine = 0.5 * (1 + math.cos(math.pi * (step - start) / length))
            assert found[step] == pytest.approx(0.1 + 0.9 * cosine), step
    with pytest.raises(ValueError, match="counts to epoch 12"):
        TrainSpec.model_validate({"epochs": 10, "schedule": {"kind": "cosine_restarts", "first_epochs": 12}})
