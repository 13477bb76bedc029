"""Images a second and the 99th percentile of the time of an answer, over HTTP on this machine.

python -m tests.benchmarks.serving runs/NAME/winner.safetensors --requests 2000 --clients 1 16 64
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from io import BytesIO
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np
from PIL import Image

from blocks import load_model
from search.serve import Served, _parser


def main() -> None:
    """Serves the model, asks it, and prints a row for each number of clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--replicas", type=int, default=1)
    given = parser.parse_args()
    channels, size, _ = load_model(given.file).metadata.input
    served = Served(_parser().parse_args([str(given.file), "--port", "0", "--replicas", str(given.replicas)]))
    try:
        image = _png(channels, size)
        url = f"http://127.0.0.1:{served.port}/"
        asyncio.run(_ask(url, image, 50, 4))
        print(f"{'clients':>8}{'images/s':>12}{'median ms':>12}{'p99 ms':>10}{'failed':>8}")
        for clients in given.clients:
            started = perf_counter()
            seconds, failed = asyncio.run(_ask(url, image, given.requests, clients))
            elapsed = perf_counter() - started
            p99 = sorted(seconds)[int(0.99 * len(seconds))]
            median = 1000 * statistics.median(seconds)
            print(f"{clients:>8}{given.requests / elapsed:>12.0f}{median:>12.2f}{1000 * p99:>10.2f}{failed:>8}")
    finally:
        served.close()


async def _ask(url: str, image: bytes, requests: int, clients: int) -> tuple[list[float], int]:
    seconds: list[float] = []
    failed = 0

    async def client(count: int) -> None:
        nonlocal failed
        async with httpx.AsyncClient(timeout=60) as session:
            for _ in range(count):
                started = perf_counter()
                answer = await session.post(url, content=image)
                seconds.append(perf_counter() - started)
                failed += answer.status_code != 200

    await asyncio.gather(*(client(requests // clients) for _ in range(clients)))
    return seconds, failed


def _png(channels: int, size: int) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, channels), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
