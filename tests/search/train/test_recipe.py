from __future__ import annotations

import subprocess
import sys

import pytest

from blocks.base import identity
from search.resume import StudyChanged, check_resumable
from search.train import TrainSpec
from search.train.optimizers import OPTIMIZERS
from search.train.schedules import SCHEDULES, RisingScheduleSpec
from tests.search.studies import study

DESIGN = "design: {kind: train, seeds: 1}"


@pytest.mark.parametrize("optimizer", OPTIMIZERS.kinds())
@pytest.mark.parametrize("schedule", SCHEDULES.kinds())
def test_a_recipe_survives_a_round_trip(optimizer: str, schedule: str) -> None:
    rising = issubclass(SCHEDULES.kinds()[schedule], RisingScheduleSpec)
    warmup = {} if rising else {"warmup_epochs": 1}
    given = {"optimizer": optimizer, "schedule": {"kind": schedule, **warmup}, "epochs": 20}
    recipe = TrainSpec.model_validate(given)
    assert TrainSpec.model_validate(recipe.plain()) == recipe
    assert TrainSpec.model_validate_json(recipe.canonical_json) == recipe


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": 0},
        {"batch_size": 1.5},
        {"label_smoothing": 1},
        {"threads": True},
        {"optimizer": {"kind": "sgd", "lr": 0}},
        {"optimizer": {"kind": "sgd", "momentum": 1}},
        {"schedule": {"kind": "step", "at": [1.5]}},
        {"augment": {"crop": -1}},
        {"learning_rate": 0.1},
    ],
)
def test_nonsense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        TrainSpec.model_validate(fields)


def test_recipes_need_no_torch() -> None:
    code = (
        "import sys; from search.train import TrainSpec; "
        "TrainSpec.model_validate({'optimizer': 'adamw', 'schedule': 'step'}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_was_added_since_changes_no_identity() -> None:
    """Arms of runs that were begun before there were these fields; the hashes are of that time."""
    assert identity(TrainSpec().content()) == "8653b3d0cc9e"
    for fields in (
        {"accumulation": 2},
        {"augment": {"policy": "rand_augment"}},
        {"augment": {"flip": "alternating"}},
        {"schedule": {"kind": "cosine", "warmup_epochs": 1, "warmup_start": 0.5}},
        {"clip_norm": 1},
        {"ema": {"decay": 0.9}},
        {"freeze": ["stem"]},
        {"evaluation": {"flip": True}},
    ):
        assert identity(TrainSpec.model_validate(fields).content()) != "8653b3d0cc9e", fields


def test_fields_at_their_defaults_are_no_difference_to_an_earlier_study() -> None:
    before = study(DESIGN).spec.plain()
    earlier = {**before, "train": {name: before["train"][name] for name in ("epochs", "batch_size", "optimizer")}}
    check_resumable(earlier, before)
    changed = {**before, "train": {**before["train"], "clip_norm": 1}}
    with pytest.raises(StudyChanged, match=r"train\.clip_norm: was not there, is now 1"):
        check_resumable(earlier, changed)
