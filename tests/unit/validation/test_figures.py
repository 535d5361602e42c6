"""Figures: what is measured of a replication, and the interval over all of them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import mean_of, paired
from clustersim.records import FleetUse, Records
from clustersim.scenario import Scenario, loads
from clustersim.scenario.keys.figures import FIGURES
from clustersim.summary import figure as summed_up
from clustersim.summary import summarise
from clustersim.validation.figures import MEASURES, Row

TEXT = """
name: three-modes
cluster: {gpus: 64, spares: 2}
failures:
  node: {per: node, mtbf: 5 d, repair: 8 h}
  job: {per: job, mtbf: 12 h}
checkpoint: {interval: 30 min, blocks: 2 min, load: 1 min}
recovery: {stages: {detect: 1 min, restart: 9 min, load: checkpoint}}
simulation: {horizon: 6 d, warm_up: 1 d, replications: 6}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


@pytest.fixture(scope="module")
def records(scenario: Scenario) -> list[Records]:
    return [simulate(scenario, number) for number in range(6)]


Measure = Callable[..., list[Row]]


@pytest.fixture(scope="module")
def rows(scenario: Scenario, records: list[Records]) -> Measure:
    def measured(word: str, of: str | None = None, count: int = 6) -> list[Row]:
        return [MEASURES[word].row(scenario, one, of) for one in records[:count]]

    return measured


def test_every_figure_of_the_language_is_measured() -> None:
    assert set(MEASURES) == set(FIGURES)


@pytest.mark.parametrize(
    ("word", "of", "path"),
    [
        ("ettr", None, "ettr"),
        ("availability", None, "availability"),
        ("share", "lost", "ledger.lost"),
        ("share", "recovery", "ledger.recovery"),
        ("effective_gpus", None, "effective_gpus"),
        ("mtti", None, "mtti_s"),
        ("nodes_away", None, "spares.away.mean"),
    ],
)
def test_figures_are_those_of_the_summary(
    scenario: Scenario, records: list[Records], rows: Measure, word: str, of: str | None, path: str
) -> None:
    summary = summarise(scenario, records)
    found = MEASURES[word].interval(rows(word, of))
    assert found.mean == pytest.approx(summed_up(summary, path))
    assert found.half_width == pytest.approx(summary["margins"][path])


def test_counts_are_per_replication(scenario: Scenario, records: list[Records], rows: Measure) -> None:
    summary = summarise(scenario, records)
    days = 5
    whole = MEASURES["incidents"].interval(rows("incidents")).mean
    assert whole == pytest.approx(days * summary["incidents_per_day"])
    modes = [MEASURES["incidents"].interval(rows("incidents", mode)).mean or 0 for mode in scenario.failures]
    assert whole == pytest.approx(sum(modes))
    assert modes[1] == pytest.approx(days * summary["incidents_by_mode"]["job"])
    stops = MEASURES["interruptions"].interval(rows("interruptions")).mean
    assert stops == pytest.approx(days * summary["interruptions_per_day"])
    failed = MEASURES["mttf"].interval(rows("mttf")).mean
    assert failed == pytest.approx(86400 / summary["incidents_per_day"])


def test_a_mode_that_a_variant_does_not_have_never_strikes(
    scenario: Scenario, records: list[Records]
) -> None:
    assert MEASURES["incidents"].row(scenario, records[0], "gone") == (0.0, 1.0)


def test_saving_is_compared_with_work(scenario: Scenario, records: list[Records], rows: Measure) -> None:
    saving = sum(one.ledger["checkpoint"] for one in records)
    productive = sum(one.ledger["productive"] for one in records)
    found = MEASURES["checkpoint_overhead"].interval(rows("checkpoint_overhead"))
    assert found.mean == pytest.approx(saving / (saving + productive))


def test_losses_are_divided_by_interruptions() -> None:
    whole = loads(TEXT.replace("warm_up: 1 d, ", ""))
    records = [simulate(whole, number) for number in range(3)]
    found = MEASURES["lost_per_failure"].interval(
        [MEASURES["lost_per_failure"].row(whole, one, None) for one in records]
    )
    lost = sum(one.ledger["lost"] for one in records) / whole.cluster.gpus
    assert found.mean == pytest.approx(lost / sum(one.interruptions for one in records))


def test_losses_in_the_warm_up_do_not_count(scenario: Scenario, records: list[Records]) -> None:
    one = records[0]
    above, below = MEASURES["lost_per_failure"].row(scenario, one, None)
    assert below == one.interruptions
    late = one.incidents["time_s"] >= 86400
    assert above == pytest.approx(float(one.incidents["lost_s"][late].sum()))
    assert above < float(one.incidents["lost_s"].sum())


def made(records: Records, start: list[float], end: list[float], over: float) -> Records:
    stretches = {"start": np.array(start), "end": np.array(end)}
    return replace(records, stretches=stretches, end_s=over)


