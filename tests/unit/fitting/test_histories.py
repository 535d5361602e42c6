"""The log of a simulated fleet: who failed, when each node was back."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.fitting.checking import FIGURES, Checked, check, figures_of
from clustersim.fitting.histories import history_of
from clustersim.logs.history import History
from clustersim.scenario import Scenario, loads
from clustersim.units import DAY, HOUR


def fleet(failures: str, cluster: str = "gpus: 320") -> Scenario:
    head = f"name: fleet\ncluster: {{{cluster}}}\nfailures: {{{failures}}}\n"
    return loads(
        f"{head}checkpoint: none\nrecovery: {{stages: {{nodes: wait}}}}\nsimulation: {{horizon: 200 d}}\n"
    )


MODES = {
    "repairs": "a: {per: node, mtbf: 20 d, repair: {exponential: {mean: 3 d}}}",
    "two modes": "a: {per: gpu, mtbf: 300 d, repair: 2 d}, "
    "b: {per: node, mtbf: 40 d, transient: 50 %, repair: 1 d}",
    "racks": "a: {per: node, mtbf: 40 d, repair: 1 d, spreads: {to: rack, probability: 30 %}}",
}


@pytest.mark.parametrize("name", MODES)
def test_nodes_are_away_in_the_log_as_they_are_in_the_records(name: str) -> None:
    scenario = fleet(MODES[name], "gpus: 320, nodes_per_rack: 4")
    records = simulate(scenario, 0)
    log = history_of(scenario, records)
    assert records.fleet is not None
    figures = dict(zip(FIGURES, figures_of(log), strict=True))
    assert figures["nodes_away_mean"] == pytest.approx(records.fleet.away, rel=1e-9)
    assert figures["nodes_away_most"] == records.fleet.most_away
    assert figures["failures"] >= records.incident_count > 50


def test_a_node_that_is_not_back_is_open_and_a_restart_has_no_end() -> None:
    scenario = fleet("a: {per: node, mtbf: 100 d, repair: 90 d}, b: {per: job, mtbf: 20 d, clock: calendar}")
    log = history_of(scenario, simulate(scenario, 0))
    assert np.bincount(log.cause).tolist() == np.bincount(simulate(scenario, 0).incidents["mode"]).tolist()
    late = (log.cause == 0) & (log.time_s > 110 * DAY)
    assert late.any()
    assert np.all(np.isinf(log.end_s[late]))
    assert np.all(np.isnan(log.end_s[log.cause == 1]))
    assert np.all(log.node[log.cause == 1] == -1)


def rows(
    scenario: Scenario, *incidents: tuple[float, int, int, int, float]
) -> list[tuple[float, int, float]]:
    """Return time, node and end of each row, of incidents with time, node, rack, nodes lost and return."""
    columns = (np.array(column) for column in zip(*incidents, strict=True))
    table = dict(zip(("time_s", "node", "rack", "nodes_lost", "back_s"), columns, strict=True))
    records: Any = SimpleNamespace(incidents=table | {"mode": np.zeros(len(incidents), int)})
    log = history_of(scenario, records)
    assert log.nodes == 8
    return list(zip(log.time_s.tolist(), log.node.tolist(), log.end_s.tolist(), strict=True))


def test_what_takes_a_rack_along_has_a_row_for_each_node_that_was_there() -> None:
    """In racks of two a node is known by its place: node 3, which has come to rack 0, by the second one."""
    scenario = fleet("a: {per: node, mtbf: 20 d, repair: 1 d}", "gpus: 48, spares: 2, nodes_per_rack: 2")
    found = rows(
        scenario,
        (0.0, 3, 0, 2, 10.0),
        (5.0, 2, 0, 1, 20.0),
        (10.0, 2, 0, 1, math.nan),
        (11.0, -1, -1, 0, math.nan),
        (12.0, 7, -1, 1, 13.0),
        (12.5, 7, -1, 2, 14.0),
        (14.0, 4, 1, 0, math.nan),
        (15.0, 4, 1, 2, 16.0),
    )
    assert repr(found) == repr(
        [
            (0.0, 1, 10.0),
            (0.0, 0, 10.0),
            (10.0, 0, math.inf),
            (11.0, -1, math.nan),
            (12.0, 7, 13.0),
            (14.0, 2, math.nan),
            (15.0, 2, 16.0),
            (15.0, 3, 16.0),
        ]
    )
    assert rows(scenario, (0.0, 3, 0, 1, 10.0)) == [(0.0, 3, 10.0)]


def test_figures_by_hand() -> None:
    times = [1 * DAY, 2 * DAY, 2.5 * DAY, 8 * DAY]
    ends = [2 * DAY - HOUR, 3 * DAY, 2.6 * DAY, math.inf]
    log = History.of(times, 20, 10 * DAY, node=[0, 0, 1, 2], end_s=ends)
    figures = dict(zip(FIGURES, figures_of(log), strict=True))
    assert figures == pytest.approx(
        {
            "failures": 4,
            "nodes_away_mean": (23 / 24 + 1 + 0.1 + 2) / 10,
            "nodes_away_most": 2,
            "busiest_tenth": 3 / 4,
            "relapse_within_a_day": 1 / 3,
            "short_gaps": math.nan,
            "longest_gap_s": math.nan,
        },
        nan_ok=True,
    )


def test_gaps_by_hand() -> None:
    """Nine gaps of a day, and one of half an hour: the mean is 21.65 h."""
    log = History.of([*(day * DAY for day in range(1, 11)), 10 * DAY + HOUR / 2], 20, 20 * DAY)
    figures = dict(zip(FIGURES, figures_of(log), strict=True))
    assert figures["short_gaps"] == pytest.approx(0.1)
    assert figures["longest_gap_s"] == pytest.approx(DAY)


def test_a_figure_beyond_95_of_100_histories_is_outside() -> None:
    log = History.of([DAY, 2 * DAY], 4, 10 * DAY)
    simulated = [np.full(len(FIGURES), float(number)) for number in range(101)]
    found = {each.figure: each for each in check(log, simulated)}
    assert found["failures"] == Checked("failures", 2.0, 2.5, 97.5)
    assert found["failures"].inside is False
    assert found["busiest_tenth"].inside is None
