"""What a change is worth in ETTR, cards and money, worked out by hand; and progress over several parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval, Estimate
from clustersim.formatting import NOTHING
from clustersim.scenario.model import Scenario
from clustersim.settings import Silent
from clustersim.studies.change import Change
from clustersim.studies.inputs import Swing
from clustersim.studies.levers import Levers, RankedLever
from clustersim.studies.study import ALIKE, WholeProgress, Worth, run_s, saved, until_target_s
from clustersim.units import DAY, HOUR, Money
from tests.unit.studies.clusters import job

COSTS = {"gpu_hour": "2 USD", "idle_spares": "25 %"}
HALF_TO_MORE = np.array([0.5, 0.5]), np.array([0.6, 0.7])
T_1 = 12.706204736
"""Student's 97.5 % point of one degree of freedom: two values x and x + d have the half-width T_1 d / 2."""


def priced(**more: Any) -> Scenario:
    """1,000 cards over 100 h at 2 USD, spare ones at a quarter."""
    return job(**{"costs": COSTS, **more})


def with_spares(**more: Any) -> Scenario:
    """The same with 16 spare cards, which cost as much as 4 others."""
    return priced(cluster={"gpus": 1_000, "spares": 2}, **more)


def test_a_gain_is_paired_and_spares_are_taken_off_its_money() -> None:
    """Of 100 and 200 more effective cards 4 pay for the spares: 96 and 196 are worth 2 USD an hour each."""
    before, after = HALF_TO_MORE
    worth = Worth.of(priced(), before, with_spares(), after)
    assert worth.money is not None
    assert worth.money_per_year is not None
    assert (worth.ettr.mean, worth.ettr.half_width) == pytest.approx((0.15, T_1 * 0.05))
    assert (worth.effective_gpus.mean, worth.effective_gpus.half_width) == pytest.approx((150, T_1 * 50))
    assert (worth.money.mean, worth.money.half_width) == pytest.approx((2 * 100 * 146, T_1 * 2 * 100 * 50))
    assert worth.money_per_year.mean == pytest.approx(2 * 365.25 * 24 * 146)
    assert worth.currency == "USD"


def test_effective_cards_are_those_that_scale() -> None:
    """1,000 cards that are as good as 800, against 2,000 that are as good as 1,000, each half of the time."""
    scale = {"workload": {"scaling_efficiency": {1000: 0.8, 2000: 0.5}}}
    half = np.array([0.5, 0.5])
    larger = job(cluster={"gpus": 2_000}, **scale)
    assert Worth.of(job(**scale), half, larger, half).effective_gpus.mean == pytest.approx(100)
    assert Worth.of(job(**scale), half, larger, half).money is None


def test_money_of_more_cards_is_what_they_train_less_what_they_cost() -> None:
    """8 more cards, all cards at 0.5: 4 more train, and 8 more are paid for."""
    half = np.array([0.5, 0.5])
    larger = priced(cluster={"gpus": 1_008})
    assert saved(priced(), half, larger, half) == pytest.approx([-4 * 2 * 100] * 2)


def test_until_a_target_money_is_what_both_runs_cost() -> None:
    """40 h of work take 80 h at 0.5 and 50 h at 0.8; the spares cost 4 more cards until then."""
    target = {"workload": {"productive": "40 h"}}
    before, after = priced(**target), with_spares(**target)
    slow, fast = np.array([0.5, 0.5]), np.array([0.8, 0.8])
    assert until_target_s(before, slow) == pytest.approx([80 * HOUR] * 2)
    assert saved(before, slow, after, fast) == pytest.approx([2 * (1000 * 80 - 1004 * 50)] * 2)
    assert run_s(before, np.array([0.5, 0.8])) == pytest.approx(65 * HOUR)


