"""A finished run that someone, or a disk, has changed: the audit says what is wrong, and what it says mends it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from search.record import Record, read
from search.record_lines import scan
from tests.faults.runs import copied, demand_same, demand_whole
from tests.search.command import Done, finished, run


def audit(folder: Path) -> Done:
    return run(folder, "runs/tiny", module="search.audit")


def mended(folder: Path, most: int = 3) -> list[str]:
    """Runs the commands that the audit names until it is content; returns them."""
    ran: list[str] = []
    for _ in range(most):
        done = audit(folder)
        assert (done.returncode, done.stderr) in ((0, ""), (5, ""))
        if done.returncode == 0:
            return ran
        for line in done.stdout.splitlines():
            if line.startswith("  mended by: "):
                _, _, module, *arguments = line.removeprefix("  mended by: ").split()
                module = "reports.__main__" if module == "reports" else module
                assert run(folder, *arguments, module=module).returncode in (0, 5)
                ran.append(module)
    raise AssertionError(f"{ran} did not mend it: {audit(folder).stdout}")


def lines_of(record: Path, *events: str) -> list[int]:
    """Returns where the last lines of these events are."""
    found = [entry["event"] for entry in read(record)[0]]
    return [max(at for at, event in enumerate(found) if event == wanted) for wanted in events]


def test_a_line_that_was_taken_out_or_put_in_twice_is_noticed_whatever_it_said(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    record = directory / "trials.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    for number in range(len(lines) - 1):
        record.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        assert (scan(record).missing, scan(record).repeated) == (1, [])
    for number, line in enumerate(lines):
        record.write_bytes(b"".join([*lines[:number], line, *lines[number:]]))
        assert (scan(record).missing, scan(record).repeated) == (0, [number + 2])
    # A phase, what was tested and what was exported: of none of them anything else would tell.
    gone = lines_of(record := copied(whole, tmp_path / "gone") / "trials.jsonl", "planned", "tested", "exported")
    record.write_bytes(b"".join(line for number, line in enumerate(lines) if number not in gone))
    said = audit(tmp_path / "gone")
    assert said.returncode == 5
    assert "wrong: lines of the record are missing: 3\n" in said.stdout
    refused = run(tmp_path / "gone", "study.yaml", "--inline")
    assert refused.returncode == 5
    assert "lines of the record are missing: 3; python -m search.audit runs/tiny --mend" in refused.stderr
    assert mended(tmp_path / "gone") == ["search.audit", "search.run"]
    demand_same(record.parent, whole)


def test_a_line_that_is_there_twice_counts_once(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    record = directory / "trials.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    (last,) = lines_of(record, "finished")
    record.write_bytes(b"".join([*lines, lines[last]]))
    assert f"wrong: line {len(lines) + 1} of the record is there already\n" in audit(tmp_path).stdout
    assert mended(tmp_path) == ["search.audit"]
    assert record.read_bytes() == b"".join(lines)
    demand_same(directory, whole)


def test_every_file_that_was_changed_is_named_and_made_again(tmp_path: Path, whole: Path) -> None:
    directory = copied(whole, tmp_path)
    flipped = [*(path.name for path in directory.glob("weights/*")), "winner.safetensors"]
    for path in (*directory.glob("weights/*"), directory / "winner.safetensors"):
        content = bytearray(path.read_bytes())
        content[-9] ^= 1
        path.write_bytes(content)
    cut = ("arms.json", "epochs.csv", "images.csv", "environment.json", "diagnosis.json", "report.html", "report.json")
    for name in cut:
        path = directory / name
        path.write_bytes(path.read_bytes()[:300])
    table = directory / "results.csv"
    table.write_bytes(table.read_bytes().replace(b",completed,", b",\xff\0,", 1))
    plan = directory / "study.yaml"
    plan.write_text(plan.read_text().replace("lr: 0.1", "lr: 0.2"))
    said = audit(tmp_path)
    assert (said.returncode, said.stderr) == (5, "")
    named = [line.split()[1].rpartition("/")[2] for line in said.stdout.splitlines() if line.startswith("  wrong: ")]
    assert Counter(named) == Counter([*flipped, *cut, "study.yaml", "results.csv", "results.csv"])
    assert "python -m reports runs/tiny" in said.stdout
    assert set(mended(tmp_path)) == {"search.run", "reports.__main__"}
    demand_whole(directory)
    assert set(finished(directory)) == set(finished(whole))
    shutil.rmtree(directory / "weights")
    assert audit(tmp_path).stdout.count("is not what was trained") == len(flipped) - 1
    assert mended(tmp_path) == ["search.run"]


def test_a_record_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Its lines have no numbers; what is added has."""
    (tmp_path / "trials.jsonl").write_text(
        '{"checksum":"65374d36c6192d76","entry":{"event":"sanity"}}\n'
        '{"checksum":"65374d36c6192d76","entry":{"event":"sanity"}}\n'
    )
    with Record(tmp_path) as record:
        record.append("warning", text="new")
        assert [entry["event"] for entry in record.entries] == ["sanity", "sanity", "warning"]
    assert b'"line":3,' in (tmp_path / "trials.jsonl").read_bytes()
    assert scan(tmp_path / "trials.jsonl").faults == []
