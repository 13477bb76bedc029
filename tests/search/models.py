"""A run whose models the tests load, verify and export: made once, in this process, in a second or two."""

from __future__ import annotations

import signal
from pathlib import Path

from search.run import main

STUDY = """\
name: small
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 160}
network:
  stem: {kind: conv3x3, width: 8}
  stages:
    - {block: {kind: basic, attention: se}, depth: 1, width: 8}
    - {block: basic, depth: 1, width: 16, stride: 2}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}, diagnosis: "off"}
factors:
  width: {path: "network.stages[1].width", levels: [12, 20]}
design: {kind: one_at_a_time, seeds: 1}
confirm: {finalists: 1, seeds: 2, best_under: {cost: params, limits: [6000, 9000]}}
"""


def small_run(folder: Path) -> Path:
    """Runs the study; returns its run directory."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    (folder / "small.yaml").write_text(STUDY)
    try:
        assert main([str(folder / "small.yaml"), "--inline", "--out", str(folder / "run")]) == 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return folder / "run"
