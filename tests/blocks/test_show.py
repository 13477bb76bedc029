from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from blocks import preset
from blocks.show import main


def test_a_preset_reads_well_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet152"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "resnet152, input 3x224x224, assumed; --input CxHxW sets it"
    assert sum(line.startswith("stages.") for line in lines) == 50
    total = next(line.split() for line in lines if line.startswith("total"))
    assert total == ["total", "11,513,626,624", "60,192,808", "100.0%"]
    assert "a multiply-add is 1" in out


def test_a_file_and_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(preset("resnet20").to_yaml(), encoding="utf-8")
    assert main([str(path), "--input", "3x16x20"]) == 0
    out = capsys.readouterr().out
    assert "64x4x5" in out
    assert out.splitlines()[0].endswith("network.yaml, input 3x16x20")


def test_the_assumed_input_has_the_channels_of_the_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "winner.yaml"
    path.write_text(preset("resnet20").replace(in_channels=1).to_yaml(), encoding="utf-8")
    for arguments in ([str(path)], [str(path), "--diff", str(path)]):
        assert main(arguments) == 0
    assert "winner.yaml, input 1x32x32, assumed; --input CxHxW sets it\n" in capsys.readouterr().out


def test_a_study_is_called_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("name: mine\ndata: digits\nnetwork: resnet20\n", encoding="utf-8")
    assert main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "study.yaml: this is a study, not a network: put what its 'network' says into a file of its own" in err
    assert err.count("\n") == 1


def test_what_differs_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet50", "--diff", "resnet34"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["stages.0.block.kind", "bottleneck", "basic"] in lines
    assert ["stages.3.block.expansion", "4", "-"] in lines
    assert ["MACs", "4,089,184,256", "3,663,761,408", "-425,422,848", "(-10.4%)"] in lines


def test_a_stage_that_the_other_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet20", "--diff", "resnet18_cifar"]) == 0
    assert ["stages.3", "-", "(present)"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet20", "--diff", "resnet20"]) == 0
    assert capsys.readouterr().out == "resnet20 and resnet20 are the same network\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet5"], "unknown preset 'resnet5'"),
        (["none.yaml"], "none.yaml: can't be read: No such file"),
        (["resnet20", "--diff", "resnet_18"], "did you mean 'resnet18'?"),
        (["resnet20", "--input", "1x32x32"], "stem: takes 3 channels, not an image of 1x32x32"),
        (["resnet18", "--input", "3x4x4"], "stage 1, block 0: a stride of 2 leaves nothing of a map of 1x1"),
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


def test_the_command_itself() -> None:
    command = [sys.executable, "-m", "blocks.show", "resnet20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "40,813,184" in done.stdout
    assert done.stderr == ""
