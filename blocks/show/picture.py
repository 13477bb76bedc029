"""Boxes and lines: small pictures that are put together to larger ones, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

LETTER = 6.6
"""About the width of a letter, in units of the drawing, where text is 12 high."""

BOX = 24
GAP = 12
BEND = 8
RADIUS = 9

STYLE = """
svg{font:12px system-ui,sans-serif;background:#fff;color-scheme:light dark}text{fill:#1b1f24}.title{font-size:18px;
font-weight:600}.head{font-weight:600}.quiet{fill:#57606a;font-size:11px}rect,circle{stroke-width:1;stroke:#8c959f}
.line{fill:none;stroke:#57606a;stroke-width:1.3}.arrow{fill:#57606a}.block{fill:#f6f8fa}.conv{fill:#ddf4ff}
.norm{fill:#eaeef2}.active{fill:#fff8c5}.other{fill:#dafbe1}.sum{fill:#fff}
@media (prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.quiet{fill:#9198a1}
rect,circle{stroke:#656c76}.line{stroke:#9198a1}.arrow{fill:#9198a1}.block{fill:#161b22}.conv{fill:#0c2d6b}
.norm{fill:#2d333b}.active{fill:#4b3900}.other{fill:#04351b}.sum{fill:#0d1117}}
"""
"""What the classes of the elements look like, by day and by night."""


class Picture(NamedTuple):
    """A part of the drawing, its corner at 0 0.

    Attributes:
        width, height: What it takes.
        axis: Where, from the left, the line enters it at the top and leaves it at the bottom.
        svg: Its elements. Two blocks that look alike have the same.
    """

    width: float
    height: float
    axis: float
    svg: str


def text_width(text: str) -> float:
    """Returns about what a text takes; the font is the reader's."""
    return LETTER * len(text)


def box(label: str, style: str) -> Picture:
    """Returns a labelled box."""
    width = text_width(label) + 20
    rectangle = f'<rect class="{style}" width="{width:g}" height="{BOX}" rx="5"/>'
    return Picture(width, BOX, width / 2, rectangle + text(label, width / 2, BOX / 2 + 4, "middle"))


def wire() -> Picture:
    """Returns nothing but the line that goes through."""
    return Picture(2 * BEND, 0, BEND, "")


def above(pictures: Sequence[Picture]) -> Picture:
    """Returns pictures one above the other, the line going through all."""
    if not pictures:
        return wire()
    axis = max(picture.axis for picture in pictures)
    right = max(picture.width - picture.axis for picture in pictures)
    parts: list[str] = []
    y = 0.0
    for picture in pictures:
        if parts:
            parts.append(line(f"M{axis:g} {y:g}v{GAP}"))
            y += GAP
        parts.append(moved(picture, axis - picture.axis, y))
        y += picture.height
    return Picture(axis + right, y, axis, "".join(parts))


def beside(main: Picture, others: Sequence[Picture], sign: str) -> Picture:
    """Returns a main path with others to its right, which leave it at the top and meet it again in a circle."""
    top = 2 * BEND
    below = top + max(picture.height for picture in (main, *others)) + top
    axis, x = main.axis, main.width
    parts = [line(f"M{axis:g} 0V{top}M{axis:g} {top + main.height:g}V{below - RADIUS:g}"), moved(main, 0, top)]
    for other in others:
        place = max(x + GAP, axis + RADIUS + 2 * BEND)
        here = place + other.axis
        x = place + other.width
        parts.append(line(f"M{axis:g} 2H{here - BEND:g}q{BEND} 0 {BEND} {BEND}V{top}"))
        parts.append(
            line(f"M{here:g} {top + other.height:g}V{below - BEND:g}q0 {BEND} -{BEND} {BEND}H{axis + RADIUS:g}")
        )
        parts.append(moved(other, place, top))
    parts.append(f'<circle class="sum" cx="{axis:g}" cy="{below:g}" r="{RADIUS}"/>')
    parts.append(text(sign, axis, below + 4, "middle"))
    return Picture(max(x, axis + RADIUS), below + RADIUS, axis, "".join(parts))


def text(words: str, x: float, y: float, anchor: str = "start", style: str = "") -> str:
    """Returns a line of text, its characters escaped."""
    classes = f' class="{style}"' if style else ""
    return f'<text{classes} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def line(path: str) -> str:
    """Returns a line along a path."""
    return f'<path class="line" d="{path}"/>'


def moved(picture: Picture, x: float, y: float) -> str:
    """Returns a picture's elements, its corner at x y."""
    return f'<g transform="translate({x:g} {y:g})">{picture.svg}</g>' if picture.svg else ""
