"""The command line: ``python -m reports RUN_DIR [RUN_DIR ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds the page of each run directory; returns the exit code."""
    folders = _parser().parse_args(arguments).run_dir
    from reports.page import build  # only now: --help should not wait for pandas
    from reports.table import RunError

    code = 0
    for folder in folders:
        try:
            print(build(folder))
        except RunError as error:
            print(error, file=sys.stderr)
            code = max(code, 2)
        except OSError as error:
            print(f"{folder}: the report cannot be written: {error}", file=sys.stderr)
            code = max(code, 5)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description="Writes report.html and report.json into each run directory, from the files that are there.",
        epilog="Several run directories get a page each; a page that compares them is not made yet. "
        "Exit codes: 0 done, 2 not a run directory, 5 the page cannot be written.",
    )
    parser.add_argument("run_dir", nargs="+", metavar="RUN_DIR", help="a directory that search.run wrote")
    return parser


if __name__ == "__main__":
    sys.exit(main())
