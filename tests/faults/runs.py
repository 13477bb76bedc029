"""What the tests of faults share: studies, waiting, and the audit."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from search.record import read
from tests.search.command import STUDY, finished, numbers, run

FEW = STUDY.replace("epochs: 2", "epochs: 1")
TINY = FEW.replace("seeds: 2, match: {cost: macs, tolerance: 0.08}", "seeds: 1").replace("seeds: 2}", "seeds: 1}")
"""Three arms, one seed, two trials to confirm."""
FOLDER = "data: {kind: image_folder, root: images, image_size: 8, channels: 1, in_memory: false}"
"""Of images that processes of their own decode."""


def demand_same(directory: Path, whole: Path) -> None:
    """Checks that a run was mended: audit clean, every trial once, the same numbers, the page and the winner there."""
    demand_whole(directory)
    assert numbers(directory) == numbers(whole)
    assert Counter(finished(directory)) == Counter(finished(whole))
    assert (directory / "winner.safetensors").exists()
    assert (directory / "report.html").exists()


def demand_whole(directory: Path) -> None:
    """Checks that the audit finds nothing."""
    done = run(directory.parent, str(directory), module="search.audit")
    assert done.returncode == 0, done.stdout


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it does not hold after {seconds} s"
        time.sleep(0.02)


def count(directory: Path, event: str) -> int:
    """Returns how many entries of an event a record holds."""
    path = directory / "trials.jsonl"
    return sum(entry["event"] == event for entry in read(path)[0]) if path.exists() else 0


def write_images(folder: Path) -> None:
    """Writes a folder of 64 small grey images of two classes."""
    draw = random.Random(0)
    for number in range(64):
        path = folder / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, draw)


def write_image(path: Path, draw: random.Random) -> None:
    """Writes an image of noise."""
    Image.frombytes("L", (8, 8), draw.randbytes(64)).save(path)


def copied(run_directory: Path, folder: Path) -> Path:
    """Returns a copy of a run, with its study beside it, in a folder of its own."""
    shutil.copytree(run_directory, folder / "runs" / "tiny")
    shutil.copy(run_directory.parents[1] / "study.yaml", folder)
    return folder / "runs" / "tiny"


def in_session(session: int) -> list[str]:
    """Returns the names of the processes, other than zombies, of a session."""
    return [name for name, member in _sessions() if member == session]


def _sessions() -> Iterator[tuple[str, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, _, rest = text.rpartition(")")
        state, _, _, member = rest.split()[:4]
        if state != "Z":
            yield name, int(member)
