"""Time of an answer as a cost: measured once a network, beside the baseline, before anything is trained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from blocks.source import InputError
from reports.figures import latency as figure
from reports.table import read
from search import latency, run, timing
from search.configuration import Configuration
from search.draw import feasible_arms
from search.plan import Plan
from search.record import read as read_record
from search.stopwatch import Stopwatch, Timing
from search.timing import Timed
from tests.search.command import SEARCH, STUDY, arms, rows, write_study
from tests.search.conftest import Command
from tests.search.studies import plan, study

WIDE = 'width: {path: "network.stages[*].width", levels: {scale: [0.5, 16]}}'
RATE = "rate: {path: train.optimizer.lr, levels: [0.05]}"
FACTORS = f"factors: {{{WIDE}, {RATE}}}"
DESIGN = "design: one_at_a_time"


class Counting:
    """A stopwatch's measuring that takes a nanosecond a MAC, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.measured: list[tuple[str, int]] = []
        counting = self

        def measured(self: Stopwatch, own: Configuration, batch: int) -> Timing:
            key = self._described(own, batch)
            counting.measured.append((key[0], batch))
            took = own.network.cost(own.input).macs * batch * 1e-6
            times = (took, 0.99 * took, 1.01 * took)
            return Timing(*key[:5], *times, 20, 4, 0.5, "a machine", "2026-11-26", key[5])

        monkeypatch.setattr(Stopwatch, "_measured", measured)


def medians(found: Plan, cost: str = "latency_1") -> dict[str, float]:
    return {row.label: row.latency[cost].median for row in found.rows if row.latency}


def test_a_limit_of_time_rejects_in_planning_and_each_network_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []
    real = timing.take_turns
    monkeypatch.setattr(timing, "take_turns", lambda timed, enough: (turns.append(len(timed)), real(timed, enough)))
    measured = plan(FACTORS, DESIGN, "latency: {seconds: 0.05}")
    assert turns == [1, 1, 2, 2, 2, 2]  # the baseline alone, two other networks beside it, at two batches each
    times = medians(measured)
    assert times["width=16"] > 2 * times["baseline"]  # 220 times the MACs
    assert times["rate=0.05"] == times["baseline"]  # one network, trained otherwise
    others = max(
        time for label, time in times.items() if label != "width=16"
    )  # on a busy machine the least may be slow
    limit = float(f"{(times['width=16'] * others) ** 0.5:.3g}")
    turns.clear()
    known = [{"event": "latency", **time._asdict()} for row in measured.rows for time in row.latency.values()]
    limited = study(FACTORS, DESIGN, "latency: {seconds: 0.05}", f"constraints: {{latency_1: {{max: {limit}}}}}")
    held = Plan(limited, Stopwatch(limited.spec, known))
    assert turns == []  # what was measured before is not measured again
    statuses = {row.label: row for row in held.rows}
    assert statuses["width=16"].status == "rejected"
    reason = statuses["width=16"].reason
    assert re.fullmatch(rf"latency_1 [\d.e+]+ ms \[[\d.e+]+, [\d.e+]+\] above the limit of {limit:g} ms", reason)
    assert {row.status for label, row in statuses.items() if label != "width=16"} == {"run"}
    assert not held.baseline.outside


