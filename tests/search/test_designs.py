"""Designs: which arms they list, what they say of them, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from blocks.source import InputError
from search.additions import added
from search.designs.base import DESIGNS
from search.fraction import MAX_CELLS, aliases, d_optimal, efficiency, regular
from search.plan import Plan
from search.resume import StudyChanged, check_resumable
from tests.search.studies import plan

RECIPE = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network:
  stem: {kind: conv3x3, width: 4}
  stages: [{block: {kind: basic, attention: se}, depth: 1, width: 8}, {block: basic, depth: 1, width: 16, stride: 2}]
train: {epochs: 1, batch_size: 16, optimizer: sgd, label_smoothing: 0.1, augment: {crop: 1, flip: true}}
factors:
  smoothing: {path: train.label_smoothing, off: 0.0, levels: [0.2]}
  augment: {off: {train.augment.crop: 0, train.augment.flip: false}}
  se: {path: "network.stages[0].block.attention", off: none}
"""

TWO_LEVELS = [
    "factors:",
    '  a: {path: "network.stages[0].block.expansion", levels: [2]}',
    '  b: {path: "network.stages[1].block.expansion", levels: [2]}',
    '  c: {path: "network.stages[0].width", levels: [4, 8]}',
    "  d: {path: train.label_smoothing, levels: [0.1]}",
    "  e: {path: train.augment.flip, levels: [true]}",
]

MIXED = [
    "factors:",
    '  expansion: {path: "network.stages[*].block.expansion", levels: [1, 2, 4]}',
    '  width: {path: "network.stages[0].width", levels: [4, 12]}',
    "  smoothing: {path: train.label_smoothing, levels: [0.1]}",
    "  flip: {path: train.augment.flip, levels: [true]}",
]

RANGES = [
    "factors:",
    '  depth: {path: "network.stages[each].depth", range: {low: 1, high: 3}}',
    '  width: {path: "network.stages[*].width", range: {low: 4, high: 16, step: 4}}',
    "  lr: {path: train.optimizer.lr, range: {low: 0.01, high: 1.0, log: true}}",
    '  block: {path: "network.stages[*].block", levels: [basic]}',
]


def running(made: Plan) -> list[str]:
    return [row.label for row in made.rows if row.status == "run"]


# Leave one out


def test_leave_one_out_takes_each_part_off_the_full_recipe() -> None:
    made = plan("design: leave_one_out", base=RECIPE)
    assert running(made) == ["baseline", "smoothing=off", "augment=off", "se=off"]
    train = made.rows[1].configuration.train
    assert (train.label_smoothing, train.augment.flip) == (0.0, True)
    assert made.rows[2].configuration.train.augment.crop == 0
    assert made.baseline.levels == {"smoothing": "0.1", "augment": "on", "se": "se"}
    assert made.rows[1].levels == {"smoothing": "off", "augment": "on", "se": "se"}


def test_add_one_in_starts_from_the_bare_recipe() -> None:
    made = plan("design: {kind: leave_one_out, add_one_in: true}", base=RECIPE)
    assert [row.label for row in made.rows[4:]] == ["bare", "bare + smoothing", "bare + augment", "bare + se"]
    off = [{part for part, level in row.levels.items() if level == "off"} for row in made.rows[4:]]
    every = {"smoothing", "augment", "se"}
    assert off == [every, every - {"smoothing"}, every - {"augment"}, every - {"se"}]


def test_off_is_one_more_level_to_other_designs() -> None:
    made = plan("design: one_at_a_time", base=RECIPE)
    assert running(made) == ["baseline", "smoothing=0.2", "smoothing=off", "augment=off", "se=off"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("off: none}", "levels: [none]}", "factors.se: leave_one_out takes parts off: say by 'off'"),
        ("off: none}", "off: se}", "factors.se.off: the baseline is without it already"),
        ("off: 0.0", "off: 0.1", "factors.smoothing.off: the baseline is without it already"),
        ("off: 0.0", "off: none", "factors.smoothing.off: level 'off' is not possible"),
        ("off: {train.augment.crop", "off: {train.augmnt.crop", "factors.augment.off.train.augmnt.crop"),
        ("off: 0.0, levels: [0.2]", "off: 0.0, range: {low: 0, high: 0.2}", "not beside range"),
        ("off: {train.augment.crop: 0, train.augment.flip: false}", "off: 0", "this factor needs a path"),
        ("levels: [0.2]}", "levels: {off: 0.2}}", "a level is named 'off', and 'off' is given beside it"),
        ("off: none}", "off: none, when: {smoothing: [off]}}", "the baseline doesn't meet this 'when'"),
    ],
)
def test_what_can_not_be_taken_off(old: str, new: str, complaint: str) -> None:
    assert old in RECIPE
    with pytest.raises(InputError) as caught:
        plan("design: leave_one_out", base=RECIPE.replace(old, new, 1))
    assert complaint in str(caught.value)


