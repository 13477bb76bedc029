"""What can be done to the pixels of many images at once, each by an amount of its own.

Each operation takes uint8 images, N C H W with one or three channels, and float32 amounts, N, and returns new images.
The formulas are those of ``torchvision.transforms.v2.functional`` on uint8, which draws nothing by itself but takes one
amount for a whole batch: the same values to the bit, but for the warps, where rounding decides at the edge between two
pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Operation = Callable[[Tensor, Tensor], Tensor]


def identity(images: Tensor, amounts: Tensor) -> Tensor:
    """Returns the images; the amount means nothing."""
    return images


def shear_x(images: Tensor, amounts: Tensor) -> Tensor:
    """Moves each row right by ``amount`` pixels a pixel of its height above or below the image's upper edge."""
    height = images.shape[2]
    # torchvision shears about the upper left corner, as the policies were found with Pillow
    return _warped(images, _matrices(amounts, b=amounts, c=amounts * (height / 2)))


def shear_y(images: Tensor, amounts: Tensor) -> Tensor:
    """Moves each column down by ``amount`` pixels a pixel of its distance from the image's left edge."""
    width = images.shape[3]
    return _warped(images, _matrices(amounts, d=amounts, f=amounts * (width / 2)))


def translate_x(images: Tensor, amounts: Tensor) -> Tensor:
    """Moves an image right by whole pixels: the amount without its fraction."""
    return _warped(images, _matrices(amounts, c=-amounts.trunc()))


def translate_y(images: Tensor, amounts: Tensor) -> Tensor:
    """Moves an image down by whole pixels: the amount without its fraction."""
    return _warped(images, _matrices(amounts, f=-amounts.trunc()))


def rotate(images: Tensor, amounts: Tensor) -> Tensor:
    """Turns an image counterclockwise about its middle, by degrees."""
    angles = torch.deg2rad(amounts)
    cosine, sine = angles.cos(), angles.sin()
    return _warped(images, _matrices(amounts, a=cosine, b=-sine, d=sine, e=cosine))


def brightness(images: Tensor, amounts: Tensor) -> Tensor:
    """Multiplies an image by the amount."""
    return _uint8(images.float().mul_(_each(amounts)))


def saturation(images: Tensor, amounts: Tensor) -> Tensor:
    """Blends an image with itself in grey: 0 is grey, 1 the image. One channel has no colour to lose."""
    return images if images.shape[1] == 1 else _blended(images, _grey(images), amounts)


def contrast(images: Tensor, amounts: Tensor) -> Tensor:
    """Blends an image with its mean grey: 0 is flat, 1 the image."""
    return _blended(images, _grey(images).mean((1, 2, 3), keepdim=True), amounts)


def sharpness(images: Tensor, amounts: Tensor) -> Tensor:
    """Blends an image with itself smoothed over 3x3 pixels: 0 is smooth, 1 the image, 2 sharp. The border stays."""
    channels, height, width = images.shape[1:]
    if height <= 2 or width <= 2:
        return images
    kernel = torch.full((3, 3), 1 / 13, device=images.device)
    kernel[1, 1] = 5 / 13
    whole = images.float()
    smooth = functional.conv2d(whole, kernel.expand(channels, 1, 3, 3), groups=channels).round_()
    inner = whole[..., 1:-1, 1:-1]
    inner.add_(smooth.sub_(inner).mul_(1 - _each(amounts)))
    return _uint8(whole)


def posterize(images: Tensor, amounts: Tensor) -> Tensor:
    """Keeps so many of the eight bits of every value."""
    dropped = 8 - amounts.to(torch.int32)
    return images & _each(255 - ((1 << dropped) - 1)).to(torch.uint8)


def solarize(images: Tensor, amounts: Tensor) -> Tensor:
    """Inverts the values at or above the amount, from 0 to 255."""
    return torch.where(images >= _each(amounts), images.bitwise_not(), images)


def auto_contrast(images: Tensor, amounts: Tensor) -> Tensor:
    """Stretches each channel so that it goes from 0 to 255; the amount means nothing."""
    low, high = (edge.float() for edge in (images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)))
    flat = low == high
    scale = torch.where(flat, 1.0, (high - low) * (1 / 255))
    return _uint8((images - low.masked_fill(flat, 0)).div_(scale))


