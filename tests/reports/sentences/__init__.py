"""What each number in a sentence of the page is: turns of phrase with places for numbers, and where these are from.

One file a kind of sentence; :func:`unexplained` holds a text of the page against all of them.
"""

from __future__ import annotations

from tests.reports.sentences import arms, comparisons, outlook, sections, small, trust, winner
from tests.reports.sentences.matching import unexplained

__all__ = ["arms", "comparisons", "outlook", "sections", "small", "trust", "unexplained", "winner"]
