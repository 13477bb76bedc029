"""A network as a table, block by block, and what it needs in total."""

from __future__ import annotations

from blocks.cost import Cost, Memory, Shape
from blocks.layers import show_shape
from blocks.show.columns import NONE, WIDTH, aligned, counted, filled, share, sized, total_width, widths_of
from blocks.show.rows import Row, block_rows
from blocks.spec import NetworkSpec

LEGEND = "field: pixels of the image's side that one position of the output depends on."
SEVERAL = "A row of several blocks gives their sum, and the field of the last; --all lists\neach."


def table(spec: NetworkSpec, shape: Shape, batch_size: int, *, every: bool = False) -> str:
    """Returns the blocks as a table, the totals, what each kind of layer costs, and what the spec itself warns of.

    Args:
        spec: The network.
        shape: C H W of an image.
        batch_size: Images a training step.
        every: Whether alike blocks are listed one by one, and kinds of layers by stage.

    Raises:
        InfeasibleSpec: If there can be no such network at this input.
    """
    rows = block_rows(spec, shape, every=every)
    total = sum((row.cost for row in rows), Cost())
    legend = f"{LEGEND}\n{SEVERAL}" if not every and any("-" in row.name for row in rows) else LEGEND
    summary = _summary(total, spec.training_memory(shape, batch_size), batch_size)
    layers = _layers(spec, shape, batch_size, total, every=every)
    warnings = [filled(f"Warning: {warning}") for warning in spec.warnings]
    return "\n\n".join([_blocks(rows, total), legend, summary, layers, *warnings])


def _blocks(rows: list[Row], total: Cost) -> str:
    """Returns the rows as columns: with all digits if they fit, else in millions, as a last resort with less text."""
    places = [(row.name, row.kind, show_shape(row.output), str(row.field), row.cost) for row in rows]
    places.append(("total", "", "", "", total))
    macs, params = counted(total.macs), counted(total.params, 3)
    exact, compact = [("MACs", "parameters")], [(macs.head("MACs"), params.head("params"))]
    for *_, cost in places:
        exact.append((f"{cost.macs:,}", f"{cost.params:,}"))
        compact.append((macs.write(cost.macs), params.write(cost.params)))
    shares = ["share", *(share(cost.macs, total.macs) for *_, cost in places)]
    left = [("name", "kind", "output", "field"), *(place[:-1] for place in places)]
    brief = [("block", *left[0][1:]), *((name.removeprefix("stages."), *rest) for name, *rest in left[1:])]
    for texts, numbers in ((left, exact), (left, compact), (brief, compact)):
        cells = [(*text, *pair, last) for text, pair, last in zip(texts, numbers, shares, strict=True)]
        if total_width(widths_of(cells)) <= WIDTH:
            break
    return aligned(cells, left=3, shrink=[1])


def _summary(total: Cost, memory: Memory, batch_size: int) -> str:
    unit = sized(min(memory.parameters, memory.activations))
    lines = [
        ("MACs", f"{_counted(total.macs, 1)}; a multiply-add is 1"),
        ("parameters", f"{_counted(total.params)}; {unit.write(memory.parameters)} {unit.sign} in float32"),
        ("activations", _counted(total.activations)),
        ("training step", f"{unit.write(memory.total)} {unit.sign} in float32, with {batch_size:,} images:"),
        ("", f"{unit.write(memory.parameters)} parameters + {unit.write(memory.gradients)} gradients"),
        ("", f"+ {unit.write(memory.optimizer)} optimizer (SGD with momentum; AdamW: twice that)"),
        ("", f"+ {unit.write(memory.activations)} saved for the backward pass"),
    ]
    return "\n".join(f"{noun:15}{said}" for noun, said in lines)


def _counted(number: int, decimals: int = 2) -> str:
    unit = counted(number, decimals)
    return f"{unit.write(number)}{' million' if unit.sign else ''}"


def _layers(spec: NetworkSpec, shape: Shape, batch_size: int, total: Cost, *, every: bool) -> str:
    """Returns a row a kind of layer, of each stage or of the whole network, the costliest first."""
    sums: dict[tuple[str, ...], tuple[Cost, int]] = {}
    for stage, kind, cost, saved, saved_once in spec.cost_by_layer(shape):
        key: tuple[str, ...] = (stage, kind) if every else (kind,)
        before = sums.get(key, (Cost(), 0))
        sums[key] = before[0] + cost, before[1] + batch_size * saved + saved_once
    if not every:
        sums = dict(
            sorted(sums.items(), key=lambda item: (item[1][0].macs, item[1][0].params, item[1][1]), reverse=True)
        )
    heads: tuple[str, ...] = ("stage", "kind of layer") if every else ("kind of layer",)
    units = counted(total.macs), counted(total.params, 3), counted(total.activations)
    held = sized(max(saved for _, saved in sums.values()) // 10)
    nouns = [unit.head(noun) for unit, noun in zip(units, ("MACs", "params", "activ."), strict=True)]
    cells: list[tuple[str, ...]] = [(*heads, nouns[0], "share", nouns[1], "share", nouns[2], held.head("saved"))]
    for place, (cost, saved) in sums.items():
        macs = (units[0].write(cost.macs), share(cost.macs, total.macs)) if cost.macs else (NONE, NONE)
        params = (units[1].write(cost.params), share(cost.params, total.params)) if cost.params else (NONE, NONE)
        activations = units[2].write(cost.activations) if cost.activations else NONE
        cells.append((*place, *macs, *params, activations, held.write(saved)))
    return aligned(cells, left=len(heads), shrink=[len(heads) - 1])
