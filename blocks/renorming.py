"""Other norms in place of a network's batch norms, for batches too small to tell a mean from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blocks.errors import InfeasibleSpec
from blocks.parts.norm import NormSpec
from blocks.spec import NetworkSpec

if TYPE_CHECKING:
    from blocks.network import Network


def renormed(spec: NetworkSpec, norm: NormSpec) -> NetworkSpec:
    """Returns a spec with another norm wherever it has a batch norm. No torch is needed.

    Raises:
        InfeasibleSpec: If it has none.
        ValidationError: If a block of it takes no such norm.
    """
    found = NetworkSpec.model_validate(_replaced(spec.plain(), norm.plain()))
    if found == spec:
        raise InfeasibleSpec(f"there is no batch norm that a {norm.kind} norm could take the place of")
    return found


def replace_batch_norm(network: Network, norm: NormSpec) -> Network:
    """Returns a network with another norm in place of every batch norm, in evaluation mode; the old one stays as it is.

    Convolutions and the head keep their weights, and the new norms take over scale and shift, channel by channel.
    Running statistics have no place in the new norms and are left behind, so that the answers are other ones until the
    network is trained on.

    Raises:
        InfeasibleSpec: If it has no batch norm, or its channels don't divide into such groups.
        ValidationError: If a block of it takes no such norm.
    """
    import torch

    from blocks.initialisation import seeded
    from blocks.network import Network

    with seeded(0):
        other = Network(renormed(network.spec, norm))
    values = network.state_dict()
    with torch.no_grad():
        for name, tensor in other.state_dict().items():
            if name in values and values[name].shape == tensor.shape:
                tensor.copy_(values[name])
    some = next(network.parameters())
    return other.to(some.device, some.dtype).eval()


def _replaced(plain: Any, norm: dict[str, Any]) -> Any:
    if isinstance(plain, list):
        return [_replaced(item, norm) for item in plain]
    if not isinstance(plain, dict):
        return plain
    return {key: norm if key == "norm" and _is_batch(value) else _replaced(value, norm) for key, value in plain.items()}


def _is_batch(norm: Any) -> bool:
    return norm == "batch" or (isinstance(norm, dict) and norm.get("kind") == "batch")  # overrides may be bare
