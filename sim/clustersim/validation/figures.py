"""The figures that claims are about: what a replication contributes, and the interval of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from clustersim.estimate import Estimate, mean_of, ratio
from clustersim.records import Doing, Records
from clustersim.resources import NEARLY_ALWAYS, held
from clustersim.scenario.keys.figures import FIGURES, SHARE
from clustersim.scenario.model import Scenario
from clustersim.summary import TRAINING
from clustersim.validation.verdict import Interval

Array = np.ndarray[Any, np.dtype[np.float64]]
Row = Sequence[float] | Array
"""What one replication contributes to a figure."""


class Figure(Protocol):
    """A figure: what it keeps of a replication, and what comes out of all of them."""

    def row(self, scenario: Scenario, records: Records, of: str | None) -> Row:
        """Return what one replication contributes; *of* is the entry or mode that is asked for."""

    def interval(self, rows: Sequence[Row]) -> Interval:
        """Return the figure over all replications, with its 95 % interval."""

    def difference(self, rows: Sequence[Row], others: Sequence[Row]) -> Interval:
        """Return the figure of *rows* minus that of *others*, paired replication by replication."""


class Part(NamedTuple):
    """A figure is a sum of what is `above` over a sum of what is `below`: a plain mean where that is 1."""

    above: float
    below: float = 1.0


class Quotient:
    """A mean over replications, or a quotient pooled over them, with Student's interval.

    The interval of a quotient R is the delta method's: Student's, for the mean of above - R x below.
    """

    def __init__(
        self,
        part: Callable[[Scenario, Records, str | None], Part],
        lowest: float | None = 0.0,
        highest: float | None = None,
    ) -> None:
        self._part = part
        self._lowest, self._highest = lowest, highest

    def row(self, scenario: Scenario, records: Records, of: str | None) -> Row:
        """Return what is above and below the line in one replication."""
        return tuple(map(float, self._part(scenario, records, of)))

    def interval(self, rows: Sequence[Row]) -> Interval:
        """Return the quotient, its interval held within what it can be."""
        above, below = np.array(rows).T
        return Interval.of(ratio(above, below)).within(self._lowest, self._highest)

    def difference(self, rows: Sequence[Row], others: Sequence[Row]) -> Interval:
        """Return the difference of two quotients, from the paired differences of their residuals."""
        one, other = _centred(rows), _centred(others)
        if one is None or other is None:
            return Interval(None, None, None)
        spread = mean_of(one.residuals - other.residuals)
        return Interval.of(Estimate(one.value - other.value, spread.half_width, spread.count))


class _Centred(NamedTuple):
    """A quotient, and how far each replication pulls it up or down."""

    value: float
    residuals: Array


def _centred(rows: Sequence[Row]) -> _Centred | None:
    above, below = np.array(rows).T
    if not below.sum():
        return None
    value = float(above.sum() / below.sum())
    return _Centred(value, (above - value * below) / below.mean())


class Sufficient:
    """How many nodes were away, or fewer, for 99 % of the time of all replications together.

    Its interval is Woodruff's (1952): of each number of nodes the share of time with no more away has
    Student's interval, and all numbers belong to it whose interval reaches 99 %.
    """

    def row(self, scenario: Scenario, records: Records, of: str | None) -> Row:
        """Return the seconds of a replication in which 0, 1, 2, ... nodes were away."""
        return () if records.fleet is None else tuple(map(float, records.fleet.away_s))

    def interval(self, rows: Sequence[Row]) -> Interval:
        """Return the number with its interval, in whole nodes."""
        seconds = _same_length(rows)
        if not seconds.sum():
            return Interval(None, None, None)
        least = float(held(seconds.sum(axis=0), NEARLY_ALWAYS))
        if len(rows) < 2:
            return Interval(least, None, None)
        within = np.cumsum(seconds, axis=1)
        shares = [ratio(column, within[:, -1]) for column in within.T]
        reach = [(one.mean, one.half_width or 0.0) for one in shares if one is not None]
        low = _first([mean + width >= NEARLY_ALWAYS for mean, width in reach])
        high = _first([mean - width >= NEARLY_ALWAYS for mean, width in reach])
        return Interval(least, min(low, least), max(high, least))

    def difference(self, rows: Sequence[Row], others: Sequence[Row]) -> Interval:
        """Return the mean difference of what would have sufficed in each replication on its own."""
        if not all(map(len, (*rows, *others))):
            return Interval(None, None, None)
        one, other = ([held(np.array(row), NEARLY_ALWAYS) for row in each] for each in (rows, others))
        return Interval.of(mean_of(np.array(one, np.float64) - np.array(other, np.float64)))


def _same_length(rows: Sequence[Row]) -> Array:
    longest = max(map(len, rows))
    return np.array([[*row, *[0.0] * (longest - len(row))] for row in rows])


def _first(flags: Sequence[bool]) -> float:
    """Return the place of the first that is true; the last one always is, but for rounding."""
    return float(flags.index(True) if True in flags else len(flags) - 1)


def _entry(scenario: Scenario, records: Records, of: str | None) -> Part:
    assert of is not None
    return Part(records.ledger[of] / sum(records.ledger.values()))


def _availability(scenario: Scenario, records: Records, of: str | None) -> Part:
    trained = sum(records.ledger[entry.label] for entry in TRAINING)
    return Part(trained / sum(records.ledger.values()))


def _saving(scenario: Scenario, records: Records, of: str | None) -> Part:
    saving, productive = records.ledger["checkpoint"], records.ledger["productive"]
    return Part(saving, saving + productive)


def _effective(scenario: Scenario, records: Records, of: str | None) -> Part:
    gpus = scenario.cluster.gpus
    return Part(records.ettr * gpus * scenario.workload.efficiency(gpus))


def _incidents(scenario: Scenario, records: Records, of: str | None) -> Part:
    if of is None:
        return Part(records.incident_count)
    counts = dict(zip(scenario.failures, records.incidents_by_mode, strict=True))
    return Part(float(counts.get(of, 0)))


def _lost(scenario: Scenario, records: Records, of: str | None) -> Part:
    counted = records.incidents["time_s"] >= scenario.simulation.warm_up
    counted &= records.incidents["doing"] != Doing.IDLE
    return Part(float(records.incidents["lost_s"][counted].sum()), records.interruptions)


def _longest_outage(scenario: Scenario, records: Records, of: str | None) -> Part:
    """Return the longest gap between two stretches of training; a save belongs to its stretch."""
    warm_up = scenario.simulation.warm_up
    start, end = records.stretches["start"], records.stretches["end"]
    order = np.argsort(start, kind="stable")
    begins = np.append(start[order], records.end_s)
    trained = np.maximum.accumulate(np.concatenate(([0.0], end[order])))
    return Part(float((np.maximum(begins, warm_up) - np.maximum(trained, warm_up)).max(initial=0.0)))


def _away(scenario: Scenario, records: Records, of: str | None) -> Part:
    return Part(math.nan if records.fleet is None else records.fleet.away)


def _most_away(scenario: Scenario, records: Records, of: str | None) -> Part:
    return Part(math.nan if records.fleet is None else records.fleet.most_away)


def _share(part: Callable[[Scenario, Records, str | None], Part]) -> Quotient:
    return Quotient(part, 0.0, 1.0)


MEASURES: Mapping[str, Figure] = {
    "ettr": _share(lambda scenario, records, of: Part(records.ettr)),
    "availability": _share(_availability),
    "share": _share(_entry),
    "checkpoint_overhead": _share(_saving),
    "effective_gpus": Quotient(_effective),
    "incidents": Quotient(_incidents),
    "interruptions": Quotient(lambda scenario, records, of: Part(records.interruptions)),
    "mttf": Quotient(lambda scenario, records, of: Part(records.wall_s, records.incident_count)),
    "mtti": Quotient(lambda scenario, records, of: Part(records.wall_s, records.interruptions)),
    "lost_per_failure": Quotient(_lost),
    "longest_outage": Quotient(_longest_outage),
    "nodes_away": Quotient(_away),
    "most_nodes_away": Quotient(_most_away),
    "spares_sufficient": Sufficient(),
}
"""How each figure of the scenario language is measured, by its word."""


def is_share(word: str) -> bool:
    """Return whether the figure is a share of 1."""
    return FIGURES[word].unit == SHARE
