"""Block families as graphs of any batch and size; and what can't be one, said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocks import Metadata, NetworkSpec, TrainedNetwork
from blocks.source import InputError
from search.formats import Order, format_called, names
from tests.blocks.networks import small

UNLIKE = ["convnext", "dense", "transformer"]
"""Families that differ most: a graph takes seconds. (All of them were tried once, 2026-11-26: each is one.)"""


def model_of(spec: NetworkSpec, side: int = 16) -> TrainedNetwork:
    metadata = Metadata(labels=tuple("abcde"), input=(3, side, side), mean=(0.5,) * 3, std=(0.25,) * 3)
    model = TrainedNetwork(spec, metadata)
    model.load_state_dict(spec.build(0).state_dict())
    return model.eval()


def order(spec: NetworkSpec, out: Path, **fields: Any) -> Order:
    def no_images() -> Any:
        raise AssertionError("this format needs no images")

    return Order(model_of(spec), out, no_images, **fields)


def test_a_format_is_a_file() -> None:
    assert names() == ["huggingface", "int8", "onnx", "pt2", "source", "tensorrt"]


@pytest.mark.slow
@pytest.mark.parametrize("family", UNLIKE)
def test_families_are_graphs_of_any_batch_and_size(family: str, tmp_path: Path) -> None:
    (said,) = format_called("pt2").write(order(small(family), tmp_path / "model.pt2"))
    assert "batches 1, 2, 7 of 16x16 and 24x24" in said


@pytest.mark.slow
@pytest.mark.parametrize("family", ["transformer"])
def test_onnx_of_families_that_differ_most(family: str, tmp_path: Path) -> None:
    (said,) = format_called("onnx").write(order(small(family), tmp_path / "model.onnx"))
    assert "batches 1, 2, 7 of 16x16 and 24x24" in said


@pytest.mark.slow
def test_a_grid_of_positions_is_a_graph_of_one_size_alone(tmp_path: Path) -> None:
    head = {"kind": "vgg", "grid": 3, "hidden": [8], "num_classes": 5}
    spec = NetworkSpec.model_validate({**small("plain").plain(), "head": head})
    with pytest.raises(InputError, match="--fixed-size exports it"):
        format_called("onnx").write(order(spec, tmp_path / "model.onnx"))
    (said,) = format_called("onnx").write(order(spec, tmp_path / "model.onnx", fixed_size=True))
    assert "batches 1, 2, 7 of 16x16;" in said
