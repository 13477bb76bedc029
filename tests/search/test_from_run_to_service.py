"""From the default study's run directory to everything that a winner can become, by the documented commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from blocks import load_model
from search.described import own_splits
from tests.search.command import Done, rows, run
from tests.search.test_serve import BAD, ask, png

STUDY = Path(__file__).parents[2] / "studies" / "expansion_ablation.yaml"
SHRUNK = ["train.epochs=3", "design.seeds=1", "design.match=null", "confirm.finalists=1", "confirm.seeds=2",
          "factors.expansion.levels=[2]", "data.train_fraction=0.5"]  # fmt: skip

STUDENT = """\
# Does it learn from the winner, and from where the winner looks?
name: student
data: digits
network: {stem: {kind: conv3x3, width: 4}, stages: [{block: basic, depth: 1, width: 4, stride: 2}]}
train: {epochs: 1, batch_size: 64, optimizer: {kind: sgd, lr: 0.1}}
design:
  kind: list
  arms:
    taught: {train.distill: {teacher: runs/expansion_ablation/winner.safetensors, temperature: 4, weight: 0.9}}
    shown: {train.distill: {teacher: runs/expansion_ablation/winner.safetensors, features: {stages: [0]}}}
confirm: {finalists: 1, seeds: 1}
"""
TUNED = """\
# Does it do as well on larger images of fewer classes, with other norms?
name: tuned
data: {kind: synthetic, channels: 1, image_size: 12, num_classes: 4, images: 200}
network: NETWORK
train:
  epochs: 1
  batch_size: 16
  optimizer: {kind: sgd, lr: 0.01}
  init: runs/expansion_ablation/winner.safetensors
  freeze: [stem]
design: {kind: list, arms: {group: {train.init.norm: {kind: group, channels_per_group: 2}}}}
confirm: {finalists: 1, seeds: 1}
"""


def done(folder: Path, module: str, *arguments: str) -> str:
    """Runs a command to its end; returns what it said."""
    ended: Done = run(folder, *arguments, module=f"search.{module}")
    assert ended.returncode == 0, (module, arguments, ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_every_command_of_the_chain_works_on_the_default_studys_run(tmp_path: Path) -> None:
    settings = [argument for setting in SHRUNK for argument in ("--set", setting)]
    done(tmp_path, "run", str(STUDY), "--inline", *settings)
    winner = "runs/expansion_ablation/winner.safetensors"
    model = load_model(tmp_path / winner)
    splits = own_splits(model)
    with torch.no_grad():
        logits = model(model.preprocess(splits.test.pixels))
    right = float((logits.argmax(1).numpy() == splits.test.labels).mean())
    assert right == pytest.approx(model.metrics["test_accuracy"], abs=1e-9)
    assert right > 0.3  # chance is 0.1
    assert done(tmp_path, "verify", "runs/expansion_ablation").count("as recorded") == 2

    for kind, said in {
        "onnx": "batches 1, 2, 7 of 8x8 and 16x16",
        "pt2": "batches 1, 2, 7 of 8x8 and 16x16",
        "source": "logits differ by 0.0e+00",
        "huggingface": "logits differ by 0.0e+00",
        "int8": "in int8",
    }.items():
        assert said in done(tmp_path, "export", "runs/expansion_ablation", "--to", kind), kind
    made = {path.name for path in (tmp_path / "runs" / "expansion_ablation").iterdir()}
    assert {"winner.onnx", "winner.pt2", "winner.py", "winner_huggingface", "winner.int8.onnx"} <= made

    for percent, macs in ((30, 0.65), (50, 0.4)):
        out = f"pruned_{percent}.safetensors"
        done(tmp_path, "prune", winner, "--fraction", str(percent / 100), "--epochs", "1", "--out", out)
        pruned = load_model(tmp_path / out)
        assert pruned.metrics["macs"] < macs * model.metrics["macs"]
        said = done(tmp_path, "verify", out)
        assert said.count("as recorded") == 1
        assert "test: not recorded; the split was not opened" in said

    (tmp_path / "student.yaml").write_text(STUDENT)
    done(tmp_path, "run", "student.yaml", "--inline")
    (tmp_path / "tuned.yaml").write_text(TUNED.replace("NETWORK", json.dumps(model.spec.plain() | {"head": "linear"})))
    done(tmp_path, "run", "tuned.yaml", "--inline")
    for name in ("student", "tuned"):
        assert {row["status"] for row in rows(tmp_path / "runs" / name / "results.csv")} == {"completed"}
    group = next(row["arm"] for row in rows(tmp_path / "runs" / "tuned" / "results.csv") if row["variant"] == "group")
    done(tmp_path, "export", "runs/tuned", "--arm", group, "--out", "tuned.safetensors", "--retrain")
    tuned = load_model(tmp_path / "tuned.safetensors")
    for name, value in tuned.state_dict().items():  # frozen: the stem is the winner's
        if name.startswith("stem.") and "running" not in name:
            assert torch.equal(value, model.state_dict()[name]), name

    serve(tmp_path / winner, done(tmp_path, "latency", winner, "--batch", "1", "--seconds", "0.05"))


def serve(path: Path, latency: str) -> None:
    """Serves the winner and asks it for real digits."""
    assert "batch 1" in latency
    command = [sys.executable, "-m", "search.serve", str(path), "--port", "0", "--replicas", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "10 labels, images of 1x8x8" in process.stdout.readline()
        url = process.stdout.readline().split()[-1]
        assert url.startswith("http://127.0.0.1:")
        model = load_model(path)
        digits = np.round(load_digits().images * 255 / 16).astype(np.uint8)[:8]
        with torch.no_grad():
            expected = model(model.preprocess(digits[:, None])).argmax(1)
        answers = [ask(url, png(digit)) for digit in digits]
        assert [status for status, _ in answers] == [200] * 8
        assert [said["label"] for _, said in answers] == [model.labels[label] for label in expected]
        assert ask(url, None)[1]["labels"] == list(model.labels)
        assert ask(f"{url}health", None) == (200, {"status": "ok"})
        status, said = ask(f"{url}predict", png(digits[0]))
        assert (status, said["error"].partition(":")[0]) == (404, "there is nothing at /predict")
        for name in ("text", "cut", "deep"):
            status, said = ask(url, BAD[name][0])
            assert status == 400
            assert BAD[name][1] in said["error"]
        port = url.rstrip("/").rpartition(":")[2]
        again = subprocess.run([*command[:-3], port], capture_output=True, text=True, check=False, timeout=60)
        assert again.returncode == 2
        assert "something listens on 127.0.0.1" in again.stderr
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "starting Ray Serve" in err
    assert "Traceback" not in err
