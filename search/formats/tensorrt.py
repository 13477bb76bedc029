"""TensorRT, through torch-tensorrt where that is installed. Untested: there was no GPU to build and check it on.

Labels, input size and normalisation lie beside it, in ``winner.ts.json``.
"""

from __future__ import annotations

import json

import torch

from blocks.source import InputError
from search.deployed import check, description, example
from search.formats import Order
from search.formats.pt2 import exported
from search.run_directory import write_atomically

SUFFIX = ".ts"


def write(order: Order) -> list[str]:
    """Compiles torch.export's graph for this machine's GPU, for batches of 1 to 64, and holds it against the model."""
    try:
        import torch_tensorrt
    except ImportError as error:
        raise InputError(f"this needs torch-tensorrt and a GPU, and torch-tensorrt isn't there ({error})") from None
    if not torch.cuda.is_available():
        raise InputError("this needs a GPU, and there is none")
    shape = order.model.metadata.input
    images = torch_tensorrt.Input(min_shape=(1, *shape), opt_shape=(8, *shape), max_shape=(64, *shape))
    program = exported(order._replace(fixed_size=True))
    compiled = torch_tensorrt.dynamo.compile(program, inputs=[images])
    torch_tensorrt.save(compiled, str(order.out), inputs=[example(order.model).cuda()])
    beside = order.out.with_name(f"{order.out.name}.json")
    write_atomically(beside, json.dumps(description(order.model), indent=2, ensure_ascii=False) + "\n")
    said = check(order.model, lambda probe: compiled(probe.cuda()).cpu(), fixed=True, name="TensorRT")
    return [said, "untested: this format was written without a GPU to try it on"]
