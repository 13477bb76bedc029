"""How long a network takes for an image and for a batch: ``python -m search.latency FILE_OR_RUN``.

Measured on this machine, for inference: batch norms folded, warmed up, the median of many runs with an interval. Of a
run directory every arm is measured, in turns, and ``latency.csv`` is written there, which its page shows once it is
built again. An arm that answers in int8 is measured as that.

Exit codes: 0 done; 2 the input is wrong; 5 the run directory is unreadable or full.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from search.commands import count, exit_code

if TYPE_CHECKING:
    import torch

    from blocks import NetworkSpec, TrainedNetwork

WARM_UP, FEWEST, MOST = 5, 20, 200
"""Runs that are not counted; how many there are at least and at most of those that are."""
RUNTIMES = ("torch", "onnxruntime", "int8")


class Latency(NamedTuple):
    """A row of latency.csv; times are milliseconds a batch.

    Attributes:
        low, high: A 95% interval of the median, from the order of the runs (by the binomial distribution).
        bytes: Of the parameters in float32, or of the graph's file in int8.
        loaded: The load of the machine meanwhile, in processes a core; above 1 the figures are too high.
    """

    arm: str
    label: str
    runtime: str
    precision: str
    batch: int
    threads: int
    median: float
    low: float
    high: float
    runs: int
    macs: int
    params: int
    bytes: int
    loaded: float
    machine: str
    date: str


class Subject(NamedTuple):
    """What is measured: what runs, on what, and the seconds that it took so far."""

    arm: str
    label: str
    runtime: str
    batch: int
    bytes: int
    spec: NetworkSpec
    run: Callable[[torch.Tensor], Any]
    images: torch.Tensor
    seconds: list[float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures; returns the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code("search.latency", lambda: _latency(options))


def _latency(options: argparse.Namespace) -> int:
    with TemporaryDirectory() as folder:
        rows = list(_measured(options, Path(folder)))
    for row in rows:
        print(
            f"{row.label[:36]:36} {row.runtime:12} {row.precision:9} batch {row.batch:<4} {row.median:9.3f} ms "
            f"[{row.low:.3f}, {row.high:.3f}] {1000 * row.batch / row.median:11,.0f} images/s {row.bytes:>11,} bytes"
        )
    print(f"{rows[0].machine}, {rows[0].threads} threads, {rows[0].date}; load {rows[0].loaded:.1f} processes a core")
    if options.source.is_dir():
        from search.record import write_atomically

        write_atomically(options.source / "latency.csv", _table(rows))
        print(options.source / "latency.csv")
    return 0


def _measured(options: argparse.Namespace, folder: Path) -> Iterator[Latency]:
    """Yields a row for each model, runtime and batch. Raises ``InputError`` if a runtime isn't installed."""
    import torch

    from search.environment import hardware
    from search.train.settings import trial_settings

    subjects: list[Subject] = []
    with trial_settings(options.threads):
        for arm, label, model in _models(options):
            in_int8 = model.provenance.get("train", {}).get("evaluation", {}).get("int8", False)
            for runtime in ["int8"] if in_int8 else options.runtime:
                run, size = _runner(model, runtime, options, folder / f"{len(subjects)}.onnx")
                for batch in options.batch:
                    images = torch.rand(batch, *model.metadata.input, generator=torch.Generator().manual_seed(0))
                    subjects.append(Subject(arm, label, runtime, batch, size, model.spec, run, images, []))
        take_turns(subjects, options.seconds)
    machine, date, loaded = hardware()["cpu"], datetime.now(UTC).strftime("%Y-%m-%d"), _load()
    for each in subjects:
        median, low, high = (1000 * value for value in middle(each.seconds))
        channels, height, width = each.images.shape[1:]
        cost = each.spec.cost((channels, height, width))
        precision = {"int8": "int8", "torch": options.precision}.get(each.runtime, "float32")
        yield Latency(
            each.arm, each.label, each.runtime, precision, each.batch, options.threads, median, low, high,
            len(each.seconds), cost.macs, cost.params, each.bytes, loaded, machine, date,
        )  # fmt: skip


def take_turns(subjects: Sequence[Subject], enough: float) -> None:
    """Runs each in turn, so that all meet the same disturbances, until each has run for so many seconds."""
    for each in subjects:
        for _ in range(WARM_UP):
            each.run(each.images)
    for number in range(MOST):
        for each in subjects:
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


def _runner(
    model: TrainedNetwork, runtime: str, options: argparse.Namespace, graph: Path
) -> tuple[Callable[[torch.Tensor], Any], int]:
    """Returns what runs a model, and how many bytes its weights are."""
    import torch

    from search.deployed import Deployed

    floats = 4 * sum(parameter.numel() for parameter in model.parameters())
    if runtime == "torch":
        from search.train.precision import autocast

        network = Deployed(model).eval().to(memory_format=torch.channels_last)

        @torch.inference_mode()
        def run(images: torch.Tensor) -> Any:
            with autocast(options.precision, torch.device("cpu")):
                return network(images)

        return run, floats
    from search.described import own_splits
    from search.formats import Order, onnx
    from search.quantise import quantise

    if runtime == "onnxruntime":
        onnx.export_graph(Order(model, graph, lambda: own_splits(model), fixed_size=True))
        return onnx.session(graph, options.threads), floats
    quantise(model, own_splits(model), graph)
    return onnx.session(graph, options.threads), graph.stat().st_size


def _models(options: argparse.Namespace) -> Iterator[tuple[str, str, TrainedNetwork]]:
    """Yields what is to be measured. Of a run's arms the weights don't matter: time depends on shapes alone."""
    from blocks import Metadata, NetworkSpec, TrainedNetwork, load_model

    if not options.source.is_dir():
        model = load_model(options.source, options.plugin)
        yield model.provenance.get("arm", ""), model.provenance.get("label", options.source.name), model
        return
    from search.data.spec import DATASETS
    from search.kept import read_run

    run = read_run(options.source)
    for arm in run.arms.values():
        if arm["status"] == "run":
            shape = DATASETS.parse(arm["data"]).facts().shape
            metadata = Metadata(
                input=shape,
                mean=(0.5,) * shape[0],
                std=(0.25,) * shape[0],
                provenance={"data": arm["data"], "train": arm["train"]},
            )
            network = TrainedNetwork(NetworkSpec.model_validate(arm["network"]), metadata).eval()
            yield arm["arm"], arm["label"], network


def _load() -> float:
    import os

    from search.engine import cores

    return os.getloadavg()[0] / cores()


def _table(rows: Sequence[Latency]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Latency._fields)
    writer.writerows(rows)
    return text.getvalue()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.latency",
        description="Measures how long a trained model, or every arm of a run, takes for a batch on this machine.",
        epilog=__doc__.partition("\n\n")[2],
    )
    add = parser.add_argument
    add("source", type=Path, metavar="FILE_OR_RUN", help="a model's file, or a run directory")
    add("--batch", type=count, nargs="+", default=[1, 64], metavar="N", help="images at a time (default: 1 64)")
    add("--runtime", nargs="+", choices=RUNTIMES, default=["torch"], help="what runs it (default: torch)")
    add("--precision", choices=("float32", "bfloat16"), default="float32", help="of torch (default: float32)")
    add("--threads", type=count, default=1, metavar="N", help="of the CPU (default: 1)")
    add("--seconds", type=float, default=2.0, metavar="S", help="of measuring a row, at most (default: 2)")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
