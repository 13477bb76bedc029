"""What sets two networks apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.show import main
from blocks.show.difference import joined


def rows(capsys: pytest.CaptureFixture[str], one: str, other: str) -> list[list[str]]:
    assert main([one, "--diff", other]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    return [line.split() for line in out.splitlines()]


def test_what_differs_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows(capsys, "resnet50", "resnet34")
    assert lines[0][:3] == ["resnet50", "->", "resnet34,"]
    assert ["stages.0-3.block.kind", "bottleneck", "basic"] in lines
    assert ["stages.0-3.block.expansion", "4", "-"] in lines
    assert ["MACs", "4,089,184,256", "3,663,761,408", "-425,422,848", "-10.4%"] in lines
    assert ["stem", "118.01", "118.01", "same", "0.010", "0.010", "same"] in lines


def test_a_bottleneck_as_it_is_used_saves_little(capsys: pytest.CaptureFixture[str]) -> None:
    """The first stage of ResNet-50 has fewer weights than ResNet-34's by far less than the claimed 94%."""
    lines = rows(capsys, "resnet34", "resnet50")
    stage = next(line for line in lines if line[:1] == ["stages.0"])
    assert (stage[4], stage[5], stage[6]) == ("0.222", "0.216", "-2.8%")


def test_a_stage_that_the_other_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows(capsys, "resnet20", "resnet18_cifar")
    assert ["stages.3", "-", "2", "x", "basic,", "width", "512"] in lines
    assert lines[-2][:4] == ["stages.3", "0.00", "134.22", "new"]


@pytest.mark.parametrize(("one", "other"), [("resnet50", "convnext_tiny"), ("efficientnet_b7", "densenet121")])
def test_very_different_networks_fit_too(one: str, other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(capsys, one, other)


def test_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resnet20", "--diff", "resnet20"]) == 0
    assert capsys.readouterr().out.endswith("\n\nThey are the same network.\n")


def test_fields_that_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where channels and size stay, a projection is an identity."""
    text = "stages:\n- {block: {kind: basic, shortcut: %s}, depth: 2, width: 16}\n"
    for shortcut in ("projection", "identity"):
        (tmp_path / f"{shortcut}.yaml").write_text(text % shortcut, encoding="utf-8")
    assert main([str(tmp_path / "projection.yaml"), "--diff", str(tmp_path / "identity.yaml")]) == 0
    assert "they build the same network" in capsys.readouterr().out


def test_overrides_are_told_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "stages:\n- {block: basic, depth: 3, width: 16%s}\n- {block: basic, depth: 3, width: 16%s}\n"
    eca = ", overrides: [{at: [-1], set: {attention: {kind: eca, kernel: 5}, norm: group}}]"
    (tmp_path / "plain.yaml").write_text(text % ("", ""), encoding="utf-8")
    (tmp_path / "eca.yaml").write_text(text % (eca, eca), encoding="utf-8")
    lines = rows(capsys, "plain.yaml", "eca.yaml")
    assert ["stages.0-1.overrides[-1].attention", "-", "eca(kernel=5)"] in lines
    assert ["stages.0-1.overrides[-1].norm", "-", "group"] in lines


def test_many_times_as_much_is_a_factor(capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows(capsys, "resnet20", "resnet18_cifar")
    change = next(line for line in lines if line[:1] == ["parameters"])
    assert change[-1] == "x41"


def test_stages_that_change_alike_are_one_line() -> None:
    fields = [(f"stages.{stage}.block.kernel", "3", "5") for stage in (0, 1, 2, 4)]
    assert joined([*fields, ("stem.width", "8", "16"), ("stages.1.depth", "2", "3")]) == [
        ("stages.0-2,4.block.kernel", "3", "5"),
        ("stem.width", "8", "16"),
        ("stages.1.depth", "2", "3"),
    ]
