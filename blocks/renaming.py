"""Names of other libraries' tensors into ours."""

from __future__ import annotations

import re
from collections.abc import Iterable


def by_patterns(patterns: Iterable[tuple[str, str]], name: str) -> str:
    """Returns a name with the first pattern that matches its start replaced, or unchanged if none does.

    In what replaces it, ``\\1-1`` is the first group's number less one: torchvision counts stages from 1, we from 0.
    """
    for pattern, ours in patterns:
        if (match := re.match(pattern, name)) is not None:
            ours = re.sub(r"\\(\d)-1", lambda group: str(int(match[int(group[1])]) - 1), ours)
            return match.expand(ours) + name[match.end() :]
    return name
