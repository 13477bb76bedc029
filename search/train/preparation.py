"""A network before its first step: built, given its first weights, frozen in part, on its device."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from blocks import Limits, Network, NetworkSpec, freeze_batch_norm, load_model, preset, prune
from blocks.errors import WeightsError
from search.train.initial import Initial
from search.train.recipe import TrainSpec
from search.train.settings import on_device


def prepared(
    spec: NetworkSpec, recipe: TrainSpec, classes: tuple[str, ...], seed: int, device: torch.device, limits: Limits
) -> Network:
    """Returns a network as its recipe wants it at the start.

    Args:
        spec: What to build.
        recipe: For ``init``, ``freeze``, ``freeze_batch_norm`` and ``checkpointing``.
        classes: The names of what is to be told apart.
        seed: Of the initial values.
        device: Where to.
        limits: Networks over these are not built.

    Raises:
        InfeasibleSpec: If the network cannot be built.
        WeightsError: If the first weights are not there, are not what they were, or are another network's.
    """
    network = spec.build(seed=seed, limits=limits)
    if recipe.init is not None:
        start_from(network, recipe.init, classes)
    network.gradient_checkpointing = recipe.checkpointing
    freeze(network, recipe)
    return on_device(network, device)


@torch.no_grad()
def start_from(network: Network, initial: Initial, classes: tuple[str, ...]) -> None:
    """Copies trained weights into a network; the head's only if both say the same classes. Raises ``WeightsError``."""
    if (wrong := initial.unfit(network.spec)) is not None:
        raise WeightsError(wrong)
    source, labels = trained(initial)
    same_head = source.spec.head == network.spec.head and labels in ((), classes)
    values = source.state_dict()
    for name, tensor in network.state_dict().items():
        if same_head or not name.startswith("head."):
            tensor.copy_(values[name])


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
    """Returns the network that the weights are of, pruned where that is asked for, and the names of its classes.

    Raises:
        WeightsError: If the file isn't what it was.
    """
    network, labels = _whole(initial)
    if initial.prune is not None:
        network = prune(network, initial.prune.fraction, initial.prune.scope, initial.prune.multiple_of)
    return network, labels


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
