"""Every study that is shipped validates, plans, and runs shrunk through to its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.plan import Plan
from search.study import load_study
from tests.search.command import rows, run

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))


def names(path: Path) -> str:
    return path.stem


def test_there_are_studies() -> None:
    assert {"expansion_ablation", "depth_width_search", "cifar10_expansion"} <= {path.stem for path in STUDIES}


@pytest.mark.parametrize("path", STUDIES, ids=names)
def test_it_opens_with_its_question_its_command_its_time_and_what_to_expect(path: Path) -> None:
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert head[0].rstrip().endswith("?")
    text = "\n".join(head)
    assert f"python -m search.run studies/{path.name}" in text
    assert "Time:" in text
    assert "Expect:" in text


@pytest.mark.parametrize("path", STUDIES, ids=names)
def test_it_plans(path: Path) -> None:
    study = load_study(path)
    assert study.spec.name == path.stem
    assert study.spec.question.endswith("?")
    found = Plan(study)
    assert [row.label for row in found.rows if row.status == "rejected"] == []
    assert [row.label for row in found.rows if row.unmatched] == []


@pytest.mark.parametrize("path", STUDIES, ids=names)
def test_it_runs_shrunk_to_its_page(path: Path, tmp_path: Path) -> None:
    study = load_study(path)
    settings = ["train.epochs=1", "confirm.finalists=1", "confirm.seeds=1", "design.seeds=1"]
    if study.spec.data.kind != "digits":
        settings += ["data={kind: synthetic, images: 120, image_size: 16, num_classes: 4}", "train.batch_size=16"]
    if study.spec.design.kind == "search":
        settings.append("design.trials=4")
    arguments = [argument for setting in settings for argument in ("--set", setting)]
    done = run(tmp_path, str(path), "--inline", *arguments)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    directory = tmp_path / "runs" / path.stem
    assert {row["status"] for row in rows(directory / "results.csv")} == {"completed"}
    assert (directory / "report.html").stat().st_size > 1_000_000
    assert (directory / "winner.safetensors").exists()
