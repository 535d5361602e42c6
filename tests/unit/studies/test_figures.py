"""Figures of a study: rows, differences, and both in words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval
from clustersim.metrics.catalogue import METRICS
from clustersim.studies.figures import (
    ROWS,
    ScenarioFigures,
    at_reference,
    difference,
    gap_words,
    resampled,
    simulated,
    within_a_sentence,
    words,
)
from clustersim.studies.study import Simulations
from tests.unit.studies.clusters import HERE, job

METRIC = next(metric for metric in METRICS if metric.path == "cost.total")
FIGURES = ScenarioFigures(job()).figures
START = "recovery.stages.start"


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((2e6, 1.5e6, 2.5e6), "+2.0 million USD"),
        ((-2e6, -2.5e6, -1.5e6), "\u22122.0 million USD"),
        ((0.5, 0.25, 0.75), "+0.5 USD"),
        ((0.0, 0.0, 0.0), "0 USD"),
        ((None, None, None), "unknown"),
    ],
)
def test_a_difference_has_its_sign_unless_it_is_none(ends: tuple[float | None, ...], text: str) -> None:
    assert gap_words(METRIC, ConfidenceInterval(*ends), "USD") == text


def test_a_quotient_is_compared_where_both_are_alike() -> None:
    """Of 1 and 3 with weights 1/2 and 3/2: around 5 instead of 2 they are as far apart, turned round."""
    values, weights = np.array([[1.0, 3.0], [1.0, 3.0]]), np.array([[0.5, 1.5], [1.0, 1.0]])
    found = at_reference(values, weights, np.array([[4.0, 6.0], [4.0, 6.0]]))
    assert found == pytest.approx(np.array([[2.5, 1.5], [1.0, 3.0]]))


def test_a_difference_of_what_is_infinite_in_both_is_none() -> None:
    """Resamples with an infinite figure count as infinite, and lie at the end of the interval."""
    measure = FIGURES["ettr"].measure
    never, often = np.array([[math.inf]] * 4), np.linspace(0.2, 0.8, 4)[:, None]
    assert resampled(measure, never, never) == (0.0, 0.0, 0.0)
    assert resampled(measure, never, None) == (math.inf,) * 3
    assert resampled(measure, never, often) == (math.inf,) * 3
    mean, low, high = resampled(measure, often, None)
    assert mean == pytest.approx(0.5)
    # Of 4 values 0.2, 0.4, 0.6, 0.8 chance has the standard deviation 0.112 of a mean.
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.112, 0.5 + 1.96 * 0.112), abs=0.06)
    assert resampled(measure, often + 0.1, often) == pytest.approx((0.1, 0.1, 0.1))


def test_ten_of_four_hundred_resamples_lie_beyond_each_end() -> None:
    rows = np.sqrt(np.arange(40.0))[:, None]
    _, low, high = resampled(FIGURES["ettr"].measure, rows, None)
    chosen = np.random.default_rng(0).integers(0, 40, (400, 40))
    means = rows[chosen, 0].mean(axis=1).round(9)
    assert (np.count_nonzero(means < round(low, 9)), np.count_nonzero(means > round(high, 9))) == (10, 10)


def test_a_difference_of_means_is_that_of_the_pairs() -> None:
    """Of 0.1 and 0.2 the mean is 0.15, and Student's 97.5 % point of one degree of freedom 12.7."""
    rows, others = np.array([[0.5], [0.7]]), np.array([[0.4], [0.5]])
    width = 12.706204736 * 0.05
    paired = difference(FIGURES["ettr"].measure, rows, others)
    assert paired == pytest.approx((0.15, 0.15 - width, 0.15 + width))
    quantile = FIGURES["ettr.p10"].measure
    assert difference(quantile, rows, others) == resampled(quantile, rows, others)


def test_rows_of_any_length_are_packed_and_unpacked() -> None:
    figures = ScenarioFigures(job())
    count = len(figures.figures)
    sizes = [1 + place % 3 for place in range(count)]
    kept = [{ROWS: np.array([*sizes, *(float(100 * of + n) for n in range(sum(sizes)))])} for of in (1, 2)]
    rows = figures.rows(kept)
    assert list(rows) == list(figures.figures)
    together = np.concatenate(list(rows.values()), axis=1)
    assert together.tolist() == [[100 * of + n for n in range(sum(sizes))] for of in (1, 2)]
    assert [row.shape for row in rows.values()] == [(2, size) for size in sizes]


