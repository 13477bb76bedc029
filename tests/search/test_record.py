"""The record: whole after any cut, honest about damage, held by one process, and readers never see half a file."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from search.record import Record, RecordWarning, read
from search.run_directory import RunDirectoryError, write_atomically


def written(directory: Path, count: int) -> Path:
    with Record(directory) as record:
        for number in range(count):
            record.append("finished", trial=f"t{number}", text="ünïcode \n and a } in it" * 20)
    return directory / "trials.jsonl"


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    entries, sound, size = read(path)
    assert [entry["trial"] for entry in entries] == ["t0", "t1", "t2"]
    assert sound == size == path.stat().st_size
    with Record(tmp_path) as record:
        assert record.entries == entries


def test_every_line_is_plain_json(tmp_path: Path) -> None:
    for line in written(tmp_path, 2).read_text().splitlines():
        assert list(json.loads(line)) == ["checksum", "line", "entry"]


def test_cut_at_every_byte_of_its_end_only_the_unfinished_write_is_lost(tmp_path: Path) -> None:
    path = written(tmp_path / "whole", 9)
    raw = path.read_bytes()
    assert len(raw) > 4096
    ends = [index + 1 for index, byte in enumerate(raw) if byte == ord("\n")]
    for cut in range(len(raw) - 4096, len(raw) + 1):
        short = tmp_path / "cut.jsonl"
        short.write_bytes(raw[:cut])
        entries, sound, _ = read(short)
        assert len(entries) == sum(end <= cut for end in ends)
        assert sound == max(end for end in ends if end <= cut)


def test_an_unfinished_write_is_dropped_with_a_warning_and_the_record_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.warns(RecordWarning, match="unfinished write"):
        record = Record(tmp_path)
    with record:
        assert len(record.entries) == 1
        record.append("finished", trial="t9")
    assert [entry["trial"] for entry in read(path)[0]] == ["t0", "t9"]


def test_damage_in_the_middle_is_never_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    raw = bytearray(path.read_bytes())
    raw[60] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(RunDirectoryError, match=r"trials.jsonl:1: the checksum does not match"):
        Record(tmp_path)


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    with Record(tmp_path), pytest.raises(RunDirectoryError, match=rf"in use by process {os.getpid()} on "):
        Record(tmp_path)
    Record(tmp_path).close()


def test_the_hold_dies_with_its_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from search.record import Record; "
        "r = Record(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunDirectoryError, match=f"in use by process {holder.pid} on "):
        Record(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    Record(tmp_path).close()


def test_a_full_disk_leaves_what_was_there_intact(tmp_path: Path) -> None:
    path = written(tmp_path, 2)
    before = path.read_bytes()
    write_atomically(tmp_path / "table.csv", "old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Record(tmp_path) as record:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, hard))
            with pytest.raises(RunDirectoryError, match="can't be written: File too large"):
                record.append("finished", trial="t2", text="x" * 100)
            with pytest.raises(RunDirectoryError, match="can't be written"):
                write_atomically(tmp_path / "table.csv", "new" * 10_000)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert path.read_bytes() == before
            assert (tmp_path / "table.csv").read_text() == "old"
            record.append("finished", trial="t2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert [entry["trial"] for entry in read(path)[0]] == ["t0", "t1", "t2"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lock", "table.csv", "trials.jsonl"]


def test_numbers_that_json_has_no_word_for_are_refused(tmp_path: Path) -> None:
    with Record(tmp_path) as record, pytest.raises(ValueError, match="Out of range"):
        record.append("finished", loss=float("nan"))
    assert read(tmp_path / "trials.jsonl")[0] == []


def test_an_opened_record_makes_no_noise(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Record(tmp_path).close()
