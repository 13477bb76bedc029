"""int8 after training: static, per channel, calibrated on training images, batch norms folded first.

Weights and activations are quantised by ONNX Runtime (QDQ; Jacob et al. 2018, https://arxiv.org/abs/1712.05877).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blocks import Metadata, Network, TrainedNetwork
from search.deployed import Deployed
from search.formats import Order, library
from search.formats.onnx import Quiet, describe, export_graph, session
from search.train.tally import Score, Tally

if TYPE_CHECKING:
    from search.data.images import Images, Splits

CALIBRATION_IMAGES, BATCH = 512, 64

Run = Callable[[Tensor], Tensor]


def quantise(model: TrainedNetwork, splits: Splits, out: Path) -> None:
    """Writes a model as an int8 graph for images of the size that it was trained on.

    Args:
        splits: Of which training images, evenly spread, set the ranges of activations; no other split is looked at.

    Raises:
        InputError: If a library is missing, or the network can't be exported.
    """
    quantisation = library("onnxruntime.quantization", "onnx")
    with TemporaryDirectory() as folder, Quiet():
        whole = Path(folder) / "float.onnx"
        export_graph(Order(model, whole, lambda: splits, fixed_size=True))
        ready = Path(folder) / "ready.onnx"
        library("onnxruntime.quantization.shape_inference", "onnx").quant_pre_process(
            whole, ready, skip_symbolic_shape=True
        )
        quantisation.quantize_static(
            ready,
            out,
            _reader(quantisation, splits.train),
            per_channel=True,
            quant_format=quantisation.QuantFormat.QDQ,
            activation_type=quantisation.QuantType.QUInt8,
            weight_type=quantisation.QuantType.QInt8,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        onnx = library("onnx", "onnx")
        graph = onnx.load(out)  # without what the float graph said of itself, which quantising leaves behind
        describe(graph, model)
        onnx.save(graph, out)


def agreement(model: TrainedNetwork, splits: Splits, run: Run, out: Path) -> list[str]:
    """Returns what int8 changes, in sentences: accuracy on the same validation images, and the size."""
    network = Deployed(model).eval()

    def whole(images: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = network(images)
        return logits

    before, after = correct(whole, splits.validation), correct(run, splits.validation)
    floats = 4 * sum(parameter.numel() for parameter in model.parameters())
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    return [
        f"validation accuracy {after.mean():.2%} in int8, {before.mean():.2%} in float32, of {len(before):,} images: "
        f"{lost} are lost and {won} won",
        f"{out.stat().st_size:,} bytes, graph and all; the float32 weights alone are {floats:,}",
    ]


def measure_int8(network: Network, images: Images, splits: Splits, threads: int) -> tuple[Score, NDArray[np.bool_]]:
    """Quantises a trained network and returns how it does on images, and which of them it gets right.

    Raises:
        InputError: If a library is missing, or the network can't be exported.
    """
    shape = splits.train.pixels.shape[1:]
    metadata = Metadata(input=tuple(shape), mean=splits.mean, std=splits.std)
    model = TrainedNetwork(network.spec, metadata)
    model.load_state_dict({name: value.cpu() for name, value in network.state_dict().items()})
    tally = Tally(torch.device("cpu"))
    with TemporaryDirectory() as folder:
        graph = Path(folder) / "int8.onnx"
        quantise(model.eval(), splits, graph)
        run = session(graph, threads)
        labels = torch.split(torch.from_numpy(images.labels.copy()), BATCH)
        found = [tally.add(run(batch), some) for batch, some in zip(batches(images), labels, strict=True)]
    return tally.score(), torch.cat(found).numpy()


def correct(run: Run, images: Images) -> NDArray[np.bool_]:
    """Returns which images are told right."""
    found = [run(batch).argmax(1).numpy() for batch in batches(images)]
    right: NDArray[np.bool_] = np.concatenate(found) == images.labels
    return right


def batches(images: Images, size: int = BATCH) -> Iterator[Tensor]:
    """Yields images as a deployed network takes them: floats of 0..1, N C H W."""
    for start in range(0, len(images), size):
        pixels: NDArray[Any] = np.asarray(images.pixels[start : start + size])
        yield torch.from_numpy(pixels.astype(np.float32) / 255)


def _reader(quantisation: Any, images: Images) -> Any:
    """Returns what feeds ONNX Runtime's calibration."""
    step = max(1, len(images) // CALIBRATION_IMAGES)
    chosen = images.take(np.arange(0, len(images), step, dtype=np.int64)[:CALIBRATION_IMAGES])

    class Reader(quantisation.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = batches(chosen)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            batch = next(self._batches, None)
            return None if batch is None else {"images": batch.numpy()}

    return Reader()
