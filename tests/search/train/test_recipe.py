from __future__ import annotations

import subprocess
import sys

import pytest

from search.train import TrainSpec
from search.train.optimizers import OPTIMIZERS
from search.train.schedules import SCHEDULES, RisingScheduleSpec


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
