"""The study file: a baseline that is itself a loadable network, and beside it what varies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from blocks import NetworkSpec, preset
from blocks.base import Count, Fraction, Number, Positive, Spec, Text
from blocks.source import InputError, Source, parse_value, read_yaml
from search import paths
from search.data.spec import DATASETS, DataError, DataSpec
from search.designs.base import DESIGNS, DesignSpec
from search.factors import Factor
from search.train.recipe import TrainSpec

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


class Band(Spec):
    """A cost's allowed band, both ends included."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:,.12g}) is above max ({self.max:,.12g})")
        return self


class Constraints(Spec):
    """Cost limits that every arm but the baseline must meet; applied before anything is trained."""

    macs: Band | None = None
    params: Band | None = None
    activations: Band | None = None

    def broken(self, cost: Any) -> str | None:
        """Returns the first limit that a cost breaks, in words, or None if it meets them all."""
        for name in ("macs", "params", "activations"):
            band, value = getattr(self, name), getattr(cost, name)
            if band is not None and band.max is not None and value > band.max:
                return f"{name} {value:,} above the limit of {band.max:,.0f}"
            if band is not None and band.min is not None and value < band.min:
                return f"{name} {value:,} below the limit of {band.min:,.0f}"
        return None


class ConfirmSpec(Spec):
    """The confirm phase: the best arms and the baseline once more, on fresh seeds, at full length.

    Attributes:
        finalists: How many arms are taken there, beside the baseline.
        seeds: How many fresh seeds each gets; by default as many as the design has, and at least 3.
        epochs: The full length, if the study explored at another.
    """

    finalists: Count = 3
    seeds: Count | None = None
    epochs: Count | None = None


class RaySpec(Spec):
    """What a trial asks of a machine: GPUs (a fraction shares one) and how many trials run at once."""

    gpus: Annotated[Number, Field(ge=0)] | None = None
    workers: Count | None = None


class StudySpec(Spec):
    """A whole study, resolved: every shorthand written out, every default filled in.

    Attributes:
        name: Names the run directory ``runs/<name>``.
        question: What the study asks; by default the first line of the file's opening comment.
        margin: Accuracy difference (a fraction: 0.005 is half a point) within which arms count as equivalent.
    """

    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    question: Text = ""
    data: Annotated[DataSpec, DATASETS]
    network: NetworkSpec
    train: TrainSpec
    factors: dict[str, Factor] = {}
    design: Annotated[DesignSpec, DESIGNS]
    constraints: Constraints = Constraints()
    confirm: ConfirmSpec = ConfirmSpec()
    margin: Annotated[Fraction, Field(gt=0)] | None = None
    ray: RaySpec = RaySpec()

    @model_validator(mode="after")
    def _portable_name(self) -> Self:
        if self.name.split(".")[0].lower() in RESERVED or self.name.endswith("."):
            raise ValueError(f"'{self.name}' can't name a folder everywhere; choose another name")
        return self


FilledIn = Literal["in_channels", "num_classes"]


@dataclass(frozen=True)
class Study:
    """A valid study, with where each of its parts was written.

    Attributes:
        filled_in: What the network takes from the data because the file leaves it out.
    """

    spec: StudySpec
    source: Source
    filled_in: frozenset[FilledIn]

    @property
    def baseline(self) -> dict[str, Any]:
        """The baseline as plain data: network, train and data."""
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
    """Validates a study that was read already. Raises ``InputError``."""
    given = dict(source.data)
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
        given["network"], filled_in = _network(source, given["network"], data)
    except DataError as error:
        raise source.error(("data",), str(error)) from None
    try:
        return Study(StudySpec.model_validate(given), source, filled_in)
    except ValidationError as error:
        raise source.explain(error) from None


def _question(comment: str) -> str:
    """Returns a comment up to its question mark; all of it if it has none."""
    question, mark, _ = comment.partition("?")
    return question + mark


def fill_in(network: dict[str, Any], data: DataSpec, what: frozenset[FilledIn]) -> dict[str, Any]:
    """Returns a network's mapping with input channels and classes taken from the data, where so asked."""
    facts = data.facts()
    filled = dict(network)
    if "in_channels" in what:
        filled["in_channels"] = facts.channels
    if "num_classes" in what and isinstance(filled.get("head", {}), (dict, str)):
        head = filled.get("head", "linear")
        filled["head"] = {**({"kind": head} if isinstance(head, str) else head), "num_classes": len(facts.classes)}
    return filled


def _network(source: Source, given: Any, data: DataSpec) -> tuple[dict[str, Any], frozenset[FilledIn]]:
    if isinstance(given, str):
        given = {"preset": given}
    if not isinstance(given, dict):
        raise source.error(("network",), "expected a mapping with stem and stages, or a preset's name")
    own = {key: value for key, value in given.items() if key != "preset"}
    if "preset" in given:
        own = {**_preset(source, given["preset"]), **own}
    facts = data.facts()
    what: set[FilledIn] = set()
    if "in_channels" not in given:
        what.add("in_channels")
    elif given["in_channels"] != facts.channels:
        message = (
            f"{given['in_channels']!r} channels, but the data has {facts.channels}; leave the field out to take those"
        )
        raise source.error(("network", "in_channels"), message)
    head = given.get("head")
    if not (isinstance(head, dict) and "num_classes" in head):
        what.add("num_classes")
    elif head["num_classes"] != len(facts.classes):
        message = (
            f"{head['num_classes']!r} classes, but the data has {len(facts.classes)}; leave the field out to take those"
        )
        raise source.error(("network", "head", "num_classes"), message)
    return fill_in(own, data, frozenset(what)), frozenset(what)


def _preset(source: Source, name: Any) -> dict[str, Any]:
    at = ("network", "preset") if isinstance(source.data["network"], dict) else ("network",)
    if not isinstance(name, str):
        raise source.error(at, f"expected a preset's name, not {name!r}")
    try:
        return preset(name).plain()
    except ValueError as error:
        raise source.error(at, str(error)) from None


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


__all__ = ["Constraints", "Positive", "Study", "StudySpec", "fill_in", "load_study", "resolve_study"]
