"""What becomes of trials that fail, diverge, hang or run out of memory, by the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from search.engine import Inline
from search.reaper import processes
from search.record import read
from search.trial import Job
from tests.faults.runs import FOLDER, demand_whole, in_session, wait_until, write_images
from tests.search.command import STUDY, Process, finished, rows, run, write_study

BLOCK = '''
import os, signal, subprocess, sys, time
from typing import Literal
import torch
from blocks import BlockSpec, Site, register_block


class Troubled(torch.nn.Conv2d):
    def forward(self, images):
        if self.training and len(images) == 16:
            {trouble}
        return super().forward(images)


@register_block
class TroubledSpec(BlockSpec):
    """A convolution that makes trouble where its network is trained: on whole batches, which no one else has."""

    kind: Literal["troubled"] = "troubled"

    def module(self, site: Site) -> torch.nn.Module:
        return Troubled(site.in_channels, site.width, 3, site.stride, 1)
'''
TROUBLED = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
plugins: [troubled.py]
network:
  stem: {kind: conv3x3, width: 4}
  stages: [{block: basic, depth: 1, width: 8}]
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
factors: {block: {path: "network.stages[*].block", levels: [troubled]}}
design: {kind: one_at_a_time, seeds: 2}
confirm: {finalists: 1, seeds: 1}
"""
DIRECTORY = Path("runs") / "tiny"


def troubled(folder: Path, trouble: str, *changes: tuple[str, str]) -> None:
    """Writes a study of two arms, of which one makes trouble."""
    (folder / "troubled.py").write_text(BLOCK.format(trouble=trouble))
    text = TROUBLED
    for old, new in changes:
        text = text.replace(old, new)
    write_study(folder, text)


def ends(folder: Path) -> list[dict[str, Any]]:
    return [entry for entry in read(folder / DIRECTORY / "trials.jsonl")[0] if entry["event"] == "finished"]


@pytest.mark.slow
def test_f15_out_of_memory_is_tried_again_in_a_new_process_with_half_as_many_images(tmp_path: Path) -> None:
    trouble = "torch.empty(2**55, dtype=torch.uint8)"  # more than any machine has: a real refusal of the allocator's
    troubled(tmp_path, trouble, ("block: basic", "block: troubled"), ("one_at_a_time, seeds: 2", "train, seeds: 1"))
    text = (tmp_path / "study.yaml").read_text()
    (tmp_path / "study.yaml").write_text("".join(line for line in text.splitlines(True) if "factors" not in line))
    done = run(tmp_path, "study.yaml", "--inline", "--set", "confirm.seeds=1")
    assert done.returncode == 0, done.stderr
    (row,) = rows(tmp_path / DIRECTORY / "results.csv")
    assert (row["status"], row["micro_batch"], row["accumulation"]) == ("completed", "8", "2")
    assert row["reason"] == "ran out of memory with 16 images at a time; tried with half as many"
    assert row["reason"] in (tmp_path / DIRECTORY / "report.html").read_text()


def test_f18_a_loss_that_is_not_finite_ends_the_trial_at_that_step(tmp_path: Path) -> None:
    text = STUDY.replace("levels: [1, 6]}", 'levels: [1]}\n  lr: {path: "train.optimizer.lr", levels: [1e30]}')
    write_study(tmp_path, text)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / DIRECTORY / "results.csv")
    diverged = [row for row in found if row["lr"] == "1e+30"]
    assert [row["status"] for row in diverged] == ["diverged", "diverged"]
    assert all("step" in row["reason"] and int(row["epochs"]) <= 1 for row in diverged)
    assert all(finished(tmp_path / DIRECTORY).count(row["trial"]) == 1 for row in diverged)  # not tried again
    assert not any(row["lr"] == "1e+30" for row in found if row["phase"] == "confirm")
    demand_whole(tmp_path / DIRECTORY)


