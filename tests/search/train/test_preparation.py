"""What a network starts from, and what of it stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from blocks import Metadata, Network, NetworkSpec, save_model
from blocks.errors import WeightsError
from search.data import Splits
from search.train import TrainSpec
from search.train.fits import misfit
from search.train.initial import Initial
from search.train.loop import Trial, train
from tests.search.train.specs import network_for, recipe_of

CPU = torch.device("cpu")


def trained_state(
    patterns: Splits, network: NetworkSpec | None = None, **fields: Any
) -> tuple[dict[str, Tensor], Trial]:
    """Trains; returns the tensors from before, and the trial."""
    trial = Trial(network or network_for(patterns, depth=2), recipe_of(**fields), patterns, 0, CPU)
    before = {name: value.clone() for name, value in trial.network.state_dict().items()}
    trial.run(keep_weights=False)
    return before, trial


def moved(before: dict[str, Tensor], trial: Trial) -> set[str]:
    after = trial.network.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def norm_tensors(network: nn.Module, *kinds: str) -> set[str]:
    norms = [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]
    return {f"{norm}.{kind}" for norm in norms for kind in kinds}


AFFINE, STATISTICS = ("weight", "bias"), ("running_mean", "running_var", "num_batches_tracked")


@pytest.mark.parametrize(
    ("asked", "still"),
    [("none", ()), ("statistics", STATISTICS), ("affine", AFFINE), ("both", (*STATISTICS, *AFFINE))],
)
def test_frozen_batch_norms_keep_what_they_are_to_keep_and_nothing_else(
    patterns: Splits, asked: str, still: tuple[str, ...]
) -> None:
    before, trial = trained_state(patterns, freeze_batch_norm=asked)
    assert set(before) - moved(before, trial) == norm_tensors(trial.network, *still)


def test_frozen_statistics_are_used_in_training_and_survive_train(patterns: Splits) -> None:
    _, trial = trained_state(patterns, freeze_batch_norm="statistics", epochs=1)
    trial.network.train()
    images = torch.randn(4, 3, 8, 8)
    both = trial.network(images)
    assert torch.allclose(trial.network(images[:1]), both[:1], atol=1e-5)  # no image sees another
    assert trial.network.training


def test_a_frozen_part_stays_whole(patterns: Splits) -> None:
    spec = network_for(patterns).plain()
    spec["stages"] = [{"block": "basic", "depth": 1, "width": width} for width in (4, 8)]
    before, trial = trained_state(patterns, NetworkSpec.model_validate(spec), freeze=["stem", 0])
    still = {name for name in before if name.startswith(("stem.", "stages.0."))}
    assert set(before) - moved(before, trial) == still
    assert norm_tensors(trial.network, "running_mean") & still


@pytest.fixture
def winner(patterns: Splits, tmp_path: Path) -> tuple[Path, Network]:
    network = network_for(patterns, depth=2).build(seed=5)
    for buffer in network.buffers():
        buffer.data.fill_(3)
    metadata = Metadata(labels=patterns.classes, input=(3, 8, 8), mean=(0.5,) * 3, std=(0.2,) * 3)
    path = tmp_path / "winner.safetensors"
    save_model(path, network, metadata)
    return path, network


def test_training_starts_from_a_winner(patterns: Splits, winner: tuple[Path, Network]) -> None:
    path, network = winner
    trial = Trial(network_for(patterns, depth=2), recipe_of(init=str(path)), patterns, 0, CPU)
    for name, value in trial.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name


def test_a_head_of_other_classes_begins_anew(patterns: Splits, winner: tuple[Path, Network], tmp_path: Path) -> None:
    path, network = winner
    spec = network_for(patterns, depth=2).plain()
    spec["head"]["num_classes"] = 7
    more = NetworkSpec.model_validate(spec)
    others = Splits(patterns.train, patterns.validation, patterns.test, patterns.mean, patterns.std, tuple("abc"), "")
    chance = network_for(patterns, depth=2).build(seed=0).state_dict()
    for trial, expected in (
        (Trial(more, recipe_of(init=str(path)), patterns, 0, CPU), more.build(seed=0).state_dict()),
        (Trial(network_for(patterns, depth=2), recipe_of(init=str(path)), others, 0, CPU), chance),
    ):
        for name, value in trial.network.state_dict().items():
            source = expected if name.startswith("head.") else network.state_dict()
            assert torch.equal(value, source[name]), name


def test_weights_of_another_network_are_refused_with_what_differs(
    patterns: Splits, winner: tuple[Path, Network]
) -> None:
    recipe = recipe_of(init=str(winner[0]))
    other = network_for(patterns, depth=2, block={"kind": "basic", "activation": "gelu"})
    found = misfit(recipe, other, (3, 8, 8))
    assert found is not None
    assert "stages[0].block.activation.kind is relu, here it is gelu" in found[0]
    assert found[1] == ("train", "init")
    assert misfit(recipe, network_for(patterns, depth=2), (3, 8, 8)) is None
    with pytest.raises(WeightsError, match="of another network"):
        train(other, recipe, patterns, 0)


@pytest.mark.parametrize("prune", [None, {"fraction": 0.5}])
def test_group_norms_take_the_place_of_batch_norms(patterns: Splits, winner: tuple[Path, Network], prune: Any) -> None:
    """Convolutions, scales and shifts are the trained ones; running statistics are left behind, and that is told."""
    path, network = winner
    norm = {"kind": "group", "channels_per_group": 2}
    recipe = recipe_of(init={"file": str(path), "norm": norm, "prune": prune}, batch_size=2)
    assert recipe.init is not None
    spec = recipe.init.narrowed(network.spec)
    assert "BatchNorm(" not in spec.structure
    assert spec.stages[0].block.plain()["norm"] == {**norm, "groups": None, "epsilon": 1e-5}
    trial = Trial(spec, recipe, patterns, 0, CPU)
    kept = trained_of(network, prune)
    state = trial.network.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in state.items())
    assert not any("running" in name for name in state)
    told = trial.run(keep_weights=False).plain()["first_weights"]
    assert told["taken"] == sum(value.numel() for value in state.values())
    assert told["anew"] == []
    assert told["left"] == sorted(norm_tensors(network, *STATISTICS))
    assert misfit(recipe, network.spec, (3, 8, 8)) is not None  # the arm's network is the one with other norms
    with pytest.raises(ValueError, match=r"its stem\.(norm\.\w+|width) is .*, here it is"):
        recipe.init.narrowed(spec)  # it has them already


def trained_of(network: Network, prune: Any) -> dict[str, Tensor]:
    from blocks import prune as pruned

    return network.state_dict() if prune is None else pruned(network, prune["fraction"]).state_dict()


def test_a_network_without_batch_norms_has_none_to_replace(patterns: Splits, tmp_path: Path) -> None:
    spec = network_for(patterns, block={"kind": "basic", "norm": "group"}).plain()
    spec["stem"]["norm"] = "layer"
    network = NetworkSpec.model_validate(spec)
    save_model(tmp_path / "w.safetensors", network.build(0), Metadata(input=(3, 8, 8), mean=(0.5,) * 3, std=(0.2,) * 3))
    initial = Initial.model_validate({"file": str(tmp_path / "w.safetensors"), "norm": "group"})
    with pytest.raises(ValueError, match="there is no batch norm that a group norm could take the place of"):
        initial.narrowed(network)
    assert "norm" not in Initial.model_validate({"file": str(tmp_path / "w.safetensors")}).content()


def test_a_file_is_told_by_its_content_not_its_place(winner: tuple[Path, Network], tmp_path: Path) -> None:
    path, network = winner
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = elsewhere / "other.safetensors"
    moved.write_bytes(path.read_bytes())
    first, second = (TrainSpec.model_validate({"init": str(each)}) for each in (path, moved))
    assert first.plain() != second.plain()
    assert first.content() == second.content()
    network.head.requires_grad_(True)
    next(network.parameters()).data.add_(1)
    save_model(moved, network, Metadata(input=(3, 8, 8), mean=(0.5,) * 3, std=(0.2,) * 3))
    assert TrainSpec.model_validate({"init": str(moved)}).content() != first.content()
    with pytest.raises(ValueError, match="not the file that it was"):
        TrainSpec.model_validate(second.plain())


def test_what_is_not_there_or_no_model_is_said(patterns: Splits, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run the study that writes it first"):
        TrainSpec.model_validate({"init": str(tmp_path / "missing.safetensors")})
    empty = tmp_path / "empty.safetensors"
    empty.write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    wrong = Initial(file=str(empty)).unfit(network_for(patterns))
    assert wrong is not None
    assert "without a network's spec inside" in wrong
    with pytest.raises(ValueError, match="from a 'file', or from a 'preset'"):
        TrainSpec.model_validate({"init": {"preset": "resnet18"}})


def test_a_presets_weights_fit_the_preset_whatever_its_head() -> None:
    initial = Initial(preset="resnet18", weights="torchvision:IMAGENET1K_V1")
    ten = NetworkSpec.model_validate({"preset": "resnet18", "head": {"kind": "linear", "num_classes": 10}})
    assert initial.unfit(ten) is None
    assert initial.unfit(NetworkSpec.model_validate({"preset": "resnet34"})) is not None


def test_a_stage_that_is_not_there_cannot_be_frozen(patterns: Splits) -> None:
    found = misfit(recipe_of(freeze=[0, 3]), network_for(patterns), (3, 8, 8))
    assert found is not None
    assert "no stage 3" in found[0]


def test_one_value_a_channel_is_refused_with_a_sentence(patterns: Splits) -> None:
    spec = network_for(patterns).plain()
    spec["stages"] = [{"block": "basic", "depth": 1, "width": 4, "stride": 8}]
    small = NetworkSpec.model_validate(spec)
    for fields in ({"batch_size": 1}, {"batch_size": 4, "accumulation": 4}, {"batch_size": 5, "micro_batch": 2}):
        found = misfit(recipe_of(**fields), small, (3, 8, 8))
        assert found is not None
        assert "a single value a channel" in found[0]
        with pytest.raises(Exception, match="more than 1 value per channel"):  # it is what torch refuses
            train(small, recipe_of(**fields), patterns, 0)
    for fields in ({"batch_size": 2}, {"batch_size": 1, "freeze_batch_norm": "statistics"}):
        assert misfit(recipe_of(**fields), small, (3, 8, 8)) is None
    train(small, recipe_of(batch_size=64, accumulation=32, epochs=1), patterns, 0)
    assert misfit(recipe_of(batch_size=1), network_for(patterns), (3, 8, 8)) is None


def test_colours_that_are_not_there_are_refused(patterns: Splits) -> None:
    for name in ("hue", "saturation"):
        found = misfit(recipe_of(augment={"color_jitter": {name: 0.1}}), network_for(patterns), (1, 8, 8))
        assert found is not None
        assert f"{name} does nothing" in found[0]
    assert misfit(recipe_of(augment={"policy": "rand_augment"}), network_for(patterns), (2, 8, 8)) is not None
