"""What the small commands share: how they end, with one message for what the user can mend, and what they count."""

from __future__ import annotations

import argparse
import math
import sys
import traceback
from collections.abc import Callable
from pathlib import Path


def exit_code(command: str, work: Callable[[], int]) -> int:
    """Returns what the work returns, or what its error means: 2 the input is wrong, 5 the run directory is, 1 a fault
    of the program, 130 interrupted. The message goes to stderr, under the command's name."""
    from blocks import InfeasibleSpec, WeightsError
    from blocks.source import InputError
    from search.data.spec import DataError
    from search.run_directory import RunDirectoryError

    try:
        return work()
    except (InputError, WeightsError, InfeasibleSpec, DataError) as error:
        code, said = 2, str(error)
    except RunDirectoryError as error:
        code, said = 5, str(error)
    except KeyboardInterrupt:
        code, said = 130, "interrupted"
    except Exception:
        traceback.print_exc()
        code, said = 1, "this is a fault of the program"
    print(f"{command}: {said}", file=sys.stderr)
    return code


def wrong(message: str) -> Exception:
    """Returns the error of wrong input; its class is imported when there is one."""
    from blocks.source import InputError

    return InputError(message)


def model_file(path: Path) -> Path:
    """Returns a model's file; of a run directory its winner, which is said. Raises ``InputError`` if it has none."""
    if not path.is_dir():
        return path
    winner = path / "winner.safetensors"
    if not winner.is_file():
        raise wrong(f"{path}: that is a folder without a winner.safetensors; name a model's file")
    print(f"the winner of {path}: {winner}", file=sys.stderr)
    return winner


def demand_place(out: Path, *, folder: bool = False) -> None:
    """Raises ``InputError`` where a file, or a folder, can't be written without harm to what is there."""
    if not out.parent.is_dir():
        raise wrong(f"{out}: there is no folder {out.parent}")
    if not folder and out.is_dir():
        raise wrong(f"{out}: that is a folder; name a file")
    if folder and out.exists() and not out.is_dir():
        raise wrong(f"{out}: that is a file; name a folder")
    if folder and out.is_dir() and any(out.iterdir()) and not (out / "model.safetensors").is_file():
        raise wrong(f"{out}: that folder holds something else; name an empty or a new one")


def count(text: str) -> int:
    """Reads a whole number above 0. Raises argparse's error."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def positive(text: str) -> float:
    """Reads a number above 0. Raises argparse's error."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def share(text: str) -> float:
    """Reads a number above 0 and below 1. Raises argparse's error."""
    value = positive(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and below 1")
    return value


def natural(text: str) -> int:
    """Reads a whole number, 0 allowed. Raises argparse's error."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
