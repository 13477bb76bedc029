"""A network as plain Python: one file that needs torch and nothing else, to be read or pasted into a project.

Every module is written as the call that makes it, from the arguments that it keeps as attributes; the few modules that
torch doesn't have come along as they are. Names in its ``state_dict`` are the network's own, so its weights fit.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import groupby
from types import ModuleType
from typing import Any, NamedTuple

from torch import nn

from blocks.errors import InfeasibleSpec
from blocks.network import Network
from blocks.preprocess import Preprocess
from blocks.weights import TrainedNetwork

WIDTH = 110
PASSED_OVER = {"self", "device", "dtype", "inplace"}
ORDERED_DICT = "from collections import OrderedDict"


class Call(NamedTuple):
    """A call as it is written: ``name(arguments)``, some of them by keyword."""

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()


def python_source(network: Network) -> str:
    """Returns the source of a module whose class ``Network`` is this network; of a loaded one with ``preprocess``.

    Raises:
        InfeasibleSpec: If a module of the user's own can't be written: it doesn't keep an argument as an attribute of
            the same name, or needs more than torch.
    """
    library = _Library()
    functions, stages = _stages(network, library)
    extra = [_preprocess(network, library)] if isinstance(network, TrainedNetwork) else []
    whole = CLASS.format(
        parameters=sum(each.numel() for each in network.parameters()),
        stem=_text(library.call(network.stem), 8),
        stages=_text(Call("nn.Sequential", stages), 8),
        head=_text(library.call(network.head), 8),
    )
    definitions = [*library.definitions.values(), *functions, whole, *extra]
    head = DOCUMENTATION + "\n\nfrom __future__ import annotations\n\n" + library.header()
    return head + "\n\n\n" + "\n\n\n".join(definitions) + "\n"


DOCUMENTATION = '''"""A trained network, written out: it needs torch and nothing else.

    from safetensors.torch import load_file

    network = Network()
    network.load_state_dict(load_file("winner.safetensors"))
    network.eval()
