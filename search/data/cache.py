"""Where downloaded and decoded data lie on disk, and how two processes keep out of each other's way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.data.spec import DataError

DATA_FOLDER_VARIABLE = "RESIDUAL_SEARCH_DATA"


def data_folder() -> Path:
    """Returns the folder for data of this user, created on first use by whoever writes there.

    It is ``$RESIDUAL_SEARCH_DATA`` if that is set, else ``residual-search`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if chosen := os.environ.get(DATA_FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "residual-search"


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Creates a folder and holds it; a second process that asks for it waits here. The hold dies with its holder.

    Raises:
        DataError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise DataError(
            f"cannot write to the data folder {folder} ({error.strerror}): "
            f"name another with `root:` or the variable {DATA_FOLDER_VARIABLE}"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
