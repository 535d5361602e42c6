"""From the blocks of a scenario to the system that is simulated."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim.scenario.keys.plan import Maintenance
from tests.unit.scenario.test_model import scenario

HOUR = 3600.0


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


@pytest.mark.parametrize(
    ("keys", "days"), [({"every": "7 d"}, [7, 14, 21]), ({"at": ["40 d", "12 d"]}, [12, 40, math.inf])]
)
def test_planned_stops_are_due_at_multiples_or_at_the_instants_that_are_given(
    keys: dict[str, Any], days: list[float]
) -> None:
    (found,) = scenario(maintenance={"takes": "1 h"} | keys).maintenance
    assert [found.due(number) / (24 * HOUR) for number in (1, 2, 3)] == days


def test_a_stop_takes_only_what_is_left_of_the_run() -> None:
    (found,) = scenario(maintenance={"at": ["24 h", "90 h"], "takes": "10 h"}).maintenance
    assert [found.share(hours * HOUR) for hours in (29, 100)] == pytest.approx([5 / 29, 20 / 100])


def test_of_a_table_of_stops_each_has_its_length() -> None:
    (found,) = scenario(maintenance={"at": {"9 h": "30 min", "1 h": "2 h"}}).maintenance
    assert (found.at, found.lengths, found.takes) == ((HOUR, 9 * HOUR), (2 * HOUR, HOUR / 2), 2 * HOUR)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"at": ["1.23456 h", "2.23456 h"], "takes": "1 h"}, "the stop at 1.23 h lasts until the next one"),
        ({"every": "1 h", "takes": "1 h"}, "a stop lasts until the next one, 1 h after it; give less"),
        ({"every": "1 h", "takes": "1 min", "merge_within": "1 h"}, "the next one is due, 1 h after it"),
        ({"every": "1 s"}, "missing; give how long training stands still"),
        ({"at": ["1 s", "2 s"]}, "missing; give how long training stands still"),
        ({"at": ["1 h", "2 h", "3 h"], "takes": "1 min"}, "3 entries, 2 are possible; give fewer"),
    ],
)
def test_stops_that_cannot_be_are_refused_for_that_alone(
    keys: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustersim.scenario.keys.plan.MOST_NAMES", 2)
    with pytest.raises(ValueError, match=f"^1 validation error(.|\\n)*{why}"):
        scenario(maintenance=keys)


@pytest.mark.parametrize(
    ("rows", "blocks", "hours"),
    [
        (["5 h"], {}, 72),
        (["5 h", "6 h"], {}, 36),
        (["5 h", "144 h"], {}, 72),
        (["5 h"], {"workload": {"productive": "2 d"}, "simulation": {}}, 48),
        (["5 h"], {"workload": {"productive": "2 d"}}, 48),
        (["5 h"], {"workload": {"productive": "9 d"}}, 72),
        (["5 h"], {"simulation": {"horizon": "0.36 s"}}, 5),
        (["0 s"], {"simulation": {"horizon": "0.36 s"}}, 0.0001),
    ],
)
def test_a_log_lasts_as_long_as_the_run_or_to_its_last_row(
    rows: list[str], blocks: dict[str, Any], hours: float
) -> None:
    """Of a run to a target nobody knows how much longer it lasts."""
    found = scenario(failures={"log": {"replay": [{"time": time} for time in rows]}}, **blocks)
    assert found.mtbf_of("log") == pytest.approx(hours * HOUR)


@pytest.mark.parametrize("time", ["0 s", "5 h"])
def test_a_log_without_an_end_of_the_run_or_with_one_in_eternity_is_refused_for_that_alone(time: str) -> None:
    log, saves = {"log": {"replay": [{"time": time}]}}, {"interval": "daly", "blocks": "5 s"}
    never = {"target": "1 T tokens", "tokens_per_gpu_second": 1e-300}
    for why, workload in (("nothing ends the run", {}), ("1e9 years or longer", never)):
        with pytest.raises(ValueError, match=f"1 validation error(.|\n)*{why}"):
            scenario(failures=log, checkpoint=saves, workload=workload, simulation={})


def test_a_row_strikes_from_the_first_instant_on_and_extends_nothing_before_the_end_that_is_known() -> None:
    rows = [("0 s", "2 h"), ("7199.9 s", None), ("2 h", "1 h")]
    replay = [{"time": time, "node": 0} | ({"repair": repair} if repair else {}) for time, repair in rows]
    strikes = scenario(failures={"log": {"replay": replay}}).failures["log"].strikes
    assert [(row.time_s, row.repair_s) for row in strikes] == [(0, 2 * HOUR), (2 * HOUR, HOUR)]


def test_why_an_interval_cannot_be_worked_out_is_told_at_its_place() -> None:
    tiers = {"peer": {"interval": "daly", "blocks": "0 s"}, "storage": {"interval": "1 h", "blocks": "0 s"}}
    found = (
        r"^1 validation error for scenario\ncheckpoint.tiers.peer.interval\n  daly needs a save that costs"
    )
    with pytest.raises(ValueError, match=found):
        scenario(checkpoint={"tiers": tiers})
