"""Study files that are wrong, hostile or impossible, on the real command line: exit 2, one message, nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.blocks.test_agreement import agreement_of
from tests.search.command import SEARCH, STUDY, Done, Process, arms, run, write_study

TWO_BLOCKS = "    - {block: {kind: bottleneck, expansion: 4}, depth: 1, width: 16, stride: 2}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def refused(folder: Path, text: str | bytes, *words: str, seconds: float = 2.0) -> Done:
    """Runs a study that must be refused: within so many seconds of a CPU, with one message, and nothing written."""
    (folder / "study.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    process = Process(folder, "study.yaml", "--inline")
    done = process.wait()
    assert process.seconds < seconds
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("study.yaml")
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in folder.iterdir()] == ["study.yaml"]
    return done


def changed(*changes: tuple[str, str], text: str = STUDY) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed(("epochs: 2", "epochs: 2, epochs: 3")), ("study.yaml:9:20: the key 'epochs' is given twice",)),
        (changed(("epochs: 2", "epoch: 2")), (":9:9: train.epoch: unknown field", "did you mean 'epochs'")),
        (changed(("lr: 0.1", "lr: 012")), ("012 is octal to some tools",)),
        (changed(("lr: 0.1", "lr: 1:30")), ("1:30 reads as different numbers",)),
        (changed(("seeds: 2, match", "seeds: no, match")), ("design.seeds: input should be", '"no"')),
        (STUDY + "---\nname: second\n", ("another document",)),
        ("", ("the file is empty",)),
        ("- name: tiny\n", ("the top must be a mapping",)),
    ],
)
def test_f21_what_tools_read_differently_is_refused(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    refused(tmp_path, text, *words)


def test_f21_numbers_and_words_are_what_they_look_like(tmp_path: Path) -> None:
    text = changed(("lr: 0.1", "lr: 1e-3"), ("levels: [1, 6]", "levels: {on: 1, no: 6}"))
    write_study(tmp_path, text)
    done = run(tmp_path, "study.yaml", "--inline", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "expansion=on" in done.stdout
    assert "expansion=no" in done.stdout


HOSTILE = {
    "aliases that explode": (BOMB, "aliases expand"),
    "nesting": ("a: " + "[" * 60, "nested deeper than 50"),
    "a large file": ("# " + "x" * 1_000_001, "larger than 1,000,000 bytes"),
    "a tag": ("a: !!python/object/apply:os.system [touch x]", "the tag"),
    "NUL": ("a: \0", "the character U+0000"),
    "a lone surrogate": (b"a: \xed\xa0\x80", "is not UTF-8 text"),
    "an escaped surrogate": ('a: "\\ud800"', "U+D800"),
    "a long number": (f"a: {'9' * 5000}", "more than 20 digits"),
    "no number": ("a: .nan", "not a finite number"),
    "many values": ("a: [" + "1," * 30_000 + "]", "more than 20,000 values"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_f22_hostile_files_are_refused(tmp_path: Path, kind: str) -> None:
    text, word = HOSTILE[kind]
    refused(tmp_path, text, word)


def test_f22_in_no_time_and_before_torch_is_imported(tmp_path: Path) -> None:
    """One interpreter that reads them all, so that its own start is told from what they cost."""
    for number, (text, _) in enumerate(HOSTILE.values()):
        (tmp_path / f"{number}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    code = (
        "import sys, time\nfrom search.run import main\nmain(['none.yaml', '--inline'])\n"  # what imports cost
        "for name in sys.argv[1:]:\n    began = time.process_time()\n    code = main([name, '--inline'])\n"
        "    print(code, time.process_time() - began, 'torch' in sys.modules)"
    )
    names = [path.name for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=True
    )
    for line in done.stdout.splitlines():
        exit_code, seconds, torch = line.split()
        assert (exit_code, torch) == ("2", "False")
        assert float(seconds) < 2
    assert len(done.stdout.splitlines()) == len(HOSTILE)


def test_f23_a_network_of_36_terabytes_is_refused_by_arithmetic(tmp_path: Path) -> None:
    text = changed((TWO_BLOCKS, TWO_BLOCKS.replace("width: 16", "width: 1000000")), ("expansion: 4}", "expansion: 1}"))
    refused(tmp_path, text, "network.stages[1]: the baseline can't be built", "more than the limit of")
    raised = changed(("factors:", "limits: {params: 9e15, macs: 9e18, activations: 9e15, memory: 1e5}\nfactors:"))
    refused(tmp_path, raised, "a training step on 16 images needs", "more than the limit of 100,000")


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("expansion: 4}, depth: 1, width: 8", "expansion: 4, groups: 3}, depth: 1, width: 8", "3 groups"),
        ("depth: 1, width: 8", "depth: 1, width: 0", "greater than or equal to 1, not 0"),
        ("depth: 1, width: 8", "depth: 1, width: -1", "greater than or equal to 1, not -1"),
        ("depth: 1, width: 8", "depth: 1, width: 1.5", "valid integer"),
        ("depth: 1, width: 8", "depth: 1, width: true", "valid integer"),
        ("stride: 2", "stride: 0", "greater than or equal to 1, not 0"),
        (
            "expansion: 4}, depth: 1, width: 16",
            "expansion: 4, shortcut: identity}, depth: 1, width: 16",
            "stage 1, block 0",
        ),
        ("stride: 2", "stride: 64", "stage 1, block 0"),
    ],
)
def test_f24_impossible_networks_name_stage_block_and_reason(tmp_path: Path, old: str, new: str, word: str) -> None:
    refused(tmp_path, changed((old, new)), word)


def test_f24_of_an_arm_that_is_impossible_among_others_the_row_says_why(tmp_path: Path) -> None:
    factors = changed(
        ("levels: [1, 6]}", 'levels: [1, 6]}\n  groups: {path: "network.stages[*].block.groups", levels: [3]}'),
        ("kind: one_at_a_time, seeds: 2, match: {cost: macs, tolerance: 0.08}", "kind: factorial, seeds: 1"),
        ("epochs: 2", "epochs: 1"),
    )
    write_study(tmp_path, factors)
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    found = {arm["label"]: arm for arm in arms(tmp_path / "runs" / "tiny")["arms"]}
    assert found["groups=3"]["status"] == "rejected"
    assert "stage 0, block 0" in found["groups=3"]["reason"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 4))])
def test_f24_guard_and_build_agree_on_ten_thousand_random_networks(seed: int) -> None:
    assert agreement_of(2_500, seed).total() == 2_500


def test_f25_a_space_in_which_nothing_is_feasible(tmp_path: Path) -> None:
    done = refused(tmp_path, SEARCH + "constraints: {macs: {max: 5}}\n", seconds=20)
    assert "none of 1000 random arms can run; most " in done.stderr
    assert "macs" in done.stderr


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "CON", "a/b", ".hidden", "x" * 101])
def test_f26_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    refused(tmp_path, changed(("name: tiny", f"name: {name}")), "name")


def test_f26_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    write_study(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tiny").symlink_to(tmp_path / "elsewhere")
    done = run(tmp_path, "study.yaml", "--inline")
    assert done.returncode == 2
    assert "symbolic link" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: synthetic", "kind: os.system"),
        ("kind: sgd", "kind: torch.optim.SGD"),
        ("kind: conv3x3", "kind: trap.Trap"),
        ("levels: [1, 6]", "levels: {evil: {network.__class__: 1}}"),
        ("data: {kind", "plugins: [../trap.py, os.system]\ndata: {kind"),
    ],
)
def test_f27_only_registered_names_and_listed_plugins_are_imported(tmp_path: Path, old: str, new: str) -> None:
    """A file that would leave a trace if it were imported lies where Python would look."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "trap.py").write_text("open('sprung', 'w').close()\n")
    write_study(folder, changed((old, new)))
    done = run(folder, "study.yaml", "--inline")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["study.yaml", "trap.py"]
