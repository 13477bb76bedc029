"""What a seed varies, and what it holds: the streams of a trial."""

from __future__ import annotations

import pytest
import torch

from search.data import Splits
from search.train.batch import Batch
from search.train.chance import HELD, Seeds
from search.train.loop import train
from search.train.step import Step
from search.trial import VARIED
from tests.search.train.specs import network_for, recipe_of

Seen = dict[str, list[bytes]]


@pytest.mark.parametrize("varied", [(), *((name,) for name in VARIED), VARIED])
def test_a_seed_varies_what_is_named_and_nothing_else(
    patterns: Splits, monkeypatch: pytest.MonkeyPatch, varied: tuple[str, ...]
) -> None:
    first, second = (seen(patterns, monkeypatch, Seeds(seed, frozenset(varied))) for seed in (3, 4))
    assert (first["initialisation"] != second["initialisation"]) == ("initialisation" in varied)
    assert (first["order"] != second["order"]) == ("order" in varied)
    assert (first["images"] != second["images"]) == ("order" in varied or "augmentation" in varied)


def test_arms_share_order_and_augmentation_whatever_is_varied(
    patterns: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for varied in [("order",), ("augmentation",), VARIED]:
        small, large = (
            seen(patterns, monkeypatch, Seeds(5, frozenset(varied)), block=block) for block in ("basic", "bottleneck")
        )
        assert small["order"] == large["order"]
        assert small["images"] == large["images"]


def test_a_whole_seed_is_one_that_varies_everything(patterns: Splits) -> None:
    network, recipe = network_for(patterns), recipe_of(augment={"crop": 1, "flip": True})
    whole = train(network, recipe, patterns, 3, keep_weights=True)
    assert train(network, recipe, patterns, Seeds(3, frozenset(VARIED)), keep_weights=True).weights == whole.weights
    held = train(network, recipe, patterns, Seeds(3, frozenset()), keep_weights=True)
    assert held.weights == train(network, recipe, patterns, HELD, keep_weights=True).weights


def seen(patterns: Splits, monkeypatch: pytest.MonkeyPatch, seeds: Seeds, block: str = "basic") -> Seen:
    """Trains for an epoch; returns the initial values, the labels and the images as they came."""
    found: Seen = {"initialisation": [], "order": [], "images": []}
    take = Step.take

    def remember(step: Step, batch: Batch) -> torch.Tensor:
        if not found["initialisation"]:
            found["initialisation"] = [value.numpy().tobytes() for value in step.network.state_dict().values()]
        found["order"].append(batch.labels.numpy().tobytes())
        found["images"].append(batch.images.contiguous().numpy().tobytes())
        return take(step, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Step, "take", remember)
        train(
            network_for(patterns, block=block), recipe_of(epochs=1, augment={"crop": 1, "flip": True}), patterns, seeds
        )
    return found
