"""Laws of the ways in which a network is run."""

from __future__ import annotations

import torch
from torch import Tensor

from blocks.laws.subject import LawBroken, Subject


def channels_last(subject: Subject) -> None:
    """In the channels-last memory format, the logits are the same."""
    network, images = subject.network.build(0).eval(), subject.images()
    expected = network(images)
    last = network.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
    _demand_equal(last, expected)


def autocast(subject: Subject) -> None:
    """Under bfloat16 autocast, the logits are bfloat16 and all gradients finite."""
    network = subject.network.build(0)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(subject.images(4))
    if logits.dtype != torch.bfloat16:
        raise LawBroken(f"the logits are {logits.dtype}")
    logits.float().sum().backward()
    bad = [name for name, p in network.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
    if bad:
        raise LawBroken(f"gradients that are not finite: {', '.join(bad)}")


def compilation(subject: Subject) -> None:
    """torch.compile makes one graph of it, and the logits are the same."""
    network, images = subject.network.build(0).eval(), subject.images()
    torch._dynamo.reset()
    _demand_equal(torch.compile(network, fullgraph=True, backend="eager")(images), network(images))


def exporting(subject: Subject) -> None:
    """torch.export takes it, for batches of any size, and the logits are the same."""
    network = subject.network.build(0).eval()
    batches = {0: torch.export.Dim("batch", min=1)}
    program = torch.export.export(network, (subject.images(),), dynamic_shapes=(batches,)).module()
    for count in (1, 7):
        _demand_equal(program(subject.images(count)), network(subject.images(count)))


def _demand_equal(actual: Tensor, expected: Tensor) -> None:
    if not torch.allclose(actual, expected, rtol=1e-4, atol=1e-5):
        raise LawBroken(f"the logits differ by up to {(actual - expected).abs().max().item():.2g}")
