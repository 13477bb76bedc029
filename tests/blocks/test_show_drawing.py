"""A network as a drawing: well-formed, by itself, and nothing on top of anything else."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from blocks import NetworkSpec, preset, preset_names
from blocks.block import BLOCKS
from blocks.presets import preset_input
from blocks.show import main
from blocks.show.drawing import drawing
from blocks.show.picture import text_width
from tests.blocks.networks import FAMILIES_AND_PARTS, feasible_for, small

NAMESPACE = "{http://www.w3.org/2000/svg}"


class Area(NamedTuple):
    """Where something is drawn."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Area) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


def areas(element: ElementTree.Element, x: float = 0, y: float = 0) -> list[tuple[str, Area]]:
    """Returns what is drawn: boxes, circles, and the texts that stand in neither."""
    found: list[tuple[str, Area]] = []
    boxed = False
    for child in element:
        kind = child.tag.removeprefix(NAMESPACE)
        if kind == "g":
            dx, dy = map(float, re.findall(r"[-\d.]+", child.attrib["transform"]))
            found += areas(child, x + dx, y + dy)
        elif kind == "rect":
            width, height = float(child.attrib["width"]), float(child.attrib["height"])
            found.append(("box", Area(x, y, x + width, y + height)))
        elif kind == "circle":
            cx, cy, r = (float(child.attrib[name]) for name in ("cx", "cy", "r"))
            found.append(("circle", Area(x + cx - r, y + cy - r, x + cx + r, y + cy + r)))
        elif kind == "text" and not boxed:
            width, tx, ty = text_width(child.text or ""), float(child.attrib["x"]), float(child.attrib["y"])
            left = x + tx - (width / 2 if child.attrib["text-anchor"] == "middle" else 0)
            found.append(("text", Area(left, y + ty - 10, left + width, y + ty + 2)))
        boxed = kind in ("rect", "circle")
    return found


def demand_clean(spec: NetworkSpec, shape: tuple[int, int, int], title: str = "a network") -> None:
    root = ElementTree.fromstring(drawing(spec, shape, title))
    assert root.tag == f"{NAMESPACE}svg"
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    drawn = areas(root)
    for kind, area in drawn:
        assert area.left >= 0, kind
        assert area.top >= 0, kind
        assert area.right <= width, kind
        assert area.bottom <= height, kind
    assert [(one, other) for one, other in combinations(drawn, 2) if one[1].meets(other[1])] == []


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "convnext_tiny", "efficientnet_b0", "repvgg_a0", "vgg11"])
def test_nothing_is_drawn_on_top_of_anything_else(name: str) -> None:
    demand_clean(preset(name), preset_input(name))


@pytest.mark.parametrize(("family", "field", "kind"), FAMILIES_AND_PARTS)
def test_every_family_with_every_part_can_be_drawn(family: str, field: str, kind: str) -> None:
    demand_clean(feasible_for(family, field, kind), (3, 32, 32))


def test_every_preset_can_be_drawn() -> None:
    for name in preset_names():
        ElementTree.fromstring(drawing(preset(name), preset_input(name), name))


def test_blocks_that_look_alike_are_drawn_once() -> None:
    svg = drawing(preset("resnet50"), (3, 224, 224), "resnet50")
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{NAMESPACE}text")]
    assert texts.count("3×3 max pooling / 2") == 1
    assert {"bottleneck A", "bottleneck B × 12", "bottleneck C × 3"} <= set(texts)
    assert {"256x56x56", "field 35", "16.3% of MACs", "stages.3"} <= set(texts)


def texts_of(name: str) -> list[str | None]:
    svg = drawing(preset(name), preset_input(name), name)
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{NAMESPACE}text")]


def test_boxes_have_their_channels_or_the_fewest_and_the_most() -> None:
    texts = texts_of("resnet50")
    assert texts[texts.index("bottleneck A", texts.index("7×7 convolution / 2, 64")) :][1:9:3] == [
        "1×1 convolution, 64",
        "3×3 convolution, 64",
        "1×1 convolution, 256",
    ]
    assert {"3×3 convolution, 64–512", "1×1 convolution, 256–2,048", "linear, 1,000"} <= set(texts)
    assert {"7×7 depthwise, 96–768", "1×1 convolution, 384–3,072"} <= set(texts_of("convnext_tiny"))


def test_a_convolution_along_the_channels_is_called_that() -> None:
    assert {"kernel of 5 along the channels", "kernel of 7 along the channels"} & set(texts_of("ecaresnet50d"))


def test_mixed_stages() -> None:
    stages = [{"block": kind, "depth": 2, "width": 16, "stride": 2} for kind in BLOCKS.kinds()]
    spec = NetworkSpec.model_validate({"stages": stages[:8]})
    demand_clean(spec, (3, 512, 512))


def test_a_deep_stage_is_one_box() -> None:
    assert len(drawing(preset("resnet1202"), (3, 32, 32), "resnet1202")) < 12_000


def test_it_needs_nothing_else_and_runs_nothing() -> None:
    svg = drawing(small("basic"), (3, 32, 32), "</title><script>alert('&')</script>")
    tags = {element.tag.removeprefix(NAMESPACE) for element in ElementTree.fromstring(svg).iter()}
    assert tags == {"svg", "title", "style", "text", "g", "rect", "path", "circle"}
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme:dark" in svg
    assert "&lt;script&gt;" in svg


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resnet20.svg"
    assert main(["resnet20", "--svg", str(path)]) == 0
    assert capsys.readouterr().out == f"resnet20, drawn in {path}\n"
    assert main(["resnet20", "--svg", "-"]) == 0
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")
