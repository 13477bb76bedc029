"""Where a trial's randomness comes from: its seed, and one stream for each purpose.

Streams do not depend on the architecture, nor on each other: two arms with the same seed see the same images in the
same order with the same crops, whatever their layers draw. All are drawn on the CPU, so that devices agree too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def stream(seed: int, purpose: str) -> torch.Generator:
    """Returns a CPU generator of its own for one purpose: ``"order"``, say."""
    return torch.Generator().manual_seed(seed_of(seed, purpose))


@contextmanager
def seeded_layers(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds torch's global generators, from which layers such as dropout draw, and gives them back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_of(seed, "layers"))
        yield


def seed_of(seed: int, purpose: str) -> int:
    """Returns 63 bits that follow from the seed and the purpose."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:8], "big") >> 1
