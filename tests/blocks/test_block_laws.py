"""The laws, held against blocks of a user's own: one that keeps them all, and one that breaks each."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from blocks import BlockSpec, Site, register_block
from blocks.block import BLOCKS
from blocks.cost import Tally
from blocks.laws import LAWS, LawBroken, check_block, outcomes
from blocks.laws.__main__ import main
from blocks.layers import Chain, Conv, Elementwise, Layer

SMALL: dict[str, Any] = {"shape": (3, 8, 8), "width": 8}
QUICK = [law for law in LAWS if law.name not in ("compilation", "exporting")]


class Usual(nn.Module):
    """Convolution, norm, activation: what the others change."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.conv = nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(site.width)

    def forward(self, x: Tensor) -> Tensor:  # N C H W -> N C' H' W'
        out: Tensor = self.norm(self.conv(x)).relu()
        return out


class Broadcasting(Usual):
    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out + out.mean(1, keepdim=True)


class Dead(Usual):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.unused = nn.Parameter(torch.ones(3))


class Unstrided(Usual):
    def __init__(self, site: Site) -> None:
        super().__init__(site._replace(stride=1))


class Flat(Usual):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flatten(1)


class Shrinking(Usual):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, :, 1:, 1:]


class Unseeded(Usual):
    """Draws from a generator that no seed reaches."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.scale = nn.Parameter(torch.full((1,), random.random() + 0.5))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.scale


SHARED = nn.Parameter(torch.ones(1))


class Sharing(Usual):
    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.scale = nn.Parameter(torch.ones(1)) if torch.get_default_device().type == "meta" else SHARED

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.scale


class Overwriting(Usual):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.detach().mul_(2))


class Companionable(Usual):
    """Works with the batch's own mean in evaluation too."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean(0))


class Hiding(Usual):
    """Keeps a state where no file of weights has it."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.scale = 1.0

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.device.type != "meta":
            self.scale = 3.0
        return super().forward(x) * self.scale


class Branching(Usual):
    """Decides by the values, which no graph can."""

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out * 2 if x.device.type != "meta" and float(out.sum()) > 0 else out


class Imprecise(Usual):
    """Fails in low precision."""

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out / 0 if out.dtype == torch.bfloat16 else out


def block_of(module: Callable[[Site], nn.Module]) -> type[BlockSpec]:
    class Own(BlockSpec):
        kind: Literal["test_own"] = "test_own"

        def module(self, site: Site) -> nn.Module:
            return module(site)

    return Own


class Miscounted(Chain):
    """A record that says half of what it costs."""

    def trace(self, shape: tuple[int, int, int], tally: Tally) -> tuple[int, int, int]:
        out = super().trace(shape, tally)
        kind, macs, *rest = tally.rows[-2]
        tally.rows[-2] = (kind, macs // 2, *rest)  # type: ignore[assignment]
        return out


class MiscountedBlockSpec(BlockSpec):
    kind: Literal["test_own"] = "test_own"

    def layers(self, site: Site) -> Layer:
        return Miscounted({"conv": Conv(site.in_channels, site.width, 3, site.stride), "relu": Elementwise("ReLU")})


class UnreadableBlockSpec(block_of(Usual)):  # type: ignore[misc]
    """Its data don't come back as they went."""

    def plain(self) -> dict[str, Any]:
        return {"kind": "test_own", "seen": random.random()}


@pytest.fixture
def registered() -> Iterator[Callable[[type[BlockSpec]], None]]:
    BLOCKS.kinds()
    yield lambda spec: (register_block(spec), None)[1]
    BLOCKS._specs.pop("test_own", None)


def broken(**options: Any) -> dict[str, str]:
    found = outcomes("test_own", **{**SMALL, **options})
    return {outcome.name: outcome.reason for outcome in found if outcome.reason}


def test_a_block_that_keeps_every_law(registered: Callable[[type[BlockSpec]], None]) -> None:
    registered(block_of(Usual))
    found = list(outcomes("test_own", **SMALL))
    assert {outcome.name: outcome.reason for outcome in found if outcome.reason} == {}
    assert [outcome.name for outcome in found] == ["feasible", *(law.name for law in LAWS)]
    assert all(outcome.statement.endswith(".") for outcome in found)
    check_block("test_own", **SMALL, laws=QUICK)


