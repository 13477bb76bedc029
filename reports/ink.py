"""The look that all figures share: a colour-blind-safe palette in a light and a dark key, quiet axes, no chart junk."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from reports.numbers import round_quantity

if TYPE_CHECKING:
    import pandas as pd

INK, MUTED, FAINT, GRID, SURFACE = "#1b1e23", "#5c636d", "#9aa1ab", "#e3e5e8", "#ffffff"
SERIES = ("#0b62a8", "#c2470a", "#00785a", "#a3457f", "#8a6500", "#4d5db8", "#5c636d")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
_DARK_SERIES = ("#6cb4f0", "#ff9254", "#48cfa5", "#eb96cb", "#e0b84a", "#a5b1ff", "#a3abb6")
_DARK = {INK: "#e9ebee", MUTED: "#a3abb6", FAINT: "#6d7580", GRID: "#33383f", SURFACE: "#16191d"}
FONT = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', 'Liberation Sans', Arial, "
    "sans-serif"
)


def shade(colour: str, opacity: float) -> str:
    """Returns a colour of the palette made translucent."""
    red, green, blue = (int(colour[index : index + 2], 16) for index in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


BAND, MASS = 0.16, 0.3
HEAT = (0.08, 0.2, 0.32, 0.44, 0.56)  # the cells of a map, from least to most


def dark_key() -> dict[str, str]:
    """Returns the dark counterpart of every colour that a figure may use; the page swaps them by preference."""
    pairs = {**_DARK, **dict(zip(SERIES, _DARK_SERIES, strict=True))}
    shades = {
        shade(light, opacity): shade(dark, opacity) for light, dark in pairs.items() for opacity in (BAND, MASS, *HEAT)
    }
    return pairs | shades


def look() -> dict[str, Any]:
    """Returns what the page's own drawings need to look like these, and the dark counterpart of every colour."""
    colours = {"ink": INK, "muted": MUTED, "faint": FAINT, "grid": GRID, "surface": SURFACE}
    return {**colours, "dark": dark_key(), "series": SERIES, "dashes": DASHES, "font": FONT}


Trace = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure as plotly.js takes it: traces and a layout as plain data.

    Plotly's own objects check every field, which takes longer than all else on a page; the tests do that instead.
    """

    data: list[Trace]
    layout: dict[str, Any]

    def to_json(self) -> str:
        """Returns the figure as JSON, null where a number is missing."""
        return msgspec.json.encode({"data": self.data, "layout": self.layout}, enc_hook=_listed).decode()


def figure(traces: Sequence[Trace], *, height: int, x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Figure:
    """Returns a figure in the house style.

    Args:
        traces: What is drawn, back to front: ``{"type": "scatter", "x": [...], ...}``. In ``customdata``, a list of the
            arms' ids (empty for points that are no single arm), a click on a point opens its arm.
        height: In pixels; the width follows the page.
        x: Settings of the horizontal axis.
        y: Settings of the vertical axis.
        **layout: Settings of plotly's layout that this figure alone has.
    """
    axis = {
        "linecolor": FAINT,
        "tickcolor": FAINT,
        "gridcolor": GRID,
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        "showline": True,
        "automargin": True,
        "title": {"font": {"color": MUTED, "size": 13}, "standoff": 8},
    }
    quiet = {
        "font": {"family": FONT, "size": 12.5, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 14, "t": 8, "b": 48},
        "height": height,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": SURFACE, "bordercolor": FAINT, "font": {"color": INK}, "align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": INK},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "itemclick": False},
        "xaxis": _merge(axis, {"showgrid": False}, x),
        "yaxis": _merge(axis, {"showgrid": True}, y),
    }
    return Figure([_without_none(trace) for trace in traces], quiet | layout)


def log_axis(low: float, high: float, title: str) -> dict[str, Any]:
    """Returns a logarithmic axis from low to high, padded, with ticks at round numbers and SI prefixes."""
    pad = max(0.08 * math.log10(high / low), 0.06)
    ends = (math.log10(low) - pad, math.log10(high) + pad)
    ticks = _round_ticks(10 ** ends[0], 10 ** ends[1])
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": ticks,
        "ticktext": [round_quantity(tick) for tick in ticks],
        "title": {"text": title},
    }


def count_axis(high: float, title: str) -> dict[str, Any]:
    """Returns an axis from zero to a large count, with ticks at round numbers and SI prefixes."""
    scale = 10.0 ** math.floor(math.log10(high / 5))
    step = next(scale * digit for digit in (1, 2, 5, 10) if high / (scale * digit) <= 5 * (1 + 1e-9))
    ticks = [number * step for number in range(math.floor(high / step) + 1)]
    return {
        "range": [0, high],
        "tickvals": ticks,
        "ticktext": [round_quantity(tick) for tick in ticks],
        "title": {"text": title},
    }


def plain(text: object) -> str:
    """Makes any text safe inside a figure, where plotly.js would take some tags for markup."""
    return html.escape(str(text), quote=False)


def cut(text: object, width: int) -> str:
    """Returns a text of so many characters at the most, made safe."""
    return plain(shortened(str(text), width))


def shortened(text: str, width: int) -> str:
    """Leaves out the middle of a text that is too long: what begins alike is told apart by its end."""
    end = (width - 1) // 2
    return text if len(text) <= width else f"{text[: width - 1 - end]}…{text[-end:]}"


def wrapped(label: object, width: int = 28, lines: int = 2) -> str:
    """Returns a label on a few lines, broken where it lists things ("width=8, depth=2"), made safe."""
    rows: list[str] = []
    for part in str(label).split(", "):
        if rows and len(rows[-1]) + len(part) + 3 <= width:
            rows[-1] += f", {part}"
        else:
            rows.append(part)
    kept = [*rows[: lines - 1], ", ".join(rows[lines - 1 :])] if len(rows) > lines else rows
    ends = [","] * (len(kept) - 1) + [""]
    return "<br>".join(cut(row, width) + end for row, end in zip(kept, ends, strict=True))


def numbers(values: Any) -> list[float | None]:
    """Returns values as plain numbers, None where one is missing, as JSON wants them."""
    return [None if value != value else float(value) for value in values]


def _without_none(trace: Trace) -> Trace:
    return {name: value for name, value in trace.items() if value is not None}


def _listed(value: Any) -> Any:
    """Returns numpy's and pandas' values as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def whiskers(part: pd.DataFrame, colour: str, *, visible: bool) -> dict[str, Any]:
    """Returns plotly's error bars of rows with ``mean``, ``low`` and ``high``."""
    return {
        "type": "data",
        "array": numbers(part["high"] - part["mean"]),
        "arrayminus": numbers(part["mean"] - part["low"]),
        "color": colour,
        "thickness": 1.1,
        "width": 3,
        "visible": visible,
    }


def _merge(*layers: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            merged[key] = merged[key] | value if isinstance(value, dict) and key in merged else value
    return merged


def _round_ticks(low: float, high: float) -> list[float]:
    """Returns round numbers between two: by powers of ten where they are far apart, else in equal steps."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5)):
        inside = [tick for power in powers for tick in (digit * 10.0**power for digit in digits) if low <= tick <= high]
        if len(inside) >= 4:
            return inside if len(inside) <= 9 else inside[:: math.ceil(len(inside) / 8)]
    # No finer than a label of three digits can tell apart.
    least = max((high - low) / 6, 10.0 ** (math.floor(math.log10(high)) - 2))
    scale = 10.0 ** math.floor(math.log10(least))
    step = next(scale * digit for digit in (1, 2, 2.5, 5, 10) if scale * digit >= least * (1 - 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]
