"""The first screen of a run, on the terminal and on the page: what to know of it in ten seconds.

It holds values and words, and no layout: how many of the cards train, what that costs, when the target is
reached, what came of each threshold of `expect`, and which changes are worth most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from clustersim.advice import Advice, Summary, verdict
from clustersim.expectations import Expectation, expectations
from clustersim.formatting import NOTHING, UNKNOWN_DIGITS, duration, measured, money, points, significant
from clustersim.metrics.catalogue import BY_PATH
from clustersim.metrics.cells import MetricCell, margin
from clustersim.scenario import Scenario
from clustersim.studies.estimates import ChangesWorthMost, changes_worth_most

FIGURES = ("ettr.mean", "effective_gpus", "cost.lost")
"""Metrics of the catalogue that are on the first screen of every run that has them."""


class HeadlineFigure(NamedTuple):
    """A figure of the first screen: the *path* of its metric, what it is called, its text and its remark."""

    path: str
    label: str
    cell: MetricCell


@dataclass(frozen=True, slots=True)
class Headline:
    """The first screen of a run.

    `verdict` is the answer in one sentence, `figures` are ETTR with its interval, effective cards, the money
    lost where cards have a price, and the time to the target where there is one; `expectations` say of each
    threshold of `expect` whether it is met, not met, or undecided; `changes` are those worth most over this
    run, net of their price, and how they were found.
    """

    verdict: Advice
    figures: tuple[HeadlineFigure, ...]
    expectations: tuple[Expectation, ...]
    changes: ChangesWorthMost

    def to_dict(self) -> dict[str, Any]:
        """Return what the summary does not hold as plain data."""
        return {"expect": [each.to_dict() for each in self.expectations], "changes": self.changes.to_dict()}


class WorthTable(NamedTuple):
    """The changes worth most, a row each: its name, and a cell for each of the *columns*."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def worth_table(changes: ChangesWorthMost) -> WorthTable:
    """Return the changes as a table: gains of ETTR and cards, days and money where any of them has such."""
    listed = changes.changes
    columns: dict[str, list[str]] = {
        "Gain in ETTR": [points(each.ettr_gain, None) for each in listed],
        "Effective cards": [significant(each.effective_gpus_gain, UNKNOWN_DIGITS) for each in listed],
    }
    if any(each.days for each in listed):
        columns["Sooner at the target"] = [_days(each.days) for each in listed]
    if any(each.net is not None for each in listed):
        net = any(each.change.price for each in listed)
        columns["Saved, net of price" if net else "Money saved"] = [
            NOTHING if each.net is None else money(each.net, each.currency) for each in listed
        ]
    names = [f"{number}. {each.change.name}" for number, each in enumerate(listed, 1)]
    return WorthTable(tuple(columns), tuple(zip(names, *columns.values(), strict=True)))


def _days(days: float | None) -> str:
    return NOTHING if days is None else f"{significant(days, UNKNOWN_DIGITS)} days"


def headline(scenario: Scenario, summary: Summary) -> Headline:
    """Return the first screen of the run of *scenario* whose summary this is."""
    cells = [HeadlineFigure(path, BY_PATH[path].label, BY_PATH[path].cell(summary)) for path in FIGURES]
    figures = [figure for figure in cells if figure.cell.text != NOTHING]
    if "days_to_target" in summary:
        path = "days_to_target.mean"
        figures.append(HeadlineFigure(path, BY_PATH[path].label, _finish(summary)))
    judged, changes = tuple(expectations(scenario, summary)), changes_worth_most(scenario, summary)
    return Headline(verdict(summary), tuple(figures), judged, changes)


def _finish(summary: Summary) -> MetricCell:
    """Return within how many days half, and nine in ten, of the replications reach the target."""
    if summary["replications"] == 1 or not summary.get("random", True):
        return BY_PATH["days_to_target.mean"].cell(summary)
    days, width = summary["days_to_target"], margin(summary, "days_to_target.mean")
    within = f"not within {duration(summary['horizon_s'], 0.0)}"
    ends = [
        f"{name} {within if days[key] is None else f'{measured(days[key], width)} days'}"
        for name, key in (("P50", "p50"), ("P90", "p90"))
    ]
    return MetricCell(", ".join(ends if days["p50"] is not None else ends[:1]))
