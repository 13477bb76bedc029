"""Biases that a norm takes away again: they cost parameters and learn nothing.

Only norms that subtract each channel's own mean do: batch norm, and group norm with a channel a group. Behind them, a
shift of the whole channel is gone (Ioffe and Szegedy 2015, section 3.2, https://arxiv.org/abs/1502.03167). A norm over
several channels leaves the differences between their biases, as ConvNeXt means it to.
"""

from __future__ import annotations

from blocks import layers as records
from blocks.cost import Shape
from blocks.show.rows import run_name, runs
from blocks.spec import NetworkSpec

CARRY = (
    records.Identity,
    records.MaxPool,
    records.AveragePool,
    records.AdaptivePool,
    records.GlobalPool,
    records.Blur,
)
"""Layers that pass a shift of a channel on as it is."""


def biases_before_norms(spec: NetworkSpec, shape: Shape) -> list[str]:
    """Returns the names of the layers whose bias a norm takes away, in the order of the network, for images of C H W.

    Modules of a user's own are passed over: their layers aren't known before they run.

    Raises:
        InfeasibleSpec: If there can be no such network at this input.
    """
    found: dict[str, None] = {}
    biased: str | None = None
    for part, _ in runs(spec, shape):
        for _ in range(min(part.repeats, 2)):  # the second is given what the first puts out, and so are all others
            names: list[str] = []
            biased = _walk(part.layer, run_name(part), biased, names)
            found |= dict.fromkeys(names)
    return list(found)


def _walk(layer: records.Layer, name: str, biased: str | None, found: list[str]) -> str | None:
    """Adds to what is found within a layer.

    Args:
        layer: What is walked through.
        name: Its own.
        biased: The layer whose bias shifts what it is given, and which nobody else is given; None if there is none.
        found: The names so far.

    Returns:
        The layer whose bias shifts what comes out.
    """
    match layer:
        case records.Conv(bias=True) | records.Linear():
            return name
        case records.BatchNorm() if biased:
            found.append(biased)
        case records.GroupNorm(groups=groups, channels=channels) if biased and groups == channels:
            found.append(biased)
        case records.Chain(layers=chain):
            for key, one in chain.items():
                biased = _walk(one, f"{name}.{key}", biased, found)
            return biased
        case records.Residual():
            return _residual(layer, name, biased, found)
        case records.Sum(layers=branches):
            for key, one in branches.items():
                _walk(one, f"{name}.{key}", None, found)
        case records.Concat(branch=inner):
            _walk(inner, f"{name}.branch", None, found)
        case records.Scale(gate=inner):
            _walk(inner, f"{name}.gate", None, found)
    return biased if isinstance(layer, CARRY) else None


def _residual(layer: records.Residual, name: str, biased: str | None, found: list[str]) -> str | None:
    """A sum of two has two biases, of which neither is a norm's to take away; without a shortcut there is no sum."""
    alone = layer.shortcut is None or layer.shared
    ready = _walk(layer.before, f"{name}.before", biased if alone else None, found)
    out = _walk(layer.branch, f"{name}.branch", ready if layer.shortcut is None else None, found)
    if layer.shortcut is not None:
        _walk(layer.shortcut, f"{name}.shortcut", None, found)
        out = None
    return _walk(layer.activation, f"{name}.activation", out, found)
