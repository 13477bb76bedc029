"""The main command: ``python -m search.run STUDY``. Runs a study, or goes on where it stopped; writes its report.

Exit codes: 0 done; 1 internal error; 2 the input is wrong; 3 done, but some trials failed; 4 the study file no longer
matches the run it would resume; 5 the run directory is busy, full or unreadable; 130 and 143 interrupted.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # ``python -m`` puts the working directory first, where a user's html.py or random.py would shadow the library's.
    sys.path.append(sys.path.pop(0))

import argparse
import errno
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.interrupts import Interrupts, Terminated

if TYPE_CHECKING:
    from search.study import Study

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""What a disk says that is full, or can't be written any more."""

EXIT_CODES = __doc__.split("\n\n")[1]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    interrupts = Interrupts()
    interrupts.listen()
    # Imported here, so that --help and a mistyped option answer at once.
    from blocks.source import InputError
    from search.data.spec import DataError
    from search.resume import StudyChanged
    from search.run_directory import RunDirectoryError
    from search.session import UnknownTrial

    try:
        return _run(options, interrupts)
    except (InputError, DataError, UnknownTrial, ConnectionError) as error:
        return _end(2, str(error))
    except StudyChanged as error:
        return _end(4, str(error))
    except RunDirectoryError as error:
        return _end(5, str(error))
    except (KeyboardInterrupt, Terminated):
        return _end(interrupts.exit_code or 130, "interrupted; the same command goes on from here")
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return _end(
                5, f"{error.filename or 'the disk'}: can't be written: {error.strerror}; the same command goes on"
            )
        traceback.print_exc()
        return _end(1, "this is a fault of the program, not of the study; what was recorded is safe")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.run",
        description="Run a study, or resume it where it stopped, and write its report.",
        epilog=EXIT_CODES,
    )
    add = parser.add_argument
    add("study", type=Path, metavar="STUDY", help="the study file, such as studies/expansion_ablation.yaml")
    add("--dry-run", action="store_true", help="plan only: arms, costs, trials; records nothing")
    add(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override a field, such as train.epochs=3; repeatable",
    )
    add("--out", type=Path, metavar="DIR", help="the run directory (default: runs/<study name>)")
    add("--workers", type=_count, metavar="N", help="trials in flight (default: from the machine)")
    add("--ray", type=_address, metavar="ADDRESS", help="a running Ray cluster (default: a private local one)")
    add("--inline", action="store_true", help="no Ray: train in this process, with the same numbers")
    add("--fresh", action="store_true", help="move an old run directory aside and start again")
    add("--only", metavar="TRIAL", help="run this one trial of the plan, again if it is finished")
    add("--max-failures", type=_natural, metavar="N", help="end early when more than N trials have failed")
    add("--fail-fast", action="store_true", help="end at the first failed trial")
    add("--strict", action="store_true", help="refuse to resume (exit 4) when code, versions or data have changed")
    return parser


def _run(options: argparse.Namespace, interrupts: Interrupts) -> int:
    from search.study import load_study

    if options.ray and options.inline:
        raise _input_error("--ray and --inline exclude each other")
    study = load_study(options.study, tuple(options.set))
    directory = options.out or Path("runs") / study.spec.name
    _demand_free(directory)  # at once: what follows may be planned, and measured, for longer
    from search.stopwatch import Stopwatch, wanted

    entries = _recorded(directory) if wanted(study.spec) and not options.fresh else []
    stopwatch = Stopwatch(study.spec, entries)
    if options.dry_run:
        from search.dry_run import dry_run

        dry_run(study, directory, options.workers, _statistics(), stopwatch)
        return 0
    from search.plan import Plan

    with interrupts.window():  # where networks are timed, a plan takes a while
        plan = Plan(study, stopwatch)
        if plan.adaptive:
            from search.draw import feasible_arms

            feasible_arms(plan)  # a space in which nothing can run is known now, not after the baseline was trained
    _demand_libraries(plan)
    from search.settle import settled
    from search.workers import demand_sound_weights

    with interrupts.window():
        resolved, measured = settled(study, plan, directory, options)
    if resolved is not study:
        study, plan = resolved, Plan(resolved, stopwatch)
    demand_sound_weights(study, plan)
    _prepare_directory(directory, options.fresh)
    return _in_directory(options, study, plan, directory, interrupts, measured)


