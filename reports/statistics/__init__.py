"""Statistics on any tidy table, one row a measurement: they know nothing of run directories.

    effects(table, baseline="relu", by="activation", pair="seed", value="accuracy")

Paired comparisons (:func:`effects`, :func:`paired`), plans (:func:`power`, :func:`pairs_needed`, :func:`more_pairs`).
"""

from reports.statistics.average import group_means, means
from reports.statistics.correction import holm
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
from reports.statistics.standardise import standardised
from reports.statistics.verdicts import POWER, SIGNIFICANCE, Verdict

__all__ = [
    "POWER",
    "SIGNIFICANCE",
    "Verdict",
    "detectable",
    "effects",
    "equivalence_power",
    "group_means",
    "holm",
    "means",
    "more_pairs",
    "paired",
    "pairs_for_equivalence",
    "pairs_needed",
    "power",
    "sd_interval",
    "standardised",
]
