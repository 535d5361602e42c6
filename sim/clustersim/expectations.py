"""What came of the thresholds of `expect`: met, not met, or undecided, because chance alone may decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clustersim.formatting import certain, plus_minus, significant
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.cells import margin, number_at
from clustersim.scenario import Scenario
from clustersim.scenario.keys.quantities import Threshold

MET, NOT_MET, UNDECIDED = "met", "not met", "undecided"
ALL_DIGITS = 6
"""Significant digits of a figure without an interval, so that it differs from the threshold in print too."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One threshold: the verdict, a sentence about it, and whether the point estimate `holds`.

    The point estimate decides whether a command fails; what is unknown does not hold.
    """

    verdict: str
    text: str
    holds: bool

    def __str__(self) -> str:
        return f"{self.verdict}: {self.text}"


def expectations(scenario: Scenario, summary: Mapping[str, Any]) -> Iterator[Expectation]:
    """Yield what came of each threshold of `expect`: undecided where the figure's 95 % interval holds it."""
    figures = figures_of(scenario.subjects)
    for path, text in scenario.expect.items():
        metric, own = figures[path].metric, figures[path].path
        width, value = margin(summary, metric.margin or own), number_at(summary, path)
        threshold, wanted = Threshold.parse(text), f"expected {text}"
        if value is None:
            reason = summary["reasons"].get(own)
            because = f" ({reason})" if reason else ""
            unknown = f"{scenario.name}: {path} is unknown{because}, {wanted}"
            yield Expectation(NOT_MET, unknown, holds=False)
            continue
        holds = threshold.holds(value)
        known = width is not None and not certain(value, width)
        is_now = plus_minus(value, width) if known else significant(value, ALL_DIGITS)
        sentence = f"{scenario.name}: {path} is {is_now}, {wanted}"
        if width is not None and abs(value - threshold.value) < width:
            more = "the interval holds the threshold, more replications would tell"
            yield Expectation(UNDECIDED, f"{sentence}; {more}", holds)
        else:
            yield Expectation(MET if holds else NOT_MET, sentence, holds)
