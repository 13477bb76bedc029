"""Each operation against torchvision's, image by image, each image by an amount of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from search.train.pixels import OPERATIONS

SIZES = ((3, 32, 32), (1, 28, 20))


def images(channels: int, height: int, width: int) -> Tensor:
    """Returns noise, one flat image, one of few colours, one grey, and two that are smooth."""
    generator = torch.Generator().manual_seed(0)
    made = torch.randint(0, 256, (30, channels, height, width), dtype=torch.uint8, generator=generator)
    made[0] = 7
    made[1] = made[1] // 100 * 100
    made[2] = made[2, :1]
    made[3:5] = torch.linspace(30, 220, width).to(torch.uint8)
    return made


def reference(name: str) -> Callable[[Tensor, float], Tensor]:
    """Returns torchvision's operation for one image and one amount."""
    from torchvision.transforms.v2 import functional

    def affine(image: Tensor, **changes: Any) -> Tensor:
        still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
        return functional.affine(image, **{**still, **changes})

    def degrees(amount: float) -> float:
        return math.degrees(math.atan(amount))

    return {
        "identity": lambda image, amount: image,
        "shear_x": lambda image, amount: affine(image, shear=[degrees(amount), 0.0], center=[0, 0]),
        "shear_y": lambda image, amount: affine(image, shear=[0.0, degrees(amount)], center=[0, 0]),
        "translate_x": lambda image, amount: affine(image, translate=[int(amount), 0]),
        "translate_y": lambda image, amount: affine(image, translate=[0, int(amount)]),
        "rotate": functional.rotate,
        "brightness": functional.adjust_brightness,
        "saturation": functional.adjust_saturation,
        "contrast": functional.adjust_contrast,
        "sharpness": functional.adjust_sharpness,
        "posterize": lambda image, amount: functional.posterize(image, int(amount)),
        "solarize": functional.solarize,
        "auto_contrast": lambda image, amount: functional.autocontrast(image),
        "equalize": lambda image, amount: functional.equalize(image),
        "invert": lambda image, amount: functional.invert(image),
        "hue": functional.adjust_hue,
    }[name]


RANGES = {
    "translate_x": (-20, 20), "translate_y": (-20, 20), "rotate": (-170, 170), "solarize": (0, 255), "hue": (-0.5, 0.5),
    "brightness": (0, 2), "saturation": (0, 2), "contrast": (0, 2), "sharpness": (0, 2),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_does_what_torchvision_does_to_one_image(name: str, size: tuple[int, int, int]) -> None:
    given = images(*size)
    low, high = RANGES.get(name, (-0.9, 0.9))
    amounts = low + (high - low) * torch.rand(len(given), generator=torch.Generator().manual_seed(1))
    if name == "posterize":
        amounts = torch.arange(len(given)) % 9.0
    kept = given.clone()
    done = OPERATIONS[name](given, amounts).int()
    expected = torch.stack([reference(name)(image, float(a)) for image, a in zip(given, amounts, strict=True)]).int()
    assert torch.equal(given, kept)
    off = (done - expected).abs()
    # Warps decide between two pixels at an edge by the last digit of a float, blends between two values likewise.
    warps = name.startswith(("shear", "translate", "rotate"))
    assert (off > 0).float().mean() < (0.002 if warps else 0.0005)
    assert warps or off.max() <= 1
    assert name == "identity" or not torch.equal(done, given.int()) or size[0] == 1
