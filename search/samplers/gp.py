"""Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class GaussianProcess(OptunaSampler):
    """A Gaussian process after ``startup`` proposals: it looks where it expects the front's hypervolume to grow. It
    proposes the more slowly the more arms there are, by their cube: for some hundreds of them."""

    kind: Literal["gp"] = "gp"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=design.startup, deterministic_objective=False)
