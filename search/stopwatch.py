"""How long networks take to answer, as a cost that is known before anything is trained.

A time depends on the machine and on what else runs there, so it is measured once: a network that was timed, in this
session or in an earlier one whose record tells of it, keeps its time. The baseline is timed first, while nothing of the
study runs. Every other network is timed in turns with the baseline, so that what slows one slows the other, and what
counts is the ratio between the two (the median of the rounds' ratios, with its interval) times the baseline's own time:
arms that a search proposes while others are trained are then still comparable with those before them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import model_validator

from blocks.base import Count, Positive, Spec, Text, identity
from blocks.source import InputError, Location
from search.configuration import Configuration
from search.providers import CPU, demand_provider, provider_of

if TYPE_CHECKING:
    from search.record import Record
    from search.study import StudySpec
    from search.timing import Timed

Run = Callable[..., Any]

BATCHES = {"latency_1": 1, "latency_64": 64}
"""The costs that are measured, and of how many images each is the time."""
LONGER = 8
"""By so much longer a network is timed whose interval holds a limit that it is held against."""
BUSY = 1.25
"""Processes a core beyond which the machine is too busy for its times to be those of a quiet one."""


class LatencySpec(Spec):
    """How networks are timed: for inference on the CPU of the machine that plans the study, batch norms folded.

    Attributes:
        runtime: What runs them, all arms alike. Where some answer in int8, which are timed as that, ``onnxruntime``.
        provider: What ONNX Runtime runs them on, by its own name: ``CUDAExecutionProvider``.
        precision: Of torch.
        threads: Of the CPU.
        seconds: Of timing one network at one batch, at most; at least twenty runs are timed.
    """

    runtime: Literal["torch", "onnxruntime"] = "torch"
    provider: Text | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: Count = 1
    seconds: Positive = 0.3

    @model_validator(mode="after")
    def _of_the_runtime(self) -> Self:
        if self.runtime == "torch" and self.provider is not None:
            raise ValueError("a provider is ONNX Runtime's: say runtime: onnxruntime")
        if self.runtime != "torch" and self.precision != "float32":
            raise ValueError("precision is torch's: ONNX Runtime runs float32 graphs, and int8 ones of arms that are")
        return self


class Timing(NamedTuple):
    """What a network was measured to take for a batch, in milliseconds.

    Attributes:
        low, high: A 95% interval of the median; of all but the baseline, of the ratio to it.
        bytes: Of the graph's file in ONNX Runtime, of the parameters in torch.
        loaded: The load of the machine meanwhile, in processes a core.
        provider: What ONNX Runtime ran it on; empty for torch.
    """

    network: str
    batch: int
    runtime: str
    precision: str
    threads: int
    median: float
    low: float
    high: float
    runs: int
    bytes: int
    loaded: float
    machine: str
    date: str
    provider: str = ""


Described = tuple[str, int, str, str, int, str]
"""What a time is of: network, batch, runtime, precision, threads, provider."""


class Stopwatch:
    """The times of a study's networks, each measured once.

    Args:
        study: For what is to be known, and how it is measured.
        entries: Of the run's record, whose times are kept.
        measures: Whether what isn't known is measured; a reader beside the driver does not.
    """

    def __init__(self, study: StudySpec, entries: Iterable[Mapping[str, Any]] = (), *, measures: bool = True) -> None:
        self.spec = study.latency or LatencySpec()
        self.wanted = wanted(study)
        self._limits = {batch: study.constraints.limits_of(name) for name, batch in BATCHES.items()}
        self._measures = measures
        told = (entry for entry in entries if entry["event"] == "latency")
        known = [_told(entry) for entry in told]
        self._known = {self._key(timing): timing for timing in known}
        self._new: list[Timing] = []
        self._baseline: Configuration | None = None
        self._running: dict[int, Timed] = {}
        self._built: dict[Described, tuple[Run, int]] = {}
        self._told = False

    def begin(self, baseline: Configuration) -> dict[str, Timing]:
        """Times the baseline, which all others are timed beside."""
        if baseline != self._baseline:
            self._baseline = baseline
            self._running.clear()
            self._built.clear()
        return self.of(baseline)

    def unfit(self) -> tuple[str, Location] | None:
        """Returns why nothing can be timed as the study wants it, and the field that says so; None if all can."""
        if not self.wanted or not self._measures or self.spec.provider is None:
            return None
        try:
            demand_provider(self.spec.provider, "it can't be timed on that")
        except InputError as error:
            return str(error), ("latency", "provider")
        return None

    def stranger(self, own: Configuration) -> str | None:
        """Returns why a configuration can't be timed in the runtime of all others, in a sentence; None if it can."""
        if not self.wanted or self.spec.runtime != "torch" or not own.train.evaluation.int8:
            return None
        return (
            "an arm answers in int8, which torch doesn't run, and times of two runtimes don't compare: "
            "say latency: {runtime: onnxruntime}, which runs all arms"
        )

    def of(self, own: Configuration) -> dict[str, Timing]:
        """Returns a configuration's times by the name of the cost; nothing of a study that asks for none.

        Raises:
            InputError: If it can't be run so: a library is missing, or there is no such graph.
        """
        return {name: self._timing(own, batch) for name, batch in self.wanted.items()}

    def write_to(self, record: Record) -> None:
        """Adds what was measured since the last call to a run's record."""
        for timing in self._new:
            record.append("latency", sync=False, **timing._asdict())
        self._new.clear()

    @property
    def notes(self) -> list[str]:
        """What is to be known of the times: sentences that warn."""
        times = list(self._known.values())
        busy = max((timing.loaded for timing in times), default=0.0)
        notes = [f"networks were timed while the machine was busy, with {busy:.1f} processes a core"] * (busy > BUSY)
        machines = sorted({timing.machine for timing in times})
        if len(machines) > 1:
            notes.append(
                f"networks were timed on {' and on '.join(machines)}: those of the later machine are ratios to the "
                "baseline's time there, times its time on the first"
            )
        return notes

    # Measuring

    def _timing(self, own: Configuration, batch: int) -> Timing:
        key = self._described(own, batch)
        if key not in self._known:
            if not self._measures:
                raise LookupError(f"the record holds no time of the network {key[0]} for a batch of {batch}")
            self._known[key] = self._measured(own, batch)
            self._new.append(self._known[key])
        return self._known[key]

    def _described(self, own: Configuration, batch: int) -> Described:
        network = identity({"network": own.network.structure, "input": list(own.input)})
        runtime = "int8" if own.train.evaluation.int8 else self.spec.runtime
        precision = {"torch": self.spec.precision, "int8": "int8"}.get(runtime, "float32")
        provider = self.spec.provider or provider_of(runtime)
        return network, batch, runtime, precision, self.spec.threads, provider

    @staticmethod
    def _key(timing: Timing) -> Described:
        return timing.network, timing.batch, timing.runtime, timing.precision, timing.threads, timing.provider

    def _measured(self, own: Configuration, batch: int) -> Timing:
        from search.environment import hardware
        from search.timing import load, middle, take_turns
        from search.train.settings import trial_settings

        assert self._baseline is not None, "the baseline is timed first"
        if not self._told:
            print("timing networks on this machine", file=sys.stderr)
            self._told = True
        reference = self._known.get(self._described(self._baseline, batch))
        with trial_settings(self.spec.threads), TemporaryDirectory() as folder:
            subject, size = self._subject(own, batch, Path(folder))
            pair = [subject] if reference is None else [subject, self._beside(batch, Path(folder))]
            take_turns(pair, self.spec.seconds)
            found = middle(_milliseconds(pair, reference))
            if any(found[1] <= limit <= found[2] for limit in self._limits[batch]):
                rounds = min(len(each.seconds) for each in pair)
                for each in pair:  # a run of each is a round, in what follows too
                    del each.seconds[rounds:]
                take_turns(pair, LONGER * self.spec.seconds)
                found = middle(_milliseconds(pair, reference))
        runs, now = len(subject.seconds), datetime.now(UTC).strftime("%Y-%m-%d")
        machine: str = hardware()["cpu"]
        network, batch, runtime, precision, threads, provider = self._described(own, batch)
        busy = round(load(), 2)
        return Timing(
            network, batch, runtime, precision, threads, *found, runs, size, busy, machine, now, provider
        )  # fmt: skip

    def _beside(self, batch: int, folder: Path) -> Timed:
        """Returns the baseline, built once for a batch, to take turns with."""
        assert self._baseline is not None
        if batch not in self._running:
            self._running[batch], _ = self._subject(self._baseline, batch, folder)
        self._running[batch].seconds.clear()
        return self._running[batch]

    def _subject(self, own: Configuration, batch: int, folder: Path) -> tuple[Timed, int]:
        """Returns a network to be timed at a batch, and its bytes; for the next batch it isn't built again."""
        from search.timing import Timed, images_like

        assert self._baseline is not None
        key, base = (self._described(each, 0) for each in (own, self._baseline))
        if key not in self._built:
            self._built = {known: built for known, built in self._built.items() if known == base}
            self._built[key] = self._runner(own, folder)
        run, size = self._built[key]
        return Timed(run, images_like(own.input, batch)), size

    def _runner(self, own: Configuration, folder: Path) -> tuple[Run, int]:
        """Builds a network of any weights: time depends on shapes alone."""
        from blocks import Metadata, TrainedNetwork
        from blocks.initialisation import seeded
        from search.timing import runner

        channels = own.input[0]
        metadata = Metadata(input=own.input, mean=(0.5,) * channels, std=(0.25,) * channels)
        with seeded(0):
            model = TrainedNetwork(own.network, metadata).eval()
        _, _, runtime, precision, threads, provider = self._described(own, 0)
        graph = folder / f"{len(list(folder.iterdir()))}.onnx"
        return runner(model, runtime, precision, threads, graph, lambda: _noise(own.input), provider or CPU)


