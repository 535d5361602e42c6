"""What the reports of a tuning and of levers share: facts at the top, then sections of figures and tables."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from clustersim.digits import NOTHING, duration, money, plus_minus, points
from clustersim.units import format_duration
from clustersim.version import VERSION
from clustersim_reports.exhibits import Exhibit
from clustersim_reports.sheet import Sheet, filled
from clustersim_reports.tables import Cell, Row

if TYPE_CHECKING:
    from clustersim.advice import Advice
    from clustersim.estimate import Estimate
    from clustersim.scenario import Scenario
    from clustersim.tuning import Levers, Tuning, Worth

TEMPLATE = "finding.html.j2"
LIBRARIES = ("numpy", "scipy", "simpy", "pydantic", "plotly")
ALIKE = "not distinguishable"


class Fact(NamedTuple):
    """One number at the top of the page: what it is, the number, and what it means."""

    label: str
    number: str
    detail: str


class Grid(NamedTuple):
    """A table: what it is called, the names of its columns, and its rows."""

    caption: str
    names: Sequence[str]
    rows: Sequence[Row]


class Section(NamedTuple):
    """One part of the page, with its anchor, its heading, and its figures and tables in order."""

    anchor: str
    link: str
    heading: str
    parts: Sequence[Exhibit | Grid]


class Finding(NamedTuple):
    """All that a page says of one scenario: the answer in a few words, facts, sentences, and sections."""

    given: Scenario
    question: str
    headline: str
    facts: Sequence[Fact]
    answer: Sequence[Advice]
    sections: Sequence[Section]
    making: Mapping[str, str]


def page(finding: Finding, command: str | None = None) -> str:
    """Return *finding* as an HTML page, the same for the same finding and command."""
    shown = [part for section in finding.sections for part in section.parts if isinstance(part, Exhibit)]
    making = [Row(label, "", (Cell(text),)) for label, text in finding.making.items()]
    sheet = Sheet(TEMPLATE, [finding.given], finding.answer, making, shown, command)
    return filled(sheet, {"finding": finding})


def making(found: Tuning | Levers, method: Mapping[str, str], finished: str) -> dict[str, str]:
    """Return how *found* was made, one text by label: the *method*, the seed, what it ran on, and when."""
    from importlib.metadata import version

    items = {
        **method,
        "length of each": format_duration(found.scenario.end_s),
        "seed": str(found.scenario.simulation.seed),
        "scenario hash": found.given.hash[:16],
        "run time": duration(found.wall_s),
        "version": VERSION,
        "python": platform.python_version(),
        "platform": sys.platform,
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "finished (UTC)": finished,
    }
    return {label: text for label, text in items.items() if text}


def worth_columns(scenario: Scenario) -> list[str]:
    """Return the names of the columns that say what a gain is worth."""
    return ["Gain in ETTR", "Effective cards", *["Money per year"] * (scenario.costs is not None)]


def worth_cells(worth: Worth, distinguishable: bool, scenario: Scenario) -> Iterator[Cell]:
    """Yield a gain in ETTR, in effective cards, and in money where cards have a price.

    What cannot be told from nothing is said to be so, with its interval in small letters.
    """
    if not distinguishable:
        small = "" if worth.ettr.distinguishable else points(worth.ettr.mean, worth.ettr.half_width)
        yield Cell(ALIKE, small)
        yield from [Cell(NOTHING)] * (1 + (scenario.costs is not None))
        return
    yield Cell(points(worth.ettr.mean, worth.ettr.half_width))
    yield Cell(estimated(worth.effective_gpus))
    if scenario.costs is not None:
        yield Cell(earned(worth, scenario))


def estimated(estimate: Estimate | None) -> str:
    """Return an estimate with its interval, or a dash."""
    return NOTHING if estimate is None else plus_minus(estimate.mean, estimate.half_width)


def earned(worth: Worth, scenario: Scenario) -> str:
    """Return what a gain is worth per year, with its interval; nothing where cards have no price."""
    each = worth.money_per_year
    if each is None or scenario.costs is None:
        return ""
    return money(each.mean, scenario.costs.currency, each.half_width)


def worth_told(worth: Worth, scenario: Scenario) -> str:
    """Return what a gain is in effective cards and in money, in a few words."""
    said = earned(worth, scenario)
    return f"{estimated(worth.effective_gpus)} effective cards{f', {said} a year' if said else ''}"
