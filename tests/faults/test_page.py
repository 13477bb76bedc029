"""The page and the tables of a study whose author means harm, made by the real command."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from reports import images
from search.outputs import _cell
from tests.faults.runs import TINY
from tests.reports.test_browser import CHROMIUM, browser, tabs, visit
from tests.reports.test_page import Reader
from tests.search.command import run, write_study

__all__ = ["browser", "tabs", "visit"]

EVIL = "</script><img src=x onerror=alert(1)><a href='https://evil.example'>win</a>"
FORMULAS = ("=1+1", "+1+cmd", "-1+cmd", "@SUM(A1)")


@pytest.fixture
def page() -> Callable[[str], Path]:
    """What `visit` asks for; here every page is opened by its path."""
    return Path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which the question, a level, a factor's values and an error's text are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    levels = {EVIL: 1, **{formula: 2 + number for number, formula in enumerate(FORMULAS)}}
    text = TINY.replace("# Does a wider expansion help?\n", "")
    text = text.replace("levels: [1, 6]", f"levels: {json.dumps(levels)}").replace(
        ", match: {cost: macs, tolerance: 0.08}", ""
    )
    write_study(folder, f"question: {json.dumps(EVIL)}\n{text}")
    done = run(folder, "study.yaml", "--inline")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "tiny"


def test_f30_hostile_text_makes_no_element_and_no_script(hostile: Path) -> None:
    html = (hostile / "report.html").read_text()
    reader = Reader(html)
    assert not [tag for tag, attributes in reader.elements if tag == "img" or "onerror" in attributes]
    assert EVIL in "".join(reader.said)
    for attributes, text in reader.scripts:
        if attributes.get("type") == "application/json":
            assert "<" not in text
            json.loads(text)
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


def test_f30_cells_that_begin_like_a_formula_get_an_apostrophe(hostile: Path) -> None:
    with (hostile / "results.csv").open(newline="") as file:
        levels = {row["expansion"] for row in csv.DictReader(file)}
    assert {f"'{formula}" for formula in FORMULAS} <= levels
    for path in hostile.glob("*.csv"):
        with path.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell[:1] in "=+@" and cell and not cell[1:].replace(".", "").isdigit()]


def test_f30_which_images_were_right_is_read_again_where_its_text_begins_like_a_formula(hostile: Path) -> None:
    """Of 64 beginnings of such a text one is a plus, and a study has many trials."""
    text = "+" + "A" * 7
    path = hostile / "images.csv"
    before = path.read_text()
    assert _cell(text) == "'" + text
    with path.open("w", newline="") as file:
        columns = next(csv.reader([before.splitlines()[0]]))
        row = {"trial": "t", "split": "validation", "images": "40", "correct": _cell(text)}
        csv.writer(file).writerows([columns, [row[column] for column in columns]])
    packed = images._read(path, "validation", pd.Series(["t"]))["correct"].to_dict()["t"]
    path.write_text(before)
    assert images._unpack(packed, 40, path).tolist() == [True] * 5 + [False] * 35


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_f30_f31_in_a_real_browser_it_is_inert_silent_and_offers_no_upload(
    hostile: Path, visit: Callable[..., Page]
) -> None:
    """`visit` checks at its end that nothing was said, fetched, or thrown."""
    tab = visit(hostile / "report.html")
    assert tab.locator("img").count() == 0
    assert tab.evaluate("[...document.querySelectorAll('a')].every(a => !a.href.includes('evil'))")
    assert tab.locator("svg a[*|href*='evil']").count() == 0
    assert EVIL[:20] in tab.locator("h1").inner_text()
    titles = tab.locator(".modebar-btn").evaluate_all("buttons => buttons.map(b => b.dataset.title || b.title)")
    assert titles
    words = ("cloud", "send", "upload", "plotly")
    assert not [title for title in titles if any(word in str(title).lower() for word in words)]
