"""What each cause costs to first order, and how many nodes are away, by formulas that estimates go by."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.scenario.model import Scenario
from clustersim.studies.estimates import _demand_seen, expected, missing
from tests.unit.studies.clusters import HOUR, job


def rare(**more: Any) -> Scenario:
    """64 nodes, each of which is away for 12 h after each 400 d."""
    node = {"per": "node", "mtbf": "400 d", "repair": "12 h"}
    return job(cluster={"gpus": 512, "spares": 3}, failures={"node": node}, **more)


def test_halfway_through_the_run_nodes_are_away_since_its_start() -> None:
    """Those of the 6 h until then, or of 12 h at twice the demand."""
    scenario, away = rare(simulation={"horizon": "12 h"}), 64 * 6 / (400 * 24)
    assert missing(scenario).away == pytest.approx(away, rel=1e-3)
    assert missing(scenario, 2.0).away == pytest.approx(2 * away, rel=1e-3)


@pytest.mark.parametrize(
    ("waiting", "times", "demand"),
    [(0.0, 2.0, 2), (0.0099, 2.0, 2), (0.01, 2.0, 1), (0.0, None, 1), (0.0, 0.0, 0)],
)
def test_nodes_away_are_compared_with_the_formulas_where_they_are_known(
    waiting: float, times: float | None, demand: int
) -> None:
    """So many as formulas say, twice as many, or none."""
    scenario = rare()
    away = None if times is None else times * missing(scenario, 1.0).away
    summary = {"ledger": {"waiting": waiting}, "spares": {"away": {"mean": away}}}
    assert _demand_seen(scenario, summary) == pytest.approx(demand)


def costing(failures: dict[str, Any], **more: Any) -> dict[tuple[str, str], float]:
    """What each cause is expected to cost in 8 nodes that save for 30 s after each 20 min; 0 is left out."""
    recovery = {"stages": {"detect": "1 min", "start": "4 min", "load": "checkpoint"}} | more.pop("also", {})
    spec = {
        "name": "costing",
        "cluster": {"gpus": 64},
        "failures": failures,
        "checkpoint": {"interval": "20 min", "blocks": "30 s", "load": "2 min"},
        "recovery": recovery,
        "simulation": {"horizon": "10 d"},
    }
    return {cell: cost for cell, cost in expected(Scenario.model_validate(spec | more)).items() if cost}


def test_each_entry_costs_what_a_failure_takes_times_how_often_it_comes() -> None:
    modes = {
        "slow": {"per": "node", "mtbf": "80 h", "effect": {"slow": {"factor": 0.7}}, "detect": "10 min"},
        "sdc": {"per": "node", "mtbf": "800 h", "effect": {"corrupt": {"noticed_after": "2 h"}}},
        "flap": {"per": "node", "mtbf": "80 h", "effect": {"flap": {"stall": "36 s"}}},
        "crash": {"per": "job", "mtbf": "20 h"},
    }
    found = costing(modes, maintenance={"every": "1 d", "takes": "20 min"})
    found.pop(("slow", "lost"))  # those that the slow stretch does not hold
    found.pop(("sdc", "lost"))
    assert found == pytest.approx(
        {
            ("checkpoint", "checkpoint"): 30 / 1200,
            ("maintenance", "maintenance"): 20 / (24 * 60),
            ("slow", "slow"): 0.3 * 600 / (10 * HOUR),
            ("slow", "recovery"): (240 + 120) / (10 * HOUR),
            ("sdc", "corrupted"): 2 / 100,
            ("sdc", "recovery"): (240 + 120) / (100 * HOUR),
            ("flap", "stall"): 36 / (10 * HOUR),
            ("crash", "lost"): (1200 + 30) / 2 / (20 * HOUR),
            ("crash", "detection"): 60 / (20 * HOUR),
            ("crash", "recovery"): (240 + 120) / (20 * HOUR),
        }
    )


def test_an_announced_failure_costs_a_save_and_a_wait_and_a_storage_outage_nothing_here() -> None:
    """Of a notice of 2 min the save takes 30 s; a lent spare is there 5 min after it was asked for."""
    lent = {"gpus": 64, "spares": 2, "spare_kind": "lent", "preempt": "5 min"}
    spot = {"per": "node", "mtbf": "80 h", "repair": "1 d", "notice": "2 min"}
    storage = {"per": "cluster", "mtbf": "20 h", "repair": "1 h", "effect": "storage"}
    found = costing({"spot": spot, "storage": storage}, cluster=lent)
    found.pop(("spot", "lost"))
    assert found == pytest.approx(
        {
            ("checkpoint", "checkpoint"): 30 / 1200 + 30 / (10 * HOUR),
            ("spot", "waiting"): 90 / (10 * HOUR),
            ("spot", "recovery"): (240 + 120 + 300) / (10 * HOUR),
        }
    )


def test_without_saves_each_failure_throws_work_away() -> None:
    """How much no formula says: it is in proportion to how many there are."""
    found = expected(job(checkpoint="none"))
    assert found["any", "lost"] == pytest.approx(1 / HOUR)


def test_an_outage_of_the_site_is_waited_for_and_needs_no_detection() -> None:
    """Everybody knows of it: it lasts 3 h, and then the job starts and loads."""
    found = costing({"power": {"per": "cluster", "mtbf": "20 h", "repair": "3 h"}})
    assert found.pop(("checkpoint", "checkpoint")) == pytest.approx(30 / 1200)
    assert found == pytest.approx(
        {
            ("power", "waiting"): 3 / 20,
            ("power", "lost"): (1200 + 30) / 2 / (20 * HOUR),
            ("power", "recovery"): (240 + 120) / (20 * HOUR),
        }
    )


@pytest.mark.parametrize("step", [0, 12])
@pytest.mark.parametrize(("minimum", "held"), [(3, False), (4, True)])
def test_a_replica_that_fails_costs_its_own_cards_and_the_others_a_stall(
    minimum: int, held: bool, step: int
) -> None:
    """One of four is down for 330 s every 10 d; the other three wait all of that where all are needed."""
    also = {"stall": "3 min", "rejoin_stall": "100 s", "peer_load": "30 s", "overhead": "1 %"}
    node = {"per": "node", "mtbf": "80 d", "repair": "1 d"}
    steps = {"workload": {"step_time": f"{step} s"}} if step else {}
    found = costing({"node": node}, also={"replicas": 4, "minimum": minimum, **also}, **steps)
    every = 10 * 24 * HOUR
    of_others = {"idle": 0.75 * 330, "stall": 100.0} if held else {"stall": 0.75 * 180 + 100}
    costs = {"detection": 60 / 4, "recovery": 270 / 4} | of_others | ({"lost": step / 2} if step else {})
    assert {entry: cost for (cause, entry), cost in found.items() if cause == "node"} == pytest.approx(
        {entry: cost / every for entry, cost in costs.items()}
    )
    assert found["overhead", "slow"] == 0.01
