"""The changes worth most over a run: how near estimates are to what `levers` simulates, and their bounds."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import pytest

from clustersim.advice import waiting_for_nodes
from clustersim.estimate import Estimate
from clustersim.experiment import run
from clustersim.results import Results
from clustersim.scenario import loads
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import paths
from clustersim.settings import Settings
from clustersim.studies.change import Change
from clustersim.studies.estimates import (
    HOW,
    NO_LEDGER,
    SOME,
    ChangesWorthMost,
    EstimatedChange,
    RunLedger,
    _by_cost,
    _demand_seen,
    changes_worth_most,
    expected,
    left_of,
    missing,
)
from clustersim.studies.levers import Levers, levers
from clustersim.studies.offers import offers
from clustersim.units import Money
from tests.unit.scenario.everything import EVERYTHING
from tests.unit.studies.clusters import HERE, HOUR, full, job

OFF_BY, TOO_SMALL = 0.2, 0.003
"""By this share of a gain, and by this much of ETTR, estimates may be off, beside the simulated interval: the
gains that three changes are chosen by are several times as large."""
NODES: dict[str, Any] = {
    "name": "nodes",
    "cluster": {"gpus": 512, "spares": 3},
    "failures": {
        "node": {"per": "node", "mtbf": "40 d", "repair": {"lognormal": {"median": "12 h", "sigma": 1}}},
        "bug": {"per": "job", "mtbf": "30 h", "clock": "calendar"},
    },
    "checkpoint": {"interval": "1 h", "blocks": "30 s", "durable_after": "3 min", "load": "2 min"},
    "recovery": {"stages": {"detect": "3 min", "restart": "10 min", "load": "checkpoint"}},
    "costs": {"gpu_hour": "2 USD"},
    "simulation": {"horizon": "30 d", "replications": 12},
}
QUEUED = NODES["failures"]["node"]["repair"] | {"crews": 2}


def nodes(**blocks: Any) -> Scenario:
    return Scenario.model_validate(NODES | blocks)


SCENARIOS = {
    "often": job(mtbf=HOUR / 2, restart=600, lives=400),
    "formula": job(interval="30 min", lives=400),
    "nodes": nodes(),
    "waits": nodes(cluster={"gpus": 512, "spares": 0}),
    "lent": nodes(cluster={"gpus": 512, "spares": 6, "spare_kind": "lent", "preempt": "30 min"}),
    "target": nodes(workload={"productive": "20 d"}),
    "crews": nodes(failures=NODES["failures"] | {"node": NODES["failures"]["node"] | {"repair": QUEUED}}),
}


@cache
def done(name: str) -> Results:
    return run(SCENARIOS[name], settings=HERE)


@cache
def simulated(name: str) -> Levers:
    return levers(SCENARIOS[name], settings=HERE)


named = pytest.mark.parametrize("name", SCENARIOS)


def about_as_much(estimate: float, gain: Estimate) -> bool:
    allowed = OFF_BY * abs(gain.mean) + (gain.half_width or 0.0) + TOO_SMALL
    return abs(estimate - gain.mean) <= allowed


@named
def test_estimates_are_near_what_is_simulated(name: str) -> None:
    ledger, compared = RunLedger(SCENARIOS[name], done(name).summary), 0
    for lever in simulated(name).levers:
        for estimate in ledger.estimates(lever.change):
            assert about_as_much(estimate.ettr_gain, lever.worth.ettr), lever.name
            compared += 1
    assert compared >= 3


@named
def test_what_is_named_first_is_what_levers_ranks_first_or_a_tie(name: str) -> None:
    found = changes_worth_most(SCENARIOS[name], done(name).summary)
    alone = [lever for lever in simulated(name).levers if not lever.change.joins]
    best = max(lever.worth.ettr.mean for lever in alone)
    first = next(lever for lever in alone if lever.name == max(found.changes, key=gain_of).change.name)
    assert first.worth.ettr.mean >= (1 - OFF_BY) * best


def gain_of(estimate: EstimatedChange) -> float:
    return estimate.ettr_gain


@named
def test_no_estimate_promises_more_than_the_entries_hold(name: str) -> None:
    scenario, summary = SCENARIOS[name], done(name).summary
    ledger = RunLedger(scenario, summary)
    for change in offers(scenario):
        left = ledger.left_by(change.of(scenario))
        assert left.ettr - summary["ettr"]["mean"] <= left.freed + 1e-12
        assert left.freed <= 1 - summary["ettr"]["mean"]


def test_money_is_what_the_run_costs_less() -> None:
    scenario, summary = SCENARIOS["target"], done("target").summary
    for each in changes_worth_most(scenario, summary).changes:
        later = summary["days_to_target"]["mean"] - (each.days or 0.0)
        spares = scenario.cluster.spare_nodes
        if "cluster.spares" in each.change.values:
            spares = int(each.change.values["cluster.spares"])
        cost = 2 * (512 + 8 * spares) * 24 * later
        assert each.net == each.money == pytest.approx(summary["cost"]["total"] - cost, rel=0.01)


def test_a_price_is_taken_off_and_may_change_the_order() -> None:
    faster = {"recovery.stages.restart": "1 min"}
    own = {
        "cheap": faster,
        "dear": faster | {"price": "1_000 USD"},
        "too dear": faster | {"price": "1e9 USD"},
    }
    scenario = nodes(levers=own)
    found = changes_worth_most(scenario, done("nodes").summary, 100)
    names = [each.change.name for each in found.changes]
    by_name = {each.change.name: each for each in found.changes}
    assert by_name["cheap"].net == pytest.approx(by_name["dear"].net + 1_000)
    assert names.index("cheap") < names.index("dear")
    assert "too dear" not in names
    assert [each.net for each in found.changes] == sorted((each.net for each in found.changes), reverse=True)
    assert "over this run net of its price" in by_name["dear"].sentence


def test_fewer_spares_are_named_only_where_never_more_nodes_were_away() -> None:
    def offered(spares: int) -> bool:
        scenario = nodes(cluster={"gpus": 512, "spares": spares})
        summary = run(scenario, settings=HERE).summary
        away = summary["spares"]["away"]["max"]
        named = [each.change.name for each in changes_worth_most(scenario, summary, 100).changes]
        assert ("halve the spares" in named) == (away <= spares // 2)
        return "halve the spares" in named

    assert offered(60)
    assert not offered(6)


def test_a_loss_smaller_than_the_formulas_can_tell_is_none() -> None:
    scenario = nodes(cluster={"gpus": 512, "spares": 60})
    found = changes_worth_most(scenario, run(scenario, settings=HERE).summary, 100).changes
    (fewer,) = (each for each in found if each.change.name == "halve the spares")
    assert (fewer.ettr_gain, fewer.effective_gpus_gain) == (0, 0)
    assert fewer.sentence.startswith("halve the spares: about 0 pp ETTR, 0 effective cards, ")


def test_without_prices_the_ettr_decides_and_small_gains_are_not_named() -> None:
    found = changes_worth_most(SCENARIOS["formula"], done("formula").summary)
    assert [each.ettr_gain for each in found.changes] == sorted(map(gain_of, found.changes), reverse=True)
    assert {each.money for each in found.changes} == {None}
    assert found.how == HOW
    still = full(failures="none", checkpoint={"interval": "1 h", "blocks": "0 s", "load": "2 min"})
    assert changes_worth_most(still, run(still, settings=HERE).summary).changes == ()


def test_what_cost_most_is_estimated_first_behind_levers_of_ones_own() -> None:
    """What names no mode may touch all; of the modes the dearest comes first, one that never struck last."""
    modes = {name: {"per": "job", "mtbf": "9 h"} for name in "abc"}
    scenario = job(failures=modes, interval="20 min", levers={"mine": {"checkpoint.blocks": "3 s"}})
    changes = _by_cost(scenario, {"waste_by_cause": {"a": 0.1, "b": 0.2}})
    assert [change.name for change in changes] == [
        "mine",
        "tuned interval",
        "halve start time",
        "halve the cost of saves",
        *(f"halve {name} failures" for name in "bac"),
    ]
    assert changes[1].values == {"checkpoint.interval": "13.1 min"}
    assert changes[1].text == "checkpoint.interval: 20 min -> 13.1 min"


@pytest.mark.parametrize(("waiting", "mean", "demand"), [(0.0, 0.3, 2), (0.011, 0.3, 1), (0.0, None, 1)])
def test_nodes_away_are_compared_with_the_formulas_where_they_are_known(
    waiting: float, mean: float | None, demand: int
) -> None:
    """Of 64 nodes each is away for 12 h after each 40 d or more: so many, or twice as many."""
    scenario = SCENARIOS["nodes"]
    away = None if mean is None else 2 * missing(scenario, 1.0).away
    summary = {"ledger": {"waiting": waiting}, "spares": {"away": {"mean": away}}}
    assert _demand_seen(scenario, summary) == pytest.approx(demand)


@pytest.mark.parametrize("away", [1.0, 3.0])
def test_a_change_of_nothing_leaves_what_there_is_and_more_spares_all_but_the_waiting(away: float) -> None:
    """Also where more nodes were away than the formulas expect."""
    scenario = nodes(cluster={"gpus": 512, "spares": 1})
    summary = run(scenario, settings=HERE, replications=4).summary
    mean = away * missing(scenario, 1.0).away
    summary |= {"spares": summary["spares"] | {"away": summary["spares"]["away"] | {"mean": mean}}}
    summary |= {"ledger": summary["ledger"] | {"waiting": 0.005}}
    ledger = RunLedger(scenario, summary)
    ettr, waiting = summary["ettr"]["mean"], waiting_for_nodes(scenario, summary)
    assert ledger.left_by(scenario) == pytest.approx((ettr, 0.0), abs=1e-12)
    more = ledger.left_by(nodes(cluster={"gpus": 512, "spares": 60}))
    assert waiting > 0.001
    assert more == pytest.approx((ettr / (1 - waiting), waiting), rel=1e-6)


def test_what_never_struck_frees_nothing_and_more_failures_cost() -> None:
    summary = done("nodes").summary
    rare, rarer, often = (
        nodes(failures=NODES["failures"] | more)
        for more in (
            {"never": {"per": "job", "mtbf": "90_000 d"}},
            {"never": {"per": "job", "mtbf": "180_000 d"}},
            {"never": {"per": "job", "mtbf": "90_000 d"}, "bug": {"per": "job", "mtbf": "15 h"}},
        )
    )
    ledger = RunLedger(rare, summary)
    assert ledger.left_by(rarer).freed == 0.0
    assert ledger.left_by(rarer).ettr == pytest.approx(summary["ettr"]["mean"])
    assert ledger.left_by(often).ettr < summary["ettr"]["mean"] - 0.01


def test_of_very_many_changes_so_many_are_estimated_as_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, summary = SCENARIOS["nodes"], done("nodes").summary
    values, every = sum(1 for _ in paths(scenario.document)), len(_by_cost(scenario, summary))
    assert every > 5
    monkeypatch.setattr("clustersim.studies.estimates.MOST_READ", 5 * (1 + values))
    assert changes_worth_most(scenario, summary).how == HOW + SOME.format(5, every)


def test_nothing_is_estimated_where_nothing_was_productive() -> None:
    never = job(mtbf=60, restart=600, interval="1 h", lives=20)
    found = changes_worth_most(never, run(never, settings=HERE).summary)
    assert (found.changes, found.how) == ((), NO_LEDGER)


def test_what_a_change_frees_compounds_as_restarts_do() -> None:
    restart = 0.7
    assert left_of(math.exp(-restart), (1 - math.exp(-restart)) / 2, 1.0) == pytest.approx(
        math.exp(-restart / 2)
    )
    assert left_of(1 / (1 + restart), restart / (1 + restart) / 2, 0.0) == pytest.approx(
        1 / (1 + restart / 2)
    )
    assert left_of(1.0, -0.25, 1.0) == pytest.approx(0.8)


def test_everything_that_there_is_has_an_estimate() -> None:
    scenario = loads(EVERYTHING)
    summary = run(scenario, settings=Settings(workers=1, replications=2)).summary
    ledger = RunLedger(scenario, summary)
    missing = [change.name for change in offers(scenario) if not list(ledger.estimates(change))]
    assert set(missing) <= {"halve the spares"}
    found = changes_worth_most(scenario, summary)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_nothing_is_said_of_a_change_that_takes_all_saves_away() -> None:
    bare = {"checkpoint": "none", "recovery.stages.load": None}
    scenario = nodes(levers={"no saves": bare, "half": {"checkpoint.blocks": "15 s"}})
    found = changes_worth_most(scenario, run(scenario, replications=4).summary, count=100)
    assert "half" in {each.change.name for each in found.changes}
    assert "no saves" not in {each.change.name for each in found.changes}


@pytest.mark.parametrize(
    ("days", "money", "price", "text"),
    [
        (1.25, 12_000.0, None, ", 1.2 days sooner, 12,000 USD over this run"),
        (-1.25, 12_000.0, 2_000.0, ", 1.2 days later, 10,000 USD over this run net of its price"),
        (59 / 86_400, None, None, ""),
        (60 / 86_400, None, 5.0, ", 0.00069 days sooner"),
        (None, -300.0, None, ", −300 USD over this run"),
    ],
)
def test_an_estimate_is_told_as_far_as_it_is_known(
    days: float | None, money: float | None, price: float | None, text: str
) -> None:
    costs = None if price is None else Money(price, "USD")
    change = Change("halve x", {"failures.x.mtbf": "2 d"}, "x: half the rate", price=costs)
    found = EstimatedChange(change, 0.0294, 704.0, days, money, "USD")
    assert found.sentence == f"halve x: about +2.9 pp ETTR, 700 effective cards{text}"
    told = ChangesWorthMost([found], "How.")
    assert list(map(str, told.advice)) == [f"{found.sentence}.", "How."]
    data = {
        "name": "halve x",
        "change": "x: half the rate",
        "paths": ["failures.x.mtbf"],
        "ettr_gain": 0.0294,
        "effective_gpus_gain": 704.0,
        "days": days,
        "money": money,
        "price": None if price is None else {"amount": price, "currency": "USD"},
        "net": None if money is None else money - (price or 0.0),
    }
    assert told.to_dict() == {"how": "How.", "worth_most": [data]}


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


@pytest.mark.parametrize(("minimum", "held"), [(3, False), (4, True)])
def test_a_replica_that_fails_costs_its_own_cards_and_the_others_a_stall(minimum: int, held: bool) -> None:
    """One of four is down for 330 s every 10 d; the other three wait all of that where all are needed."""
    also = {"stall": "3 min", "rejoin_stall": "100 s", "peer_load": "30 s", "overhead": "1 %"}
    node = {"per": "node", "mtbf": "80 d", "repair": "1 d"}
    found = costing(
        {"node": node}, also={"replicas": 4, "minimum": minimum, **also}, workload={"step_time": "12 s"}
    )
    every = 10 * 24 * HOUR
    of_others = {"idle": 0.75 * 330, "stall": 100.0} if held else {"stall": 0.75 * 180 + 100}
    costs = {"lost": 12 / 2, "detection": 60 / 4, "recovery": 270 / 4} | of_others
    assert {entry: cost for (cause, entry), cost in found.items() if cause == "node"} == pytest.approx(
        {entry: cost / every for entry, cost in costs.items()}
    )
    assert found["overhead", "slow"] == 0.01
