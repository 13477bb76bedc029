"""No policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search.train.policies import POLICIES, PolicySpec

if TYPE_CHECKING:
    import torch

    from search.train.programme import Programme


@POLICIES.register
class NoPolicy(PolicySpec):
    """Images as they are."""

    kind: Literal["none"] = "none"

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Programme | None:
        return None
