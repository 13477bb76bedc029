"""A network as a drawing: its stages side by side, and under them what is inside each block that looks different."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import NamedTuple

from blocks.cost import Cost, Shape
from blocks.layers import Layer, show_shape
from blocks.receptive import through
from blocks.show.columns import share
from blocks.show.diagram import diagram, with_channels
from blocks.show.picture import STYLE, Picture, above, box, moved, text, text_width
from blocks.show.rows import cost_of, runs, stage_name
from blocks.spec import NetworkSpec
from blocks.walk import Part

MARGIN, BETWEEN, ROOM = 32.0, 34.0, 1180.0


class Group(NamedTuple):
    """Blocks of one stage that follow one another and look alike."""

    stage: str
    kind: str
    repeats: int
    picture: Picture
    layers: tuple[Layer, ...]

    def joined(self, other: Group) -> Group:
        """Returns one group of both, for blocks that look alike in other stages too."""
        return self._replace(repeats=self.repeats + other.repeats, layers=self.layers + other.layers)


def drawing(spec: NetworkSpec, shape: Shape, title: str) -> str:
    """Returns a network as an SVG document that needs nothing else, for images of C H W.

    Raises:
        InfeasibleSpec: If there can be no such network at this input.
    """
    parts = runs(spec, shape)
    total = spec.cost(shape)
    stages = [list(stage) for _, stage in groupby(parts, key=lambda run: stage_name(run[0]))]
    groups = [_groups([part for part, _ in stage]) for stage in stages]
    names = _names(group for stage in groups for group in stage)
    captions = []
    for stage in stages:
        part, given = stage[-1]
        macs = sum((cost_of(one) for one, _ in stage), Cost()).macs
        field = f"field {through(part.layer, given, part.repeats)}"
        captions.append([show_shape(part.each.output), field, f"{share(macs, total.macs)} of MACs"])
    columns = [_column(stage, names, caption) for stage, caption in zip(groups, captions, strict=True)]
    panels = [_panel(name, group) for name, group in _distinct(groups, names) if group.picture.svg]
    rows = [*_wrapped(columns, arrows=True), *_wrapped(panels, arrows=False)]
    said = f"input {show_shape(shape)}; {total}"
    return _document(title, said, rows)


def _groups(parts: list[Part]) -> list[Group]:
    drawn = [(part, diagram(part.layer)) for part in parts]
    return [
        Group(
            stage_name(parts[0]),
            kind,
            sum(part.repeats for part, _ in alike),
            alike[0][1],
            tuple(part.layer for part, _ in alike),
        )
        for (kind, _), run in groupby(drawn, key=lambda pair: (pair[0].kind, pair[1].svg))
        for alike in [list(run)]
    ]


def _names(groups: Iterable[Group]) -> dict[tuple[str, str], str]:
    """Returns a name for each block that looks different: its kind, numbered where there are several of a kind."""
    looks: dict[str, list[str]] = {}
    for group in groups:
        seen = looks.setdefault(group.kind, [])
        if group.picture.svg not in seen:
            seen.append(group.picture.svg)
    return {
        (kind, svg): kind if len(svgs) == 1 else f"{kind} {chr(65 + index) if index < 26 else index + 1}"
        for kind, svgs in looks.items()
        for index, svg in enumerate(svgs)
    }


def _distinct(stages: list[list[Group]], names: dict[tuple[str, str], str]) -> list[tuple[str, Group]]:
    found: dict[str, Group] = {}
    for stage in stages:
        for group in stage:
            name = names[group.kind, group.picture.svg]
            before = found.get(name)
            found[name] = group if before is None else before.joined(group)
    return list(found.items())


def _column(groups: list[Group], names: dict[tuple[str, str], str], captions: list[str]) -> Picture:
    """Returns a stage: its name, its blocks, and under them what comes out."""
    labels = [(names[group.kind, group.picture.svg], group.repeats) for group in groups]
    blocks = above([box(name if count == 1 else f"{name} × {count:,}", "block") for name, count in labels])
    title = groups[0].stage
    width = max(blocks.width, *map(text_width, [title, *captions]))
    y = 24 + blocks.height
    lines = [text(line, width / 2, y + 18 + 15 * index, "middle", "quiet") for index, line in enumerate(captions)]
    svg = text(title, width / 2, 12, "middle", "head") + moved(blocks, width / 2 - blocks.axis, 24) + "".join(lines)
    return Picture(width, y + 18 + 15 * len(captions), width / 2, svg)


def _panel(name: str, group: Group) -> Picture:
    """Returns what is inside a block, under its name."""
    inside, title = with_channels(group.layers), name if group.repeats == 1 else f"{name} × {group.repeats:,}"
    axis = max(inside.axis, text_width(title) / 2)
    width = axis + max(inside.width - inside.axis, text_width(title) / 2)
    inner = above([Picture(0, 0, 0, ""), inside, Picture(0, 0, 0, "")])
    svg = text(title, axis, 12, "middle", "head") + moved(inner, axis - inner.axis, 20)
    return Picture(width, 20 + inner.height, axis, svg)


def _wrapped(pictures: list[Picture], *, arrows: bool) -> list[Picture]:
    """Returns pictures side by side, in as many rows as they need."""
    rows: list[list[str]] = []
    sizes: list[tuple[float, float]] = []
    for picture in pictures:
        if not rows or sizes[-1][0] + BETWEEN + picture.width > ROOM:
            rows.append([])
            sizes.append((-BETWEEN, 0))
        width, height = sizes[-1]
        x = width + BETWEEN
        if arrows and picture is not pictures[0]:
            rows[-1].append(f'<path class="arrow" d="M{x - 26:g} 32h10v-4l8 8l-8 8v-4h-10z"/>')
        rows[-1].append(moved(picture, x, 0))
        sizes[-1] = x + picture.width, max(height, picture.height)
    return [Picture(*size, 0, "".join(row)) for row, size in zip(rows, sizes, strict=True)]


def _document(title: str, said: str, rows: list[Picture]) -> str:
    y, parts = 84.0, [text(title, MARGIN, 40, style="title"), text(said, MARGIN, 60, style="quiet")]
    for row in rows:
        parts.append(moved(row, MARGIN, y))
        y += row.height + BETWEEN
    width = 2 * MARGIN + max(text_width(said), *(row.width for row in rows))
    size = f'width="{width:.0f}" height="{y:.0f}" viewBox="0 0 {width:.0f} {y:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}: {escape(said)}</title>'
    return f"{head}<style>{STYLE}</style>{''.join(parts)}</svg>"
