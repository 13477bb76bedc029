"""The same loop on a GPU: run with ``pytest -m gpu`` where there is one."""

from __future__ import annotations

import pytest
import torch

from search.data import Splits
from search.train.augment import apply, draw
from search.train.augmentation import Augmentation
from search.train.augmentations import Augment
from search.train.batch import Batch
from search.train.chance import stream
from search.train.feed import Feed
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


EVERYTHING = {
    "crop": 2, "flip": "alternating", "policy": "rand_augment", "color_jitter": {"brightness": 0.4, "hue": 0.1},
    "erasing": {"probability": 0.5}, "cutout": 3, "mixup": 0.4, "cutmix": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", EVERYTHING)
def test_augmentations_are_those_of_the_cpu(name: str, patterns: Splits) -> None:
    spec = Augment.model_validate({name: EVERYTHING[name]})
    batches = []
    for device in (torch.device("cpu"), torch.device("cuda")):
        feed = Feed.of(patterns.train, patterns, device)
        draws = Augmentation(spec, 0, len(feed.labels), (8, 8)).epoch(torch.arange(128), 32)
        batches.append(draws.batch(feed.pixels[:128], feed.labels[:128], feed.normalised, 0, 128))
    here, there = batches
    off = (here.images - there.images.cpu()).abs() > 0.03  # two steps of 255: a sum that is rounded the other way
    assert off.float().mean() < 0.002
    if here.shares is not None:
        assert torch.equal(here.shares, there.shares.cpu())


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": {"kind": "muon", "lr": 0.02}},
        {"optimizer": "rmsprop", "clip_norm": 1.0},
        {"ema": {"decay": 0.9}, "accumulation": 2, "evaluation": {"flip": True}},
        {"precision": "float16", "clip_norm": 1.0, "clip_value": 0.5},
        {"augment": EVERYTHING},
    ],
)
def test_every_piece_of_a_recipe_learns(fields: dict[str, object], digits: Splits) -> None:
    augment = fields.get("augment")
    if isinstance(augment, dict):  # digits are grey
        fields = {"augment": {**augment, "color_jitter": {"brightness": 0.4}, "crop": 1, "cutout": 2, "flip": False}}
    recipe = recipe_of(epochs=4, batch_size=64, **fields)
    outcome = train(network_for(digits, width=16), recipe, digits, 0, device="cuda")
    assert outcome.status == "completed"
    assert outcome.epochs[-1].val_accuracy > (0.3 if "augment" in fields else 0.6)
