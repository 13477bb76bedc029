"""MNIST."""

from __future__ import annotations

from typing import Literal

from search.data.idx import load_idx
from search.data.images import Facts, Source
from search.data.official import OfficialSpec
from search.data.spec import DATASETS


@DATASETS.register
class Mnist(OfficialSpec):
    """60,000 training and 10,000 test images of handwritten digits, 28x28 grey pixels, a download of 12 MB.

    Source: Y. LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998.
    """

    kind: Literal["mnist"] = "mnist"

    def facts(self) -> Facts:
        return Facts(1, self.image_size or 28, tuple("0123456789"), 60_000)

    def load(self) -> Source:
        return load_idx("MNIST", self.folder, self.validation_fraction)
