"""Whether a summary that was read can be one: every figure there, within its range, of its scenario."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.metrics.catalogue import SECTIONS
from clustersim.metrics.metric import Metric, MetricFigure, Note
from clustersim.metrics.replications import FLEET, UNCERTAIN, ScenarioFacts

ROUNDING = 1e-9
"""By so much a share may lie outside 0 to 1: sums of shares have rounding errors."""
SHAPES: Mapping[str, type] = {"random": bool, "no_progress": bool, "waste": dict, "precision": dict}
"""What an entry is that is neither a figure nor given by the scenario."""
UNBOUNDED = ("half_width", "ettr.inputs.")
"""Paths of shares that are no share of anything: half of an interval, and what is left without chance."""
MISSING = object()


def wrong_with(summary: Mapping[str, Any], facts: ScenarioFacts) -> Iterator[str]:
    """Yield what in a *summary* cannot be that of a run of the scenario with these *facts*."""
    for name in ("margins", "reasons"):
        if not isinstance(summary.get(name), dict):
            yield f"has no {name}"
    for entry in (each for section in SECTIONS for each in section.entries):
        if not _applies(entry, summary, facts):
            continue
        if isinstance(entry, Note):
            yield from _about_note(entry, _at(summary, entry.path), facts)
            continue
        for figure in entry.figures(facts):
            yield from _about_figure(figure, _at(summary, figure.path), facts)


def _applies(entry: Metric | Note, summary: Mapping[str, Any], facts: ScenarioFacts) -> bool:
    """Return whether the summary of such a scenario has the entry; nobody may have counted nodes."""
    has = facts.has if "spares" in summary else facts.has - {FLEET}
    return has.issuperset(entry.needs) and (isinstance(entry, Note) or entry.in_summary)


def _at(summary: Any, path: str) -> Any:
    """Return what stands at a dotted path, MISSING where nothing does; names may hold dots themselves."""
    if not isinstance(summary, dict):
        return MISSING
    for name, inner in summary.items():
        if path == name:
            return inner
        if path.startswith(f"{name}.") and (found := _at(inner, path[len(name) + 1 :])) is not MISSING:
            return found
    return MISSING


def _about_note(note: Note, value: Any, facts: ScenarioFacts) -> Iterator[str]:
    if value is MISSING:
        yield f"has no {note.path}"
    elif note.path in SHAPES and not isinstance(value, SHAPES[note.path]):
        yield f"{note.path} is not what it should be"
    elif note.make is None:
        yield from _about_given(note.path, value, facts)


def _about_given(path: str, value: Any, facts: ScenarioFacts) -> Iterator[str]:
    """Yield where a figure is not the scenario's.

    Where inputs are uncertain, the scenario has one for each draw of them.
    """
    if UNCERTAIN in facts.has and path not in ("name", "seed"):
        return
    if value != facts.given.get(path):
        yield f"{path} is not that of the scenario beside it"


def _about_figure(figure: MetricFigure, value: Any, facts: ScenarioFacts) -> Iterator[str]:
    metric, path = figure.metric, figure.path
    if value is MISSING:
        yield f"has no {path}"
    elif metric.measure is None:
        yield from _about_given(path, value, facts)
    elif value is None:
        if not metric.unknown and path != "half_width":
            yield f"{path} is unknown, which it cannot be"
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield f"{path} is no number"
    elif not path.startswith(UNBOUNDED) and not -ROUNDING <= value <= metric.highest + ROUNDING:
        yield f"{path} is {value:g}, which is out of its range"