def _demand_libraries(plan: Any) -> None:
    """Refuses arms that need what isn't installed: before anything is trained, but not when only planning."""
    from search.train.fits import missing

    for arm in plan.arms.values():
        if (lacking := missing(arm.configuration.train)) is not None:
            raise plan.study.source.error(lacking[1], lacking[0])


def _in_directory(
    options: argparse.Namespace,
    study: Study,
    plan: Any,
    directory: Path,
    interrupts: Interrupts,
    measured: dict[str, Any],
) -> int:
    from search.record import Record, RecordWarning
    from search.workplace import Workplace

    new = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecordWarning)
        record = Record(directory)
    try:
        with record, Workplace(options, study, plan, directory, record, interrupts, measured) as workplace:
            for warning in caught:
                workplace.warn(str(warning.message))
            try:
                code = workplace.run()
            finally:
                if workplace.begun:  # also after an interruption: what was finished is on the page
                    report = _report(workplace, directory)
            workplace.finish(report)
            return code
    finally:
        if not record.entries:
            _undo(directory, new)


def _report(workplace: Any, directory: Path) -> Path:
    workplace.write()
    import reports

    return reports.build(directory)


def refresh(directory: Path) -> None:
    """Writes the tables and the page of a study that another process is running, from its record as it stands."""
    from search.workplace import looking_in

    looking_in(directory).write(running=True)
    import reports

    reports.build(directory)


def _undo(directory: Path, new: list[Path]) -> None:
    """Removes a run directory in which nothing happened, and the folders above it that were made for it."""
    for name in ("trials.jsonl", "log.jsonl", ".lock"):
        (directory / name).unlink(missing_ok=True)
    for folder in [directory, *new[1:]]:
        if any(folder.iterdir()):
            return
        folder.rmdir()


def _statistics() -> Any:
    """Returns what the dry run borrows of ``reports``."""
    from reports.planned import planned_effects
    from reports.statistics import detectable, pairs_for_equivalence, pairs_needed
    from search.power import Statistics

    def smallest(sd: float, pairs: int, level: float) -> float:
        return detectable(sd, pairs, level)

    return Statistics(smallest, pairs_needed, pairs_for_equivalence, planned_effects)


def _recorded(directory: Path) -> list[dict[str, Any]]:
    """Returns the entries of a run that is there already."""
    from search.record import read

    record = directory / "trials.jsonl"
    return read(record)[0] if record.exists() else []


def _demand_free(directory: Path) -> None:
    from search.run_directory import RunDirectoryError, busy, holder

    if (held := holder(directory)) is not None:
        raise RunDirectoryError(busy(directory, held))


def _prepare_directory(directory: Path, fresh: bool) -> None:
    if directory.is_symlink():
        raise _input_error(f"{directory} is a symbolic link; name the folder itself with --out")
    if directory.exists() and not directory.is_dir():
        raise _input_error(f"{directory} is a file, not a folder")
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    if not (directory / "trials.jsonl").exists() and not (directory / ".lock").exists():
        raise _input_error(f"{directory} holds files that are not of a run; choose another folder with --out")
    if fresh:
        number = next(n for n in range(1, 10_000) if not directory.with_name(f"{directory.name}.old-{n}").exists())
        directory.rename(directory.with_name(f"{directory.name}.old-{number}"))


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _address(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an address, such as HEAD:6379")
    return text.strip()


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("not below 0")
    return number


def _input_error(message: str) -> Exception:
    from blocks.source import InputError

    return InputError(message)


def _end(code: int, message: str) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
