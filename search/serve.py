"""Answers for images over HTTP: ``python -m search.serve winner.safetensors``.

    curl --data-binary @digit.png http://127.0.0.1:8000/

An image file is sent as the body of a POST; the answer is JSON with a label and all probabilities. A bad image is
answered by 400 and a sentence. GET says what the model is; ``/health`` whether it is well. Requests that come
together are answered in one batch, and replicas come and go with the load. It listens on this machine alone unless
--host says otherwise, and has no users and no encryption: put a server that has in front of it before the world may
ask.

Exit codes: 0 ended by Ctrl-C or SIGTERM; 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from search.commands import count, exit_code, model_file, natural, wrong

MOST_PORTS = 65_535
PLACES = "POST an image to /; GET / says what the model is, GET /health whether it is well"
WAIT_SECONDS = 0.002
"""How long a batch waits for more images."""
WAITING_EACH = 16
"""Requests in flight a replica, beyond which there are to be more replicas."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is told to end; returns the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code("search.serve", lambda: _serve(options))


def _serve(options: argparse.Namespace) -> int:
    from search.answers import Answers

    options.file = model_file(options.file)
    about = Answers(options.file, options.plugin, options.threads).about()  # what is wrong is said before Ray starts
    print(f"search.serve: {options.file} is whole; starting Ray Serve, which takes some seconds", file=sys.stderr)
    served = Served(options)
    try:
        print(f"{options.file}: {len(about['labels'])} labels, images of {'x'.join(map(str, about['input']))}")
        print(f"listening on http://{options.host}:{served.port}/", flush=True)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        while not ended.wait(1.0):
            pass
    finally:
        served.close()
    return 0


class Served:
    """A model on a private local Ray, answering over HTTP; close it, so that no process is left.

    Raises:
        InputError: If Ray Serve isn't installed, or the port is taken.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        from search.local_ray import LocalRay

        missing = [name for name in ("starlette", "aiohttp", "grpc_reflection") if find_spec(name) is None]
        if missing:
            raise wrong(f"this needs Ray Serve, which isn't whole: pip install 'residual-search[serve]' ({missing[0]})")
        self.port = options.port or _free_port(options.host)
        if self.port > MOST_PORTS:
            raise wrong(f"--port {self.port}: ports go up to {MOST_PORTS}")
        if _taken(options.host, self.port):
            raise wrong(
                f"--port {self.port}: something listens on {options.host}:{self.port} already; 0 takes a free one"
            )
        # Serve's own processes need no CPU of their own; each replica takes its threads.
        self._ray = LocalRay(None, options.replicas * options.threads)
        self._ray.wait_until_ready()
        try:
            self._start(options)
        except BaseException:
            self.close()
            raise

    def _start(self, options: argparse.Namespace) -> None:
        from ray import serve

        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        quiet: dict[str, Any] = {"log_level": "ERROR", "enable_access_log": False}
        serve.start(http_options={"host": options.host, "port": self.port}, logging_config=quiet)
        serve.run(_application(options), name="model", logging_config=quiet)

    def close(self) -> None:
        """Ends Ray, and with it Serve and its replicas."""
        self._ray.close()


def _application(options: argparse.Namespace) -> Any:
    """Returns what Serve runs: it is made here, as its decorators need Serve."""
    from ray import serve
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    file, plugins, threads = str(options.file.absolute()), list(map(str, options.plugin)), options.threads

    class Model:
        def __init__(self) -> None:
            from search.answers import Answers, BadImage

            self._answers, self._bad = Answers(file, plugins, threads), BadImage

        @serve.batch(max_batch_size=options.batch, batch_wait_timeout_s=WAIT_SECONDS)  # type: ignore[untyped-decorator]
        async def answer(self, images: list[Any]) -> list[Any]:
            return self._answers.answer(images)

        async def __call__(self, request: Request) -> JSONResponse:
            path = request.url.path
            if path == "/health":
                return JSONResponse({"status": "ok"})
            if path != "/":
                return JSONResponse({"error": f"there is nothing at {path}: {PLACES}"}, 404)
            if request.method == "GET":
                return JSONResponse(self._answers.about())
            if request.method != "POST":
                return JSONResponse({"error": f"{request.method} means nothing here: POST an image"}, 405)
            try:
                image = self._answers.read(await request.body())
            except self._bad as error:
                return JSONResponse({"error": str(error)}, 400)
            return JSONResponse(await self.answer(image))

        def check_health(self) -> None:
            self._answers.about()

    deployed: Any = serve.deployment(
        Model,
        ray_actor_options={"num_cpus": threads},
        max_ongoing_requests=max(4 * options.batch, 4 * WAITING_EACH),
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": options.replicas,
            "target_ongoing_requests": WAITING_EACH,
        },
    )
    return deployed.bind()


def _taken(host: str, port: int) -> bool:
    with _socket(host) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _free_port(host: str) -> int:
    with _socket(host) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _socket(host: str) -> Iterator[socket.socket]:
    """A socket to try an address with. Raises ``InputError`` where this machine can't listen on that."""
    try:
        with socket.socket() as probe:
            yield probe
    except OSError as error:
        raise wrong(f"--host {host}: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    from search.engine import default_workers

    parser = argparse.ArgumentParser(
        prog="python -m search.serve",
        description="Serves a trained model over HTTP with Ray Serve: an image in, labels and probabilities out.",
        epilog=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE_OR_RUN", help="such as runs/NAME/winner.safetensors; of a run, its winner")
    add("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, this machine alone)")
    add("--port", type=natural, default=8000, metavar="N", help="the port; 0 takes a free one (default: 8000)")
    add("--replicas", type=count, default=default_workers(1), metavar="N", help="at most so many (default: one a core)")
    add("--batch", type=count, default=64, metavar="N", help="images answered together, at most (default: 64)")
    add("--threads", type=count, default=1, metavar="N", help="of the CPU, a replica (default: 1)")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