def _told(entry: Mapping[str, Any]) -> Timing:
    """Reads a time of the record, in which older ones name no provider."""
    provider = entry.get("provider", provider_of(entry["runtime"]))
    return Timing(**{name: entry[name] for name in Timing._fields if name != "provider"}, provider=provider)


def wanted(study: StudySpec) -> dict[str, int]:
    """Returns the times that a study asks for, with their batches: all where it has a ``latency`` section, else those
    that a constraint, an objective or a band of its costs names."""
    if study.latency is not None:
        return dict(BATCHES)
    bands = study.confirm.best_under
    named = {*study.constraints.named, *getattr(study.design, "objectives", ()), *([bands.cost] if bands else [])}
    return {name: batch for name, batch in BATCHES.items() if name in named}


def _milliseconds(pair: list[Timed], reference: Timing | None) -> list[float]:
    """Returns what each run took; beside the baseline, the ratio of each round times the baseline's own time."""
    if reference is None:
        return [1000 * seconds for seconds in pair[0].seconds]
    rounds = zip(pair[0].seconds, pair[1].seconds, strict=False)  # the slower of two has fewer
    return [reference.median * own / other for own, other in rounds]


def _noise(shape: tuple[int, int, int]) -> Any:
    """Returns images of noise, for int8's ranges: where they lie makes no difference to the time."""
    import numpy as np

    from search.data.images import Images, Splits

    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (64, *shape), dtype=np.uint8)
    images = Images(pixels, np.zeros(len(pixels), np.int64))
    channels = shape[0]
    return Splits(images, images, images, (0.5,) * channels, (0.25,) * channels, (), "")
