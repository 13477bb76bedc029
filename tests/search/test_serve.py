"""A served model: images in, labels out; a sentence for what is no image. Over HTTP: test_from_run_to_service.py."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from blocks import Metadata, load_model, save_model
from search import serve
from search.answers import MOST_BYTES, Answers, BadImage
from tests.blocks.networks import small


def png(pixels: Any, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)

BAD = {
    "nothing": (b"", "the request has no image"),
    "text": (b"hello", "the image can't be read: unknown format"),
    "cut": (png(PIXELS)[:60], "the image can't be read"),
    "deep": (png(np.zeros((8, 8), np.uint16)), "more than 8 bits a pixel"),
    "long": (b"x" * (MOST_BYTES + 1), "at most 20,971,520 are read"),
    "large": (png(np.zeros((7100, 7100), np.bool_)), "7,100x7,100 pixels; at most 50,000,000 are read"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("served") / "model.safetensors"
    metadata = Metadata(labels=tuple("abcde"), input=(3, 8, 8), mean=(0.5,) * 3, std=(0.25,) * 3)
    network = small("basic").build(0)
    network(torch.randn(16, 3, 8, 8))
    save_model(file, network, metadata)
    return file


def test_answers_are_the_models_own(path: Path) -> None:
    answers, model = Answers(path), load_model(path)
    found = answers.answer([answers.read(png(PIXELS)), answers.read(png(PIXELS[::-1].copy(), "BMP"))])
    both = np.stack([PIXELS, PIXELS[::-1]]).transpose(0, 3, 1, 2)
    with torch.no_grad():
        expected = model(model.preprocess(both)).softmax(1)
    for said, row in zip(found, expected, strict=True):
        assert list(said["probabilities"].values()) == sorted(said["probabilities"].values(), reverse=True)
        torch.testing.assert_close(torch.tensor([said["probabilities"][label] for label in "abcde"]), row)
        assert said["label"] == "abcde"[int(row.argmax())]


def test_images_of_other_sizes_and_colours_are_brought_to_the_models(path: Path) -> None:
    answers = Answers(path)
    for pixels in (np.zeros((20, 31, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((9, 9, 4), np.uint8)):
        assert answers.read(png(pixels)).shape == (3, 8, 8)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_image_is_said(path: Path, name: str) -> None:
    raw, said = BAD[name]
    with pytest.raises(BadImage, match=said.replace("(", r"\(")):
        Answers(path).read(raw)


def test_a_bad_file_is_refused_before_anything_is_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    assert serve.main([str(tmp_path / "model.safetensors"), "--port", "0"]) == 2
    assert "not a whole safetensors file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--port", "70000"], "ports go up to 65535"), (["--host", "300.1.1.1"], "--host 300.1.1.1: ")],
)
def test_an_address_that_there_is_not(
    path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main([str(path), *arguments]) == 2
    assert said in capsys.readouterr().err


def ask(url: str, body: bytes | None) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
