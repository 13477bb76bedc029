"""Plans: every design's arms, what becomes of each, equal-cost twins, and counts that add up."""

from __future__ import annotations

from collections import Counter

import pytest

from blocks.source import InputError
from search.draw import draw
from search.plan import Plan, difference
from search.planned import planned_trials
from tests.search.studies import BASE, plan

EXPANSION = 'expansion: {path: "network.stages[*].block.expansion", levels: [1, 2, 4, 6]}'
BLOCK = 'block: {levels: {basic: {"network.stages[*].block": basic}, se: {"network.stages[*].block.attention": se}}}'


def labels(found: Plan, status: str = "run") -> list[str]:
    return [row.label for row in found.rows if row.status == status]


def test_one_at_a_time_lists_the_baseline_and_every_level_alone() -> None:
    found = plan("factors:", f"  {EXPANSION}", f"  {BLOCK}", "design: {kind: one_at_a_time, seeds: 2}")
    assert labels(found) == ["baseline", "expansion=1", "expansion=2", "expansion=6", "block=basic", "block=se"]
    trials = found.explore_trials()
    assert len(trials) == 12
    assert [trial.seed for trial in trials] == [0] * 6 + [1] * 6  # seed by seed, so that a partial study is paired
    assert len({trial.name for trial in trials}) == 12


def test_a_factorial_takes_a_listed_baseline_value_for_the_baselines_own() -> None:
    found = plan(
        "factors:",
        f"  {EXPANSION}",
        '  activation: {path: "network.stages[*].block.activation", levels: [relu, gelu]}',
        "design: factorial",
    )
    assert len(labels(found)) == len(found.rows) == 8
    assert labels(found, "duplicate") == []


def test_a_level_that_takes_away_what_another_factor_varies_leaves_its_column_empty() -> None:
    found = plan("factors:", f"  {EXPANSION}", f"  {BLOCK}", "design: one_at_a_time")
    by_label = {row.label: row.levels["expansion"] for row in found.rows}
    assert (by_label["baseline"], by_label["block=basic"], by_label["block=se"]) == ("4", "", "4")


def test_factorial_lists_every_combination_once() -> None:
    found = plan(
        "factors:",
        '  width: {path: "network.stages[0].width", levels: [4, 8]}',
        '  depth: {path: "network.stages[each].depth", range: {low: 1, high: 2}}',
        "design: factorial",
    )
    assert len(labels(found)) == 2 * 2 * 2
    assert found.rows[0].label == "baseline"
    assert len({row.arm for row in found.rows}) == 8


def test_a_factorial_skips_what_a_condition_switches_off() -> None:
    condition = "levels: [1, 2], when: {block: [baseline]}"
    found = plan(
        "factors:",
        '  block: {levels: {basic: {"network.stages[*].block": basic}}}',
        f'  expansion: {{path: "network.stages[*].block.expansion", {condition}}}',
        "design: factorial",
    )
    assert labels(found) == ["baseline", "expansion=1", "expansion=2", "block=basic"]
    assert len(found.rows) == 4


def test_a_list_names_its_arms() -> None:
    found = plan(
        'design: {kind: list, arms: {wide: {"network.stages[*].width": 16}, plain: {"network.stages[0].block": basic}}}'
    )
    assert labels(found) == ["baseline", "variant=wide", "variant=plain"]
    assert found.rows[1].levels == {"variant": "wide"}


def test_train_has_one_arm_and_no_explore_phase() -> None:
    found = plan("design: {kind: train, seeds: 2}")
    assert labels(found) == ["baseline"]
    assert found.explore_trials() == []
    assert planned_trials(found) == {"confirm": 2}


def test_twins_are_at_equal_cost_and_known_to_their_arms() -> None:
    found = plan(
        "factors:",
        f"  {EXPANSION}",
        f"  {BLOCK}",
        "design: {kind: one_at_a_time, match: {cost: macs, tolerance: 0.06}}",
    )
    by_arm = {row.arm: row for row in found.rows}
    base = found.baseline.cost
    assert base is not None
    for row in found.rows:
        if row.match == "none":
            assert row.twin is not None or row.unmatched
        if row.twin is not None:
            twin = by_arm[row.twin]
            assert twin.cost is not None
            assert abs(twin.cost.macs / base.macs - 1) <= 0.06
            assert twin.gap == pytest.approx(twin.cost.macs / base.macs - 1)
            assert twin.levels == row.levels
    # Squeeze-and-excitation hardly costs anything: that arm is its own twin.
    se = next(row for row in found.rows if row.label == "block=se")
    assert se.twin == se.arm


def test_constraints_reject_with_a_reason_and_counts_add_up() -> None:
    found = plan("factors:", f"  {EXPANSION}", "design: one_at_a_time", "constraints: {macs: {max: 200e3}}")
    counts = Counter(row.status for row in found.rows)
    assert counts["rejected"] == 1
    assert sum(counts.values()) == len(found.rows)
    rejected = next(row for row in found.rows if row.status == "rejected")
    assert rejected.label == "expansion=6"
    assert "above the limit of 200,000" in rejected.reason


