"""What happens within a network when a sample of validation images passes through it: forward only, in eval mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from blocks.modules import Scaled
from blocks.network import Network
from search.train.diagnosis.places import places, stage_of
from search.train.feed import Feed

RELU_LIKE = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish, nn.Mish)
"""Activations that fall silent: below 0 they tend to 0, value and gradient. Leaky ReLU and ELU don't."""

CHUNK = 64
"""Images at a time: no more memory than validation takes."""


@dataclass(frozen=True)
class Probe:
    """What was seen, by stage.

    Attributes:
        mean, deviation: Of what the stage's last block puts out; of ``input``, of the images as they go in.
        units: Channels of the stage's ReLU-like activations.
        dead: Those of them that are positive nowhere, for no image.
        sparsity: The share of these activations' values that are not positive.
        noise: Of the stage's batch norms, the root mean square of a batch's channel means less the running ones, in
            running standard deviations: what a batch's own statistics add while training.
        drift: The same of the whole sample's means: how wrong the running ones are.
        distinct: Whether any two images get different logits.
        images: How many there were.
    """

    mean: dict[str, float]
    deviation: dict[str, float]
    units: dict[str, int]
    dead: dict[str, int]
    sparsity: dict[str, float]
    noise: dict[str, float]
    drift: dict[str, float]
    distinct: bool
    images: int


@torch.no_grad()
def probe(network: Network, feed: Feed, images: int, batch_size: int) -> Probe:
    """Runs validation images, evenly spread over the split, through a network, and leaves it as it was.

    Args:
        images: How many.
        batch_size: Of the training; batches of the sample are as large, or ``CHUNK``.
    """
    positions = torch.linspace(0, len(feed.labels) - 1, min(images, len(feed.labels)), device=feed.labels.device)
    chosen = feed.pixels[positions.round().long()]
    seen = _Seen(min(batch_size, CHUNK))
    with _evaluating(network), _watched(network, seen), torch.compiler.set_stance("force_eager"):
        logits = [network(seen.given(feed.normalised(chunk))) for chunk in torch.split(chosen, CHUNK)]
    return seen.summed(torch.cat(logits))


@dataclass
class _Seen:
    """Sums over chunks, on the device; lists are of (stage, tensor)."""

    batch: int
    outputs: dict[str, list[Tensor]] = field(default_factory=dict)
    positive: dict[nn.Module, Tensor] = field(default_factory=dict)
    values: dict[nn.Module, int] = field(default_factory=dict)
    stages: dict[nn.Module, str] = field(default_factory=dict)
    means: dict[nn.Module, list[Tensor]] = field(default_factory=dict)

    def given(self, images: Tensor) -> Tensor:
        self.output("input", images)
        return images

    def output(self, stage: str, out: Tensor) -> None:
        deviation, mean = torch.std_mean(out.float())
        self.outputs.setdefault(stage, []).append(torch.stack((mean, deviation)))

    def activation(self, stage: str, module: nn.Module, out: Tensor) -> None:
        over = [dimension for dimension in range(out.ndim) if dimension != 1]
        positive = (out > 0).sum(over)  # C
        self.stages[module] = stage
        self.positive[module] = self.positive[module] + positive if module in self.positive else positive
        self.values[module] = self.values.get(module, 0) + out.numel()

    def norm(self, stage: str, module: _BatchNorm, x: Tensor) -> None:
        """Keeps the channel means of every batch: the whole ones of the chunk."""
        if len(x) < self.batch or module.running_mean is None or module.running_var is None:
            return
        whole = len(x) // self.batch * self.batch
        means = x[:whole].float().flatten(2).mean(2).view(-1, self.batch, x.shape[1]).mean(1)  # batches C
        scale = (module.running_var + module.eps).sqrt()
        self.stages[module] = stage
        self.means.setdefault(module, []).append((means - module.running_mean) / scale)

    def summed(self, logits: Tensor) -> Probe:
        outputs = {stage: torch.stack(found).mean(0).tolist() for stage, found in self.outputs.items()}
        units, dead, positive, values = (dict[str, int]() for _ in range(4))
        for module, count in self.positive.items():
            stage = self.stages[module]
            units[stage] = units.get(stage, 0) + len(count)
            dead[stage] = dead.get(stage, 0) + int((count == 0).sum())
            positive[stage] = positive.get(stage, 0) + int(count.sum())
            values[stage] = values.get(stage, 0) + self.values[module]
        noise, drift = self._batch_norms()
        return Probe(
            mean={stage: mean for stage, (mean, _) in outputs.items()},
            deviation={stage: deviation for stage, (_, deviation) in outputs.items()},
            units=units,
            dead=dead,
            sparsity={stage: 1 - positive[stage] / values[stage] for stage in units},
            noise=noise,
            drift=drift,
            distinct=bool((logits != logits[:1]).any()),
            images=len(logits),
        )

    def _batch_norms(self) -> tuple[dict[str, float], dict[str, float]]:
        noise, drift = dict[str, list[float]](), dict[str, list[float]]()
        for module, found in self.means.items():
            means = torch.cat(found)  # batches C
            stage = self.stages[module]
            noise.setdefault(stage, []).append(means.square().mean().item())
            drift.setdefault(stage, []).append(means.mean(0).square().mean().item())
        return tuple({stage: (sum(own) / len(own)) ** 0.5 for stage, own in each.items()} for each in (noise, drift))  # type: ignore[return-value]


@contextmanager
def _watched(network: Network, seen: _Seen) -> Iterator[None]:
    with ExitStack() as stack:
        for place, module in places(network).items():
            for handle in _hooks(stage_of(place), module, seen):
                stack.callback(handle.remove)
        for stage, module in {stage_of(place): module for place, module in places(network).items()}.items():
            handle = module.register_forward_hook(lambda _, __, out, stage=stage: seen.output(stage, out))
            stack.callback(handle.remove)
        yield


def _hooks(stage: str, module: nn.Module, seen: _Seen) -> Iterator[torch.utils.hooks.RemovableHandle]:
    gates = {inner for scaled in module.modules() if isinstance(scaled, Scaled) for inner in scaled.gate.modules()}
    for inner in module.modules():
        if isinstance(inner, RELU_LIKE) and inner not in gates:
            yield inner.register_forward_hook(lambda own, _, out: seen.activation(stage, own, out))
        elif isinstance(inner, _BatchNorm):
            yield inner.register_forward_pre_hook(lambda own, given: seen.norm(stage, own, given[0]))


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Sets eval mode, and gives every module its own mode back: frozen norms keep theirs."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
