"""ONNX Runtime's execution providers: what computes a graph, under the names that ONNX Runtime has for them."""

from __future__ import annotations

from blocks.base import did_you_mean
from blocks.source import InputError

CPU = "CPUExecutionProvider"
ENDING = "ExecutionProvider"


def demand_provider(name: str, place: str) -> None:
    """Raises ``InputError`` if the ONNX Runtime that is installed, or none, has no such provider.

    Args:
        place: What named it, for the message: ``--provider``.
    """
    from search.formats import library

    runtime = library("onnxruntime", "onnx")
    there: list[str] = runtime.get_available_providers()
    if name in there:
        return
    has = f"the ONNX Runtime that is installed has {', '.join(sorted(there))}"
    if name in runtime.get_all_providers():
        raise InputError(f"{place}: {has}; another build of it has {name}")
    near = [known for known in there if name and known.lower() == f"{name}{ENDING}".lower()]
    hint = f"; did you mean '{near[0]}'?" if near else did_you_mean(name, there)
    raise InputError(f"{place}: no execution provider is called '{name}': {has}{hint}")


def provider_of(runtime: str) -> str:
    """Returns what computed for a runtime before there was a choice; nothing for torch, which has no providers."""
    return "" if runtime == "torch" else CPU
