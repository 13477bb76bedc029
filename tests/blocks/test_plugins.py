"""A file of one's own: loaded when it is named, once, whole or not at all, and with errors that point into it."""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocks import Metadata, NetworkSpec, WeightsError, load_model, load_plugins, measure, save_model
from blocks.block import BLOCKS
from blocks.parts.activation import ACTIVATIONS
from blocks.plugins import Plugin, loaded_plugins
from blocks.source import InputError
from tests.blocks.networks import small
from tests.blocks.plugins import ARITHMETIC, MODULE, forgotten, write

SHAPE = (3, 8, 8)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    with forgotten():
        yield


def test_a_block_is_known_once_its_file_is_loaded(tmp_path: Path) -> None:
    assert "test_layered" not in BLOCKS.kinds()
    (plugin,) = load_plugins([write(tmp_path)])
    assert plugin.kinds() == {"block": ("test_layered",)}
    spec = small("test_layered")
    assert measure(spec.build(0), SHAPE) == spec.cost(SHAPE)


def test_a_block_without_arithmetic_is_costed_by_measurement(tmp_path: Path) -> None:
    load_plugins([write(tmp_path, MODULE)])
    spec = small("test_module")
    assert measure(spec.build(0), SHAPE) == spec.cost(SHAPE)
    assert spec.cost(SHAPE).params > 0


def test_anything_with_a_registry_can_be_in_it(tmp_path: Path) -> None:
    text = """
from typing import Literal
from blocks.layers import Elementwise
from blocks.parts.activation import ACTIVATIONS, ActivationSpec

@ACTIVATIONS.register
class Tanh(ActivationSpec):
    kind: Literal["test_tanh"] = "test_tanh"

    def layer(self) -> Elementwise:
        return Elementwise("Tanh")
"""
    (plugin,) = load_plugins([write(tmp_path, text)])
    assert plugin.kinds() == {"activation": ("test_tanh",)}
    assert "test_tanh" in ACTIVATIONS.kinds()


def test_the_same_content_is_loaded_once_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    first = load_plugins([write(tmp_path)])
    before = BLOCKS.kinds()["test_layered"]
    again = load_plugins([write(tmp_path / "elsewhere", name="other_name.py"), write(tmp_path)])
    assert BLOCKS.kinds()["test_layered"] is before
    assert {plugin.sha256 for plugin in (*first, *again)} == {first[0].sha256}
    assert len(loaded_plugins()) == 1


def test_a_plugin_travels_to_another_process(tmp_path: Path) -> None:
    plugin: Plugin = pickle.loads(pickle.dumps(Plugin.read(write(tmp_path))))
    (tmp_path / "my_block.py").unlink()
    plugin.load()
    assert small("test_layered").cost(SHAPE).macs > 0


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("x = 1\nfrom nowhere import y\n", 2, "ModuleNotFoundError: No module named 'nowhere'"),
        ("def f(:\n", 1, "SyntaxError: invalid syntax"),
        ("\n\ndef f():\n    raise RuntimeError('no')\n\nf()\n", 4, "RuntimeError: no"),
        (ARITHMETIC.replace("test_layered", "basic"), 12, "the block 'basic' is registered by blocks.families.basic"),
        (ARITHMETIC + "\n1 / 0\n", 20, "ZeroDivisionError: division by zero"),
        (ARITHMETIC.replace('"test_layered"', "3"), 11, "needs a field such as kind"),
    ],
)
def test_errors_name_the_line_and_leave_nothing_behind(tmp_path: Path, text: str, line: int, complaint: str) -> None:
    path, modules = write(tmp_path, text), set(sys.modules)
    with pytest.raises(InputError, match=re.escape(complaint)) as error:
        load_plugins([path])
    assert abs(_line(str(error.value), path) - line) <= 1  # of a decorated class Python names one line or the other
    assert "test_layered" not in BLOCKS.kinds()
    assert BLOCKS.kinds()["basic"].__module__ == "blocks.families.basic"
    assert {name for name in set(sys.modules) - modules if name.startswith("plugin_")} == set()
    load_plugins([write(tmp_path)])  # and the right file can still be loaded


def _line(message: str, path: Path) -> int:
    found = re.match(rf"{re.escape(str(path))}:(\d+): ", message)
    assert found is not None, message
    return int(found.group(1))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("my_block.py", "x = 1\n", "registers nothing: put @register_block above"),
        ("my_block.txt", ARITHMETIC, "a plugin is a Python file, whose name ends in .py"),
        ("my_block", ARITHMETIC, "a plugin is a Python file, whose name ends in .py"),
        ("my_block.py", None, "the plugin can't be read: No such file or directory"),
    ],
)
def test_what_is_no_plugin(tmp_path: Path, name: str, text: str | None, complaint: str) -> None:
    if text is not None:
        write(tmp_path, text, name)
    with pytest.raises(InputError, match=complaint):
        load_plugins([tmp_path / name])


def test_a_changed_plugin_clashes_with_itself_in_one_process(tmp_path: Path) -> None:
    load_plugins([write(tmp_path)])
    with pytest.raises(InputError, match="the block 'test_layered' is registered by plugin_"):
        load_plugins([write(tmp_path, ARITHMETIC + "# changed\n")])


def saved(folder: Path, plugin: Plugin) -> Path:
    path = folder / "winner.safetensors"
    provenance: dict[str, Any] = {"plugins": {plugin.name: plugin.sha256}}
    metadata = Metadata(input=SHAPE, mean=(0, 0, 0), std=(1, 1, 1), provenance=provenance)
    save_model(path, small("test_layered").build(0), metadata)
    return path


def test_a_model_that_needs_a_plugin_says_how_to_load_it(tmp_path: Path) -> None:
    with forgotten():
        path = saved(tmp_path, *load_plugins([write(tmp_path)]))
    with pytest.raises(WeightsError, match=r"unknown block 'test_layered'(?s:.*)plugins=\['my_block.py'\]"):
        load_model(path)
    (tmp_path / "plugins").mkdir()
    kept = write(tmp_path / "plugins")
    with pytest.raises(WeightsError, match=re.escape(f"load_model(path, plugins=['{kept}'])")):
        load_model(path)
    assert load_model(path, plugins=[kept]).spec == small("test_layered")


def test_a_plugin_that_is_another_than_the_models_is_warned_of(tmp_path: Path) -> None:
    with forgotten():
        path = saved(tmp_path, *load_plugins([write(tmp_path)]))
    changed = write(tmp_path, ARITHMETIC + "# changed\n")
    with pytest.warns(UserWarning, match="the plugin my_block.py has changed since this model was trained"):
        load_model(path, plugins=[changed])


def test_an_unknown_kind_may_be_one_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("stages: [{block: my_very_own_thing, width: 4}]\n")
    with pytest.raises(InputError, match="of your own is known once its file is named under plugins"):
        NetworkSpec.from_yaml(path)
