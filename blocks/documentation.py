"""What the JSON schemas say besides types: what the docstrings of specs say, field by field, and what excludes what."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from itertools import combinations
from typing import Any

from blocks.base import Spec

_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):$", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)


def not_together(*names: str) -> dict[str, Any]:
    """Returns what a schema says of fields of which at most one may be given; those that are null aren't given."""
    given = {"not": {"type": "null"}}
    return {
        "allOf": [
            {"not": {"required": list(pair), "properties": dict.fromkeys(pair, given)}}
            for pair in combinations(names, 2)
        ]
    }


def summary(spec: type[Spec]) -> str:
    """Returns a spec's docstring without its sections, as it is written."""
    text = inspect.cleandoc(spec.__doc__ or "")
    section = _SECTION.search(text)
    return _plain(text[: section.start()] if section else text)


def field_texts(spec: type[Spec]) -> dict[str, str]:
    """Returns what is said of a spec's fields: under ``Attributes:``, or in a string below the field.

    A spec says it for those that are derived from it too.
    """
    found: dict[str, str] = {}
    for base in reversed(spec.__mro__):
        if issubclass(base, Spec) and base is not Spec:
            found |= {**_listed(base), **_below(base)}
    return {name: text for name, text in found.items() if name in spec.model_fields}


def _listed(spec: type[Spec]) -> dict[str, str]:
    text = inspect.cleandoc(spec.__doc__ or "")
    section = next((match for match in _SECTION.finditer(text) if match.group(1) == "Attributes"), None)
    if section is None:
        return {}
    after = text[section.end() :]
    end = _SECTION.search(after)
    parts = _ENTRY.split(textwrap.dedent(after[: end.start()] if end else after).strip("\n"))
    return {name: _plain(said) for name, said in zip(parts[1::2], parts[2::2], strict=True)}


def _below(spec: type[Spec]) -> dict[str, str]:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(spec))).body
    assert isinstance(node, ast.ClassDef)
    found = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            said = after.value
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                found[field.target.id] = _plain(said.value)
    return found


def _plain(text: str) -> str:
    """Returns paragraphs of running text, code in single backticks."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text).strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("``", "`")
