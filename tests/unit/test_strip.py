"""The window of a replication that is drawn: it holds failures however often the job saves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.engine.timeline import STRIP_ROWS
from clustersim.records import StripRow
from clustersim.scenario.model import Scenario


def strip(**changes: Any) -> list[StripRow]:
    scenario = Scenario.model_validate(
        {
            "name": "strip",
            "cluster": {"gpus": 64},
            "failures": {"any": {"per": "node", "mtbf": "8 d"}},
            "checkpoint": {"interval": "10 s", "blocks": "1 s"},
            "recovery": {"stages": {"detect": "1 min", "restart": "5 min"}},
            "simulation": {"horizon": "20 d"},
        }
        | changes
    )
    return [StripRow(*row) for row in simulate(scenario, 0).strip]


@pytest.mark.parametrize("recovery", [{}, {"replicas": 4, "stall": "2 min"}], ids=["whole", "replicas"])
def test_a_window_with_too_many_saves_is_shorter_and_around_a_failure(recovery: dict[str, Any]) -> None:
    stages = {"stages": {"detect": "1 min", "restart": "5 min"}}
    rows = strip(recovery=stages | recovery)
    assert 0.9 * STRIP_ROWS < len(rows) <= STRIP_ROWS
    down = [place for place, row in enumerate(rows) if row.activity == "detection"]
    assert 0.1 * STRIP_ROWS < down[0] < 0.6 * STRIP_ROWS
    assert {row.activity for row in rows} >= {"productive", "checkpoint", "detection", "recovery"}


def test_a_save_each_other_millisecond_costs_no_step_for_each() -> None:
    saves = {"interval": "1 ms", "blocks": "1 ms"}
    for more in ({}, {"workload": {"step_time": "1 ms"}}, {"recovery": {"replicas": 4}}):
        rows = strip(checkpoint=saves, simulation={"horizon": "10 y"}, **more)
        assert 0 < len(rows) <= STRIP_ROWS
        assert {row.activity for row in rows} >= {"productive", "checkpoint"}
        together = [row for row in rows if row.lane == -1]
        assert all(earlier.end <= later.start for earlier, later in pairwise(together))


def test_rows_are_in_order_and_replicas_that_are_down_have_lanes() -> None:
    stages = {"detect": "1 min", "restart": "5 min"}
    saves = {"interval": "10 min", "blocks": "1 s"}
    rows = strip(recovery={"stages": stages, "replicas": 4, "stall": "2 min"}, checkpoint=saves)
    assert [row.start for row in rows] == sorted(row.start for row in rows)
    assert {row.lane for row in rows if row.activity in {"detection", "recovery"}} <= {0, 1, 2, 3}
    assert {row.activity for row in rows if row.lane == -1} >= {"productive", "checkpoint", "stall"}


def test_without_failures_the_window_is_where_it_was() -> None:
    rows = strip(failures="none", simulation={"horizon": "9 h"})
    assert (rows[0].start, len(rows)) == (0.0, STRIP_ROWS)


def test_no_row_goes_on_beyond_the_window_that_is_cut() -> None:
    failures = {"any": {"per": "node", "mtbf": "8 d", "repair": "9 d"}}
    rows = strip(failures=failures, recovery={"replicas": 4, "stall": "2 min"})
    waiting = [row for row in rows if row.activity == "waiting"]
    assert waiting
    assert max(row.end for row in waiting) <= max(row.end for row in rows if row.lane == -1)
