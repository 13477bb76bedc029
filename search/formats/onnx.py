"""ONNX: a graph for ONNX Runtime and most other engines, on images of 0..1."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blocks import TrainedNetwork
from blocks.source import InputError
from search.deployed import Deployed, check, description, example
from search.formats import Order, library
from search.formats.pt2 import dynamic_shapes, refusal
from search.providers import CPU, demand_provider

SUFFIX = ".onnx"


def write(order: Order) -> list[str]:
    """Writes the graph with its labels, and holds it against the model in ONNX Runtime."""
    export_graph(order)
    run = session(order.out, provider=order.provider)
    name = "ONNX Runtime" if order.provider == CPU else f"ONNX Runtime's {order.provider}"
    return [check(order.model, run, fixed=order.fixed_size, name=name)]


def export_graph(order: Order) -> None:
    """Writes the graph, of any batch, and of any size unless that is fixed.

    Raises:
        InputError: If a library is missing or torch finds no such graph.
    """
    onnx = library("onnx", "onnx")
    library("onnxscript", "onnx")
    try:
        with Quiet():
            program = torch.onnx.export(
                Deployed(order.model).eval(),
                (example(order.model),),
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=dynamic_shapes(order.fixed_size),
                verbose=False,
            )
    except Exception as error:
        raise InputError(refusal(order, error)) from error
    assert program is not None
    graph = program.model_proto
    for node in graph.graph.node:
        node.ClearField("metadata_props")  # where in this machine's files a node comes from
        node.ClearField("doc_string")
    describe(graph, order.model)
    onnx.checker.check_model(graph)
    onnx.save(graph, order.out)


def describe(graph: Any, model: TrainedNetwork) -> None:
    """Writes into an ONNX graph what its images and its answers are, in place of what it says of itself."""
    del graph.metadata_props[:]
    for name, value in _properties(model).items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = name, value


def session(path: Path, threads: int = 1, provider: str = CPU) -> Any:
    """Returns a function that runs a graph in ONNX Runtime: images in, logits out, both tensors on the CPU.

    Raises:
        InputError: If ONNX Runtime is missing, or the provider can't run here.
    """
    runtime = library("onnxruntime", "onnx")
    demand_provider(provider, "provider")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    opened = runtime.InferenceSession(str(path), options, providers=[provider])
    if provider not in opened.get_providers():  # ONNX Runtime itself would go on on the CPU
        raise InputError(f"{provider} can't run here: ONNX Runtime finds no such device, or not its libraries")

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(opened.run(["logits"], {"images": images.numpy()})[0])

    return run


class Quiet(warnings.catch_warnings):
    """Keeps the exporter's own warnings and notes from the user, who can do nothing about them."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        return entered

    def __exit__(self, *error: Any) -> None:
        logging.disable(logging.NOTSET)
        super().__exit__(*error)


def _properties(model: TrainedNetwork) -> dict[str, str]:
    """Returns what travels in the graph: texts, of which those that aren't one are JSON."""
    told = description(model)
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}
