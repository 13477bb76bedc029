"""The page in a real Chromium: silent, offline, readable, and inert."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import reports
from reports import figures
from tests.reports import runs
from tests.reports.conftest import SKETCHES

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
Visit = Callable[..., Page]
Tabs = dict[tuple[str, int, str, tuple[str, ...]], tuple[Page, list[str]]]


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


@pytest.fixture(scope="module")
def tabs(browser: Browser) -> Iterator[Tabs]:
    """Pages that are open, by all that tells one from another, each with what it has said."""
    opened: Tabs = {}
    yield opened
    for tab, _ in opened.values():
        tab.context.close()


@pytest.fixture
def visit(browser: Browser, page: Callable[[str], Path], tabs: Tabs) -> Iterator[Visit]:
    """Opens a run's page, or comes back to it; at the end of a test nothing may have been said, fetched or thrown."""

    def open_page(run: str | Path, width: int = 1280, scheme: str = "light", allowed: tuple[str, ...] = ()) -> Page:
        key = str(run), width, scheme, allowed
        if key not in tabs:
            tabs[key] = _opened(browser, run if isinstance(run, Path) else page(run), width, scheme, allowed)
        tab = tabs[key][0]
        tab.evaluate("document.querySelector('dialog').close()")
        tab.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        return tab

    yield open_page
    said = [line for _, lines in tabs.values() for line in lines]
    for _, lines in tabs.values():
        lines.clear()
    assert [line for line in said if not line.startswith(("request: data:", "request: blob:"))] == []


def _opened(browser: Browser, path: Path, width: int, scheme: str, allowed: tuple[str, ...]) -> tuple[Page, list[str]]:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
        permissions=allowed,
    )
    tab, said, url = context.new_page(), list[str](), path.as_uri()
    tab.on("console", lambda message: said.append(f"console: {message.text}"))
    tab.on("pageerror", lambda error: said.append(f"error: {error}"))
    tab.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    tab.on("request", lambda request: said.append(f"request: {request.url}") if request.url != url else None)
    tab.goto(url)
    for plot in tab.locator(".panels:not([hidden]) .plot").all():
        plot.locator(".main-svg").first.wait_for()
    return tab, said


QUICK = ("ablation", "empty", "broken")
EVERY = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in sorted(SKETCHES)]


@pytest.mark.parametrize("name", EVERY)
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


@pytest.mark.parametrize(
    "name", ["ablation", *(pytest.param(n, marks=pytest.mark.slow) for n in ("search", "hostile"))]
)
def test_the_page_fits_a_phone(name: str, visit: Visit) -> None:
    assert visit(name, width=360, scheme="dark").evaluate("document.documentElement.scrollWidth") == 360


def test_figures_follow_the_readers_colours(visit: Visit) -> None:
    ink = "getComputedStyle(document.querySelector('.plot .xtick text')).fill"
    tab = visit("ablation")
    light = tab.evaluate(ink)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_timeout(500)
    dark = tab.evaluate(ink)
    tab.emulate_media(color_scheme="light")
    assert (light, dark) == ("rgb(27, 30, 35)", "rgb(233, 235, 238)")


def test_tables_are_sorted_by_mouse_and_keyboard(visit: Visit) -> None:
    tab = visit("ablation")
    effects = tab.get_by_role("table", name="Effects against the baseline")
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
    assert "one seed: no interval" in tab.get_by_role("table", name="Effects against the baseline").inner_text()


def test_missing_values_sort_last_either_way(visit: Visit) -> None:
    table = visit("broken").get_by_role("table", name="Effects against the baseline")
    heading = table.locator("thead button").nth(2)
    for _ in range(2):
        heading.click()
        keys = table.locator("tbody tr").evaluate_all("rows => rows.map(row => row.children[2].dataset.key)")
        assert "" in keys
        assert all(key == "" for key in keys[keys.index("") :])


def test_the_page_prints(visit: Visit, tmp_path: Path) -> None:
    tab = visit("ablation", scheme="dark")
    paper = tab.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert 2 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type/Page") <= 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ablation", "broken", "diagnosed", "search"])
def test_tables_fit_the_paper_and_their_heads_are_words_on_every_sheet(name: str, visit: Visit) -> None:
    tab = visit(name, width=680)  # A4 without its margins
    tab.emulate_media(media="print")
    wider = "() => [...document.querySelectorAll('main section > .table')].filter((box) => box.scrollWidth > 681)"
    assert tab.evaluate(f"({wider})().map((box) => box.innerText.slice(0, 80))") == []
    shown = "heads => [...new Set(heads.map((head) => getComputedStyle(head).display))]"
    assert tab.locator("thead button").evaluate_all(shown) == ["contents"]  # boxes are left out of a head that repeats
    tab.emulate_media(media="screen")


