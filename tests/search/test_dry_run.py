"""The plan on paper: through the real command line, and on arms and paces made up for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from blocks.source import InputError
from reports.planned import planned_effects
from search.dry_run import SHOWN, _of_design
from search.estimate import estimate
from search.pilot import Noise, noise
from search.plan import Plan
from search.planned import planned_trials
from search.power import Statistics, power_lines
from search.run import _statistics
from search.train.pace import Pace
from tests.reports.evidence import findable
from tests.search.command import SEARCH, STUDY, write_study
from tests.search.conftest import Command
from tests.search.studies import plan

TUNED = STUDY + "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 3}\n"
WHOLE = TUNED + "fidelity: {arms: 5, epochs: [1, 3]}\nmargin: 0.02\npower: {effect: 0.01, sd: 0.008}\n"

LINES = [
    'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]}}',
    "design: {kind: one_at_a_time, seeds: 5}",
]


def statistics() -> Statistics:
    """Returns arithmetic that a reader can follow."""
    return Statistics(
        lambda sd, pairs, level: sd * 10 / pairs,
        lambda effect, sd, level: round(10 * sd / effect),
        lambda margin, sd: round(20 * sd / margin),
        planned_effects,
    )


def said(found: Plan, directory: Path) -> str:
    return "\n".join(power_lines(found, directory, statistics()))


def test_it_tells_all_that_is_to_be_known_and_records_nothing(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_study(tmp_path, WHOLE)
    assert inline("study.yaml", "--dry-run") == 0
    out = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]
    assert "trials: 15 tune + 20 explore + 10 fidelity + 6 confirm = 51; fewer where" in out
    assert re.search(r"a training step here, .* in it: ([\d.]+ ms at [\d,]+ MACs(, )?){3}\n", out)
    assert re.search(r"time: about .* on \d+ workers? like this machine's: tune .*, explore .*, fidelity .*, con", out)
    assert "smallest detectable effect: " in out
    assert "its SD: 0.80 points, the study's own guess" in out
    assert re.search(r"to detect 1.00 points: \d+ seeds", out)
    assert re.search(r"to show equality within the margin of 2.00 points, where there is none: \d+ seeds", out)


@pytest.mark.slow
def test_a_search_tells_what_share_of_its_space_can_run_and_why_the_rest_cannot(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = SEARCH.replace("depth: 1, width: 4", "depth: 1, width: 16").replace(
        "depth: 1, width: 8", "depth: 1, width: 32"
    )
    write_study(tmp_path, wide + "constraints: {macs: {max: 1e6}}\n")
    assert inline("study.yaml", "--dry-run") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("space: "))
    share = re.fullmatch(
        r"space: (\d+) of 200 \((\d+)%\) random draws can run; (\d+) macs above the limit of 1,000,000", line
    )
    assert share is not None, line
    assert int(share[1]) + int(share[3]) == 200


@pytest.mark.slow
def test_many_arms_fit_on_a_page(tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]) -> None:
    levels = ", ".join(str(level) for level in range(5, 55))
    write_study(
        tmp_path,
        STUDY.replace("levels: [1, 6]", f"levels: [{levels}]").replace(", match: {cost: macs, tolerance: 0.08}", ""),
    )
    assert inline("study.yaml", "--dry-run") == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) < 50
    assert f"... and {51 - SHOWN} more in between" in out
    assert "51 arms = 51 run + 0 rejected + 0 duplicate" in out


def test_the_noise_is_the_runs_own_then_the_named_runs_then_the_guess(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "arms.json").write_text(json.dumps({"baseline": "a"}))
    scores = {"a": (0.50, 0.60, 0.55), "b": (0.52, 0.60, 0.56), "c": (0.40, 0.53, 0.49)}
    lines = [f"{arm},{seed},explore,completed,{score}" for arm in scores for seed, score in enumerate(scores[arm])]
    lines += ["b,1000,confirm,completed,0.9", "c,3,explore,diverged,", "a,1000000,tune,completed,0.1"]
    (run / "results.csv").write_text("\n".join(["arm,seed,phase,status,val_accuracy", *lines]))
    # b - a: 0.02, 0, 0.01, SD 0.01; c - a: -0.10, -0.07, -0.06, SD 0.0208; root mean square 0.01633.
    assert noise(run) == Noise(pytest.approx(0.0163299, rel=1e-5), 2, 3)
    told = f"its SD: 1.63 points, as the run in {run} shows (2 arms beside the baseline, 3 seeds)"
    assert told in said(plan(*LINES, "power: {sd: 0.5}"), run)
    assert told in said(plan(*LINES, f"power: {{run: {run}, sd: 0.5}}"), tmp_path / "no")
    assert "its SD: 50.00 points, the study's own guess" in said(plan(*LINES, "power: {sd: 0.5}"), tmp_path / "no")
    assert "its SD is not known yet" in said(plan(*LINES), tmp_path / "no")


def test_a_run_that_tells_nothing_is_refused_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"study.yaml:11:14: power.run: '.*nowhere' is no run directory"):
        said(plan(*LINES, f"power: {{run: {tmp_path / 'nowhere'}}}"), tmp_path / "none")


FACTORIAL = [
    'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2]},'
    ' se: {path: "network.stages[*].block.attention", levels: [se]}}',
    "power: {sd: 0.01, effect: 0.01}",
]


def test_a_factorials_power_is_that_of_its_main_effects_in_the_pages_family(tmp_path: Path) -> None:
    found = plan(*FACTORIAL, "design: {kind: factorial, seeds: 5}")
    lines = list(power_lines(found, tmp_path / "no", _statistics()))
    family = "with 5 seeds and a family of 5: 3 main effects, 2 interaction steps (80% power, two-sided 5% over all of"
    for line, factor, settings in zip(lines, ("expansion", "se"), (2, 3), strict=False):
        size = findable(5, 0.05 / 5) / settings**0.5
        told = f"smallest detectable main effect of {factor}: {size:.2f} points, {size:.2f} SDs of a paired difference"
        assert line.startswith(f"{told}, {family}")
    matched = plan(*FACTORIAL, "design: {kind: factorial, seeds: 5, match: {cost: macs, tolerance: 0.2}}")
    assert "a family of 8: 3 main effects, 3 at equal cost, 2 interaction steps" in said(matched, tmp_path / "no")


def test_it_prints_what_a_fraction_can_tell_why_draws_were_rejected_and_what_a_range_stands_for() -> None:
    factors = ", ".join(
        f"{name}: {{path: {path}, levels: [{level}]}}"
        for name, path, level in (
            ("a", '"network.stages[*].block.attention"', "se"),
            ("b", '"network.stages[*].block.activation"', "silu"),
            ("c", "train.label_smoothing", "0.1"),
        )
    )
    regular = plan(f"factors: {{{factors}}}", "design: {kind: factorial, fraction: {resolution: 3}}")
    assert list(_of_design(regular)) == [
        "fraction: 4 of 8 combinations, of resolution 3",
        "aliases, which it can't tell apart: a with b:c; b with a:c; c with a:b",
    ]
    fraction = "{d_optimal: 6, interactions: [[a, b]]}"
    first, second = _of_design(plan(f"factors: {{{factors}}}", f"design: {{kind: factorial, fraction: {fraction}}}"))
    assert re.fullmatch(r"fraction: 6 of 8 combinations, D-efficiency 0\.\d\d \(1 is that of all .+\)", first)
    assert second == "it tells a, b, c, a:b, if all other interactions are nothing"
    width = 'factors: {width: {path: "network.stages[0].width", range: {low: 4, high: 16, step: 4}}}'
    assert list(_of_design(plan(width, "design: factorial"))) == [
        "factor width: its range counts as the levels 4, 8, 12, 16"
    ]
    width = width.replace("high: 16", "high: 48")
    lines = [width, "design: {kind: population, arms: 2}"]
    cheapest = sorted(arm.cost.macs for arm in plan(width, "design: factorial").arms.values() if arm.cost)
    (line,) = _of_design(plan(*lines, f"constraints: {{macs: {{max: {cheapest[1]}}}}}"))
    drawn = re.fullmatch(
        r"space: 2 of (\d+) \(\d+%\) random draws were accepted; (\d+) macs above the limit of [\d,]+"
        r"(?:; (\d+) drawn before)?",
        line,
    )
    assert drawn is not None, line
    assert int(drawn[1]) == 2 + int(drawn[2]) + int(drawn[3] or 0)


@pytest.mark.parametrize(
    ("line", "place"), [("power: {effect: 2}", "11:17"), ("power: {sd: 0}", "11:13"), ("power: {efect: 1}", "11:9")]
)
def test_bad_power_is_refused_at_its_place(line: str, place: str) -> None:
    with pytest.raises(InputError, match=rf"study.yaml:{place}: power"):
        plan(*LINES, line)


def test_the_time_adds_up_over_phases_and_scales_with_macs(monkeypatch: pytest.MonkeyPatch) -> None:
    def pace(network: object, recipe: object, shape: object, limits: object, device: str) -> Pace:
        return Pace(1e-3, 1e-4)

    monkeypatch.setattr("search.train.pace.pace", pace)
    found = plan(*LINES, "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 4}")
    estimated = estimate(found, list(found.arms.values()))
    assert estimated is not None
    # 120 images: 24 for validation, 24 for test, 72 to train on, for an epoch.
    trial = 72e-3 + 24e-4
    planned = planned_trials(found)
    assert estimated.trial == pytest.approx((trial,) * 3)
    assert estimated.phases == pytest.approx(
        {**{phase: count * trial for phase, count in planned.items()}, "test": planned["confirm"] * 24e-4}
    )
    assert estimated.evaluation == pytest.approx(sum(planned.values()) * 24e-4 + planned["confirm"] * 24e-4)
