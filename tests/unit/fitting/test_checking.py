"""Figures of a log among those of simulated histories, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.fitting.checking import FIGURES, OF_NODES, Checked, check, figures_of
from clustersim.logs.history import History
from clustersim.units import DAY, HOUR


def figures(log: History) -> dict[str, float]:
    return dict(zip(FIGURES, figures_of(log).tolist(), strict=True))


def test_the_busiest_tenth_is_rounded_up_and_counts_rows_of_nodes_alone() -> None:
    """Two of 11 nodes are a tenth: they have 3 + 2 of the 7 failures that name a node."""
    log = History.of(np.arange(9.0), 11, DAY, node=[4, 4, 4, 7, 7, 1, 2, -1, -1])
    assert figures(log)["busiest_tenth"] == pytest.approx(5 / 7)


def test_a_relapse_is_the_next_failure_of_the_same_node_within_a_day_of_its_return() -> None:
    """Node 0 fails a day after its return, node 1 later.

    Node 2 is back in the last day, in which it fails again; of node 3, which is back then too, nothing is
    known yet; node 5 has lasted for the last day.  Node 4 was not away, and the site is none.
    """
    rows = [
        (1.0, 2.0, 0),
        (3.0, math.nan, 0),
        (1.0, 2.0, 1),
        (3.1, 4.0, 1),
        (9.0, 9.2, 2),
        (9.5, math.inf, 2),
        (9.0, 9.2, 3),
        (8.0, 9.0, 5),
        (5.0, math.nan, 4),
        (5.2, math.nan, 4),
        (1.0, 2.0, -1),
        (2.5, 3.0, -1),
    ]
    rows.sort()
    times, ends, nodes = (np.array(column) for column in zip(*rows, strict=True))
    log = History.of(times * DAY, 9, 10 * DAY, end_s=ends * DAY, node=nodes)
    assert figures(log)["relapse_within_a_day"] == pytest.approx(2 / 5)


def test_nodes_away_at_once_are_those_of_some_time() -> None:
    """Node 1 returns when node 2 leaves, and node 3 is away for no time at all; then two are for a second."""
    log = History.of([0, HOUR, 2 * HOUR], 9, 4 * HOUR, node=[1, 2, 3], end_s=[HOUR, 3 * HOUR, 2 * HOUR])
    found = figures(log)
    assert found["nodes_away_most"] == 1
    assert found["nodes_away_mean"] == pytest.approx(3 / 4)
    two = History.of([0, HOUR - 1], 9, 4 * HOUR, node=[1, 2], end_s=[HOUR, HOUR])
    assert figures(two)["nodes_away_most"] == 2
    assert figures(History.of([0], 9, HOUR, node=[0]))["nodes_away_most"] == 0
    out = History.of([0, HOUR], 9, 4 * HOUR, node=[-1, 2], end_s=[HOUR, math.inf])
    assert figures(out)["nodes_away_mean"] == pytest.approx(3 / 4)


def test_gaps_are_told_of_eleven_failures() -> None:
    days = np.arange(11.0)
    assert figures(History.of(days * DAY, 2, 20 * DAY))["longest_gap_s"] == DAY
    assert figures(History.of(days * DAY, 2, 20 * DAY))["short_gaps"] == 0
    """Of a mean of 10 d, a gap of one day is no shorter than a tenth."""
    tenth = np.cumsum([0.0, 1.0, *[11.0] * 9])
    assert figures(History.of(tenth * DAY, 2, 200 * DAY))["short_gaps"] == 0
    few = figures(History.of(days[:10] * DAY, 2, 20 * DAY))
    assert math.isnan(few["longest_gap_s"])
    assert math.isnan(few["short_gaps"])


def test_of_a_job_nothing_is_said_of_nodes() -> None:
    found = figures(History.of(np.arange(12.0), 5, DAY))
    assert {name for name, value in found.items() if math.isnan(value)} == set(OF_NODES)


def test_forty_histories_are_compared_with_and_fewer_are_not() -> None:
    """Those of which a figure is known: 41 of 42, from 0 to 40."""
    log = History.of([DAY, 2 * DAY], 4, 10 * DAY, node=[0, 1])
    simulated = [np.full(len(FIGURES), float(number)) for number in range(42)]
    simulated[41][:] = math.nan
    for each in check(log, simulated):
        assert (each.low, each.high) == (1.0, 39.0)
    assert check(log, simulated[:40])[0][1:] == pytest.approx((2.0, 0.975, 38.025))
    assert check(log, simulated[2:41])[0] == Checked("failures", 2.0, None, None)
    assert check(log, []) == tuple(
        Checked(name, None if math.isnan(value) else value, None, None)
        for name, value in zip(FIGURES, figures_of(log).tolist(), strict=True)
    )


def test_the_ends_are_inside() -> None:
    found = [Checked("failures", observed, 2.0, 3.0).inside for observed in (1.9, 2.0, 3.0, 3.1)]
    assert found == [False, True, True, False]
