"""Equal-cost twins: near the wanted cost, in proportion, and honest when there is none."""

from __future__ import annotations

import pytest

from blocks import NetworkSpec, preset
from search.designs.base import MatchSpec
from search.match import MAX_RATIO_MOVE, Unmatched, match, matched_cost

INPUT = (3, 32, 32)


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
