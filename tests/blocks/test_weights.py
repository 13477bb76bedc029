from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch
import torchvision
from pydantic import ValidationError

from blocks import (
    Metadata,
    Network,
    NetworkSpec,
    WeightsError,
    dump_weights,
    load_model,
    load_torchvision,
    preset,
    save_model,
    weights_into,
)
from blocks.base import canonical_json
from blocks.tensors import hash_tensors
from tests.blocks.networks import small

METADATA = Metadata(
    labels=("a", "b", "c", "d", "é"),
    input=(3, 8, 8),
    mean=(0.5, 0.25, 0),
    std=(1, 0.5, 0.25),
    metrics={"val_accuracy": 0.98, "epochs": 10},
    provenance={"study": "tests", "seed": 1002},
)


def trained() -> Network:
    """A network whose batch norms have seen something."""
    network = small({"kind": "bottleneck", "attention": "se"}).build(0)
    network(torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    return network.eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "ein Modell.safetensors"
    save_model(path, trained(), METADATA)
    return path


def test_a_model_comes_back_whole(saved: Path) -> None:
    network, x = load_model(saved), torch.randn(4, 3, 8, 8)
    assert torch.equal(network(x), trained()(x))
    assert network.spec == trained().spec
    assert (network.labels, network.metrics) == (METADATA.labels, METADATA.metrics)
    assert network.provenance == METADATA.provenance
    assert not network.training
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]  # nothing beside it
    assert set(network.state_dict()) == set(trained().state_dict())


def test_loading_leaves_the_global_generator_alone(saved: Path) -> None:
    before = torch.get_rng_state()
    load_model(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_preprocessing_travels_too(saved: Path) -> None:
    preprocess = load_model(saved).preprocess
    white = torch.full((2, 3, 8, 8), 255, dtype=torch.uint8)
    expected = torch.tensor([0.5, 1.5, 4.0]).reshape(1, 3, 1, 1).expand(2, 3, 8, 8)
    torch.testing.assert_close(preprocess(white), expected)
    torch.testing.assert_close(preprocess(torch.ones(2, 3, 8, 8)), expected)
    assert preprocess(torch.ones(1, 3, 20, 11)).shape == (1, 3, 8, 8)
    for wrong in (torch.ones(3, 8, 8), torch.ones(1, 1, 8, 8), torch.ones(1, 3, 8, 8, dtype=torch.int64)):
        with pytest.raises(ValueError, match="expected"):
            preprocess(wrong)


def test_preprocessing_takes_numpy_arrays(saved: Path) -> None:
    preprocess = load_model(saved).preprocess
    pixels = numpy.random.default_rng(0).integers(0, 256, (2, 3, 8, 8), numpy.uint8)
    expected = preprocess(torch.from_numpy(pixels))
    read_only = pixels.copy()
    read_only.flags.writeable = False
    backwards = pixels[..., ::-1].copy()[..., ::-1]
    for same in (pixels, read_only, backwards):
        assert torch.equal(preprocess(same), expected)
    for floats in (pixels / 255, (pixels / 255).astype(">f4")):
        torch.testing.assert_close(preprocess(floats), expected)  # float32, as the network's weights


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        (numpy.zeros((3, 8, 8), numpy.uint8), ValueError, r"images of N 3 H W, not \(3, 8, 8\)"),
        (numpy.zeros((2, 8, 8, 3), numpy.uint8), ValueError, r"images of N 3 H W, not \(2, 8, 8, 3\)"),
        (numpy.zeros((2, 3, 8, 8), numpy.int64), ValueError, "uint8 in 0..255 or floats in 0..1, not int64"),
        (numpy.zeros((2, 3, 8, 8), object), ValueError, "uint8 in 0..255 or floats in 0..1, not object"),
        (numpy.full((1, 3, 8, 8), 255.0), ValueError, r"floats in 0..1, and these go from 255 to 255: divide 0..255"),
        (numpy.full((1, 3, 8, 8), -0.5), ValueError, "clamp what resizing has put beyond the ends"),
        (numpy.full((1, 3, 8, 8), numpy.nan), ValueError, "floats in 0..1, and these go from nan to nan"),
        (torch.full((1, 3, 8, 8), torch.inf), ValueError, "floats in 0..1, and these go from inf to inf"),
        ([[1, 2]], TypeError, "a tensor or a numpy array of N C H W, not list"),
        (None, TypeError, "a tensor or a numpy array of N C H W, not NoneType"),
    ],
)
def test_preprocessing_takes_nothing_else(saved: Path, images: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        load_model(saved).preprocess(images)


def rewritten(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], None]) -> Path:
    """Writes a file again with its tensors and metadata changed, the hash left as it was."""
    with safetensors.safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    tensors = safetensors.torch.load_file(path)
    change(tensors, metadata)
    safetensors.torch.save_file(tensors, path, metadata)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors, texts: texts.pop("spec"), "without a network's spec inside"),
        (lambda tensors, texts: texts.update(schema="2"), "its schema is 2, newer than the 1"),
        (lambda tensors, texts: texts.update(schema="0"), "its schema is '0', which none ever was: it should be the 1"),
        (lambda tensors, texts: texts.update(schema="banana"), "its schema is 'banana', which none ever was"),
        (lambda tensors, texts: texts.update(labels="[]"), "damaged: tensors and metadata don't match"),
        (lambda tensors, texts: texts.update(sha256="0" * 64), "damaged: tensors and metadata don't match"),
        (lambda tensors, texts: tensors["head.linear.bias"].add_(1e-3), "damaged: tensors and metadata don't match"),
        (lambda tensors, texts: tensors.pop("head.linear.bias"), "damaged: tensors and metadata don't match"),
    ],
)
def test_files_that_are_not_ours_or_no_longer(saved: Path, change: Any, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        load_model(rewritten(saved, change))


def test_every_flipped_bit_is_noticed(saved: Path) -> None:
    whole, draw = saved.read_bytes(), random.Random(0)
    header = int.from_bytes(whole[:8], "little")
    places = [draw.randrange(8, 8 + header) for _ in range(60)] + [draw.randrange(len(whole)) for _ in range(60)]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        saved.write_bytes(flipped)
        with pytest.raises(WeightsError, match="ein Modell"):
            load_model(saved)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.999])
