"""Bad input on the real command line: one message that says where and what to do, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.command import STUDY, run, write_study


@pytest.mark.parametrize(
    ("old", "new", "place", "complaint"),
    [
        ("name: tiny", "name: ../../x", "study.yaml:2:7: name", "match pattern"),
        ("name: tiny", "name: CON", "study.yaml:2:1", "can't name a folder everywhere"),
        ("name: tiny", "name: /etc/x", "study.yaml:2:7: name", "match pattern"),
        (
            "kind: bottleneck",
            "kind: botleneck",
            "study.yaml:7:15: network.stages[0].block",
            "did you mean 'bottleneck'",
        ),
        ("kind: synthetic", "kind: os.system", "study.yaml:3:7: data", "unknown data set 'os.system'"),
        ("kind: sgd", "kind: sgdd", "study.yaml:9:47: train.optimizer", "did you mean 'sgd'"),
        ("levels: [1, 6]", "levels: [1, 6, 6]", "study.yaml:11:73: factors.expansion.levels[2]", "the same arm"),
        (
            "expansion: 4}, depth: 1, width: 8",
            "expansion: 4, groups: 3}, depth: 1, width: 8",
            "study.yaml:7:7",
            "3 groups",
        ),
        ("lr: 0.1", "lr: 01", "study.yaml:9:63", "octal"),
        ("epochs: 2", "epochs: 2, epochs: 3", "study.yaml:9:20", "given twice"),
        ("seeds: 2, match", "sedes: 2, match", "study.yaml:12:31: design.sedes", "did you mean 'seeds'"),
        ("confirm:", "constraints: {macs: {max: 5}}\nconfirm:", "study.yaml:13:14: constraints", "no arm can run"),
        ("data: {", "data: [", "study.yaml:3:80", "invalid YAML"),
        ("seeds: 2, match", "seeds: [1, 1], match", "study.yaml:12:38: design.seeds", "given twice"),
        ("levels: [1, 6]", "levels: [4]", "study.yaml:11:3: factors.expansion", "no level beside the baseline's own"),
        (
            "lr: 0.1}",
            "lr: 0.1}, augment: {crop: 9}",
            "study.yaml:9:85: train.augment.crop",
            "crop of 8 may hold nothing else",
        ),
        ("data: {", "datta: {", "study.yaml", "no 'data'"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, old: str, new: str, place: str, complaint: str) -> None:
    assert old in STUDY
    write_study(tmp_path, STUDY.replace(old, new, 1))
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(place)
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing.yaml"], "nothing.yaml: can't be read: No such file"),
        (["."], "can't be read"),
        (["study.yaml", "--set", "train.epochs"], "expected PATH=VALUE"),
        (
            ["study.yaml", "--set", "train.epochs=many"],
            "--set train.epochs=many: train.epochs: input should be a valid integer",
        ),
        (["study.yaml", "--set", "train.epocs=3"], "did you mean 'epochs'"),
        (
            ["study.yaml", "--set", "train.augment.flip=alternate"],
            "train.augment.flip: input should be a valid boolean or 'alternating', not \"alternate\"; did you mean",
        ),
        (["study.yaml", "--set", "network.stages[9].width=3"], "there is no such place"),
        (["study.yaml", "--inline", "--ray", "auto"], "exclude each other"),
        (["study.yaml", "--out", "study.yaml"], "is a file"),
        (["study.yaml", "--out", "."], "not of a run"),
        (["study.yaml", "--workers", "0"], "at least 1"),
        (["study.yaml", "--inline", "--ray", ""], "an address, such as HEAD:6379"),
        (["study.yaml", "--wrokers", "1"], "unrecognized"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    write_study(tmp_path)
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    write_study(tmp_path)
    done = run(tmp_path, "study.yaml", "--inline", "--out", "/proc/nothing")
    assert done.returncode == 5
    assert done.stderr.startswith("/proc/nothing: can't be written")
    assert "Traceback" not in done.stderr


def test_a_batch_larger_than_the_training_split(tmp_path: Path) -> None:
    write_study(tmp_path)
    done = run(tmp_path, "study.yaml", "--inline", "--set", "train.batch_size=5000")
    assert done.returncode == 2
    assert "--set train.batch_size=5000: train.batch_size: more than the 96 images" in done.stderr


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    write_study(tmp_path)
    done = run(tmp_path, "study.yaml", "--ray", "127.0.0.1:1", timeout=60)
    assert done.returncode == 2
    assert "no Ray at 127.0.0.1:1: " in done.stderr
    assert "Traceback" not in done.stderr


def test_images_that_are_not_there(tmp_path: Path) -> None:
    text = STUDY.replace(STUDY.splitlines()[2], "data: {kind: image_folder, root: nowhere, image_size: 8}")
    write_study(tmp_path, text)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
