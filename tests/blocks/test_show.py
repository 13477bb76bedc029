from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from blocks import NetworkSpec, preset, preset_names
from blocks.presets import preset_input
from blocks.show import main
from blocks.show.columns import WIDTH, aligned, shortened
from blocks.show.rows import block_rows
from blocks.show.table import table
from tests.blocks.networks import small
from tests.blocks.plugins import forgotten, write


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Returns the lines that the command prints; there must be no word on stderr."""
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def cells(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_a_preset_reads_well_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "resnet50")
    assert max(map(len, lines)) <= 80
    assert lines[0] == "resnet50, input 3x224x224, assumed; --input CxHxW sets it"
    assert lines[2].split() == ["name", "kind", "output", "field", "MACs", "parameters", "share"]
    assert sum(line.startswith("stages.") for line in lines) == 8
    rows = cells(lines)
    assert ["stages.2.1-5", "bottleneck", "1024x14x14", "267", "1,091,829,760", "5,585,920", "26.7%"] in rows
    assert ["total", "4,089,184,256", "25,557,032", "100.0%"] in rows
    assert "a multiply-add is 1" in "\n".join(lines)


def test_every_block_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "resnet152", "--all")
    assert sum(line.startswith("stages.") for line in lines) == 50
    rows = cells(lines)
    assert ["total", "11,513,626,624", "60,192,808", "100.0%"] in rows
    assert ["stages.2.35", "bottleneck", "1024x14x14", "1291", "218,365,952", "1,117,184", "1.9%"] in rows
    assert [row[:2] for row in rows if row[:1] == ["3"]] == [["3", "convolution"], ["3", "norm"], ["3", "activation"]]


def test_a_thousand_blocks_are_few_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(capsys, "resnet1202")) < 40


def test_a_thousand_million_blocks_are_few_rows_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = preset("resnet20").plain()
    deep["stages"][0]["depth"] = 10**9
    path = tmp_path / "deep.yaml"
    path.write_text(preset("resnet20").replace(stages=deep["stages"]).to_yaml(), encoding="utf-8")
    assert max(map(len, shown(capsys, str(path)))) <= 100
    assert main([str(path), "--all"]) == 2
    assert "too many to list" in capsys.readouterr().err


def test_every_preset_fits_into_80_columns_with_nothing_left_out() -> None:
    for name in preset_names():
        text = table(preset(name), preset_input(name), 32)
        assert max(map(len, text.splitlines())) <= WIDTH, name
        assert "…" not in text, name


def test_grouped_and_single_rows_sum_to_the_same() -> None:
    for spec in (preset("resnet50"), preset("densenet121"), small("basic", strides=(1, 1, 2))):
        shape = (3, 64, 64)
        grouped, single = block_rows(spec, shape), block_rows(spec, shape, every=True)
        assert sum((row.cost for row in grouped[1:]), grouped[0].cost) == spec.cost(shape)
        assert sum((row.cost for row in single[1:]), single[0].cost) == spec.cost(shape)
        assert [row.name for row in single] == [row.name for row in spec.cost_by_block(shape)]
        fields = {row.name: row.field for row in single}
        assert all(row.field == fields[re.sub(r"\d+-", "", row.name)] for row in grouped)


def test_memory_at_a_batch_size(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "resnet50", "--batch", "64")
    memory = preset("resnet50").training_memory((3, 224, 224), 64)
    text = "\n".join(lines)
    assert f"{memory.total / 1e6:,.1f} MB in float32, with 64 images" in text
    assert f"{memory.activations / 1e6:,.1f} saved for the backward pass" in text


def test_kinds_of_layers_sum_to_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    rows = cells(shown(capsys, "efficientnet_b0", "--batch", "1"))
    start = rows.index(
        ["kind", "of", "layer", "M", "MACs", "share", "M", "params", "share", "M", "activ.", "MB", "saved"]
    )
    saved = sum(float(row[-1].replace(",", "")) for row in rows[start + 2 :])
    memory = preset("efficientnet_b0").training_memory((3, 224, 224), 1).activations
    assert saved == pytest.approx(memory / 1e6, abs=0.5)


def test_a_file_and_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(preset("resnet20").to_yaml(), encoding="utf-8")
    lines = shown(capsys, str(path), "--input", "3x16x20")
    assert "64x4x5" in "\n".join(lines)
    assert lines[0].endswith("network.yaml, input 3x16x20")


def test_the_assumed_input_has_the_channels_of_the_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "winner.yaml"
    path.write_text(preset("resnet20").replace(in_channels=1).to_yaml(), encoding="utf-8")
    for arguments in ([str(path)], [str(path), "--diff", str(path)]):
        assert shown(capsys, *arguments)[0].endswith("winner.yaml, input 1x32x32, assumed; --input CxHxW sets it")


def test_a_preset_is_shown_at_the_size_that_it_is_published_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "input 3x600x600" in shown(capsys, "efficientnet_b7")[0]


def test_a_block_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a process of its own, so that nothing stays registered here."""
    plugin, network = tmp_path / "mine.py", tmp_path / "network.yaml"
    plugin.write_text(
        "from typing import Literal\n"
        "from torch import nn\n"
        "from blocks import BlockSpec, Site, register_block\n\n"
        "@register_block\n"
        "class ShownSpec(BlockSpec):\n"
        "    kind: Literal['shown'] = 'shown'\n\n"
        "    def module(self, site: Site) -> nn.Module:\n"
        "        return nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1)\n",
        encoding="utf-8",
    )
    network.write_text("stages:\n- {block: shown, depth: 3, width: 16}\n", encoding="utf-8")
    command = [sys.executable, "-m", "blocks.show", str(network), "--plugin", str(plugin)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ["stages.0.0-2", "shown", "16x32x32", "?", "7,077,888", "6,960", "93.9%"] in cells(done.stdout.splitlines())
    assert main([str(network)]) == 2
    assert "unknown block 'shown'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "total"),
    [("resnet20", "40,813,184"), ("{preset: resnet20, in_channels: 1}", "40,518,272"), ("{stages: [{width: 8}]}", "")],
)
def test_a_studys_network_is_shown_and_called_that(
    network: str, total: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"name: mine\ndata: digits\nnetwork: {network}\n", encoding="utf-8")
    if total:
        lines = shown(capsys, str(path))
        assert lines[2].startswith("The network of a study, as its file has it")
        assert max(map(len, lines)) <= WIDTH
        assert ["total", total] in [row[:2] for row in cells(lines)]
    else:
        assert main([str(path)]) == 2
        assert "study.yaml:3:20: network.stages[0].block: this field is required" in capsys.readouterr().err


