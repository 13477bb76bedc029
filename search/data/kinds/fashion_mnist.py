"""Fashion-MNIST."""

from __future__ import annotations

from typing import Literal

from search.data.idx import load_idx
from search.data.images import Facts, Source
from search.data.official import OfficialSpec
from search.data.spec import DATASETS

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@DATASETS.register
class FashionMnist(OfficialSpec):
    """60,000 training and 10,000 test images of clothes, 28x28 grey pixels, a download of 31 MB.

    Source: H. Xiao et al., "Fashion-MNIST", https://arxiv.org/abs/1708.07747.
    """

    kind: Literal["fashion_mnist"] = "fashion_mnist"

    def facts(self) -> Facts:
        return Facts(1, self.image_size or 28, CLASSES, 60_000)

    def load(self) -> Source:
        return load_idx("FashionMNIST", self.folder, self.validation_fraction)
