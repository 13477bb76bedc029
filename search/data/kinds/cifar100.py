"""CIFAR-100."""

from __future__ import annotations

from typing import Literal

from search.data.cifar import load_cifar
from search.data.images import Facts, Source
from search.data.official import OfficialSpec
from search.data.spec import DATASETS

# fmt: off
CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish",
    "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange",
    "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine",
    "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk",
    "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale",
    "willow_tree", "wolf", "woman", "worm",
)
# fmt: on


@DATASETS.register
class Cifar100(OfficialSpec):
    """50,000 training and 10,000 test photographs of 32x32 pixels in a hundred classes, a download of 169 MB.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the fine labels.
    """

    kind: Literal["cifar100"] = "cifar100"

    def facts(self) -> Facts:
        return Facts(3, self.image_size or 32, CLASSES, 50_000)

    def load(self) -> Source:
        return load_cifar("CIFAR100", self.folder, self.validation_fraction)
