"""First weights that can't be used: told in planning, at their place, in the loader's words; nothing is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.search.conftest import Command

WEIGHTS = (Path(__file__).parents[2] / "studies" / "weights" / "digits_basic.safetensors").read_bytes()
STUDY = """\
# Does it?
name: first
data: digits
network:
  stem: {kind: conv3x3, width: 16}
  stages:
    - {block: basic, depth: 1, width: WIDTH}
    - {block: basic, depth: 1, width: 32, stride: 2}
train:
  epochs: 1
  init:
    FIRST
    SECOND
design: {kind: list, arms: {fast: {train.optimizer.lr: 0.3}}}
"""
CASES = {
    "file: cut.safetensors": ("", r"study.yaml:12:5: train.init: .*cut.safetensors: not a whole safetensors file"),
    "file: newer.safetensors": ("prune: {fraction: 0.3}", r"study.yaml:12:5: train.init: .*: its schema is 2, newer"),
    "file: flipped.safetensors": ("", "study.yaml:12:5: train.init: .*: damaged: tensors and metadata don't match"),
    "file: good.safetensors": ("prune: {fraction: 0.99}", "study.yaml:13:12: train.init.prune: 1.0% of a width of 16"),
    "preset: resnet81": ("weights: torchvision:NOPE", "study.yaml:12:13: train.init.preset: .*did you mean 'resnet18'"),
    "preset: resnet18": (
        "weights: torchvision:IMAGENET1K_V3",
        "study.yaml:13:14: train.init.weights: torchvision has no weights 'IMAGENET1K_V3' for 'resnet18': there are "
        "torchvision:IMAGENET1K_V1.*; did you mean 'torchvision:IMAGENET1K_V1'",
    ),
}


@pytest.mark.parametrize(
    ("first", "width"), [*((first, 16) for first in CASES), *((first, 24) for first in list(CASES)[:3])]
)
def test_each_is_one_message_at_its_place(
    first: str, width: int, tmp_path: Path, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the network is another one too: a file that can't be trusted says nothing of its network."""
    (tmp_path / "good.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "cut.safetensors").write_bytes(WEIGHTS[: len(WEIGHTS) // 2])
    (tmp_path / "newer.safetensors").write_bytes(WEIGHTS.replace(b'"schema":"1"', b'"schema":"2"'))
    (tmp_path / "flipped.safetensors").write_bytes(WEIGHTS[:-3] + bytes([WEIGHTS[-3] ^ 4]) + WEIGHTS[-2:])
    second, said = CASES[first]
    text = STUDY.replace("FIRST", first).replace("SECOND", second).replace("WIDTH", str(width))
    (tmp_path / "study.yaml").write_text(text)
    before = {path.name for path in tmp_path.iterdir()}
    assert inline("study.yaml") == 2
    told = capsys.readouterr().err
    assert re.search(said, told), told
    assert "Traceback" not in told
    assert {path.name for path in tmp_path.iterdir()} == before  # no runs/, no run directory
