"""Logs in which a node is away already when a row names it: what the run and `check` make of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from clustersim import Scenario, run
from clustersim.advice import advise
from clustersim.engine.replication import simulate
from clustersim.scenario.describe import Description, describe

HOUR = 3600.0


def scenario(*rows: str, more: tuple[str, ...] = (), **blocks: Any) -> Scenario:
    """Return two nodes for ten days that meet the *rows*, and *more* of another cause: hour,node,repair."""
    logs = {"log": rows, "more": more}
    return Scenario.model_validate(
        {
            "name": "overlaps",
            "cluster": {"gpus": 16},
            "failures": {
                name: {"replay": "\n".join(["time_h,node,repair_h", *lines])}
                for name, lines in logs.items()
                if lines
            },
            "checkpoint": {"interval": "1 h", "blocks": "0 s"},
            "recovery": {"stages": {"nodes": "wait"}},
            "simulation": {"horizon": "10 d", "replications": 2},
            **blocks,
        }
    )


def counted(found: Description) -> tuple[float, float]:
    """Return the failures in a run, and the nodes in repair in hours of the run."""
    return found.events, sum(mode.nodes_in_repair for mode in found.modes) * 240


FIELD_4 = "10,0,2", "11,0,100"
SAID = "1 of 2 incidents names a node that is away already; its absence is extended to the later end"


def test_an_absence_lasts_to_the_later_end() -> None:
    results = run(scenario(*FIELD_4), workers=1)
    assert results.summary["ettr"]["mean"] == pytest.approx(139 / 240, rel=1e-12)
    assert results.summary["ledger"]["waiting"] == pytest.approx(101 / 240, rel=1e-12)
    every = advise(results.scenario, results.summary)
    said = [advice for advice in every if "absence" in str(advice)]
    assert [(advice.text, advice.warning) for advice in said] == [(f"{SAID}.", True)]


LOGS = {
    "one after another": (partial(scenario, "10,0,2", "11,0,3", "13,0,5", "18,0,1"), 2, 9),
    "one within another": (partial(scenario, "10,0,9", "11,0,3", "12,0,"), 1, 9),
    "another node": (partial(scenario, "10,0,2", "11,1,100"), 2, 102),
    "another cause": (partial(scenario, "10,0,2", more=("11,0,100",)), 1, 101),
    "the other cause comes first": (partial(scenario, "11,0,100", "200,0,4", more=("10,0,2",)), 2, 105),
    "a restart takes no node": (partial(scenario, "10,0,", "10,0,3"), 2, 3),
    "it is away as long as the failure is not noticed": (
        partial(
            scenario,
            "10,0,2",
            "12.4,0,3",
            "20,0,1",
            recovery={"stages": {"detect": "30 min", "nodes": "wait"}},
        ),
        2,
        15.4 - 10.5 + 1,
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_check_counts_as_the_run_does(name: str) -> None:
    made, failures, hours = LOGS[name]
    log = made()
    records = simulate(log, 0)
    assert records.fleet is not None
    away = float(records.fleet.away_s @ range(len(records.fleet.away_s))) / HOUR
    assert (records.incident_count, away) == pytest.approx((failures, hours))
    assert counted(describe(log)) == pytest.approx((failures, hours))


def test_check_says_how_many_rows_only_extend_an_absence() -> None:
    assert f"failures: {SAID}" in describe(scenario(*FIELD_4)).notes
    three = scenario(*FIELD_4, "20,0,1", more=("30,0,", "239,0,1"))
    assert any(note.startswith("failures: 3 of 5 incidents name a node") for note in describe(three).notes)
    assert not any("away already" in note for note in describe(scenario("10,0,2", "12,0,100")).notes)


def test_what_lies_behind_the_horizon_is_not_counted() -> None:
    late = scenario(*FIELD_4, "300,1,9", "301,1,2")
    assert f"failures: {SAID}" in describe(late).notes


def test_the_mtbf_is_that_of_the_failures_that_strike() -> None:
    log = scenario("10,0,2", "11,0,3", "100,1,1", more=("12,0,1",))
    assert log.mtbf_of("log") == pytest.approx(120 * HOUR)
    assert log.mtbf_of("more") == pytest.approx(240 * HOUR)
    assert describe(log).events == 2
    assert scenario("10,0,2", "100,0,1", "480,1,1").mtbf_of("log") == pytest.approx(480 / 3 * HOUR)


@pytest.mark.parametrize(
    ("checkpoint", "abrupt"), [({"interval": "1 h", "blocks": "0 s"}, False), ("none", True)]
)
def test_planned_stops_of_a_log_that_overlap_are_one(checkpoint: Any, abrupt: bool) -> None:
    planned = {10: 2, 11: 4, 12: 1, 15: 1, 100: 5, 101: 1, 200: 1}
    rows = [{"time": f"{at} h", "kind": "planned", "repair": f"{takes} h"} for at, takes in planned.items()]
    rows.append({"time": "50 h", "repair": "1 h"})
    (stops,) = scenario(failures={"log": {"replay": rows}}, checkpoint=checkpoint).maintenance
    assert [at / HOUR for at in stops.at] == [10, 100, 200]
    assert [length / HOUR for length in stops.lengths] == [6, 5, 1]
    assert (stops.takes, stops.abrupt) == (6 * HOUR, abrupt)
