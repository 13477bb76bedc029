"""Rectangles and squares of images that become the mean colour: 0, once images are normalised."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from search.train.augmentations import Augment, Erasing
from search.train.mixing import within

TRIES = 10
"""So often a rectangle is drawn until one fits into the image; else there is none."""


def draw(augment: Augment, count: int, size: tuple[int, int], generators: dict[str, torch.Generator]) -> list[Tensor]:
    """Returns what is erased of each of ``count`` images: boxes of top, bottom, left and right, each int64, 4 N."""
    boxes = []
    if augment.erasing.probability:
        boxes.append(_rectangles(augment.erasing, count, size, generators["erasing"]))
    if augment.cutout:
        boxes.append(_squares(augment.cutout, count, size, generators["cutout"]))
    return boxes


def erase(images: Tensor, boxes: Tensor) -> Tensor:
    """Returns the images, float32 and normalised, with zeros in the boxes: 4 N, on their device. Works in place."""
    return images.masked_fill_(within(boxes, images.shape[2], images.shape[3]).unsqueeze(1), 0.0)


def _rectangles(erasing: Erasing, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    height, width = size
    chosen, row, column = torch.rand((3, count), generator=generator)
    area, ratio = torch.rand((2, TRIES, count), generator=generator)
    area = (erasing.area[0] + (erasing.area[1] - erasing.area[0]) * area) * height * width
    low, high = (math.log(edge) for edge in erasing.ratio)
    ratio = (low + (high - low) * ratio).exp()
    tall, wide = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
    fits = (tall < height) & (wide < width)
    first = fits.int().argmax(0, keepdim=True)  # the first that fits
    tall, wide = (side.gather(0, first).squeeze(0) for side in (tall, wide))
    none = (chosen >= erasing.probability) | ~fits.any(0)
    tall = tall.masked_fill(none, 0)
    top, left = (row * (height - tall + 1)).long(), (column * (width - wide + 1)).long()
    return torch.stack((top, top + tall, left, left + wide))


def _squares(side: int, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    edges = []
    for length, middle in zip(size, torch.rand((2, count), generator=generator), strict=True):
        start = (middle * length).long() - side // 2
        edges += [start.clamp(0, length), (start + side).clamp(0, length)]
    return torch.stack(edges)
