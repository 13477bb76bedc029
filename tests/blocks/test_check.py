"""What is said of a network before it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from blocks import BlockSpec, InfeasibleSpec, NetworkSpec, Site, preset, register_block
from blocks.block import BLOCKS
from blocks.show import main
from blocks.show.batch import Pulse, Reading, read
from blocks.show.biases import biases_before_norms
from blocks.show.check import check, findings
from tests.blocks.networks import small


class Flawed(nn.Module):
    """A convolution whose bias a norm subtracts again, and a parameter that nothing uses."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.conv = nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1)
        self.norm = nn.BatchNorm2d(site.width)
        self.shift = nn.Conv2d(site.width, site.width, 1)
        self.dead = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        return self.shift(self.norm(self.conv(x))).relu()


class FlawedBlockSpec(BlockSpec):
    kind: Literal["test_flawed"] = "test_flawed"

    def module(self, site: Site) -> nn.Module:
        return Flawed(site)


@pytest.fixture
def flawed() -> Iterator[NetworkSpec]:
    register_block(FlawedBlockSpec)
    yield small("test_flawed", strides=(1,))
    del BLOCKS._specs["test_flawed"]


def fifty_six_layers(shortcut: str) -> NetworkSpec:
    block = {"kind": "basic", "shortcut": shortcut}
    stages = [{"block": block, "depth": 9, "width": width, "stride": 1 + (width > 16)} for width in (16, 32, 64)]
    return NetworkSpec.model_validate({"stages": stages, "head": {"kind": "linear", "num_classes": 10}})


def ratio(reading: Reading) -> float:
    gradients = [pulse.gradient for pulse in reading.pulses[1:-1] if pulse.gradient is not None]
    return gradients[0] / gradients[-1]


def test_gradients_explode_in_a_deep_plain_network_with_batch_norm_and_not_in_a_residual_one() -> None:
    plain, residual = (read(fifty_six_layers(shortcut), (3, 32, 32), 8) for shortcut in ("none", "projection"))
    assert ratio(plain) > 1000
    assert 5 < ratio(residual) < 100
    (said,) = findings(plain, 10)
    assert said.startswith("gradients explode towards the input: the first block's is ")
    assert list(findings(residual, 10)) == []


def test_a_healthy_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet20", "--check"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert [line.split()[0] for line in out.splitlines()[7:12]] == ["stem", "stages.0", "stages.1", "stages.2", "head"]
    assert "equal chances for all classes give ln(10) = 2.3." in out
    assert out.endswith("Nothing looks wrong.\n")


def test_the_same_each_time() -> None:
    before = torch.random.get_rng_state()
    assert read(preset("resnet20"), (3, 16, 16), 4) == read(preset("resnet20"), (3, 16, 16), 4)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 16, 20)])
def test_a_bias_before_a_batch_norm(shape: tuple[int, int, int]) -> None:
    found = biases_before_norms(preset("vgg11_bn"), (3, 224, 224))
    assert len(found) == 8
    assert found[0] == "stages.0.0.conv"
    assert biases_before_norms(small({"kind": "plain", "bias": True}), shape) == [
        "stages.0.0-1.conv",
        "stages.1.0.conv",
        "stages.1.1.conv",
    ]


@pytest.mark.parametrize(
    "name", ["vgg11", "resnet50", "convnext_tiny", "regnet_y_400mf", "efficientnet_b0", "densenet121"]
)
def test_biases_that_have_their_use(name: str) -> None:
    assert biases_before_norms(preset(name), (3, 224, 224)) == []


@pytest.mark.parametrize(
    ("norm", "lost"),
    [
        ("batch", True),
        ({"kind": "group", "groups": 8}, True),
        ({"kind": "group", "groups": 2}, False),
        ("layer", False),
        ("none", False),
    ],
)
def test_only_a_norm_of_single_channels_takes_a_bias_away(norm: Any, lost: bool) -> None:
    spec = small({"kind": "plain", "bias": True, "norm": norm}, strides=(1,))
    assert bool(biases_before_norms(spec, (3, 16, 16))) == lost


def test_such_a_bias_has_no_gradient_and_others_have() -> None:
    """The law behind it, measured."""
    for norm, lost in (("batch", True), ("layer", False)):
        spec = small({"kind": "plain", "bias": True, "norm": norm}, strides=(1,))
        network = spec.build(0).double()
        network(torch.randn(8, 3, 8, 8, dtype=torch.float64)).square().sum().backward()
        gradient = network.get_parameter("stages.0.0.conv.bias").grad
        assert gradient is not None
        assert (gradient.abs().max().item() < 1e-10) == lost


def test_a_block_of_ones_own(flawed: NetworkSpec) -> None:
    text = " ".join(check(flawed, (3, 8, 8), 4).split())
    assert "Wrong: stages.0.0.conv, stages.0.1.conv have biases, and the norm behind them subtracts it again." in text
    assert "Wrong: no gradient reaches stages.0.0.dead, stages.0.1.dead." in text


def test_what_starts_at_zero_is_not_wrong() -> None:
    spec = small({"kind": "basic", "zero_init_residual": True}, strides=(1, 1))
    text = " ".join(check(spec, (3, 8, 8), 4).split())
    assert "parameters get no gradient yet" in text
    assert "Nothing looks wrong." in text


def pulses(*stds: float, gradients: tuple[float | None, ...] = (1, 1)) -> tuple[Pulse, ...]:
    names = ("stem", "stages.0.0", "stages.1.0", "head")
    return tuple(Pulse(*each) for each in zip(names, stds, (1, *gradients, 1), strict=True))


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(2.3, pulses(1, 1, 1, 1), (), (), ()), []),
        (Reading(2.3, pulses(1, 1, 1, 1, gradients=(1e-4, 1)), (), (), ()), ["gradients vanish towards the input"]),
        (Reading(2.3, pulses(1, 1, 1, 1, gradients=(None, None)), (), (), ()), []),
        (Reading(2.3, pulses(1, 9, 1e4, 1), (), (), ()), ["the signal explodes towards the output"]),
        (Reading(2.3, pulses(1, 1e-2, 1e-4, 1), (), (), ()), ["the signal vanishes towards the output"]),
        (Reading(9, pulses(1, 1, 1, 1), (), (), ()), ["the loss starts at 3.91 times ln(classes)"]),
        (Reading(float("nan"), pulses(1, 1, float("inf"), 1), (), (), ()), ["stages.1.0 is not finite"]),
        (Reading(2.3, pulses(1, 1, 1, 1), ("a", "b"), (), ()), ["no gradient reaches a, b"]),
    ],
)
def test_each_thing_has_its_sentence(reading: Reading, said: list[str]) -> None:
    sentences = list(findings(reading, 10))
    assert len(sentences) == len(said)
    assert all(sentence.startswith(start) for sentence, start in zip(sentences, said, strict=True))


def test_one_class_is_nothing_to_learn() -> None:
    spec = small("basic").plain()
    spec["head"]["num_classes"] = 1
    assert "Wrong: a single class leaves nothing to tell apart" in check(NetworkSpec.model_validate(spec), (3, 8, 8), 4)


def test_more_memory_than_there_is() -> None:
    with pytest.raises(InfeasibleSpec, match="GB, and this machine has"):
        check(preset("resnet50"), (3, 224, 224), 10**7)
