"""Data sets that torchvision knows how to fetch: checksums verified, downloads one at a time, errors that help."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TypeVar

from blocks.base import Text
from search.data.cache import data_folder, sole_writer
from search.data.spec import DataError, DataSpec, Share

T = TypeVar("T")


class OfficialSpec(DataSpec):
    """A published data set with an official test split; the validation split is cut from its training images."""

    root: Text | None = None
    """The folder of the files, laid out as torchvision does; they are downloaded if they are not there.
    None is ``$RESIDUAL_SEARCH_DATA``, else ``residual-search`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    validation_fraction: Share = 0.2
    """The share of the official training images that becomes the validation split."""

    @property
    def folder(self) -> Path:
        """Where the files are, or will be."""
        return Path(self.root).expanduser() if self.root else data_folder()


def fetch(read: Callable[[bool], T], file: Path, url: str) -> T:
    """Returns what ``read`` reads, downloading it first if it is missing or fails its checksum.

    Downloads happen under a lock: a second process waits, then finds the file there.

    Args:
        read: Verifies and reads the data; its argument says whether it may download.
        file: What is downloaded, for the error message; its folder is the one that is locked.
        url: Where it comes from, for the error message.

    Raises:
        DataError: If the download fails, or what it brings fails its checksum.
    """
    with redirect_stdout(sys.stderr):  # torchvision prints its progress; our stdout carries results only
        try:
            return read(False)
        except RuntimeError:  # torchvision's word for: missing, or the checksum differs
            pass
        with sole_writer(file.parent):
            try:
                return read(True)
            except (RuntimeError, OSError, EOFError) as error:
                raise DataError(
                    f"{file} is missing or fails its checksum, and downloading it from {url} failed "
                    f"({' '.join(str(error).split())}): connect to the network and run again, or put {file.name} "
                    f"into {file.parent} by hand (`root:` names another folder)"
                ) from error
