"""Every number of report.json, computed again from the files of the run directory by scipy, statsmodels or by hand.

One file a part of the record. A check says which places of the record it has held against its own numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.reports.evidence import Run
from tests.reports.recomputed import (
    arms,
    confirmed,
    counts,
    curves,
    diagnosis,
    effects,
    factorials,
    figures,
    noise,
    outlook,
    panels,
    recipes,
    search,
    spaces,
)

CHECKS: tuple[Callable[[Run], None], ...] = (
    *(arms.check, confirmed.check, effects.check, factorials.check, outlook.check, search.check),
    *(noise.check, recipes.check, spaces.check, counts.check, panels.check, curves.check, figures.check),
    diagnosis.check,
)
