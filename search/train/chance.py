"""Where a trial's randomness comes from: its seed, and one stream for each purpose.

Streams do not depend on the architecture, nor on each other: two arms with the same seed see the same images in the
same order with the same crops, whatever their layers draw. All are drawn on the CPU, so that devices agree too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

HELD = 0
"""The seed of what a study holds at one value while its seeds vary the rest."""


@dataclass(frozen=True)
class Seeds:
    """A trial's seed, and what it varies; all else is drawn alike under every seed.

    Attributes:
        varied: Of ``initialisation``, ``order`` and ``augmentation``. The last stands for every draw of a training
            step: crops and flips, and what layers such as dropout draw.
    """

    seed: int
    varied: frozenset[str]

    def of(self, purpose: str) -> int:
        """Returns the seed for one purpose."""
        source = purpose if purpose in {"initialisation", "order"} else "augmentation"
        return self.seed if source in self.varied else HELD


def stream(seed: int | Seeds, purpose: str) -> torch.Generator:
    """Returns a CPU generator of its own for one purpose: ``"order"``, say."""
    return torch.Generator().manual_seed(seed_of(seed, purpose))


@contextmanager
def seeded_layers(seed: int | Seeds, device: torch.device) -> Iterator[None]:
    """Seeds torch's global generators, from which layers such as dropout draw, and gives them back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_of(seed, "layers"))
        yield


def seed_of(seed: int | Seeds, purpose: str) -> int:
    """Returns 63 bits that follow from the seed and the purpose."""
    number = seed.of(purpose) if isinstance(seed, Seeds) else seed
    return int.from_bytes(hashlib.sha256(f"{number} {purpose}".encode()).digest()[:8], "big") >> 1
