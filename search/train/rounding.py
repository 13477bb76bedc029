"""Quantisation-aware training: the forward pass rounds weights and activations as an int8 graph will.

Jacob et al. 2018, https://arxiv.org/abs/1712.05877, by torchao's PT2E: the network is exported with its batch norms in
training mode, and fake quantisers (8 bits; weights per channel and symmetric, activations per tensor by a moving range;
gradients pass straight through) are put where a CPU's int8 kernels round. The exported graph has the very parameters
and buffers of the network, so that whatever trains, averages, watches or keeps the network goes on as before. The int8
graph itself is made of the trained weights by ``search.quantise``, as after any training.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim

from blocks import Network


class Rounded:
    """A network in training that rounds, once it is told to begin; until then its quantisers only watch the ranges.

    Args:
        network: On its device, in training mode or not; it shares all that it has.
        shape: C H W of an image.

    Raises:
        ImportError: If torchao isn't installed.
    """

    def __init__(self, network: Network, shape: tuple[int, int, int], device: torch.device) -> None:
        was_training = network.training
        with warnings.catch_warnings(), _Silence():
            warnings.simplefilter("ignore")  # torchao's and the exporter's, of their own future
            from torchao.quantization.pt2e import disable_fake_quant, move_exported_model_to_train
            from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e
            from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

            example = torch.zeros(4, *shape, device=device).to(memory_format=torch.channels_last)
            batch = ({0: Dim("batch", min=2, max=2**20)},)
            exported: Any = torch.export.export(
                network.train(), (example,), dynamic_shapes=batch, strict=False
            ).module()
            config = x86.get_default_x86_inductor_quantization_config(is_qat=True)
            self._graph: Any = prepare_qat_pt2e(exported, x86.X86InductorQuantizer().set_global(config))
            move_exported_model_to_train(self._graph)
            self._graph.apply(disable_fake_quant)
        _demand_shared(network, self._graph)
        self._own = self._graph.state_dict().keys() - network.state_dict().keys()
        network.train(was_training)
        self.begun = False

    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits of N C H W, N at least 2."""
        logits: Tensor = self._graph(images)
        return logits

    def state(self) -> dict[str, Tensor]:
        """Returns what the quantisers have seen, and whether they round; the network's own tensors left aside."""
        return {name: value for name, value in self._graph.state_dict().items() if name in self._own}

    def put_back(self, state: Mapping[str, Tensor]) -> None:
        """Takes what quantisers of the same network had seen; whether they round is told anew by the next step."""
        self._graph.load_state_dict(state, strict=False)
        self.begun = False

    def begin(self) -> None:
        """Rounds from now on; a second time means nothing."""
        if self.begun:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from torchao.quantization.pt2e import enable_fake_quant

            self._graph.apply(enable_fake_quant)
        self.begun = True


def _demand_shared(network: Network, graph: torch.nn.Module) -> None:
    """Raises ``RuntimeError`` unless what the graph trains is what the network has."""
    there = dict(graph.named_parameters())
    lost = [name for name, parameter in network.named_parameters() if there.get(name) is not parameter]
    if lost:
        raise RuntimeError(f"the exported network doesn't share {', '.join(lost[:3])}: it would be trained in vain")


class _Silence:
    """Keeps libraries' notes from the user, who can do nothing about them."""

    def __enter__(self) -> None:
        logging.disable(logging.WARNING)

    def __exit__(self, *error: object) -> None:
        logging.disable(logging.NOTSET)
