"""What a trial learns from: data sets as specs, each prepared into three disjoint stratified splits.

Planning asks a spec for its ``facts()``, which opens no image; a run calls ``prepare(spec)`` once.
"""

from search.data.images import Facts, Images, Splits
from search.data.prepare import prepare
from search.data.spec import DATASETS, DataError, DataSpec

__all__ = ["DATASETS", "DataError", "DataSpec", "Facts", "Images", "Splits", "prepare"]
