"""Short runs against full ones: a sample spread over the cost, trained both ways on fresh seeds, kept on resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocks.source import InputError
from search.arms import Arm
from search.phases import FIRST_FIDELITY_SEED
from search.plan import Plan
from search.planned import planned_trials
from search.record import Record
from search.session import Session
from search.trial import Job
from tests.search.command import arms, rows
from tests.search.studies import BASE, plan, study
from tests.search.test_session import reply, session

WIDTHS = 'factors: {width: {path: "network.stages[*].width", levels: [8, 12, 16, 20, 24, 28, 32, 36]}}'
LINES = [WIDTHS, "design: {kind: one_at_a_time, seeds: 2}", "confirm: {finalists: 1, seeds: 1}"]
CHECK = "fidelity: {arms: 5, epochs: [1, 4], seeds: 2}"
SEEDS = [FIRST_FIDELITY_SEED, FIRST_FIDELITY_SEED + 1]


def explored(found: Plan, record: Record, directory: Path, runner: Any = None) -> Session:
    """Runs the explore phase and the check."""
    made = session(found, directory, record, runner)
    made._phase("explore", made._explore_queue())
    made._check_short_runs(found.fidelity)
    return made


def by_cost(found: Plan) -> list[str]:
    def macs(arm: Arm) -> int:
        assert arm.cost is not None
        return arm.cost.macs

    return [arm.arm for arm in sorted(found.arms.values(), key=macs)]


def test_the_sample_has_one_arm_of_every_quantile_of_the_cost() -> None:
    for count in (5, 9):
        found = plan(*LINES, f"fidelity: {{arms: {count}, epochs: [1, 4]}}")
        assert found.fidelity is not None
        ordered = by_cost(found)
        assert len(ordered) == 9
        sample = found.fidelity.sample([])
        places = [ordered.index(arm) for arm in sample]
        assert places == sorted(places)
        ends = [9 * number // count for number in range(count + 1)]
        assert all(low <= place < high for low, place, high in zip(ends, places, ends[1:], strict=False))


def test_of_few_arms_all_are_taken() -> None:
    found = plan(*LINES, "fidelity: {epochs: [1, 4]}")
    assert found.fidelity is not None
    assert found.fidelity.sample([]) == by_cost(found)


def test_arms_of_an_earlier_sample_stay_and_the_emptiest_quantile_is_filled_first() -> None:
    few, more = (plan(*LINES, f"fidelity: {{arms: {count}, epochs: [1, 4]}}") for count in (5, 8))
    assert few.fidelity is not None
    assert more.fidelity is not None
    sample = few.fidelity.sample([])
    grown = more.fidelity.sample(sample)
    assert set(sample) < set(grown)
    assert len(grown) == 8
    cheapest = by_cost(few)[:5]
    assert set(few.fidelity.sample(cheapest)) == set(cheapest)
    filled = more.fidelity.sample(cheapest)
    assert len(set(filled) - set(cheapest)) == 3
    assert filled[-1] in by_cost(few)[-3:]


def test_what_is_planned_is_run_and_a_resumed_check_has_the_same_arms(tmp_path: Path) -> None:
    found, again = plan(*LINES, CHECK), plan(*LINES, CHECK)
    lengths: dict[str, int] = {}

    def runner(job: Job, splits: Any, device: str) -> dict[str, Any]:
        lengths[job.name] = job.configuration["train"]["epochs"]
        return reply(job)

    with Record(tmp_path) as record:
        explored(found, record, tmp_path, runner).write()
        count = len(record.entries)
        explored(again, record, tmp_path, runner).write()
        assert len(record.entries) == count
        names = [entry["trial"] for entry in record.entries if entry.get("phase") == "fidelity" and "trial" in entry]
    planned = planned_trials(found)["fidelity"]
    table = arms(tmp_path)["fidelity"]
    told = [(length, name) for row in table["arms"] for length in ("short", "full") for name in row[length]["trials"]]
    ran = {row["trial"] for row in rows(tmp_path / "results.csv") if row["phase"] == "fidelity"}
    assert planned == len(told) == len(ran) == 5 * 2 * 2
    assert {name for _, name in told} == ran == set(names)
    assert all(lengths[name] == {"short": 1, "full": 4}[length] for length, name in told)


def test_arms_json_says_what_was_trained_both_ways(tmp_path: Path) -> None:
    found = plan(*LINES, CHECK)
    with Record(tmp_path) as record:
        explored(found, record, tmp_path).write()
    content = arms(tmp_path)
    table = content["fidelity"]
    assert (table["epochs"], table["seeds"]) == ([1, 4], SEEDS)
    derived = {each["arm"]: each for each in content["derived"]}
    for row in table["arms"]:
        short, full = row["short"], row["full"]
        assert short["arm"] == row["arm"]  # the recipe's own length: no configuration beside the arm
        other = derived[full["arm"]]
        assert (other["of"], other["role"], other["changes"]) == (row["arm"], "fidelity", {"train.epochs": 4})
        for length in (short, full):
            assert length["trials"] == [f"{length['arm']}-s{seed}" for seed in SEEDS]


def test_a_search_samples_the_arms_that_it_found(tmp_path: Path) -> None:
    found = plan(WIDTHS, "design: {kind: search, sampler: random, trials: 7}", CHECK)
    with Record(tmp_path) as record:
        explored(found, record, tmp_path).write()
    assert {row["arm"] for row in arms(tmp_path)["fidelity"]["arms"]} <= set(found.arms)
    ran = [row for row in rows(tmp_path / "results.csv") if row["phase"] == "fidelity"]
    assert len(ran) == planned_trials(found)["fidelity"] == 20


def test_arms_of_a_search_that_are_too_short_for_their_own_warm_up_are_left_out_and_told(tmp_path: Path) -> None:
    warm_up = (
        'factors: {warm_up: {path: "train.schedule.warmup_epochs", levels: [0, 1, 2, 3, 5]},'
        ' width: {path: "network.stages[*].width", levels: [8, 16, 24]}}'
    )
    lines = [warm_up, "design: {kind: search, sampler: random, trials: 12}", "fidelity: {arms: 6, epochs: [2, 8]}"]
    found = plan(*lines, base=BASE.replace("epochs: 1", "epochs: 8"))
    with Record(tmp_path) as record:
        explored(found, record, tmp_path).write()
        notes = [entry["text"] for entry in record.entries if entry["event"] == "warning"]
    long = {arm.arm for arm in found.arms.values() if arm.levels["warm_up"] in {"3", "5"}}
    assert long
    assert not long & {row["arm"] for row in arms(tmp_path)["fidelity"]["arms"]}
    assert [note.split(" can't be trained")[0] for note in notes] == [f"fidelity: {len(long)} arms"]


@pytest.mark.parametrize(
    ("lines", "place", "message"),
    [
        (["fidelity: {epochs: [4, 1]}"], "11:11", "the short length and then the full one, not [4, 1]"),
        (["fidelity: {epochs: [4, 4]}"], "11:11", "the short length and then the full one, not [4, 4]"),
        (["fidelity: {epochs: [4]}"], "11:20", "fidelity.epochs[1]: this field is required"),
        (["fidelity: {epochs: [0, 4]}"], "11:21", "greater than or equal to 1"),
        (
            ["fidelity: {arms: 4, epochs: [1, 4]}"],
            "11:18",
            "arms: whether two rankings agree can't be told of 4",
        ),
        (["fidelity: {arms: 5}"], "11:11", "epochs: this field is required"),
        (["fidelity: {epoch: [1, 4]}"], "11:12", "did you mean 'epochs'"),
        (["fidelity: {epochs: [1, 4], seeds: 0}"], "11:35", "greater than or equal to 1"),
        (["design: train"], "9:1", "one arm has no ranking"),
        (["design: {kind: search, trials: 2}"], "9:1", "at least 5 arms"),
        (["design: one_at_a_time", "factors: {w: {path: train.epochs, levels: [2]}}"], "9:1", "the factor w varies"),
        (
            ["design: one_at_a_time", 'factors: {w: {path: "network.stages[*].width", levels: [8]}}'],
            "9:1",
            "at least 5 arms that run, and the design has 2",
        ),
    ],
)
def test_bad_checks_are_refused_at_their_place(lines: list[str], place: str, message: str) -> None:
    given = [*LINES[:2], *lines] if lines[0].startswith("fidelity") else ["fidelity: {epochs: [1, 4]}", *lines]
    with pytest.raises(InputError) as caught:
        Plan(study(*given))
    text = str(caught.value)
    assert text.startswith(f"study.yaml:{place}: "), text
    assert message in text


def test_a_listed_arm_that_is_too_short_for_its_own_warm_up_is_refused() -> None:
    factors = 'factors: {warm_up: {path: "train.schedule.warmup_epochs", levels: [0, 1, 2, 3, 4]}}'
    lines = [factors, "design: one_at_a_time", "fidelity: {epochs: [2, 8]}"]
    with pytest.raises(
        InputError, match=r"11:21: fidelity.epochs\[0\]: the arm warm_up=3 can't be trained for 2 epochs"
    ):
        plan(*lines, base=BASE.replace("epochs: 1", "epochs: 8"))