@pytest.mark.parametrize(
    ("module", "law", "reason"),
    [
        (Broadcasting, "feasible", "a residual sum needs equal shapes, but its module adds maps of 8x8x8 and 1x8x8"),
        (Flat, "feasible", "its module should put out a map of N C H W, not (2, 512)"),
        (Unstrided, "shapes", "stage 1 has stride 2, but stages.1.0 makes 8x8 of the stage's 8x8"),
        (Shrinking, "shapes", "stage 0 has stride 1, but stages.0.0 makes 7x7 of the stage's 8x8"),
        (Dead, "gradients", "none reaches stages.0.0.unused, stages.0.1.unused"),
        (Unseeded, "seeds", "stages.0.0.scale differs between two networks of one seed"),
        (Sharing, "independence", "stages.0.1.scale is the same tensor as stages.0.0.scale"),
        (Overwriting, "inputs", "stages.0.0 changes its own input"),
        (Companionable, "evaluation", "the first of four images gets other logits"),
        (Hiding, "weights", "what is loaded computes something else"),
        (Imprecise, "autocast", "gradients that are not finite"),
    ],
)
def test_a_block_that_breaks_a_law(
    module: Callable[[Site], nn.Module], law: str, reason: str, registered: Callable[[type[BlockSpec]], None]
) -> None:
    registered(block_of(module))
    found = broken(laws=QUICK)
    assert reason in found.get(law, str(found))
    with pytest.raises(LawBroken) as error:
        check_block("test_own", **SMALL, laws=QUICK)
    assert reason in str(error.value)


@pytest.mark.parametrize("law", ["compilation", "exporting"])
def test_a_block_that_no_graph_holds(law: str, registered: Callable[[type[BlockSpec]], None]) -> None:
    registered(block_of(Branching))
    assert law in broken(laws=[each for each in LAWS if each.name == law])


def test_a_record_that_miscounts(registered: Callable[[type[BlockSpec]], None]) -> None:
    registered(MiscountedBlockSpec)
    found = broken(laws=QUICK)
    assert list(found) == ["costs"]
    assert "measured are" in found["costs"]


def test_a_block_that_can_only_keep_its_size_says_so(registered: Callable[[type[BlockSpec]], None]) -> None:
    registered(block_of(lambda site: nn.BatchNorm2d(site.width)))
    first, *_ = outcomes("test_own", **SMALL, laws=())
    assert first.reason == ""
    found = list(outcomes({"kind": "basic", "shortcut": "identity"}, **SMALL, laws=QUICK))
    assert found[0].statement.startswith(
        "There can be a network of it, though not with strides and changes of width, where stage 1"
    )
    assert [outcome.reason for outcome in found if outcome.reason] == []


@pytest.mark.slow
def test_every_family_of_ours_keeps_the_quick_laws() -> None:
    for kind in BLOCKS.kinds():
        assert {o.name: o.reason for o in outcomes(kind, **SMALL, laws=QUICK) if o.reason} == {}, kind


SIZED = """\
from typing import Literal

from torch import Tensor, nn

from blocks import BlockSpec, Site, register_block


class Rows(nn.Module):
    def __init__(self, site: Site) -> None:
        super().__init__()
        self.conv = nn.Conv2d(site.in_channels, site.width, 3, site.stride, 1)
        self.linear = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        {forward}


@register_block
class MineSpec(BlockSpec):
    kind: Literal["test_mine"] = "test_mine"

    def module(self, site: Site) -> nn.Module:
        return Rows(site)
"""


@pytest.mark.parametrize(
    ("forward", "verdicts"),
    [
        ("return self.linear(self.conv(x))", ["feasible"]),
        pytest.param('assert x.is_meta, "no numbers, please"; return self.conv(x)', None, marks=pytest.mark.slow),
    ],
    ids=["for one size of maps", "with numbers"],
)
def test_one_error_is_told_once_and_in_80_columns(forward: str, verdicts: list[str] | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SIZED.format(forward=forward), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "blocks.laws", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    judged = [line.split()[1] for line in lines if line.startswith(("  kept", "  BROKEN"))]
    assert judged == verdicts or (verdicts is None and len(judged) == 1 + len(LAWS))
    assert ("are passed over" in done.stdout) == (verdicts is not None)
    assert sum(("RuntimeError" in line) or ("AssertionError" in line) for line in lines) == 1


def test_no_such_block() -> None:
    with pytest.raises(Exception, match="unknown block 'nothing'") as error:
        check_block("nothing")
    assert not isinstance(error.value, (LawBroken, ValidationError))


PLUGIN = """\
from typing import Literal

from torch import nn

from blocks import BlockSpec, Site, register_block


@register_block
class MineSpec(BlockSpec):
    kind: Literal["test_mine"] = "test_mine"

    def module(self, site: Site) -> nn.Module:
        return nn.Conv2d(site.in_channels, site.width, 3, {stride}, 1)
"""


@pytest.mark.parametrize(("stride", "code"), [("site.stride", 0), pytest.param("1", 3, marks=pytest.mark.slow)])
def test_the_command(stride: str, code: int, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(stride=stride), encoding="utf-8")
    command = [sys.executable, "-m", "blocks.laws", str(path), "--width", "8", "--input", "3x8x8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "test_mine"
    assert sum(line.startswith(("  kept", "  BROKEN")) for line in lines) == 1 + len(LAWS)
    assert ("But stage 1 has stride 2" in done.stdout) == (code == 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown block 'nothing'"),
        (["missing.py"], "missing.py: the plugin can't be read"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("blocks.laws: ")
    assert said in err
    assert err.count("\n") == 1
