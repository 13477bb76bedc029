"""The same loop on a GPU: run with ``pytest -m gpu`` where there is one."""

from __future__ import annotations

import pytest
import torch

from search.data import Splits
from search.train.augment import apply, draw
from search.train.augmentations import Augment
from search.train.batch import Batch
from search.train.chance import stream
from search.train.loop import Trial, evaluate, train
from search.train.settings import trial_settings
from tests.search.train.specs import network_for, recipe_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def test_it_learns_what_the_cpu_learns(digits: Splits) -> None:
    network, recipe = network_for(digits, width=16, depth=2), recipe_of(epochs=6, batch_size=64)
    outcome = train(network, recipe, digits, 0, device="cuda", keep_weights=True)
    assert outcome.epochs[-1].val_accuracy > 0.85
    assert outcome.peak_memory is not None
    assert outcome.peak_memory > digits.train.pixels.nbytes
    assert outcome.weights is not None
    on_cpu = evaluate(network, outcome.weights, digits.validation, digits)
    assert on_cpu.accuracy == pytest.approx(outcome.epochs[-1].val_accuracy, abs=0.01)


def test_crops_and_flips_are_those_of_the_cpu() -> None:
    augment, images = Augment(crop=4, flip=True), torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8)
    drawn = draw(augment, 64, stream(0, "augmentation"))
    there = apply(augment, images.cuda(), drawn.part(0, 64, torch.device("cuda")))
    assert torch.equal(there.cpu(), apply(augment, images, drawn))


def test_steps_do_not_wait_for_the_device(patterns: Splits) -> None:
    recipe = recipe_of(augment={"crop": 1, "flip": True})
    with trial_settings(1):
        trial = Trial(network_for(patterns), recipe, patterns, 0, torch.device("cuda"))
        trial.learn()
        images = torch.randn(32, 3, 8, 8, device="cuda").contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(32, dtype=torch.long, device="cuda")
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(20):
                trial.step.take(Batch(images, labels))
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_divergence_is_noticed(patterns: Splits) -> None:
    wild = recipe_of(epochs=3, schedule="constant", optimizer={"kind": "sgd", "lr": 1e30})
    outcome = train(network_for(patterns), wild, patterns, 0, device="cuda")
    assert outcome.status == "diverged"
    assert outcome.epochs == ()
