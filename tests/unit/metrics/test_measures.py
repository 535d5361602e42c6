"""Measures: what a replication contributes, and the interval over all of them, worked out by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval, Estimate, mean_of, paired
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.metrics.metric import MetricFigure, Row, held_for
from clustersim.metrics.replications import Replications, stacked
from clustersim.records import FleetUse, Records
from clustersim.results import summarise
from clustersim.scenario import Scenario, loads
from clustersim.scenario.facts import facts_of

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


Measured = Callable[..., list[Row]]


def row(scenario: Scenario, records: Records, word: str, of: str = "") -> Row:
    """Return what one replication contributes."""
    return MetricFigure(CLAIMABLE[word], of).row(Replications.of(facts_of(scenario), [records]))


def ends(word: str, rows: Sequence[Row]) -> ConfidenceInterval:
    """Return the figure of *rows* with both ends of its interval."""
    return MetricFigure(CLAIMABLE[word]).ends(stacked(rows))


def mean(word: str, rows: Sequence[Row]) -> float:
    found = ends(word, rows)[0]
    assert found is not None
    return found


def difference(word: str, rows: Sequence[Row], others: Sequence[Row]) -> Estimate | None:
    return CLAIMABLE[word].measure.difference(stacked(rows), stacked(others))


@pytest.fixture(scope="module")
def rows(scenario: Scenario, records: list[Records]) -> Measured:
    def measured(word: str, of: str = "") -> list[Row]:
        return [row(scenario, one, word, of) for one in records]

    return measured


def test_counts_are_per_replication(scenario: Scenario, records: list[Records], rows: Measured) -> None:
    summary = summarise(scenario, records)
    days = 5
    whole = mean("incidents", rows("incidents"))
    assert whole == pytest.approx(days * summary["incidents_per_day"])
    modes = [mean("incidents", rows("incidents", mode)) for mode in scenario.failures]
    assert whole == pytest.approx(sum(modes))
    assert modes[1] == pytest.approx(days * summary["incidents_by_mode"]["job"])
    stops = mean("interruptions", rows("interruptions"))
    assert stops == pytest.approx(days * summary["interruptions_per_day"])
    failed = mean("mttf", rows("mttf"))
    assert failed == pytest.approx(86400 / summary["incidents_per_day"])


def test_a_mode_that_a_variant_does_not_have_never_strikes(
    scenario: Scenario, records: list[Records]
) -> None:
    assert row(scenario, records[0], "incidents", "gone") == (0.0,)


def test_saving_is_compared_with_work(scenario: Scenario, records: list[Records], rows: Measured) -> None:
    saving = sum(one.ledger["checkpoint"] for one in records)
    productive = sum(one.ledger["productive"] for one in records)
    found = mean("checkpoint_overhead", rows("checkpoint_overhead"))
    assert found == pytest.approx(saving / (saving + productive))


def test_losses_are_divided_by_interruptions() -> None:
    whole = loads(TEXT.replace("warm_up: 1 d, ", ""))
    records = [simulate(whole, number) for number in range(3)]
    found = mean("lost_per_failure", [row(whole, one, "lost_per_failure") for one in records])
    lost = sum(one.ledger["lost"] for one in records) / whole.cluster.gpus
    assert found == pytest.approx(lost / sum(one.interruptions for one in records))


def test_losses_in_the_warm_up_do_not_count(scenario: Scenario, records: list[Records]) -> None:
    one = records[0]
    above, below = row(scenario, one, "lost_per_failure")
    assert below == one.interruptions
    late = one.incidents["time_s"] >= 86400
    assert above == pytest.approx(float(one.incidents["lost_s"][late].sum()))
    assert above < float(one.incidents["lost_s"].sum())


def made(records: Records, start: list[float], end: list[float], over: float) -> Records:
    stretches = {"start": np.array(start), "end": np.array(end)}
    return replace(records, segments=stretches, end_s=over)


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
    assert row(plain, one, "longest_outage") == (longest,)


def test_an_outage_in_the_warm_up_does_not_count(scenario: Scenario, records: list[Records]) -> None:
    day = 86400.0
    one = made(records[0], [0.0, day + 10, day + 50], [100.0, day + 40, 6 * day], 6 * day)
    assert row(scenario, one, "longest_outage") == (10.0,)


def test_differences_of_means_are_paired(rows: Measured) -> None:
    one, other = rows("ettr"), rows("availability")
    found = difference("ettr", one, other)
    expected = paired([row[0] for row in one], [row[0] for row in other])
    assert found is not None
    assert found.mean == pytest.approx(expected.mean)
    assert found.half_width == pytest.approx(expected.half_width)


def test_a_quotient_differs_from_itself_by_nothing_and_from_its_double_by_itself() -> None:
    rows = [(100.0, 4.0), (100.0, 7.0), (100.0, 5.0)]
    nothing = difference("mtti", rows, rows)
    assert nothing is not None
    assert nothing.half_width == pytest.approx(0.0)
    found = difference("mtti", [(2 * above, below) for above, below in rows], rows)
    itself = CLAIMABLE["mtti"].measure.estimate(stacked(rows))
    assert found is not None
    assert (found.mean, found.half_width) == (pytest.approx(itself.mean), pytest.approx(itself.half_width))


def test_what_never_happened_is_not_known() -> None:
    never, unknown = [(100.0, 0.0), (100.0, 0.0)], (None, None, None)
    assert ends("mtti", never) == unknown
    assert difference("mtti", never, [(100.0, 2.0)] * 2) is None
    assert np.isnan(CLAIMABLE["mtti"].measure.values(stacked(never))).all()
    assert ends("spares_sufficient", [(3.0,), (3.0,)]) == unknown
    assert difference("spares_sufficient", [(3.0, 9.0, 1.0)] * 2, [(3.0,), (3.0,)]) is None


@pytest.mark.parametrize("word", ["ettr", "mtti", "spares_sufficient"])
def test_one_replication_has_no_interval(word: str) -> None:
    found, low, high = ends(word, [(0.5, 1.0, 0.0)[: 3 if word == "spares_sufficient" else 2]])
    assert found is not None
    assert (low, high) == (None, None)


def test_a_share_stays_between_0_and_1() -> None:
    assert ends("ettr", [(0.0,), (0.0,), (0.02,)])[1] == 0.0
    assert ends("ettr", [(1.0,), (1.0,), (0.98,)])[2] == 1.0


def test_without_a_count_of_nodes_nothing_is_known(scenario: Scenario, records: list[Records]) -> None:
    uncounted = [replace(one, fleet=None) for one in records]
    for word in ("spares_sufficient", "nodes_away", "most_nodes_away"):
        assert ends(word, [row(scenario, one, word) for one in uncounted]) == (None, None, None)


def test_spares_suffice_for_the_time_of_all_replications_together() -> None:
    # 98 %, 100 % and 99.1 % of the time without anybody away: 99 % together, but that is not sure.
    assert ends("spares_sufficient", [(9.0, 98.0, 2.0), (9.0, 100.0), (9.0, 99.1, 0.9)]) == (0.0, 0.0, 1.0)
    more = difference("spares_sufficient", [(9.0, 90.0, 10.0)] * 2, [(9.0, 100.0), (9.0, 100.0)])
    assert more is not None
    assert (more.mean, more.half_width) == (1.0, 0.0)
    assert ends("spares_sufficient", [(9.0, 50.0, 40.0, 9.5, 0.5)] * 3) == (2.0, 2.0, 2.0)
    assert ends("spares_sufficient", [(9.0, 98.0, 2.0), (9.0, 100.0)]) == (0.0, 0.0, 1.0)
    assert ends("spares_sufficient", [(9.0, 98.0, 2.0), (9.0, 99.5, 0.5)]) == (1.0, 0.0, 1.0)
    assert ends("spares_sufficient", [(9.0, 99.0, 1.0)] * 2) == (0.0, 0.0, 0.0)  # 99 % to the second


def test_spares_that_suffice_are_not_known_where_waiting_kept_nodes_from_failing() -> None:
    assert ends("spares_sufficient", [(1.0, 50.0, 40.0, 9.5, 0.5)] * 3) == (None, None, None)
    assert ends("spares_sufficient", [(2.0, 50.0, 40.0, 9.5, 0.5)] * 3) == (2.0, 2.0, 2.0)


def test_the_interval_of_what_suffices_covers_the_truth() -> None:
    """A Poisson number of nodes, seen at random instants: 300 experiments of 20 replications."""
    rng = np.random.default_rng(5)
    away = rng.poisson(2.0, size=(300, 20, 400))
    truth = 6.0  # P(N <= 5) = 0.983, P(N <= 6) = 0.995
    found = [ends("spares_sufficient", [(99.0, *np.bincount(row)) for row in one]) for one in away]
    covered = sum(low is not None and high is not None and low <= truth <= high for _, low, high in found)
    assert covered >= 0.93 * len(found)


def test_most_away_is_the_mean_of_each_replications_most(scenario: Scenario, records: list[Records]) -> None:
    use = FleetUse(np.array([5.0, 0.0, 3.0, 0.0]), 0.0, np.zeros(2), np.zeros(2))
    assert row(scenario, replace(records[0], fleet=use), "most_nodes_away") == (2.0,)
    assert mean("most_nodes_away", [(2.0,), (4.0,)]) == mean_of([2.0, 4.0]).mean


@pytest.mark.parametrize(
    ("seconds", "share", "nodes"),
    [((99.0, 1.0), 0.99, 0), ((98.0, 1.0, 1.0), 0.99, 1), ((0.0, 0.0, 5.0), 0.5, 2), ((7.0,), 0.99, 0)],
)
def test_the_nodes_that_hold_for_a_share_of_the_time(
    seconds: tuple[float, ...], share: float, nodes: int
) -> None:
    assert held_for(np.array(seconds), share) == nodes
