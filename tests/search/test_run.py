"""The main command, end to end, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from search.run import refresh
from search.workplace import looking_in
from tests.search.command import SEARCH, STUDY, Done, arms, finished, numbers, rows, run, write_study

FILES = (
    "arms.json diagnosis.csv diagnosis.json environment.json epochs.csv images.csv log.jsonl report.html report.json "
    "results.csv study.yaml trials.jsonl winner.safetensors winner.yaml"
).split()


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A finished run without Ray: its folder, and how the command ended."""
    folder = tmp_path_factory.mktemp("inline")
    write_study(folder)
    done = run(folder, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "tiny", done


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run on Ray's workers."""
    folder = tmp_path_factory.mktemp("ray")
    write_study(folder)
    done = run(folder, "study.yaml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "tiny"


def test_the_run_directory_is_complete(inline: tuple[Path, Done]) -> None:
    assert {file.name for file in inline[0].iterdir() if not file.name.startswith(".")} == {*FILES, "weights"}


def test_stdout_carries_results_and_stderr_the_talk(inline: tuple[Path, Done]) -> None:
    out = inline[1].stdout.splitlines()
    assert [line.split(":")[0] for line in out] == ["winner", "model", "report"]
    assert "explore: 10 of 10 trials finished" in inline[1].stderr


def test_every_planned_trial_is_there_once(inline: tuple[Path, Done]) -> None:
    directory = inline[0]
    counts = Counter(finished(directory))
    running = [arm["arm"] for arm in arms(directory)["arms"] if arm["status"] == "run"]
    chosen = arms(directory)["selection"]["finalists"]
    confirmed = [arms(directory)["baseline"], *chosen]
    planned = [f"{arm}-s{seed}" for arm in running for seed in (0, 1)]
    planned += [f"{arm}-s{seed}" for arm in confirmed for seed in (1000, 1001)]
    assert counts == Counter(planned)
    environment = json.loads((directory / "environment.json").read_text())
    assert environment["planned"]["trials"] == len(planned) == len(rows(directory / "results.csv"))


def test_the_page_of_a_study_that_runs_is_made_of_its_record(inline: tuple[Path, Done], tmp_path: Path) -> None:
    directory = tmp_path / "tiny"
    directory.mkdir()
    lines = (inline[0] / "trials.jsonl").read_text().splitlines(keepends=True)
    third = [number for number, line in enumerate(lines) if '"event":"finished"' in line][2]
    (directory / "trials.jsonl").write_text("".join(lines[: third + 2]) + '{"checksum":"a trial that is being writ')
    (directory / "study.yaml").write_bytes((inline[0] / "study.yaml").read_bytes())
    refresh(directory)
    assert len(rows(directory / "results.csv")) == 3
    said = json.loads((directory / "report.json").read_bytes())["answer"]["caveats"]
    assert said[0].endswith("while the study was running: load the page again for a newer one.")
    assert said[1].startswith("Unfinished: 3 of 14")
    assert "running" not in json.loads((inline[0] / "environment.json").read_bytes())


def test_ray_and_inline_give_the_same_numbers(inline: tuple[Path, Done], on_ray: Path) -> None:
    assert numbers(inline[0]) == numbers(on_ray)
    assert arms(inline[0])["selection"]["winner"] == arms(on_ray)["selection"]["winner"]


def test_the_test_split_is_opened_once_after_the_choice(inline: tuple[Path, Done]) -> None:
    directory = inline[0]
    with_test = {row["phase"] for row in rows(directory / "results.csv") if row["test_accuracy"]}
    assert with_test == {"confirm"}
    entries = [json.loads(line)["entry"]["event"] for line in (directory / "trials.jsonl").read_text().splitlines()]
    assert entries.count("test_opened") == entries.count("winner") == 1
    assert entries.index("winner") < entries.index("test_opened") < entries.index("tested")
    assert max(index for index, event in enumerate(entries) if event == "finished") < entries.index("winner")


def test_the_winner_is_the_best_confirmed_arm_by_validation(inline: tuple[Path, Done]) -> None:
    directory = inline[0]
    scores: dict[str, list[tuple[float, int]]] = {}
    for row in rows(directory / "results.csv"):
        if row["phase"] == "confirm":
            scores.setdefault(row["arm"], []).append((float(row["val_accuracy"]), -int(row["seed"])))
    means = {arm: sum(value for value, _ in values) / len(values) for arm, values in scores.items()}
    winner = arms(directory)["selection"]["winner"]
    assert means[winner["arm"]] == max(means.values())
    assert winner["seed"] == -max(scores[winner["arm"]])[1]


def test_results_have_the_fixed_columns_then_one_a_factor(inline: tuple[Path, Done]) -> None:
    header = (inline[0] / "results.csv").read_text().splitlines()[0]
    assert header == (
        "trial,arm,seed,match,tuned,phase,status,reason,train_accuracy,train_loss,val_accuracy,val_loss,test_accuracy,"
        "epochs_to_target,macs,params,activations,latency_1,latency_64,inner_channels,out_channels,epochs,train_seconds,"
        "images_per_second,peak_memory,precision,device,micro_batch,accumulation,threads,gradient_ratio,dead_units,loss_spikes,"
        "generalisation_gap,expansion"
    )
    assert len(rows(inline[0] / "epochs.csv")) == 2 * len(rows(inline[0] / "results.csv"))


def test_the_winner_loads_where_optuna_and_ray_cannot_be_imported(inline: tuple[Path, Done]) -> None:
    code = """
import sys
sys.modules["optuna"] = sys.modules["ray"] = None
from blocks import load_model
from search.data.prepare import prepare
from search.data.spec import DATASETS
import torch
model = load_model(sys.argv[1])
splits = prepare(DATASETS.parse(model.provenance["data"]))
with torch.no_grad():
    right = model(model.preprocess(torch.from_numpy(splits.test.pixels))).argmax(1).numpy() == splits.test.labels
print(right.mean() == model.metrics["test_accuracy"], model.labels == splits.classes)
"""
    command = [sys.executable, "-c", code, str(inline[0] / "winner.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "True True\n", done.stderr


def test_the_winner_is_a_baseline_for_the_next_study(inline: tuple[Path, Done], tmp_path: Path) -> None:
    text = (inline[0] / "winner.yaml").read_text()
    network = "network:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    data = "data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}\n"
    write_study(tmp_path, f"name: next\n{data}{network}train: {{epochs: 1, batch_size: 16}}\ndesign: train\n")
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    assert [row["phase"] for row in rows(tmp_path / "runs" / "next" / "results.csv")] == ["confirm"]


def test_running_again_retrains_nothing(inline: tuple[Path, Done]) -> None:
    directory = inline[0]
    before = {name: (directory / name).read_bytes() for name in FILES}
    done = run(directory.parents[1], "study.yaml")
    assert done.returncode == 0, done.stderr
    assert {name: (directory / name).read_bytes() for name in FILES} == before


def test_the_resolved_study_is_a_study_itself(inline: tuple[Path, Done]) -> None:
    directory = inline[0]
    before = (directory / "trials.jsonl").read_bytes()
    done = run(directory.parents[1], str(directory / "study.yaml"), "--inline")
    assert done.returncode == 0, done.stderr
    assert (directory / "trials.jsonl").read_bytes() == before


def test_a_changed_study_is_refused_and_more_seeds_are_welcome(inline: tuple[Path, Done], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(inline[0], tmp_path / "runs" / "tiny")
    write_study(tmp_path)
    done = run(tmp_path, "study.yaml", "--inline", "--set", "train.epochs=3")
    assert done.returncode == 4
    assert "train.epochs: was 2, is now 3" in done.stderr
    done = run(tmp_path, "study.yaml", "--inline", "--set", "design.seeds=3")
    assert done.returncode == 0, done.stderr
    warnings = json.loads((tmp_path / "runs" / "tiny" / "environment.json").read_text())["warnings"]
    assert "added after results had been seen: seed 2" in warnings
    (addition,) = arms(tmp_path / "runs" / "tiny")["additions"]
    assert addition["what"] == "seed 2"
    old, new = numbers(inline[0]), numbers(tmp_path / "runs" / "tiny")
    explore = {name for name, row in old.items() if row[0] == "explore"}
    assert {name: new[name] for name in explore} == {name: old[name] for name in explore}


def test_fresh_moves_the_old_run_aside(tmp_path: Path) -> None:
    old = tmp_path / "runs" / "tiny"
    old.mkdir(parents=True)
    (old / "trials.jsonl").write_text("not a record")
    write_study(tmp_path)
    assert run(tmp_path, "study.yaml", "--inline").returncode == 5
    small = ("--set", "design.seeds=1", "--set", "confirm.seeds=1", "--set", "train.epochs=1")
    done = run(tmp_path, "study.yaml", "--inline", "--fresh", *small)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "tiny.old-1" / "trials.jsonl").read_text() == "not a record"


def test_a_search_runs_to_its_budget_and_no_arm_twice(tmp_path: Path) -> None:
    write_study(tmp_path, SEARCH)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    directory = tmp_path / "runs" / "tiny_search"
    explore = [row for row in rows(directory / "results.csv") if row["phase"] == "explore"]
    assert len(explore) == len({row["arm"] for row in explore}) == 10
    assert explore[0]["arm"] == arms(directory)["baseline"]
    assert set(explore[0]) >= {"depth[0]", "depth[1]", "width"}
    made = ("arms.json", "results.csv", "epochs.csv", "images.csv", "diagnosis.json")
    tables = {name: (directory / name).read_bytes() for name in made}
    looking_in(directory).write(running=True)  # by the record alone, as a refresh of the page does
    assert {name: (directory / name).read_bytes() for name in made} == tables


@pytest.mark.slow
def test_an_interrupted_search_goes_the_way_of_an_uninterrupted_one(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        write_study(tmp_path / name, SEARCH)
    assert run(tmp_path / "whole", "study.yaml", "--inline").returncode == 0
    shorter = run(tmp_path / "parts", "study.yaml", "--inline", "--set", "design.trials=6")
    assert shorter.returncode == 0, shorter.stderr
    assert run(tmp_path / "parts", "study.yaml", "--inline").returncode == 0
    whole, parts = (rows(tmp_path / name / "runs" / "tiny_search" / "results.csv") for name in ("whole", "parts"))
    explored = [
        [(row["trial"], row["val_accuracy"]) for row in table if row["phase"] == "explore"] for table in (whole, parts)
    ]
    assert explored[0] == explored[1]


@pytest.mark.parametrize(
    "lines",
    [
        ["design: {kind: factorial, seeds: 2, match: {cost: macs, tolerance: 0.1}}"],
        pytest.param(["design: {kind: one_at_a_time, seeds: 1}"], marks=pytest.mark.slow),
        ["design: {kind: search, trials: 6, sampler: nsga2, startup: 2, objectives: [val_accuracy, macs, params]}"],
        pytest.param(
            ["design: {kind: search, trials: 6, sampler: random, objectives: [val_accuracy], seeds: 2}"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_design_goes_through_to_its_page(tmp_path: Path, lines: list[str]) -> None:
    kept = [line for line in STUDY.splitlines() if not line.startswith("design:")]
    activation = '  activation: {path: "network.stages[*].block.activation", levels: [relu, gelu]}'
    kept.insert(-1, activation)
    write_study(tmp_path, "\n".join([*kept, *lines, ""]).replace("epochs: 2", "epochs: 1"))
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "runs" / "tiny" / "report.html").read_text()
    assert "does not add up" not in page
    assert "do not add up" not in page


@pytest.mark.slow
def test_a_list_goes_through_to_its_page(tmp_path: Path) -> None:
    kept = [line for line in STUDY.splitlines() if not line.startswith(("design:", "factors:", "  expansion:"))]
    arms_given = 'wide: {"network.stages[*].width": 12}, gelu: {"network.stages[*].block.activation": gelu}'
    listed = f"design: {{kind: list, arms: {{{arms_given}}}}}"
    write_study(tmp_path, "\n".join([*kept, listed, ""]))
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    assert {row["variant"] for row in rows(tmp_path / "runs" / "tiny" / "results.csv")} >= {"baseline", "wide", "gelu"}


@pytest.mark.slow
def test_only_runs_one_trial_again(inline: tuple[Path, Done], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(inline[0], tmp_path / "runs" / "tiny")
    write_study(tmp_path)
    name = rows(inline[0] / "results.csv")[1]["trial"]
    done = run(tmp_path, "study.yaml", "--inline", "--only", name)
    assert done.returncode == 0, done.stderr
    assert Counter(finished(tmp_path / "runs" / "tiny"))[name] == 2
    assert numbers(tmp_path / "runs" / "tiny") == numbers(inline[0])
    assert run(tmp_path, "study.yaml", "--inline", "--only", "nothing").returncode == 2


def test_dry_run_records_nothing(tmp_path: Path) -> None:
    write_study(tmp_path)
    done = run(tmp_path, "study.yaml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "trials: 10 explore + 4 confirm = 14" in done.stdout
    assert "smallest detectable effect" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\nfrom search.run import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'ray', 'optuna', 'pandas', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_planning_needs_no_torch(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    code = (
        "import sys\nfrom search.study import load_study\nfrom search.plan import Plan\n"
        "Plan(load_study(sys.argv[1]))\nprint('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"
