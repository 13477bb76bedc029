"""The page in a real Chromium: silent, offline, readable, and inert."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.reports import runs
from tests.reports.conftest import SKETCHES

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing = f"no Chromium on this machine: none of {', '.join(NAMES)} is on the PATH"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, page: Callable[[str], Path]) -> Iterator[Visit]:
    """Opens a run's page; at the end of the test nothing may have been said, fetched or thrown."""
    said: list[str] = []
    opened: list[Page] = []

    def open_page(name: str, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        tab = context.new_page()
        opened.append(tab)
        url = page(name).as_uri()
        tab.on("console", lambda message: said.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: said.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda request: said.append(f"request: {request.url}") if request.url != url else None)
        tab.goto(url)
        for plot in tab.locator(".plot").all():
            plot.locator(".main-svg").first.wait_for()
        return tab

    yield open_page
    for tab in opened:
        tab.context.close()
    assert [line for line in said if not line.startswith(("request: data:", "request: blob:"))] == []


@pytest.mark.parametrize("name", sorted(SKETCHES))
def test_the_answer_is_on_the_first_screen(name: str, visit: Visit) -> None:
    tab = visit(name)
    for selector in ("h1", ".headline"):
        box = tab.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800


def test_the_default_studys_findings_and_winner_are_on_the_first_screen(visit: Visit) -> None:
    tab = visit("ablation")
    for selector in (".statements", "aside"):
        box = tab.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800
    assert tab.locator("aside code").inner_text() == 'load_model("winner.safetensors")'


@pytest.mark.parametrize("name", ["ablation", "search", "hostile"])
def test_the_page_fits_a_phone(name: str, visit: Visit) -> None:
    assert visit(name, width=360, scheme="dark").evaluate("document.documentElement.scrollWidth") == 360


def test_hostile_names_are_inert(visit: Visit) -> None:
    tab = visit("hostile")
    assert tab.title() == "hostile – report"
    assert tab.locator("img").count() == 0
    assert tab.evaluate("[...document.querySelectorAll('a')].every(a => !a.href.includes('evil'))")
    assert tab.locator("svg a[*|href*='evil']").count() == 0
    assert runs.HOSTILE[:20] in tab.locator("h1").inner_text()
    assert "</script" in tab.locator(".plot svg").first.evaluate("svg => svg.parentElement.textContent")


def test_figures_follow_the_readers_colours(visit: Visit) -> None:
    ink = "getComputedStyle(document.querySelector('.plot .xtick text')).fill"
    tab = visit("ablation")
    light = tab.evaluate(ink)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_timeout(500)
    assert (light, tab.evaluate(ink)) == ("rgb(27, 30, 35)", "rgb(233, 235, 238)")


def test_tables_are_sorted_by_mouse_and_keyboard(visit: Visit) -> None:
    tab = visit("ablation")
    effects = tab.locator("#ablation .scroll").locator("table")
    column = "rows => rows.map(row => Number(row.children[2].dataset.key))"
    heading = effects.locator("thead button").nth(2)
    heading.click()
    assert effects.locator("thead th").nth(2).get_attribute("aria-sort") == "ascending"
    values = effects.locator("tbody tr").evaluate_all(column)
    assert values == sorted(values)
    heading.focus()
    tab.keyboard.press("Enter")
    assert effects.locator("tbody tr").evaluate_all(column) == sorted(values, reverse=True)


def test_one_seed_is_told_and_drawn_without_an_interval(visit: Visit) -> None:
    tab = visit("one seed")
    assert tab.locator(".headline").inner_text().startswith("One seed: no interval, no verdict.")
    lines = tab.locator("#ablation svg.glyph line")
    assert lines.count() == 3 * 7
    assert lines.evaluate_all("lines => lines.every(l => Number.isFinite(Number(l.getAttribute('x1'))))")
    assert "one seed: no interval" in tab.locator("#ablation table").inner_text()


def test_missing_values_sort_last_either_way(visit: Visit) -> None:
    table = visit("broken").locator("#ablation table")
    heading = table.locator("thead button").nth(2)
    for _ in range(2):
        heading.click()
        keys = table.locator("tbody tr").evaluate_all("rows => rows.map(row => row.children[2].dataset.key)")
        assert "" in keys
        assert all(key == "" for key in keys[keys.index("") :])


def test_no_button_offers_an_upload(visit: Visit) -> None:
    tab = visit("ablation")
    titles = tab.locator(".modebar-btn").evaluate_all("buttons => buttons.map(b => b.dataset.title || b.title)")
    assert titles
    assert not [
        title for title in titles if any(word in str(title).lower() for word in ("cloud", "send", "upload", "plotly"))
    ]


def test_the_page_prints(visit: Visit, tmp_path: Path) -> None:
    tab = visit("ablation", scheme="dark")
    paper = tab.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert 2 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type/Page") <= 10
