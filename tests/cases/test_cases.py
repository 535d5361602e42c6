"""Cases from the field: small scenarios of which something false was said, each with what is right.

Each stands for a kind of mistake: a count that waiting had censored, a gain larger than the loss, a first
estimate that knew no clock.  The right value comes from theory or from another simulation.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clustersim import load, run
from clustersim.advice import advise, verdict
from clustersim.results import Results
from clustersim.scenario import ScenarioError
from clustersim.scenario.describe import Description, describe
from clustersim.studies.estimates import changes_worth_most

HERE = Path(__file__).parent


@cache
def simulated(name: str, *changes: tuple[str, Any]) -> Results:
    """The run of a case, with values changed by `--set`."""
    return run(load(HERE / f"{name}.yaml", dict(changes)), workers=1)


def checked(name: str, *changes: tuple[str, Any]) -> Description:
    """What `check` says of a case."""
    return describe(load(HERE / f"{name}.yaml", dict(changes)))


def said(results: Results) -> str:
    """All sentences about a run."""
    sentences = [verdict(results.summary), *advise(results.scenario, results.summary)]
    return " ".join(map(str, sentences))


def test_spares_that_waiting_has_censored_are_a_lower_bound() -> None:
    """With Poisson demand of mean 1.4 four or five suffice for 99 % of the time; none were simulated."""
    found = re.search(
        r"It takes at least (\d+) for 99 % of the time", said(simulated("spares-hint-censored"))
    )
    assert found
    assert 1 <= int(found[1]) <= 5
    assert simulated("spares-hint-censored", ("cluster.spares", 5)).summary["ledger"]["waiting"] < 0.01


def test_an_interval_gains_no_more_than_saves_and_lost_work_hold() -> None:
    """One node that waits nine tenths of its time for repair: 4.6 points, of the 5.0 that there are."""
    results = simulated("interval-hint-waiting")
    ledger = results.summary["ledger"]
    found = re.search(r"every 5\d min or so would gain about ([\d.]+) %", said(results))
    assert found
    assert 3.5 < float(found[1]) <= 100 * (ledger["checkpoint"] + ledger["lost"])
    then = simulated("interval-hint-waiting", ("checkpoint.interval", "53 min"))
    gained = then.summary["ettr"]["mean"] - results.summary["ettr"]["mean"]
    assert float(found[1]) == pytest.approx(100 * gained, abs=1.0)


@pytest.mark.parametrize(
    ("name", "ettr"), [("check-training-clock", 10 / 70), ("first-order-clock", 0.5)]
)  # fmt: skip
def test_the_first_estimate_knows_the_training_clock(name: str, ettr: float) -> None:
    """Renewal reward: M / (M + R), and nothing strikes while the job recovers."""
    assert checked(name).ettr == pytest.approx(ettr, rel=0.01)
    assert simulated(name).summary["ettr"]["mean"] == pytest.approx(ettr, rel=0.03)


def test_failures_are_counted_until_the_run_ends() -> None:
    """By the clock after 30 d; by the target of 20 d of training, one failure every 20 min of it."""
    assert checked("check-training-clock").events == pytest.approx(30 * 86_400 / 4_200, rel=0.02)
    assert checked("first-order-clock").events == pytest.approx(20 * 72, rel=0.02)


def test_saves_every_millisecond_are_arithmetic() -> None:
    """Half of the time goes into saves of 1 ms each; nothing walks over the 43 million of them."""
    ettr = simulated("tiny-interval-stalls").summary["ettr"]["mean"]
    assert ettr == pytest.approx(0.5 * math.exp(-1 / 24), rel=0.05)


def test_where_nothing_is_drawn_one_replication_says_it_all() -> None:
    single, twice = (
        simulated("one-replication-rounds", ("simulation.replications", count)) for count in (1, 2)
    )
    for results in (single, twice):
        assert "17,510 train (ETTR 0.9370)" in said(results)
        assert "interval" not in said(results)


def test_a_threshold_of_90_is_a_slip() -> None:
    with pytest.raises(ScenarioError, match=r":6:.*>= 90 %"):
        load(HERE / "expect-impossible.yaml")


def test_a_failure_that_takes_no_node_is_charged_no_waiting() -> None:
    waste = simulated("waiting-charged").summary["waste"]
    assert waste["bug"].get("waiting", 0.0) == 0.0
    assert waste["node"]["waiting"] > 0.3


def test_those_that_replace_lemons_are_lemons_too() -> None:
    """Ten failures a day, in the last month as in the first."""
    results = simulated("lemons-retired")
    days = results.incidents["time_s"] / 86_400
    for first in (0, 90):
        month = ((days >= first) & (days < first + 30)).sum() / 30 / len(results.replications)
        assert month == pytest.approx(10, rel=0.1)


def test_a_fault_that_stays_shows_again_however_often_training_stops() -> None:
    """Half of the repairs are in vain: two failures for each first one, of which there are 20 in the run.

    Of a Poisson number of first failures, each of which makes a geometric number, the variance is 6 * 20.
    """
    counts = []
    for soft in ("30 min", "4 h"):
        results = simulated("recurs", ("failures.soft.mtbf", soft), ("simulation.replications", 32))
        counts.append((results.incidents["mode"] == "node").sum() / 32)
    assert counts[0] == pytest.approx(counts[1], rel=0.05)
    assert counts[1] == pytest.approx(2 * 20, abs=3.3 * math.sqrt(6 * 20 / 32))


def test_three_spares_for_24_576_cards_promise_nothing() -> None:
    """Nearly all the time goes into waiting, and no estimate to first order says otherwise."""
    few = ("cluster.spares", 3)
    assert checked("h100-24k", few).ettr is None
    assert simulated("h100-24k", few, ("simulation.replications", 4)).summary["ettr"]["mean"] < 0.2


def test_a_planners_first_screen_is_worth_acting_on() -> None:
    """Two causes tie; the three changes earn less than what is lost, each and in money."""
    results = simulated("h100-24k")
    summary = results.summary
    assert "cannot be told apart, go into work thrown away" in said(results)
    worth = changes_worth_most(results.scenario, summary)
    assert len(worth.changes) == 3
    for change in worth.changes:
        assert 0 < change.ettr_gain < 1 - summary["ettr"]["mean"]
        assert 0 < (change.money or 0.0) < summary["cost"]["lost"]


def test_causes_keep_the_words_and_the_script_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "time_h,node,cause,repair_h\n3,1,显卡掉线,20\n9,3,网卡故障,3\n", "utf-8"
    )
    scenario = """
        name: cause-names
        cluster: {gpus: 64}
        failures: {log: {replay: log.csv}}
        checkpoint: {interval: 1 h, blocks: 10 s}
        recovery: {stages: {restart: 30 min}}
        simulation: {horizon: 10 d, replications: 2}
    """
    (tmp_path / "case.yaml").write_text(scenario)
    results = run(load(tmp_path / "case.yaml"), workers=1)
    assert set(results.scenario.failures) == {"显卡掉线", "网卡故障"}
    assert set(results.incidents["mode"]) == {"显卡掉线", "网卡故障"}
    assert results.summary["waste_by_cause"]["显卡掉线"] > results.summary["waste_by_cause"]["网卡故障"]
