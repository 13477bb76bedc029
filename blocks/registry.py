"""Registries: a kind's name leads to its spec, new kinds are files of their own, and nothing else is edited."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from blocks.base import Spec, did_you_mean

S = TypeVar("S", bound=Spec)

REGISTRIES: list[Registry[Any]] = []
"""Every registry there is, in order of creation."""

POOLED = 4096
"""How many specs a registry that shares them remembers."""

PLUGIN_HINT = "; a kind of your own is known once its file is named under plugins, or given to load_plugins"


class Registry(Generic[S]):
    """The known kinds of one thing (block, norm, data set, ...).

    A registry annotates a pydantic field, ``block: Annotated[BlockSpec, BLOCKS]``, which then takes a mapping with
    a ``kind``, or a bare kind as shorthand for a mapping with nothing but it.

    Args:
        noun: What is registered, in the words of error messages: ``"block"``.
        folder: The package whose modules register the kinds. Its siblings are imported on first use, so a new
            kind is a new file there.
        shared: Whether equal specs are one object. Only for specs that are nothing but their fields: whose validation
            looks at no file.
    """

    def __init__(self, noun: str, folder: str, *, shared: bool = False) -> None:
        self.noun = noun
        self._folder = folder
        self._discovered = False
        self._specs: dict[str, type[S]] = {}
        self._shared = shared
        self._pool: dict[str, S] = {}
        REGISTRIES.append(self)

    def register(self, spec: type[S]) -> type[S]:
        """Registers a spec class under the default of its ``kind`` field; made to be used as a decorator.

        Raises:
            TypeError: If it isn't a class derived from `Spec`.
            ValueError: If another class holds that kind already, or the class declares no kind.
        """
        if not (isinstance(spec, type) and issubclass(spec, Spec)):
            raise TypeError(f"only a class derived from Spec can be registered as a {self.noun}, not {spec!r}")
        field = spec.model_fields.get("kind")
        if field is None or not isinstance(field.default, str):
            raise ValueError(f"{spec.__name__} needs a field such as kind: Literal['name'] = 'name'")
        if not spec.__module__.startswith(f"{self._folder}."):
            self._discover()  # so that it is the newcomer that is told of a clash, not the file of the folder
        holder = self._specs.setdefault(field.default, spec)
        if (holder.__module__, holder.__qualname__) != (spec.__module__, spec.__qualname__):
            raise ValueError(f"the {self.noun} {field.default!r} is registered by {holder.__module__} already")
        self._specs[field.default] = spec
        self._pool.clear()
        return spec

    def kinds(self) -> dict[str, type[S]]:
        """Returns every registered spec class by its kind, in alphabetical order."""
        self._discover()
        return dict(sorted(self._specs.items()))

    def kinds_of(self, module: str) -> tuple[str, ...]:
        """Returns the kinds that a module registered, in that order."""
        return tuple(kind for kind, spec in self._specs.items() if spec.__module__ == module)

    def forget(self, module: str) -> None:
        """Takes back what a module registered; for one that failed half-way."""
        for kind in self.kinds_of(module):
            del self._specs[kind]
        self._pool.clear()

    def parse(self, value: Any) -> S:
        """Validates a spec, a mapping with a ``kind``, or a bare kind.

        Raises:
            PydanticCustomError: If the kind is missing or unknown; the message lists the known ones.
            pydantic.ValidationError: If a field of the kind is wrong.
        """
        self._discover()
        if isinstance(value, Spec):
            if type(value) is self._specs.get(getattr(value, "kind", "")):
                return value
            value = value.plain()
        given = {"kind": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str):
            raise PydanticCustomError(
                "missing_kind",
                "expected one of {known}, or a mapping with such a kind",
                {"known": ", ".join(sorted(self._specs))},
            )
        kind = given["kind"]
        if kind not in self._specs:
            raise PydanticCustomError(
                "unknown_kind",
                "unknown {noun} '{kind}': known are {known}{hint}",
                {
                    "noun": self.noun,
                    "kind": kind,
                    "known": ", ".join(sorted(self._specs)),
                    "hint": did_you_mean(kind, self._specs) or PLUGIN_HINT,
                },
            )
        return self._pooled(kind, given) if self._shared else self._specs[kind].model_validate(given)

    def _pooled(self, kind: str, given: Mapping[str, Any]) -> S:
        """Returns the one spec of these fields: what is said of many blocks alike is validated, and costed, once."""
        try:
            key = json.dumps(given, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError):  # validation says what is wrong with it
            return self._specs[kind].model_validate(given)
        if key not in self._pool:
            if len(self._pool) >= POOLED:
                self._pool.clear()
            self._pool[key] = self._specs[kind].model_validate(given)
        return self._pool[key]

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self._folder)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._folder}.{module.name}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            metadata={"registry": self},  # for blocks.schema
            serialization=core_schema.plain_serializer_function_ser_schema(lambda spec: spec.shared_plain),
        )
