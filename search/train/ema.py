"""A moving average of a network's weights, which is what is evaluated and kept."""

from __future__ import annotations

from typing import Any

import torch

from blocks import Network
from blocks.network import build
from search.train.extras import Ema
from search.train.settings import on_device


class MovingAverage:
    """An exponential moving average of weights (Polyak and Juditsky 1992; Tarvainen and Valpola, arXiv:1703.01780).

    After step t the average is ``d * average + (1 - d) * weights``. With warm-up d = min(decay, (1 + t) / (10 + t)),
    as TensorFlow has it, so that the start is forgotten quickly; else d = decay throughout. The running statistics of
    batch norms are averaged likewise, and what counts steps is copied.

    Attributes:
        network: The averaged network.
    """

    def __init__(self, spec: Ema, network: Network) -> None:
        self._spec = spec
        self.network = build(network.spec, seed=0)  # not a copy, which would be watched by whatever watches it
        self.network.load_state_dict(network.state_dict())
        on_device(self.network, next(network.parameters()).device).requires_grad_(False)
        averages, values = ({**of.state_dict(keep_vars=True)} for of in (self.network, network))
        moving = [name for name, value in values.items() if value.is_floating_point()]
        self._averages, self._values = [averages[name] for name in moving], [values[name] for name in moving]
        self._copies = [(averages[name], values[name]) for name in values if name not in moving]
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Takes the weights of a step in."""
        self._steps += 1
        torch._foreach_lerp_(self._averages, self._values, 1 - self.decay(self._steps))
        for average, value in self._copies:
            average.copy_(value)

    def state(self) -> dict[str, Any]:
        """Returns the average as it stands, and how many steps are in it."""
        return {"network": self.network.state_dict(), "steps": self._steps}

    def put_back(self, state: dict[str, Any]) -> None:
        """Takes the average from a ``state``."""
        self.network.load_state_dict(state["network"])
        self._steps = state["steps"]

    def decay(self, step: int) -> float:
        """Returns how much of the average is kept at a step, counted from 1."""
        return min(self._spec.decay, (1 + step) / (10 + step)) if self._spec.warmup else self._spec.decay
