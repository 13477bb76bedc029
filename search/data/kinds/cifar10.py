"""CIFAR-10."""

from __future__ import annotations

from typing import Literal

from search.data.cifar import load_cifar
from search.data.images import Facts, Source
from search.data.official import OfficialSpec
from search.data.spec import DATASETS

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@DATASETS.register
class Cifar10(OfficialSpec):
    """50,000 training and 10,000 test photographs of 32x32 pixels in ten classes, a download of 170 MB.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    kind: Literal["cifar10"] = "cifar10"

    def facts(self) -> Facts:
        return Facts(3, self.image_size or 32, CLASSES, 50_000)

    def load(self) -> Source:
        return load_cifar("CIFAR10", self.folder, self.validation_fraction)
