"""Outages of the whole site, worked out by hand: the engine and the naive simulator come to the same."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from tests.oracle.agreement import disagreements

SITE = {"per": "cluster", "lifetime": "constant", "ages": "new"}
NODE = {"per": "node", "lifetime": "constant", "ages": "new"}


def document(failures: Any, horizon: str = "400 s", **blocks: Any) -> dict[str, Any]:
    stages = {"stages": {"detect": "10 s", "restart": "30 s"}}
    return {
        "name": "outage",
        "cluster": {"gpus": 16},
        "failures": failures,
        "checkpoint": "none",
        "recovery": stages,
        "simulation": {"horizon": horizon},
        **blocks,
    }


CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "nothing is detected, and the chain begins when the site is back": (
        document({"site": SITE | {"mtbf": "200 s", "repair": "120 s"}}, "380 s"),
        {"lost": 200, "waiting": 120, "recovery": 30, "productive": 30},
    ),
    "a site that is out cannot fail by the same mode": (
        document({"site": SITE | {"mtbf": "100 s", "repair": "120 s"}}, "240 s"),
        {"lost": 100, "waiting": 120, "recovery": 20},
    ),
    "of two outages the one that ends last is waited for": (
        document(
            {
                "site": SITE | {"mtbf": "100 s", "repair": "80 s"},
                "power": SITE | {"mtbf": "150 s", "repair": "60 s"},
            },
            "195 s",
        ),
        {"lost": 100, "waiting": 95},
    ),
    "a node that fails meanwhile leaves at the end of the outage": (
        document(
            {
                "site": SITE | {"mtbf": "120 s", "repair": "80 s"},
                "node": NODE | {"mtbf": "150 s", "repair": "20 s"},
            },
            "235 s",
        ),
        {"lost": 120, "waiting": 80 + 20, "recovery": 15},
    ),
    "a row of a log with a repair and no node": (
        document({"log": {"replay": [{"time": "50 s", "repair": "100 s"}]}}, "200 s"),
        {"lost": 50, "waiting": 100, "recovery": 30, "productive": 20},
    ),
    "rows that overlap count up to the later end": (
        document(
            {"log": {"replay": [{"time": "50 s", "repair": "100 s"}, {"time": "60 s", "repair": "20 s"}]}},
            "200 s",
        ),
        {"lost": 50, "waiting": 100, "recovery": 30, "productive": 20},
    ),
}


@pytest.mark.parametrize("absorb", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_an_outage(case: str, absorb: bool) -> None:
    spec, expected = CASES[case]
    during = {"during_recovery": "absorb" if absorb else "restart"}
    scenario = Scenario.model_validate(spec | {"recovery": spec["recovery"] | during})
    records = simulate(scenario, 0)
    found = {entry: seconds / 16 for entry, seconds in records.ledger.items() if seconds}
    assert found == pytest.approx(expected)
    assert disagreements(scenario) == []


def test_the_wait_is_charged_to_the_outage() -> None:
    spec, _ = CASES["of two outages the one that ends last is waited for"]
    records = simulate(Scenario.model_validate(spec), 0)
    waited = records.incidents["waiting_s"].tolist()
    assert waited == pytest.approx([50, 45])
