"""Labels beside points."""

from __future__ import annotations

from reports.labels import SIDES, place


def test_crowded_labels_take_different_sides() -> None:
    sides = place([1000, 1000, 1010], [0.9, 0.9001, 0.9], ["one", "two", "three"], (2, 5), (0.8, 1.0), 9000)
    assert len(set(sides)) == 3
    assert set(sides) <= set(SIDES)


def test_a_label_without_room_is_left_out() -> None:
    costs, scores = [1000 + number for number in range(30)], [0.9] * 30
    sides = place(costs, scores, ["a long label"] * 30, (2, 5), (0.8, 1.0), 9000)
    assert sides[0] is not None
    assert None in sides


def test_labels_stay_inside_the_plot() -> None:
    sides = place([100, 100_000], [0.9, 0.9], ["left", "right"], (2, 5), (0.8, 1.0), 9000)
    assert "left" not in str(sides[0])
    assert "right" not in str(sides[1])
