"""Precision, determinism, recorded and compiled steps on a GPU: ``pytest -m gpu`` where there is one."""

from __future__ import annotations

import copy

import pytest
import torch

from search.data import Splits
from search.mishaps import mishap
from search.train.batch import Batch
from search.train.choose import Question, choose, free_bytes
from search.train.loop import Trial, train
from search.train.settings import trial_settings
from tests.search.studies import plan
from tests.search.train.specs import network_for, recipe_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
GPU = torch.device("cuda")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_low_precision_learns_what_float32_learns(digits: Splits, precision: str) -> None:
    network = network_for(digits, width=16, depth=2)
    full, low = (
        train(network, recipe_of(epochs=4, precision=name), digits, 0, device="cuda") for name in ("float32", precision)
    )
    assert low.epochs[-1].val_accuracy == pytest.approx(full.epochs[-1].val_accuracy, abs=0.03)
    assert low.device == torch.cuda.get_device_name()


def test_deterministic_reruns_give_the_same_bits(digits: Splits) -> None:
    network, recipe = network_for(digits, width=16, depth=2), recipe_of(epochs=2, deterministic=True)
    first, again = (train(network, recipe, digits, 3, device="cuda", keep_weights=True) for _ in range(2))
    assert first.weights == again.weights


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_recorded_steps_give_what_plain_steps_give(digits: Splits, precision: str) -> None:
    network = network_for(digits, width=16, depth=2)
    plain, recorded = (
        train(network, recipe_of(epochs=2, precision=precision, cuda_graphs=on), digits, 0, device="cuda")
        for on in (False, True)
    )
    assert recorded.epochs[-1].val_accuracy == pytest.approx(plain.epochs[-1].val_accuracy, abs=0.03)
    assert recorded.epochs[-1].train_loss == pytest.approx(plain.epochs[-1].train_loss, rel=0.05)


def test_recording_leaves_running_statistics_as_they_were(digits: Splits) -> None:
    with trial_settings(1):
        made = [Trial(network_for(digits), recipe_of(cuda_graphs=on), digits, 0, GPU) for on in (False, True)]
    plain, recorded = (dict(trial.network.named_buffers()) for trial in made)
    assert all(torch.equal(plain[name], recorded[name]) for name in plain)


def test_compiled_steps_learn_what_plain_steps_learn(digits: Splits) -> None:
    network = network_for(digits, width=16, depth=2)
    outcome = train(network, recipe_of(epochs=3, compile="on"), digits, 0, device="cuda")
    plain = train(network, recipe_of(epochs=3), digits, 0, device="cuda")
    assert outcome.epochs[-1].val_accuracy == pytest.approx(plain.epochs[-1].val_accuracy, abs=0.03)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_steps_of_low_precision_do_not_wait_for_the_device(patterns: Splits, precision: str) -> None:
    with trial_settings(1):
        trial = Trial(network_for(patterns), recipe_of(precision=precision), patterns, 0, GPU)
        trial.learn()
        images = torch.randn(32, 3, 8, 8, device="cuda").contiguous(memory_format=torch.channels_last)
        batch = Batch(images, torch.zeros(32, dtype=torch.long, device="cuda"))
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(10):
                trial.step.take(copy.copy(batch))
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_a_real_out_of_memory_error_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2 * torch.cuda.get_device_properties(0).total_memory, dtype=torch.uint8, device="cuda")
    assert mishap(caught.value) == "out_of_memory"


def test_what_is_open_is_measured_there() -> None:
    network, recipe = plan().baseline.configuration.network, recipe_of(precision="auto", micro_batch="auto")
    found = choose(network, recipe, Question((1, 8, 8), 10, 10**6, 10**6, 1), GPU, plan().limits)
    assert found["chosen"]["precision"] in {"float32", "bfloat16", "float16"}
    assert found["chosen"]["micro_batch"] == 32
    assert 0 < found["free_bytes"] <= free_bytes(GPU) + 2**30
