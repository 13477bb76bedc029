"""What checkpointing leaves to be kept, by arithmetic, held against what autograd really keeps."""

from __future__ import annotations

import pytest
import torch

from blocks import preset


@pytest.mark.parametrize("name", ["resnet20", "resnet56"])
def test_it_is_less_than_without_and_no_less_than_what_is_kept_between_the_passes(name: str) -> None:
    spec, shape, batch = preset(name), (3, 32, 32), 2
    whole = spec.training_memory(shape, batch).activations
    bound = spec.training_memory(shape, batch, checkpointing=True).activations
    network = spec.build(seed=0)
    network.gradient_checkpointing = True
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.randn(batch, *shape))
    assert sum(kept.values()) <= bound < 0.7 * whole


def test_a_network_of_one_run_keeps_all() -> None:
    spec = preset("resnet20").replace(stages=preset("resnet20").plain()["stages"][:1])
    short = spec.replace(stages=[{**spec.plain()["stages"][0], "depth": 1}])
    assert short.training_memory((3, 8, 8), 4, checkpointing=True) == short.training_memory((3, 8, 8), 4)
