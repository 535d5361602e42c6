"""Failures that are announced, worked out by hand: the engine and the naive simulator come to the same."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.advice import spares, stood_still, waiting_for_nodes
from clustersim.engine.replication import simulate
from clustersim.formatting import percent
from clustersim.results import summarise
from clustersim.scenario import loads
from clustersim.scenario.model import Scenario
from tests.oracle.agreement import disagreements

NODE = {"per": "node", "lifetime": "constant", "ages": "new"}
SAVES = {"interval": "80 s", "blocks": "10 s"}
TOLD = NODE | {"mtbf": "100 s", "repair": "500 s", "notice": "50 s"}


def document(failures: Any, horizon: str = "200 s", **blocks: Any) -> dict[str, Any]:
    return {
        "name": "told",
        "cluster": {"gpus": 8, "spares": 2},
        "failures": failures,
        "checkpoint": SAVES,
        "recovery": {"stages": {"detect": "25 s", "restart": "30 s"}},
        "simulation": {"horizon": horizon},
        **blocks,
    }


TIERS = {
    "tiers": {
        "memory": {"interval": "60 s", "blocks": "1 s", "survives": ["job"]},
        "peer": {"interval": "200 s", "blocks": "5 s", "survives": ["job", "node"]},
        "storage": {"interval": "1000 s", "blocks": "60 s"},
    }
}
CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "it saves, stands still, and restarts without detection": (
        document({"spot": TOLD}),
        {"productive": 90 + 20, "checkpoint": 10 + 10, "waiting": 40, "recovery": 30},
    ),
    "a save that never becomes durable is worth nothing": (
        document({"spot": TOLD | {"saves": "0 %"}}),
        {"productive": 80 + 20, "lost": 10, "checkpoint": 20, "waiting": 40, "recovery": 30},
    ),
    "a copy is durable at the end of the notice, however long it takes else": (
        document({"spot": TOLD}, checkpoint=SAVES | {"durable_after": "300 s"}),
        {"productive": 90 + 20, "checkpoint": 20, "waiting": 40, "recovery": 30},
    ),
    "a save under way ends first, and is enough": (
        document({"spot": TOLD}, checkpoint={"interval": "95 s", "blocks": "10 s"}),
        {"productive": 95 + 20, "checkpoint": 10, "waiting": 45, "recovery": 30},
    ),
    "a copy on its way as training ends counts": (
        document({"spot": TOLD}, checkpoint={"interval": "95 s", "blocks": "5 s", "durable_after": "99 s"}),
        {"productive": 95 + 20, "checkpoint": 5, "waiting": 50, "recovery": 30},
    ),
    "a save that does not fit is not begun, and the job trains on": (
        document({"spot": TOLD | {"notice": "9 s"}}, "160 s"),
        {"productive": 80 + 21, "lost": 19, "checkpoint": 10, "recovery": 30},
    ),
    "a save that takes all of the notice is in time": (
        document({"spot": TOLD | {"notice": "10 s"}}, "160 s"),
        {"productive": 90 + 20, "checkpoint": 20, "recovery": 30},
    ),
    "the last tier whose copies survive and whose block fits saves": (
        document({"spot": TOLD}, checkpoint=TIERS),
        {"productive": 99 + 20, "checkpoint": 1 + 5, "waiting": 45, "recovery": 30},
    ),
    "a failure within the notice strikes, and the node that leaves then ends its detection": (
        document(
            {
                "spot": TOLD,
                "crash": {"per": "cluster", "lifetime": "constant", "ages": "new", "mtbf": "130 s"},
            },
            "190 s",
        ),
        {"productive": 90 + 10, "checkpoint": 20, "waiting": 20, "detection": 20, "recovery": 30},
    ),
    "a second notice while the job stands still needs no save": (
        document(
            {"spot": TOLD, "drain": NODE | {"mtbf": "120 s", "repair": "500 s", "notice": "10 s"}},
        ),
        {"productive": 90 + 40, "checkpoint": 20, "waiting": 20, "recovery": 30},
    ),
    "a planned stop that falls due while the job stands still is done in the shadow of its recovery": (
        document({"spot": TOLD}, maintenance={"every": "120 s", "takes": "20 s"}),
        {"productive": 90 + 20, "checkpoint": 20, "waiting": 40, "recovery": 30},
    ),
    "nothing is saved for a notice in a recovery": (
        document(
            {
                "spot": TOLD,
                "crash": {
                    "per": "job",
                    "clock": "calendar",
                    "lifetime": "constant",
                    "ages": "new",
                    "mtbf": "90 s",
                },
            },
            "170 s",
        ),
        {"productive": 80, "checkpoint": 10, "detection": 25, "recovery": 30 + 20, "lost": 5},
    ),
    "the whole job may be told": (
        document({"batch": TOLD | {"per": "job", "repair": None}}),
        {"productive": 90 + 20, "checkpoint": 20, "waiting": 40, "recovery": 30},
    ),
    "rows of a log are notices": (
        document({"log": {"replay": [{"time": "100 s", "node": 0, "repair": "9 s"}], "notice": "50 s"}}),
        {"productive": 90 + 20, "checkpoint": 20, "waiting": 40, "recovery": 30},
    ),
}


def scenario(case: str) -> Scenario:
    spec = CASES[case][0]
    modes = {
        name: {key: value for key, value in mode.items() if value is not None}
        for name, mode in spec["failures"].items()
    }
    return Scenario.model_validate(spec | {"failures": modes})


@pytest.mark.parametrize("case", CASES)
def test_a_notice(case: str) -> None:
    found = scenario(case)
    entries = {entry: time / 8 for entry, time in simulate(found, 0).ledger.items() if time}
    assert entries == pytest.approx(CASES[case][1])
    assert disagreements(found) == []


@pytest.mark.parametrize(
    ("notice", "scope", "saved"),
    [
        ("50 s", "node", (5, 45, 0.6)),
        ("50 s", "job", (5, 45, 0.6)),
        ("50 s", "rack", (0, 0, 0)),
        ("5 s", "node", (5, 0, 0.6)),
    ],
)
def test_the_last_tier_that_survives_and_fits_is_expected_to_save(
    notice: str, scope: str, saved: tuple[float, ...]
) -> None:
    """Copies in memory die with a node, those of peers with a rack; storage takes longer than the notice."""
    mode = TOLD | {"saves": "60 %", "notice": notice}
    found = Scenario.model_validate(document({"spot": mode}, checkpoint=TIERS))
    assert found.failures["spot"].effect.rescue(found.tiers, scope) == saved


def test_the_wait_is_charged_to_the_failure_and_the_block_to_saves() -> None:
    found = scenario("it saves, stands still, and restarts without detection")
    records = simulate(found, 0)
    assert records.incidents["waiting_s"].tolist() == pytest.approx([40])
    assert records.incidents["time_s"].tolist() == [100]
    assert records.incidents["interruption"].tolist() == [True]
    assert records.incidents["nodes_lost"].tolist() == [1]


def test_replicas_that_are_told_train_until_their_nodes_leave() -> None:
    spec = document({"spot": TOLD}, cluster={"gpus": 16, "spares": 4}, checkpoint="none")
    spec["recovery"] |= {"replicas": 2}
    spec["failures"] = {"log": {"replay": [{"time": "100 s", "node": 1, "repair": "9 s"}], "notice": "50 s"}}
    found = Scenario.model_validate(spec)
    entries = {entry: time / 16 for entry, time in simulate(found, 0).ledger.items() if time}
    assert entries == pytest.approx({"productive": 150 + 15 + 20, "recovery": 15})
    assert disagreements(found) == []


@pytest.mark.parametrize(("spares", "notice", "stands"), [(30, "2 min", True), (0, "10 s", False)])
def test_standing_still_is_no_waiting_for_nodes(spares: int, notice: str, stands: bool) -> None:
    """With spares for all it stands still only; told too late to save, and without any, it waits: but for a
    notice in a save that ends in time.
    """
    told = loads(ALONE, overrides={"cluster.spares": spares, "failures.spot.notice": notice})
    summary = summarise(told, [simulate(told, number) for number in range(2)])
    waiting = summary["ledger"]["waiting"]
    assert waiting > 0.005
    assert sum(stood_still(told, summary).values()) == pytest.approx(waiting * stands, abs=1e-5)
    assert waiting_for_nodes(told, summary) == pytest.approx(waiting * (not stands), abs=1e-5)


def test_what_spares_are_short_of_is_said_without_the_time_until_nodes_leave() -> None:
    told = loads(ALONE, overrides={"cluster.spares": 1})
    summary = summarise(told, [simulate(told, number) for number in range(2)])
    waited = waiting_for_nodes(told, summary)
    assert 0.005 < waited < 0.9 * summary["ledger"]["waiting"]
    (advice,) = spares(told, summary)
    assert f"waiting for repairs takes {percent(waited)} of all card-time" in advice.text


ALONE = """
name: alone
cluster: {gpus: 64}
failures: {spot: {per: node, mtbf: 1 d, notice: 2 min, repair: 40 min}}
checkpoint: {interval: 30 min, blocks: 20 s}
simulation: {horizon: 10 d}
"""
SPOT = """
name: spot
cluster: {gpus: 64, spares: 3}
failures: {spot: {per: node, mtbf: 1 d, notice: 2 min, repair: 40 min}}
checkpoint: {interval: 30 min, blocks: 20 s}
recovery: {misdiagnosis: 99 %, recurs_after: 1 h}
simulation: {horizon: 10 d}
"""


def test_nobody_else_is_taken_for_a_node_that_was_told() -> None:
    records = simulate(loads(SPOT), 0)
    assert records.incident_count > 40
    at_work = records.incidents["nodes_lost"] == 1
    assert at_work.mean() > 0.95
