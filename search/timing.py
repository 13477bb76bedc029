"""Timing what answers: in turns, so that all meet the same disturbances; warmed up, the median with its interval."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from search.engine import cores
from search.providers import CPU

if TYPE_CHECKING:
    import torch

    from blocks import TrainedNetwork
    from search.data.images import Splits

WARM_UP, FEWEST, MOST = 5, 20, 200
"""Runs that are not counted; how many there are at least and at most of those that are."""
RUNTIMES = ("torch", "onnxruntime", "int8")


@dataclass
class Timed:
    """Something that runs on images, and the seconds that each run took so far."""

    run: Callable[[torch.Tensor], Any]
    images: torch.Tensor
    seconds: list[float] = field(default_factory=list)


def take_turns(timed: Sequence[Timed], enough: float) -> None:
    """Runs each in turn, so that all meet the same disturbances, until each has run for so many seconds in all."""
    for each in timed:
        for _ in range(WARM_UP):
            each.run(each.images)
    for number in range(MOST):
        for each in timed:
            if number < FEWEST or sum(each.seconds) < enough:
                started = perf_counter()
                each.run(each.images)
                each.seconds.append(perf_counter() - started)


def middle(values: Sequence[float]) -> tuple[float, float, float]:
    """Returns the median, and the two values between which it lies with 95%: those of the binomial's ranks."""
    ordered, count = sorted(values), len(values)
    half = 1.96 * math.sqrt(count) / 2
    low, high = max(0, math.floor(count / 2 - half)), min(count - 1, math.ceil(count / 2 + half))
    middle_ = count // 2
    median = ordered[middle_] if count % 2 else (ordered[middle_ - 1] + ordered[middle_]) / 2
    return median, ordered[low], ordered[high]


def images_like(shape: Sequence[int], batch: int) -> torch.Tensor:
    """Returns so many images of noise, of C H W."""
    import torch

    return torch.rand(batch, *shape, generator=torch.Generator().manual_seed(0))


def runner(
    model: TrainedNetwork,
    runtime: str,
    precision: str,
    threads: int,
    graph: Path,
    splits: Callable[[], Splits],
    provider: str = CPU,
) -> tuple[Callable[[torch.Tensor], Any], int]:
    """Returns what runs a model for inference, batch norms folded, and how many bytes that is: the graph's file in ONNX
    Runtime, so that float32 and int8 compare; the parameters in torch, which has no file of its own.

    Args:
        runtime: One of ``RUNTIMES``.
        precision: Of torch; the others have their own.
        threads: Of the CPU; torch's are set by the caller.
        graph: Where a runtime of graphs keeps the model's.
        splits: The images that set the ranges of int8.
        provider: What ONNX Runtime runs it on.

    Raises:
        InputError: If the runtime isn't installed, or the model has no such graph.
    """
    import torch

    if runtime == "torch":
        from search.deployed import Deployed
        from search.train.precision import autocast

        network = Deployed(model).eval().to(memory_format=torch.channels_last)

        @torch.inference_mode()
        def run(images: torch.Tensor) -> Any:
            with autocast(precision, torch.device("cpu")):
                return network(images)

        return run, 4 * sum(parameter.numel() for parameter in model.parameters())
    from search.formats import Order, onnx
    from search.quantise import quantise

    if runtime == "onnxruntime":
        onnx.export_graph(Order(model, graph, splits, fixed_size=True))
    else:
        quantise(model, splits(), graph)
    return onnx.session(graph, threads, provider), graph.stat().st_size


def load() -> float:
    """Returns how many processes a core wanted to run, over the last minute: above 1, times are too long."""
    return os.getloadavg()[0] / cores()
