from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from search.data import DATASETS, DataError, DataSpec, decode, prepare
from tests.search.data.examples import write_class_folders


def spec_of(root: Path, **fields: Any) -> DataSpec:
    return DATASETS.parse({"kind": "image_folder", "root": str(root), "image_size": 8, **fields})


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded so far."""
    seen: list[Path] = []
    decode_one = decode.decode_one

    def remember(file: Path, size: int, channels: int) -> Any:
        seen.append(file)
        return decode_one(file, size, channels)

    monkeypatch.setattr(decode, "decode_one", remember)
    return seen


def test_official_splits_are_kept(tmp_path: Path) -> None:
    for split, count in (("train", 10), ("val", 3), ("test", 4)):
        write_class_folders(tmp_path / split, classes=2, count=count)
    splits = prepare(spec_of(tmp_path))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [20, 6, 8]


def test_a_split_without_a_folder_is_cut_from_training(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", classes=2, count=10)
    write_class_folders(tmp_path / "test", classes=2, count=4)
    splits = prepare(spec_of(tmp_path))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [16, 4, 8]


def test_a_fraction_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", classes=2, count=10)
    write_class_folders(tmp_path / "test", classes=2, count=4)
    with pytest.raises(DataError, match="test_fraction would do nothing"):
        prepare(spec_of(tmp_path, test_fraction=0.1))


def test_decoded_once(tmp_path: Path, decoded: list[Path]) -> None:
    write_class_folders(tmp_path / "images", classes=2, count=6)
    first, second = (prepare(spec_of(tmp_path / "images")) for _ in range(2))
    assert first.checksum == second.checksum
    assert len(decoded) == 12
    assert not [file for file in (tmp_path / "images").rglob("*") if file.suffix == ".npy"]


def test_decoded_again_after_a_change(tmp_path: Path, decoded: list[Path]) -> None:
    write_class_folders(tmp_path / "images", classes=2, count=6)
    prepare(spec_of(tmp_path / "images"))
    os.utime(tmp_path / "images" / "class 0" / "0.png", (0, 0))
    prepare(spec_of(tmp_path / "images"))
    assert len(decoded) == 24
    prepare(spec_of(tmp_path / "images", image_size=7))
    assert len(decoded) == 36


@pytest.mark.parametrize("keep", [100, -1])
def test_damaged_cache_is_not_believed(
    tmp_path: Path, data_folder_of_its_own: Path, decoded: list[Path], keep: int
) -> None:
    write_class_folders(tmp_path / "images", classes=2, count=6)
    before = prepare(spec_of(tmp_path / "images")).checksum
    (stored,) = data_folder_of_its_own.rglob("*.npy")
    content = stored.read_bytes()
    stored.write_bytes(content[:keep])
    assert prepare(spec_of(tmp_path / "images")).checksum == before
    assert len(decoded) == 24


def test_images_are_scaled_cropped_and_turned_upright(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 255  # the central square is white
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert_array_equal(decode.decode_one(tmp_path / "wide.png", 10, 3), 255)
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    half = np.zeros((16, 16), np.uint8)
    half[:8] = 255
    Image.fromarray(half).save(tmp_path / "turned.png", exif=exif)
    assert_array_equal(decode.decode_one(tmp_path / "turned.png", 16, 1)[0], half[::-1])


def test_channels(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "images", classes=2, count=5, mode="L")
    rgb, grey = (prepare(spec_of(tmp_path / "images", channels=channels)).train.pixels for channels in (3, 1))
    assert grey.shape[1] == 1
    assert_array_equal(rgb, grey.repeat(3, axis=1))


def test_other_files_are_left_out(tmp_path: Path) -> None:
    write_class_folders(tmp_path, classes=2, count=5)
    (tmp_path / "class 0" / "notes.txt").write_text("not an image")
    (tmp_path / "class 0" / ".hidden.png").write_text("not an image")
    (tmp_path / ".git").mkdir()
    splits = prepare(spec_of(tmp_path))
    assert splits.classes == ("class 0", "class 1")
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 10


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        spec_of(tmp_path / "nowhere").facts()
    with pytest.raises(DataError, match="there can't be such a folder: File name too long"):
        spec_of(tmp_path / ("a" * 300)).facts()


def test_no_class_folders(tmp_path: Path) -> None:
    (tmp_path / "0.png").touch()
    with pytest.raises(DataError, match="holds 0 class folders, and at least two are needed"):
        spec_of(tmp_path).facts()


def test_splits_with_different_classes(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", classes=3, count=5)
    write_class_folders(tmp_path / "test", classes=2, count=5)
    with pytest.raises(DataError, match="must hold the same class folders, but not so 'class 2'"):
        spec_of(tmp_path).facts()


def test_an_empty_class_folder(tmp_path: Path) -> None:
    write_class_folders(tmp_path, classes=2, count=5)
    (tmp_path / "class 2").mkdir()
    with pytest.raises(DataError, match=r"class 2 holds no image \(.*\.png"):
        prepare(spec_of(tmp_path))


def test_an_unreadable_image(tmp_path: Path) -> None:
    write_class_folders(tmp_path, classes=2, count=5)
    damaged = tmp_path / "class 1" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    with pytest.raises(DataError, match=r"cannot read the image .*class 1.3\.png"):
        prepare(spec_of(tmp_path))


def test_an_image_of_16_bits(tmp_path: Path) -> None:
    write_class_folders(tmp_path, classes=2, count=5)
    Image.fromarray(np.full((10, 10), 40_000, np.uint16)).save(tmp_path / "class 0" / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png has more than 8 bits"):
        prepare(spec_of(tmp_path))


def test_more_than_fits_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(tmp_path, classes=2, count=5)
    monkeypatch.setattr(decode, "free_memory", lambda: 1000)
    with pytest.raises(DataError, match="lower image_size"):
        prepare(spec_of(tmp_path))


def test_a_full_disk(tmp_path: Path, data_folder_of_its_own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_class_folders(tmp_path / "images", classes=2, count=5)
    monkeypatch.setattr(np, "save", refuse)
    with pytest.raises(DataError, match="No space left on device"):
        prepare(spec_of(tmp_path / "images"))
    assert {file.name for file in data_folder_of_its_own.rglob("*") if file.is_file()} == {".lock"}


def test_two_folders_for_one_split(tmp_path: Path) -> None:
    for split in ("train", "val", "valid"):
        write_class_folders(tmp_path / split, classes=2, count=5)
    with pytest.raises(DataError, match="both look like the validation split"):
        spec_of(tmp_path).facts()
