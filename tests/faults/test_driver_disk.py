"""What happens to the files: cut, out of room, half written, and a clock that is set."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.record import Record, RecordWarning, read
from search.record_lines import record_of, scan
from search.standing import Standing
from tests.faults.runs import (
    FEW,
    FOLDER,
    TINY,
    copied,
    count,
    demand_same,
    demand_whole,
    wait_until,
    write_image,
    write_images,
)
from tests.search.command import Process, numbers, run, run_alone, write_study


def test_f05_additions_resume_and_changes_are_refused_field_by_field(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    before = (directory / "trials.jsonl").read_bytes()
    lines = (tmp_path / "study.yaml").read_text().splitlines()
    other = ["# Does a wider expansion help?", "# another comment", *lines[-2:], *lines[1:-2], ""]
    (tmp_path / "study.yaml").write_text("\n".join(other))
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    assert (directory / "trials.jsonl").read_bytes() == before  # comments and the order of keys are no difference
    changed = run(tmp_path, "study.yaml", "--inline", "--set", "train.epochs=3", "--set", "train.batch_size=8")
    assert changed.returncode == 4
    assert "  train.epochs: was 1, is now 3\n  train.batch_size: was 16, is now 8\n" in changed.stderr
    assert run(tmp_path, "study.yaml", "--inline", "--set", "factors.expansion.levels=[1]").returncode == 4
    more = ("design.seeds=3", "factors.expansion.levels=[1,6,2]", "time.hours=9", "ray.workers=1", "confirm.seeds=3")
    added = run(tmp_path, "study.yaml", "--inline", *(f"--set={override}" for override in more))
    assert added.returncode == 0, added.stderr
    assert "added after results had been seen: seed 2; level 2 of expansion" in (directory / "report.html").read_text()
    assert run(tmp_path, str(directory), module="search.audit").returncode == 0


def test_f06_changed_code_and_versions_are_told_and_strictly_refused(tmp_path: Path, whole: Path) -> None:
    """The record is made to tell of a session of other code and another torch, as an older one would."""
    directory = copied(whole, tmp_path)
    record = directory / "trials.jsonl"
    entries = read(record)[0]
    for entry in entries:
        if entry["event"] == "session":
            entry["environment"] = {**entry["environment"], "commit": "0" * 40}
            entry["environment"]["versions"] = {**entry["environment"]["versions"], "torch": "1.0"}
    record.write_bytes(record_of(entries))
    more = ("--inline", "--set", "design.seeds=3")
    strict = run(tmp_path, "study.yaml", *more, "--strict")
    assert strict.returncode == 4
    assert "changed since the last session of this run: torch 1.0 -> " in strict.stderr
    done = run(tmp_path, "study.yaml", *more)
    assert done.returncode == 0, done.stderr
    for place in (done.stderr, (directory / "report.html").read_text()):
        assert "torch 1.0 " in place
        assert f"code {'0' * 40} " in place


def test_f06_an_image_that_changed_is_noticed(tmp_path: Path) -> None:
    """A real folder of images, one of which is another when the study goes on."""
    write_images(tmp_path / "images")
    write_study(tmp_path, TINY.replace(TINY.splitlines()[2], FOLDER))
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    write_image(tmp_path / "images" / "b" / "63.png", random.Random(1))
    more = ("--inline", "--set", "design.seeds=2")
    strict = run(tmp_path, "study.yaml", *more, "--strict")
    assert strict.returncode == 4, strict.stderr
    assert "changed since the last session of this run: the data's checksum" in strict.stderr
    done = run(tmp_path, "study.yaml", *more)
    assert done.returncode == 0, done.stderr
    assert "the data's checksum" in done.stderr
    assert "the data&#39;s checksum" in (tmp_path / "runs" / "tiny" / "report.html").read_text()


def test_f07_cut_at_every_byte_of_its_end_at_most_the_last_write_is_lost(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    record = directory / "trials.jsonl"
    raw = record.read_bytes()
    tail = record_of(read(record)[0][-24:])  # few, so that four thousand readings are quick
    assert len(tail) > 8192
    ends = [index + 1 for index, byte in enumerate(tail) if byte == ord("\n")]
    for cut in range(len(tail) - 4096, len(tail)):
        record.write_bytes(tail[:cut])
        found = scan(record)
        kept = max(end for end in ends if end <= cut)
        assert (found.damaged, found.sound) == ([], kept)
        assert len(found.entries) == ends.index(kept) + 1
        if cut % 512 == 0 and cut != kept:
            with pytest.warns(RecordWarning, match=f"last {cut - kept} bytes are an unfinished write"):
                Record(directory).close()
            assert record.read_bytes() == tail[:kept]
    for cut in (len(raw) - 4096, len(raw) - 1):
        record.write_bytes(raw[:cut])
        done = run(tmp_path, "study.yaml", "--inline")
        assert done.returncode == 0, done.stderr
        assert "bytes are an unfinished write and were dropped" in done.stderr
        demand_whole(directory)
        assert numbers(directory) == numbers(whole)  # with weights that were let go of, a trial has been run again


def test_f07_a_damaged_line_costs_what_it_told_of_and_one_command_mends_it(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    record = directory / "trials.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"finished"' in line)
    lines[number] = lines[number].replace(b"val_loss", b"val_lost", 1)
    record.write_bytes(b"".join(lines))
    refused = run(tmp_path, "study.yaml", "--inline")
    assert refused.returncode == 5
    assert "python -m search.audit runs/tiny --mend" in refused.stderr
    audit = run(tmp_path, "runs/tiny", module="search.audit")
    assert audit.returncode == 5
    assert f"line {number + 1} of the record does not match its checksum" in audit.stdout
    assert "mended by: python -m search.audit runs/tiny --mend" in audit.stdout
    mended = run(tmp_path, "runs/tiny", "--mend", module="search.audit")
    assert "1 damaged ones dropped; the old file is trials.jsonl.damaged-1" in mended.stdout
    assert (directory / "trials.jsonl.damaged-1").read_bytes() == b"".join(lines)
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    demand_same(directory, whole)


def test_f08_no_file_may_be_larger_than_so_many_bytes(tmp_path: Path, whole: Path) -> None:
    """One run on a disk that gives a little more room each time."""
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    for room in (3_000, 9_000, 15_000, 40_000, 1_000_000):
        before = {path: path.read_bytes() for path in directory.rglob("*.*") if path.name != "log.jsonl"}
        done = Process(tmp_path, "study.yaml", "--inline", step=f"room:{room}").wait()
        assert done.returncode == 5, (room, done.stderr)
        assert "File too large" in done.stderr
        assert "Traceback" not in done.stderr
        for path, content in before.items():
            if path.name == "trials.jsonl":
                assert path.read_bytes().startswith(content)
            elif path.suffix == ".html":
                assert path.read_bytes() == content
        assert [path.name for path in directory.rglob(".*.*")] == []
    assert run(tmp_path, "study.yaml", "--inline").returncode == 0
    demand_same(directory, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of its own, of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("only who may mount can have a disk that is full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_f08_a_real_disk_that_is_full(tmp_path: Path, small_disk: Path, whole: Path) -> None:
    write_study(tmp_path, FEW)
    directory = small_disk / "tiny"
    command = ("study.yaml", "--inline", "--out", str(directory))
    for size in ("64k", "120k", "400k", "1500k"):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
        done = run(tmp_path, *command)
        assert done.returncode == 5, (size, done.stderr)
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert (directory / "trials.jsonl").stat().st_size == scan(directory / "trials.jsonl").sound
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert run(tmp_path, *command).returncode == 0
    demand_same(directory, whole)


@pytest.mark.parametrize("step", ["checkpoint:1", "export:1", "page:1"])
def test_f09_half_a_file_is_never_under_its_name(tmp_path: Path, step: str) -> None:
    """The driver is stopped in the midst of a write; what has a name by then is whole."""
    write_study(tmp_path, FEW)
    directory = tmp_path / "runs" / "tiny"
    process = Process(tmp_path, "study.yaml", "--inline", step=f"{step}:SIGSTOP")
    wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    named = {path.name for path in directory.rglob("*") if not path.name.startswith(".")}
    missing = {"checkpoint:1": "winner.safetensors", "export:1": "winner.safetensors", "page:1": "report.html"}[step]
    assert missing not in named
    for path in directory.rglob("*.json"):
        json.loads(path.read_text())
    assert scan(directory / "trials.jsonl").damaged == []
    assert not any(path.stat().st_size == 0 for path in directory.rglob("*.safetensors"))
    process.send_signal(9)
    process.wait()


CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
/* Every look at the clock that tells the time finds it set forward or back by an hour, by turns. */
static int calls;
static long jump(void) { return (__sync_fetch_and_add(&calls, 1) / 40 % 2) ? 3600 : -3600; }
int clock_gettime(clockid_t id, struct timespec *out) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, out);
    if (id == CLOCK_REALTIME) out->tv_sec += jump();
    return code;
}
int gettimeofday(struct timeval *out, void *zone) {
    struct timespec now;
    int code = clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec; out->tv_usec = now.tv_nsec / 1000;
    return code;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""


@pytest.mark.slow
def test_f10_a_clock_that_is_set_moves_no_duration(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that is loaded before the C library's sets the clock an hour forward and back all the time."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (tmp_path / "clock.c").write_text(CLOCK)
    library = tmp_path / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True)
    write_study(tmp_path, FEW)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    seen = subprocess.run(
        [sys.executable, "-c", "import time; print(*(int(time.time()) for _ in range(100)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    times = [int(word) for word in seen.stdout.split()]
    assert max(times) - min(times) >= 7000
    done = run_alone(tmp_path, "study.yaml", "--inline")
    monkeypatch.delenv("LD_PRELOAD")
    assert done.returncode == 0, done.stderr
    directory = tmp_path / "runs" / "tiny"
    for entry in Standing.read(directory).entries:
        for name in ("elapsed", "train_seconds"):
            assert 0 <= entry.get(name, 0) < 600
        assert all(0 <= epoch["seconds"] < 600 for epoch in entry.get("epochs", ()))
    assert 0 < json.loads((directory / "environment.json").read_text())["wall_seconds"] < 600
    demand_same(directory, whole)


@pytest.mark.slow
def test_f12_unusual_paths_and_a_working_directory_that_shadows_the_library(tmp_path: Path) -> None:
    folder = tmp_path / "a 'quoted' \"folder\" with 100% emoji 🧪 and more"
    folder.mkdir()
    for name in ("html.py", "random.py"):
        (folder / name).write_text("raise RuntimeError('shadowed')\n")
    write_study(folder)
    out = "o" * 200
    small = ("--set", "design.seeds=1", "--set", "confirm.seeds=1", "--set", "train.epochs=1")
    done = run_alone(folder, "study.yaml", "--workers", "1", "--out", out, *small)
    assert done.returncode == 0, done.stderr
    assert (folder / out / "report.html").exists()
    for module in ("search.audit", "search.status"):
        assert run_alone(folder, out, module=module).returncode == 0
    assert count(folder / out, "exported") == 1
    assert list(tmp_path.iterdir()) == [folder]
