"""A quasi-random sequence."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from search.samplers import SAMPLERS, OptunaSampler

if TYPE_CHECKING:
    from search.designs.search import Search


@SAMPLERS.register
class QuasiRandom(OptunaSampler):
    """A scrambled Sobol sequence: as blind to the scores as ``random``, and spread more evenly (Bousquet et al.,
    arXiv:1706.03200). Named levels are drawn at random."""

    kind: Literal["qmc"] = "qmc"

    def made(self, design: Search, seed: int) -> Any:
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.QMCSampler(
                seed=design.sampler_seed,
                scramble=True,
                independent_sampler=optuna.samplers.RandomSampler(seed=seed),
                warn_independent_sampling=False,
            )
