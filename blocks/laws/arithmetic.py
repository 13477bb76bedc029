"""Laws of what a block says of itself: its shapes, its cost, its data."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from blocks.errors import InfeasibleSpec
from blocks.laws.subject import LawBroken, Subject
from blocks.layers import show_shape
from blocks.spec import NetworkSpec


def shapes(subject: Subject) -> None:
    """A stride divides height and width, and each block puts out the map that its row says."""
    rows = {row.name: row.output for row in subject.network.cost_by_block(subject.shape)}
    side = subject.shape[1:]
    for index, stage in enumerate(subject.network.stages):
        allowed = [{-(-pixels // stage.stride), pixels // stage.stride} for pixels in side]
        for block in range(stage.depth):
            _, *after = rows[f"stages.{index}.{block}"]
            if not all(pixels in those for pixels, those in zip(after, allowed, strict=True)):
                told = f"stages.{index}.{block} makes {after[0]}x{after[1]} of the stage's {side[0]}x{side[1]}"
                raise LawBroken(f"stage {index} has stride {stage.stride}, but {told}")
        side = rows[f"stages.{index}.0"][1:]
    outs = _outputs(subject)
    for name, row in rows.items():
        if name.startswith("stages.") and outs[name] != (3, *row):
            raise LawBroken(f"{name} puts out {outs[name]} for 3 images, and its row says {show_shape(row)}")


def _outputs(subject: Subject) -> dict[str, tuple[int, ...]]:
    """Returns the shapes that all modules put out for 3 images."""
    import torch

    network, outs = subject.network.build(0).eval(), dict[str, tuple[int, ...]]()
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, out, name=name: outs.update({name: tuple(out.shape)}))
    with torch.no_grad():
        network(subject.images(3))
    return outs


def costs(subject: Subject) -> None:
    """MACs, parameters and activations are those that are measured."""
    from blocks.cost import measure

    said, measured = subject.network.cost(subject.shape), measure(subject.network.build(0), subject.shape)
    if said != measured:
        raise LawBroken(f"said are {said}; measured are {measured}")


def memory(subject: Subject) -> None:
    """The bytes that the backward pass keeps are those that are measured."""
    from blocks.counting import saved_bytes

    count = 3
    said = subject.network.training_memory(subject.shape, count).activations
    measured = saved_bytes(subject.network.build(0), subject.images(count))
    if measured != said:
        raise LawBroken(f"said are {said:,} bytes for {count} images; measured are {measured:,}")


def sums(subject: Subject) -> None:
    """Maps that are added are of equal shapes: nothing is broadcast."""
    from blocks.counting import observe

    for name, layer, given in subject.layers_and_inputs():
        try:
            observe(layer.build, given)
        except InfeasibleSpec as error:
            raise LawBroken(f"{name}: {error}") from None


def plain_data(subject: Subject) -> None:
    """The spec survives YAML and JSON unchanged."""
    spec = subject.network
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        path.write_text(spec.to_yaml(), encoding="utf-8")
        again: dict[str, Any] = {"YAML": NetworkSpec.from_yaml(path)}
    again["JSON"] = NetworkSpec.model_validate_json(spec.canonical_json)
    for form, other in again.items():
        if other != spec or other.to_yaml() != spec.to_yaml() or other.identity != spec.identity:
            raise LawBroken(f"through {form}, {spec.canonical_json} becomes {other.canonical_json}")
