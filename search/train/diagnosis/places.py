"""Where in a network something is: the stem, a block of a stage, or the head; and how many layers it has."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from blocks.network import Network


def original(network: nn.Module) -> Network:
    """Returns the network itself, where it was wrapped by a compiler."""
    inner = getattr(network, "_orig_mod", network)
    assert isinstance(inner, Network)
    return inner


def places(network: Network) -> dict[str, nn.Module]:
    """Returns the stem, every block and the head, in order, by their names: ``stem``, ``stages.0.1``, ``head``."""
    blocks = {f"stages.{stage}.{index}": block for (stage, index), block in network.blocks()}
    return {"stem": network.stem, **blocks, "head": network.head}


def stage_of(place: str) -> str:
    """Returns ``stages.0`` of ``stages.0.1``; the stem and the head are their own."""
    return place.rpartition(".")[0] or place


def stages_of(names: Sequence[str]) -> tuple[str, ...]:
    """Returns the stages of places, each once, in order."""
    return tuple(dict.fromkeys(map(stage_of, names)))


def in_words(place: str) -> str:
    """Returns ``stage 1`` of ``stages.0``, ``stage 1 block 2`` of ``stages.0.1``: people count from 1."""
    if not place.startswith("stages."):
        return f"the {place}"
    stage, *block = (int(part) + 1 for part in place.split(".")[1:])
    return f"stage {stage}" + (f" block {block[0]}" if block else "")


def layers(network: Network) -> int:
    """Returns the number of weighted layers one behind another, as papers count them: shortcuts and gates left out."""
    beside = {"shortcut", "gate", "downsample"}
    return sum(
        isinstance(module, (nn.Conv2d, nn.Linear)) and not beside.intersection(name.split("."))
        for name, module in network.named_modules()
    )