def test_a_baseline_outside_the_constraints_is_a_reference_only() -> None:
    base = plan().baseline.cost
    assert base is not None
    limit = f"constraints: {{macs: {{max: {base.macs - 1}}}}}"
    found = plan("factors:", f"  {EXPANSION}", "design: one_at_a_time", limit)
    assert found.baseline.outside
    assert found.baseline.status == "run"
    assert "expansion=1" in labels(found)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["design: one_at_a_time"], "no arm beside the baseline"),
        ([f"factors: {{{EXPANSION}}}", "design: one_at_a_time", "constraints: {macs: {max: 20}}"], "no arm can run"),
        (["constraints: {macs: {max: 20}}"], "the network breaks its own constraint"),
        (["constraints: {macs: {min: 9, max: 2}}"], "above max"),
        (
            ['factors: {groups: {path: "network.stages[*].block.groups", levels: [3]}}', "design: one_at_a_time"],
            "the arm groups=3 is impossible: .* 3 groups",
        ),
        (
            [
                "factors:",
                '  batch: {path: "train.batch_size", levels: [8]}',
                '  lr: {path: "train.optimizer.lr", levels: [1], when: {batch: [8]}}',
                "design: one_at_a_time",
            ],
            "never meets its own 'when'",
        ),
        (['factors: {lr: {path: "train.optimizer.lr", range: {low: 0.1, high: 1}}}', "design: factorial"], "no end of"),
        (["design: {kind: one_at_a_time, seeds: [1000]}"], "less than 1000"),
        (["design: {kind: serach, trials: 3}"], "did you mean 'search'"),
        (
            ['factors: {e: {path: "train.epochs", levels: [1]}}', "design: one_at_a_time"],
            "no level beside the baseline's",
        ),
        (["design: {kind: search, trials: 8, seeds: 3}"], "trials is 8, but with 3 seeds an arm it is a multiple of 3"),
        (["design: {kind: search, trials: 5, seeds: 6}"], "12 or more"),
        (["confirm: {finalists: 0}"], "greater than or equal to 1"),
    ],
)
def test_refusals(lines: list[str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        plan(*lines)
    assert str(caught.value).startswith("study.yaml:")


@pytest.mark.parametrize("design", ["design: {kind: train}", "design: {kind: search, trials: 8}"])
def test_a_confirm_phase_too_short_for_a_schedule_is_refused_before_anything_is_trained(design: str) -> None:
    base = BASE.replace("epochs: 1,", "epochs: 5, schedule: {kind: cosine, warmup_epochs: 2},")
    factors = 'factors: {w: {path: "network.stages[*].width", levels: [6, 12]}}' if "search" in design else ""
    plan(factors, design, "confirm: {epochs: 2}", base=base)
    with pytest.raises(InputError, match="can't be confirmed with epochs 1: the schedule counts") as caught:
        plan(factors, design, "confirm: {epochs: 1}", base=base)
    assert "confirm.epochs: the arm baseline" in str(caught.value)


def test_a_factorial_marks_impossible_combinations_as_rejected() -> None:
    found = plan(
        "factors:",
        '  groups: {path: "network.stages[*].block.groups", levels: [1, 3]}',
        '  width: {path: "network.stages[*].width", levels: [8, 12]}',
        "design: factorial",
    )
    assert [row.label for row in found.rows if row.status == "rejected"] == ["groups=3", "groups=3, width=8"]
    assert "groups=3, width=12" in labels(found)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("width: 8}", "width: 0}"),
        ("width: 8}", "width: true}"),
        ("expansion: 4}, depth: 1, width: 8", "expansion: 4, groups: 3}, depth: 1, width: 8"),
    ],
)
def test_an_impossible_baseline_is_refused_in_its_place(change: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(base=BASE.replace(change, complaint, 1))
    assert str(caught.value).startswith("study.yaml:6:")


def test_drawing_covers_the_space_and_keeps_to_it() -> None:
    import random

    found = plan(
        "factors:",
        '  depth: {path: "network.stages[each].depth", range: {low: 1, high: 3}}',
        '  lr: {path: "train.optimizer.lr", range: {low: 0.01, high: 1, log: true}}',
        f"  {BLOCK}",
        "design: {kind: search, trials: 5}",
    )
    generator = random.Random(1)
    drawn = [found.space.columns(draw(found.space, generator)) for _ in range(300)]
    assert {row["depth[0]"] for row in drawn} == {"1", "2", "3"}
    assert {row["block"] for row in drawn} == {"baseline", "basic", "se"}
    rates = sorted(float(row["lr"]) for row in drawn)
    assert 0.01 <= rates[0] <= rates[-1] <= 1
    assert 0.05 < rates[150] < 0.2  # the median of a log-uniform draw is near the geometric mean, 0.1


def test_difference_lists_what_an_arm_changes() -> None:
    found = plan("factors:", f"  {EXPANSION}", "design: one_at_a_time")
    rows = difference(found.baseline.configuration, found.rows[1].configuration)
    assert rows == [{"path": f"network.stages[{stage}].block.expansion", "baseline": 4, "arm": 1} for stage in range(2)]
