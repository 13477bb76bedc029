"""Street View House Numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from search.data.images import Facts, Images, Source
from search.data.official import OfficialSpec, fetch
from search.data.spec import DATASETS


@DATASETS.register
class Svhn(OfficialSpec):
    """73,257 training and 26,032 test photographs of house numbers, cropped to a digit of 32x32 pixels (246 MB).

    The "extra" images are left alone. Source: Y. Netzer et al., "Reading Digits in Natural Images with Unsupervised
    Feature Learning", 2011.
    """

    kind: Literal["svhn"] = "svhn"

    def facts(self) -> Facts:
        return Facts(3, self.image_size or 32, tuple("0123456789"), 73_257)

    def load(self) -> Source:
        return Source(self._part("train"), self.validation_fraction, self._part("test"))

    def _part(self, split: str) -> Images:
        from torchvision.datasets import SVHN  # here, because it imports torch

        url, file, _ = SVHN.split_list[split]
        read = fetch(lambda download: SVHN(self.folder, split=split, download=download), self.folder / file, url)
        return Images(np.ascontiguousarray(read.data), np.asarray(read.labels, np.int64))
