"""The number of MACs: the yardstick that every other proxy has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search.proxies import PROXIES, ProxySpec

if TYPE_CHECKING:
    from search.arms import Arm


@PROXIES.register
class Macs(ProxySpec):
    """The more MACs, the better."""

    kind: Literal["macs"] = "macs"

    def score(self, arm: Arm) -> float:
        return arm.value("macs")
