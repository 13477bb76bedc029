"""Data and weights that are damaged, or are not what they should be, on the real command line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from blocks import NetworkSpec, load_model, save_model
from blocks.base import canonical_json
from blocks.tensors import hash_tensors
from search.train.checkpoint import restored
from tests.search.command import STUDY, Done, arms, run, run_alone, write_study

DATA = STUDY.splitlines()[2]


@pytest.mark.slow
def test_f28_a_damaged_data_file_is_noticed_before_the_first_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file but the published one has its checksum; the network is one that can't be reached."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cifar-10-python.tar.gz").write_bytes(b"\x1f\x8b cut off")
    write_study(tmp_path, STUDY.replace(DATA, f"data: {{kind: cifar10, root: {tmp_path / 'data'}}}"))
    done = run_alone(tmp_path, "study.yaml", "--inline", "--set", "design.match=null", timeout=60)
    assert done.returncode == 2, done.stderr
    assert "cifar-10-python.tar.gz is missing or fails its checksum, and downloading it from https://" in done.stderr
    assert "connect to the network and run again, or put cifar-10-python.tar.gz into" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_f28_a_damaged_image_is_noticed_before_the_first_trial(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "images" / name / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    write_study(tmp_path, STUDY.replace(DATA, "data: {kind: image_folder, root: images, image_size: 8}"))
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("study.yaml:3:7: data: ")
    assert ".png" in done.stderr
    assert "Traceback" not in done.stderr


def fine_tuned(folder: Path, weights: Path) -> Done:
    """Runs one trial that starts from a file of weights."""
    rest = [
        line for line in STUDY.splitlines() if not line.startswith(("factors", "  expansion:", "design", "confirm"))
    ]
    text = "\n".join(rest).replace("epochs: 2", f"init: {weights}, epochs: 1") + "\ndesign: {kind: train, seeds: 1}\n"
    return run(folder, str(write_study(folder, text)), "--inline", "--fresh")


def test_f29_weights_that_are_damaged_newer_of_another_network_or_pickled(tmp_path: Path, whole: Path) -> None:
    good = tmp_path / "good.safetensors"
    baseline = next(arm for arm in arms(whole)["arms"] if arm["label"] == "baseline")
    network = NetworkSpec.model_validate(baseline["network"]).build(seed=0)
    save_model(good, network, load_model(whole / "winner.safetensors").metadata)
    assert fine_tuned(tmp_path, good).returncode == 0
    raw = bytearray(good.read_bytes())
    raw[-9] ^= 1
    (tmp_path / "flipped.safetensors").write_bytes(raw)
    (tmp_path / "cut.safetensors").write_bytes(raw[:-100])
    length = int.from_bytes(raw[:8], "little")
    header: dict[str, Any] = json.loads(raw[8 : 8 + length])
    tensors = safetensors.torch.load(good.read_bytes())
    for name, changes in (
        ("newer", {"schema": "99"}),
        ("other", {"spec": header["__metadata__"]["spec"].replace('"depth":1', '"depth":2')}),
    ):
        texts = {key: text for key, text in (header["__metadata__"] | changes).items() if key != "sha256"}
        texts["sha256"] = hash_tensors(tensors, canonical_json(texts))
        (tmp_path / f"{name}.safetensors").write_bytes(safetensors.torch.save(tensors, texts))
    (tmp_path / "pickled.safetensors").write_bytes(pickle.dumps(_Trap(str(tmp_path / "sprung"))))
    said = {
        "flipped": "damaged: tensors and metadata don't match the hash",
        "cut": "cut.safetensors",
        "newer": "its schema is 99, newer than the 1",
        "other": "the weights are of another network: its stages[0].depth is 2, here it is 1",
        "pickled": "not a whole safetensors file",
        "missing": "there is no file",
        "a" * 300: "there can't be such a file: File name too long",
    }
    for name, words in said.items():
        done = fine_tuned(tmp_path, tmp_path / f"{name}.safetensors")
        assert done.returncode == 2, (name, done.returncode, done.stderr)
        assert words in done.stderr, (name, done.stderr)
        assert "Traceback" not in done.stderr
    with pytest.raises(pickle.UnpicklingError):  # nor what a trial would go on from
        restored(None, pickle.dumps(_Trap(str(tmp_path / "sprung")), protocol=2))  # type: ignore[arg-type]
    assert not (tmp_path / "sprung").exists()


class _Trap:
    """A pickle that leaves a trace where it is loaded."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.trace, "w")
