"""The pages of a tuning, of levers and of a validation in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustersim_reports import write_levers, write_tuning, write_validation
from tests.reports.browser import Browser
from tests.reports.findings import WHAT_IFS, hostile_levers, levers, stuck, tuning
from tests.reports.test_browser import FIGURES, OUTSIDE, OVERLAPPING, browser, opened
from tests.reports.validations import FAILED, UNDECIDED, validation

__all__ = ["browser"]

PAGES = ("tuning", "stuck", "levers", "hostile", "validation")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("findings")
    paths = {name: folder / f"{name}.html" for name in PAGES}
    write_tuning(tuning(what_ifs=WHAT_IFS), paths["tuning"], "clustersim tune")
    write_tuning(stuck(), paths["stuck"])
    write_levers(levers(), paths["levers"], "clustersim levers")
    write_levers(hostile_levers(), paths["hostile"])
    write_validation(validation(FAILED, UNDECIDED), paths["validation"], "clustersim validate")
    return paths


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (400, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_it_draws_offline_with_every_label_in_its_place(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    page = opened(browser, pages[name], width=width, scheme=scheme)
    assert page.run("document.documentElement.dataset.figures") == "drawn"
    assert page.complaints() == []
    assert page.requests() == []
    assert page.run(f"[...{FIGURES}].filter(one => !one.querySelector('svg.main-svg')).length") == 0
    assert page.run(OUTSIDE) == []
    assert page.run(OVERLAPPING) == []
    assert page.run("document.documentElement.scrollWidth") == width
    assert page.run("document.querySelectorAll('img, .plot a').length") == 0


def test_the_dark_page_has_dark_figures(browser: Browser, pages: dict[str, Path]) -> None:
    page = opened(browser, pages["tuning"], scheme="dark")
    figure = f"getComputedStyle({FIGURES}[0].querySelector('svg.main-svg')).backgroundColor"
    assert page.run(figure) == "rgb(19, 23, 29)"


def test_it_prints(browser: Browser, pages: dict[str, Path]) -> None:
    page = opened(browser, pages["levers"])
    assert page.pdf().startswith(b"%PDF-")
    assert page.complaints() == []
