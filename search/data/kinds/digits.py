"""Handwritten digits that come with scikit-learn: real images without a network."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from search.data.images import Facts, Images, Source
from search.data.spec import DATASETS, DataSpec, Share, leaves_something


@DATASETS.register
class Digits(DataSpec):
    """1,797 handwritten digits of 8x8 pixels in 17 grey levels, from scikit-learn.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998 (its test part). No official split.
    """

    kind: Literal["digits"] = "digits"
    validation_fraction: Share = 0.2
    """The share of all images that becomes the validation split."""
    test_fraction: Share = 0.2
    """The share of all images that becomes the test split."""

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        leaves_something(self.validation_fraction, self.test_fraction)
        return self

    def facts(self) -> Facts:
        return Facts(1, self.image_size or 8, tuple("0123456789"), 1_797)

    def load(self) -> Source:
        from sklearn.datasets import load_digits  # here, because importing it takes most of a second

        bunch = load_digits()
        pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, None]  # 0..16 to 0..255, N 1 8 8
        return Source(Images(pixels, bunch.target.astype(np.int64)), self.validation_fraction, self.test_fraction)
