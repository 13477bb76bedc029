"""Evolution by non-dominated sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class NSGA2(OptunaSampler):
    """NSGA-II in generations of ``startup`` arms (Deb et al. 2002)."""

    kind: Literal["nsga2"] = "nsga2"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        return optuna.samplers.NSGAIISampler(seed=seed, population_size=design.startup)
