"""Statistics on any tidy table, one row a measurement: they know nothing of run directories.

    effects(table, baseline="relu", by="activation", pair="seed", value="accuracy")

- Paired comparisons: :func:`effects`, :func:`paired`, :func:`standardised`, :func:`holm`; :func:`means`.
- Factorial experiments with the seed as a block: :func:`factorial`.
- Plans: :func:`power`, :func:`detectable`, :func:`pairs_needed`, :func:`equivalence_power`,
  :func:`pairs_for_equivalence`, :func:`more_pairs`, :func:`sd_interval`.
- Noise of seeds against noise of images: :func:`noise`, :func:`remaining`, :func:`mcnemar`, :func:`image_bootstrap`.
- Selection: :func:`expected_inflation`, :func:`shrinkage`, :func:`shrunken_means`, :func:`confirmed_means`,
  :func:`chances`.
- Short runs for long ones: :func:`rank_agreement`.
- Populations: :func:`edf`, :func:`equalising_weights`, :func:`compare_spaces`, :func:`effective_size`.
"""

from reports.statistics.average import group_means, means
from reports.statistics.coding import Inestimable
from reports.statistics.contenders import chances
from reports.statistics.correction import holm
from reports.statistics.distribution import edf, effective_size
from reports.statistics.factorial import Factorial, factorial
from reports.statistics.images import McNemar, image_bootstrap, mcnemar
from reports.statistics.noise import noise, remaining
from reports.statistics.pairing import effects, paired
from reports.statistics.planning import (
    detectable,
    equivalence_power,
    more_pairs,
    pairs_for_equivalence,
    pairs_needed,
    power,
    sd_interval,
)
from reports.statistics.ranking import RankAgreement, rank_agreement
from reports.statistics.selection import expected_inflation, shrinkage
from reports.statistics.shrinking import confirmed_means, shrunken_means
from reports.statistics.spaces import SpaceDifference, compare_spaces
from reports.statistics.standardise import standardised
from reports.statistics.verdicts import POWER, SIGNIFICANCE, Verdict
from reports.statistics.weights import equalising_weights

__all__ = [
    "POWER",
    "SIGNIFICANCE",
    "Factorial",
    "Inestimable",
    "McNemar",
    "RankAgreement",
    "SpaceDifference",
    "Verdict",
    "chances",
    "compare_spaces",
    "confirmed_means",
    "detectable",
    "edf",
    "effective_size",
    "effects",
    "equalising_weights",
    "equivalence_power",
    "expected_inflation",
    "factorial",
    "group_means",
    "holm",
    "image_bootstrap",
    "mcnemar",
    "means",
    "more_pairs",
    "noise",
    "paired",
    "pairs_for_equivalence",
    "pairs_needed",
    "power",
    "rank_agreement",
    "remaining",
    "sd_interval",
    "shrinkage",
    "shrunken_means",
    "standardised",
]
