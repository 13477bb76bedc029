"""Users' own kinds: a file beside a study that registers blocks, parts, data sets or anything else with a registry.

Nothing is ever imported unless it is named. A plugin is one file that needs no other of its folder, and it is known
by its content: the same content is loaded once in a process, wherever it lies.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Self

from blocks.registry import REGISTRIES
from blocks.source import InputError, Source


class Plugin(NamedTuple):
    """A plugin's file, read; it can be sent to another process and loaded there.

    Attributes:
        name: Of the file, without its folder.
        text: All that it holds.
        origin: Where it was read, as the user wrote it; for messages.
    """

    name: str
    text: str
    origin: str

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Reads a plugin's file; nothing of it is run. Raises ``InputError``."""
        if Path(path).suffix != ".py":
            raise InputError(f"{path}: a plugin is a Python file, whose name ends in .py")
        try:
            return cls(Path(path).name, Path(path).read_text(encoding="utf-8"), str(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise InputError(f"{path}: the plugin can't be read: {reason}") from None

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def module(self) -> str:
        """The name under which Python knows it: the same for the same content, in every process."""
        return f"plugin_{self.sha256[:16]}"

    def kinds(self) -> dict[str, tuple[str, ...]]:
        """Returns what it has registered, by what that is: ``{"block": ("mine",)}``; empty before it is loaded."""
        found = {registry.noun: registry.kinds_of(self.module) for registry in REGISTRIES}
        return {noun: kinds for noun, kinds in found.items() if kinds}

    def load(self) -> None:
        """Runs it, unless its content has been run in this process already.

        Raises:
            InputError: With the plugin's own line, if it fails, registers nothing, or registers a known kind. Nothing
                of it is then left behind.
        """
        if self.module in _LOADED:
            return
        sys.modules[self.module] = module = ModuleType(self.module)
        module.__file__ = self.origin
        # Tracebacks and torch's compiler look a class's source up; on a worker there may be no such file.
        lines = self.text.splitlines(keepends=True)
        linecache.cache[self.origin] = (len(self.text), None, lines, self.origin)
        try:
            exec(compile(self.text, self.origin, "exec"), module.__dict__)
            if not self.kinds():
                raise InputError(f"{self.origin}: registers nothing: put @register_block above the block's class")
        except BaseException as error:
            self._forget()
            if isinstance(error, InputError) or not isinstance(error, Exception):
                raise
            said = error.msg if isinstance(error, SyntaxError) else error
            raise InputError(f"{self.origin}:{self._line(error)}: {type(error).__name__}: {said}") from error
        _LOADED[self.module] = self

    def _forget(self) -> None:
        for registry in REGISTRIES:
            registry.forget(self.module)
        del sys.modules[self.module]

    def _line(self, error: Exception) -> int:
        """Returns the last line of the plugin itself that an error went through."""
        if isinstance(error, SyntaxError) and error.filename == self.origin:
            return error.lineno or 1
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame.lineno for frame in reversed(frames) if frame.filename == self.origin), None) or 1


_LOADED: dict[str, Plugin] = {}


def loaded_plugins() -> tuple[Plugin, ...]:
    """Returns the plugins that this process has loaded, in order."""
    return tuple(_LOADED.values())


def load_plugins(paths: Iterable[str | Path]) -> tuple[Plugin, ...]:
    """Loads plugins, in order; what they register is known from then on.

    Raises:
        InputError: If a file is missing, isn't Python, fails, registers nothing, or registers a known kind.
    """
    plugins = tuple(Plugin.read(path) for path in paths)
    for plugin in plugins:
        plugin.load()
    return plugins


def plugins_of(source: Source) -> tuple[Plugin, ...]:
    """Loads the files that a study names under ``plugins``, relative to its own. Raises ``InputError``."""
    names = source.data.get("plugins", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise source.error(("plugins",), "expected a list of files beside the study, such as [my_block.py]")
    found: list[Plugin] = []
    for index, name in enumerate(names):
        try:
            plugin = Plugin.read(Path(source.origin).parent / name)
        except InputError as error:
            raise source.error(("plugins", index), str(error)) from None
        if plugin.name in {other.name for other in found}:
            message = f"two plugins called {plugin.name}; a run keeps copies of both in one folder"
            raise source.error(("plugins", index), message)
        plugin.load()
        found.append(plugin)
    return tuple(found)
