"""Equal-cost twins: near the wanted cost, in proportion, and honest when there is none."""

from __future__ import annotations

import pytest

from blocks import NetworkSpec, preset
from search.designs.base import MatchSpec
from search.match import MAX_RATIO_MOVE, Unmatched, match, matched_cost

INPUT = (3, 32, 32)

PRESETS = [
    "resnet20",
    "regnet_x_400mf",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("resnet18", "resnext50_32x4d", "wide_resnet50_2", "densenet121", "vgg11_bn")
    ),
]
"""One of each way in which stages are made, as far as 32 pixels are enough for them."""


def with_expansion(network: NetworkSpec, expansion: float) -> NetworkSpec:
    plain = network.plain()
    for stage in plain["stages"]:
        stage["block"] = {"kind": "bottleneck", "expansion": expansion}
    return NetworkSpec.model_validate(plain)


@pytest.mark.parametrize("cost", ["macs", "params", "activations"])
@pytest.mark.parametrize("expansion", [1, 2, 6])
@pytest.mark.parametrize("name", ["resnet20", "resnet56"])
def test_a_twin_costs_what_the_baseline_does(name: str, expansion: float, cost: str) -> None:
    baseline = with_expansion(preset(name), 4)
    target = matched_cost(baseline, INPUT, cost)
    other = with_expansion(preset(name), expansion)
    found = match(other, INPUT, target, MatchSpec.model_validate({"cost": cost}))
    assert abs(found.gap) <= 0.05
    assert matched_cost(found.network, INPUT, cost) == round(target * (1 + found.gap))
    scales = [new.width / old.width for new, old in zip(found.network.stages, other.stages, strict=True)]
    assert max(scales) / min(scales) <= 1 + MAX_RATIO_MOVE + 1e-9
    assert found.network.stem == other.stem


def test_out_channels_holds_the_residual_streams_width() -> None:
    baseline = with_expansion(preset("resnet20"), 4)
    target = matched_cost(baseline, INPUT, "out_channels")
    found = match(with_expansion(baseline, 2), INPUT, target, MatchSpec(cost="out_channels"))
    assert found.gap == 0
    assert [stage.width for stage in found.network.stages] == [32, 64, 128]


def test_widths_are_multiples_as_asked() -> None:
    baseline = with_expansion(preset("resnet20"), 4)
    spec = MatchSpec(multiple_of=8, tolerance=0.3)
    found = match(with_expansion(baseline, 1), INPUT, matched_cost(baseline, INPUT, "macs"), spec)
    assert all(stage.width % 8 == 0 for stage in found.network.stages)


def test_what_cannot_be_matched_says_how_near_it_comes() -> None:
    baseline = with_expansion(preset("resnet20"), 4)
    target = matched_cost(baseline, INPUT, "macs")
    with pytest.raises(Unmatched, match=r"leave a gap of .*% in macs, over the tolerance of 0.1%"):
        match(with_expansion(baseline, 1), INPUT, target, MatchSpec(multiple_of=4, tolerance=0.001))
    with pytest.raises(Unmatched):
        match(with_expansion(baseline, 1), INPUT, 10, MatchSpec())


@pytest.mark.parametrize("by", ["width", "depth"])
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("share", [0.5, 1.7])
def test_whatever_is_matched_is_near_or_says_why_not(name: str, by: str, share: float) -> None:
    network = preset(name)
    target = round(matched_cost(network, INPUT, "macs") * share)
    spec = MatchSpec.model_validate({"by": by, "tolerance": 0.1})
    try:
        found = match(network, INPUT, target, spec)
    except Unmatched as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert said.startswith(("the nearest", "no "))
        return
    assert abs(found.gap) <= 0.1
    assert matched_cost(found.network, INPUT, "macs") == round(target * (1 + found.gap))
    pairs = list(zip(found.network.stages, network.stages, strict=True))
    if by == "width":
        assert [new.depth for new, _ in pairs] == [old.depth for _, old in pairs]
        scales = [new.width / old.width for new, old in pairs]
        assert max(scales) / min(scales) <= 1 + MAX_RATIO_MOVE + 1e-9
    else:
        assert [new.width for new, _ in pairs] == [old.width for _, old in pairs]
        # Some multiplier has every depth as one of the two whole numbers beside its share; none goes below 1.
        lowest = max((0.0, *((new.depth - 1) / old.depth for new, old in pairs if new.depth > 1)))
        assert lowest < min((new.depth + 1) / old.depth for new, old in pairs)


def test_groups_that_must_divide_a_width_do_not_lead_the_search_astray() -> None:
    network = NetworkSpec.model_validate(
        {
            "stem": {"kind": "conv3x3", "width": 16},
            "stages": [
                {"block": {"kind": "regnet_x", "group_width": 8}, "depth": 2, "width": 64},
                {"block": {"kind": "regnet_x", "group_width": 8}, "depth": 2, "width": 128, "stride": 2},
            ],
            "head": {"kind": "linear", "num_classes": 10},
        }
    )
    cost = matched_cost(network, INPUT, "macs")
    for share in (0.4, 0.7, 1.5, 3.0):
        found = match(network, INPUT, round(cost * share), MatchSpec(tolerance=0.2))
        assert all(stage.width % 8 == 0 for stage in found.network.stages)
        assert (found.multiplier > 1) == (share > 1)


def test_depth_keeps_its_ratios_and_its_widths() -> None:
    network = preset("resnet56")
    found = match(network, INPUT, matched_cost(network, INPUT, "macs") // 3, MatchSpec(by="depth"))
    assert [stage.depth for stage in found.network.stages] == [3, 3, 3]
    assert found.multiplier == pytest.approx(1 / 3)


def test_depth_does_not_change_what_comes_out() -> None:
    with pytest.raises(Unmatched, match=r"the nearest depths .* leave a gap of -50% in out_channels"):
        match(preset("resnet20"), INPUT, 128, MatchSpec(cost="out_channels", by="depth"))
    with pytest.raises(ValueError, match="multiple_of is about widths"):
        MatchSpec(by="depth", multiple_of=8)
