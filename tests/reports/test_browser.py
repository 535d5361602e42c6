"""The page in a real browser: opened from disk, offline, in both themes, narrow, printed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustersim.results import Results
from clustersim_reports import write_report
from clustersim_reports.figures.spares import spares_data
from tests.reports.browser import Browser, Page, chromium, executable
from tests.reports.cases import run
from tests.reports.fleets import everything

SAYS_NOTHING = "no Chromium here: THE REPORT WAS NOT OPENED IN A BROWSER (apt-get install chromium)"
FIGURES = "document.querySelectorAll('[data-figure]')"
OUTSIDE = f"""[...{FIGURES}].flatMap(plot => {{
  const box = plot.getBoundingClientRect();
  return [...plot.querySelectorAll('svg text')].filter(text => {{
    const own = text.getBoundingClientRect();
    const beside = own.left < box.left - 1 || own.right > box.right + 1;
    return own.width && (beside || own.bottom > box.bottom + 1);
  }}).map(text => plot.dataset.figure + ': ' + text.textContent);
}})"""
OVERLAPPING = f"""[...{FIGURES}].flatMap(plot => {{
  const notes = [...plot.querySelectorAll('.annotation-text')]
    .filter(one => one.getBoundingClientRect().width);
  const boxes = notes.map(one => one.getBoundingClientRect());
  const apart = (a, b) => a.right <= b.left || b.right <= a.left
    || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
  return notes.flatMap((one, i) => notes.slice(i + 1)
    .filter((_, k) => !apart(boxes[i], boxes[i + 1 + k]))
    .map(other => `${{one.textContent}} / ${{other.textContent}}`));
}})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if executable() is None:
        pytest.skip(SAYS_NOTHING)
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(shown(), path, command="a < b & c")
    return path


def shown() -> list[Results]:
    return [*(run(name) for name in ("plain", "large", "stuck", "hostile")), everything()]


def opened(browser: Browser, report: Path, *, width: int = 1200, scheme: str = "light") -> Page:
    page = browser.page()
    page.offline()
    page.emulate(width=width, scheme=scheme)
    page.open(report)
    return page


@pytest.fixture(scope="module")
def page(browser: Browser, report: Path) -> Page:
    return opened(browser, report)


def test_it_opens_offline_without_a_word_or_a_request(page: Page) -> None:
    assert page.run("document.documentElement.dataset.figures") == "drawn"
    assert page.complaints() == []
    assert page.requests() == []


def test_every_figure_is_drawn(page: Page) -> None:
    empty = f"[...{FIGURES}].filter(one => !one.querySelector('svg.main-svg')).map(one => one.dataset.figure)"
    assert page.run(empty) == []
    with_spares = sum(spares_data(result) is not None for result in shown())
    assert page.run(f"{FIGURES}.length") == 2 + 5 * 5 + with_spares


def test_no_button_leads_anywhere(page: Page) -> None:
    assert page.run("document.querySelectorAll('.modebar-btn, .plotlyjsicon').length") == 0
    assert page.run("document.querySelectorAll('a:not([href^=\"#\"])').length") == 0


def test_markup_in_titles_and_labels_is_text(page: Page) -> None:
    assert page.run("document.body.innerText.includes('<script>alert(1)</script> & <b>bold</b>')")
    assert page.run("document.querySelectorAll('img, .plot a').length") == 0


def test_labels_are_inside_their_figures(page: Page) -> None:
    assert page.run(OUTSIDE) == []


def test_the_numbers_of_a_figure_unfold(page: Page) -> None:
    page.run("document.querySelector('[data-numbers=\"ledger\"]').open = true")
    page.wait("document.querySelector('[data-numbers=\"ledger\"] td')")
    cells = "document.querySelector('[data-numbers=\"ledger\"] tr').cells"
    first = page.run(f"[...{cells}].map(cell => cell.textContent)")
    assert first == ["scenario", "cards", "entry", "share_of_card_hours"]


def test_the_csv_of_a_figure_is_its_table(page: Page) -> None:
    catch = """new Promise(done => {
      const make = URL.createObjectURL;
      URL.createObjectURL = blob => {
        URL.createObjectURL = make;
        blob.text().then(done);
        return make(blob);
      };
      HTMLAnchorElement.prototype.click = () => {};
      document.querySelector('[data-csv="ledger"]').click();
    })"""
    lines = page.run(catch).split("\r\n")
    assert lines[0] == "scenario,cards,entry,share_of_card_hours"
    assert lines[1].startswith("plain,1024,productive,0.9")


def test_the_dark_page_is_dark_in_its_figures_too(browser: Browser, report: Path) -> None:
    page = opened(browser, report, scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    figure = f"getComputedStyle({FIGURES}[0].querySelector('svg.main-svg')).backgroundColor"
    assert page.run(background) == page.run(figure) == "rgb(19, 23, 29)"
    page.emulate(scheme="light")
    page.wait(f"{figure} === 'rgb(253, 252, 250)'")
    assert page.complaints() == []


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, report: Path) -> None:
    page = opened(browser, report, width=400)
    assert page.run("document.documentElement.scrollWidth") == 400
    wide = (
        f"[...{FIGURES}].filter(one => one.querySelector('svg').getBoundingClientRect().right > 400).length"
    )
    assert page.run(wide) == 0
    assert page.complaints() == []


def test_it_prints_light_with_all_inputs_unfolded(browser: Browser, report: Path) -> None:
    page = opened(browser, report, scheme="dark")
    seen = f"""addEventListener('beforeprint', () => {{ window.seen = [
      document.querySelectorAll('details.input:not([open])').length,
      {FIGURES}[0].querySelector('svg.main-svg').style.backgroundColor,
      Math.max(...[...{FIGURES}].map(one => one.querySelector('svg.main-svg').getBoundingClientRect().width)),
    ]; }})"""
    page.run(seen)
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF-")
    folded, paper, width = page.run("window.seen")
    assert (folded, paper) == (0, "rgb(255, 255, 255)")
    assert width <= 700
    assert page.complaints() == []


def test_without_scripts_words_and_tables_are_there(browser: Browser, report: Path) -> None:
    page = browser.page()
    page.send("Emulation.setScriptExecutionDisabled", {"value": True})
    page.send("Page.navigate", {"url": report.resolve().as_uri()})
    page.wait("document.readyState === 'complete' && document.querySelector('footer')")
    text = page.run("document.body.innerText")
    assert "of 1,024 train" in text
    assert page.run("document.querySelectorAll('table').length") > 10
    assert page.run("getComputedStyle(document.querySelector('.plot')).display") == "none"


def test_a_missing_browser_is_said_aloud() -> None:
    if executable() is None:
        warnings.warn(SAYS_NOTHING, stacklevel=1)
