from __future__ import annotations

from pathlib import Path

import pytest

from search.data import DATASETS, DataSpec
from search.data.cache import DATA_FOLDER_VARIABLE
from tests.search.data.examples import example


@pytest.fixture(autouse=True)
def data_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps what a test downloads or decodes out of the user's data folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(DATA_FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture(params=sorted(DATASETS.kinds()))
def spec(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSpec:
    """Every registered data set in turn."""
    return example(request.param, tmp_path / "data", monkeypatch)
