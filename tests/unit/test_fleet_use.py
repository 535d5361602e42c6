"""Nodes away: how replications keep them on disk, and what the tables make of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from clustersim import tables
from clustersim.engine.replication import simulate
from clustersim.records import FleetUse, Records, StripRow
from clustersim.scenario.model import Scenario
from clustersim.store import arrays_of, records_of

HOUR = 3600.0


def scenario() -> Scenario:
    return Scenario.model_validate(
        {
            "name": "fleet",
            "cluster": {"gpus": 64, "spares": 1},
            "failures": {"node": {"per": "node", "mtbf": "6 d", "repair": "4 h"}},
            "checkpoint": {"interval": "30 min", "blocks": "1 min"},
            "simulation": {"horizon": "100 h"},
        }
    )


def use(away: list[int], waiting_s: float = 0.0) -> FleetUse:
    """Return the use of a fleet of which *away* nodes are away in equal parts of a hundred hours."""
    curve = np.repeat(away, 400 // len(away))
    seconds = np.bincount(curve, weights=np.full(len(curve), 100 * HOUR / len(curve)))
    return FleetUse(seconds, waiting_s, np.append(curve, away[-1]), np.append(3 - curve, 0))


def with_use(fleet: FleetUse | None, number: int = 0) -> Records:
    return replace(simulate(scenario(), number), fleet=fleet)


def test_the_mean_and_the_most_are_weighted_by_time() -> None:
    fleet = use([0, 0, 1, 3])
    assert fleet.away == pytest.approx(1.0)
    assert fleet.most_away == 3
    assert use([0]).most_away == 0
    assert math.isnan(FleetUse(np.zeros(3), 0.0, np.zeros(2), np.zeros(2)).away)


def back(one: Records) -> FleetUse | None:
    arrays = {name: array for name, array in arrays_of(one).items() if "/" not in name}
    return records_of(arrays, {"incidents": {}, "segments": {}}).fleet


def test_replications_on_disk_keep_the_use_of_their_fleet() -> None:
    one = with_use(use([0, 2], waiting_s=60.0))
    again = back(one)
    assert again is not None
    assert one.fleet is not None
    assert again.waiting_s == 60.0
    for name in ("away_s", "away_curve", "idle_curve"):
        assert np.array_equal(getattr(again, name), getattr(one.fleet, name))
    assert back(with_use(None)) is None


def test_replications_and_the_timeline_count_nodes() -> None:
    done = [with_use(use([0, 2, 2, 4]), 0), with_use(use([0, 0, 4, 4], waiting_s=HOUR), 1)]
    rows = tables.frame(scenario(), done, tables.REPLICATIONS)
    assert rows["nodes_away"].tolist() == pytest.approx([2.0, 2.0])
    assert rows["most_nodes_away"].tolist() == [4, 4]
    assert rows["node_wait_s"].tolist() == [0.0, HOUR]
    timeline = tables.frame(scenario(), done, tables.TIMELINE)
    assert timeline["away_0"].iloc[[0, 100, 200, 300, 399]].tolist() == [0, 2, 2, 4, 4]
    assert timeline["away_mean"].iloc[[50, 150, 250, 350]].tolist() == [0, 1, 3, 4]
    assert timeline["away_p90"].iloc[150] == pytest.approx(1.8)
    assert timeline["idle_mean"].iloc[150] == 2


def test_where_nobody_counted_nodes_they_are_unknown() -> None:
    done = [with_use(use([1]), 0), with_use(None, 1)]
    assert tables.frame(scenario(), done, tables.REPLICATIONS)["nodes_away"].isna().tolist() == [False, True]
    timeline = tables.frame(scenario(), done, tables.TIMELINE)
    assert timeline[["away_mean", "away_p10", "away_p90", "away_0", "idle_mean"]].isna().all(axis=None)


def test_a_strip_without_lanes_is_that_of_the_job() -> None:
    rows = (
        StripRow(0.0, 1.0, "productive", ""),
        (1.0, 2.0, "lost", "node"),
        StripRow(1.0, 9.0, "waiting", "", 3),
    )
    strip = tables.frame(scenario(), [replace(with_use(None), strip=rows)], tables.STRIP)
    assert strip["lane"].tolist() == [-1, -1, 3]


def test_incidents_without_replica_and_tier_get_them() -> None:
    incidents = tables.frame(scenario(), [with_use(None)], tables.INCIDENTS)
    assert set(incidents["replica"]) == {-1}
    assert set(incidents["tier"]) == {""}
    assert not incidents["stall_s"].any()
