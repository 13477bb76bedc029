"""The study file: a baseline that is itself a loadable network, and beside it what varies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, model_validator

from blocks import NetworkSpec
from blocks.base import Count, Fraction, Number, Positive, Spec, Text
from blocks.expand import GeneratedNetworkSpec
from blocks.plugins import Plugin, plugins_of
from blocks.source import InputError, Source, parse_value, read_yaml
from search import paths
from search.baseline import FilledIn, baseline_network
from search.constraints import Constraints, LimitsSpec
from search.data.spec import DATASETS, DataError, DataSpec
from search.designs.base import DESIGNS, DesignSpec
from search.factors import Factor
from search.phases import ConfirmSpec, FidelitySpec, PowerSpec, TuneSpec
from search.stopwatch import LatencySpec
from search.trackers import TRACKERS, TrackerSpec
from search.train.initial import located
from search.train.recipe import TrainSpec

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


class RaySpec(Spec):
    """What a trial asks of a machine, and how many run at once.

    Attributes:
        gpus: A fraction shares one; ``auto`` shares it between as many as its memory and the CPUs beside it hold.
        cpus: By default as many as the recipe has threads.
        memory: Bytes of the machine's memory that a trial needs; no more trials are put there than have that.
        labels: Of the nodes that trials may run on, as their ``ray start --labels`` gave them.
        workers: Trials at a time; by default as many as there is room for.
    """

    gpus: Annotated[Number, Field(ge=0)] | Literal["auto"] | None = None
    cpus: Positive | None = None
    memory: Positive | None = None
    labels: dict[Text, Text] = {}
    workers: Count | None = None


class TimeSpec(Spec):
    """When a study, or a trial, is ended.

    Attributes:
        hours: What the study may take, all its sessions together. No more is explored once the finalists need what is
            left; what is in flight when nothing is left is given up.
        trial_minutes: A trial that takes longer is ended and has failed.
    """

    hours: Positive | None = None
    trial_minutes: Positive | None = None


def _network_spec(given: Any) -> NetworkSpec | GeneratedNetworkSpec:
    """Keeps a generator as it was written, so that its numbers can be varied."""
    generated = isinstance(given, Mapping) and "generate" in given
    return GeneratedNetworkSpec.model_validate(given) if generated else NetworkSpec.model_validate(given)


class StudySpec(Spec):
    """A whole study, resolved: every shorthand written out, every default filled in.

    Attributes:
        name: Names the run directory ``runs/<name>``.
        question: What the study asks; by default the first line of the file's opening comment.
        plugins: Python files, relative to the study's, that register kinds of your own.
        data: The images.
        network: The baseline: stem, stages and head; or a preset or generator with parts replaced.
        train: The recipe.
        factors: What is varied, by name.
        design: How arms are chosen, and how many seeds each gets.
        limits: Networks over these are never built.
        latency: How long networks take to answer is measured for every arm, and how. A constraint or an objective that
            names ``latency_1`` or ``latency_64`` (milliseconds of a batch) measures that one without this section.
        tune: What each arm looks for its own best value of.
        fidelity: A check of short training runs against full ones.
        confirm: What becomes of the best arms.
        power: What the study wants to be able to see.
        tracking: What else is told how the study goes: ``tensorboard``, ``wandb``, ``mlflow`` or ``prometheus``.
        time: When the study, or a trial, is ended.
        margin: Accuracy difference (a fraction: 0.005 is half a point) within which arms count as equivalent.
    """

    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    question: Text = ""
    plugins: tuple[Text, ...] = ()
    data: Annotated[DataSpec, DATASETS]
    network: Annotated[
        NetworkSpec | GeneratedNetworkSpec,
        PlainValidator(_network_spec, json_schema_input_type=NetworkSpec | GeneratedNetworkSpec),
        PlainSerializer(lambda spec: spec.plain()),
    ]
    train: TrainSpec
    factors: dict[str, Factor] = {}
    design: Annotated[DesignSpec, DESIGNS]
    constraints: Constraints = Constraints()
    limits: LimitsSpec = LimitsSpec()
    latency: LatencySpec | None = None
    tune: TuneSpec | None = None
    fidelity: FidelitySpec | None = None
    confirm: ConfirmSpec = ConfirmSpec()
    power: PowerSpec = PowerSpec()
    margin: Annotated[Fraction, Field(gt=0)] | None = None
    ray: RaySpec = RaySpec()
    time: TimeSpec = TimeSpec()
    tracking: Annotated[TrackerSpec, TRACKERS] | None = None

    @model_validator(mode="after")
    def _portable_name(self) -> Self:
        if self.name.split(".")[0].lower() in RESERVED or self.name.endswith("."):
            raise ValueError(f"'{self.name}' can't name a folder everywhere; choose another name")
        return self


@dataclass(frozen=True)
class Study:
    """A valid study, with where each of its parts was written.

    Attributes:
        filled_in: What the network takes from the data because the file leaves it out.
        plugins: The files of ``spec.plugins``, read and loaded.
    """

    spec: StudySpec
    source: Source
    filled_in: frozenset[FilledIn]
    plugins: tuple[Plugin, ...] = ()

    @cached_property
    def baseline(self) -> dict[str, Any]:
        """The baseline as plain data: network (a generated one as it was written), train and data."""
        return {name: getattr(self.spec, name).plain() for name in ("network", "train", "data")}


def load_study(path: str | FilePath, overrides: tuple[str, ...] = ()) -> Study:
    """Reads a study file, applies ``PATH=VALUE`` overrides, and validates the whole.

    Raises:
        InputError: If anything in it is wrong, with file, line, column and what is allowed.
    """
    source = read_yaml(path)
    for override in overrides:
        source = _overridden(source, override)
    return resolve_study(source)


def resolve_study(source: Source) -> Study:
    """Validates a study that was read already, its plugins loaded first. Raises ``InputError``."""
    plugins = plugins_of(source)
    given = dict(located(source.data, FilePath(source.origin).parent))
    given.setdefault("question", _question(source.comment))
    given.setdefault("design", "train")
    for required in ("name", "data", "network", "train"):
        if required not in given:
            raise source.error((), f"the study has no '{required}', and needs one")
    try:
        data = DATASETS.parse(given["data"])
    except ValidationError as error:
        raise source.explain(error, ("data",)) from None
    except ValueError as error:
        raise source.error(("data",), str(error)) from None
    try:
        given["network"], filled_in = baseline_network(source, given["network"], data)
    except DataError as error:
        raise source.error(("data",), str(error)) from None
    try:
        return Study(StudySpec.model_validate(given), source, filled_in, plugins)
    except ValidationError as error:
        raise source.explain(error) from None


def _question(comment: str) -> str:
    """Returns a comment up to its question mark; all of it if it has none."""
    question, mark, _ = comment.partition("?")
    return question + mark


def _overridden(source: Source, override: str) -> Source:
    text, equals, value = override.partition("=")
    origin = f"--set {override}"
    if not equals:
        raise InputError(f"{origin}: expected PATH=VALUE, such as train.epochs=3")
    try:
        path = paths.parse(text.strip())
        locations = [location for location, _ in paths.values(path, source.data)]
    except paths.PathError as error:
        if "*" in text or "each" in text:
            raise InputError(f"{origin}: {error}") from None
        try:
            locations = [paths.parse(text.strip())]  # a place that the file leaves to its default
        except paths.PathError:
            raise InputError(f"{origin}: {error}") from None
    new = parse_value(value, origin)
    for location in locations:
        source = source.with_value(location, new, origin)
    return source
