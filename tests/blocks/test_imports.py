"""What the package exports, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import blocks


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_planning_needs_no_torch() -> None:
    code = """
import sys
from blocks import preset, preset_names, NetworkSpec
for name in preset_names():
    spec = preset(name)
    spec.cost((3, 224, 224)), spec.cost_by_block((3, 224, 224)), spec.to_yaml(), spec.identity
import blocks.show
print("torch" in sys.modules, "torchvision" in sys.modules)
"""
    assert run(code) == "False False"


def test_everything_exported_is_there() -> None:
    assert [name for name in blocks.__all__ if not callable(getattr(blocks, name))] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(blocks, "resnet50")


def test_weights_load_where_the_search_cannot_be_imported() -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(["optuna", "ray", "pandas", "plotly", "torchvision", "search", "reports"]))
from blocks import load_model, save_model, preset, Metadata
import tempfile, pathlib
path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
save_model(path, preset("resnet20").build(0), Metadata(input=(3, 32, 32), mean=(0, 0, 0), std=(1, 1, 1)))
print(load_model(path).spec == preset("resnet20"))
"""
    assert run(code) == "True"