def test_a_name_a_row_and_a_point_open_the_arm(visit: Visit, written: Callable[[str], Path]) -> None:
    tab = visit("ablation")
    panel, name = tab.locator("dialog"), tab.locator("#arms-title ~ .table button.arm").nth(1)
    assert not panel.is_visible()
    name.focus()
    tab.keyboard.press("Enter")
    assert panel.locator("h2").inner_text() == name.inner_text()
    assert panel.locator("h3").all_inner_texts() == [
        "Against the baseline",
        "Learning curves by seed",
        "Trials",
        "Spec",
    ]
    assert panel.locator(".curves .main-svg").count() > 0
    assert panel.locator("table").last.locator("tbody tr").count() == 5
    tab.keyboard.press("Escape")
    assert not panel.is_visible()
    assert name.evaluate("element => element === document.activeElement")
    tab.locator("#arms-title ~ .table tbody tr").nth(1).locator("td").nth(2).click()
    assert panel.is_visible()
    panel.locator("button.close").click()
    plot = tab.locator("[data-name=accuracy_cost] .plot").first
    plot.focus()
    tab.keyboard.press("ArrowRight")
    assert "%" in tab.locator("#page-said").inner_text()
    tab.keyboard.press("Enter")
    labels = [arm["label"] for arm in json.loads((written("ablation") / "arms.json").read_text())["arms"]]
    assert panel.locator("h2").inner_text() in labels
    panel.locator("button.close").click()
    tab.locator("[data-name=accuracy_cost] .plot").first.scroll_into_view_if_needed()
    box = tab.locator("[data-name=accuracy_cost] .plot path.point").first.bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert panel.is_visible()
    assert "Against the baseline" in panel.inner_text()


def test_the_panels_yaml_is_the_arms_spec(visit: Visit, written: Callable[[str], Path]) -> None:
    from ruamel.yaml import YAML

    tab = visit("ablation")
    tab.locator("#arms-title ~ .table button.arm", has_text="expansion=6").first.click()
    found = YAML(typ="safe").load(tab.locator("dialog pre").inner_text())
    arms = json.loads((written("ablation") / "arms.json").read_text())["arms"]
    own = next(arm for arm in arms if arm["label"] == "expansion=6")
    assert found == {part: own[part] for part in ("network", "train", "data")}


@pytest.mark.parametrize("form", ["LaTeX", pytest.param("Markdown", marks=pytest.mark.slow)])
def test_the_ablation_table_is_copied(form: str, visit: Visit) -> None:
    tab = visit("ablation", allowed=("clipboard-read", "clipboard-write"))
    box = tab.locator("#ablation > .table").first
    box.get_by_role("button", name=form).click()
    tab.wait_for_function("() => document.getElementById('page-said').textContent === 'Copied.'")
    expected = json.loads(box.locator("script.copies").inner_text())[form]
    assert tab.evaluate("navigator.clipboard.readText()") == expected
    assert box.locator("textarea").count() == 0


def test_without_a_clipboard_the_text_is_selected(visit: Visit) -> None:
    tab = visit("ablation")
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    box = tab.locator("#ablation > .table").first
    box.get_by_role("button", name="CSV").click()
    area = box.locator("textarea")
    area.wait_for()
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd) === area.value")
    assert area.input_value() == json.loads(box.locator("script.copies").inner_text())["CSV"]


def test_figures_are_downloaded_offline(visit: Visit) -> None:
    tab = visit("ablation")
    figure = tab.locator("[data-name=accuracy_cost]")
    texts = {}
    for kind in ("svg", "csv"):
        with tab.expect_download() as caught:
            figure.locator(f"[data-download={kind}]").click()
        assert caught.value.suggested_filename == f"accuracy_cost.{kind}"
        texts[kind] = Path(caught.value.path()).read_text(encoding="utf-8")
    assert texts["svg"].startswith("<svg")
    assert "MACs an image" in texts["svg"]
    assert len(texts["csv"].splitlines()) == 1 + figure.locator("tbody tr").count()


def test_a_table_is_filtered(visit: Visit) -> None:
    tab = visit("search")
    box = tab.locator("#arms-title ~ .table")
    rows = box.locator("tbody tr:visible")
    before = rows.count()
    box.get_by_label("Filter").fill("BASELINE")
    assert 0 < rows.count() < before
    assert tab.locator("#page-said").inner_text() == f"{rows.count()} of {before} rows"
    box.get_by_label("Filter").fill("")
    assert rows.count() == before


