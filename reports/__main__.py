"""The command line: ``python -m reports RUN_DIR [RUN_DIR ...]``."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.table import Table


def main(arguments: Sequence[str] | None = None, processes: int = 1) -> int:
    """Builds the page of each run directory, and one that compares them all; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.out is not None and (len(options.run_dir) < 2 or options.format != "html"):
        parser.error("--out names the page that compares several runs; a run's own page is its report.html")
    folders = options.run_dir
    done, code = _print(folders) if options.format == "md" else _build(folders, processes)
    if len(done) < 2:
        return code
    return max(code, _compare(done, options))


def _build(folders: Sequence[Path], processes: int) -> tuple[list[Path], int]:
    """Builds the page of each folder; returns those that are run directories, and the exit code."""
    from reports.page import build  # only now: --help should not wait for pandas
    from reports.table import RunError

    done, code = [], 0
    for folder in folders:
        try:
            print(build(folder, processes))
            done.append(folder)
        except RunError as error:
            print(error, file=sys.stderr)
            code = max(code, 2)
        except OSError as error:
            print(f"{folder}: the report cannot be written: {error}", file=sys.stderr)
            code = max(code, 5)
    return done, code


def _print(folders: Sequence[Path]) -> tuple[list[Path], int]:
    """Prints a single run as Markdown; several are left to their comparison."""
    tables, code = _read(folders)
    if len(folders) == 1 and tables:
        from reports.findings import find
        from reports.markdown import as_markdown

        print(as_markdown(find(tables[0])), end="")
    return [table.folder for table in tables], code


def _compare(folders: Sequence[Path], options: argparse.Namespace) -> int:
    from reports import compare
    from reports.across import across

    tables, code = _read(folders)
    found = across(tables)
    if options.format == "md":
        print(compare.as_markdown(found), end="")
        return code
    path = options.out or Path("comparison.html")
    try:
        print(compare.write(found, path))
    except OSError as error:
        print(f"{path}: the comparison cannot be written: {error}", file=sys.stderr)
        return 5
    return code


def _read(folders: Sequence[Path]) -> tuple[list[Table], int]:
    from reports.table import RunError, read

    tables, code = [], 0
    for folder in folders:
        try:
            tables.append(read(folder))
        except RunError as error:
            print(error, file=sys.stderr)
            code = 2
    return tables, code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description="Writes report.html and report.json into each run directory, from the files that are there; of "
        "several, also one page that compares them with the first.",
        epilog="Exit codes: 0 done, 2 not a run directory, 5 the page cannot be written.",
    )
    add = parser.add_argument
    add("run_dir", nargs="+", type=Path, metavar="RUN_DIR", help="a directory that search.run wrote")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="where the comparison of several runs goes, its numbers beside it (default: comparison.html here)",
    )
    add("--format", choices=("html", "md"), default="html", help="md: print Markdown for a pull request, write nothing")
    return parser


def _begin_lightly() -> None:
    """Sets up a process that builds pages and ends: half of the time of a small page is what begins it."""
    gc.disable()  # the process ends before looking for garbage among so many rows would pay
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: more threads only wait for each other
    for name in ("f2py", "testing"):  # scipy names all of numpy, and would load what compiles Fortran and what tests
        _postpone("numpy", name)


def _postpone(package: str, name: str) -> None:
    """Has a module of a package loaded when something of it is first used, and not when it is named."""
    found = importlib.util.find_spec(f"{package}.{name}")
    if found is None or found.loader is None:
        return
    found.loader = importlib.util.LazyLoader(found.loader)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    sys.modules[found.name] = module
    setattr(sys.modules[package], name, module)


if __name__ == "__main__":
    _begin_lightly()
    code = main(processes=2)  # a page has no more than two long pieces of work
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking apart what so many rows are made of would take longer than writing the page
