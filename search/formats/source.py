"""Plain Python: the network written out as a module that needs torch and nothing else."""

from __future__ import annotations

import torch

from blocks import InfeasibleSpec, python_source
from blocks.source import InputError
from search.deployed import check
from search.formats import Order
from search.run_directory import write_atomically

SUFFIX = ".py"


def write(order: Order) -> list[str]:
    """Writes the source, and runs it: its network, with the model's weights, has to give the model's logits."""
    try:
        source = python_source(order.model)
    except InfeasibleSpec as error:
        raise InputError(f"the network can't be written as source: {error}") from None
    scope: dict[str, object] = {"__name__": "written"}
    exec(compile(source, str(order.out), "exec"), scope)
    network = scope["Network"]()  # type: ignore[operator]
    network.load_state_dict(order.model.state_dict())
    network.eval()
    mean, std = order.model.preprocess.mean, order.model.preprocess.std
    with torch.no_grad():
        said = check(order.model, lambda images: network((images - mean) / std), fixed=False, name="the source")
    write_atomically(order.out, source)
    return [said, "its weights are the model's own file: network.load_state_dict(load_file(...))"]
