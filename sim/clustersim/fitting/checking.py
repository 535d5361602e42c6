"""Whether the fitted fleet behaves as the log does: figures of the log among those of simulated histories.

The fleet is simulated as the scenario says it, with all of its nodes in one job, so that each is watched as
the log's nodes were.  Of 200 histories with 540 to 640 failures in 95 % of them, a log with 584 is inside.
What the model has no word for shows here: bursts of nodes that no rack explains let more nodes be away at
once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Floats, dot
from clustersim.fitting.histories import history_of
from clustersim.logs.history import History
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.units import DAY

MOST, FEWEST = 200, 40
"""Histories that are simulated: with fewer than 40 nothing lies outside 95 % of them."""
TENTH = 0.1
FEWEST_GAPS = 10
"""Gaps between failures below which nothing is said of them."""
TAIL = 2.5


class Checked(NamedTuple):
    """One figure: of the log, and the ends between which 95 % of the simulated histories lie.

    A figure that the log, or no history, has is None, and not judged.
    """

    figure: str
    observed: float | None
    low: float | None
    high: float | None

    @property
    def inside(self) -> bool | None:
        """Whether the log's lies within the 95 %; None where that is not known."""
        if self.observed is None or self.low is None or self.high is None:
            return None
        return self.low <= self.observed <= self.high


def _failures(history: History) -> float:
    return float(len(history.time_s))


def _away(history: History) -> tuple[Floats, Floats]:
    """Return the lengths (s) of the stretches from the first absence on, and how many nodes are away in each.

    Events at one instant may come in any order: what lies between them has no length.
    """
    away = (history.node >= 0) & ~np.isnan(history.end_s)
    begin, end = history.time_s[away], np.minimum(history.end_s[away], history.window_s)
    at = np.concatenate((begin, end))
    order = np.argsort(at)
    steps = np.concatenate((np.ones(len(begin)), -np.ones(len(end))))[order]
    return np.diff(at[order], append=history.window_s), np.cumsum(steps)


def _mean_away(history: History) -> float:
    lengths, nodes = _away(history)
    return dot(lengths, nodes) / history.window_s


def _most_away(history: History) -> float:
    lengths, nodes = _away(history)
    return float(nodes[lengths > 0].max(initial=0.0))


def _busiest(history: History) -> float:
    """Return the share of failures of nodes that the busiest tenth of all nodes have."""
    node = history.node[history.node >= 0]
    counts = np.sort(np.bincount(node))[::-1]
    return float(counts[: math.ceil(TENTH * history.nodes)].sum()) / len(node)


def _relapses(history: History) -> float:
    """Return the share of returns from repair after which the node fails again within a day."""
    order = np.lexsort((history.time_s, history.node))
    node, time, end = history.node[order], history.time_s[order], history.end_s[order]
    follows = np.append(np.where(node[1:] == node[:-1], time[1:], math.inf), math.inf)
    returned = (node >= 0) & np.isfinite(end)
    again = follows[returned] - end[returned] <= DAY
    watched = again | (end[returned] <= history.window_s - DAY)
    return float(again[watched].mean()) if watched.any() else math.nan


def _short_gaps(history: History) -> float:
    """Return the share of gaps between failures that are shorter than a tenth of their mean."""
    gaps = np.diff(history.time_s)
    return float((gaps < TENTH * gaps.mean()).mean()) if gaps.size >= FEWEST_GAPS else math.nan


def _longest_gap(history: History) -> float:
    return float(np.diff(history.time_s).max()) if len(history.time_s) > FEWEST_GAPS else math.nan


FIGURES: Mapping[str, Callable[[History], float]] = {
    "failures": _failures,
    "nodes_away_mean": _mean_away,
    "nodes_away_most": _most_away,
    "busiest_tenth": _busiest,
    "relapse_within_a_day": _relapses,
    "short_gaps": _short_gaps,
    "longest_gap_s": _longest_gap,
}
OF_NODES = ("nodes_away_mean", "nodes_away_most", "busiest_tenth", "relapse_within_a_day")
"""Figures that say nothing where no row names a node."""
LABELS: Mapping[str, str] = {
    "failures": "failures",
    "nodes_away_mean": "nodes away, on average",
    "nodes_away_most": "nodes away, at most",
    "busiest_tenth": "share of failures on the busiest tenth of the nodes",
    "relapse_within_a_day": "share of repairs after which the node fails again within a day",
    "short_gaps": "share of gaps between failures below a tenth of the mean gap",
    "longest_gap_s": "longest time without a failure",
}
"""What each figure is."""


def figures_of(history: History) -> Floats:
    """Return all figures of a history, in the order of `FIGURES`; NaN where one is not known."""
    of_nodes = bool(np.any(history.node >= 0))
    return np.array(
        [math.nan if name in OF_NODES and not of_nodes else of(history) for name, of in FIGURES.items()]
    )


def measure(scenario: Scenario) -> Callable[[Records], Floats]:
    """Return what measures the figures of a replication of *scenario*."""
    return lambda records: figures_of(history_of(scenario, records))


def check(history: History, simulated: Sequence[Floats]) -> tuple[Checked, ...]:
    """Return each figure of a log among those of *simulated* histories."""
    table = np.array(simulated).reshape(len(simulated), len(FIGURES))
    seen = figures_of(history)
    return tuple(
        _checked(name, float(value), column)
        for name, value, column in zip(FIGURES, seen, table.T, strict=True)
    )


def _checked(name: str, observed: float, simulated: Floats) -> Checked:
    known = simulated[np.isfinite(simulated)]
    seen = None if math.isnan(observed) else observed
    if known.size < FEWEST:
        return Checked(name, seen, None, None)
    low, high = np.percentile(known, (TAIL, 100 - TAIL))
    return Checked(name, seen, float(low), float(high))
