"""Ray itself: started privately beside other work, or joined where a cluster is named.

A local Ray is private: it never joins another's cluster unless its address is named, listens on the loopback interface
alone, refuses a stranger without the session's token, and has no dashboard.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import blocks
import search
from search import reaper
from search.engine import default_workers

LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""By its name for other systems; on any, "0" gives a Ray that other machines can't join, all of whose ports are on the
loopback interface. An address that ``ray.init`` is given does not: Ray puts the machine's own in place of 127.0.0.1."""


class LocalRay:
    """Starts Ray beside other work, and holds it until closed.

    Ray's processes die with the *thread* that started them, so that thread lives as long as they are needed.
    """

    def __init__(self, address: str | None, slots: int | None = None) -> None:
        self._ready, self._finished = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self.address = address
        self._thread = threading.Thread(target=self._hold, args=(address, slots), daemon=True)
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Blocks until Ray runs. Raises ``ConnectionError`` if it can't be started or reached."""
        self._ready.wait()
        if self._error is not None:
            where = f"at {self.address}" if self.address else "here"
            raise ConnectionError(f"no Ray {where}: {self._error}") from self._error

    def close(self) -> None:
        """Ends Ray, or leaves the cluster that was joined."""
        self._finished.set()
        if self._ready.is_set():  # a Ray that is still starting is left to the reaper
            self._thread.join(timeout=10)
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()  # it waits for that

    def _hold(self, address: str | None, slots: int | None) -> None:
        try:
            self._connect(address, slots)
        except Exception as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._finished.wait()
        sys.modules["ray"].shutdown()

    def _connect(self, address: str | None, slots: int | None) -> None:
        if address is not None:
            _check_reachable(address)
        else:  # a token of our own; a named cluster has its own rules
            token = secrets.token_hex(32)
            self._reaper = _start_reaper(token)
            os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", token
            os.environ[LOOPBACK] = "0"
        # Ray otherwise empties CUDA_VISIBLE_DEVICES for workers without GPUs, and warns that it will stop doing so.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray  # only now: it reads the token's variables when it is imported

        try:
            ray.init(
                address=address or "local",
                num_cpus=None if address else max(slots or 1, default_workers(1)),
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="error",
                runtime_env=_shipped() if address else None,
            )
        except ConnectionError as error:
            if address is None:
                raise
            wanted = "a cluster with a token wants RAY_AUTH_MODE=token and its RAY_AUTH_TOKEN here"
            raise ConnectionError(f"{error}; {wanted}") from error


def _shipped() -> dict[str, Any] | None:
    """Returns the runtime environment that brings our own packages to a cluster's nodes; plugins travel with each job.

    Ray has such environments only with ``ray[default]``; without it the nodes must have the packages themselves.
    """
    if find_spec("aiohttp") is None:
        return None
    packages = [str(Path(module.__file__ or "").parent) for module in (blocks, search)]
    return {"py_modules": packages, "excludes": ["__pycache__"]}


def _check_reachable(address: str) -> None:
    """Tries a named address for some seconds; Ray itself tries for minutes. Raises ``OSError``."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def _start_reaper(token: str) -> subprocess.Popen[bytes]:
    """Starts the process that ends Ray's if this one dies; in a session of its own, out of reach of Ctrl-C."""
    command = [sys.executable, "-I", "-S", str(Path(reaper.__file__))]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert started.stdin is not None
    number, start = reaper.myself()
    started.stdin.write(f"{token} {number} {start}\n".encode())
    started.stdin.flush()
    return started
