"""How one network is trained: the recipe as data (``TrainSpec``), and the loop that follows it (``search.train.loop``).

Importing this package leaves torch unloaded; ``search.train.loop`` and what it uses import it.
"""

from search.train.augmentations import Augment
from search.train.recipe import TrainSpec

__all__ = ["Augment", "TrainSpec"]
