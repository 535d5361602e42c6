"""Plain work and work with a history are the same where nothing tells them apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from tests.oracle.author import picking, reproducible
from tests.oracle.random_scenarios import scenario

laws = reproducible(80)
COLUMNS = ("time_s", "mode", "node", "rack", "doing", "interruption", "transient", "nodes_lost")
TIMES = ("lost_s", "detection_s", "recovery_s", "waiting_s")


def with_history(document: Scenario) -> Records:
    """Simulate *document* on the work that carries copies, tiers and history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scenario, "needs_work_history", property(lambda _: True))
        return simulate(document, 0)


@laws
@given(st.data(), st.booleans())
def test_both_works_give_the_same_history(data: st.DataObject, ties: bool) -> None:
    families = ["adaptive"] * data.draw(st.booleans())
    document = Scenario.model_validate(scenario(picking(data.draw), ties, *families))
    assert not document.needs_work_history
    whole, general = simulate(document, 0), with_history(document)
    scale = document.end_s
    assert general.end_s == pytest.approx(whole.end_s, rel=1e-9)
    assert general.reached_s == pytest.approx(whole.reached_s, rel=1e-9, nan_ok=True)
    for name in COLUMNS:
        assert general.incidents[name] == pytest.approx(whole.incidents[name], rel=1e-9), name
    for name in TIMES:
        assert general.incidents[name] == pytest.approx(whole.incidents[name], rel=1e-9, abs=1e-9 * scale)
    slack = 1e-9 * scale * document.cluster.gpus
    assert dict(general.ledger) == pytest.approx(dict(whole.ledger), rel=1e-9, abs=slack)
    assert general.stages == pytest.approx(whole.stages, rel=1e-9, abs=slack)
    assert general.curve == pytest.approx(whole.curve, rel=1e-9, abs=1e-9 * scale)
    assert general.progress_s == pytest.approx(whole.progress_s, rel=1e-9, abs=1e-9 * scale)
    assert general.interruptions == whole.interruptions


def job(replicas: int, **changes: Any) -> Scenario:
    """A job of four nodes whose failures strike all of it at once."""
    return Scenario.model_validate(
        {
            "name": "all together",
            "cluster": {"gpus": 8, "gpus_per_node": 2},
            "failures": {
                "any": {"per": "job", "mtbf": "2000 s", "detect": {"exponential": {"mean": "20 s"}}}
            },
            "workload": {"step_time": "3 s"},
            "checkpoint": {"interval": "100 s", "blocks": "4 s", "durable_after": "130 s", "load": "30 s"},
            "recovery": {
                "stages": {"start": {"gamma": {"mean": "60 s", "shape": 2}}, "load": "checkpoint"},
                "replicas": replicas,
                **changes,
            },
            "maintenance": {"every": "7000 s", "takes": "100 s"},
            "simulation": {"horizon": "50000 s", "seed": 5},
        }
    )


@pytest.mark.parametrize("replicas", [2, 4])
@pytest.mark.parametrize("during", ["restart", "absorb"])
def test_replicas_that_fall_and_rise_together_are_one_job(replicas: int, during: str) -> None:
    one = simulate(job(1, during_recovery=during), 0)
    several = {"stall": "40 s", "rejoin_stall": "50 s", "minimum": replicas, "peer_load": "1 s"}
    many = simulate(job(replicas, during_recovery=during, **several), 0)
    assert one.interruptions > 10
    assert many.ettr == pytest.approx(one.ettr, rel=1e-9)
    assert dict(many.ledger) == pytest.approx(dict(one.ledger), rel=1e-9, abs=1e-6)
    assert many.incidents["time_s"] == pytest.approx(one.incidents["time_s"])


def test_replicas_that_fall_one_by_one_lose_less() -> None:
    mode = {"per": "node", "mtbf": "8000 s"}
    ledgers = []
    for replicas in (1, 2, 4):
        document = job(replicas).document | {"failures": {"any": mode}}
        ledgers.append(simulate(Scenario.model_validate(document), 0).ledger)
    productive, lost = ([ledger[name] for ledger in ledgers] for name in ("productive", "lost"))
    assert productive == sorted(productive)
    assert lost[0] > 20 * lost[2]
