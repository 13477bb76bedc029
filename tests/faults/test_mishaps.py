"""Errors told apart by their words. The messages are real ones; no GPU is needed to read them."""

from __future__ import annotations

import errno

import pytest
import torch

from blocks.network import BlockError
from search.mishaps import killed_for_memory, mishap

TOO_LITTLE = [
    torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB of which 1.06 GiB is "
        "free. Process 4242 has 22.62 GiB memory in use."
    ),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at another call"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("Unable to find a valid cuDNN algorithm to run convolution"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError(
        'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "/pytorch/c10/cuda/CUDACachingAllocator.cpp":1154, please report '
        "a bug to PyTorch."
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("std::bad_alloc"),
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]

LOST = [
    RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously"),
    RuntimeError("CUDA error: misaligned address"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED: an illegal memory access was encountered"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered"),
]

NEITHER = [
    ValueError("a residual sum needs equal shapes"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM"),
    KeyError("memory"),
]


@pytest.mark.parametrize("error", TOO_LITTLE, ids=lambda error: str(error)[:40])
def test_f15_too_little_memory_is_known_by_its_words_and_by_its_type(error: Exception) -> None:
    assert mishap(error) == "out_of_memory"


@pytest.mark.parametrize("error", LOST, ids=lambda error: str(error)[:40])
def test_f17_a_lost_device_is_known_whatever_else_the_message_says(error: Exception) -> None:
    assert mishap(error) == "device_lost"


@pytest.mark.parametrize("error", NEITHER, ids=repr)
def test_f15_f17_nothing_else_is(error: Exception) -> None:
    assert mishap(error) is None


def test_f15_an_error_wrapped_in_another_is_seen() -> None:
    def wrapped(inner: Exception) -> Exception:
        try:
            try:
                raise inner
            except type(inner) as error:
                raise BlockError("stage 1, block 0, given (8, 16, 4, 4): something") from error
        except BlockError as outer:
            return outer

    assert mishap(wrapped(MemoryError())) == "out_of_memory"
    assert mishap(wrapped(ValueError("no"))) is None


def test_f15_what_torch_says_here_when_there_is_too_little() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert mishap(caught.value) == "out_of_memory"


def test_f15_the_kernel_tells_how_many_it_killed_or_nothing() -> None:
    count = killed_for_memory()
    assert count is None or count >= 0
