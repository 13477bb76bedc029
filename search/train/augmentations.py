"""Random changes to training images, as data."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blocks.base import Flag, Fraction, Natural, Number, Positive, Spec
from search.train.policies import POLICIES, PolicySpec

Amount = Annotated[Number, Field(ge=0)]


class ColorJitter(Spec):
    """Each image's own brightness, contrast, saturation and hue, in an order of its own (Krizhevsky et al. 2012 and
    Howard, arXiv:1312.5402; torchvision's ColorJitter)."""

    brightness: Amount = 0.0
    """The image is multiplied by a number from 1 - this to 1 + this, and so on; 0 is no change."""
    contrast: Amount = 0.0
    saturation: Amount = 0.0
    hue: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """How far colours turn on the colour circle at most, either way, as a share of it."""


class Erasing(Spec):
    """A rectangle of an image becomes the mean colour (random erasing, Zhong et al., arXiv:1708.04896)."""

    probability: Fraction = 0.0
    """How many of the images lose one."""
    area: tuple[Fraction, Fraction] = (0.02, 0.33)
    """The least and the largest share of the image that is lost."""
    ratio: tuple[Positive, Positive] = (0.3, 3.3)
    """The least and the largest ratio of the rectangle's height to its width."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name, (least, most) in (("area", self.area), ("ratio", self.ratio)):
            if least > most:
                raise ValueError(f"{name} goes from {least:g} to {most:g}: write the smaller one first")
        return self


class Augment(Spec):
    """Random changes to training images; each image of each epoch gets its own draw."""

    crop: Natural = 0
    """Pixels of black border put around an image before a window of the image's own size is cut out of it."""
    flip: Flag | Literal["alternating"] = False
    """Whether every other image, by chance, is mirrored left to right; ``alternating``: by chance in the first epoch,
    and from then on the other way each time (Jordan, arXiv:2404.00498, section 3.6)."""
    policy: Annotated[PolicySpec, POLICIES] = Field(default_factory=lambda: POLICIES.parse("none"))
    """Operations from a list, drawn for each image."""
    color_jitter: ColorJitter = ColorJitter()
    erasing: Erasing = Erasing()
    cutout: Natural = 0
    """The side in pixels of a square that becomes the mean colour, its middle anywhere in the image (DeVries and
    Taylor, arXiv:1708.04552)."""
    mixup: Amount = 0.0
    """Alpha: images and targets are mixed in pairs by a share from Beta(alpha, alpha), each pair by its own (Zhang et
    al., arXiv:1710.09412); 0 is off."""
    cutmix: Amount = 0.0
    """Alpha: a rectangle of each image is another's, and as much of the target (Yun et al., arXiv:1905.04899). Beside
    ``mixup``, each batch meets one of the two by an even chance."""

    def content(self) -> dict[str, object]:
        """Returns plain data without the later fields that are switched off: what recipes of earlier versions said."""
        later, off = set(type(self).model_fields) - {"crop", "flip"}, Augment().plain()
        return {name: value for name, value in self.plain().items() if name not in later or value != off[name]}