def test_of_what_is_no_mean_the_difference_is_known_exactly_where_nothing_varies() -> None:
    figures = ScenarioFigures(job())
    same, more = (np.full((3, 1), value) for value in (0.5, 0.75))
    varied = np.array([[0.5], [0.75], [0.75]])
    alike = figures.differences({"ettr.p10": more}, {"ettr.p10": same}, ["ettr.p10", "mtti_s"])
    assert alike[0] == pytest.approx([0.25, 0.25, 0.25])
    assert np.isnan(alike[1]).all()
    (apart,) = figures.differences({"ettr.p50": varied}, {"ettr.p50": same}, ["ettr.p50"])
    assert apart[0] == pytest.approx(0.25)
    assert np.isnan(apart[1:]).all()
    assert np.isnan(figures.differences({"ettr.p50": same}, {"ettr.p50": varied}, ["ettr.p50"])[0][1:]).all()
    assert np.isnan(figures.differences({"ettr.p50": same}, {}, ["ettr.p50"])).all()


def test_what_differs_between_the_columns_of_a_row_does_not_vary() -> None:
    """The median over inputs is made of ETTR and of how many replications have each draw."""
    path = "ettr.inputs.p50"
    figures = ScenarioFigures(job(uncertain={START: "1 min to 9 min"}, uncertainty={"per_draw": 2}), [path])
    half, more = ({path: np.array([[value, 2.0]] * 4)} for value in (0.5, 0.75))
    assert figures.differences(more, half, [path])[0] == pytest.approx([0.25, 0.25, 0.25])


def test_what_is_not_among_the_rows_is_unknown_in_every_replication() -> None:
    figures, rows = ScenarioFigures(job()), {"ettr": np.array([[0.5], [0.75], [0.25]])}
    values, weights = figures.values(rows, ["ettr", "mtti_s"])
    np.testing.assert_array_equal(values, [[0.5, 0.75, 0.25], [math.nan] * 3])
    assert weights.shape == (2, 3)
    assert np.isnan(weights[1]).all()
    ends = figures.ends(rows, ["mtti_s", "ettr"])
    assert np.isnan(ends[0]).all()
    assert ends[1][0] == 0.5


def test_so_many_replications_are_simulated_whatever_the_scenario_says() -> None:
    scenario = job(lives=2, replications=2)
    ((_, rows),) = simulated([scenario], 4, Simulations(HERE), ["ettr"])
    assert list(rows) == ["ettr"]
    assert rows["ettr"][:, 0] == pytest.approx([simulate(scenario, number).ettr for number in range(4)])


def test_a_metric_is_named_as_within_a_sentence() -> None:
    labels = {each.label: within_a_sentence(each) for each in METRICS}
    assert (labels["ETTR"], labels["Spare nodes"]) == ("ETTR", "spare nodes")
    assert all(said[1:] == label[1:] for label, said in labels.items())


def test_shares_are_told_as_shares_and_their_differences_in_points() -> None:
    share = FIGURES["ettr"].metric
    ends = ConfidenceInterval(0.02, 0.01, 0.03)
    assert gap_words(share, ends, "") == "+2.0 ± 1.0 pp"
    assert words(share, ConfidenceInterval(0.52, 0.51, 0.53), "") == "0.520 ± 0.010"
    assert words(share, ConfidenceInterval(), "") == "unknown"
    assert words(METRIC, ConfidenceInterval(2e6, 1.5e6, 2.5e6), "USD") == "2.0 million USD"


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("gpus", 16_384.0, "16,384"),
        ("replicas.count", 12.0, "12"),
        ("scaling_efficiency", 0.8, "0.8000"),
        ("mtbf_s", 45_000.0, "12.5 h"),
        ("checkpoint_interval_s", 444.0, "7.4 min"),
        ("effective_gpus", 16_384.25, "16,380"),
    ],
)
def test_what_is_given_is_whole_where_it_counts_and_else_in_its_unit(
    path: str, value: float, text: str
) -> None:
    metric = next(each for each in METRICS if each.path == path)
    assert words(metric, ConfidenceInterval(value, value, value), "") == text
    assert gap_words(metric, ConfidenceInterval(-value, -value, -value), "") == f"\u2212{text}"


def test_a_mean_has_one_path_unless_it_is_asked_for() -> None:
    scenario = job(workload={"productive": "20 h"})
    assert "days_to_target" in ScenarioFigures(scenario).figures
    assert not any(path.endswith(".mean") for path in ScenarioFigures(scenario).figures)
    asked = ScenarioFigures(scenario, ["days_to_target.mean", "cost.total"])
    assert list(asked.figures) == ["days_to_target.mean"]
    assert asked.why_not("cost.total").startswith("cost.total needs costs")
