"""A trained network as it is deployed: normalisation inside, batch norms folded, checked against the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from blocks import for_inference
from blocks.source import InputError

if TYPE_CHECKING:
    from blocks import TrainedNetwork

BATCHES = (1, 2, 7)
TOLERANCE = 1e-4
"""Of the largest logit: what float32 may lose where sums are taken in another order."""


class Deployed(nn.Module):
    """From images of 0..1, N C H W, to logits. Resizing is left to the caller."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: TrainedNetwork) -> None:
        super().__init__()
        self.network = for_inference(model)
        self.register_buffer("mean", model.preprocess.mean.clone())
        self.register_buffer("std", model.preprocess.std.clone())

    def forward(self, images: Tensor) -> Tensor:  # N C H W -> N logits
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits


def description(model: TrainedNetwork) -> dict[str, Any]:
    """Returns, as plain data, what has to be known to use a graph, and what is known of it."""
    return {
        "labels": list(model.labels),
        "input": list(model.metadata.input),
        "images": "float32 in 0..1, N C H W, resized; normalised inside",
        "mean": list(model.metadata.mean),
        "std": list(model.metadata.std),
        "metrics": model.metrics,
    }


def example(model: TrainedNetwork, batch: int = 2) -> Tensor:
    """Returns random images of the model's own size, to trace it with."""
    return torch.rand(batch, *model.metadata.input, generator=torch.Generator().manual_seed(0))


def sizes(model: TrainedNetwork, *, fixed: bool) -> list[tuple[int, int]]:
    """Returns the resolutions at which a format is checked: the model's own, and a larger one unless that is fixed."""
    _, height, width = model.metadata.input
    return [(height, width)] if fixed else [(height, width), (height + max(8, height // 2), width + max(8, width // 2))]


def check(model: TrainedNetwork, run: Callable[[Tensor], Tensor], *, fixed: bool, name: str) -> str:
    """Runs what was exported beside the model, at several batches and resolutions; returns a sentence about it.

    Raises:
        InputError: If logits differ by more than the tolerance: what was written isn't the model.
    """
    worst, shapes = 0.0, []
    for images in _probes(model, fixed=fixed):
        with torch.no_grad():
            expected = model((images - model.preprocess.mean) / model.preprocess.std)
        found = _ran(run, images, name, fixed=fixed)
        difference = (found - expected).abs().max().item() / max(expected.abs().max().item(), 1e-6)
        worst = max(worst, difference)
        shapes.append(tuple(images.shape))
        if not difference <= TOLERANCE:
            raise InputError(
                f"{name} of {tuple(images.shape)} gives other logits than the model: they differ by "
                f"{difference:.1e} of the largest, more than the tolerance of {TOLERANCE:.0e}"
            )
    batches = ", ".join(str(batch) for batch in BATCHES)
    resolutions = " and ".join(dict.fromkeys(f"{height}x{width}" for _, _, height, width in shapes))
    return (
        f"checked in {name}: batches {batches} of {resolutions}; logits differ by {worst:.1e} of the largest "
        f"(tolerance {TOLERANCE:.0e})"
    )


def _ran(run: Callable[[Tensor], Tensor], images: Tensor, name: str, *, fixed: bool) -> Tensor:
    """Runs what was exported. Raises ``InputError`` where that fails: at a size that tracing took for granted, say."""
    try:
        return run(images)
    except Exception as error:
        said = str(error).splitlines()[0][:200]
        hint = "" if fixed else "; --fixed-size exports it for images of the size that it was trained on"
        raise InputError(f"{name} fails on images of {tuple(images.shape)}: {said}{hint}") from error


def _probes(model: TrainedNetwork, *, fixed: bool) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(1)
    for height, width in sizes(model, fixed=fixed):
        for batch in BATCHES:
            yield torch.rand(batch, model.metadata.input[0], height, width, generator=generator)
