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
from clustersim.scenario.loading import variant
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
    changes_worth_most,
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
    assert {each.currency for each in found.changes} == {"USD"}


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


@pytest.mark.parametrize(("away", "told"), [(3, True), (4, False)])
def test_half_of_six_spares_are_enough_where_three_nodes_were_away(away: int, told: bool) -> None:
    six, summary = nodes(cluster={"gpus": 512, "spares": 6}), done("nodes").summary
    spares = summary["spares"] | {"away": summary["spares"]["away"] | {"max": away}}
    ledger = RunLedger(six, summary | {"spares": spares})
    half = Change("halve the spares", {"cluster.spares": "3"}, "")
    assert bool(list(ledger.estimates(half))) == told


@pytest.mark.parametrize(("blocks", "told"), [("29.8 s", False), ("29 s", True)])
def test_a_gain_smaller_than_the_formulas_can_tell_is_none(blocks: str, told: bool) -> None:
    """A second less for each save of an hour is 0.03 % of the time; what is told is more than 0.01 %."""
    (found,) = RunLedger(SCENARIOS["nodes"], done("nodes").summary).estimates(
        Change("cheaper saves", {"checkpoint.blocks": blocks}, "")
    )
    assert (found.ettr_gain > 0) == (found.effective_gpus_gain > 0) == told
    assert found.ettr_gain == 0 or told


def test_a_loss_smaller_than_the_formulas_can_tell_is_none() -> None:
    scenario = nodes(cluster={"gpus": 512, "spares": 60})
    found = changes_worth_most(scenario, run(scenario, settings=HERE).summary, 100).changes
    (fewer,) = (each for each in found if each.change.name == "halve the spares")
    assert (fewer.ettr_gain, fewer.effective_gpus_gain) == (0, 0)
    assert fewer.sentence.startswith("halve the spares: about 0 pp ETTR, 0 effective cards, ")


def test_without_prices_the_ettr_decides_and_small_gains_are_not_named() -> None:
    nothing = {"next to nothing": {"checkpoint.blocks": "29.99 s"}}
    scenario = job(interval="30 min", lives=400, levers=nothing)
    found = changes_worth_most(scenario, done("formula").summary, 100)
    assert [each.ettr_gain for each in found.changes] == sorted(map(gain_of, found.changes), reverse=True)
    assert found.changes[-1].ettr_gain > 0
    assert {(each.money, each.currency) for each in found.changes} == {(None, "")}
    assert found.how == HOW
    still = full(failures="none", checkpoint={"interval": "1 h", "blocks": "0 s", "load": "2 min"})
    assert changes_worth_most(still, run(still, settings=HERE).summary).changes == ()


def test_what_cost_most_is_estimated_first_behind_levers_of_ones_own() -> None:
    """What names no mode may touch all; of the modes the dearest comes first, one that never struck last."""
    modes = {name: {"per": "job", "mtbf": "9 h"} for name in "abc"}
    scenario = job(failures=modes, interval="1_234 s", levers={"mine": {"checkpoint.blocks": "3 s"}})
    changes = _by_cost(scenario, {"waste_by_cause": {"a": 0.1, "b": 0.2}})
    assert [change.name for change in changes] == [
        "mine",
        "tuned interval",
        "halve start time",
        "halve the cost of saves",
        *(f"halve {name} failures" for name in "bac"),
    ]
    assert changes[1].values == {"checkpoint.interval": "13.1 min"}
    assert changes[1].text == "checkpoint.interval: 20.6 min -> 13.1 min"


@pytest.mark.parametrize(
    "checkpoint", ["none", {"interval": {"adaptive": {"window": "1 d"}}, "blocks": "1 s"}]
)
def test_an_interval_that_there_is_not_or_that_follows_the_failures_is_not_tuned(checkpoint: Any) -> None:
    changes = _by_cost(job(checkpoint=checkpoint), {"waste_by_cause": {}})
    assert "tuned interval" not in {change.name for change in changes}


def test_the_tuned_interval_is_a_round_one_next_to_the_best() -> None:
    """Young's is sqrt(2 x 30 s x 7 h), which is 20 min 30 s, and the exact one a little less."""
    seven = job(failures={"any": {"per": "job", "mtbf": "7 h"}}, interval="3 h")
    assert _by_cost(seven, {"waste_by_cause": {}})[0].values == {"checkpoint.interval": "20 min"}


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


def ledger_of(scenario: Scenario, ettr: float, waste: dict[str, dict[str, float]], nodes: float) -> RunLedger:
    """That of a run with this waste by cause and entry, of which *nodes* is the wait for nodes."""
    waiting = sum(entries.get("waiting", 0.0) for entries in waste.values())
    spares = {"away": {"max": 9, "mean": None}, "waiting": nodes}
    ledger = {"waiting": waiting}
    return RunLedger(scenario, {"ettr": {"mean": ettr}, "waste": waste, "ledger": ledger, "spares": spares})


def test_where_all_but_waiting_is_freed_the_rest_of_the_time_trains() -> None:
    """Nodes are waited for in a fifth of the time, and a bug costs 30 % of all."""
    scenario = nodes(cluster={"gpus": 512, "spares": 0})
    ledger = ledger_of(scenario, 0.5, {"bug": {"recovery": 0.3}, "node": {"waiting": 0.2}}, 0.2)
    never = ledger.left_by(variant(scenario, {"failures.bug.mtbf": "100_000_000 d"}))
    assert never == pytest.approx((0.8, 0.3), rel=1e-4)


def test_waiting_shrinks_as_the_formulas_say_and_never_takes_more_than_all_of_the_time() -> None:
    scenario = nodes(cluster={"gpus": 512, "spares": 1})
    ledger = ledger_of(scenario, 0.4, {"node": {"waiting": 0.6}}, 0.6)
    more = nodes(cluster={"gpus": 512, "spares": 2})
    ratio = missing(more).idle_cards / missing(scenario).idle_cards
    assert 0.1 < ratio < 0.9
    assert ledger.left_by(more).freed == pytest.approx(0.6 * (1 - ratio))
    years = variant(scenario, {"failures.node.repair": "1 y", "simulation.horizon": "9 y"})
    assert ledger.left_by(years).ettr == 0.0


@pytest.mark.parametrize(
    ("mode", "for_nodes", "freed"),
    [({"per": "cluster"}, 0.0, 0.05), ({"per": "node", "notice": "2 min"}, 0.04, 0.03)],
)
def test_an_outage_or_the_wait_before_nodes_leave_comes_half_as_often_with_half_the_failures(
    mode: dict[str, Any], for_nodes: float, freed: float
) -> None:
    """Of a tenth of the time, less the wait for nodes: of that no formula knows with so many spares."""
    failures = {"mode": mode | {"mtbf": "9 d", "repair": "3 h"}}
    scenario = nodes(failures=failures, cluster={"gpus": 512, "spares": 64})
    ledger = ledger_of(scenario, 0.9, {"mode": {"waiting": 0.1}}, for_nodes)
    half = variant(scenario, {"failures.mode.mtbf": "18 d"})
    assert ledger.left_by(half).freed == pytest.approx(freed)


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
    assert left_of(1.0, 0.25, 1.0) == 1.0
    half, quarter = (1 / (1 + math.expm1(0.5 * share * restart) / 0.5) for share in (1.0, 0.5))
    assert left_of(half, (1 - half) / 2, 0.5) == pytest.approx(quarter)


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
