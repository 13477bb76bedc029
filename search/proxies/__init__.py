"""Zero-cost proxies, one file each: what can be told of an arm before it is trained. A new one is a new file here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from blocks.base import Spec, Text
from blocks.registry import Registry

if TYPE_CHECKING:
    from search.arms import Arm


class ProxySpec(Spec, ABC):
    """A proxy as data."""

    kind: Text

    @abstractmethod
    def score(self, arm: Arm) -> float:
        """Returns a number that is to be large where the arm will be accurate; minus infinity where there is none."""


PROXIES: Registry[ProxySpec] = Registry("proxy", "search.proxies")
