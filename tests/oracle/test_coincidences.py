"""Coincidences worked out by hand: both simulators must come to the same figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from tests.oracle.agreement import disagreements
from tests.oracle.naive import Naive

CRASH = {"per": "cluster", "lifetime": "constant", "ages": "new"}
SAVES = {"interval": "40 s", "blocks": "10 s"}


def document(horizon: str, **blocks: Any) -> dict[str, Any]:
    return {
        "name": "coincidence",
        "cluster": {"gpus": 16},
        "failures": "none",
        "checkpoint": "none",
        "recovery": {"stages": {"restart": "30 s"}},
        "simulation": {"horizon": horizon},
        **blocks,
    }


def every(seconds: int, **more: Any) -> dict[str, Any]:
    return {"crash": {**CRASH, "mtbf": f"{seconds} s", **more}}


NODE = {"per": "node", "lifetime": "constant", "ages": "new"}
POWER = {"power": {**NODE, "mtbf": "100 s", "repair": "70 s"}}
CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "a failure at the horizon strikes": (
        document("100 s", failures=every(100)),
        {"lost": 100},
    ),
    "a copy that is durable at the instant of the failure counts": (
        document("100 s", failures=every(50), checkpoint=SAVES),
        {"productive": 40, "lost": 20, "checkpoint": 10, "recovery": 30},
    ),
    "a copy that is durable a second later is gone": (
        document("100 s", failures=every(50), checkpoint={**SAVES, "durable_after": "1 s"}),
        {"lost": 40 + 20, "checkpoint": 10, "recovery": 30},
    ),
    "a target at the begin of a save is reached before the save": (
        document("1 h", checkpoint=SAVES, workload={"productive": "80 s"}),
        {"productive": 80, "checkpoint": 10},
    ),
    "a target at the instant of a failure is reached": (
        document("1 h", failures=every(80), workload={"productive": "80 s"}),
        {"productive": 80},
    ),
    "a target at the begin of a planned stop is reached": (
        document(
            "1 h",
            maintenance={"every": "80 s", "takes": "9 s", "abrupt": True},
            workload={"productive": "80 s"},
        ),
        {"productive": 80},
    ),
    "a failure at the begin of a planned stop takes its place": (
        document(
            "200 s", failures=every(100), maintenance={"every": "100 s", "takes": "9 s", "abrupt": True}
        ),
        {"lost": 100 + 70, "recovery": 30},
    ),
    "an abrupt stop at the horizon still throws work away": (
        document("100 s", checkpoint=SAVES, maintenance={"every": "100 s", "takes": "9 s", "abrupt": True}),
        {"productive": 80, "checkpoint": 20},
    ),
    "a stop that ends as a failure strikes has ended": (
        document(
            "150 s", failures=every(100), maintenance={"every": "80 s", "takes": "20 s", "abrupt": True}
        ),
        {"lost": 80, "maintenance": 20, "recovery": 30, "productive": 20},
    ),
    "a recovery that ends at the begin of a planned stop makes room for it": (
        document("110 s", failures=every(70), maintenance={"every": "100 s", "takes": "9 s", "abrupt": True}),
        {"lost": 70, "recovery": 30, "maintenance": 9, "productive": 1},
    ),
    "a stop that takes no time still saves": (
        document("100 s", checkpoint=SAVES, maintenance={"every": "20 s", "takes": "0 s"}),
        {"productive": 60, "checkpoint": 40},
    ),
    "two modes that fail at once on the training clock begin one recovery": (
        document(
            "200 s",
            failures={
                "one": {**CRASH, "mtbf": "100 s", "clock": "training", "detect": "7 s"},
                "two": {**CRASH, "mtbf": "100 s", "clock": "training", "detect": "5 s"},
            },
        ),
        {"lost": 100, "detection": 5, "recovery": 30, "productive": 65},
    ),
    "a recovery that begins again and takes no time leaves nothing of the first": (
        document(
            "200 s",
            failures={**every(110), "hang": {**CRASH, "mtbf": "100 s", "effect": "hang", "detect": "50 s"}},
            recovery={},
        ),
        {"lost": 110 - 10 + 90, "detection": 10},
    ),
    "nodes that fail together leave and come back together": (
        document("200 s", failures=POWER, recovery={"stages": {"detect": "10 s", "restart": "20 s"}}),
        {"lost": 100, "detection": 10, "waiting": 70, "recovery": 20},
    ),
    "a fault that stays where a fault has just ended training waits for the next training": (
        document(
            "190 s",
            failures={"node": {**NODE, "mtbf": "100 s", "repair": "70 s"}},
            recovery={"missed": "99.99 %", "recurs_after": "50 s", "stages": {"restart": "30 s"}},
        ),
        {"lost": 100 + 50, "recovery": 30 + 10},
    ),
    "a repair that ends as nodes are asked for comes too late: the cold spare is taken": (
        document(
            "250 s",
            failures=POWER,
            cluster={"gpus": 8, "spares": 1, "spare_kind": "cold", "provision": "60 s"},
            recovery={"stages": {"detect": "0 s", "diagnose": "70 s", "nodes": "wait"}},
        ),
        {"lost": 100, "recovery": 130, "productive": 20},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_coincidence(name: str) -> None:
    spec, expected = CASES[name]
    scenario = Scenario.model_validate(spec)
    naive = Naive(scenario, 0).run()
    assert {entry: value for entry, value in naive.ledger.items() if value} == pytest.approx(expected)
    assert disagreements(scenario) == []


@pytest.mark.parametrize("wear", [220.9278197011611, 100 / 3, 77.7])
def test_cards_that_age_alike_fail_together_at_instants_that_no_float_holds(wear: float) -> None:
    spec = document(
        "20000 s",
        cluster={"gpus": 3, "gpus_per_node": 1},
        failures={
            "wear": {**NODE, "per": "gpu", "mtbf": f"{wear!r} s", "clock": "training"},
            "crash": {**CRASH, "mtbf": "123.24148046335849 s"},
        },
        recovery={"stages": {"restart": "15.747943141579054 s"}},
    )
    table = simulate(Scenario.model_validate(spec), 0).incidents
    together = Counter(table["time_s"][table["mode"] == 0].tolist())
    assert len(together) > 50
    assert set(together.values()) == {3}
