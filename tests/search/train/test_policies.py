from __future__ import annotations

import pytest
import torch

from search.train.chance import stream
from search.train.pixels import OPERATIONS
from search.train.policies import POLICIES, PolicySpec, narrow
from search.train.policies.trivial_augment import WIDE
from search.train.programme import NUMBERS, Programme

SOME = [kind for kind in POLICIES.kinds() if kind != "none"]


def drawn(policy: str | dict[str, object], count: int = 64, size: int = 32, seed: int = 0) -> Programme:
    spec: PolicySpec = POLICIES.parse(policy)
    programme = spec.draw(count, (size, size), stream(seed, "policy"))
    assert programme is not None
    return programme


@pytest.mark.parametrize("kind", SOME)
def test_each_image_has_its_own_draw(kind: str) -> None:
    one = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8).expand(64, -1, -1, -1)
    results = {image.numpy().tobytes() for image in drawn(kind).run(one, 0, 64)}
    assert len(results) > 25  # torchvision's own would give one
    assert len({tuple(column) for column in drawn(kind).operations.T.tolist()}) > 8


@pytest.mark.parametrize("kind", SOME)
def test_an_image_of_a_batch_becomes_what_it_becomes_alone(kind: str) -> None:
    images, programme = torch.randint(0, 256, (64, 3, 16, 16), dtype=torch.uint8), drawn(kind, size=16)
    together = programme.run(images, 0, 64)
    for number in range(64):
        alone = images[number : number + 1]
        for operations, amounts in zip(programme.operations, programme.amounts, strict=True):
            operation = list(OPERATIONS.values())[operations[number]]
            alone = operation(alone, amounts[number : number + 1])
        assert torch.equal(together[number], alone[0])
    assert torch.equal(programme.run(images[20:30], 20, 30), together[20:30])


@pytest.mark.parametrize("kind", SOME)
def test_draws_follow_from_the_seed(kind: str) -> None:
    first, again, other = drawn(kind), drawn(kind), drawn(kind, seed=1)
    assert torch.equal(first.operations, again.operations)
    assert torch.equal(first.amounts, again.amounts)
    assert not torch.equal(first.operations, other.operations)


def test_rand_augment_draws_all_operations_alike_often_at_one_strength() -> None:
    programme = drawn({"kind": "rand_augment", "operations": 3, "magnitude": 15}, 14_000)
    counts = torch.bincount(programme.operations.flatten(), minlength=len(NUMBERS))
    assert programme.operations.shape == (3, 14_000)
    assert (counts > 0).sum() == 14
    assert counts[counts > 0].min() > 2800
    for name, expected in {
        "rotate": {-15, 15},
        "brightness": {0.55, 1.45},
        "posterize": {6},
        "solarize": {127.5},
    }.items():
        found = programme.amounts[programme.operations == NUMBERS[name]].unique().tolist()
        assert sorted(found) == pytest.approx(sorted(expected)), name


def test_trivial_augment_draws_strengths_too() -> None:
    programme = drawn("trivial_augment", 20_000)
    assert programme.operations.shape == (1, 20_000)
    angles = programme.amounts[programme.operations == NUMBERS["rotate"]].abs().unique()
    torch.testing.assert_close(angles, torch.linspace(0, 135, 31))
    bits = programme.amounts[programme.operations == NUMBERS["posterize"]].unique()
    assert bits.tolist() == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("found_on", ["cifar10", "imagenet", "svhn"])
def test_auto_augment_meets_the_pairs_of_torchvision_as_often_as_they_say(found_on: str) -> None:
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    programme = drawn({"kind": "auto_augment", "found_on": found_on}, 50_000)
    counts = torch.bincount(programme.operations.flatten(), minlength=len(NUMBERS)) / 50_000
    expected = dict.fromkeys(NUMBERS, 0.0)
    names = {"Color": "saturation", "AutoContrast": "auto_contrast", "ShearX": "shear_x", "ShearY": "shear_y"}
    names |= {"TranslateX": "translate_x", "TranslateY": "translate_y"}
    for pair in AutoAugment(AutoAugmentPolicy(found_on)).policies:
        for name, chance, _ in pair:
            expected[names.get(name, name.lower())] += chance / 25
            expected["identity"] += (1 - chance) / 25
    torch.testing.assert_close(counts, torch.tensor(list(expected.values())), atol=0.015, rtol=0)


@pytest.mark.parametrize(("kind", "space"), [("RandAugment", narrow((32, 48))), ("TrivialAugmentWide", WIDE)])
def test_strengths_are_those_of_torchvision(kind: str, space: object) -> None:
    from torchvision.transforms import v2

    table = getattr(v2, kind)._AUGMENTATION_SPACE
    names = {"Color": "saturation", "AutoContrast": "auto_contrast", "ShearX": "shear_x", "ShearY": "shear_y"}
    names |= {"TranslateX": "translate_x", "TranslateY": "translate_y"}
    strengths = torch.linspace(0, 1, 31)
    for name, (amounts, signed) in table.items():
        theirs = amounts(31, 32, 48)
        if theirs is None:
            continue
        ours = names.get(name, name.lower())
        for sign in (-1, 1) if signed else (1,):
            operations = torch.full((31,), NUMBERS[ours])
            found = space.amounts(operations, strengths, torch.full((31,), sign))  # type: ignore[attr-defined]
            blend = ours in {"brightness", "saturation", "contrast", "sharpness"}
            expected = theirs * sign + blend if signed else theirs * (255 if ours == "solarize" else 1)
            torch.testing.assert_close(found, expected.float())