def test_what_is_measured_is_what_the_study_names(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    plan(FACTORS, DESIGN)
    assert counting.measured == []
    plan(FACTORS, DESIGN, "constraints: {latency_64: {max: 1e9}, macs: {max: 1e7}}")
    assert [batch for _, batch in counting.measured] == [64, 64]  # what arithmetic rejects is not measured
    found = plan(FACTORS, DESIGN, "latency: {threads: 2}", "confirm: {best_under: {cost: latency_1, limits: [0.5]}}")
    assert set(found.baseline.latency) == {"latency_1", "latency_64"}
    assert found.baseline.latency["latency_1"].threads == 2


def test_beside_the_baseline_a_time_is_the_ratio_of_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the machine is three times as slow, so is the baseline, and what is told stays the same."""
    slowness, long = 1.0, []

    def turns(timed: list[Timed], enough: float) -> None:
        long.append(enough)
        for number in range(20):
            for each, took in zip(timed, (0.004, 0.002) if len(timed) > 1 else (0.002,), strict=True):
                each.seconds.append(took * slowness * (1 + 0.01 * (number % 3)))

    monkeypatch.setattr(timing, "take_turns", turns)
    spec = study(FACTORS, DESIGN, "constraints: {latency_1: {max: 4}}").spec
    stopwatch = Stopwatch(spec)
    base, wide, other = (row.configuration for row in plan(FACTORS, DESIGN).rows[:3])
    assert stopwatch.begin(base)["latency_1"].median == pytest.approx(2.02)
    slowness = 3.0
    found = stopwatch.of(wide)["latency_1"]
    assert found.median == found.low == found.high == pytest.approx(4.04)
    assert found.runs == 20
    assert long == [0.3, 0.3]
    monkeypatch.setattr(stopwatch, "_limits", {1: (4.04,), 64: ()})
    assert stopwatch.of(other)["latency_1"].runs == 40  # an interval that holds a limit is measured for longer
    assert long[2:] == [0.3, 2.4]


def test_a_space_in_which_nothing_is_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    search = "design: {kind: search, trials: 4, objectives: [val_accuracy, latency_1]}"
    found = plan(FACTORS, search, "constraints: {latency_1: {max: 1e-9}}")
    with pytest.raises(InputError, match=r"constraints.latency_1: none of the \d arms that were timed can run") as told:
        feasible_arms(found)
    assert "above the limit of 1e-09 ms" in str(told.value)
    assert len(counting.measured) <= 9
    assert len(feasible_arms(plan(FACTORS, search, "constraints: {latency_1: {max: 1}}")).arms) > 100


@pytest.mark.slow
def test_a_run_records_its_times_and_measures_nothing_again(
    tmp_path: Path, inline: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STUDY.replace(", match: {cost: macs, tolerance: 0.08}", "").replace("epochs: 2", "epochs: 1")
    path = write_study(tmp_path, text + "latency: {seconds: 0.01}\nconstraints: {latency_64: {max: 1e6}}\n")
    assert inline("study.yaml", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "ms of 1" in said
    assert "times: milliseconds of a batch on" in said
    assert inline("study.yaml") == 0
    folder = tmp_path / "runs" / "tiny"
    recorded = {
        (e["network"], e["batch"]): e for e in read_record(folder / "trials.jsonl")[0] if e["event"] == "latency"
    }
    listed = [arm for arm in arms(folder)["arms"] if arm["status"] == "run"]
    assert len(recorded) == 2 * len(listed)
    for arm in listed:
        for cost, told in arm["latency"].items():
            own = recorded[told["network"], told["batch"]]
            assert own["median"] == told["median"] == arm["cost"][cost]
            assert own["low"] <= own["median"] <= own["high"]
            assert own["runs"] >= 20
            assert own["machine"]
    by_trial = {row["arm"]: row for row in rows(folder / "results.csv")}
    assert {arm["arm"]: float(by_trial[arm["arm"]]["latency_64"]) for arm in listed} == {
        arm["arm"]: arm["cost"]["latency_64"] for arm in listed
    }
    frame = figure.data(read(folder))
    assert len(frame) == 2 * len(listed)
    page = json.loads((folder / "report.json").read_text())
    assert {row["arm"]: row["latency_1"] for row in page["arms"]} == {
        arm["arm"]: arm["cost"]["latency_1"] for arm in listed
    }
    assert "Batch of 64, ms" in (folder / "report.html").read_text()

    def never(*_: object) -> None:
        raise AssertionError("it was measured again")

    with monkeypatch.context() as patched:
        patched.setattr(timing, "take_turns", never)
        path.write_text(path.read_text().replace("one_at_a_time, seeds: 2", "one_at_a_time, seeds: 3"))
        assert inline("study.yaml") == 0
        run.refresh(folder)
    later = latency.main([str(folder), "--batch", "1", "--seconds", "0.01"])
    assert later == 0
    runs = {(row["arm"], row["batch"]): row for row in rows(folder / "latency.csv")}
    assert len(runs) == 2 * len(listed)  # rows of the same arm and batch were replaced, others kept
    run.refresh(folder)
    assert {(row["arm"], row["batch"]): row for row in rows(folder / "latency.csv")} == runs


@pytest.mark.slow
def test_a_search_trades_accuracy_off_against_time_and_resumes_with_its_times(
    tmp_path: Path, inline: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    text = SEARCH.replace("objectives: [val_accuracy, macs]", "objectives: [val_accuracy, latency_1], compare: random")
    write_study(tmp_path, text.replace("trials: 10", "trials: 6") + "constraints: {latency_1: {max: 0.3}}\n")
    assert inline("study.yaml", "--max-failures", "0") == 0
    folder = tmp_path / "runs" / "tiny_search"
    assert len(set(counting.measured)) == len(counting.measured)
    whole = arms(folder)
    assert all(arm["cost"]["latency_1"] <= 0.3 for arm in whole["arms"])
    means = {
        row["arm"]: float(row["val_accuracy"]) for row in rows(folder / "results.csv") if row["phase"] == "explore"
    }
    costs = {arm["arm"]: arm["cost"]["latency_1"] for arm in whole["arms"]}
    for finalist in whole["selection"]["finalists"]:
        others = [arm for arm in means if arm not in (finalist, whole["baseline"])]
        assert not any(costs[arm] < costs[finalist] and means[arm] > means[finalist] for arm in others)
    measured = len(counting.measured)
    write_study(tmp_path, text.replace("trials: 10", "trials: 7") + "constraints: {latency_1: {max: 0.3}}\n")
    assert inline("study.yaml") == 0
    assert len(arms(folder)["arms"]) == 7
    assert len(set(counting.measured)) == len(counting.measured) > measured
    run.refresh(folder)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("constraints: {latency: {max: 3}}", "unknown field 'latency': allowed are .*latency_1, latency_64"),
        ("constraints: {latency_1: {max: 1, min: 2}}", r"min \(2\) is above max \(1\)"),
        ("latency: {threads: 0}", "latency.threads"),
        ("latency: {runtime: tensorrt}", "latency.runtime"),
        ("latency: {provider: CPUExecutionProvider}", "a provider is ONNX Runtime's: say runtime: onnxruntime"),
        ("latency: {runtime: onnxruntime, precision: bfloat16}", "precision is torch's"),
    ],
)
def test_bad_input(lines: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        study(lines)


def test_a_study_times_all_arms_in_one_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    rounded = "rounded: {path: train.evaluation.int8, levels: [true]}"
    for design in (DESIGN, "design: {kind: search, trials: 4}"):
        with pytest.raises(
            InputError, match=r"study.yaml:\d+:\d+: latency.runtime: an arm answers in int8, which torch"
        ):
            plan(f"factors: {{{WIDE}, {rounded}}}", design, "latency: {seconds: 0.05}")
    found = plan(f"factors: {{{WIDE}, {rounded}}}", DESIGN, "latency: {runtime: onnxruntime}")
    runtimes = {row.label: row.latency["latency_1"].runtime for row in found.rows}
    assert runtimes.pop("rounded=true") == "int8"
    assert set(runtimes.values()) == {"onnxruntime"}
    assert {row.latency["latency_1"].provider for row in found.rows} == {"CPUExecutionProvider"}
    counting.measured.clear()
    with pytest.raises(InputError, match=r"latency.provider: .*did you mean 'CPUExecutionProvider'"):
        plan(FACTORS, DESIGN, "latency: {runtime: onnxruntime, provider: CPUExecutionProvidr}")
    assert counting.measured == []
