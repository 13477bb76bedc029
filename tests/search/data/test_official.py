from __future__ import annotations

import threading
import time
from pathlib import Path
from urllib.error import URLError

import pytest

from search.data import DATASETS, DataError, prepare
from search.data.cache import DATA_FOLDER_VARIABLE, data_folder, sole_writer
from search.data.official import fetch
from tests.search.data.examples import WRITERS, example

OFFICIAL = sorted(set(WRITERS) - {"image_folder"})


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.mark.parametrize("kind", OFFICIAL)
def test_missing_files_without_a_network(kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        prepare(DATASETS.parse({"kind": kind, "root": str(tmp_path)}))
    message = str(raised.value)
    assert str(tmp_path) in message
    assert "http" in message
    assert "no network here" in message
    assert "`root:`" in message
    assert "\n" not in message


@pytest.mark.parametrize("damage", ["flipped bit", "truncated"])
@pytest.mark.parametrize("kind", OFFICIAL)
def test_damaged_files_are_noticed(kind: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = example(kind, tmp_path, monkeypatch)
    largest = max((file for file in tmp_path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content if damage == "flipped bit" else content[:-7])
    with pytest.raises(DataError, match="missing or fails its checksum"):
        prepare(spec)


@pytest.mark.parametrize("kind", OFFICIAL)
def test_reading_prints_nothing_to_stdout(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(example(kind, tmp_path, monkeypatch))
    assert capsys.readouterr().out == ""


def test_two_at_once_download_once(tmp_path: Path) -> None:
    file, downloads = tmp_path / "data.bin", []

    def read(download: bool) -> bytes:
        if not file.exists():
            if not download:
                raise RuntimeError("missing")
            downloads.append(threading.get_ident())
            time.sleep(0.1)
            file.write_bytes(b"data")
        return file.read_bytes()

    readers = [threading.Thread(target=fetch, args=(read, file, "http://example.org")) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(downloads) == 1


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot write to the data folder"), sole_writer(tmp_path / "file" / "data"):
        pass


def test_where_data_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_FOLDER_VARIABLE, str(tmp_path / "chosen"))
    assert data_folder() == tmp_path / "chosen"
    monkeypatch.delenv(DATA_FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "cache" / "residual-search"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == tmp_path / ".cache" / "residual-search"


def test_svhn_calls_the_digit_0_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = prepare(example("svhn", tmp_path, monkeypatch))
    assert splits.classes[0] == "0"
    assert sorted(set(splits.test.labels)) == list(range(10))
