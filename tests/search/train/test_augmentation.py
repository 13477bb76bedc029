"""Augmentations as a trial meets them: by the epoch, each from a stream of its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search.train import erasing, mixing
from search.train.augmentation import Augmentation
from search.train.augmentations import Augment
from search.train.batch import Batch
from search.train.programme import NUMBERS

COUNT, SIZE = 96, 16
ALL: dict[str, Any] = {
    "crop": 2, "flip": True, "policy": "rand_augment", "color_jitter": {"brightness": 0.4, "hue": 0.1},
    "erasing": {"probability": 0.5}, "cutout": 4, "mixup": 0.4, "cutmix": 1.0,
}  # fmt: skip


def epochs(augment: dict[str, Any], number: int = 1, seed: int = 0) -> list[Any]:
    whole = Augmentation(Augment.model_validate(augment), seed, COUNT, (SIZE, SIZE))
    return [whole.epoch(torch.arange(COUNT), 32) for _ in range(number)]


def made(augment: dict[str, Any], pixels: Tensor, seed: int = 0) -> Batch:
    (draws,) = epochs(augment, seed=seed)
    batch: Batch = draws.batch(pixels, torch.arange(COUNT), Tensor.float, 0, COUNT)
    return batch


def tensors(draws: Any, name: str) -> list[Tensor]:
    """Returns what an epoch drew of one kind of change."""
    if name in ("crop", "flip"):
        return [draws.moves.down, draws.moves.right] if name == "crop" else [draws.moves.mirrored]
    if name in ("policy", "color_jitter"):
        programme = draws.programmes[0 if name == "policy" else -1]
        return [programme.operations, programme.amounts]
    if name in ("erasing", "cutout"):
        return [draws.erased[0 if name == "erasing" else -1]]
    return [draws.mixing.partners, draws.mixing.boxes if name == "cutmix" else draws.mixing.partners]


@pytest.mark.parametrize("name", ALL)
def test_draws_do_not_depend_on_what_else_is_switched_on(name: str) -> None:
    alone, together = epochs({name: ALL[name]}, 2), epochs(ALL, 2)
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(tensors(one, name), tensors(other, name), strict=True):
            assert torch.equal(mine, theirs)
    assert not torch.equal(tensors(alone[0], name)[0], tensors(alone[1], name)[0])


@pytest.mark.parametrize("name", ["policy", "color_jitter", "erasing", "cutout"])
def test_each_image_of_a_batch_gets_its_own_change(name: str) -> None:
    one = torch.randint(1, 256, (1, 3, SIZE, SIZE), dtype=torch.uint8).expand(COUNT, -1, -1, -1)
    changed = made({name: ALL[name]}, one).images
    assert len({image.numpy().tobytes() for image in changed}) > (35 if name == "erasing" else 45)


def test_alternating_flips_turn_every_image_each_epoch() -> None:
    drawn = [draws.moves.mirrored for draws in epochs({"flip": "alternating"}, 4)]
    assert 0.3 < drawn[0].float().mean() < 0.7
    for before, after in pairwise(drawn):
        assert torch.equal(after, ~before)


def test_alternating_flips_follow_the_image_not_its_place() -> None:
    whole = Augmentation(Augment(flip="alternating"), 0, COUNT, (SIZE, SIZE))
    order = torch.randperm(COUNT)
    first, second = whole.epoch(torch.arange(COUNT), 32).moves.mirrored, whole.epoch(order, 32).moves.mirrored
    assert torch.equal(second, ~first[order])


def test_jitter_keeps_to_its_range_in_any_order() -> None:
    jitter = {"brightness": 0.4, "contrast": 1.5, "saturation": 0.2, "hue": 0.1}
    (draws,) = epochs({"color_jitter": jitter})
    operations, amounts = draws.programmes[0].operations, draws.programmes[0].amounts
    for name, (low, high) in {"brightness": (0.6, 1.4), "contrast": (0, 2.5), "hue": (-0.1, 0.1)}.items():
        found = amounts[operations == NUMBERS[name]]
        assert len(found) == COUNT
        assert low <= found.min() < low + (high - low) / 10
        assert high >= found.max() > high - (high - low) / 10
    assert len({tuple(order) for order in operations.T.tolist()}) > 15  # of 24


def test_a_rectangle_is_erased_of_as_many_images_as_asked() -> None:
    given = {"erasing": {"probability": 0.25, "area": [0.1, 0.3], "ratio": [0.5, 2]}}
    whole = Augmentation(Augment.model_validate(given), 0, 4000, (32, 32))
    (boxes,) = whole.epoch(torch.arange(4000), 32).erased
    top, bottom, left, right = boxes
    lost = (bottom > top) & (right > left)
    assert lost.float().mean() == pytest.approx(0.25, abs=0.03)
    tall, wide = (bottom - top)[lost].float(), (right - left)[lost].float()
    areas = tall * wide / 32**2
    assert areas.min() > 0.08
    assert areas.max() < 0.33
    assert (tall / wide).max() < 2.4
    assert top.min() == left.min() == 0
    assert bottom.max() == right.max() == 32


def test_erased_pixels_are_the_mean() -> None:
    boxes = torch.tensor([[1, 0], [3, 0], [2, 0], [6, 0]])
    images = erasing.erase(torch.ones(2, 3, 8, 8), boxes)
    assert images[0, :, 1:3, 2:6].abs().sum() == 0
    assert images.sum() == 2 * 3 * 64 - 3 * 8


def test_a_cutout_is_a_square_cut_off_at_the_edges() -> None:
    whole = Augmentation(Augment(cutout=6), 0, 2000, (16, 16))
    top, bottom, left, right = whole.epoch(torch.arange(2000), 20).erased[0]
    assert (bottom - top).max() == (right - left).max() == 6
    assert (bottom - top).min() == (right - left).min() == 3


def mixed(augment: dict[str, Any], channels: int = 1) -> tuple[Batch, Tensor]:
    pixels = torch.randint(0, 256, (COUNT, channels, SIZE, SIZE), dtype=torch.uint8)
    return made(augment, pixels), pixels.float()


def test_mixup_mixes_images_as_it_mixes_targets() -> None:
    batch, pixels = mixed({"mixup": 0.4})
    assert batch.others is not None
    assert batch.shares is not None
    shares = batch.shares.view(-1, 1, 1, 1)
    torch.testing.assert_close(batch.images, shares * pixels + (1 - shares) * pixels[batch.others])
    assert len(set(batch.shares.tolist())) > 80  # each pair its own
    assert torch.equal(batch.others // 32, batch.labels // 32)  # partners are of the same batch
    assert sorted(batch.others.tolist()) == batch.labels.tolist()  # and each is one once


def test_cutmix_takes_as_much_of_the_target_as_of_the_image() -> None:
    batch, pixels = mixed({"cutmix": 1.0})
    assert batch.others is not None
    assert batch.shares is not None
    own = batch.images == pixels
    assert torch.all(own | (batch.images == pixels[batch.others]))
    # a pixel of the other image may have the same value by chance: one in 256
    kept = own.float().mean((1, 2, 3))
    different = batch.others != batch.labels
    torch.testing.assert_close(kept[different], batch.shares[different], atol=0.02, rtol=0)
    assert len(set(batch.shares.tolist())) > 40


def test_both_take_turns_by_the_batch() -> None:
    whole = Augmentation(Augment(mixup=0.4, cutmix=1.0), 0, 6400, (SIZE, SIZE))
    mixing = whole.epoch(torch.arange(6400), 32).mixing
    assert mixing is not None
    by_batch = mixing.cut.view(200, 32)
    assert torch.all(by_batch == by_batch[:, :1])
    assert by_batch.float().mean() == pytest.approx(0.5, abs=0.12)


def test_shares_come_from_the_beta_distribution() -> None:
    generators = {name: torch.Generator().manual_seed(0) for name in ("partners", "which", "mixup", "cutmix", "box")}
    drawn = mixing.draw(Augment(mixup=0.2), 20_000, 100, (8, 8), generators)
    assert drawn is not None
    assert drawn.shares.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.shares.var() == pytest.approx(1 / (4 * (2 * 0.2 + 1)), rel=0.03)


def test_the_loss_is_that_of_targets_in_shares() -> None:
    from search.train.recipe import TrainSpec
    from search.train.step import Step

    logits, labels, others = torch.randn(8, 5), torch.randint(5, (8,)), torch.randint(5, (8,))
    shares = torch.rand(8)
    targets = shares[:, None] * functional.one_hot(labels, 5) + (1 - shares[:, None]) * functional.one_hot(others, 5)
    step = Step(torch.nn.Linear(1, 1), TrainSpec(label_smoothing=0.1), 1, torch.device("cpu"))
    loss = step.loss(logits, Batch(torch.empty(8, 1), labels, others, shares))
    torch.testing.assert_close(loss, functional.cross_entropy(logits, targets, label_smoothing=0.1))
