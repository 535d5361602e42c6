"""`levers`: what is offered, what it earns, and what is said about it."""

from __future__ import annotations

import pytest

from clustersim import theory
from clustersim.scenario.loading import variant
from clustersim.studies.levers import Levers, levers
from clustersim.studies.offers import own_changes
from clustersim.studies.study import paid
from tests.unit.studies.clusters import HERE, HOUR, full, job


def said(found: Levers) -> str:
    return " ".join(str(advice) for advice in found.advice)


def test_gains_are_those_of_the_formula() -> None:
    found = levers(job(restart=600, lives=300, costs={"gpu_hour": "2 USD"}), settings=HERE)
    interval = theory.daly(HOUR, 30)
    now = theory.efficiency(interval, HOUR, 30, 600)
    expected = {
        "halve any failures": theory.efficiency(theory.daly(2 * HOUR, 30), 2 * HOUR, 30, 600) - now,
        "halve start time": theory.efficiency(interval, HOUR, 30, 300) - now,
        "halve the cost of saves": theory.efficiency(theory.daly(HOUR, 15), HOUR, 15, 600) - now,
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
    assert found.levers[0].name == "halve any failures"
    assert "First: halve any failures." in said(found)
    assert "Rarer failures come before faster recovery because" in said(found)


def test_a_lever_without_effect_is_not_distinguishable() -> None:
    idle = full(cluster={"gpus": 64, "nodes_per_rack": 2, "spares": 8})
    found = levers(idle, settings=HERE).by_name["double the spares"]
    assert not found.distinguishable
    assert "Not distinguishable from no change:" in said(levers(idle, settings=HERE))


def test_spares_are_paid_for() -> None:
    found = levers(
        full(costs={"gpu_hour": "1 USD"}, cluster={"gpus": 64, "nodes_per_rack": 2, "spares": 8}),
        settings=HERE,
    )
    earned = found.by_name["double the spares"].worth.money_per_year
    assert earned is not None
    assert earned.mean == pytest.approx(-8 * 8 * 24 * 365.25)


def test_lent_spares_are_paid_for_by_others() -> None:
    cluster = {"gpus": 64, "nodes_per_rack": 2, "spares": 8}
    bought, lent = (
        full(costs={"gpu_hour": "1 USD"}, cluster=cluster | kind)
        for kind in ({}, {"spare_kind": "lent", "preempt": "5 min"})
    )
    assert paid(bought, bought.costs) == 64 + 64
    assert paid(lent, lent.costs) == 64


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
    assert lever.pays_back_s is None
    assert lever.pays is False
    assert lever.net is not None
    assert lever.worth.money is not None
    assert lever.net.mean == pytest.approx(lever.worth.money.mean - 100_000)
    assert "faster start, for 100,000 USD, does not pay within this run: it saves" in said(found)
    assert found.levers[-1].name == "faster start"
    shown = next(one for one in found.to_dict()["levers"] if one["name"] == "faster start")
    assert shown["price"] == {"amount": 100_000.0, "currency": "USD"}
    assert found.by_name["no maintenance"].worth.ettr.mean > 0


def test_what_pays_within_the_run_says_after_what_time() -> None:
    cheap = {"faster start": OWN["faster start"] | {"price": "500 USD"}}
    found = levers(job(levers=cheap, costs={"gpu_hour": "2 USD"}, lives=200), settings=HERE)
    lever = found.by_name["faster start"]
    assert (lever.pays, found.run_s) == (True, 200 * HOUR)
    assert lever.worth.money is not None
    assert lever.pays_back_s == pytest.approx(500 / lever.worth.money.mean * found.run_s)
    assert "faster start, for 500 USD, has paid for itself after" in said(found)


def test_money_is_over_the_run_until_its_target() -> None:
    priced = {"costs": {"gpu_hour": "2 USD"}, "lives": 200}
    to_target = job(workload={"productive": "80 h"}, **priced)
    found, whole = levers(to_target, settings=HERE), levers(job(**priced), settings=HERE)
    assert found.run_s == pytest.approx(80 * HOUR / found.ettr.mean)
    for name, lever in found.by_name.items():
        gain = lever.worth.ettr
        assert gain == whole.by_name[name].worth.ettr
        then = found.ettr.mean + gain.mean
        cheaper = 2 * 1000 * 80 * (1 / found.ettr.mean - 1 / then)
        assert lever.worth.money is not None
        assert lever.worth.money.mean == pytest.approx(cheaper, rel=0.02)
    assert "over this run of" in said(found)
    assert "until the target is reached" in said(found)
    assert "until the target is reached" not in said(whole)
    warm = variant(job(**priced), {"simulation.warm_up": "5 h"})
    assert "until the target is reached" not in said(levers(warm, settings=HERE))


def test_fewer_spares_are_ranked_by_the_money_that_they_save() -> None:
    idle = {"costs": {"gpu_hour": "1 USD"}, "cluster": {"gpus": 64, "nodes_per_rack": 2, "spares": 8}}
    found = levers(full(**idle), settings=HERE)
    fewer, more = found.by_name["halve the spares"], found.by_name["double the spares"]
    assert not fewer.distinguishable
    assert fewer.net is not None
    assert fewer.net.mean == pytest.approx(4 * 8 * 24 * 20)
    assert found.first == [fewer]
    assert found.levers[-1] is more
    assert "First: halve the spares. It makes no distinguishable difference to ETTR, and saves" in said(found)
    assert "A loss: double the spares" in said(found)


def test_ties_are_named_and_what_joins_several_changes_stands_apart() -> None:
    """Two modes that are alike: halving one is not distinguishable from halving the other."""
    twins = {name: {"per": "job", "mtbf": "2 h", "clock": "calendar"} for name in ("left", "right")}
    stages = {"recovery": {"stages": {"one": "5 min", "two": "5 min"}}}
    found = levers(job(blocks=1, lives=200, replications=16, failures=twins, **stages), settings=HERE)
    assert found.levers[0].name == "halve all failures"
    assert {"halve left failures", "halve right failures"} <= {lever.name for lever in found.first}
    first, second = found.first[:2]
    assert first.name in second.alike
    assert f"First of the single changes: {first.name}." in said(found)
    assert f"Not distinguishable from it: {second.name}, +" in said(found)
    assert "Several at once: halve all failures, +" in said(found)
    assert "halve all failures" not in {name for lever in found.levers for name in lever.alike}


def test_where_nothing_fails_and_saves_are_free_there_is_nothing_to_improve() -> None:
    found = levers(job(failures="none", interval="1 h", blocks=0), settings=HERE)
    assert found.levers == []
    assert said(found) == "Nothing fails and no save stops training: no change is on offer."
