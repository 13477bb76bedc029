"""What a comparison allows one to say, in a word."""

from __future__ import annotations

from enum import StrEnum

import pandas as pd

SIGNIFICANCE = 0.05
POWER = 0.80


class Verdict(StrEnum):
    """What a comparison allows one to say, in a word."""

    DETECTED = "detected"
    EQUIVALENT = "equivalent"
    SUGGESTIVE = "suggestive"
    NOT_DETECTED = "not detected"
    NONE = "no verdict"


def judge(frame: pd.DataFrame) -> pd.Series:
    """Returns the verdict of each row, from its ``pairs``, ``planned``, ``p``, ``p_holm`` and ``p_equivalence``.

    - detected: Holm's p is under 5%, and all planned pairs are complete. It stays so inside the margin: that an effect
      is there and that it is too small to matter do not exclude each other, and ``within_margin`` says the second.
    - equivalent: the two one-sided tests place the effect within the margin at 5%, and all planned pairs are complete.
      Each comparison's own error: the tests of equivalence are not corrected for the family.
    - suggestive: p is under 5%, uncorrected.
    - not detected: anything else that was tested.
    - no verdict: nothing to test with, as p is missing.
    """
    complete = frame["pairs"] >= frame["planned"]
    verdicts = pd.Series(Verdict.NOT_DETECTED, index=frame.index, dtype=object)
    verdicts[frame["p"] < SIGNIFICANCE] = Verdict.SUGGESTIVE
    verdicts[complete & (frame["p_equivalence"] < SIGNIFICANCE)] = Verdict.EQUIVALENT
    verdicts[complete & (frame["p_holm"] < SIGNIFICANCE)] = Verdict.DETECTED
    verdicts[frame["p"].isna()] = Verdict.NONE
    return verdicts