def test_a_condition_holds_for_named_patches_too() -> None:
    base = RECIPE.replace("augment: {off:", "augment: {when: {smoothing: [0.1]}, off:")
    made = plan("design: factorial", base=base)
    assert len(made.rows) == 2 * (2 + 1 + 1)


# Fractions


@pytest.mark.parametrize(
    ("factors", "resolution", "runs"),
    [(3, 3, 4), (5, 3, 8), (7, 3, 8), (4, 4, 8), (8, 4, 16), (5, 5, 16), (6, 6, 32), (3, 4, 8)],
)
def test_a_regular_fraction_tells_what_its_resolution_says(factors: int, resolution: int, runs: int) -> None:
    found = regular(factors, resolution)
    assert len(found) == len(set(found)) == runs
    assert found[0] == (0,) * factors
    signs = 1 - 2 * np.array(found)
    assert not signs.sum(axis=0).any()
    words = [
        size
        for size in range(1, factors + 1)
        for term in itertools.combinations(range(factors), size)
        if abs(signs[:, term].prod(axis=1).sum()) == runs
    ]
    assert min(words, default=resolution) >= resolution
    chains = aliases(found, "abcdefgh"[:factors])
    mains = [name for chain in chains for name in chain if ":" not in name]
    assert bool(mains) == (resolution == 3 and factors < 2 * runs)
    assert bool(chains) == (resolution < 5 and runs < 2**factors)


@pytest.mark.parametrize(
    ("levels", "runs", "interactions"),
    [([3, 2, 2], 7, []), ([3, 2, 2, 3], 12, [(0, 1)]), ([2] * 5, 8, []), ([2] * 4, 12, [(0, 1), (2, 3)])],
)
def test_a_d_optimal_fraction_beats_random_ones(
    levels: list[int], runs: int, interactions: list[tuple[int, ...]]
) -> None:
    from search.fraction import _model_matrix

    found, reached = d_optimal(levels, runs, interactions)
    assert len(found) == len(set(found)) == runs
    assert found[0] == (0,) * len(levels)
    terms = [*((index,) for index in range(len(levels))), *interactions]
    # The efficiency that is told is that of these very runs, whatever their levels were called on the way.
    assert efficiency(_model_matrix(np.array(found), levels, terms)) == pytest.approx(reached)
    cells = np.array(list(itertools.product(*map(range, levels))))
    assert efficiency(_model_matrix(cells, levels, terms)) == pytest.approx(1)
    generator = np.random.default_rng(0)
    drawn = [generator.choice(len(cells), runs, replace=False) for _ in range(200)]
    assert max(efficiency(_model_matrix(cells[some], levels, terms)) for some in drawn) <= reached + 1e-9 <= 1 + 2e-9


def test_the_arms_are_the_runs_of_the_fraction_and_the_baseline_is_one() -> None:
    made = plan(*TWO_LEVELS, "design: {kind: factorial, fraction: {resolution: 3}}")
    assert len(running(made)) == 8
    assert running(made)[0] == "baseline"
    fraction = made.facts["fraction"]
    assert {key: fraction[key] for key in ("kind", "resolution", "runs")} == {
        "kind": "resolution",
        "resolution": 3,
        "runs": 8,
    }
    assert {name for chain in fraction["aliases"] for name in chain} >= set("abcde")
    for column in "abcde":
        labels = [row.levels[column] for row in made.rows]
        assert sorted(labels.count(label) for label in set(labels)) == [4, 4]


def test_a_d_optimal_fraction_says_how_good_it_is_and_what_it_tells() -> None:
    design = "design: {kind: factorial, fraction: {d_optimal: 12, interactions: [[expansion, width]]}}"
    made = plan(*MIXED, design)
    assert len(running(made)) == 12
    fraction = made.facts["fraction"]
    assert fraction["terms"] == [["expansion"], ["width"], ["smoothing"], ["flip"], ["expansion", "width"]]
    assert 0.8 < fraction["efficiency"] <= 1
    assert plan(*MIXED, "design: factorial").facts["fraction"] == {"kind": "full"}


