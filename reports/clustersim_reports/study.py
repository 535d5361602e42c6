"""What the pages of all studies share: their frame, how they were made, and what a gain is worth in words."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from clustersim.formatting import NOTHING, duration
from clustersim.units import format_duration
from clustersim.version import VERSION
from clustersim_reports import inputs
from clustersim_reports.blocks import Cell, Fact, Facts, Page, Section

if TYPE_CHECKING:
    from clustersim.scenario import Scenario
    from clustersim.studies.study import Study, Worth

ALIKE = "not distinguishable"
LIBRARIES = ("numpy", "scipy", "simpy", "pydantic", "plotly")


def page(study: Study, question: str, headline: str, facts: Iterable[Fact], **parts: Any) -> Page:
    """Return the page of a *study* of one scenario: the *headline* answers its *question*.

    *parts* are the answer, the sections, and how it was made.
    """
    given = study.given
    name, head = given.title or given.name, [Facts(list(facts), "facts")]
    eyebrow, about = f"{name} · {question}", given.about or ""
    return Page(f"{headline} {name}", eyebrow, headline, about, head, given=[given], **parts)


def making(study: Study, method: Mapping[str, str], command: str | None, finished: str) -> Section:
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


def cells(worth: Worth, distinguishable: bool) -> list[Cell]:
    """Return a gain in ETTR, in cards and in money; of one that may be chance the interval alone."""
    gain, *others = worth.in_words
    if distinguishable:
        return [Cell(text) for text in (gain, *others)]
    return [Cell(ALIKE, "" if worth.ettr.distinguishable else gain), *[Cell(NOTHING)] * len(others)]


def in_cards(worth: Worth, unit: str) -> str:
    """Return what a gain is in cards, called *unit*, and in money where cards have a price."""
    _, cards, *money = worth.in_words
    return f"{cards} {unit}" + "".join(f", {amount} a year" for amount in money)
