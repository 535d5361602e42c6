"""What came of the thresholds of `expect`: met, not met, or undecided, as chance or inputs may decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clustersim.formatting import certain, plus_minus, significant
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.cells import inputs, margin, number_at
from clustersim.scenario import Scenario
from clustersim.scenario.keys.quantities import Threshold

MET, NOT_MET, UNDECIDED = "met", "not met", "undecided"
ALL_DIGITS = 6
"""Significant digits of a figure without an interval, so that it differs from the threshold in print too."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One threshold of a scenario: the metric at *path*, what is *wanted*, what was *found*, and the verdict.

    What was found has its interval, or is unknown, with the reason.  The point estimate decides whether a
    command fails, `holds`; what is unknown does not hold.
    """

    scenario: str
    path: str
    wanted: str
    found: str
    verdict: str
    holds: bool
    why: str = ""

    @property
    def text(self) -> str:
        """The same in a sentence, without the verdict, and why nothing is decided, where that is so."""
        sentence = f"{self.scenario}: {self.path} is {self.found}, expected {self.wanted}"
        return f"{sentence}{self.why and f'; {self.why}'}"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.text}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"path": self.path, "wanted": self.wanted, "verdict": self.verdict, "holds": self.holds}


def _why_undecided(summary: Mapping[str, Any], path: str, apart: float, threshold: Threshold) -> str:
    """Return why chance or uncertain inputs leave it open on which side of the threshold the figure lies."""
    width, points = margin(summary, path), summary.get("inputs", {}).get(path)
    if width is not None and abs(apart) < width:
        return "the interval holds the threshold, more replications would tell"
    if points is not None and points["p5"] < threshold.value < points["p95"]:
        return f"{inputs(summary, path, after='')} (90 %) hold the threshold, better known ones would tell"
    return ""


def expectations(scenario: Scenario, summary: Mapping[str, Any]) -> Iterator[Expectation]:
    """Yield what came of each threshold of `expect`: undecided where the figure's 95 % interval holds it."""
    figures = figures_of(scenario.subjects)
    for path, text in scenario.expect.items():
        metric, own = figures[path].metric, figures[path].path
        width, value = margin(summary, metric.margin or own), number_at(summary, path)
        if value is None:
            reason = summary["reasons"].get(own)
            unknown = f"unknown ({reason})" if reason else "unknown"
            yield Expectation(scenario.name, path, text, unknown, NOT_MET, holds=False)
            continue
        threshold = Threshold.parse(text)
        holds = threshold.holds(value)
        known = width is not None and not certain(value, width)
        found = plus_minus(value, width) if known else significant(value, ALL_DIGITS)
        verdict = MET if holds else NOT_MET
        why = _why_undecided(summary, metric.margin or own, value - threshold.value, threshold)
        if width is None and figures[path].measure.margin and summary["replications"] == 1:
            why = "one replication has no interval, more would tell"
        yield Expectation(scenario.name, path, text, found, UNDECIDED if why else verdict, holds, why)