def equalize(images: Tensor, amounts: Tensor) -> Tensor:
    """Gives each channel a flat histogram, as Pillow does; the amount means nothing."""
    values = images.flatten(2).long()  # N C HW
    pixels = values.shape[2]
    histogram = values.new_zeros((*values.shape[:2], 256)).scatter_add_(2, values, torch.ones_like(values))
    sums = histogram.cumsum(2)
    brightest = histogram.gather(2, values.amax(2, keepdim=True))
    step = (pixels - brightest) // 255  # N C 1
    below = functional.pad(sums[..., :-1], (1, 0))
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(0, 255)
    table[..., :1] = 0
    mapped = table.gather(2, values).to(torch.uint8).view_as(images)
    return torch.where(step[..., None] == 0, images, mapped)


def invert(images: Tensor, amounts: Tensor) -> Tensor:
    """Turns light to dark; the amount means nothing."""
    return images.bitwise_not()


def hue(images: Tensor, amounts: Tensor) -> Tensor:
    """Turns every colour on the colour circle, by a share of it. One channel has no colour to turn."""
    if images.shape[1] == 1:
        return images
    colours = images.float() / 255
    red, green, blue = colours.unbind(1)
    value, low = colours.amax(1), colours.amin(1)
    chroma = value - low
    spread = torch.where(chroma == 0, 1.0, chroma)
    sixths = torch.where(
        value == red,
        (green - blue) / spread,
        torch.where(value == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    turned = (sixths / 6 + amounts[:, None, None]).remainder(1.0) * 6
    parts = []
    for offset in (5, 3, 1):  # red, green, blue
        distance = (turned + offset).remainder(6)
        parts.append(value - chroma * torch.minimum(distance, 4 - distance).clamp(0, 1))
    return torch.stack(parts, 1).mul_(255 + 1 - 1e-3).clamp_(0, 255).to(torch.uint8)


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        identity, shear_x, shear_y, translate_x, translate_y, rotate, brightness, saturation, contrast, sharpness,
        posterize, solarize, auto_contrast, equalize, invert, hue,
    )
}  # fmt: skip
"""By name; the order is that of the numbers in a ``Programme``."""


def _each(amounts: Tensor) -> Tensor:
    return amounts.view(-1, 1, 1, 1)


def _uint8(values: Tensor) -> Tensor:
    return values.clamp_(0, 255).to(torch.uint8)


def _grey(images: Tensor) -> Tensor:
    """Returns the luma (ITU-R 601) as whole floats: N 1 H W."""
    if images.shape[1] == 1:
        return images.float()
    red, green, blue = images.float().unbind(1)
    return red.mul_(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_().unsqueeze(1)


def _blended(images: Tensor, other: Tensor, amounts: Tensor) -> Tensor:
    return _uint8(images.float().mul_(_each(amounts)).add_(other * (1 - _each(amounts))))


def _matrices(
    like: Tensor,
    a: Tensor | float = 1.0,
    b: Tensor | float = 0.0,
    c: Tensor | float = 0.0,
    d: Tensor | float = 0.0,
    e: Tensor | float = 1.0,
    f: Tensor | float = 0.0,
) -> Tensor:
    """Returns where pixels come from: x' = a x + b y + c and y' = d x + e y + f, from the middle; N 2 3."""
    rows = [part if isinstance(part, Tensor) else torch.full_like(like, part) for part in (a, b, c, d, e, f)]
    return torch.stack(rows, 1).view(-1, 2, 3)


def _warped(images: Tensor, matrices: Tensor) -> Tensor:
    """Returns images whose every pixel is the one that its matrix names, and 0 where there is none."""
    height, width = images.shape[2:]
    y, x = torch.meshgrid(
        torch.linspace((1 - height) / 2, (height - 1) / 2, height, device=images.device),
        torch.linspace((1 - width) / 2, (width - 1) / 2, width, device=images.device),
        indexing="ij",
    )
    places = torch.stack((x, y, torch.ones_like(x)), -1).view(1, height * width, 3)
    scale = torch.tensor((2 / width, 2 / height), device=images.device)
    grid = (places.expand(len(images), -1, -1) @ (matrices.transpose(1, 2) * scale)).view(-1, height, width, 2)
    warped = functional.grid_sample(images.float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return warped.to(torch.uint8)
