"""Spares, tiers and replicas in the summary: figures worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.ledger import Entry
from clustersim.engine.replication import simulate
from clustersim.metrics import Metrics
from clustersim.records import FleetUse
from clustersim.resources import add_loads, add_replicas, add_spares, held
from clustersim.scenario.keys.expectations import metrics
from clustersim.scenario.model import Scenario
from clustersim.summary import figure, summarise


def fleet(*away_s: float, waiting_s: float = 0.0) -> FleetUse:
    return FleetUse(np.array(away_s), waiting_s, np.zeros(401), np.zeros(401))


def case(spares: int = 3, within: str | None = None, **more: Any) -> Any:
    cluster = SimpleNamespace(spare_nodes=spares, spares_within=within)
    tiers = tuple(SimpleNamespace(name=name, interval=every) for name, every in more.pop("tiers", {}).items())
    return SimpleNamespace(
        cluster=cluster,
        tiers=tiers,
        recovery=SimpleNamespace(**({"replicas": 1, "minimum": 1} | more)),
        simulation=SimpleNamespace(warm_up=100.0),
    )


def done(*uses: FleetUse | None) -> Any:
    return [
        SimpleNamespace(fleet=use, wall_s=1000.0, spares_left=place + 1) for place, use in enumerate(uses)
    ]


def spares_of(records: Any, scenario: Any) -> Metrics:
    metrics = Metrics()
    add_spares(metrics, scenario, records)
    return metrics


def test_nodes_away_are_weighted_by_time_over_all_replications() -> None:
    uses = fleet(400.0, 300.0, 300.0, waiting_s=50.0), fleet(980.0, 0.0, 0.0, 0.0, 20.0)
    metrics = spares_of(done(*uses), case())
    block = metrics.values["spares"]
    assert block["away"] == {"mean": pytest.approx((0.9 + 0.08) / 2), "p50": 0, "p99": 2, "max": 4}
    assert block["sufficient_p99"] == 2
    assert block["short"] == pytest.approx((0.0 + 0.02) / 2)
    assert block["waiting"] == pytest.approx(0.025)
    assert block["fewest_idle"] == 1
    assert figure(metrics.values, "spares.away") == block["away"]["mean"]
    assert figure(metrics.values, "spares.away.p99") == 2
    assert metrics.margins["spares.waiting"] == pytest.approx(12.7062 * 0.025, rel=1e-4)


@pytest.mark.parametrize(
    ("seconds", "share", "nodes"),
    [((99.0, 1.0), 0.99, 0), ((98.0, 1.0, 1.0), 0.99, 1), ((0.0, 0.0, 5.0), 0.5, 2), ((7.0,), 0.99, 0)],
)
def test_the_nodes_that_hold_for_a_share_of_the_time(
    seconds: tuple[float, ...], share: float, nodes: int
) -> None:
    assert held(np.array(seconds), share) == nodes


def test_spares_that_serve_one_domain_each_do_not_add_up_to_one_pool() -> None:
    metrics = spares_of(done(fleet(1.0, 1.0)), case(within="rack"))
    assert metrics.values["spares"]["sufficient_p99"] is None
    assert "one rack" in metrics.reasons["spares.sufficient_p99"]
    assert metrics.values["spares"]["away"]["p99"] == 1


def test_nothing_is_said_of_nodes_that_nobody_counted() -> None:
    assert spares_of(done(fleet(1.0), None), case()).values == {}


def with_loads(*tiers: int) -> Any:
    """Return a replication of which each incident, the first within the warm-up, loaded one of *tiers*."""
    times = np.array([50.0, *np.linspace(200.0, 900.0, len(tiers) - 1)])
    return SimpleNamespace(incidents={"time_s": times, "tier": np.array(tiers)})


def test_loads_are_shared_out_over_the_tiers() -> None:
    metrics, scenario = Metrics(), case(tiers={"peer": 60.0, "storage": 1800.0})
    add_loads(metrics, scenario, [with_loads(1, 0, 0, -1), with_loads(1, 0, 1, -1)])
    assert metrics.values["tiers"] == {
        "peer": {"interval_s": 60.0, "loads": pytest.approx(0.75)},
        "storage": {"interval_s": 1800.0, "loads": pytest.approx(0.25)},
    }
    assert metrics.margins["tiers.peer.loads"] is not None


def test_tiers_that_nothing_loaded_say_so_and_one_tier_says_nothing() -> None:
    metrics = Metrics()
    add_loads(metrics, case(tiers={"peer": 60.0, "storage": 1800.0}), [with_loads(-1, -1)])
    assert metrics.values["tiers"]["peer"]["loads"] is None
    assert metrics.reasons["tiers.peer.loads"] == "nothing was loaded"
    alone = Metrics()
    add_loads(alone, case(tiers={"checkpoint": 60.0}), [with_loads(0, 0)])
    add_loads(alone, case(), [with_loads(0, 0)])
    assert alone.values == {}


def test_loads_from_another_replica_count_among_all() -> None:
    metrics, scenario = Metrics(), case(tiers={"peer": 60.0, "storage": 1800.0}, replicas=4)
    add_loads(metrics, scenario, [with_loads(1, 2, 2, 2, 0)])
    assert metrics.values["replicas"]["peer_loads"] == 0.75
    assert metrics.values["tiers"]["peer"]["loads"] == 0.25
    one_tier = Metrics()
    add_loads(one_tier, case(tiers={"checkpoint": 60.0}, replicas=4), [with_loads(0, 1, 0)])
    assert one_tier.values == {"replicas": {"peer_loads": 0.5}}


def test_replicas_that_are_down_on_average() -> None:
    ledger = np.zeros((2, len(Entry)))
    ledger[:, Entry.PRODUCTIVE] = 0.7
    ledger[:, Entry.STALL] = 0.1
    ledger[0, [Entry.DETECTION, Entry.RECOVERY, Entry.WAITING]] = 0.05, 0.1, 0.05
    ledger[1, Entry.RECOVERY] = 0.2
    metrics = Metrics()
    add_replicas(metrics, case(replicas=12, minimum=8), ledger)
    assert metrics.values["replicas"] == {"count": 12, "minimum": 8, "down": pytest.approx(2.4)}
    add_replicas(one := Metrics(), case(), ledger)
    assert one.values == {}


def everything() -> Scenario:
    """Return a small job with all that the summary has figures for."""
    tiers = {
        "peer": {"interval": "2 min", "blocks": "1 s", "load": "10 s", "survives": ["job", "gpu", "node"]},
        "storage": {"interval": "1 h", "blocks": "20 s", "load": "2 min"},
    }
    stages = {"detect": "1 min", "restart": "4 min", "load": "checkpoint"}
    return Scenario.model_validate(
        {
            "name": "everything",
            "cluster": {"gpus": 256, "spares": 1},
            "workload": {"tokens_per_gpu_second": 100, "productive": "4 d"},
            "failures": {
                "gpu": {"per": "gpu", "mtbf": "300 d", "repair": "12 h"},
                "job": {"per": "job", "mtbf": "2 d"},
                "log": {"replay": [{"time": "3 h", "node": 12, "repair": "20 h"}]},
            },
            "checkpoint": {"tiers": tiers},
            "recovery": {"stages": stages, "replicas": 4, "stall": "1 min", "overhead": "1 %"},
            "costs": {"gpu_hour": "2 USD"},
        }
    )


def test_every_figure_that_may_be_expected_is_in_the_summary_of_a_run_with_everything() -> None:
    scenario = everything()
    summary = summarise(scenario, [simulate(scenario, number) for number in range(3)])
    stages = [stage.name for stage in scenario.recovery.stages if stage.kind != "detect"]
    tiers = [tier.name for tier in scenario.tiers]
    unknown = []
    for path in metrics(scenario.failures, stages, tiers, scenario.recovery.replicas):
        try:
            figure(summary, path)
        except KeyError:
            unknown.append(path)
    assert unknown == []
    loads = [tier["loads"] for tier in summary["tiers"].values()]
    assert sum(loads) + summary["replicas"]["peer_loads"] == pytest.approx(1)
    assert summary["replicas"]["peer_loads"] > 0
    assert summary["waste"]["overhead"]["slow"] > 0
    assert 0 < summary["spares"]["away"]["mean"] < summary["spares"]["away"]["max"]
    assert summary["spares"]["waiting"] > 0
