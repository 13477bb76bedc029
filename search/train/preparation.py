"""A network before its first step: built, given its first weights, frozen in part, on its device."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from blocks import (
    Limits,
    Network,
    NetworkSpec,
    TrainedNetwork,
    freeze_batch_norm,
    load_model,
    preset,
    prune,
    replace_batch_norm,
)
from blocks.errors import WeightsError
from search.train.initial import Initial
from search.train.recipe import TrainSpec
from search.train.settings import on_device


def prepared(
    spec: NetworkSpec,
    recipe: TrainSpec,
    classes: tuple[str, ...],
    seed: int,
    device: torch.device,
    limits: Limits,
    *,
    published: bool = True,
) -> tuple[Network, dict[str, Any] | None]:
    """Returns a network as its recipe wants it at the start, and what it took of its first weights, if it has such.

    Args:
        spec: What to build.
        recipe: For ``init``, ``freeze``, ``freeze_batch_norm`` and ``checkpointing``.
        classes: The names of what is to be told apart.
        seed: Of the initial values.
        device: Where to.
        limits: Networks over these are not built.
        published: Whether a preset's published weights are fetched, or only stood in for: to measure how long steps
            take.

    Raises:
        InfeasibleSpec: If the network cannot be built.
        WeightsError: If the first weights are not there, are not what they were, or are another network's.
    """
    network, taken = spec.build(seed=seed, limits=limits), None
    if recipe.init is not None and (published or recipe.init.preset is None):
        taken = start_from(network, recipe.init, classes)
    elif recipe.init is not None:  # statistics that nothing has measured don't normalise
        recipe = recipe.replace(freeze_batch_norm="none")
    network.gradient_checkpointing = recipe.checkpointing
    freeze(network, recipe)
    return on_device(network, device), taken


@torch.no_grad()
def start_from(network: Network, initial: Initial, classes: tuple[str, ...]) -> dict[str, Any]:
    """Copies trained weights into a network; the head's only if both say the same classes.

    Returns:
        As plain data, what became of them: how many numbers were ``taken``, which tensors of the network begin
        ``anew``, and, where norms were replaced, which of the trained ones were ``left``.

    Raises:
        WeightsError: If they are of another network.
    """
    if (wrong := initial.unfit(network.spec)) is not None:
        raise WeightsError(wrong)
    whole, labels = _whole(initial)
    source = _changed(whole, initial)
    same_head = source.spec.head == network.spec.head and labels in ((), classes)
    values, taken, anew = source.state_dict(), 0, []
    for name, tensor in network.state_dict().items():
        if same_head or not name.startswith("head."):
            tensor.copy_(values[name])
            taken += tensor.numel()
        else:
            anew.append(name)
    left = sorted(whole.state_dict().keys() - values.keys())
    return {"taken": taken, "anew": anew, "left": left}


def freeze(network: Network, recipe: TrainSpec) -> None:
    """Freezes what a recipe names. A frozen part is frozen whole: its batch norms' statistics stay too."""
    parts = [network.stem if part == "stem" else network.stages[part] for part in recipe.freeze]
    for part in parts:
        part.requires_grad_(False)
        freeze_batch_norm(part)
    if recipe.freeze_batch_norm != "none":
        asked = recipe.freeze_batch_norm
        freeze_batch_norm(network, statistics=asked != "affine", affine=asked != "statistics")


def trained(initial: Initial) -> tuple[Network, tuple[str, ...]]:
    """Returns the network that the weights are of, pruned and with other norms where that is asked for, and the names
    of its classes.

    Raises:
        WeightsError: If the file isn't what it was.
    """
    network, labels = _whole(initial)
    return _changed(network, initial), labels


def _changed(whole: Network, initial: Initial) -> Network:
    network = whole
    if initial.prune is not None:
        network = prune(network, initial.prune.fraction, initial.prune.scope, initial.prune.multiple_of)
    if initial.norm is not None:
        network = replace_batch_norm(network, initial.norm)
    return whole.with_network(network).eval() if isinstance(whole, TrainedNetwork) else network


def _whole(initial: Initial) -> tuple[Network, tuple[str, ...]]:
    if initial.preset is not None and initial.weights is not None:
        published: Network = preset(initial.preset, weights=initial.weights)
        return published, ()
    path = Path(initial.file or "")
    model = load_model(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != initial.sha256:
        raise WeightsError(f"{path} is not the file that it was: its SHA-256 is {found}, not {initial.sha256}")
    return model, model.labels
