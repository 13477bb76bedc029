"""What travels with an arm's weights: how to use them, what they were measured to do, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from blocks import NetworkSpec

if TYPE_CHECKING:
    from blocks import Metadata, TrainedNetwork
    from search.data.images import Splits
    from search.train.recipe import TrainSpec


@dataclass(frozen=True)
class Scores:
    """Accuracies, from 0 to 1: of the seed whose weights these are, and of all seeds that were trained alike.

    Attributes:
        test, tests: None and empty where the test split was not opened for this arm.
    """

    val: float
    vals: Sequence[float]
    test: float | None = None
    tests: Sequence[float] = ()


def describe(
    configuration: Mapping[str, Any], splits: Splits, scores: Scores, provenance: Mapping[str, Any]
) -> Metadata:
    """Returns the metadata of a trained arm.

    Args:
        configuration: Network, train and data as plain data, as they were trained.
        splits: What it was trained on.
        provenance: Which study, arm, seed and versions; the recipe, the data and their checksum are added.
    """
    from blocks import Metadata
    from search.data.spec import DATASETS

    data = DATASETS.parse(configuration["data"])
    shape = data.facts().shape
    cost = NetworkSpec.model_validate(configuration["network"]).cost(shape)
    metrics = {
        "val_accuracy": scores.val,
        "val_accuracy_mean": fmean(scores.vals),
        "val_accuracy_interval": interval(scores.vals),
        "test_accuracy": scores.test,
        "test_accuracy_mean": fmean(scores.tests) if scores.tests else None,
        "test_accuracy_interval": interval(scores.tests),
        "seeds": len(scores.vals),
        "val_images": len(splits.validation),
        "test_images": len(splits.test),
        "macs": cost.macs,
        "params": cost.params,
        "activations": cost.activations,
    }
    whence = {
        **provenance,
        "train": configuration["train"],
        "data": data.content(),
        "data_checksum": splits.checksum,
        "train_images": len(splits.train),
    }
    return Metadata(
        labels=splits.classes, input=shape, mean=splits.mean, std=splits.std, metrics=metrics, provenance=whence
    )


def own_splits(model: TrainedNetwork) -> Splits:
    """Loads the data that a model names as its own.

    Raises:
        InputError: If it names none, or none that there are.
        DataError: If they aren't there.
    """
    from pydantic import ValidationError

    from blocks.complaints import first_complaint
    from blocks.source import InputError
    from search.data.prepare import prepare
    from search.data.spec import DATASETS

    if "data" not in model.provenance:
        raise InputError("the model doesn't say what it was trained on, and such images are needed here")
    try:
        data = DATASETS.parse(model.provenance["data"])
    except ValueError as error:
        said = first_complaint(error, model.provenance["data"]) if isinstance(error, ValidationError) else error
        raise InputError(f"the data that the model says it was trained on can't be had: {said}") from None
    return prepare(data, model.provenance.get("cut"))


def own_recipe(model: TrainedNetwork, **changes: Any) -> TrainSpec:
    """Returns the recipe that a model says it was trained by, without its first weights and teacher, which may be gone.

    Args:
        changes: Fields of it that are to be others.

    Raises:
        InputError: If it can't be followed.
    """
    from pydantic import ValidationError

    from blocks.complaints import first_complaint
    from blocks.source import InputError
    from search.train.recipe import TrainSpec

    plain: dict[str, Any] = {**(model.provenance.get("train") or {}), "init": None, "distill": None, **changes}
    if plain["init"] is None and plain.get("epochs") == 0:  # which only weights that are there already may have
        del plain["epochs"]
    plain = {name: value for name, value in plain.items() if name in TrainSpec.model_fields}
    try:
        return TrainSpec.model_validate(plain)
    except ValidationError as error:
        raise InputError(f"the model's recipe can't be followed: train.{first_complaint(error, plain)}") from None


def in_int8(model: TrainedNetwork) -> bool:
    """Whether a model's answers, and the accuracies that are recorded of it, are those of its int8 graph."""
    evaluation = (model.provenance.get("train") or {}).get("evaluation")
    return isinstance(evaluation, dict) and bool(evaluation.get("int8", False))


def interval(values: Sequence[float]) -> list[float] | None:
    """Returns the 95% t interval of a mean, or None where there are fewer than two values."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / len(values) ** 0.5
    return [fmean(values) - half, fmean(values) + half]