@pytest.mark.parametrize(
    ("lines", "fraction", "complaint"),
    [
        (MIXED, "{resolution: 4}", "factors.expansion: a fraction by resolution takes factors of two levels"),
        (MIXED, "{d_optimal: 6}", "design.fraction: 6 runs can't tell 7 numbers"),
        (MIXED, "{d_optimal: 36}", "design.fraction: 36 runs of 36 combinations are no fraction"),
        (MIXED, "{d_optimal: 12, interactions: [[flip, wdith]]}", "interactions[0]: there is no factor 'wdith'"),
        (MIXED, "{d_optimal: 12, interactions: [[flip, flip]]}", "an interaction is of different factors"),
        (MIXED, "{d_optimal: 12, interactions: [[flip]]}", "design.fraction.interactions[0]"),
        (MIXED, "{d_optimal: 12, resolution: 3}", "either a resolution or a number of d_optimal runs"),
        (MIXED, "{resolution: 3, interactions: [[flip, width]]}", "only d_optimal takes a list of them"),
        (TWO_LEVELS, "{resolution: 2}", "design.fraction.resolution"),
        (TWO_LEVELS[:2], "{resolution: 3}", "a fraction is one of two factors or more"),
        (
            [*TWO_LEVELS[:3], *(line.replace("}", ", when: {a: [2]}}") for line in TWO_LEVELS[3:4])],
            "{resolution: 3}",
            "factors.c.when: a fraction leaves no cell out",
        ),
        (
            [*TWO_LEVELS, "constraints: {macs: {min: 90e3}}"],
            "{resolution: 3}",
            "a fraction needs every one of its runs",
        ),
    ],
)
def test_what_is_no_fraction(lines: list[str], fraction: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(*lines, f"design: {{kind: factorial, fraction: {fraction}}}")
    assert complaint in str(caught.value)


def test_too_many_cells_are_not_searched() -> None:
    with pytest.raises(ValueError, match=f"too many to choose from; {MAX_CELLS} at most"):
        d_optimal([8, 8, 9], 30, [])


# Populations


def population(arms: int, *rest: str, more: str = "") -> Plan:
    return plan(*RANGES, f"design: {{kind: population, arms: {arms}{more}}}", *rest)


def test_a_population_is_a_random_sample_that_more_arms_leave_as_it_is() -> None:
    few, many, again = population(10), population(30), population(30)
    assert [row.arm for row in many.rows] == [row.arm for row in again.rows]
    assert [row.arm for row in many.rows[:11]] == [row.arm for row in few.rows]
    assert {row.status for row in many.rows} == {"run"}
    (space,) = many.facts["spaces"]
    assert len(set(space["arms"])) == space["accepted"] == 30
    assert space["drawn"] == space["accepted"] + space["rejected"] + space["repeated"]
    assert population(10, more=", sampler_seed: 1").facts["spaces"][0]["arms"] != space["arms"][:10]


def test_every_value_of_a_range_is_drawn_as_often_as_any_other() -> None:
    made = plan(
        "factors:",
        '  depth: {path: "network.stages[0].depth", range: {low: 1, high: 4, log: true}}',
        "  lr: {path: train.optimizer.lr, range: {low: 0.1, high: 1.0}}",
        "design: {kind: population, arms: 400}",
    )
    rates = np.array([row.configuration.train.optimizer.plain()["lr"] for row in made.rows[1:]])
    # Kolmogorov's distance from the uniform distribution: over 0.081 in 1% of samples of 400.
    assert np.abs(np.sort(rates) - (0.1 + 0.9 * (np.arange(400) + 0.5) / 400)).max() / 0.9 < 0.081
    depths = [row.configuration.network.stages[0].depth for row in made.rows[1:]]
    expected = np.diff(np.log([0.5, 1.5, 2.5, 3.5, 4.5])) / np.log(9)
    counts = np.array([depths.count(depth) for depth in (1, 2, 3, 4)])
    assert ((counts - 400 * expected) ** 2 / (400 * expected)).sum() < 11.3  # chi-squared, 3 degrees, 1%


def test_a_population_keeps_to_its_cost_band() -> None:
    made = population(12, "constraints: {macs: {min: 60e3, max: 200e3}}")
    (space,) = made.facts["spaces"]
    assert all(60e3 <= made.arms[arm].cost.macs <= 200e3 for arm in space["arms"])  # type: ignore[union-attr]
    assert made.facts["cost_band"] == {"cost": "macs", "min": 60e3, "max": 200e3}
    assert space["rejected"] > 0
    assert made.facts["acceptance"] == {"drawn": space["drawn"], "accepted": 12}


def test_each_space_is_sampled_by_itself_and_may_share_arms() -> None:
    spaces = ", spaces: {basic: {block: [basic]}, shallow: {depth: {high: 1}, width: {low: 8, high: 8}}}"
    few, many = population(4, more=spaces), population(9, more=spaces)
    for small, large in zip(few.facts["spaces"], many.facts["spaces"], strict=True):
        assert large["arms"][:4] == small["arms"]
    basic, shallow = ([many.arms[arm].configuration.network for arm in each["arms"]] for each in many.facts["spaces"])
    assert {stage.block.kind for network in basic for stage in network.stages} == {"basic"}
    assert {(stage.depth, stage.width) for network in shallow for stage in network.stages} == {(1, 8)}


def test_regnets_are_a_population_through_their_generator() -> None:
    base = """\
name: tiny
data: {kind: synthetic, image_size: 16, channels: 3, num_classes: 4, images: 120}
network: {generate: {kind: regnet, depth: 4, w_0: 8, w_a: 8, w_m: 2, group_width: 4}, stem: {kind: conv3x3, width: 8}}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors:
  depth: {path: network.generate.depth, range: {low: 2, high: 6}}
  w_a: {path: network.generate.w_a, range: {low: 2.5, high: 24.5}}
  group_width: {path: network.generate.group_width, levels: [2, 4, 8]}
"""
    spaces = "{fine: {group_width: [2]}, coarse: {group_width: [8]}}"
    made = plan(f"design: {{kind: population, arms: 8, spaces: {spaces}}}", base=base)
    for found, groups in zip(made.facts["spaces"], (2, 8), strict=True):
        assert len(found["arms"]) == 8
        networks = [made.arms[arm].configuration.network for arm in found["arms"]]
        assert {stage.block.plain()["group_width"] for network in networks for stage in network.stages} == {groups}


@pytest.mark.parametrize(
    ("more", "rest", "complaint"),
    [
        ("", "constraints: {macs: {max: 5}}", "constraints: none of 1,000 random arms of the space can run"),
        (", spaces: {a: {blok: [basic]}}", "", "design.spaces.a.blok: there is no factor 'blok' to draw"),
        (", spaces: {a: {block: [bsic]}}", "", "design.spaces.a.block: 'bsic' is no level of block"),
        (", spaces: {a: {depth: [1]}}", "", "design.spaces.a.depth: depth[0] has a range"),
        (", spaces: {a: {block: {low: 1}}}", "", "design.spaces.a.block: block has levels"),
        (", spaces: {a: {width: {low: 2}}}", "", "design.spaces.a.width: 2 to 16 is no part of 4 to 16"),
        (", spaces: {a: {width: {low: 5, high: 7}}}", "", "no number of the range lies from 5 to 7"),
        (", spaces: {a: {width: 4}}", "", "a space keeps some of a factor's levels"),
        (", spaces: {}", "", "design.spaces"),
        (", match: macs", "", "compared under one cost band (constraints), not by a match"),
    ],
)
def test_what_is_no_population(more: str, rest: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        population(8, rest, more=more)
    assert complaint in str(caught.value)


def test_a_space_with_fewer_arms_than_are_asked_for() -> None:
    with pytest.raises(InputError, match=r"design.arms: only 3 different arms of the space can run"):
        plan(
            *RANGES[:1],
            '  depth: {path: "network.stages[*].depth", range: {low: 1, high: 3}}',
            "design: {kind: population, arms: 9}",
        )


def test_arms_chosen_adaptively_can_not_tell_spaces_apart() -> None:
    with pytest.raises(InputError, match=r"design: arms that are chosen in the light of others are no random sample"):
        plan(*RANGES, "design: {kind: search, trials: 10, spaces: {a: {block: [basic]}}}")


# All


def test_every_design_is_known() -> None:
    assert set(DESIGNS.kinds()) == {
        "factorial",
        "leave_one_out",
        "list",
        "one_at_a_time",
        "population",
        "search",
        "train",
    }


# Going on


def test_a_population_grows_but_is_not_drawn_from_other_factors() -> None:
    before, more = (population(arms).study.spec.plain() for arms in (5, 7))
    check_resumable(before, more)
    assert added(before, more) == ["arms: 7 in place of 5"]
    with pytest.raises(StudyChanged, match=r"design\.arms: was 7, is now 5"):
        check_resumable(more, before)
    wider = plan(*RANGES, "  flip: {path: train.augment.flip, levels: [true]}", "design: {kind: population, arms: 5}")
    with pytest.raises(StudyChanged, match=r"factors\.flip: was not there"):
        check_resumable(before, wider.study.spec.plain())


def test_a_fraction_is_not_that_of_more_factors() -> None:
    design = "design: {kind: factorial, fraction: {resolution: 3}}"
    before, now = (plan(*TWO_LEVELS[:count], design).study.spec.plain() for count in (4, 5))
    with pytest.raises(StudyChanged, match=r"factors\.d: was not there"):
        check_resumable(before, now)
    full = [plan(*TWO_LEVELS[:count], "design: factorial").study.spec.plain() for count in (4, 5)]
    check_resumable(*full)
