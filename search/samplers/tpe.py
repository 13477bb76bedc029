"""The tree-structured Parzen estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class TPE(OptunaSampler):
    """TPE after ``startup`` random proposals (Bergstra et al. 2011; several objectives: Ozaki et al. 2022). A proposal
    takes the longer the more arms there are: 0.8 s after 10,000."""

    kind: Literal["tpe"] = "tpe"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=design.startup, constant_liar=True)
