"""`levers`: what is offered, what it earns, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim import theory
from clustersim.scenario.model import Scenario
from clustersim.tuning import Levers, levers
from clustersim.tuning.changes import changes_that_fit, own_changes, scaled
from clustersim.tuning.output import levers_as_dict
from clustersim.tuning.results import paid
from clustersim.tuning.variants import variant
from clustersim.tuning.verdict import advise_levers
from tests.unit.tuning.clusters import HERE, HOUR, job

FULL: dict[str, Any] = {
    "name": "full",
    "cluster": {"gpus": 64, "spares": 1, "nodes_per_rack": 2},
    "failures": {
        "node": {"per": "node", "rate": "1 / 100 node-days", "repair": "1 d"},
        "rack": {"per": "rack", "mtbf": "90 d"},
        "hang": {
            "per": "job",
            "lifetime": {"empirical": ["3 d", "9 d"]},
            "effect": "hang",
            "detect": "10 min",
        },
    },
    "checkpoint": {"interval": "1 h", "blocks": "20 s", "durable_after": "3 min", "load": "2 min"},
    "recovery": {
        "stages": {
            "detect": "1 min",
            "start": {"lognormal": {"median": "4 min", "sigma": 1, "at_most": "1 h"}, "fails": "10 %"},
            "collectives": {"over_gpus": {16: "10 s", 1024: "80 s"}},
            "load": "checkpoint",
        }
    },
    "simulation": {"horizon": "20 d", "replications": 4},
}
OFFERED = {
    "half the failures: node",
    "half the failures: rack",
    "half the failures: hang",
    "half the time: start",
    "half the time: collectives",
    "half the time: load",
    "half the time: detection",
    "half the time: all of recovery",
    "saves at half the cost",
    "durable twice as fast",
    "twice the spares",
    "repair twice as fast",
}


def scenario(**blocks: Any) -> Scenario:
    return Scenario.model_validate(FULL | blocks)


def offered(**blocks: Any) -> dict[str, Any]:
    return {change.name: change.values for change in changes_that_fit(scenario(**blocks))}


def said(found: Levers) -> str:
    return " ".join(str(advice) for advice in advise_levers(found))


def test_everything_that_a_scenario_uses_is_offered() -> None:
    assert set(offered()) == OFFERED


def test_each_offer_changes_what_it_says() -> None:
    now, made = (
        scenario(),
        {change.name: variant(scenario(), change.values) for change in changes_that_fit(scenario())},
    )
    for mode in now.failures:
        assert made[f"half the failures: {mode}"].mtbf_of(mode) == pytest.approx(2 * now.mtbf_of(mode))
    stages = {stage.name: stage.duration.mean for stage in now.recovery.stages}
    for stage in ("start", "collectives", "load"):
        after = {one.name: one.duration.mean for one in made[f"half the time: {stage}"].recovery.stages}
        assert after == pytest.approx(stages | {stage: stages[stage] / 2}, rel=1e-3)
    detection = made["half the time: detection"]
    assert detection.recovery.stages[0].duration.mean == 30.0
    assert detection.failures["hang"].detect.mean == 300.0  # type: ignore[union-attr]
    assert made["half the time: all of recovery"].recovery.stages[2].fails == pytest.approx(0.1)
    assert made["saves at half the cost"].checkpoint.blocks == 10.0  # type: ignore[union-attr]
    assert made["durable twice as fast"].checkpoint.durable_after == 90.0  # type: ignore[union-attr]
    assert made["twice the spares"].cluster.spare_nodes == 2
    assert made["repair twice as fast"].failures["node"].repair.mean == 12 * HOUR  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("blocks", "missing"),
    [
        ({"checkpoint": {"interval": "1 h", "blocks": "0 s", "load": "2 min"}}, {"saves at half the cost"}),
        ({"checkpoint": {"interval": "1 h", "blocks": "9 s", "load": "2 min"}}, {"durable twice as fast"}),
        (
            {"failures": {"rack": FULL["failures"]["rack"]}},
            {"twice the spares", "repair twice as fast", "half the failures: node"},
        ),
        (
            {"failures": {"node": {"per": "node", "mtbf": "9 d", "repair": "1 d", "transient": "100 %"}}},
            {"twice the spares", "repair twice as fast"},
        ),
        (
            {"recovery": {"stages": {"detect": "0 s", "load": "checkpoint"}}},
            {"half the time: start", "half the time: collectives"},
        ),
    ],
)
def test_what_is_not_used_is_not_offered(blocks: dict[str, Any], missing: set[str]) -> None:
    assert set(offered(**blocks)) & missing == set()


def test_the_detection_of_all_is_not_offered_where_each_mode_has_its_own() -> None:
    hang = {"hang": FULL["failures"]["hang"]}
    assert set(offered(failures=hang)["half the time: detection"]) == {"failures.hang.detect"}


def test_without_failures_only_the_saves_are_left() -> None:
    assert set(offered(failures="none")) == {"saves at half the cost"}
    starting = FULL["recovery"] | {"at_start": True}
    assert "half the time: start" in offered(failures="none", recovery=starting)


def test_half_the_lemons_are_half_of_those_among_the_replacements_too() -> None:
    lemons = {"share": "8 %", "factor": 5, "in_replacements": "4 %"}
    node = {"per": "node", "mtbf": "1 y", "repair": "1 d", "lemons": lemons}
    retire = {"after": 2, "within": "30 d", "replacement": "7 d"}
    lever = offered(failures={"node": node}, recovery={"retire": retire})["half the lemons: node"]
    path = "failures.node.lemons"
    assert lever == {f"{path}.share": "4 %", f"{path}.in_replacements": "2 %"}


def test_first_spares_are_offered_where_there_are_none() -> None:
    assert offered(cluster={"gpus": 64, "nodes_per_rack": 2})["spares: 1 % of the nodes"] == {
        "cluster.spares": "1"
    }


def test_scaling_leaves_alone_what_is_no_duration() -> None:
    law = {"lognormal": {"median": "20 h", "sigma": 2.5, "at_most": "4 d"}, "crews": 12, "fails": "3 %"}
    assert scaled(law, 0.5) == {
        "lognormal": {"median": "10 h", "sigma": 2.5, "at_most": "2 d"},
        "crews": 12,
        "fails": "3 %",
    }
    assert scaled({"over_gpus": {16: "10 s"}, "list": ["1 h"]}, 2.0) == {
        "over_gpus": {16: "20 s"},
        "list": ["2 h"],
    }
    assert scaled("checkpoint", 0.5) == "checkpoint"


def test_gains_are_those_of_the_formula() -> None:
    found = levers(job(restart=600, lives=300, costs={"gpu_hour": "2 USD"}), settings=HERE)
    interval = theory.daly(HOUR, 30)
    now = theory.efficiency(interval, HOUR, 30, 600)
    expected = {
        "half the failures: any": theory.efficiency(theory.daly(2 * HOUR, 30), 2 * HOUR, 30, 600) - now,
        "half the time: start": theory.efficiency(interval, HOUR, 30, 300) - now,
        "saves at half the cost": theory.efficiency(theory.daly(HOUR, 15), HOUR, 15, 600) - now,
    }
    assert set(found.by_name) == set(expected)
    for name, gain in expected.items():
        worth = found.by_name[name].worth
        assert worth.ettr.mean == pytest.approx(gain, abs=3 * (worth.ettr.half_width or 0))
        assert worth.effective_gpus.mean == pytest.approx(1000 * worth.ettr.mean)
        assert worth.money_per_year is not None
        assert worth.money_per_year.mean == pytest.approx(1000 * worth.ettr.mean * 2 * 24 * 365.25)
    means = [lever.worth.ettr.mean for lever in found.levers]
    assert means == sorted(means, reverse=True)
    assert found.levers[0].name == "half the failures: any"
    assert "First: half the failures: any." in said(found)
    assert "Rarer failures come before faster recovery because" in said(found)


def test_a_lever_without_effect_is_not_distinguishable() -> None:
    idle = scenario(cluster={"gpus": 64, "nodes_per_rack": 2, "spares": 8})
    found = levers(idle, settings=HERE).by_name["twice the spares"]
    assert not found.distinguishable
    assert "Not distinguishable from no change:" in said(levers(idle, settings=HERE))


def test_spares_are_paid_for() -> None:
    found = levers(
        scenario(costs={"gpu_hour": "1 USD"}, cluster={"gpus": 64, "nodes_per_rack": 2, "spares": 8}),
        settings=HERE,
    )
    earned = found.by_name["twice the spares"].worth.money_per_year
    assert earned is not None
    assert earned.mean == pytest.approx(-8 * 8 * 24 * 365.25)


def test_lent_spares_are_paid_for_by_others() -> None:
    cluster = {"gpus": 64, "nodes_per_rack": 2, "spares": 8}
    bought, lent = (
        scenario(costs={"gpu_hour": "1 USD"}, cluster=cluster | kind)
        for kind in ({}, {"spare_kind": "lent", "preempt": "5 min"})
    )
    assert paid(bought, bought) == 64 + 64
    assert paid(lent, lent) == 64


def test_the_tuned_interval_is_a_lever_where_todays_can_be_told_from_it() -> None:
    far = levers(job(interval="1 h", lives=200), settings=HERE)
    assert far.by_name["tuned interval"].distinguishable
    assert far.by_name["tuned interval"].worth.ettr.mean > 0
    assert "tuned interval" not in levers(job(interval="optimal"), settings=HERE).by_name


OWN = {
    "faster start": {"recovery.stages.start": "60 s", "price": "100_000 USD"},
    "no maintenance": {"maintenance": None, "checkpoint.blocks": "15 s"},
}


def test_levers_of_ones_own_are_tried_beside_the_others() -> None:
    priced = job(
        levers=OWN, costs={"gpu_hour": "2 USD"}, maintenance={"every": "10 h", "takes": "5 min"}, lives=200
    )
    faster, none = own_changes(priced)
    assert faster.text == "recovery.stages.start: 300 s -> 60 s"
    assert (
        none.text == "maintenance: {every: 10 h, takes: 5 min} -> not given; checkpoint.blocks: 30 s -> 15 s"
    )
    found = levers(priced, settings=HERE)
    lever = found.by_name["faster start"]
    assert lever.worth.money_per_year is not None
    assert lever.pays_back_s == pytest.approx(100_000 / lever.worth.money_per_year.mean * 365.25 * 86400)
    assert "faster start, for 100,000 USD, has paid for itself after" in said(found)
    shown = next(one for one in levers_as_dict(found)["levers"] if one["name"] == "faster start")
    assert shown["price"] == {"amount": 100_000.0, "currency": "USD"}
    assert found.by_name["no maintenance"].worth.ettr.mean > 0


def test_where_nothing_fails_and_saves_are_free_there_is_nothing_to_improve() -> None:
    found = levers(job(failures="none", interval="1 h", blocks=0), settings=HERE)
    assert found.levers == []
    assert said(found) == "Nothing fails and no save stops training: there is nothing to improve."
