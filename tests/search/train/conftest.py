from __future__ import annotations

import pytest

from search.data import DATASETS, Splits, prepare


@pytest.fixture(scope="session")
def digits() -> Splits:
    return prepare(DATASETS.parse("digits"))


@pytest.fixture(scope="session")
def patterns() -> Splits:
    """Three easy classes of small colour images: an epoch takes milliseconds."""
    return prepare(
        DATASETS.parse({"kind": "synthetic", "images": 300, "num_classes": 3, "image_size": 8, "difficulty": 0.3})
    )
