"""Generators, which write a network's stem, stages and head from a few numbers: one file a kind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import BeforeValidator

from blocks.base import Spec, Text
from blocks.registry import Registry


def _with_kind(block: Any) -> Any:
    return {"kind": block} if isinstance(block, str) else block


class GeneratorSpec(Spec):
    """A few numbers that stand for a whole network.

    Attributes:
        block: What every block gets beside what the generator says: fields such as ``{attention: se}``, another kind
            such as ``preactivation_basic``, or both.
    """

    kind: str
    block: Annotated[dict[Text, Any], BeforeValidator(_with_kind, json_schema_input_type=str | dict[str, Any])] = {}

    @abstractmethod
    def network(self) -> dict[str, Any]:
        """Returns the network as plain data: stem, stages and head, without the number of classes.

        Raises:
            ValueError: If there is no such network; the message says what would be one.
        """

    def final(self) -> dict[str, Any]:
        """Returns the head of a network whose blocks begin with norm and activation: it has the last of them."""
        norm, activation = self.block.get("norm", "batch"), self.block.get("activation", "relu")
        return {"kind": "linear", "norm": norm, "activation": activation}

    def stage(self, block: dict[str, Any], depth: int, width: int, stride: int) -> dict[str, Any]:
        """Returns a stage, its block changed as ``block`` says."""
        return {"block": {**block, **self.block}, "depth": depth, "width": width, "stride": stride}


UNNORMED = {"norm": "none", "activation": "none", "bias": False}
"""What a stem is without, where the first block begins with a norm and an activation."""


GENERATORS: Registry[GeneratorSpec] = Registry("generator", __name__)
