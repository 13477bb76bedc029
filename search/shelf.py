"""Prepared images, each set loaded once in a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search.data.images import Splits
from search.data.prepare import prepare
from search.data.spec import DATASETS

KEPT_CUTS = 4
"""How many cuts of the images for single seeds are held in memory."""


@dataclass
class Shelf:
    """Prepared images by their data spec and their cut: each set is loaded once in a session, unless there are many."""

    sets: dict[tuple[str, int | None], Splits] = field(default_factory=dict)

    def splits(self, data: Mapping[str, Any], cut: int | None = None) -> Splits:
        """Returns the splits of a data spec as plain data, with a validation split cut anew. Raises ``DataError``."""
        spec = DATASETS.parse(data)
        key = spec.identity, cut
        if key not in self.sets:
            self.sets[key] = prepare(spec, cut)
            cuts = [other for other in self.sets if other[1] is not None]
            for old in cuts[:-KEPT_CUTS]:  # trials go seed by seed: the cuts of seeds gone by are not wanted again
                del self.sets[old]
        return self.sets[key]
