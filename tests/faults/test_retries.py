"""What follows when a job runs out of memory, or loses its process or its device. The errors are raised at the
boundary, by runners that train nothing: there is no GPU here."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
import torch

from search.engine import Inline
from search.retries import MAX_HALVINGS, MAX_LOST, Attempt
from search.trial import Job

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB"


def job(batch_size: int = 128, micro_batch: int | None = None, name: str = "trial") -> Job:
    return Job(name, "train", {"train": {"batch_size": batch_size, "micro_batch": micro_batch}, "data": {}}, 0)


def failed(mishap: str | None) -> dict[str, Any]:
    return {"status": "failed", "reason": "why", "mishap": mishap}


def chain(attempt: Attempt | None, mishap: str, *, shared: bool = False) -> list[Attempt]:
    """Returns the attempts that follow while each ends in the same mishap."""
    found: list[Attempt] = []
    while (attempt := attempt.after(failed(mishap), shared=shared) if attempt else None) is not None:
        found.append(attempt)
    return found


def test_f13_what_went_well_or_failed_of_itself_is_not_tried_again() -> None:
    assert Attempt(job()).after({"status": "completed"}, shared=True) is None
    assert Attempt(job()).after(failed(None), shared=True) is None


def test_f15_too_little_memory_halves_the_images_at_a_time_three_times_at_most() -> None:
    tried = chain(Attempt(job(128)), "out_of_memory")
    assert [attempt.job.images_at_once for attempt in tried] == [64, 32, 16]
    assert MAX_HALVINGS == 3
    assert {attempt.job.configuration["train"]["batch_size"] for attempt in tried} == {128}
    assert [attempt.job.images_at_once for attempt in chain(Attempt(job(128, 50)), "out_of_memory")] == [25, 13, 7]


def test_f15_one_image_cannot_be_halved() -> None:
    assert [attempt.job.images_at_once for attempt in chain(Attempt(job(2)), "out_of_memory")] == [1]


def test_f16_on_a_shared_gpu_it_is_tried_alone_before_anything_is_halved() -> None:
    tried = chain(Attempt(job(128)), "out_of_memory", shared=True)
    assert [(attempt.alone, attempt.job.images_at_once) for attempt in tried] == [
        (True, 128),
        (True, 64),
        (True, 32),
        (True, 16),
    ]


@pytest.mark.parametrize("mishap", ["died", "device_lost"])
def test_f13_f17_a_lost_process_or_device_is_tried_again_as_it_was(mishap: str) -> None:
    tried = chain(Attempt(job()), mishap)
    assert len(tried) == MAX_LOST == 2
    assert {attempt.job for attempt in tried if attempt.job.halvings} == set()


def test_f15_the_row_says_what_went_before() -> None:
    (first, *_) = chain(Attempt(job(128)), "out_of_memory")
    said = first.told({"status": "completed", "reason": "", "micro_batch": 64})
    assert said["reason"] == "ran out of memory with 128 images at a time; tried with half as many"
    assert said["halvings"] == 1
    untroubled = {"status": "completed", "reason": ""}
    assert Attempt(job()).told(untroubled) is untroubled


def needs_room_for_32(job: Job, splits: Any, device: str) -> dict[str, Any]:
    """A runner that has room for 32 images at a time, and tells in which process."""
    if job.images_at_once > 32:
        raise torch.OutOfMemoryError(FULL)
    return {"status": "completed", "reason": "", "micro_batch": job.images_at_once, "process": os.getpid()}


def is_killed(job: Job, splits: Any, device: str) -> dict[str, Any]:
    if not job.halvings:
        raise MemoryError
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@pytest.mark.slow
def test_f15_without_ray_a_smaller_try_has_a_process_of_its_own() -> None:
    executor = Inline(lambda job: None, "cpu", needs_room_for_32)
    executor.submit(job(128))
    ((_, reply),) = executor.wait()
    assert reply["status"] == "completed"
    assert (reply["micro_batch"], reply["halvings"]) == (32, 2)
    assert reply["process"] != os.getpid()
    assert "128 images at a time" in reply["reason"]
    assert "64 images at a time" in reply["reason"]


@pytest.mark.slow
def test_f15_a_process_killed_for_memory_is_a_failed_trial_with_its_reason() -> None:
    executor = Inline(lambda job: None, "cpu", is_killed)
    executor.submit(job(128))
    ((_, reply),) = executor.wait()
    assert reply["status"] == "failed"
    assert reply["halvings"] == MAX_HALVINGS
    assert "the process died with exit code -9" in reply["reason"]
