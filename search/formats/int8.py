"""ONNX in 8-bit integers: weights and activations, quantised after training by ONNX Runtime."""

from __future__ import annotations

from search.formats import Order
from search.formats.onnx import session
from search.quantise import agreement, quantise

SUFFIX = ".int8.onnx"


def write(order: Order) -> list[str]:
    """Writes the quantised graph, and tells what it costs: accuracy on validation, bytes, time."""
    splits = order.splits()
    quantise(order.model, splits, order.out)
    return agreement(order.model, splits, session(order.out, provider=order.provider), order.out)