@pytest.mark.parametrize("never", [0.39, 0.0])
def test_money_is_over_the_run_where_one_of_both_misses_the_target(never: float) -> None:
    """At 0.4 the 40 h are done with the last of the 100 h; with less there is no time of the target."""
    target = {"workload": {"productive": "40 h"}}
    in_time, late = np.array([0.4, 0.4]), np.array([never, never])
    assert until_target_s(priced(**target), in_time) == pytest.approx([100 * HOUR] * 2)
    assert until_target_s(priced(**target), late) is None
    assert until_target_s(priced(), in_time) is None
    for before, after in ((in_time, late), (late, in_time)):
        gained = saved(priced(**target), before, priced(**target), after)
        assert gained == pytest.approx(2 * 100 * 1000 * (after - before))


def test_what_warms_up_is_no_part_of_the_run() -> None:
    simulation = {"horizon": "100 h", "warm_up": "20 h", "replications": 2}
    warm = priced(simulation=simulation)
    assert run_s(warm, np.array([0.5])) == 80 * HOUR
    assert saved(warm, np.array([0.5]), warm, np.array([0.6])) == pytest.approx([2 * 80 * 100])


def lever(mean: float, width: float | None = 1.0, price: float | None = 100.0) -> RankedLever:
    """One that saves so much over a run of a tenth of a year."""
    gain = Estimate(0.1, 0.01, 2)
    worth = Worth(gain, gain.scaled(1000), Estimate(10 * mean, width, 2), "USD", Estimate(mean, width, 2))
    return RankedLever(
        Change("x", {}, "x", price=None if price is None else Money(price, "USD")), worth, 36.525 * DAY
    )


@pytest.mark.parametrize(
    ("earned", "width", "price", "pays"),
    [
        (102.0, 1.0, 100.0, True),
        (100.5, 1.0, 100.0, False),
        (99.5, 1.0, 100.0, False),
        (50.0, 1.0, 100.0, False),
        (102.0, None, 100.0, None),
        (102.0, 1.0, None, None),
    ],
)
def test_a_lever_pays_where_what_is_left_of_its_money_is_beyond_chance(
    earned: float, width: float | None, price: float | None, pays: bool | None
) -> None:
    one = lever(earned, width, price)
    assert one.pays is pays
    assert one.net is not None
    assert one.rank == one.net == Estimate(earned - (price or 0.0), width, 2)
    assert one.pays_back_s == (pytest.approx(100 / 1020 * 365.25 * DAY) if pays else None)


GAINS = "It gains +2.0 ± 1.0 pp ETTR, 20 ± 10 effective cards"


@pytest.mark.parametrize(
    ("mean", "earned", "price", "text"),
    [
        (0.02, None, None, f"{GAINS}."),
        (0.02, None, 2000.0, f"{GAINS}."),
        (0.02, 3000.0, None, f"{GAINS}, 3,000 USD over the run."),
        (0.02, 3000.0, 2000.0, f"{GAINS}, 3,000 USD over the run, 1,000 USD net of its price."),
        (-0.02, 3000.0, None, "It costs 2.0 ± 1.0 pp ETTR, and saves 3,000 USD over the run."),
        (
            0.002,
            3000.0,
            None,
            "It makes no distinguishable difference to ETTR, and saves 3,000 USD over the run.",
        ),
    ],
)
def test_a_lever_says_what_it_gains_or_costs_and_saves(
    mean: float, earned: float | None, price: float | None, text: str
) -> None:
    """Its money is known to within 100 USD, and earned in a tenth of a year."""
    gain, money = Estimate(mean, 0.01, 4), None if earned is None else Estimate(earned, 100.0, 4)
    a_year = None if money is None else money.scaled(10)
    worth = Worth(gain, gain.scaled(1000), a_year, "USD", money)
    costs = None if price is None else Money(price, "USD")
    one = RankedLever(Change("x", {"a": 1}, "a: 2 -> 1", price=costs), worth, 36.525 * DAY, ("y",))
    assert one.sentence == text
    net = None if earned is None else earned - (price or 0.0)
    assert one.to_dict() == {
        "name": "x",
        "change": "a: 2 -> 1",
        "ettr_gain": gain.interval._asdict(),
        "effective_gpus_gain": gain.scaled(1000).interval._asdict(),
        "money": money and money.interval._asdict(),
        "money_per_year": a_year and a_year.interval._asdict(),
        "distinguishable": abs(mean) > 0.01,
        "price": costs and {"amount": price, "currency": "USD"},
        "net": None if net is None else Estimate(net, 100.0, 4).interval._asdict(),
        "pays": True if price and earned else None,
        "pays_back_s": pytest.approx(2000 / 30_000 * 365.25 * DAY) if price and earned else None,
        "alike": ["y"],
    }


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ((0.0, 2.0), False),
        ((-2.0, 0.0), False),
        ((0.1, 2.0), True),
        ((-2.0, -0.1), True),
        ((-1.0, 1.0), False),
        ((None, None), False),
    ],
)
def test_the_ends_of_an_input_differ_where_the_interval_leaves_nothing_out(
    ends: tuple[float | None, float | None], told: bool
) -> None:
    nothing = Estimate(0.0, 0.0, 2)
    apart = ConfidenceInterval(None if ends[0] is None else 0.5 * (ends[0] + (ends[1] or 0.0)), *ends)
    swing = Swing("x", apart, apart, apart, Worth(nothing, nothing, None))
    assert swing.distinguishable == told


