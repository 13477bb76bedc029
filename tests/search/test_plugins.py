"""Plugins of a study: loaded before it is read and wherever its trials run, kept with the run, and compared."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocks import load_model
from blocks.plugins import Plugin
from blocks.source import InputError
from search.resume import check_resumable
from search.study import load_study
from search.trial import Job
from tests.blocks.plugins import ARITHMETIC, forgotten, write
from tests.search.command import arms, rows, run, write_study
from tests.search.conftest import Command

STUDY = """\
name: mine
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
plugins: [my_block.py]
network:
  stem: {kind: conv3x3, width: 4}
  stages:
    - {block: test_layered, depth: 1, width: 8}
    - {block: test_layered, depth: 1, width: 8, stride: 2}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
design: {kind: train, seeds: 1}
confirm: {seeds: 1}
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    with forgotten():
        yield


def environment(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs" / "mine" / "environment.json").read_text())
    return found


def test_a_run_keeps_its_plugins_and_goes_on_from_its_own_copy(tmp_path: Path, inline: Command) -> None:
    path = write(tmp_path)
    write_study(tmp_path, STUDY)
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "mine"
    assert (directory / "plugins" / "my_block.py").read_text() == path.read_text()
    assert environment(tmp_path)["plugins"] == {"my_block.py": Plugin.read(path).sha256}
    assert arms(directory)["arms"][0]["network"]["stages"][0]["block"]["kind"] == "test_layered"
    path.unlink()
    before = (directory / "trials.jsonl").read_bytes()
    assert inline(str(directory / "study.yaml")) == 0
    assert (directory / "trials.jsonl").read_bytes() == before
    model = load_model(directory / "winner.safetensors", plugins=[directory / "plugins" / "my_block.py"])
    assert model.spec.stages[0].block.kind == "test_layered"


def test_a_changed_plugin_is_warned_of_and_strictly_refused(tmp_path: Path, inline: Command) -> None:
    path = write(tmp_path)
    write_study(tmp_path, STUDY)
    assert inline("study.yaml") == 0
    path.write_text(ARITHMETIC + "# changed\n")
    more = ("--set", "confirm.seeds=2")
    assert inline("study.yaml", "--strict", *more) == 4
    assert inline("study.yaml", *more) == 0
    said = environment(tmp_path)["warnings"]
    assert [text for text in said if "plugin my_block.py" in text]
    assert environment(tmp_path)["plugins"] == {"my_block.py": Plugin.read(path).sha256}
    assert (tmp_path / "runs" / "mine" / "plugins" / "my_block.py").read_text().endswith("# changed\n")


def test_a_finished_run_says_that_its_plugin_has_changed(
    tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    write_study(tmp_path, STUDY)
    assert inline("study.yaml") == 0
    assert inline("study.yaml") == 0
    assert "changed since" not in capsys.readouterr().err
    record = (tmp_path / "runs" / "mine" / "trials.jsonl").read_bytes()
    path.write_text(ARITHMETIC + "# changed\n")
    assert inline("study.yaml") == 0
    said = capsys.readouterr().err
    assert "warning: nothing is left to run, but changed since: plugin my_block.py; --fresh runs it anew" in said
    assert (tmp_path / "runs" / "mine" / "trials.jsonl").read_bytes() == record
    assert environment(tmp_path)["warnings"] == []


def test_a_worker_needs_no_file(tmp_path: Path) -> None:
    """What a job carries is enough for another process; this is what Ray's workers are given."""
    path = write(tmp_path)
    study = load_study(write_study(tmp_path, STUDY))
    job = Job("t", "train", study.baseline, 0, plugins=study.plugins)
    path.unlink()
    (tmp_path / "job").write_bytes(pickle.dumps(job))
    code = """
import pickle, sys
from search.data.kinds.synthetic import Synthetic
from search.data.prepare import prepare
from search.trial import run
job = pickle.load(open(sys.argv[1], "rb"))
print(run(job, prepare(Synthetic.model_validate(job.configuration["data"])), "cpu")["status"])
"""
    command = [sys.executable, "-c", code, str(tmp_path / "job")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "completed\n", done.stderr


@pytest.mark.slow
def test_plugins_reach_rays_workers(tmp_path: Path) -> None:
    write(tmp_path)
    write_study(tmp_path, STUDY)
    done = run(tmp_path, "study.yaml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in rows(tmp_path / "runs" / "mine" / "results.csv")] == ["completed"]


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ("[nowhere.py]", r"study.yaml:3:11: plugins\[0\]: .*nowhere.py: the plugin can't be read: No such file"),
        ("[study.yaml]", r"study.yaml:3:11: plugins\[0\]: .*a plugin is a Python file"),
        ("my_block.py", "study.yaml:3:10: plugins: expected a list of files"),
        ("[3]", "study.yaml:3:10: plugins: expected a list of files"),
        ("[my_block.py, other/my_block.py]", "two plugins called my_block.py"),
        ("[broken.py]", r"broken.py:2: ZeroDivisionError: division by zero"),
        ("[]", r"study.yaml:7:15: network.stages\[0\].block: unknown block 'test_layered'.* named under plugins"),
    ],
)
def test_wrong_plugins_are_refused_in_their_place(tmp_path: Path, plugins: str, message: str) -> None:
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        write(folder)
    write(tmp_path, "x = 1\nx / 0\n", "broken.py")
    path = write_study(tmp_path, STUDY.replace("[my_block.py]", plugins))
    with pytest.raises(InputError, match=message):
        load_study(path)


def test_a_plugin_may_move_between_two_sessions(tmp_path: Path) -> None:
    write(tmp_path)
    plain = load_study(write_study(tmp_path, STUDY)).spec.plain()
    check_resumable(plain, {**plain, "plugins": ["plugins/my_block.py"]})
