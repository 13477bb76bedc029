"""Studies for the tests, small enough to read beside what they are to show."""

from __future__ import annotations

from typing import Any

from blocks.source import parse_yaml
from search.plan import Plan
from search.space import Space
from search.study import Study, resolve_study

BASE = """\
name: tiny
data: {kind: synthetic, image_size: 8, channels: 1, num_classes: 4, images: 120}
network:
  stem: {kind: conv3x3, width: 4}
  stages:
    - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 8}
    - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 16, stride: 2}
train: {epochs: 1, batch_size: 16, optimizer: {kind: sgd, lr: 0.1}}
"""


def study(*rest: str, base: str = BASE) -> Study:
    """Returns the base study with more lines of YAML below it."""
    return resolve_study(parse_yaml(base + "\n".join(rest) + "\n", "study.yaml"))


def space(*rest: str, base: str = BASE) -> Space:
    """Returns the space of the base study with more lines of YAML below it."""
    return Space(study(*rest, base=base))


def plan(*rest: str, base: str = BASE) -> Plan:
    """Returns the plan of the base study with more lines of YAML below it."""
    return Plan(study(*rest, base=base))


def at(plain: Any, *location: str | int) -> Any:
    """Returns the value at a location of plain data."""
    for part in location:
        plain = plain[part]
    return plain
