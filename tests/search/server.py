"""Real processes of the real command without the seconds that imports take: they are forked off one that has imported.

``python -m tests.search.server`` reads one JSON request a line and answers each with numbers: ``{"start": {...}}``,
whose fields are the arguments of `_started`, with the process's, and ``{"wait": PROCESS}`` with its exit code, the
seconds of a CPU that it used, and the bytes that it held at most. Each process has a session of its own, so that no
signal meant for it reaches others.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from typing import Any

IMPORTED = (
    "torch", "optuna", "pandas", "scipy.stats", "jinja2", "blocks", "blocks.weights", "reports.page", "search.run",
    "search.plan", "search.workplace", "search.session", "search.settle", "search.train.loop", "search.data",
)  # fmt: skip


def main() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        if "start" in request:
            answer = str(_started(**request["start"]))
        else:
            _, status, usage = os.wait4(request["wait"], 0)
            seconds = usage.ru_utime + usage.ru_stime
            answer = f"{os.waitstatus_to_exitcode(status)} {seconds} {usage.ru_maxrss * 1024}"
        print(answer, flush=True)  # noqa: T201


def _started(module: str, arguments: list[str], folder: str, said: str, step: str) -> int:
    number = os.fork()
    if number:
        return number
    os.setsid()
    os.chdir(folder)
    _point(0, os.devnull, os.O_RDONLY)
    for descriptor, name in ((1, "out"), (2, "err")):
        _point(descriptor, f"{said}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    code = 1
    try:
        sys.argv = [module, *arguments]
        if step:
            from tests.faults.steps import strike_at

            strike_at(step)
        code = importlib.import_module(module).main(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _point(descriptor: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


if __name__ == "__main__":
    main()
