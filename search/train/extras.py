"""Smaller parts of a recipe, as data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blocks.base import Count, Flag, Number, Spec


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


class EvaluationSpec(Spec):
    """How a network is asked about images that it is not trained on."""

    flip: Flag = False
    """Whether each image is seen as it is and mirrored; the mean of both logits answers (Jordan, arXiv:2404.00498)."""
