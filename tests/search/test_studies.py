"""Every study that is shipped validates, plans, and runs shrunk through to its page."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from reports.figures import accuracy_cost
from reports.table import read
from search.plan import Plan
from search.planned import planned_trials
from search.study import load_study
from tests.search.command import arms, rows
from tests.search.conftest import Command

STUDIES = {path.stem: path for path in sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))}

EVERY_DAY = {"expansion_ablation", "regnet_space"}
"""Those that the everyday suite runs: a list of arms with twins, and a search among generated networks."""

CONSTANT = 'factors.cosine.off={"train.schedule": {kind: constant, warmup_epochs: 1}}'
TAUGHT = f'{{"train.distill": {{teacher: {STUDIES["distillation"].parent}/weights/digits_basic.safetensors%s}}}}'
IN_TIME = {
    "recipe_ablation": [CONSTANT],
    "cifar10_recipe_ablation": [CONSTANT],
    # After one step of a hundred layers batch norms' running statistics are off by enough to overflow at the full rate.
    "cifar10_block_by_depth": ["train.optimizer.lr=0.01"],
    "cifar10_resnet": ["train.epochs=2", "confirm.epochs=2", "train.schedule=step"],
    # A student and a teacher that are here, in place of weights that would have to be downloaded.
    "imagenet_distillation": [
        "train.epochs=2", "confirm.epochs=2", "train.schedule=step", "train.augment.crop=1",
        "train.precision=float32", "train.micro_batch=null",
        "network={stem: {kind: conv3x3, width: 4}, stages: [{block: basic, depth: 1, width: 4, stride: 2}]}",
        f"factors.teacher.levels.answers={TAUGHT % ''}",
        f"factors.teacher.levels.attention={TAUGHT % ', weight: 0, features: {}'}",
        f"factors.teacher.levels.both={TAUGHT % ', features: {stages: [0]}'}",
    ],
}  # fmt: skip
"""What levels and drops that come after the first epoch take to be within a shrunk run, beyond which they are refused;
and what else a run of one step needs."""


FEW = [f"variant={name}" for name in ("as_it_is", "int8", "pruned_50", "distilled_50")]
"""The arms of compress_winner that its shrunk run has."""

KNOWN = dict.fromkeys(["block_and_rate", "cifar10_block_and_rate"], "nothing normalises what the last block puts out")
"""What studies are warned of, and say themselves: a head without a norm is the same for all their blocks."""
KNOWN["compress_winner"] = "networks were timed while the machine was busy"  # as it may be while tests run
KNOWN["search_with_less"] = "no confirmed arm has at most 100,000 macs"  # eight trials may find none


def header(name: str) -> list[str]:
    """Returns the comment that a study opens with, without its marks."""
    lines = STUDIES[name].read_text().splitlines()
    end = next(index for index, line in enumerate(lines) if not line.startswith("#"))
    return [line.removeprefix("#").strip() for line in lines[:end]]


@cache
def plan(name: str) -> Plan:
    """Returns the plan of a study as shipped; images that no one may download are made up, and nothing is timed."""
    data = [argument for line in header(name) if (argument := line.partition("--set 'data=")[2])]
    return Plan(load_study(STUDIES[name], (*(f"data={given.partition(chr(39))[0]}" for given in data), "latency=null")))


def test_there_are_studies_on_images_that_need_no_download_and_on_cifar10() -> None:
    small = {name for name in STUDIES if not name.startswith(("cifar10_", "imagenet_"))}
    large = {name.removeprefix("cifar10_").removeprefix("imagenet_") for name in STUDIES.keys() - small}
    alone = {
        "expansion",
        "expansion_ablation",
        "depth_width_search",
        "search_with_less",
        "prescreen",
        "memory",
        "finetune_small_batch",
        "resnet",
        "one_network",
        "compress_winner",
        "int8_training",
    }
    assert large ^ small == alone
    assert {plan(name).study.spec.data.kind for name in small} == {"digits"}
    assert STUDIES.keys() >= EVERY_DAY


@pytest.mark.parametrize("name", STUDIES)
def test_it_opens_with_its_question_its_command_its_time_and_what_to_expect(name: str) -> None:
    head = header(name)
    assert head[0] == "yaml-language-server: $schema=../search/study.schema.json"
    assert head[1].endswith("?")
    assert f"python -m search.run studies/{name}.yaml" in head
    for label in ("Time:", "Data:", "Expect:"):
        assert any(line.startswith(label) for line in head), label


@pytest.mark.parametrize("name", STUDIES)
def test_it_plans(name: str) -> None:
    spec, rows = plan(name).study.spec, plan(name).rows
    assert spec.name == name
    assert spec.question == header(name)[1]
    assert [row.label for row in rows if row.status != "run"] == []
    assert [row.label for row in rows if row.unmatched] == []


@pytest.mark.parametrize("name", STUDIES)
def test_its_header_counts_its_trials_right(name: str) -> None:
    counted = re.search(r"(\d+) trials", " ".join(header(name)))
    assert counted is not None
    assert int(counted[1]) == sum(planned_trials(plan(name)).values())


def when(name: str) -> list[pytest.MarkDecorator]:
    """Returns when a study is run: one on CIFAR-10 by hand if there is the same on digits."""
    twin = name.startswith("cifar10_") and name.removeprefix("cifar10_") in STUDIES
    return [] if name in EVERY_DAY else [pytest.mark.slow, *[pytest.mark.exhaustive] * twin]


@pytest.mark.parametrize("name", [pytest.param(name, marks=when(name)) for name in STUDIES])
def test_it_runs_shrunk_to_its_page(
    name: str, inline: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "int8_training":
        pytest.importorskip("torchao")
    settings = [argument for setting in shrunk(name) for argument in ("--set", setting)]
    assert inline(str(STUDIES[name]), *settings) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert [line for line in warned if KNOWN.get(name, "no such words") not in line] == []
    directory = tmp_path / "runs" / name
    said = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    assert {entry["level"] for entry in said} <= {"debug", "info", *["warning"] * (name in KNOWN)}
    stops = getattr(plan(name).study.spec.design, "early_stopping", None) is not None
    assert {row["status"] for row in rows(directory / "results.csv")} == {"completed", *["stopped"] * stops}
    assert (directory / "report.html").stat().st_size > 1_000_000
    assert (directory / "winner.safetensors").exists()
    if name == "compress_winner":  # one command: accuracy against MACs, milliseconds and megabytes, in one runtime
        told = {arm["label"]: arm["latency"]["latency_1"]["runtime"] for arm in arms(directory)["arms"]}
        assert told == {"baseline": "onnxruntime", **dict.fromkeys(FEW, "onnxruntime"), "variant=int8": "int8"}
        offered = accuracy_cost.draw(accuracy_cost.data(read(directory)))
        assert {"MACs", "milliseconds, 1 image", "milliseconds, 64 images", "megabytes"} <= set(offered)


def shrunk(name: str) -> list[str]:
    """Returns the settings under which a study takes a second or two."""
    spec = plan(name).study.spec
    settings = ["train.epochs=1", "design.seeds=1", "confirm.finalists=1", "confirm.seeds=1", "confirm.epochs=1"]
    if name == "imagenet_distillation":
        settings.append("data={kind: digits, train_fraction: 0.1}")
    elif spec.data.kind == "digits":
        settings.append("data.train_fraction=0.1")
    else:
        settings.append("data={kind: synthetic, images: 120, image_size: 16, num_classes: 4}")
    if spec.design.kind == "population":
        settings.append("design.arms=3")
    if spec.tune:
        settings.append("tune.trials=2")
    if spec.fidelity:
        settings.append("fidelity={arms: 5, epochs: [1, 2]}")
    if spec.train.batch_size > 64:
        settings.append("train.batch_size=64")  # what is left of the images makes a batch
    if spec.train.schedule.warmup_epochs > 1:
        settings.append("train.schedule.warmup_epochs=1")
    settings += IN_TIME.get(name, [])
    if name == "compress_winner":  # the others differ in a fraction; all of them are planned above
        kept = {label: spec.design.arms[label] for label in (each.removeprefix("variant=") for each in FEW)}
        settings += [f"design.arms={json.dumps(kept)}", "latency.seconds=0.01", "confirm.best_under=null"]
    if getattr(spec.design, "early_stopping", None):
        return [*settings, "train.epochs=2", "design.early_stopping.rungs=[1]", "design.seeds=2", "design.trials=8"]
    few = "design.trials=6" if spec.fidelity else "design.trials=4"
    return [*settings, few] if spec.design.kind == "search" else settings