def hangs(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """A runner that ignores whoever asks it to end, and has a child that does so too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
    Path(str(splits)).write_text(f"{os.getpid()} {process.pid}")
    time.sleep(600)
    return {}


def test_f19_what_hangs_is_ended_with_its_children_when_its_time_is_over(tmp_path: Path) -> None:
    executor = Inline(lambda job: str(tmp_path / "pids"), "cpu", hangs, seconds=4.0)
    executor.submit(Job("trial", "train", {"train": {"batch_size": 8}, "data": {}}, 0))
    began = time.monotonic()
    ((_, reply),) = executor.wait()
    assert time.monotonic() - began < 14
    assert (reply["status"], reply["reason"]) == ("failed", "ended at its time limit of 0.0666667 minutes")
    numbers = {int(word) for word in (tmp_path / "pids").read_text().split()}
    assert len(numbers) == 2
    assert numbers & {number for number, _ in processes()} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_f20_a_trial_that_hangs_in_a_process_of_its_own_ends_with_its_driver(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    trouble = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True); "
        "from pathlib import Path; Path('pids').write_text(str(os.getpid()) + ' ' + str(child.pid) + chr(10)); "
        "time.sleep(600)"
    )
    troubled(tmp_path, trouble, ("confirm:", "time: {trial_minutes: 9}\nconfirm:"))
    driver = Process(tmp_path, "study.yaml", "--inline")
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"), 100)
    ours = {driver.pid, *map(int, (tmp_path / "pids").read_text().split())}
    assert len(ours) == 3
    if number == signal.SIGKILL:
        driver.send_signal(number)
    else:  # as a terminal's Ctrl-C: to all of them
        os.killpg(driver.pid, number)
    wait_until(lambda: not ours & {number for number, _ in processes()}, 10)
    done = driver.wait()
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_f20_who_decodes_images_ends_with_a_killed_driver(tmp_path: Path) -> None:
    data = TROUBLED.splitlines()[1]
    troubled(tmp_path, "open('begun', 'w').close(); time.sleep(600)", (data, FOLDER))
    write_images(tmp_path / "images")
    driver = Process(tmp_path, "study.yaml", "--inline")
    wait_until((tmp_path / "begun").exists, 60)
    assert len(in_session(driver.pid)) > 1
    driver.send_signal(signal.SIGKILL)
    wait_until(lambda: not in_session(driver.pid), 10)
    driver.wait()


@pytest.mark.slow
def test_f19_on_ray_a_trial_that_hangs_is_ended_and_its_slot_is_free(tmp_path: Path) -> None:
    trouble = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('about to hang', flush=True); "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True); "
        "time.sleep(600)"
    )
    troubled(tmp_path, trouble, ("confirm:", "time: {trial_minutes: 0.5}\nconfirm:"))
    done = run(tmp_path, "study.yaml", "--workers", "1", "--set", "design.seeds=1", timeout=280)
    assert done.returncode == 3, done.stderr
    (hung,) = (entry for entry in ends(tmp_path) if "about to hang" in entry.get("log", ()))
    assert hung["reason"] == "ended at its time limit of 0.5 minutes"
    entries = read(tmp_path / DIRECTORY / "trials.jsonl")[0]
    begun, following = (entry["elapsed"] for entry in entries[entries.index(hung) - 1 :] if entry["event"] == "started")
    assert hung["elapsed"] - begun < 40
    assert following - hung["elapsed"] < 10  # there is one slot, and it was free for what came then
    assert [entry["status"] for entry in ends(tmp_path)] == ["completed", "failed", "completed"]
    demand_whole(tmp_path / DIRECTORY)


def test_a_failed_trial_keeps_all_that_there_is_to_know_and_can_be_run_alone(tmp_path: Path) -> None:
    troubled(tmp_path, "raise RuntimeError('no luck')")
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 3, done.stderr
    failed = [entry for entry in ends(tmp_path) if entry["status"] == "failed"]
    assert len(failed) == 2
    assert "no luck" in failed[0]["reason"]
    assert "in forward" in failed[0]["traceback"]
    assert failed[0]["alone"] == f"python -m search.run study.yaml --only {failed[0]['trial']} --inline"
    assert failed[0]["alone"] in done.stderr
    lines = [json.loads(line) for line in (tmp_path / DIRECTORY / "log.jsonl").read_text().splitlines()]
    errors = [line for line in lines if line["level"] == "error"]
    assert [(line["arm"], line["alone"]) for line in errors] == [(entry["arm"], entry["alone"]) for entry in failed]
    demand_whole(tmp_path / DIRECTORY)  # failed, and told so: nothing is missing
    status = run(tmp_path, str(DIRECTORY), module="search.status").stdout
    assert "2 failed" in status
    assert all(len(line) <= 80 for line in status.splitlines())
    again = run(tmp_path, *failed[0]["alone"].split()[3:])
    assert again.returncode == 3
    assert finished(tmp_path / DIRECTORY).count(failed[0]["trial"]) == 2
    demand_whole(tmp_path / DIRECTORY)


@pytest.mark.parametrize(("option", "ended"), [(("--fail-fast",), 1), (("--max-failures", "1"), 2)])
def test_a_study_ends_early_where_it_is_told_to(tmp_path: Path, option: tuple[str, ...], ended: int) -> None:
    troubled(tmp_path, "raise RuntimeError('no luck')", ("seeds: 2}\nconfirm", "seeds: 4}\nconfirm"))
    done = run(tmp_path, "study.yaml", "--inline", *option)
    assert done.returncode == 3
    assert f"ended early: {ended} trials failed; the last: " in done.stderr
    assert sum(entry["status"] == "failed" for entry in ends(tmp_path)) == ended
    assert (tmp_path / DIRECTORY / "report.html").exists()
    audit = run(tmp_path, str(DIRECTORY), module="search.audit")
    assert audit.returncode == 5
    assert "planned trials have not ended" in audit.stdout
