"""Evolution towards reference directions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class NSGA3(OptunaSampler):
    """NSGA-III in generations of ``startup`` arms, for three objectives and more (Deb and Jain 2014)."""

    kind: Literal["nsga3"] = "nsga3"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.NSGAIIISampler(seed=seed, population_size=design.startup)
