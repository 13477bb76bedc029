"""Networks that start pruned, learn from a teacher, or answer in int8: each a field of the recipe, like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from blocks import Metadata, Network, NetworkSpec, prune, save_model
from blocks.errors import WeightsError
from blocks.narrowing import uniform
from search.data import Splits
from search.train import TrainSpec
from search.train.batch import Batch
from search.train.fits import misfit
from search.train.loop import Trial, evaluate, train
from search.train.outcome import unpack
from tests.search.studies import plan
from tests.search.train.specs import network_for, recipe_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(patterns: Splits, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Network]:
    """A trained network, and its file."""
    spec = network_for(patterns, width=8)
    outcome = train(spec, recipe_of(optimizer={"kind": "sgd", "lr": 0.1}), patterns, 0, keep_weights=True)
    assert outcome.weights is not None
    network = spec.build(0)
    from blocks import weights_into

    weights_into(network, outcome.weights)
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    mean, std = patterns.mean, patterns.std
    save_model(path, network, Metadata(labels=patterns.classes, input=(3, 8, 8), mean=mean, std=std))
    return path, network.eval()


def test_zero_epochs_evaluate_what_there_is(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, network = model
    outcome = train(network.spec, recipe_of(epochs=0, init=str(path)), patterns, 0, keep_weights=True)
    (epoch,) = outcome.epochs
    assert epoch.epoch == 0
    assert np.isnan(epoch.train_loss)
    assert outcome.weights is not None
    found = evaluate(network.spec, outcome.weights, patterns.validation, patterns)
    assert found.accuracy == epoch.val_accuracy
    with pytest.raises(ValueError, match="0 epochs train nothing"):
        recipe_of(epochs=0)


@pytest.mark.parametrize("scope", ["uniform", "global"])
def test_a_network_starts_pruned(patterns: Splits, model: tuple[Path, Network], scope: Any) -> None:
    path, network = model
    init = {"file": str(path), "prune": {"fraction": 0.5, "scope": scope}}
    recipe = recipe_of(init=init)
    assert recipe.init is not None
    expected = prune(network, 0.5, scope)
    assert recipe.init.narrowed(network.spec) == expected.spec
    trial = Trial(expected.spec, recipe, patterns, 0, CPU)
    for name, value in trial.network.state_dict().items():
        assert torch.equal(value, expected.state_dict()[name]), name
    wider = misfit(recipe, network.spec, (3, 8, 8))
    assert wider is not None
    assert "of another network" in wider[0]


def test_pruning_is_a_factor_whose_arms_are_narrower_networks(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, network = model
    lines = [
        "name: pruned",
        "data: {kind: synthetic, images: 300, num_classes: 3, image_size: 8}",
        f"network: {network.spec.canonical_json}",
        f"train: {{epochs: 1, batch_size: 32, init: {{file: {path}}}}}",
        "factors: {prune: {levels: {half: {train.init.prune: {fraction: 0.5}}, none: {train.init.prune: {fraction: "
        "0.25}}}}, length: {path: train.epochs, levels: [0]}}",
        "design: {kind: factorial, seeds: 1}",
    ]
    arms = {arm.label: arm for arm in plan(base="\n".join(lines) + "\n").rows}
    half = arms["prune=half, length=0"]
    assert half.configuration.network == uniform(network.spec, 0.5)
    assert half.cost is not None
    assert half.cost.macs < 0.5 * network.spec.cost((3, 8, 8)).macs
    assert len({arm.arm for arm in arms.values()}) == 6


def test_a_students_loss_is_the_papers(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, network = model
    recipe = recipe_of(distill={"teacher": str(path), "temperature": 3, "weight": 0.7})
    trial = Trial(network_for(patterns), recipe, patterns, 0, CPU)
    images, labels = torch.randn(5, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1])
    logits = torch.randn(5, 3)
    with torch.no_grad():
        soft_teacher, soft_student = (network(images) / 3).softmax(1), (logits / 3).softmax(1)
    divergence = (soft_teacher * (soft_teacher / soft_student).log()).sum(1).mean()
    expected = 0.3 * functional.cross_entropy(logits, labels) + 0.7 * 9 * divergence
    torch.testing.assert_close(trial.step.loss(logits, Batch(images, labels)), expected)
    assert trial.step.teacher is not None
    assert not any(parameter.requires_grad for parameter in trial.step.teacher.network.parameters())


def test_a_students_attention_is_drawn_to_its_teachers(patterns: Splits, model: tuple[Path, Network]) -> None:
    """Half the mean squared difference of both attentions, of a student of other widths and fewer stages."""
    path, network = model
    recipe = recipe_of(distill={"teacher": str(path), "weight": 0, "features": {"weight": 50, "stages": [0]}})
    trial = Trial(network_for(patterns, width=4), recipe, patterns, 0, CPU)
    images, labels = torch.randn(5, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1])
    trial.network.train()
    logits = trial.step.forward(images)
    maps = []
    for each in (trial.network, network):
        keep = list(each.stages[0].children())[-1].register_forward_hook(lambda *given: maps.append(given[2]))
        each(images)
        keep.remove()
    attended = [(each**2).mean(1).flatten(1) for each in maps]
    ours, theirs = (each / each.norm(dim=1, keepdim=True) for each in attended)
    assert maps[0].shape[1] != maps[1].shape[1]
    expected = functional.cross_entropy(logits, labels) + 50 * (ours - theirs).pow(2).mean() / 2
    found = trial.step.loss(logits, Batch(images, labels))
    torch.testing.assert_close(found, expected)
    found.backward()
    assert all(parameter.grad is not None for parameter in trial.network.parameters())


def test_attention_is_learned(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, _ = model
    ends = []
    for weight in (1e-9, 300.0):
        features = {"teacher": str(path), "weight": 0, "features": {"weight": weight}}
        trial = Trial(network_for(patterns, width=4), recipe_of(distill=features), patterns, 0, CPU)
        trial.run(keep_weights=False)
        teacher = trial.step.teacher
        assert teacher is not None
        images = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        trial.network.train()
        trial.step.forward(images)
        ends.append(teacher.loss(torch.zeros(()), torch.zeros(64, 3), images).item() / weight)
    assert ends[1] < 0.7 * ends[0]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"stages": [2]}, "the student has no stage 2: it has"),
        ({}, "no stage of the teacher goes with the student's stage 0"),
    ],
)
def test_stages_that_do_not_go_together_are_refused(
    patterns: Splits, model: tuple[Path, Network], features: Any, said: str
) -> None:
    path, network = model
    spec = network.spec.plain()
    spec["stages"] = [spec["stages"][0], *spec["stages"]] if not features else spec["stages"]
    recipe = recipe_of(distill={"teacher": str(path), "features": features})
    found = misfit(recipe, NetworkSpec.model_validate(spec), (3, 8, 8))
    assert found is not None
    assert said in found[0]
    assert found[1] == ("train", "distill", "teacher")
    if features:
        return
    for field in ({"compile": "on"}, {"checkpointing": True}, {"cuda_graphs": True}):
        with pytest.raises(ValueError, match="read off the blocks as they run"):
            recipe_of(distill={"teacher": str(path), "features": {}}, **field)
    with pytest.raises(ValueError, match="nothing is learned from the teacher"):
        recipe_of(distill={"teacher": str(path), "weight": 0})
    with pytest.raises(ValueError, match="a stage is named twice"):
        recipe_of(distill={"teacher": str(path), "features": {"stages": [1, 1]}})
    assert "features" not in recipe_of(distill={"teacher": str(path)}).content()["distill"]


def test_a_teacher_sees_images_normalised_as_its_own_were(patterns: Splits, tmp_path: Path) -> None:
    network = network_for(patterns).build(3).eval()
    metadata = Metadata(labels=patterns.classes, input=(3, 12, 12), mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    save_model(tmp_path / "teacher.safetensors", network, metadata)
    recipe = recipe_of(distill={"teacher": str(tmp_path / "teacher.safetensors")})
    teacher = Trial(network_for(patterns), recipe, patterns, 0, CPU).step.teacher
    assert teacher is not None
    raw = torch.rand(2, 3, 8, 8)
    from blocks.preprocess import Preprocess

    own = Preprocess((8, 8), patterns.mean, patterns.std)(raw)
    theirs = Preprocess((12, 12), metadata.mean, metadata.std)(raw)
    torch.testing.assert_close(teacher.answer(own), network(theirs), rtol=1e-4, atol=1e-5)


def test_a_teacher_of_other_classes_is_refused(patterns: Splits, model: tuple[Path, Network], tmp_path: Path) -> None:
    path, network = model
    recipe = recipe_of(distill={"teacher": str(path)})
    seven = network.spec.replace(head={"kind": "linear", "num_classes": 7})
    found = misfit(recipe, seven, (3, 8, 8))
    assert found == ("the teacher tells apart 3 classes, and the student 7", ("train", "distill", "teacher"))
    metadata = Metadata(labels=("x", "y", "z"), input=(3, 8, 8), mean=(0.5,) * 3, std=(0.2,) * 3)
    save_model(tmp_path / "other.safetensors", network, metadata)
    with pytest.raises(WeightsError, match="other classes, or another order"):
        train(network.spec, recipe_of(distill={"teacher": str(tmp_path / "other.safetensors")}), patterns, 0)


def test_what_was_recorded_before_there_were_these_fields_is_the_same_recipe() -> None:
    flipped = TrainSpec.model_validate({"evaluation": {"flip": True}})
    assert flipped.content()["evaluation"] == {"flip": True}
    assert "distill" not in flipped.content()


@pytest.mark.slow
def test_int8_is_what_is_evaluated_and_float32_what_is_kept(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, network = model
    recipe = recipe_of(epochs=0, init=str(path), evaluation={"int8": True})
    outcome = train(network.spec, recipe, patterns, 0, keep_weights=True)
    plain = train(network.spec, recipe_of(epochs=0, init=str(path)), patterns, 0, keep_weights=True)
    assert outcome.weights == plain.weights
    assert outcome.epochs[0].val_loss != plain.epochs[0].val_loss
    assert abs(outcome.epochs[0].val_accuracy - plain.epochs[0].val_accuracy) < 0.05
    assert outcome.weights is not None
    again = evaluate(network.spec, outcome.weights, patterns.validation, patterns, int8=True)
    assert again.correct == outcome.correct
    assert unpack(again.correct, len(patterns.validation)).mean() == pytest.approx(outcome.epochs[0].val_accuracy)


def test_a_spec_is_never_pruned_twice(patterns: Splits, model: tuple[Path, Network]) -> None:
    path, network = model
    recipe = recipe_of(init={"file": str(path), "prune": {"fraction": 0.5}})
    assert recipe.init is not None
    with pytest.raises(ValueError, match="of another network"):
        recipe.init.narrowed(NetworkSpec.model_validate(uniform(network.spec, 0.5).plain()))
