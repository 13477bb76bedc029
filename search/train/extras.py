"""Smaller parts of a recipe, as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Count, Flag, Fraction, Number, Spec


class Ema(Spec):
    """A moving average of the weights is evaluated, and kept, in their place."""

    decay: Annotated[Number, Field(ge=0, lt=1)] = 0.999
    """How much of the average is kept a step."""
    warmup: Flag = True
    """Whether less is kept at first: (1 + t) / (10 + t) at step t, until that reaches ``decay``."""


class EarlyStopping(Spec):
    """Training ends once the validation split has told nothing better for a while: a rule of the recipe, so that the
    trial is completed, with fewer epochs. The schedule is that of the full length."""

    of: Literal["val_loss", "val_accuracy"] = "val_loss"
    """What has to get better."""
    patience: Count = 5
    """After so many epochs without, training ends."""
    min_delta: Annotated[Number, Field(ge=0)] = 0.0
    """By how much it has to be better to count (in nats, or as a fraction)."""


class QuantisationAware(Spec):
    """When a network in training begins to round as int8 does."""

    start: Annotated[Fraction, Field(lt=1)] = 0.5
    """The share of training after which it does; before, only the ranges of its activations are watched. A network
    that has much to learn still learns it worse if it rounds from the start."""


class EvaluationSpec(Spec):
    """How a network is asked about images that it is not trained on."""

    flip: Flag = False
    """Whether each image is seen as it is and mirrored; the mean of both logits answers (Jordan, arXiv:2404.00498)."""
    int8: Flag = False
    """Whether the network is asked as an int8 graph in ONNX Runtime once it is trained: quantised statically, weights
    per channel, batch norms folded, ranges from training images. The weights that are kept are float32."""

    @model_validator(mode="after")
    def _one_graph(self) -> Self:
        if self.flip and self.int8:
            raise ValueError("an int8 graph sees images as they are: flip and int8 exclude each other")
        return self

    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one from another; later fields only where they aren't at their defaults."""
        return {name: value for name, value in self.plain().items() if name == "flip" or value}
