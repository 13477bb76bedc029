from __future__ import annotations

import pytest
import torch

from search.train.augment import Draws, apply, draw
from search.train.augmentations import Augment
from search.train.chance import stream

BOTH = Augment(crop=4, flip=True)


def draws(augment: Augment = BOTH, count: int = 2000, seed: int = 0) -> Draws:
    return draw(augment, count, stream(seed, "augmentation"))


def test_each_image_has_its_own_draw() -> None:
    drawn = draws(count=64)
    distinct = set(zip(drawn.down.tolist(), drawn.right.tolist(), drawn.mirrored.tolist(), strict=True))
    assert len(distinct) > 40  # of 162 that are possible, 64 draws meet 53 on average
    one_image = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8).expand(64, -1, -1, -1)
    results = {image.numpy().tobytes() for image in apply(BOTH, one_image, drawn)}
    assert len(results) == len(distinct)


def test_every_window_and_both_sides_are_drawn_alike_often() -> None:
    drawn = draws(count=90_000)
    windows = torch.bincount(drawn.down * 9 + drawn.right, minlength=81)
    assert windows.min() > 900
    assert windows.max() < 1350
    assert abs(drawn.mirrored.float().mean() - 0.5) < 0.01


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("augment", [BOTH, Augment(crop=2), Augment(flip=True), Augment()])
def test_the_result_is_what_cropping_one_by_one_gives(augment: Augment, channels: int) -> None:
    images = torch.randint(0, 256, (50, channels, 7, 9), dtype=torch.uint8)
    drawn = draws(augment, 50)
    bordered = torch.nn.functional.pad(images, (augment.crop,) * 4)
    for number, result in enumerate(apply(augment, images, drawn)):
        down, right = int(drawn.down[number]), int(drawn.right[number])
        window = bordered[number, :, down : down + 7, right : right + 9]
        assert torch.equal(result, window.flip(2) if drawn.mirrored[number] else window)


def test_draws_follow_from_the_generator() -> None:
    first, again, other = draws(), draws(), draws(seed=1)
    assert torch.equal(first.down, again.down)
    assert torch.equal(first.mirrored, again.mirrored)
    assert not torch.equal(first.down, other.down)


def test_what_is_switched_off_leaves_the_other_draws_alone() -> None:
    assert torch.equal(draws(Augment(crop=4)).down, draws().down)
    assert torch.equal(draws(Augment(flip=True)).mirrored, draws().mirrored)
    assert not draws(Augment(crop=4)).mirrored.any()
