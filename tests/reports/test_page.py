"""The page as a file: complete, inert, deterministic, atomic, and built without torch."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import plotly.offline
import pytest

import reports
from reports import page as page_module
from reports.numbers import unbroken
from tests.reports import runs
from tests.reports.conftest import EVERY

ASSETS = Path(page_module.__file__).parent / "assets"


class Reader(HTMLParser):
    """Collects the elements of a page, its scripts' texts, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.said = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        last, attributes = self.elements[-1] if self.elements else ("", {})
        if last == "script" and self.cdata_elem == "script":
            self.scripts.append((attributes, data))
        elif last != "style":
            self.said += data


@pytest.mark.parametrize("name", EVERY)
def test_every_run_gets_a_page_that_says_its_answer(name: str, page: Callable[[str], Path]) -> None:
    path = page(name)
    html, record = path.read_text(encoding="utf-8"), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    reader = Reader(html)
    assert unbroken(record["answer"]["headline"]) in reader.said
    assert record["question"] in reader.said
    assert {"main", "header", "footer", "nav", "h1"} <= {tag for tag, _ in reader.elements}
    assert path.stat().st_size < 2_500_000


def test_no_line_breaks_within_a_date_an_interval_or_a_range() -> None:
    text = "1 < 2: 0–100%, [−1.02, 0.50] of [0, 1] on 2026-11-22, depth[0]=2, block=basic, a–b"
    whole = re.findall('<span class="whole">(.*?)</span>', page_module._unbroken(text))
    assert whole == ["0–100%", "[−1.02, 0.50]", "[0, 1]", "2026-11-22"]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = runs.finished_ablation().write(tmp_path)
    first = reports.build(run).read_bytes(), (run / "report.json").read_bytes()
    moved = run.rename(tmp_path / "moved")
    environment = {"PYTHONHASHSEED": "7", "PATH": ""}
    command = [sys.executable, "-m", "reports", str(moved)]  # by two processes
    subprocess.run(command, check=True, env=environment, cwd=Path(reports.__file__).parent.parent)
    assert ((moved / "report.html").read_bytes(), (moved / "report.json").read_bytes()) == first


def test_nothing_is_fetched_and_nothing_but_our_scripts_may_run(page: Callable[[str], Path]) -> None:
    reader = Reader(page("ablation").read_text(encoding="utf-8"))
    for tag, attributes in reader.elements:
        assert tag not in ("iframe", "object", "embed", "form", "base")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
        assert not any(name.startswith("on") for name in attributes)
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for attributes, text in reader.scripts:
        if "type" not in attributes:
            assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert sum("type" not in attributes for attributes, _ in reader.scripts) == len(page_module.SCRIPTS)


def test_hostile_text_makes_no_element(page: Callable[[str], Path]) -> None:
    html = page("hostile").read_text(encoding="utf-8")
    reader = Reader(html)
    assert not [tag for tag, attributes in reader.elements if tag == "img" or "onerror" in attributes]
    assert "evil.example" not in "".join(str(a) for tag, a in reader.elements if tag == "a")
    assert reader.said.count(runs.HOSTILE.replace("\u2028", "\u2028")) > 5
    for attributes, text in reader.scripts:
        if attributes.get("type") == "application/json":
            assert not re.search("[<>&\u2028]", text)
            json.loads(text)


@pytest.mark.parametrize("name", EVERY)
def test_every_number_of_the_record_is_json_that_any_reader_takes(name: str, page: Callable[[str], Path]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    record = json.loads(page(name).with_suffix(".json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert record["schema"] == 1
    assert set(record) >= {"answer", "arms", "comparisons", "confirmed", "counts", "figures", "environment"}


def test_the_record_holds_the_tables_numbers(page: Callable[[str], Path]) -> None:
    path = page("ablation")
    record, html = json.loads(path.with_suffix(".json").read_bytes()), path.read_text(encoding="utf-8")
    for row in record["comparisons"]:
        assert f"{abs(row['effect']) * 100:.2f}" in html
    assert record["counts"]["trials"]["planned"] == 52
    assert {arm["label"] for arm in record["arms"]} >= {"baseline", "expansion=6"}


def test_a_failed_write_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.trained().write(tmp_path)
    old = reports.build(run).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        reports.build(run)
    assert (run / "report.html").read_bytes() == old
    assert not list(run.glob(".report*"))


def test_the_bundle_is_the_version_that_plotly_carries() -> None:
    bundle = (ASSETS / "plotly-cartesian.min.js").read_text(encoding="utf-8")
    found = re.search(r"plotly\.js \(cartesian - minified\) v(\S+)", bundle)
    assert found is not None
    assert found[1].split(".")[:2] == plotly.offline.get_plotlyjs_version().split(".")[:2]
    assert "</script" not in bundle.lower()
    assert "MIT License" in (ASSETS / "plotly-LICENSE.txt").read_text(encoding="utf-8")


def test_building_a_page_never_loads_torch(written: Callable[[str], Path], tmp_path: Path) -> None:
    run = runs.finished_search().write(tmp_path)
    code = (
        "import sys, reports\n"
        f"reports.build({str(run)!r})\n"
        "print(sorted({'torch', 'torchvision', 'search', 'blocks', 'ray', 'optuna'} & set(sys.modules)))"
    )
    root = Path(reports.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "[]"


def test_lone_surrogates_do_not_stop_the_page(tmp_path: Path) -> None:
    sketch = runs.trained()
    sketch.arms[0]["label"] = "half \ud83d of a pair"
    assert "half ? of a pair" in reports.build(sketch.write(tmp_path)).read_text(encoding="utf-8")


def test_a_crowd_of_arms_is_cut_with_a_word(tmp_path: Path) -> None:
    html = reports.build(runs.searched(arms=700, name="crowd").write(tmp_path)).read_text(encoding="utf-8")
    assert "The 200 best of 700 arms" in html
    assert "none was run again on fresh seeds" in html
    assert "rows; all are in report.json." in html


@pytest.mark.parametrize("ended", [1, 2, 3, 9])
def test_a_search_that_stops_arms_early_has_a_page_at_any_moment(ended: int, tmp_path: Path) -> None:
    sketch = runs.searched(arms=20, name="early")
    sketch.design = {"rungs": [3], "eta": 3}
    for row in sketch.trials[1:]:
        row.update(status="stopped", reason="not among the best at epoch 3", val_accuracy="")
    del sketch.trials[ended:]
    known = {row["trial"] for row in sketch.trials}
    sketch.curves = [row for row in sketch.curves if row["trial"] in known]
    assert "Pareto front" in reports.build(sketch.write(tmp_path)).read_text(encoding="utf-8")