def test_a_studys_own_blocks_are_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with forgotten():
        plugin = write(tmp_path)
        path = tmp_path / "study.yaml"
        text = "name: mine\nplugins: [%s]\nnetwork: {stages: [{block: test_layered, width: 8}]}\n"
        path.write_text(text % plugin.name, encoding="utf-8")
        assert any("test_layered" in line for line in shown(capsys, str(path)))


def test_a_small_network_has_figures_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.yaml"
    text = "stem: {kind: conv3x3, width: 2}\nstages: [{block: basic, width: 2}]\nhead: {kind: linear, num_classes: 2}\n"
    path.write_text(text, encoding="utf-8")
    lines = shown(capsys, str(path), "--input", "3x4x4", "--batch", "1")
    assert "MACs           2,020; a multiply-add is 1" in lines
    assert "parameters     144; 0.6 kB in float32" in lines
    start = next(index for index, line in enumerate(lines) if line.startswith("kind of layer"))
    assert lines[start].split() == ["kind", "of", "layer", "MACs", "share", "params", "share", "activ.", "kB", "saved"]
    zeros = [line for line in lines if re.search(r"(?<![\d.])0\.0+(?![\d%])", line)]
    assert [line.split()[0] for line in zeros] in ([], ["linear"])


def test_what_a_spec_warns_of_is_under_the_table_and_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text("stages: [{block: preactivation_basic, width: 8}]\n", encoding="utf-8")
    for arguments in ([], ["--check", "--input", "3x8x8"]):
        lines = shown(capsys, str(path), *arguments)
        (warning,) = NetworkSpec.from_yaml(path).warnings
        assert f"Warning: {warning}" in " ".join(lines)
        assert max(map(len, lines)) <= WIDTH
        assert "Nothing looks wrong." not in lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet5"], "unknown preset 'resnet5'"),
        (["none.yaml"], "none.yaml: can't be read: No such file"),
        (["resnet20", "--diff", "resnet_18"], "did you mean 'resnet18'?"),
        (["resnet20", "--input", "1x32x32"], "stem: takes 3 channels, not an image of 1x32x32"),
        (["resnet18", "--input", "3x4x4"], "stage 1, block 0: a stride of 2 leaves nothing of a map of 1x1"),
        (["resnet20", "--svg", "missing/folder.svg"], "missing/folder.svg: can't be written: No such file"),
        (["resnet20", "--plugin", "missing.py"], "missing.py: the plugin can't be read"),
        (["resnet20", "--check", "--batch", "100000000"], "a batch of 100,000,000 such images needs"),
        (["resnet20", "--check", "--batch", "1", "--input", "3x4x4"], "Expected more than 1 value per channel"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("shape", ["3x8", "0x8x8", "3x8x8x8", "3x-1x8", "ax8x8"])
def test_an_input_that_is_no_shape(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["resnet20", f"--input={shape}"])
    assert exit.value.code == 2
    assert "is not channels x height x width, such as 3x224x224" in capsys.readouterr().err


def test_one_thing_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["resnet20", "--check", "--diff", "resnet32"])
    assert exit.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_the_command_itself() -> None:
    command = [sys.executable, "-m", "blocks.show", "resnet20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "40,813,184" in done.stdout
    assert done.stderr == ""


def test_looking_needs_no_torch() -> None:
    code = """
import sys
from blocks.show import main
for arguments in ([], ["--diff", "convnext_tiny"], ["--svg", "-"]):
    main(["resnet50", *arguments])
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_text_is_shortened_in_its_middle() -> None:
    assert shortened("preactivation_bottleneck", 11) == "preac…eneck"
    assert shortened("short", 5) == "short"


def test_a_table_gives_way_only_where_it_may() -> None:
    rows = [("field", "before"), ("a" * 70, "b" * 70)]
    assert max(map(len, aligned(rows, left=2, shrink=[0, 1]).splitlines())) == WIDTH
    assert max(map(len, aligned(rows, left=2).splitlines())) == 142
