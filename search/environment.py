"""Where a study ran: versions, hardware, commit. An allow-list: nothing of the process's environment is copied."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blocks.plugins import Plugin

PACKAGES = ("torch", "torchvision", "optuna", "ray", "pydantic", "numpy", "pandas", "plotly", "scipy", "scikit-learn")


def environment(plugins: Iterable[Plugin] = ()) -> dict[str, Any]:
    """Returns versions, the commit of the working tree that holds this package, and the hardware, as plain data.

    Args:
        plugins: Whose content is to be told by its SHA-256.
    """
    versions = {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}
    hashes = {plugin.name: plugin.sha256 for plugin in plugins}
    return {"versions": versions, "commit": _commit(), "plugins": hashes, "hardware": hardware()}


def _commit() -> str | None:
    """Returns the commit of our own source, with ``+`` if files were changed since; None outside a checkout."""
    here = Path(__file__).parent
    try:
        commit = _git(here, "rev-parse", "HEAD")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


def hardware() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _processor(), "cores": cores, "memory_gib": round(memory / 2**30, 1), "gpus": _gpus()}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """Returns the names of NVIDIA's cards as their driver lists them; asking torch would mean importing it."""
    folder = Path("/proc/driver/nvidia/gpus")
    if not folder.exists():
        return []
    found = [line for card in sorted(folder.iterdir()) for line in (card / "information").read_text().splitlines()]
    return [line.partition(":")[2].strip() for line in found if line.startswith("Model")]
