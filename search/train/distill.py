"""Distillation: a student learns from a trained teacher's answers beside the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from blocks.base import Fraction, Positive, Spec
from search.train.initial import InitialField

if TYPE_CHECKING:
    from blocks import NetworkSpec


class Distill(Spec):
    """The loss is (1 - weight) * the recipe's own + weight * temperature^2 * KL(teacher || student), both softened by
    the temperature (Hinton et al., arXiv:1503.02531). The teacher sees the very images that the student sees."""

    teacher: InitialField
    """A trained network: ``../runs/NAME/winner.safetensors``, or ``{preset: resnet152, weights:
    "torchvision:IMAGENET1K_V2"}``. It tells apart the same classes, in the same order."""
    temperature: Positive = 4.0
    """What logits are divided by: above 1, small probabilities count for more."""
    weight: Annotated[Fraction, Field(gt=0)] = 0.9
    """The teacher's share of the loss."""

    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one from another: not where the teacher's file lies."""
        return {**self.plain(), "teacher": self.teacher.content()}

    def unfit(self, network: NetworkSpec) -> str | None:
        """Returns why this teacher can't teach a network, in a sentence; None if it can."""
        try:
            teacher = self.teacher.spec()
        except (OSError, ValueError) as error:
            return str(error)
        theirs, ours = teacher.head.num_classes, network.head.num_classes
        if theirs != ours:
            return f"the teacher tells apart {theirs} classes, and the student {ours}"
        if teacher.in_channels != network.in_channels:
            return f"the teacher takes {teacher.in_channels} channels, and the student {network.in_channels}"
        return None
