"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from reports import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4_089_184_256, "4.09 G"), (226_000, "226 k"), (61_000, "61.0 k"), (999_499, "999 k"), (999_600, "1.00 M"),
        (677, "677"), (0, "0"), (1, "1"), (12.34, "12.3"), (1e18, "1000 P"), (-2_500, "−2.50 k"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_quantities_have_three_digits(value: float, text: str) -> None:
    assert numbers.quantity(value).replace("\u00a0", " ") == text


def test_quantities_keep_their_unit() -> None:
    assert numbers.quantity(226_000, "MACs") == "226\u00a0k\u00a0MACs"
    assert numbers.quantity(677, "MACs") == "677\u00a0MACs"


@pytest.mark.parametrize(("value", "text"), [(60_000, "60 k"), (100, "100"), (1_500_000, "1.5 M"), (2e6, "2 M")])
def test_round_quantities_have_no_idle_zeros(value: float, text: str) -> None:
    assert numbers.round_quantity(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0031, "+0.31"), (-0.0012, "−0.12"), (0.00001, "±0.00"), (-0.00001, "±0.00")]
)
def test_points_have_a_sign(value: float, text: str) -> None:
    assert numbers.points(value) == f"{text}\u00a0pp"


def test_intervals() -> None:
    assert numbers.points_interval(-0.003, 0.0006) == "[−0.30, 0.06]"
    assert numbers.percent_interval(0.968, 0.98) == "[96.8, 98.0]"
    assert numbers.points_interval(math.nan, 0.1) == ""


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.48, "+48%"), (-0.021, "−2.1%"), (3.2, "×4.2"), (0.0001, "±0%"), (-0.73, "−73%"), (math.nan, "–")],
)
def test_changes(ratio: float, text: str) -> None:
    assert numbers.change(ratio) == text


@pytest.mark.parametrize(("p", "text"), [(0.0321, ".032"), (0.0004, "<.001"), (1.0, "1"), (math.nan, "–")])
def test_p_values_are_never_zero(p: float, text: str) -> None:
    assert numbers.p_value(p) == text


@pytest.mark.parametrize(("value", "text"), [(0.42, "0.42 s"), (61.2, "61.2 s"), (720, "12 min"), (12_240, "3.4 h")])
def test_durations(value: float, text: str) -> None:
    assert numbers.seconds(value).replace("\u00a0", " ") == text


def test_words() -> None:
    assert numbers.words([]) == ""
    assert numbers.words(["a"]) == "a"
    assert numbers.words(["a", "b", "c"]) == "a, b and c"
    assert numbers.count(1, "seed") == "1\u00a0seed"
    assert numbers.count(5000, "seed") == "5,000\u00a0seeds"


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        ("2026-11-22T05:00:00Z", "2026-11-22 05:00 UTC"),
        ("2026-11-22T05:00:00.123456+00:00", "2026-11-22 05:00 UTC"),
        ("2026-11-22T05:00:00+02:00", "2026-11-22 05:00 +02:00"),
        ("2026-11-22", "2026-11-22"),
    ],
)
def test_moments(iso: str, text: str) -> None:
    assert numbers.moment(iso) == text