class Told(Silent):
    """How far the whole is, each time that it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.said: list[str] = []

    def advance(self, done: int, wanted: int) -> None:
        """Keep it."""
        self.steps.append((done, wanted))

    def say(self, message: str) -> None:
        """Keep it."""
        self.said.append(message)


def test_progress_of_one_simulation_after_another_adds_up() -> None:
    told = Told()
    whole = WholeProgress(told, 10, 20)
    for done in (0, 1, 4, 4, 1, 3, 0, 9):
        whole.advance(done, 9)
    assert told.steps == [(each, 20) for each in (10, 11, 14, 14, 15, 17, 17, 20)]
    whole.say("as it is")
    assert told.said == ["as it is"]


def test_a_row_of_what_may_be_chance_has_the_interval_alone_and_money_where_that_is_certain() -> None:
    """Fewer spares may save money for certain, whatever they do to ETTR."""
    unsure, sure = Estimate(0.001, 0.01, 4), Estimate(0.02, 0.01, 4)
    earned = Estimate(2000.0, 10.0, 4)

    def texts(ettr: Estimate, money: Estimate | None, told: bool) -> list[str]:
        worth = Worth(ettr, ettr.scaled(1000), money, "USD", money)
        return [cell.text for cell in worth.row(told).values()]

    assert texts(sure, earned, True) == ["+2.0 ± 1.0 pp", "20 ± 10", "2,000 USD"]
    assert texts(unsure, earned, False) == [ALIKE, NOTHING, "2,000 USD"]
    assert texts(unsure, replace(earned, half_width=3000.0), False) == [ALIKE, NOTHING, NOTHING]
    assert texts(unsure, None, False) == [ALIKE, NOTHING]
    worth = Worth(unsure, unsure.scaled(1000), earned, "USD", earned)
    headings = ["Gain in ETTR", "Effective cards", "Money over the run"]
    assert list(worth.row(False)) == headings
    assert worth.row(False)["Gain in ETTR"].small == "+0.1 ± 1.0 pp"
    certain = Worth(sure, sure.scaled(1000), earned, "USD", earned)
    assert certain.row(False)["Gain in ETTR"].small == ""
    assert certain.sentence == "+2.0 ± 1.0 pp ETTR, 20 ± 10 effective cards, 2,000 USD over the run"


@pytest.mark.parametrize(
    ("count", "text"), [(3, "c. Each"), (4, "c and 1 more. Each"), (6, "c and 3 more. Each")]
)
def test_three_uncertain_inputs_are_named_and_the_others_counted(count: int, text: str) -> None:
    stages = dict.fromkeys("abcdef", "1 min")
    uncertain = {f"recovery.stages.{name}": "30 s to 2 min" for name in "abcdef"[:count]}
    given = job(recovery={"stages": stages}, uncertain=uncertain, replications=4)
    found = Levers(given, given, 2, Estimate(0.5, 0.1, 2), [])
    (said,) = (str(each) for each in found.caveats())
    assert said.startswith("Uncertain: recovery.stages.a, recovery.stages.b, recovery.stages.")
    assert text in said


def test_one_replication_is_warned_of() -> None:
    (said,) = Levers(job(), job(), 1, Estimate(0.5, None, 1), []).caveats()
    text = "One replication tells nothing about chance: no interval. Take 8 or more."
    assert said == Advice(text, warning=True)


def test_a_target_that_was_left_out_is_told_with_the_time_in_its_place() -> None:
    """100 h are 4.17 days."""
    to_target, by_clock = job(workload={"productive": "40 h"}), job()
    (said,) = Levers(to_target, by_clock, 2, Estimate(0.5, 0.1, 2), []).caveats()
    assert str(said).startswith("Simulated over 4.17 d instead of until the target is reached")
    for given in (to_target, by_clock):
        assert list(Levers(given, given, 2, Estimate(0.5, 0.1, 2), []).caveats()) == []


def test_the_file_of_levers_has_all_that_was_found() -> None:
    given, one = job(workload={"productive": "40 h"}), lever(102.0)
    found = Levers(given, job(), 4, Estimate(0.99, 0.02, 4), [one])
    assert found.body() == {
        "ettr": pytest.approx({"mean": 0.99, "low": 0.97, "high": 1.0}),
        "no_progress": False,
        "run_s": pytest.approx(40 * HOUR / 0.99),
        "levers": [one.to_dict()],
    }


@pytest.mark.parametrize(
    ("earned", "width", "price", "text"),
    [
        (
            1e6,
            1e5,
            2e6,
            "x, for 2.000 million USD, does not pay within this run: it saves 1.00 million USD.",
        ),
        (1e5, 1e3, 1e6, "x, for 1.000 million USD, does not pay within this run: it saves 100,000 USD."),
        (100.0, 1.0, 999_999.0, "x, for 999,999 USD, does not pay within this run: it saves 100.0 USD."),
        (
            1.0,
            2.0,
            100.0,
            "x, for 100 USD, does not pay within this run: that it saves anything is not distinguishable.",
        ),
    ],
)
def test_what_does_not_pay_says_what_it_saves(earned: float, width: float, price: float, text: str) -> None:
    found = Levers(priced(), priced(), 4, Estimate(0.5, 0.01, 4), [lever(earned, width, price)])
    assert text in map(str, found.advice)


def test_no_progress_is_warned_of_first() -> None:
    found = Levers(job(), job(), 4, Estimate(0.004, 0.001, 4), [lever(102.0)])
    text = "job makes no progress as it is (ETTR 0.0040 ± 0.0010)."
    assert found.advice[0] == Advice(text, warning=True)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"costs": COSTS}, "Money is what a change saves over this run of 4.17 d."),
        ({"costs": COSTS, "lives": 5.05 / 3600}, "Money is what a change saves over this run of 5.05 s."),
        (
            {"costs": COSTS, "workload": {"productive": "40 h"}},
            "Money is what a change saves over this run of 3.33 d until the target is reached.",
        ),
        ({}, None),
    ],
)
def test_money_is_said_to_be_about_the_run(more: dict[str, Any], text: str | None) -> None:
    found = Levers(job(**more), job(**more), 4, Estimate(0.5, 0.01, 4), [lever(102.0)])
    assert [str(each) for each in found.advice if "Money is" in str(each)] == ([text] if text else [])
