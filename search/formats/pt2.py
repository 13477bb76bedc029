"""torch.export's format: a graph that any torch runs without this package, on images of 0..1.

What has to be known to use it travels inside, as JSON:

    told = {"model.json": ""}
    network = torch.export.load("winner.pt2", extra_files=told).module()
    labels = json.loads(told["model.json"])["labels"]
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from blocks.source import InputError
from search.deployed import Deployed, check, description, example
from search.formats import Order

SUFFIX = ".pt2"
MOST_IMAGES = 65_536
INSIDE = "model.json"


def write(order: Order) -> list[str]:
    """Traces the network, saves and loads it, and holds what was loaded against the model."""
    program = exported(order)
    told = description(order.model)
    torch.export.save(program, order.out, extra_files={INSIDE: json.dumps(told)})
    inside = {INSIDE: ""}
    loaded = torch.export.load(order.out, extra_files=inside).module()
    if json.loads(inside[INSIDE]) != told:
        raise InputError("torch.export doesn't give back the labels and sizes that were put into the file")

    def run(images: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = loaded(images)
        return logits

    return [check(order.model, run, fixed=order.fixed_size, name="torch.export")]


def exported(order: Order) -> torch.export.ExportedProgram:
    """Returns the network as torch traces it, of any batch, and of any size unless that is fixed.

    Raises:
        InputError: If torch finds no single graph for all of them.
    """
    dynamic = dynamic_shapes(order.fixed_size)
    try:
        return torch.export.export(Deployed(order.model).eval(), (example(order.model),), dynamic_shapes=dynamic)
    except Exception as error:
        raise InputError(refusal(order, error)) from error


def dynamic_shapes(fixed_size: bool) -> tuple[dict[int, Any]]:
    """Returns what of N C H W may vary. A height and width that torch's tracing fixes all the same fail the check."""
    batch = {0: torch.export.Dim("batch", min=1, max=MOST_IMAGES)}
    return (batch if fixed_size else {**batch, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},)


def refusal(order: Order, error: Exception) -> str:
    """Returns why a network can't be exported, in a sentence."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
    hint = "" if order.fixed_size else "; --fixed-size exports it for images of the size that it was trained on"
    return f"torch can't export this network: {said}{hint}"
