"""Factors: what a study varies, anywhere in it, and the levels it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from blocks.base import Count, Flag, Number, Positive, Spec, Text, canonical
from blocks.documentation import not_together
from search.paths import Path

OFF = "off"
"""The name of the level at which a part is taken off."""


class Range(Spec):
    """Every number from ``low`` to ``high``, both included; whole numbers if both ends (and the step) are."""

    low: Number
    high: Number
    step: Positive | None = None
    log: Flag = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("a log range starts above 0 and takes no step")
        return self

    @property
    def whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return all(number.is_integer() for number in (self.low, self.high, self.step or 1.0))

    def grid(self) -> list[int | float] | None:
        """Returns the numbers of the range in order, or None if there is no end of them."""
        return None if self._grid is None else list(self._grid)

    @property
    def has_grid(self) -> bool:
        """Whether there is an end of numbers."""
        return self._grid is not None

    @cached_property
    def _grid(self) -> tuple[int | float, ...] | None:
        step = self.step or (1.0 if self.whole else None)
        if step is None or (self.high - self.low) / step > 1000:
            return None
        count = int((self.high - self.low) / step + 1e-9) + 1
        # Rounded to 12 digits: 0.1 + 2 * 0.1 is to be the 0.3 that a user would write as a level.
        numbers = [round(self.low + index * step, 12) for index in range(count)]
        return tuple(int(number) for number in numbers) if self.whole else tuple(numbers)


class Scale(Spec):
    """Levels relative to the baseline's own value: its multiples, rounded to a multiple of a whole number."""

    scale: Annotated[tuple[Positive, ...], Field(min_length=1)]
    multiple_of: Count = 1

    def applied(self, value: float, scale: float) -> int | float:
        """Returns ``value * scale``; a whole number stays one, rounded to ``multiple_of`` and never below it."""
        if isinstance(value, int):
            return max(self.multiple_of, int(value * scale / self.multiple_of + 0.5) * self.multiple_of)
        return value * scale


def _levels(value: Any) -> Any:
    if value is None:  # as a resolved study writes it
        return None
    if isinstance(value, Mapping) and "scale" in value:
        return Scale.model_validate(value)
    if isinstance(value, (Mapping, list, tuple, Scale)) and (isinstance(value, Scale) or len(value) > 0):
        return value
    raise ValueError("levels are a list of values, a mapping of named patches, or {scale: [0.5, 2]}")


class Factor(Spec):
    """One thing that is varied.

    Attributes:
        path: Where the levels go, such as ``network.stages[*].width``; needed unless every level is a named patch.
        levels: A list of values; or names, each with the value for ``path`` or (without a path) with a patch that
            maps paths to values; or ``{scale: [0.5, 2], multiple_of: 8}``, relative to the baseline.
        range: Numbers from low to high, both included. A design that lists its arms needs a range with an end to
            it: whole numbers, or a step.
        off: What there is in place of the baseline's part where that is taken off (``0.0``, ``none``), or, without a
            path, a patch. The design ``leave_one_out`` asks for it, and for nothing else; to other designs it is one
            more level, named ``off``.
        same_as: The value follows another factor's, ``times`` as large.
        when: The factor is varied only where other factors have one of the given levels.
    """

    model_config = ConfigDict(json_schema_extra=not_together("levels", "range", "same_as"))

    path: Text | None = None
    levels: Annotated[Any, BeforeValidator(_levels, json_schema_input_type=list[Any] | dict[str, Any] | None)] = None
    range: Range | None = None
    off: Any = None
    same_as: Text | None = None
    times: Positive = 1.0
    when: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("levels", "range", "same_as") if getattr(self, name) is not None]
        if len(ways) > 1 or not (ways or self.off is not None):
            raise ValueError(f"a factor has one of levels, range and same_as, not {' and '.join(ways) or 'none'}")
        if self.off is not None and ways and ways != ["levels"]:
            raise ValueError(f"'off' stands alone or beside levels, not beside {ways[0]}")
        parts = [part for part in (self.levels, self.off) if part is not None]
        named_patches = bool(parts) and all(isinstance(part, Mapping) for part in parts)
        if isinstance(self.levels, Mapping) and OFF in self.levels and self.off is not None:
            raise ValueError("a level is named 'off', and 'off' is given beside it")
        if self.path is None and not named_patches:
            raise ValueError("this factor needs a path")
        if self.path is None and not all(isinstance(patch, Mapping) for patch in (self.levels or {}).values()):
            raise ValueError("without a path, every named level maps paths to values")
        return self


@dataclass(frozen=True)
class Level:
    """One value of a variable: its label in tables, and the changes to the study that it stands for."""

    label: str
    value: Any
    changes: tuple[tuple[Path, Any], ...] = ()


@dataclass(frozen=True)
class Variable:
    """One independent choice: a factor, or one stage's part of a factor with ``[each]``. A column of the tables.

    Attributes:
        levels: The declared levels; empty for a range and for a link.
        baseline: The label of the baseline's own value.
        base: The baseline's value where it is one number, for links.
        when: For each variable that this one depends on, the labels under which it is varied.
    """

    name: str
    factor: str
    path: Path | None
    baseline: str
    base: Any = None
    levels: tuple[Level, ...] = ()
    range: Range | None = None
    same_as: str | None = None
    times: float = 1.0
    when: dict[str, frozenset[str]] = field(default_factory=dict)

    def level(self, value: int | float) -> Level:
        """Returns the level of a number in the range, or of a link."""
        if self.range is not None and self.range.has_grid:
            return self._on_grid.get(value) or self._level(value)
        if self.range is not None:
            # Four digits: more say nothing, and nobody can read them.
            digits = value if self.range.whole else float(f"{value:.4g}")
            value = min(max(digits, self.range.low), self.range.high)
        return self._level(value)

    def listed(self) -> tuple[Level, ...] | None:
        """Returns the levels in order, a range's grid included, or None where they can't be listed."""
        if self.range is None:
            return self.levels
        return tuple(self._on_grid.values()) if self.range.has_grid else None

    @cached_property
    def _on_grid(self) -> dict[int | float, Level]:
        """The levels of a range's numbers: a search asks thousands of times for them."""
        assert self.range is not None
        return {number: self._level(number) for number in self.range.grid() or ()}

    def _level(self, value: int | float) -> Level:
        assert self.path is not None
        number = canonical(value)
        return Level(label(number), number, ((self.path, number),))


Choice = dict[str, Level]
"""A level for some variables, by name; the others keep the baseline's own value."""

Kept = frozenset[str] | tuple[float, float]
"""What is kept of a variable where not all of it is to be drawn: labels of levels, or the ends of a part of a range."""


def label(value: Any) -> str:
    """Returns the text of a level in tables: ``4``, ``true``, ``se``, ``group(groups=4)``."""
    value = canonical(value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict) and "kind" in value:
        rest = ", ".join(f"{key}={label(item)}" for key, item in value.items() if key != "kind")
        return f"{value['kind']}({rest})" if rest else str(value["kind"])
    if isinstance(value, dict):
        return ", ".join(f"{key}={label(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "/".join(_runs(label(item) for item in value))
    return str(value)


def _runs(labels: Iterator[str]) -> list[str]:
    distinct = list(labels)
    return distinct[:1] if len(set(distinct)) == 1 else distinct
