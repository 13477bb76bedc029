"""How long a network takes for an image and for a batch: ``python -m search.latency FILE_OR_RUN``.

Measured on this machine, for inference: batch norms folded, warmed up, the median of many runs with an interval. Of a
run directory every arm is measured, in turns, and ``latency.csv`` is written there, which its page shows once it is
built again. An arm that answers in int8 is measured as that, in ONNX Runtime, and so then are all others, unless
--runtime says otherwise: times of two runtimes don't compare.

Exit codes: 0 done; 2 the input is wrong; 5 the run directory is unreadable or full.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from search.commands import count, exit_code, positive, wrong
from search.latencies import Latency, write_latencies
from search.providers import CPU, demand_provider
from search.timing import RUNTIMES, Timed, images_like, load, middle, runner, take_turns

if TYPE_CHECKING:
    from blocks import NetworkSpec, TrainedNetwork


class Subject(NamedTuple):
    """What is measured, and whose it is."""

    arm: str
    label: str
    runtime: str
    batch: int
    bytes: int
    spec: NetworkSpec
    timed: Timed


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
    first = rows[0]
    providers = ", ".join(dict.fromkeys(row.provider for row in rows if row.provider))
    threads = f"{first.threads} thread{'s' * (first.threads > 1)}"
    where = f"{first.machine}, {threads}, {first.date}{f', {providers}' if providers else ''}"
    print(f"{where}; load {first.loaded:.1f} processes a core")
    if options.source.is_dir():
        print(write_latencies(options.source, rows))
    return 0


def _measured(options: argparse.Namespace, folder: Path) -> Iterator[Latency]:
    """Yields a row for each model, runtime and batch.

    Raises:
        InputError: If a runtime isn't installed, or can't run what is to be measured.
    """
    from search.described import in_int8, own_splits
    from search.environment import hardware
    from search.train.settings import trial_settings

    subjects: list[Subject] = []
    models = list(_models(options))
    runtimes = _runtimes(options, models)
    with trial_settings(options.threads):
        for arm, label, model in models:
            for runtime in runtimes[in_int8(model)]:
                graph, provider = folder / f"{len(subjects)}.onnx", options.provider or CPU
                splits = partial(own_splits, model)
                run, size = runner(model, runtime, options.precision, options.threads, graph, splits, provider)
                for batch in options.batch:
                    timed = Timed(run, images_like(model.metadata.input, batch))
                    subjects.append(Subject(arm, label, runtime, batch, size, model.spec, timed))
        take_turns([each.timed for each in subjects], options.seconds)
    machine, date, loaded = hardware()["cpu"], datetime.now(UTC).strftime("%Y-%m-%d"), load()
    for each in subjects:
        median, low, high = (1000 * value for value in middle(each.timed.seconds))
        channels, height, width = each.timed.images.shape[1:]
        cost = each.spec.cost((channels, height, width))
        precision = {"int8": "int8", "torch": options.precision}.get(each.runtime, "float32")
        yield Latency(
            each.arm, each.label, each.runtime, precision, each.batch, options.threads, median, low, high,
            len(each.timed.seconds), cost.macs, cost.params, each.bytes, loaded, machine, date,
            "" if each.runtime == "torch" else options.provider or CPU,
        )  # fmt: skip


def _runtimes(options: argparse.Namespace, models: Sequence[tuple[str, str, TrainedNetwork]]) -> dict[bool, list[str]]:
    """Returns in what models are measured: those that answer in float32 (False), and those in int8 (True).

    Raises:
        InputError: If nothing can be measured so, or an option would do nothing.
    """
    from search.described import in_int8

    rounded = [label for _, label, model in models if in_int8(model)]
    wanted: list[str] = options.runtime or (["onnxruntime"] if rounded else ["torch"])
    if options.precision != "float32" and "torch" not in wanted:
        raise wrong("--precision is torch's: --runtime torch goes with it")
    if wanted == ["torch"] and rounded:
        said = "it answers in int8" if not options.source.is_dir() else f"{', '.join(rounded)} answers in int8"
        if len(rounded) == len(models):
            raise wrong(f"{options.source}: {said}, which torch doesn't run: say --runtime onnxruntime")
        print(f"left out: {said}, which torch doesn't run; --runtime onnxruntime measures all", file=sys.stderr)
    if options.provider and wanted == ["torch"]:
        raise wrong("--provider is ONNX Runtime's: --runtime onnxruntime goes with it")
    if wanted != ["torch"]:
        demand_provider(options.provider or CPU, "--provider")
    return {False: wanted, True: [] if wanted == ["torch"] else ["int8"]}


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.latency",
        description="Measures how long a trained model, or every arm of a run, takes for a batch on this machine.",
        epilog=__doc__.partition("\n\n")[2],
    )
    add = parser.add_argument
    add("source", type=Path, metavar="FILE_OR_RUN", help="a model's file, or a run directory")
    add("--batch", type=count, nargs="+", default=[1, 64], metavar="N", help="images at a time (default: 1 64)")
    add("--runtime", nargs="+", choices=RUNTIMES, help="what runs it (default: torch; onnxruntime where one is int8)")
    add("--provider", metavar="NAME", help=f"what ONNX Runtime runs it on (default: {CPU})")
    add("--precision", choices=("float32", "bfloat16"), default="float32", help="of torch (default: float32)")
    add("--threads", type=count, default=1, metavar="N", help="of the CPU (default: 1)")
    add("--seconds", type=positive, default=2.0, metavar="S", help="of measuring a row, at most (default: 2)")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
