"""Searches that stop arms early and race for seeds: the rules by themselves, and sessions that train nothing."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from blocks.source import InputError
from search.arms import Arm
from search.budget import epoch_macs
from search.engine import Inline
from search.explore import Listed, Proposed
from search.interrupts import Interrupts
from search.nondominated import fronts, spread
from search.outputs import latest
from search.plan import Plan
from search.progress import Talk
from search.racing import Runner, contenders, next_seed
from search.record import Record
from search.rungs import EarlyStoppingSpec, Rungs
from search.select import finalists
from search.session import Session
from search.shelf import Shelf
from search.standing import Standing
from search.trial import Job
from search.yardstick import spent
from tests.search.command import rows
from tests.search.studies import BASE, plan

NINE = BASE.replace("epochs: 1", "epochs: 9")
FACTORS = """\
factors:
  depth: {path: "network.stages[each].depth", range: {low: 1, high: 4}}
  width: {path: "network.stages[each].width", levels: [8, 12, 16, 24]}
  kernel: {path: "network.stages[*].block.kernel", levels: [3, 5]}"""
STOPPING = "early_stopping: {eta: 3}"


def searching(*more: str, sampler: str = "evolution", base: str = NINE) -> Plan:
    design = ", ".join(["kind: search", f"sampler: {sampler}", "startup: 4", *more])
    return plan(FACTORS, f"design: {{{design}}}", base=base)


def true(found: Plan, arm: str) -> float:
    """An accuracy that rises with MACs and levels off."""
    cost = found.arms[arm].cost
    assert cost is not None
    return 0.95 - 0.5 * (cost.macs / 1e4) ** -0.5


class Trainer:
    """Trains nothing: accuracies come closer to an arm's own epoch by epoch, and go on from a checkpoint."""

    def __init__(self, found: Plan, stop_after: int = 10**9) -> None:
        self.found, self.jobs, self._left = found, list[tuple[str, int, int | None]](), stop_after

    def __call__(self, job: Job, splits: Any, device: str) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        arm, full = job.name.rpartition("-s")[0], job.configuration["train"]["epochs"]
        begin = int(job.checkpoint or 0)
        end = min(job.until or full, full)
        self.jobs.append((job.name, begin, job.until))
        luck = random.Random(hashlib.sha256(job.name.encode()).digest()).gauss(0, 0.002)
        values = [max(true(self.found, arm) + luck - 0.3 * 0.7**epoch, 0.01) for epoch in range(1, end + 1)]
        epochs = [
            {"epoch": n, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": value, "lr": 0.1}
            for n, value in enumerate(values, 1)
        ]
        reply = {"reason": "", "epochs": epochs, "train_seconds": float(end), "val_images": 10_000, "weights": None}
        return {**reply, "status": "paused" if end < full else "completed", "checkpoint": str(end).encode()}


def explore(found: Plan, directory: Path, stop_after: int = 10**9) -> tuple[Trainer, list[dict[str, Any]], Session]:
    """Runs the explore phase, or a part of it; returns what was trained, and the record."""
    trainer = Trainer(found, stop_after)
    with Record(directory) as record:
        made = Session(
            found,
            directory,
            record,
            lambda: Inline(lambda job: None, runner=trainer),
            Talk(quiet=True),
            Shelf(),
            Interrupts(),
        )
        with contextlib.suppress(KeyboardInterrupt):
            made._phase("explore", made._explore_queue())
        return trainer, record.entries, made


def course(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Returns what a record says happened, without what an interruption leaves behind."""
    kept = [entry for entry in entries if entry["event"] in ("arm", "replicate", "rung", "finished")]
    return [
        (entry["event"], entry.get("trial") or (entry["arm"], entry.get("seed")), entry.get("status")) for entry in kept
    ]


def test_arms_stop_at_rungs_go_on_from_checkpoints_and_a_cut_search_goes_the_same_way(tmp_path: Path) -> None:
    whole, entries, made = explore(searching("trials: 30", STOPPING), tmp_path / "whole")
    ended = made.finished
    assert len(ended) == 30
    reached = Counter(len(entry["epochs"]) for entry in ended.values())
    assert set(reached) == {1, 3, 9}
    assert reached[1] > reached[3] > 0
    assert {(len(entry["epochs"]) < 9) == (entry["status"] == "stopped") for entry in ended.values()} == {True}
    baseline = f"{made.plan.baseline.arm}-s0"
    assert ended[baseline]["status"] == "completed"
    # At every rung: who went on was among the best third of those that had come so far, at some time.
    assert {until for _, _, until in whole.jobs} == {1, 3, None}
    again = [entry["trial"] for entry in entries if entry["event"] == "again"]
    assert again
    begins = {(name, begin) for name, begin, _ in whole.jobs}
    assert len(begins) == len(whole.jobs)  # nothing is trained twice
    stopped = next(entry for entry in ended.values() if entry["status"] == "stopped")
    assert "after epoch" in stopped["reason"]
    assert "best" in stopped["reason"]
    ends = [entry["trial"] for entry in entries if entry["event"] == "finished"]
    assert len(ends) > len(set(ends))  # some were stopped and went on later: they stand where they ended last
    assert list(latest(entries, "finished")) == list(dict.fromkeys(reversed(ends)))[::-1] != list(dict.fromkeys(ends))
    for stop_after in (1, 20, 33):
        cut = tmp_path / f"cut{stop_after}"
        explore(searching("trials: 30", STOPPING), cut, stop_after)
        _, resumed, _ = explore(searching("trials: 30", STOPPING), cut)
        assert course(resumed) == course(entries)
    standing = Standing.read(tmp_path / "whole")
    assert standing.twice == []
    assert [(phase.total, phase.missing) for phase in standing.phases] == [(30, ())]
    (tmp_path / "whole" / "checkpoints").joinpath(f"{stopped['trial']}.pt").unlink()  # costs its time, no more
    more, _, grown = explore(searching("trials: 60", STOPPING), tmp_path / "whole")
    assert len(grown.finished) == 60
    assert {name for name, begin, _ in more.jobs if begin} & set(ended)  # some of the first 30 go on


def test_replicates_go_to_arms_that_may_be_on_the_front(tmp_path: Path) -> None:
    design = ("trials: 40", "seeds: 4", "racing: 0.4")
    _, entries, made = explore(searching(*design), tmp_path / "whole")
    assert len(made.finished) == 40
    seeds = Counter(entry["arm"] for entry in made.finished.values())
    assert set(seeds.values()) >= {1, 2}
    replicated = [arm for arm, count in seeds.items() if count > 1]
    assert all(entry["status"] == "completed" for entry in made.finished.values() if entry["arm"] in replicated)
    scored = made._explored()
    assert set(scored) == {entry["arm"] for entry in made.finished.values() if entry["status"] == "completed"}
    assert 1 < len(replicated) < len(scored)
    assert set(finalists(made.plan, scored)) & set(replicated)
    for stop_after in (5, 45):
        cut = tmp_path / f"cut{stop_after}"
        explore(searching(*design), cut, stop_after)
        _, resumed, _ = explore(searching(*design), cut)
        assert course(resumed) == course(entries)
    phase = Standing.read(tmp_path / "whole").phases[0]
    assert (phase.total, phase.done, phase.missing) == (40, 40, ())
    assert made.planned()["explore"] == 40


@pytest.mark.parametrize(("budget", "limit"), [("epochs", 100), ("macs", 3e10), ("gpu_hours", 0.03)])
def test_a_budget_is_spent_and_not_passed(tmp_path: Path, budget: str, limit: float) -> None:
    found = searching(f"budget: {{{budget}: {limit}}}", STOPPING, "seeds: 3", "racing: 0.2")
    _, entries, made = explore(found, tmp_path)
    spent = {
        "epochs": sum(len(entry["epochs"]) for entry in made.finished.values()),
        "gpu_hours": sum(entry["train_seconds"] for entry in made.finished.values()) / 3600,
        "macs": sum(
            3 * 64 * len(entry["epochs"]) * cost.macs  # of 120 images 72 are trained on, in whole batches of 16
            for entry in made.finished.values()
            if (cost := found.arms[entry["arm"]].cost) is not None
        ),
    }[budget]
    assert 0.8 * limit < spent <= limit * (1.1 if budget == "gpu_hours" else 1.0001)  # hours are a guess beforehand
    explored = [entry for entry in entries if entry["event"] == "explored"]
    assert [entry["trials"] for entry in explored] == [len(made.finished)] == [made.planned()["explore"]]
    assert Standing.read(tmp_path).phases[0].total == len(made.finished)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["trials: 8", "budget: {epochs: 9}"], "not both"),
        (["budget: {epochs: 9}"], "the baseline alone takes 9 epochs, and the budget is 9"),
        (["budget: {macs: 1}"], "the baseline alone takes .* MACs of training, and the budget is 1"),
        (["trials: 8", "objectives: [macs, macs]"], "each objective is named once"),
        (["trials: 1"], "the baseline and one arm take 2"),
        ([], "has neither"),
        (["budget: {epochs: 9, macs: 1e9}"], "not epochs and macs"),
        (["trials: 8", "racing: 0.2"], "seeds is 1"),
        (["trials: 8", "seeds: 2", STOPPING], "add racing: 0.25"),
        (["trials: 8", "early_stopping: {rungs: [3, 9]}"], "a rung at epoch 9 stops nothing"),
        (["trials: 8", "early_stopping: {rungs: [3, 2]}"], "in rising order"),
        (["trials: 8", "early_stopping: {eta: 20}"], "too short for a rung"),
        (["trials: 8", "first: [{widht: 8}]"], "did you mean 'width'"),
        (["trials: 8", "first: [{depth: 9}]"], "goes from 1 to 4"),
        (["trials: 8", "first: [{kernel: 4}]"], "it has 3, 5"),
        (["trials: 8", "first: [{kernel: 5}, {kernel: 5}]"], "the same network as number 1"),
    ],
)
def test_mistakes(more: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        searching(*more)
    assert "study.yaml:" in str(refused.value)


@pytest.mark.parametrize("sampler", ["random", "evolution", "nsga2"])
def test_a_budget_of_macs_is_not_over_with_the_first_arm_that_is_too_dear_and_stays_over(
    tmp_path: Path, sampler: str
) -> None:
    own = searching("budget: {macs: 1e12}").baseline
    assert isinstance(own, Arm)
    budget = 6 * 9 * epoch_macs(searching("trials: 2"), own)
    found = searching(f"budget: {{macs: {budget}}}", sampler=sampler)
    _, entries, made = explore(found, tmp_path)
    assert spent(found, made.finished) > 0.7 * budget
    assert [entry["share"] for entry in entries if entry["event"] == "full"] == [1.0]
    again, _, _ = explore(searching(f"budget: {{macs: {budget}}}", sampler=sampler), tmp_path)
    assert again.jobs == []
    more, _, _ = explore(searching(f"budget: {{macs: {2 * budget}}}", sampler=sampler), tmp_path)
    assert more.jobs


def test_the_baseline_goes_to_its_end_however_little_there_is(tmp_path: Path) -> None:
    found = searching("budget: {epochs: 14}", "early_stopping: {eta: 3, rungs: [1, 3]}")
    _, _, made = explore(found, tmp_path)
    assert made.finished[f"{found.baseline.arm}-s0"]["status"] == "completed"
    assert sum(len(entry["epochs"]) for entry in made.finished.values()) <= 14


def test_random_search_spends_as_many_macs_and_is_no_candidate(tmp_path: Path) -> None:
    found = searching("trials: 20", STOPPING, "compare: random")
    _, _, made = explore(found, tmp_path)
    trials, budget = made._random_trials(), spent(found, made.finished)
    prices = [9 * epoch_macs(found, own) for trial in trials if (own := found.find(trial.arm)) is not None]
    assert len(prices) == len({trial.name for trial in trials}) > 2
    assert sum(prices[:-1]) < budget <= sum(prices)
    assert trials[0].arm == found.baseline.arm
    derived = next(arm for arm in found.derived.values() if arm.role == "random")
    assert not found.label(derived.arm).startswith("baseline")
    usual = found.baseline.levels
    assert f"{found.label(derived.arm)}, ".count("=") == sum(usual[k] != v for k, v in derived.changes.items())
    with Record(tmp_path) as record:
        executor = Inline(lambda job: None, runner=Trainer(found))
        again = Session(found, tmp_path, record, lambda: executor, Talk(quiet=True), Shelf(), Interrupts())
        again._phase("random", Listed(trials, set()))
        assert {trial.arm for trial in trials} - set(found.arms) <= set(found.derived)
        assert set(again._explored()) <= set(found.arms)
        assert again.planned()["random"] == len(trials)
        again.write()
        other = searching("trials: 20", STOPPING, "compare: random")  # as a process that looks in would
        looking = Session(other, tmp_path, record, lambda: executor, Talk(quiet=True), Shelf(), Interrupts())
        looking.restore()
        assert {name: own.levels for name, own in other.derived.items()} == {
            name: own.levels for name, own in found.derived.items()
        }
    table = {row["trial"]: row for row in rows(tmp_path / "results.csv")}
    drawn = next(trial for trial in trials if trial.arm in found.derived)
    derived = found.derived[drawn.arm]
    assert derived.levels is not None
    assert {name: table[drawn.name][name] for name in derived.levels} == derived.levels
    phase = Standing.read(tmp_path).phases[-1]
    assert (phase.name, phase.total, phase.missing) == ("random", len(trials), ())


def test_a_search_begins_with_what_was_written_by_hand_and_knows_earlier_runs(tmp_path: Path) -> None:
    first = 'first: [{width: 8, "depth[0]": 3}, {kernel: 5}]'
    found = searching("trials: 12", first)
    _, entries, made = explore(found, tmp_path / "runs" / "earlier")
    begun = [found.arms[entry["arm"]].levels for entry in entries if entry["event"] == "arm"][:2]
    assert [(own["width[0]"], own["width[1]"], own["depth[0]"], own["kernel"]) for own in begun] == [
        ("8", "8", "3", "3"),
        ("8", "16", "1", "5"),
    ]
    made.write()
    knowing = searching("trials: 6", f"known: [{tmp_path / 'runs' / 'earlier'}]")
    _, entries, made = explore(knowing, tmp_path / "now", stop_after=4)
    known = [entry for entry in entries if entry["event"] == "known"]
    assert [len(entry["arms"]) for entry in known] == [12]
    assert len(made.finished) == 4
    (tmp_path / "runs").rename(tmp_path / "gone")  # the record has what is known
    again = searching("trials: 6", f"known: [{tmp_path / 'runs' / 'earlier'}]")
    _, resumed, made = explore(again, tmp_path / "now")
    assert len(made.finished) == 6
    assert [entry["event"] for entry in resumed].count("known") == 1
    queue = made._explore_queue()
    assert isinstance(queue, Proposed)
    proposer: Any = queue._proposer
    assert len(proposer._seen.choices) == 12 + 6
    with pytest.raises(InputError, match="is no run that can be read"):
        explore(searching("trials: 6", "known: [nowhere]"), tmp_path / "none")


# The rules


def test_fronts_are_those_of_their_definition() -> None:
    dice = random.Random(0)
    for _ in range(60):
        count = dice.randint(1, 3)
        points = [tuple(float(dice.randrange(6)) for _ in range(count)) for _ in range(dice.randint(1, 25))]
        left, expected = set(range(len(points))), []
        while left:
            front = [
                one
                for one in left
                if not any(
                    points[other] != points[one]
                    and all(a <= b for a, b in zip(points[other], points[one], strict=True))
                    for other in left
                )
            ]
            expected.append(sorted(front))
            left -= set(front)
        assert [sorted(front) for front in fronts(points)] == expected


def best(points: list[tuple[float, ...]], count: int) -> list[int]:
    """Returns the places of the best points: front by front, and of one that is cut what is spread over it."""
    chosen: list[int] = []
    for front in fronts(points):
        chosen += spread(points, front, count - len(chosen)) if len(chosen) < count else []
    return chosen


def test_arms_go_on_as_if_all_were_put_in_order_anew_at_every_arrival() -> None:
    dice = random.Random(0)
    for repeat in range(60):
        coordinates, eta, exempt = repeat % 4 + 1, dice.choice([1.2, 2.0, 3.0, 4.0]), dice.randrange(40)
        steps = dice.choice([3, 8, 10**9])  # few: many are equal, in one coordinate or in all
        rungs, points, gone_on = Rungs((1,), eta, str(exempt)), list[tuple[float, ...]](), set[str]()
        for number in range(dice.randint(1, 60)):
            points.append(tuple(dice.randrange(steps) - 1.0 for _ in range(coordinates)))
            kept = map(str, best(points, int(len(points) / eta + 1e-9)))
            going = [name for name in kept if name not in gone_on]
            going += [str(number)] if number == exempt and str(number) not in going else []
            gone_on.update(going)
            assert rungs.reach(str(number), 1, points[-1]) == going


def test_of_a_front_that_is_cut_what_is_kept_is_spread_over_it() -> None:
    line = [(float(x), float(100 - x)) for x in range(0, 101, 10)]
    assert {line[place] for place in best(line, 3)} == {line[0], line[5], line[10]}
    assert best([*line, (200.0, 200.0)], 11) == list(range(11))


def test_an_arm_goes_on_when_enough_worse_ones_have_come_and_the_baseline_always() -> None:
    rungs = Rungs((2, 6), 2.0, "base")
    assert rungs.reach("base", 2, (0.9, 9.0)) == ["base"]
    assert rungs.reach("a", 2, (0.5, 5.0)) == ["a"]
    assert rungs.reach("a", 2, (0.0, 0.0)) == []  # it is known
    assert rungs.reach("b", 2, (0.6, 6.0)) == []
    assert "best 1 of 3 arms" in rungs.why_not(2)
    assert rungs.reach("c", 2, (0.9, 9.0)) == ["b"]
    assert (rungs.after(0), rungs.after(2), rungs.after(6)) == (2, 6, None)


def test_default_rungs_are_the_full_length_over_eta_again_and_again() -> None:
    assert EarlyStoppingSpec(eta=3).epochs(27) == (1, 3, 9)
    assert EarlyStoppingSpec(eta=2).epochs(9) == (1, 2, 4)
    assert EarlyStoppingSpec(rungs=(2,)).epochs(9) == (2,)
    assert EarlyStoppingSpec(eta=3).share(9) == pytest.approx((1 + 2 / 3 + 6 / 9) / 9)


def test_who_is_clearly_beaten_by_something_cheaper_is_out_of_the_race() -> None:
    runners = [
        Runner("cheap", [0.90, 0.91], (1.0,)),
        Runner("near", [0.905], (2.0,)),
        Runner("worse", [0.80], (2.0,)),
        Runner("best", [0.95, 0.951], (3.0,)),
        Runner("dear", [0.94], (9.0,)),
    ]
    racing = contenders(runners, 1000)
    assert [runner.arm for runner in racing] == ["cheap", "near", "best", "dear"]
    begun = {runner.arm: set(range(len(runner.scores))) for runner in runners}
    assert next_seed(racing, [0, 1, 2], begun) == ("dear", 1)
    assert next_seed(racing, [0], begun) is None
    assert [runner.arm for runner in contenders(runners, 10)] == [runner.arm for runner in runners]  # all may be luck


def test_evolution_learns_of_every_rung_and_optunas_samplers_of_the_first(tmp_path: Path) -> None:
    for sampler in ("tpe", "evolution"):
        found = searching("trials: 20", STOPPING, sampler=sampler)
        explore(found, tmp_path / sampler)
        with Record(tmp_path / sampler) as record:
            queue = Proposed(searching("trials: 20", STOPPING, sampler=sampler), record, {})
            proposer: Any = queue._proposer
            if sampler == "tpe":
                told = [trial.values[0] for trial in proposer._study.trials]
                firsts = {entry["epochs"][0]["val_accuracy"] for entry in queue._course.ended.values()}
                assert len(told) == 20
                assert set(told) == firsts
            else:
                assert proposer._errors._n > 20 == len(proposer._seen.choices)
                assert proposer._seen._reached.all.shape == (20, proposer._errors.size)
