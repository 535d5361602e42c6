"""The pages in a real browser: from disk, offline, in both themes, narrow, printed, without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser

from tests.reports.browser import Opened, chromium, executable
from tests.reports.pages import figures, html

SAYS_NOTHING = "no Chromium here: THE REPORT WAS NOT OPENED IN A BROWSER (apt-get install chromium)"
PAGES = ("compared", "everything", "hostile", "tune", "tune stuck", "levers hostile", "fit", "validation")
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
PAPER = f"getComputedStyle({FIGURES}[0].querySelector('svg.main-svg')).backgroundColor"
ROWS = """[...document.querySelectorAll('[data-numbers="ledger"] tr')]
  .map(row => [...row.cells].map(one => one.textContent))"""
CSV = """new Promise(done => {
  const make = URL.createObjectURL;
  URL.createObjectURL = blob => {
    URL.createObjectURL = make;
    blob.text().then(done);
    return make(blob);
  };
  HTMLAnchorElement.prototype.click = () => {};
  document.querySelector('[data-csv="ledger"]').click();
})"""

Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if executable() is None:
        pytest.skip(SAYS_NOTHING)
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Return what opens a page by its name, once in each way: plotly takes a second or more every time."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def once(name: str, width: int, scheme: str, scripts: bool) -> Opened:
        path = folder / f"{name}.html"
        path.write_text(html(name), "utf-8")
        return Opened(browser, path, width, scheme, java_script_enabled=scripts)

    yield lambda name, width=1200, scheme="light", scripts=True: once(name, width, scheme, scripts)
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (400, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_it_draws_offline_without_a_word_and_every_label_is_in_its_place(
    opened: Open, name: str, width: int, scheme: str
) -> None:
    page = opened(name, width, scheme)
    assert page.run("document.documentElement.dataset.figures") == "drawn"
    assert (page.complaints, page.outside) == ([], [])
    empty = f"[...{FIGURES}].filter(one => !one.querySelector('svg.main-svg')).map(one => one.dataset.figure)"
    assert page.run(empty) == []
    assert page.run(f"{FIGURES}.length") == len(figures(name))
    assert page.run(OUTSIDE) == []
    assert page.run(OVERLAPPING) == []
    assert page.run("document.documentElement.scrollWidth") == width
    wide = f"[...{FIGURES}].filter(one => one.querySelector('svg').getBoundingClientRect().right > {width})"
    assert page.run(f"{wide}.length") == 0
    assert page.run("document.querySelectorAll('img, .plot a, .modebar-btn, .plotlyjsicon').length") == 0
    paper = {"light": "rgb(253, 252, 250)", "dark": "rgb(19, 23, 29)"}[scheme]
    assert page.run(PAPER) == page.run("getComputedStyle(document.body).backgroundColor") == paper


def test_markup_in_titles_and_labels_is_text(opened: Open) -> None:
    page = opened("hostile")
    assert page.run("document.body.innerText.includes('<script>alert(1)</script> & <b>bold</b>')")
    assert page.run("document.querySelectorAll('a:not([href^=\"#\"])').length") == 0


def test_the_numbers_of_a_figure_unfold_and_its_csv_is_its_data(opened: Open) -> None:
    page, data = opened("everything").page, figures("everything")["ledger"].data
    page.evaluate("document.querySelector('[data-numbers=\"ledger\"]').open = true")
    page.wait_for_selector('[data-numbers="ledger"] td')
    rows = page.evaluate(ROWS)
    assert rows[0] == list(data.columns)
    assert [[*row[:3], float(row[3])] for row in rows[1:]] == [
        [*map(str, row[:3]), row[3]] for row in data.table[1]
    ]
    lines = page.evaluate(CSV).split("\r\n")
    assert [line.split(",") for line in lines[:-1]] == rows


def test_what_is_packed_is_there_and_long_tables_show_all_at_a_click(opened: Open) -> None:
    page = opened("compared")
    assert page.run("document.querySelectorAll('[data-packed] > .packed').length") == 0
    assert page.run("document.querySelectorAll('#inputs details[id^=inputs]').length") == 3
    assert page.run("document.querySelectorAll('#defaults-stuck tbody tr').length") > 5
    many = opened("many causes").page
    rows = "document.querySelectorAll('#failures tbody tr').length"
    before = many.evaluate(rows)
    many.click("#failures [data-rows]")
    many.wait_for_function(f"() => {rows} > {before}")
    assert many.evaluate(rows) == len(figures("many causes")["causes-many"].data.rows)
    assert many.locator("#failures [data-rows]").count() == 0


def test_a_table_that_is_too_wide_says_so_until_its_end_is_seen(opened: Open) -> None:
    page = opened("compared", 400, "dark").page
    look = "[...document.querySelector('#side-by-side .scroll').classList].join(' ')"
    assert page.evaluate(look) == "scroll wide"
    page.evaluate("document.querySelector('#side-by-side .scroll').scrollLeft = 10000")
    page.wait_for_function(f"() => {look} === 'scroll wide end'")
    assert opened("plain").run("document.querySelectorAll('.scroll.wide').length") == 0


def test_figures_follow_the_theme(opened: Open) -> None:
    page = opened("tune", 1200, "light")
    page.page.emulate_media(color_scheme="dark")
    page.page.wait_for_function(f"() => {PAPER} === 'rgb(19, 23, 29)'")
    page.page.emulate_media(color_scheme="light")
    assert page.complaints == []


def test_it_prints_light_with_all_inputs_unfolded(opened: Open) -> None:
    page = opened("everything", 400, "dark")
    page.run(f"""addEventListener('beforeprint', () => {{ window.seen = [
      document.querySelectorAll('details.input:not([open])').length,
      {FIGURES}[0].querySelector('svg.main-svg').style.backgroundColor,
      Math.max(...[...{FIGURES}].map(one => one.querySelector('svg.main-svg').getBoundingClientRect().width)),
    ]; }})""")
    assert page.page.pdf(format="A4").startswith(b"%PDF-")
    folded, paper, width = page.run("window.seen")
    assert (folded, paper) == (0, "rgb(255, 255, 255)")
    assert width <= 700
    assert page.complaints == []


def test_without_scripts_words_and_tables_are_there(opened: Open) -> None:
    page = opened("compared", scripts=False)
    assert "of 1,024 train" in page.page.inner_text("body")
    assert page.page.locator("table").count() > 7
    assert not page.page.locator(".plot").first.is_visible()
