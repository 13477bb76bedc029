"""optuna-dashboard on a run, also while it goes on: ``python -m search.dashboard RUN_DIR``.

The dashboard reads Optuna's own files, which no run has. So the record is mirrored into one, in a folder that is thrown
away at the end; nothing is written into the run. Needs ``pip install "residual-search[dashboard]"``.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a user's random.py in the working directory would shadow the library's

import argparse
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from search.run_directory import RunDirectoryError
from search.standing import Entry, Standing

LOOK_SECONDS = 2.0
HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line until Ctrl-C; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m search.dashboard", description=__doc__.split("\n\n")[0])
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args(arguments)
    directory: Path = options.run_dir
    if not (directory / "trials.jsonl").is_file():
        print(f"{directory}: no run directory: there is no trials.jsonl", file=sys.stderr)
        return 2
    if find_spec("optuna_dashboard") is None:
        print('this needs optuna-dashboard: pip install "residual-search[dashboard]"', file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the dashboard ends with us, and the mirror goes
    with tempfile.TemporaryDirectory(prefix="mirror-") as folder:
        journal = Path(folder) / "journal.log"
        mirror = Mirror(directory, journal)
        mirror.follow()
        start = "from optuna_dashboard._cli import main; main()"
        command = [sys.executable, "-c", start, str(journal), "--host", HOST, "--port", str(options.port)]
        with subprocess.Popen(command) as process:
            try:
                return _follow(mirror, process)
            except KeyboardInterrupt:
                return 130
            finally:
                process.terminate()


def _follow(mirror: Mirror, process: subprocess.Popen[bytes]) -> int:
    while process.poll() is None:
        time.sleep(LOOK_SECONDS)
        mirror.follow()
    return process.returncode


class Mirror:
    """A run's trials in an Optuna journal: one study a phase, named after the run and the phase.

    An arm's choice is the trial's parameters where the record keeps it, as it does of a search; else the arm is one
    itself, by its label. Diverged and failed trials are Optuna's failed ones.

    Args:
        directory: The run's.
        journal: The file to write.

    Raises:
        RunDirectoryError: If the record can't be read.
    """

    def __init__(self, directory: Path, journal: Path) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._directory = optuna, directory
        self._storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
        self._studies: dict[str, Any] = {}
        self._seen = 0
        self._choices: dict[str, dict[str, Any]] = {}

    def follow(self) -> None:
        """Takes over what the record has more than at the last time."""
        try:
            standing = Standing.read(self._directory)
        except RunDirectoryError:  # between two looks it may be moved, or mended
            return
        self._choices |= {entry["arm"]: entry["choice"] for entry in standing.of("arm")}
        for entry in standing.entries[self._seen :]:
            if entry["event"] == "finished":
                self._take(standing, entry)
        self._seen = len(standing.entries)

    def _take(self, standing: Standing, entry: Entry) -> None:
        optuna, label = self._optuna, standing.labels.get(entry["arm"], entry["arm"])
        chosen = self._choices.get(entry["arm"], {}) or {"arm": label}
        completed = entry["status"] == "completed"
        states = optuna.trial.TrialState
        trial = optuna.trial.create_trial(
            state=states.COMPLETE if completed else states.FAIL,
            values=[entry["val_accuracy"]] if completed else None,
            params=chosen,
            distributions={name: self._distribution(value) for name, value in chosen.items()},
            user_attrs={name: entry[name] for name in ("trial", "arm", "seed", "status", "reason")} | {"label": label},
            intermediate_values={epoch["epoch"]: epoch["val_accuracy"] for epoch in entry.get("epochs", ())},
        )
        self._study(standing, entry["phase"]).add_trial(trial)

    def _distribution(self, value: Any) -> Any:
        """Returns a distribution that holds a value; a mirror samples nothing, so that it need not be the factor's."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        spread = self._optuna.distributions
        return (
            spread.FloatDistribution(float(value), float(value)) if number else spread.CategoricalDistribution([value])
        )

    def _study(self, standing: Standing, phase: str) -> Any:
        if phase not in self._studies:
            name = standing.session["study"]["name"] if standing.session else self._directory.name
            self._studies[phase] = self._optuna.create_study(
                study_name=f"{name}, {phase}", storage=self._storage, direction="maximize"
            )
        return self._studies[phase]


if __name__ == "__main__":
    sys.exit(main())
