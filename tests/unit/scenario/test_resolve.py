"""From the blocks of a scenario to the system that is simulated."""

from __future__ import annotations

from typing import Any

from clustersim.scenario import Scenario
from clustersim.scenario.keys.plan import Maintenance

HOUR = 3600.0


def scenario(**blocks: Any) -> Scenario:
    small = {
        "name": "small",
        "cluster": {"gpus": 64},
        "failures": {"node": {"per": "node", "mtbf": "50 d"}},
        "checkpoint": {"interval": "10 min", "blocks": "5 s"},
        "simulation": {"horizon": "3 d"},
    }
    return Scenario.model_validate(small | blocks)


def test_what_is_paid_is_part_of_the_system() -> None:
    costs = scenario(costs={"gpu_hour": "2.20 USD"}).costs
    assert costs is not None
    assert (costs.price_per_gpu_hour, costs.currency) == (2.2, "USD")


def test_a_load_takes_what_the_last_tier_says_and_no_time_without_copies() -> None:
    tiers = {
        "peer": {"interval": "1 min", "blocks": "0 s", "load": "5 s", "survives": ["node"]},
        "storage": {"interval": "1 h", "blocks": "0 s", "load": "1 min"},
    }
    for checkpoint, load in (({"tiers": tiers}, 60.0), ("none", 0.0)):
        stages = scenario(checkpoint=checkpoint).recovery.stages
        assert [stage.duration.mean for stage in stages if stage.of_copy] == [load]


def test_planned_stops_of_logs_come_after_those_that_are_written_and_overlaps_are_one() -> None:
    planned = {"kind": "planned"}
    rows = [
        {"time": "9 h", "repair": "1 h"} | planned,
        {"time": "1 h", "repair": "3 h"} | planned,
        {"time": "2 h", "repair": "1 h"} | planned,  # within the one before
        {"time": "4 h", "repair": "2 h"} | planned,  # begins as that ends
    ]
    failures = {"other": {"replay": [{"time": "5 h"}]}, "log": {"replay": [{"time": "5 h"}, *rows]}}
    found = scenario(failures=failures, maintenance={"every": "1 d", "takes": "1 h"})
    stops = [(each.every, each.at, each.takes, each.lengths) for each in found.maintenance]
    assert stops == [(24 * HOUR, (), HOUR, ()), (None, (HOUR, 9 * HOUR), 5 * HOUR, (5 * HOUR, HOUR))]
    for checkpoint, abrupt in (("none", True), ({"interval": "1 h", "blocks": "0 s"}, False)):
        (log,) = scenario(failures={"log": failures["log"]}, checkpoint=checkpoint).maintenance
        assert isinstance(log, Maintenance)
        assert log.abrupt is abrupt
