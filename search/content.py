"""What the recipe and the data have in common: only a part of them tells one arm from another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

from blocks.base import Spec, canonical_json


class ContentSpec(Spec, ABC):
    """A spec with fields that are no part of an arm's identity; a search asks thousands of times for these texts."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one from another."""

    @cached_property
    def content_json(self) -> str:
        """The canonical JSON of the content."""
        return canonical_json(self.content())
