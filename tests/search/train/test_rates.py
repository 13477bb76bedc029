"""The linear scaling rule: lr: {base: 0.1, per: 256}."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from search.train import TrainSpec
from search.train.optimizers import OPTIMIZERS
from tests.search.studies import BASE, plan

RULE = {"base": 0.1, "per": 256}


@pytest.mark.parametrize("kind", OPTIMIZERS.kinds())
def test_the_rate_follows_the_batch(kind: str) -> None:
    for batch_size in (64, 256, 1024):
        recipe = TrainSpec.model_validate({"batch_size": batch_size, "optimizer": {"kind": kind, "lr": RULE}})
        assert recipe.optimizer.rate == pytest.approx(0.1 * batch_size / 256)
        assert recipe.plain()["optimizer"]["lr"]["resolved"] == pytest.approx(0.1 * batch_size / 256)
        assert TrainSpec.model_validate(recipe.plain()) == recipe


def test_it_is_resolved_anew_when_the_batch_changes() -> None:
    recipe = TrainSpec.model_validate({"batch_size": 64, "optimizer": {"kind": "sgd", "lr": RULE}})
    assert recipe.replace(batch_size=128).optimizer.rate == pytest.approx(0.05)
    assert TrainSpec.model_validate({"optimizer": recipe.optimizer}).optimizer.rate == pytest.approx(0.05)


def test_the_whole_batch_counts_not_its_parts() -> None:
    given = {"batch_size": 512, "accumulation": 4, "optimizer": {"kind": "sgd", "lr": RULE}}
    assert TrainSpec.model_validate(given).optimizer.rate == pytest.approx(0.2)


def test_the_rest_of_an_optimizer_has_a_rule_of_its_own() -> None:
    optimizer = {"kind": "muon", "rest": {"kind": "adamw", "lr": {"base": 0.001, "per": 128}}}
    recipe = TrainSpec.model_validate({"batch_size": 64, "optimizer": optimizer})
    assert recipe.optimizer.rate == 0.02
    assert recipe.optimizer.rest.rate == pytest.approx(0.0005)  # type: ignore[attr-defined]


def test_a_rule_and_the_number_that_it_gives_are_one_recipe() -> None:
    ruled = TrainSpec.model_validate({"batch_size": 128, "optimizer": {"kind": "sgd", "lr": RULE}})
    plain = TrainSpec.model_validate({"batch_size": 128, "optimizer": {"kind": "sgd", "lr": 0.05}})
    assert ruled.content() == plain.content()


@pytest.mark.parametrize("wrong", [0, True, "0.1", {"base": -1}, {"per": 256}, {"base": 0.1, "to": 2}, [0.1]])
def test_nonsense_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        TrainSpec.model_validate({"optimizer": {"kind": "sgd", "lr": wrong}})


@pytest.mark.parametrize("wrong", [{"base": 0.1, "per": 0}, {"base": 0.1, "to": 2}])
def test_a_wrong_rule_is_told_where_it_stands(wrong: object) -> None:
    with pytest.raises(ValidationError) as raised:
        TrainSpec.model_validate({"optimizer": {"kind": "sgd", "lr": wrong}})
    assert {error["loc"][:2] for error in raised.value.errors()} == {("optimizer", "lr")}


def test_outside_of_a_recipe_a_rule_says_that_it_lacks_a_batch() -> None:
    with pytest.raises(ValueError, match="it takes a recipe"):
        _ = OPTIMIZERS.parse({"kind": "sgd", "lr": RULE}).rate


def test_batch_size_and_the_rule_are_factors() -> None:
    base = BASE.replace("lr: 0.1", "lr: {base: 0.2, per: 64}")
    factors = (
        "factors:",
        "  batch: {path: train.batch_size, levels: [8, 32]}",
        "  lr: {path: train.optimizer.lr.base, levels: [0.4]}",
        "  number: {path: train.optimizer.lr, levels: [0.3]}",
    )
    rows = plan(*factors, "design: {kind: one_at_a_time, seeds: 1}", base=base).rows
    rates = {arm.label: arm.configuration.train.optimizer.rate for arm in rows}
    assert rates == pytest.approx(
        {"baseline": 0.05, "batch=8": 0.025, "batch=32": 0.1, "lr=0.4": 0.1, "number=0.3": 0.3}
    )