def test_a_reader_switches_between_variants(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two_ways.py").write_text(
        "from reports import ink\n"
        "SECTION, ORDER, TITLE, COLUMNS, SWITCH = 'ways', 50, 'Two ways', {'seed': 'Seed'}, 'Cost'\n"
        "def data(table): return table.trials[['seed']].head(3)\n"
        "def caption(frame): return 'Two ways.'\n"
        "def draw(frame):\n"
        "    trace = {'type': 'scatter', 'x': [1, 2], 'y': [1, 2]}\n"
        "    titled = [(name, {'title': {'text': name}}) for name in ('MACs', 'time')]\n"
        "    return {name: ink.figure([trace], height=200, x=axis, y={}) for name, axis in titled}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    tab = visit(reports.build(runs.trained().write(tmp_path)))
    sys.modules.pop("reports.figures.two_ways")
    figure = tab.locator("[data-name=two_ways]")
    assert figure.locator(".plot:visible .xtitle").text_content() == "MACs"
    figure.get_by_role("radio", name="MACs").focus()
    tab.keyboard.press("ArrowRight")
    figure.locator(".plot:visible .xtitle", has_text="time").wait_for()
    assert figure.locator(".plot:visible").count() == 1
    assert tab.locator("#page-said").inner_text() == "Cost: time"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("ablation", "light"),
        *(
            pytest.param(name, scheme, marks=pytest.mark.slow)
            for name, scheme in [("ablation", "dark"), ("broken", "dark"), ("search", "light"), ("factorial", "dark")]
        ),
    ],
)
def test_axe_finds_no_violation(name: str, scheme: str, visit: Visit) -> None:
    tab = visit(name, scheme=scheme)
    assert _violations(tab) == []
    tab.locator("button.arm:visible").last.click()
    assert _violations(tab, "dialog") == []


def _violations(tab: Page, within: str = "html") -> list[str]:
    tab.evaluate(AXE)
    found = tab.evaluate("within => axe.run(within, { resultTypes: ['violations'] })", within)["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])})" for one in found]


CONTROLS = """() => {
  const every = [...document.querySelectorAll("a[href], button, input, summary, textarea, [tabindex='0']")];
  const chosen = (one) => one.type !== "radio" || one.checked; /* one stop a group; the arrow keys do the rest */
  window.controls = every.filter((one) => one.checkVisibility() && chosen(one));
  return window.controls.map((one) => one.outerHTML.slice(0, 90));
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  const shown = getComputedStyle(one).outlineStyle !== "none" && one.getBoundingClientRect().width > 0;
  return [window.controls.indexOf(one), shown];
}"""


def test_the_whole_page_is_walked_by_keyboard(visit: Visit) -> None:
    tab = visit("broken", width=1282, allowed=("clipboard-read", "clipboard-write"))  # a tab of its own: no focus yet
    controls = tab.evaluate(CONTROLS)
    walked: list[int] = []
    for _ in controls:
        tab.keyboard.press("Tab")
        place, shown = tab.evaluate(FOCUSED)
        assert shown, controls[place]
        walked.append(place)
    assert walked == list(range(len(controls)))  # every control, in the order of the page
    assert "Skip to the answer" in controls[0]
    tab.evaluate("document.activeElement.blur()")
    said = tab.locator("#page-said")

    _tab_to(tab, "a.skip")
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#answer"
    _tab_to(tab, "[data-name=accuracy_cost] input")
    tab.keyboard.press("ArrowRight")
    assert said.inner_text() == "Cost: parameters"
    _tab_to(tab, "[data-name=accuracy_cost] .plot")
    tab.keyboard.press("ArrowRight")
    _opened_and_closed(tab)
    _tab_to(tab, "[data-name=accuracy_cost] summary")
    tab.keyboard.press("Enter")
    assert tab.locator("[data-name=accuracy_cost] details table").is_visible()
    _tab_to(tab, "#ablation > .table .tools button")
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => document.getElementById('page-said').textContent === 'Copied.'")
    _tab_to(tab, "#ablation > .table thead button")
    tab.keyboard.press("Space")
    assert tab.locator("#ablation > .table thead th").first.get_attribute("aria-sort") == "ascending"
    _tab_to(tab, "#arms input")
    tab.keyboard.type("attention")
    assert said.inner_text() == "2 of 9 rows"
    _tab_to(tab, "#arms tbody button")
    _opened_and_closed(tab)


def _tab_to(tab: Page, selector: str) -> None:
    """Presses Tab until what has the focus is one of these."""
    for _ in range(150):
        tab.keyboard.press("Tab")
        if tab.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def _opened_and_closed(tab: Page) -> None:
    """Opens the arm that has the focus, reads its difference, and closes it: the focus is where it was."""
    panel = tab.locator("dialog")
    origin = tab.evaluate_handle("document.activeElement")
    tab.keyboard.press("Enter")
    assert panel.get_by_role("heading", name="Against the baseline").is_visible()
    _tab_to(tab, "dialog button.close")
    tab.keyboard.press("Enter")
    assert not panel.is_visible()
    assert origin.evaluate("origin => origin === document.activeElement")


@pytest.mark.slow
def test_a_comparison_is_quiet_and_fits_a_phone(visit: Visit, written: Callable[[str], Path], tmp_path: Path) -> None:
    from reports.__main__ import main

    path = tmp_path / "comparison.html"
    assert main([str(written("ablation")), str(written("broken")), "--out", str(path)]) == 0
    tab = visit(path, width=360)
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    assert _violations(tab) == []
