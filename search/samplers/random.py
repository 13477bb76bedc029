"""Random search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class RandomSearch(OptunaSampler):
    """Every arm is drawn at random, whatever the scores: what every other sampler has to beat (Bergstra and Bengio,
    JMLR 2012)."""

    kind: Literal["random"] = "random"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        return optuna.samplers.RandomSampler(seed=seed)
