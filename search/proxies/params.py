"""The number of parameters: the yardstick that every other proxy has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search.proxies import PROXIES, ProxySpec

if TYPE_CHECKING:
    from search.arms import Arm


@PROXIES.register
class Parameters(ProxySpec):
    """The more parameters, the better."""

    kind: Literal["params"] = "params"

    def score(self, arm: Arm) -> float:
        return arm.value("params")