"""'''

CLASS = '''class Network(nn.Module):
    """Stem, stages, head; {parameters:,} parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = {stem}
        self.stages = {stages}
        self.head = {head}

    def forward(self, images: Tensor) -> Tensor:  # N C H W -> N logits
        return self.head(self.stages(self.stem(images)))'''


def _stages(network: Network, library: _Library) -> tuple[list[str], tuple[tuple[str, Any], ...]]:
    """Returns a function for each run of equal blocks, and the calls of them, stage by stage."""
    functions, stages = [], []
    for index, stage in enumerate(network.stages):
        calls = [library.call(block) for block in stage.children()]
        runs, first = [], 0
        for call, alike in groupby(calls):
            name, count = f"stage_{index}_block_{first}", len(list(alike))
            kind = network.spec.stages[index].block_at(first).kind
            functions.append(f"def {name}() -> nn.Module:  # {kind}\n    return {_text(call, 4)}")
            runs.append(("", f"{name}()" if count == 1 else f"*({name}() for _ in range({count}))"))
            first += count
        stages.append(("", Call("nn.Sequential", tuple(runs))))
    return functions, tuple(stages)


def _preprocess(network: TrainedNetwork, library: _Library) -> str:
    """Writes the preprocessing, and the names of the classes."""
    library.define(Preprocess)
    metadata = network.metadata
    arguments = tuple(("", repr(each)) for each in (metadata.input[1:], metadata.mean, metadata.std))
    call = _text(Call("Preprocess", arguments), 0)
    return f"preprocess = {call}\nlabels = {_text(Call('', tuple(('', repr(each)) for each in network.labels)), 0)}"


class _Library:
    """The modules that torch doesn't have, with all that their source names; and what is to be imported."""

    def __init__(self) -> None:
        self.definitions: dict[str, str] = {}
        self._imports = {"from torch import Tensor, nn"}

    def header(self) -> str:
        """Returns the imports, in order."""
        return "\n".join(sorted(self._imports, key=lambda line: (line.startswith("from torch"), line)))

    def call(self, module: nn.Module) -> Call:
        """Returns the call that makes a module."""
        kind = type(module)
        if kind is nn.Sequential:
            return self._sequential(module)
        if kind.__module__.startswith("torch.nn."):
            return Call(f"nn.{kind.__name__}", self._arguments(module))
        self.define(kind)
        return Call(kind.__name__, self._arguments(module))

    def define(self, thing: Any) -> None:
        """Takes along the source of a class or function, and of what it names."""
        if thing.__name__ in self.definitions:
            return
        try:
            text = textwrap.dedent(inspect.getsource(thing))
        except (OSError, TypeError):
            raise InfeasibleSpec(f"the source of {thing.__name__} can't be found") from None
        known = vars(sys.modules[thing.__module__])
        names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        for name in sorted(names & known.keys() - {thing.__name__}):
            self._need(name, known[name], thing)
        self.definitions[thing.__name__] = text.rstrip()

    def _need(self, name: str, value: Any, whose: Any) -> None:
        origin = getattr(value, "__module__", None) or ""
        if name in ("Tensor", "nn"):
            return
        if isinstance(value, ModuleType):
            package, _, last = value.__name__.rpartition(".")
            self._imports.add(f"from {package} import {name}" if last == name and package else f"import {name}")
        elif isinstance(value, (int, float, str, tuple)):
            self.definitions[name] = f"{name} = {value!r}"
        elif origin == whose.__module__ or origin.split(".")[0] == "blocks":
            self.define(value)
        else:
            self._imports.add(f"from {origin} import {name}")

    def _sequential(self, module: nn.Module) -> Call:
        children = [(name, self.call(child)) for name, child in module.named_children()]
        if not children or children[0][0].isdigit():
            return Call("nn.Sequential", tuple(("", child) for _, child in children))
        self._imports.add(ORDERED_DICT)
        return Call("nn.Sequential", (("", Call("OrderedDict", tuple(children))),))

    def _arguments(self, module: nn.Module) -> tuple[tuple[str, Any], ...]:
        """Returns a constructor's arguments, read off the module's attributes; those at their defaults are left out."""
        found: list[tuple[str, Any]] = []
        for name, parameter in inspect.signature(type(module)).parameters.items():
            if name in PASSED_OVER or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if name == "modules":
                children = tuple((child, self.call(part)) for child, part in module.named_children())
                found.append(("", Call("dict", children)))
                continue
            value = self._kept(module, name)
            if parameter.default is parameter.empty or value != parameter.default:
                optional = parameter.default is not parameter.empty
                by_name = optional or isinstance(value, nn.Module) or any(before for before, _ in found)
                shown = self.call(value) if isinstance(value, nn.Module) else repr(value)
                found.append((name if by_name else "", shown))
        return tuple(found)

    def _kept(self, module: nn.Module, name: str) -> Any:
        if not hasattr(module, name):
            raise InfeasibleSpec(
                f"a {type(module).__name__} can't be written out: it doesn't keep its argument '{name}' as an attribute"
            )
        value = getattr(module, name)
        if name == "bias":
            return value is not None and value is not False
        if isinstance(value, tuple) and len(value) in (1, 2) and len(set(value)) == 1:
            return value[0]  # a square's side
        return value


def _text(call: Any, indent: int) -> str:
    """Writes a call on one line if it fits, else an argument a line."""
    if not isinstance(call, Call):
        return str(call)
    parts = [(f"{name}=" if name else "", argument) for name, argument in call.arguments]
    flat = ", ".join(f"{name}{_text(argument, 0)}" for name, argument in parts)
    if len(parts) == 1 and not call.name:
        flat += ","  # a tuple of one
    if "\n" not in flat and len(flat) + len(call.name) + indent < WIDTH - 12:
        return f"{call.name}({flat})"
    inner = " " * (indent + 4)
    lines = "".join(f"{inner}{name}{_text(argument, indent + 4)},\n" for name, argument in parts)
    return f"{call.name}(\n{lines}{' ' * indent})"
