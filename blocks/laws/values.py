"""Laws of what a block's module does with numbers."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import torch

from blocks.laws.subject import LawBroken, Subject
from blocks.show.batch import unreached
from blocks.weights import Metadata, load_model, save_model


def gradients(subject: Subject) -> None:
    """Gradients reach every parameter, once what starts at 0 has moved."""
    if names := unreached(subject.network, subject.images(8)):
        raise LawBroken(f"none reaches {', '.join(names)}")


def seeds(subject: Subject) -> None:
    """Equal seeds give equal values; torch's global generator chooses none of them, and is left as it was."""
    before = torch.random.get_rng_state()
    one = subject.network.build(0).state_dict()
    if not torch.equal(before, torch.random.get_rng_state()):
        raise LawBroken("building moves torch's global generator")
    torch.rand(7)
    other = subject.network.build(0).state_dict()
    torch.random.set_rng_state(before)
    for name, tensor in one.items():
        if not torch.equal(tensor, other[name]):
            raise LawBroken(f"{name} differs between two networks of one seed")


def independence(subject: Subject) -> None:
    """No two blocks, and no two networks, share a tensor; a copy computes the same."""
    one, other = subject.network.build(0), subject.network.build(0)
    places: dict[int, str] = {}
    for network in (one, other):
        for name, tensor in network.state_dict(keep_vars=True).items():
            holder = places.setdefault(tensor.untyped_storage().data_ptr(), name) if tensor.numel() else name
            if holder != name or (network is other and tensor is one.state_dict(keep_vars=True)[name]):
                raise LawBroken(f"{name} is the same tensor as {holder}")
    images = subject.images()
    if not torch.equal(copy.deepcopy(one).eval()(images), one.eval()(images)):
        raise LawBroken("a copy computes something else")


def inputs(subject: Subject) -> None:
    """A block leaves the map that it is given as it was: a shortcut may need it."""
    network, seen = subject.network.build(0), list[tuple[str, torch.Tensor, torch.Tensor]]()
    for (stage, index), block in network.blocks():
        name = f"stages.{stage}.{index}"
        block.register_forward_pre_hook(lambda _, given, name=name: seen.append((name, given[0], given[0].clone())))
    with torch.no_grad():
        network(subject.images())
    for name, given, before in seen:
        if not torch.equal(given, before):
            raise LawBroken(f"{name} changes its own input")


def evaluation(subject: Subject) -> None:
    """In evaluation mode, an image's logits depend on that image alone, and are the same each time."""
    network, images = subject.network.build(0).eval(), subject.images(4)
    with torch.no_grad():
        together, alone = network(images), network(images[:1])
    if not torch.allclose(together[:1], alone, rtol=1e-4, atol=1e-5):
        raise LawBroken("the first of four images gets other logits than the same image alone")


def weights(subject: Subject) -> None:
    """Saved and loaded, a network computes the same."""
    network, channels = subject.network.build(0), subject.shape[0]
    network(subject.images(4))  # so that running statistics have something to say
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_model(path, network, Metadata(input=subject.shape, mean=(0,) * channels, std=(1,) * channels))
        loaded = load_model(path)
    images = subject.images()
    if loaded.spec != subject.network or not torch.equal(loaded(images), network.eval()(images)):
        raise LawBroken("what is loaded computes something else: does some state lie outside parameters and buffers?")
