"""Distillation: a student learns from a trained teacher's answers beside the labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from blocks.base import Fraction, Natural, Positive, Spec
from blocks.layers.base import FLOAT
from search.train.initial import InitialField

if TYPE_CHECKING:
    from blocks import NetworkSpec


class Features(Spec):
    """Attention transfer (Zagoruyko and Komodakis, arXiv:1612.03928): half the mean squared difference between where a
    stage of the student is active and where the teacher's is, summed over stages, is added to the loss."""

    weight: Positive = 1000.0
    """What that is multiplied by: the paper's beta."""
    stages: Annotated[tuple[Natural, ...], Field(min_length=1)] | None = None
    """Of the student, counted from 0; by default all. Each goes with the teacher's stage that is as far from the last
    one."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.stages is not None and len(set(self.stages)) < len(self.stages):
            raise ValueError("a stage is named twice")
        return self

    def pairs(self, student: int, teacher: int) -> list[tuple[int, int]]:
        """Returns which stage of a student goes with which of a teacher, given how many stages each has.

        Raises:
            ValueError: If a stage isn't there, or has none that goes with it.
        """
        stages = range(student) if self.stages is None else self.stages
        for stage in stages:
            if stage >= student:
                raise ValueError(f"the student has no stage {stage}: it has {student}, counted from 0")
            if stage + teacher < student:
                raise ValueError(
                    f"no stage of the teacher goes with the student's stage {stage}: counted from the last one, it "
                    f"has {teacher}, and the student {student}; name the student's later stages"
                )
        return [(stage, stage + teacher - student) for stage in stages]


class Distill(Spec):
    """The loss is (1 - weight) * the recipe's own + weight * temperature^2 * KL(teacher || student), both softened by
    the temperature (Hinton et al., arXiv:1503.02531). The teacher sees the very images that the student sees."""

    teacher: InitialField
    """A trained network: ``../runs/NAME/winner.safetensors``, or ``{preset: resnet152, weights:
    "torchvision:IMAGENET1K_V2"}``. It tells apart the same classes, in the same order."""
    temperature: Positive = 4.0
    """What logits are divided by: above 1, small probabilities count for more."""
    weight: Fraction = 0.9
    """The share of the teacher's answers in the loss; 0 only where its ``features`` are learned from."""
    features: Features | None = None
    """``{weight: 1000, stages: [0, 1]}``: where in an image the teacher's stages are active is learned from too."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.weight == 0 and self.features is None:
            raise ValueError("with a weight of 0 and no features, nothing is learned from the teacher")
        return self

    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one from another: not where the teacher's file lies."""
        kept = {name: value for name, value in self.plain().items() if name != "features" or value is not None}
        return {**kept, "teacher": self.teacher.content()}

    @staticmethod
    def strange(theirs: tuple[str, ...], classes: tuple[str, ...]) -> str | None:
        """Returns why a teacher of these classes can't teach about those, in a sentence; None if it can."""
        if not theirs or theirs == classes:
            return None
        return (
            f"the teacher tells apart {', '.join(theirs[:5])}, ..., and the images are of "
            f"{', '.join(classes[:5])}, ...: other classes, or another order"
        )

    def memory(self, shape: tuple[int, int, int], images: int) -> tuple[int, int]:
        """Returns the bytes of the teacher's weights, and about those of its largest maps at a time for so many images:
        what a block is given and all that its convolutions put out, in float32."""
        spec, shape = self.teacher.spec(), self.teacher.input() or shape  # what it is given is brought to its own size
        given, most = math.prod(shape), 0
        for block in spec.cost_by_block(shape):
            most = max(most, given + block.cost.activations)
            given = math.prod(block.output)
        return FLOAT * spec.cost(shape).params, FLOAT * images * most

    def unfit(self, network: NetworkSpec, classes: tuple[str, ...] = ()) -> str | None:
        """Returns why this teacher can't teach a network, in a sentence; None if it can.

        Args:
            classes: Of the images, where they are known.
        """
        try:
            teacher = self.teacher.spec()
        except (OSError, ValueError) as error:
            return str(error)
        theirs, ours = teacher.head.num_classes, network.head.num_classes
        if theirs != ours:
            return f"the teacher tells apart {theirs} classes, and the student {ours}"
        if classes and (wrong := self.strange(self.teacher.labels(), classes)) is not None:
            return wrong
        if teacher.in_channels != network.in_channels:
            return f"the teacher takes {teacher.in_channels} channels, and the student {network.in_channels}"
        try:
            if self.features is not None:
                self.features.pairs(len(network.stages), len(teacher.stages))
        except ValueError as error:
            return str(error)
        return None
