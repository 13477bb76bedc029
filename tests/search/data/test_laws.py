"""What holds for every registered data set."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from search.data import DATASETS, DataError, DataSpec, Images, Splits, prepare
from search.data.official import OfficialSpec


def fingerprints(images: Images) -> set[bytes]:
    return {pixels.tobytes() for pixels in images.pixels}


def test_facts_are_what_is_loaded(spec: DataSpec) -> None:
    facts, splits = spec.facts(), prepare(spec)
    assert splits.classes == facts.classes
    if not isinstance(spec, OfficialSpec):  # the official ones are stood in for by a few generated files
        assert facts.images == len(splits.train) + len(splits.validation) + len(splits.test)
    for split in (splits.train, splits.validation, splits.test):
        assert split.pixels.shape == (len(split), *facts.shape)
        assert split.pixels.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert set(split.labels) == set(range(len(facts.classes)))


def test_splits_are_disjoint_and_together_the_whole(spec: DataSpec) -> None:
    splits, source = prepare(spec), spec.load()
    parts = [fingerprints(split) for split in (splits.train, splits.validation, splits.test)]
    assert len(set.union(*parts)) == sum(map(len, parts))
    loaded = sum(len(part) for part in (source.train, source.validation, source.test) if isinstance(part, Images))
    assert len(splits.train) + len(splits.validation) + len(splits.test) == loaded


def test_each_split_has_the_classes_in_equal_shares(spec: DataSpec) -> None:
    splits = prepare(spec)
    whole = np.bincount(np.concatenate([splits.train.labels, splits.validation.labels]))
    for split in (splits.train, splits.validation):
        share = len(split) / whole.sum()
        assert np.abs(np.bincount(split.labels) - whole * share).max() <= 1.0


def test_preparing_twice_gives_the_same(spec: DataSpec) -> None:
    assert prepare(spec).checksum == prepare(DATASETS.parse(spec.plain())).checksum


def test_split_seed_alone_moves_images(spec: DataSpec) -> None:
    splits, others = prepare(spec), prepare(spec.replace(split_seed=1))
    assert fingerprints(splits.validation) != fingerprints(others.validation)
    assert len(splits.validation) == len(others.validation)
    assert splits.checksum != others.checksum


def test_train_fractions_are_nested_stratified_and_leave_the_rest_alone(spec: DataSpec) -> None:
    whole, half, third = (prepare(spec.replace(train_fraction=share)) for share in (1, 0.5, 0.3))
    assert fingerprints(third.train) < fingerprints(half.train) < fingerprints(whole.train)
    assert np.abs(np.bincount(half.train.labels) - np.bincount(whole.train.labels) / 2).max() <= 0.5
    for split in (half, third):
        assert_array_equal(split.validation.pixels, whole.validation.pixels)
        assert_array_equal(split.test.pixels, whole.test.pixels)


def test_mean_and_std_normalise_the_training_split(spec: DataSpec) -> None:
    splits = prepare(spec.replace(train_fraction=0.5))
    mean, std = (np.array(values)[:, None, None] for values in (splits.mean, splits.std))
    normalised = (splits.train.pixels / 255 - mean) / std
    assert_allclose(normalised.mean((0, 2, 3)), 0, atol=1e-9)
    assert_allclose(normalised.std((0, 2, 3)), 1, atol=1e-9)


def test_image_size_resizes_every_split(spec: DataSpec) -> None:
    smaller = spec.replace(image_size=6)
    splits: Splits = prepare(smaller)
    assert smaller.facts().image_size == 6
    assert {split.pixels.shape[2:] for split in (splits.train, splits.validation, splits.test)} == {(6, 6)}


def test_a_spec_survives_a_round_trip(spec: DataSpec) -> None:
    assert DATASETS.parse(spec.plain()) == spec
    assert hash(DATASETS.parse(spec.plain())) == hash(spec)


def test_every_kind_says_what_it_is() -> None:
    for kind in DATASETS.kinds().values():
        assert kind.__doc__


@pytest.mark.parametrize("kind", ["digits", "cifar10", "cifar100", "mnist", "fashion_mnist", "svhn", "synthetic"])
def test_planning_needs_neither_torch_nor_files(kind: str) -> None:
    code = (
        "import sys; from search.data import DATASETS; "
        f"facts = DATASETS.parse({kind!r}).facts(); assert facts.classes; "
        "heavy = {'torch', 'torchvision', 'sklearn', 'PIL', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_validation_split_cut_anew_leaves_the_test_split_as_it_is(spec: DataSpec) -> None:
    if spec.facts().official_validation:
        with pytest.raises(DataError, match="can't be cut anew"):
            prepare(spec, cut=0)
        return
    shared, first, second = prepare(spec), prepare(spec, cut=0), prepare(spec, cut=1)
    for other in (first, second):
        assert np.array_equal(other.test.pixels, shared.test.pixels)
        assert np.array_equal(other.test.labels, shared.test.labels)
        assert np.array_equal(np.bincount(other.validation.labels), np.bincount(shared.validation.labels))
        assert len(other.train) == len(shared.train)
    assert len({shared.checksum, first.checksum, second.checksum}) == 3
    assert prepare(spec, cut=1).checksum == second.checksum