def test_a_cut_file(saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_model(saved)


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(trained().state_dict(), path)
    with pytest.raises(WeightsError, match=r"not a whole safetensors file.*no other format is read"):
        load_model(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors: can't be read: No such file"):
        load_model(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="that is a folder"):
        load_model(tmp_path)


def forged(path: Path, spec: NetworkSpec, tensors: dict[str, torch.Tensor]) -> Path:
    """Writes a file with a right hash whose spec is that of another network."""

    class Impostor(Network):
        def state_dict(self, *args: Any, **kwargs: Any) -> Any:
            return tensors

    network = Impostor(spec)
    save_model(path, network, METADATA)
    return path


def test_a_spec_that_does_not_fit_names_the_first_differences(tmp_path: Path) -> None:
    tensors = dict(small("basic").build(0).state_dict())
    spec = small({"kind": "bottleneck", "expansion": 1, "groups": 4})
    with pytest.raises(WeightsError) as error:
        load_model(forged(tmp_path / "m.safetensors", spec, tensors))
    said = str(error.value)
    assert "stages.0.0.branch.conv1.weight is 8x8x3x3 (float32) and should be 8x8x1x1 (float32)" in said
    assert "stages.0.0.branch.conv3.weight is missing" in said
    assert said.count("\n") == 6
    assert "more)" in said


def test_a_spec_that_is_larger_than_its_file_is_not_built(tmp_path: Path) -> None:
    tensors = dict(small("basic").build(0).state_dict())
    with pytest.raises(WeightsError, match=r"doesn't fit the weights: .* more than the limit"):
        load_model(forged(tmp_path / "m.safetensors", small("bottleneck"), tensors))


def test_metadata_that_belong_to_another_network(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(WeightsError, match="2 labels, but the network has 5 classes"):
        save_model(path, trained(), METADATA.replace(labels=("a", "b")))
    with pytest.raises(WeightsError, match="an input of 1 channels, but the network takes 3"):
        save_model(path, trained(), Metadata(input=(1, 8, 8), mean=(0,), std=(1,)))
    with pytest.raises(ValueError, match="mean and std need 3 values"):
        Metadata(input=(3, 8, 8), mean=(0,), std=(1,))
    assert not path.exists()


def test_the_metadata_are_plain_json(saved: Path) -> None:
    with safetensors.safe_open(saved, "pt") as file:
        texts = file.metadata()
    assert NetworkSpec.model_validate_json(texts["spec"]) == trained().spec
    assert json.loads(texts["labels"]) == ["a", "b", "c", "d", "é"]


def test_weights_as_bytes() -> None:
    network = small("basic").build(1)
    weights_into(network, dump_weights(small("basic").build(2)))
    assert dump_weights(network) == dump_weights(small("basic").build(2))


def test_bytes_that_do_not_fit_change_nothing() -> None:
    network = small("basic").build(1)
    before = dump_weights(network)
    tensors = safetensors.torch.load(dump_weights(small("basic").build(2)))
    del tensors["head.linear.bias"]
    for raw in (safetensors.torch.save(tensors), before[:-1], b""):
        with pytest.raises(WeightsError):
            weights_into(network, raw)
        assert dump_weights(network) == before


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_torchvisions_weights_give_torchvisions_logits(name: str) -> None:
    theirs = torchvision.models.get_model(name).eval()
    generator = torch.Generator().manual_seed(0)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    ours = preset(name).build(0).eval()
    load_torchvision(ours, theirs.state_dict())
    x = torch.randn(2, 3, 64, 64, generator=generator)
    with torch.no_grad():
        logits, expected = ours(x), theirs(x)
    assert ((logits - expected).norm() / expected.norm()).item() <= 1e-5


def test_torchvisions_weights_of_another_network() -> None:
    network = preset("resnet34").build(0)
    before = dump_weights(network)
    with pytest.raises(WeightsError, match="torchvision's weights don't fit the network"):
        load_torchvision(network, torchvision.models.resnet18().state_dict())
    assert dump_weights(network) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"provenance": {"plugins": 3}}, "provenance: plugins should be names with their SHA-256, not '3'"),
        ({"provenance": {"plugins": {"mine.py": None}}}, "plugins should be names with their SHA-256"),
        ({"provenance": {"train": "fast"}}, "provenance: train should be a mapping, not 'fast'"),
        ({"provenance": {"label": 3}}, "provenance: label should be a text, not '3'"),
        ({"metrics": {"test_accuracy": "high"}}, "metrics: test_accuracy should be a number, not 'high'"),
        ({"metrics": {"test_accuracy_interval": [0.1]}}, "test_accuracy_interval should be two numbers"),
    ],
)
def test_what_is_read_of_metadata_has_its_kind(saved: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.split(": ")[-1]):
        Metadata(input=(3, 8, 8), mean=(0.5,) * 3, std=(0.25,) * 3, **given)
    ((name, value),) = given.items()

    def odd(tensors: dict[str, torch.Tensor], texts: dict[str, str]) -> None:
        texts[name] = json.dumps(value)
        texts["sha256"] = hash_tensors(tensors, canonical_json({k: v for k, v in texts.items() if k != "sha256"}))

    with pytest.raises(WeightsError) as told:
        load_model(rewritten(saved, odd))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_folder_is_told_from_the_model_in_it(saved: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"that is a folder; and no winner\.safetensors or model\.safetensors is in it"
    ):
        load_model(saved.parent)
    saved.rename(saved.with_name("winner.safetensors"))
    with pytest.raises(WeightsError, match=r"the model is a file in it: .*winner\.safetensors$"):
        load_model(saved.parent)
