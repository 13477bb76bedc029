from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.run import main
from tests.blocks.plugins import forgotten

Command = Callable[..., int]


@pytest.fixture
def inline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command in this process, in the test's own folder, without Ray: returns the exit code."""
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: str) -> int:
        with forgotten():
            return main([*arguments, "--inline"])

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
