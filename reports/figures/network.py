"""The winner as a network: its stages, with what each costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pandas as pd

from reports import ink
from reports.numbers import quantity
from reports.table import Table

SECTION = "network"
ORDER = 10
TITLE = "The network, stage by stage"
COLUMNS = {
    "part": "Part",
    "kind": "Blocks",
    "output": "Output",
    "macs": "MACs",
    "params": "Parameters",
    "activations": "Activations",
}


def data(table: Table) -> pd.DataFrame:
    """Returns one row a part of the winner (the baseline, where none was chosen yet): arm, label, part, kind, output.

    A part is the stem, a stage or the head; beside it stand its macs, params and activations, and
    ``blocks``, how many it has.
    """
    arm = table.winner["arm"] if table.winner else table.baseline
    blocks = table.documents[arm].document("blocks") if arm in table.documents else None
    if not blocks:
        return pd.DataFrame()
    rows = [_part(name, list(own)) for name, own in groupby(blocks, key=lambda block: _stage(block["name"]))]
    which = "The winner" if table.winner else "The baseline (no winner was chosen yet)"
    which = "The network" if table.main_phase == "confirm" else which
    return pd.DataFrame(rows).assign(arm=arm, label=table.entry(arm)["label"], which=which)


def caption(frame: pd.DataFrame) -> str:
    """Says which network it is."""
    which, label = frame["which"].iloc[0], frame["label"].iloc[0]
    named = f", {label}" if label != "baseline" or which == "The winner" else ""
    total = f"{quantity(float(frame['macs'].sum()), 'MACs')} and {quantity(float(frame['params'].sum()), 'parameters')}"
    return (
        f"{which}{named}, from the image down to the classes: each part with its blocks and the "
        f"shape that it puts out (channels × height × width), and its share of {total} an image."
    )


def draw(frame: pd.DataFrame) -> ink.Figure:
    """Draws two bars a part, its share of the MACs and of the parameters."""
    traces = [_bars(frame, "macs", "MACs", 0), _bars(frame, "params", "parameters", 1)]
    vertical = {
        "tickvals": [-place for place in range(len(frame))],
        "ticktext": [
            f"<b>{ink.plain(row['part'])}</b><br>{ink.wrapped(row['kind'], 30)}<br>{row['output']}"
            for row in frame.to_dict("records")
        ],
        "range": [-len(frame) + 0.4, 0.6],
        "showgrid": False,
    }
    most = max(float((frame[cost] / frame[cost].sum()).max()) for cost in ("macs", "params"))
    horizontal = {"tickformat": ".0%", "showgrid": True, "range": [0, most * 1.22], "title": {"text": "share"}}
    return ink.figure(traces, height=int(96 + 64 * len(frame)), x=horizontal, y=vertical, bargap=0.36, bargroupgap=0.1)


def _bars(frame: pd.DataFrame, cost: str, name: str, index: int) -> ink.Trace:
    share = frame[cost] / max(float(frame[cost].sum()), 1)
    return {
        "type": "bar", "orientation": "h", "name": name, "x": share.tolist(),
        "y": [-place + (0.17 if index == 0 else -0.17) for place in range(len(frame))],
        "width": 0.3, "marker": {"color": ink.SERIES[index]}, "text": [quantity(value) for value in frame[cost]],
        "textposition": "outside", "textfont": {"color": ink.INK, "size": 11.5}, "cliponaxis": False,
        "hovertext": [
            f"<b>{ink.plain(part)}</b><br>{quantity(value, name)}, {own:.1%}"
            for part, value, own in zip(frame["part"], frame[cost], share, strict=True)
        ],
        "hoverinfo": "text",
    }  # fmt: skip


def _stage(name: str) -> str:
    found = re.fullmatch(r"stages\.(\d+)\.\d+", name)
    return f"stage {int(found[1]) + 1}" if found else name


def _part(name: str, blocks: list[Mapping[str, Any]]) -> dict[str, Any]:
    kinds = [(kind, len(list(same))) for kind, same in groupby(block["kind"] for block in blocks)]
    said = ", ".join(kind if number == 1 else f"{number} × {kind}" for kind, number in kinds)
    output = blocks[-1]["output"]
    shape = f"{output[0]} classes" if name == "head" else " × ".join(str(size) for size in output)
    costs = {cost: sum(block[cost] for block in blocks) for cost in ("macs", "params", "activations")}
    return {"part": name, "kind": said, "output": shape, "blocks": len(blocks), **costs}
