"""Policies of augmentation, one file each: which operations an image meets, drawn for each image. A new one is a new
file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blocks.base import Spec
from blocks.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from search.train.programme import Programme


class PolicySpec(Spec, ABC):
    """A policy as data."""

    kind: str

    @abstractmethod
    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Programme | None:
        """Draws for ``count`` images of a height and width; None where nothing is ever done."""


POLICIES: Registry[PolicySpec] = Registry("policy", "search.train.policies")


@dataclass(frozen=True)
class Space:
    """How far operations go at full strength.

    Attributes:
        shear: Pixels a pixel.
        translate: Pixels down and pixels right.
        rotate: Degrees.
        blend: How far brightness, saturation, contrast and sharpness go from 1.
        posterize: Bits that are dropped.
    """

    shear: float
    translate: tuple[float, float]
    rotate: float
    blend: float
    posterize: int

    def amounts(self, operations: Tensor, strengths: Tensor, signs: Tensor) -> Tensor:
        """Returns by how much operations are done: all N, strengths from 0 to 1, signs -1 or 1."""
        import torch

        from search.train.programme import NUMBERS

        down, right = self.translate
        ranges = {"shear_x": self.shear, "shear_y": self.shear, "translate_x": right, "translate_y": down}
        start, end, signed = torch.zeros(3, len(NUMBERS))
        for name, furthest in {**ranges, "rotate": self.rotate}.items():
            end[NUMBERS[name]], signed[NUMBERS[name]] = furthest, 1
        for name in ("brightness", "saturation", "contrast", "sharpness"):
            number = NUMBERS[name]
            end[number], signed[number] = self.blend, 1
        start[NUMBERS["posterize"]], end[NUMBERS["posterize"]] = 8, 8 - self.posterize
        start[NUMBERS["solarize"]] = 255
        amounts = start[operations] + (end - start)[operations] * strengths
        amounts = torch.where(signed[operations] == 1, amounts * signs, amounts)
        blends = torch.zeros(len(NUMBERS))
        blends[[NUMBERS[name] for name in ("brightness", "saturation", "contrast", "sharpness")]] = 1
        whole = operations == NUMBERS["posterize"]
        return torch.where(whole, amounts.round(), amounts + blends[operations])


def narrow(size: tuple[int, int]) -> Space:
    """Returns the ranges of AutoAugment and RandAugment, for images of a height and width."""
    return Space(0.3, (150 / 331 * size[0], 150 / 331 * size[1]), 30, 0.9, 4)
