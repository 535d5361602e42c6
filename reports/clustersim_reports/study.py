"""What the pages of all studies share: their frame, how they were made, and what a gain is worth in words."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from clustersim.digits import NOTHING, duration, money, points
from clustersim.units import format_duration
from clustersim.version import VERSION
from clustersim_reports import inputs
from clustersim_reports.blocks import Cell, Fact, Facts, Page, Section
from clustersim_reports.run import estimate_text

if TYPE_CHECKING:
    from clustersim.scenario import Scenario
    from clustersim.studies.levers import Levers
    from clustersim.studies.study import Worth
    from clustersim.studies.tuning import Tuning

ALIKE = "not distinguishable"
LIBRARIES = ("numpy", "scipy", "simpy", "pydantic", "plotly")


def page(study: Tuning | Levers, question: str, headline: str, facts: Iterable[Fact], **parts: Any) -> Page:
    """Return the page of a *study* of one scenario: the *headline* answers its *question*.

    *parts* are the answer, the sections, and how it was made.
    """
    given = study.given
    name, head = given.title or given.name, [Facts(list(facts), "facts")]
    eyebrow, about = f"{name} · {question}", given.about or ""
    return Page(f"{headline} {name}", eyebrow, headline, about, head, given=[given], **parts)


def making(study: Tuning | Levers, method: Mapping[str, str], command: str | None, finished: str) -> Section:
    """Return how a *study* was made: the *method*, the seed, what it ran on, and when it was *finished*."""
    from importlib.metadata import version

    items = {
        **method,
        "length of each": format_duration(study.scenario.end_s),
        "seed": str(study.scenario.simulation.seed),
        "scenario hash": study.given.hash[:16],
        "run time": duration(study.wall_s),
        "version": VERSION,
        "python": platform.python_version(),
        "platform": sys.platform,
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "finished (UTC)": finished or NOTHING,
    }
    return inputs.making([study.given.name], [items], command)


def columns(scenario: Scenario) -> list[str]:
    """Return the names of the columns of `cells`."""
    return ["Gain in ETTR", "Effective cards", *["Money per year"] * (scenario.costs is not None)]


def cells(worth: Worth, distinguishable: bool, scenario: Scenario) -> Iterator[Cell]:
    """Yield a gain in ETTR, in cards and in money; of one that may be chance the interval alone."""
    gain = estimate_text(worth.ettr, points)
    if not distinguishable:
        yield Cell(ALIKE, "" if worth.ettr.distinguishable else gain)
        yield from [Cell(NOTHING)] * (len(columns(scenario)) - 1)
        return
    yield Cell(gain)
    yield Cell(estimate_text(worth.effective_gpus))
    if scenario.costs is not None:
        yield Cell(earned(worth, scenario))


def earned(worth: Worth, scenario: Scenario) -> str:
    """Return what a gain is worth per year, with its interval; nothing where cards have no price."""
    each, costs = worth.money_per_year, scenario.costs
    return "" if each is None or costs is None else money(each.mean, costs.currency, each.half_width)


def in_cards(worth: Worth, scenario: Scenario, unit: str) -> str:
    """Return what a gain is in cards, called *unit*, and in money where cards have a price."""
    money_each = earned(worth, scenario)
    return f"{estimate_text(worth.effective_gpus)} {unit}{f', {money_each} a year' if money_each else ''}"
