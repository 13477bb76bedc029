"""What is inside a block, drawn: its layers from top to bottom, its shortcuts to the right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from blocks import layers as records
from blocks.show.picture import Picture, above, beside, box, wire

Note = Callable[[records.Layer], str]


def diagram(layer: records.Layer, note: Note = lambda _: "") -> Picture:
    """Returns a layer as a picture, without its channels: blocks of one make look alike at every width.

    Args:
        layer: What is drawn.
        note: Given each layer that has a box, in one order for all layers that look alike, returns what its label has
            besides.
    """
    match layer:
        case records.Identity():
            return wire()
        case records.Chain(layers=chain):
            return above([diagram(one, note) for one in chain.values() if not isinstance(one, records.Identity)])
        case records.Residual():
            return _residual(layer, note)
        case records.Sum(layers=summands):
            main, *others = (diagram(one, note) for one in summands.values())
            return beside(main, others, "+") if others else main
        case records.Concat(branch=branch):
            return beside(diagram(branch, note), [wire()], "‖")
        case records.Scale(gate=gate):
            return beside(wire(), [diagram(gate, note)], "×")
    label, style = _label(layer)
    return box(label + note(layer), style)


def with_channels(alike: Sequence[records.Layer]) -> Picture:
    """Returns layers that look alike as one picture, with the channels that convolutions put out: 64, or 64–512."""
    found: list[list[int | None]] = []
    for layer in alike:
        channels: list[int | None] = []
        diagram(layer, lambda one, channels=channels: channels.append(_channels(one)) or "")  # type: ignore[misc]
        found.append(channels)
    notes = iter([_range(numbers) for numbers in zip(*found, strict=True)])
    return diagram(alike[0], lambda _: next(notes))


def _channels(layer: records.Layer) -> int | None:
    match layer:
        case records.Conv(out_channels=channels) | records.Linear(out_features=channels):
            return channels
        case records.ZeroPad(out_channels=channels):
            return channels
    return None


def _range(numbers: Sequence[int | None]) -> str:
    """Writes what is behind a label: the channels, or the fewest and the most."""
    counts = [number for number in numbers if number is not None]
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    return f", {least:,}" if least == most else f", {least:,}–{most:,}"


def _residual(layer: records.Residual, note: Note) -> Picture:
    branch = diagram(layer.branch, note)
    before = [] if layer.before is records.IDENTITY else [diagram(layer.before, note)]
    after = [] if layer.activation is records.IDENTITY else [diagram(layer.activation, note)]
    if layer.shortcut is None:
        return above([*before, branch, *after])
    shortcut = diagram(layer.shortcut, note)
    if layer.shared or not before:
        return above([*before, beside(branch, [shortcut], "+"), *after])
    return above([beside(above([*before, branch]), [shortcut], "+"), *after])


def _label(layer: records.Layer) -> tuple[str, str]:
    """Returns what a layer is called, and the style of its box."""
    match layer:
        case records.Conv():
            return _convolution(layer), "conv"
        case records.ChannelConv(kernel=kernel):
            return f"kernel of {kernel} along the channels", "conv"
        case records.Linear():
            return "linear", "conv"
        case records.BatchNorm():
            return "batch norm", "norm"
        case records.GroupNorm(groups=groups, channels=channels):
            return "instance norm" if groups == channels else "group norm" if groups > 1 else "group norm of 1", "norm"
        case records.ChannelNorm():
            return "layer norm", "norm"
        case records.Elementwise(function=function):
            return function, "active"
        case records.AttentionProduct():
            return "attention", "conv"
        case records.Measured(spec=spec):
            return f"module of {spec.kind}", "other"
    return _resizing(layer), "other"


def _resizing(layer: records.Layer) -> str:
    match layer:
        case records.MaxPool(kernel=kernel, stride=stride):
            return f"{kernel}×{kernel} max pooling{_by(stride)}"
        case records.AveragePool(stride=stride):
            return f"{stride}×{stride} average pooling{_by(stride)}"
        case records.AdaptivePool(size=size):
            return f"average pooling to {size}×{size}"
        case records.Blur(stride=stride):
            return f"3×3 blur{_by(stride)}"
        case records.ZeroPad(stride=stride):
            return f"zero-padded channels{_by(stride)}"
        case records.GlobalPool():
            return "global average"
        case records.LayerScale():
            return "scale of each channel"
        case records.Dropout(rate=rate):
            return f"dropout {rate:g}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(layer).__name__).lower()


def _convolution(layer: records.Conv) -> str:
    kind = "convolution"
    if layer.groups > 1:
        kind = "depthwise" if layer.groups == layer.in_channels else "grouped conv."
    return f"{layer.kernel}×{layer.kernel} {kind}{_by(layer.stride)}"


def _by(stride: int) -> str:
    return f" / {stride}" if stride > 1 else ""
