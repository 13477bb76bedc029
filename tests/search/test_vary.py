"""What the seeds of a study vary, on the command line: declared, recorded, and true."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from blocks import load_model
from search.data import prepare
from search.data.spec import DATASETS
from tests.search.command import STUDY, arms, rows, run, write_study
from tests.search.conftest import Command


def with_vary(vary: str) -> str:
    return STUDY.replace("seeds: 2, match: {cost: macs, tolerance: 0.08}", f"seeds: 2, vary: [{vary}]")


def test_what_is_not_varied_is_the_same_under_every_seed(inline: Command, tmp_path: Path) -> None:
    write_study(tmp_path, with_vary("augmentation"))  # and the recipe augments nothing
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "tiny"
    assert json.loads((directory / "environment.json").read_text())["varied"] == ["augmentation"]
    assert arms(directory)["design"]["vary"] == ["augmentation"]
    losses: dict[str, set[str]] = {}
    for row in rows(directory / "results.csv"):
        losses.setdefault(row["arm"], set()).add(row["val_loss"])
    assert len(losses) == 3
    assert all(len(values) == 1 for values in losses.values())


@pytest.mark.slow
def test_a_split_of_its_own_for_every_seed(inline: Command, tmp_path: Path) -> None:
    write_study(tmp_path, with_vary("split"))
    assert inline("study.yaml") == 0
    directory = tmp_path / "runs" / "tiny"
    baseline = arms(directory)["baseline"]
    table = rows(directory / "results.csv")
    assert len({row["val_loss"] for row in table if row["arm"] == baseline and row["phase"] == "explore"}) == 2
    # The winner's images are normalised as its own trial's training split was.
    data = DATASETS.parse(arms(directory)["arms"][0]["data"])
    model = load_model(directory / "winner.safetensors")
    cuts = {seed: prepare(data, seed).mean for seed in (1000, 1001)}
    seed = arms(directory)["selection"]["winner"]["seed"]
    assert len(set(cuts.values())) == 2
    assert np.allclose(model.preprocess.mean.flatten(), cuts[seed])


def test_official_validation_splits_are_not_cut(tmp_path: Path) -> None:
    from PIL import Image

    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for number in range(4):
                Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "images" / split / name / f"{number}.png")
    text = with_vary("order, split").replace(
        STUDY.splitlines()[2], "data: {kind: image_folder, root: images, image_size: 8}"
    )
    write_study(tmp_path, text)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("study.yaml:12:55: design.vary[1]: the image_folder data bring their own validation")


@pytest.mark.parametrize(
    ("vary", "complaint"),
    [("order, order", "each is named once"), ("", "at least 1"), ("ordre", "did you mean 'order'")],
)
def test_refusals(
    tmp_path: Path, vary: str, complaint: str, inline: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(tmp_path, with_vary(vary))
    assert inline("study.yaml") == 2
    said = capsys.readouterr().err
    assert said.startswith("study.yaml:12:")
    assert complaint in said