@pytest.mark.parametrize(
    ("start", "end", "over", "longest"),
    [
        ([0.0, 60.0, 100.0], [50.0, 90.0, 200.0], 200.0, 10.0),
        ([0.0, 60.0], [50.0, 90.0], 200.0, 110.0),
        ([30.0], [200.0], 200.0, 30.0),
        ([0.0, 20.0, 80.0], [75.0, 30.0, 200.0], 200.0, 5.0),
        ([], [], 200.0, 200.0),
        ([0.0], [200.0], 200.0, 0.0),
    ],
)
def test_the_longest_outage_lies_between_stretches(
    records: list[Records], start: list[float], end: list[float], over: float, longest: float
) -> None:
    plain = loads(TEXT.replace("warm_up: 1 d, ", ""))
    one = made(records[0], start, end, over)
    assert MEASURES["longest_outage"].row(plain, one, None) == (longest, 1.0)


def test_an_outage_in_the_warm_up_does_not_count(scenario: Scenario, records: list[Records]) -> None:
    day = 86400.0
    one = made(records[0], [0.0, day + 10, day + 50], [100.0, day + 40, 6 * day], 6 * day)
    assert MEASURES["longest_outage"].row(scenario, one, None) == (10.0, 1.0)


def test_differences_of_means_are_paired(rows: Measure) -> None:
    one, other = rows("ettr"), rows("availability")
    found = MEASURES["ettr"].difference(one, other)
    expected = paired([row[0] for row in one], [row[0] for row in other])
    assert found.mean == pytest.approx(expected.mean)
    assert found.half_width == pytest.approx(expected.half_width)


def test_a_quotient_differs_from_itself_by_nothing_and_from_its_double_by_itself() -> None:
    figure = MEASURES["mtti"]
    some = [(100.0, 4.0), (100.0, 7.0), (100.0, 5.0)]
    assert figure.difference(some, some).half_width == pytest.approx(0.0)
    double = [(2 * above, below) for above, below in some]
    found, itself = figure.difference(double, some), figure.interval(some)
    assert (found.mean, found.half_width) == (pytest.approx(itself.mean), pytest.approx(itself.half_width))


def test_what_never_happened_is_not_known() -> None:
    never = [(100.0, 0.0), (100.0, 0.0)]
    assert MEASURES["mtti"].interval(never).mean is None
    assert MEASURES["mtti"].difference(never, [(100.0, 2.0)] * 2).mean is None
    assert MEASURES["spares_sufficient"].interval([(), ()]).mean is None
    assert MEASURES["spares_sufficient"].difference([(9.0, 1.0)] * 2, [(), ()]).mean is None


def test_one_replication_has_no_interval() -> None:
    for word in ("ettr", "mtti", "spares_sufficient"):
        found = MEASURES[word].interval([(0.5, 1.0)])
        assert found.mean is not None
        assert found.low is None


def test_a_share_stays_between_0_and_1() -> None:
    found = MEASURES["ettr"].interval([(0.0, 1.0), (0.0, 1.0), (0.02, 1.0)])
    assert found.low == 0.0


def test_without_a_count_of_nodes_nothing_is_known(scenario: Scenario, records: list[Records]) -> None:
    one = replace(records[0], fleet=None)
    assert MEASURES["spares_sufficient"].row(scenario, one, None) == ()
    assert MEASURES["nodes_away"].interval([MEASURES["nodes_away"].row(scenario, one, None)]).mean is None


def test_spares_suffice_for_the_time_of_all_replications_together() -> None:
    # 98 %, 100 % and 99.1 % of the time without anybody away: 99 % together, but that is not sure.
    found = MEASURES["spares_sufficient"].interval([(98.0, 2.0), (100.0,), (99.1, 0.9)])
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 1.0)
    more = MEASURES["spares_sufficient"].difference([(90.0, 10.0)] * 2, [(100.0,), (100.0,)])
    assert (more.mean, more.low, more.high) == (1.0, 1.0, 1.0)
    sure = MEASURES["spares_sufficient"].interval([(50.0, 40.0, 9.5, 0.5)] * 3)
    assert (sure.mean, sure.low, sure.high) == (2.0, 2.0, 2.0)


def test_the_interval_of_what_suffices_covers_the_truth() -> None:
    """A Poisson number of nodes, seen at random instants: 300 experiments of 20 replications."""
    rng = np.random.default_rng(5)
    away = rng.poisson(2.0, size=(300, 20, 400))
    truth = 6.0  # P(N <= 5) = 0.983, P(N <= 6) = 0.995
    figure = MEASURES["spares_sufficient"]
    found = [figure.interval([tuple(np.bincount(row).astype(float)) for row in one]) for one in away]
    covered = sum(
        one.low is not None and one.high is not None and one.low <= truth <= one.high for one in found
    )
    assert covered >= 0.93 * len(found)


def test_most_away_is_the_mean_of_each_replications_most(scenario: Scenario, records: list[Records]) -> None:
    use = FleetUse(np.array([5.0, 0.0, 3.0, 0.0]), 0.0, np.zeros(2), np.zeros(2))
    assert MEASURES["most_nodes_away"].row(scenario, replace(records[0], fleet=use), None) == (2.0, 1.0)
    assert mean_of([2.0, 4.0]).mean == MEASURES["most_nodes_away"].interval([(2.0, 1.0), (4.0, 1.0)]).mean
