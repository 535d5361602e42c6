"""The first-order estimator, the exact formula and the simulation beside each other, by size."""

from __future__ import annotations

import json

import pytest

from clustersim import theory
from clustersim.scenario import load
from clustersim.settings import Settings
from clustersim.studies.study import Simulations
from clustersim.units import HOUR, MINUTE
from clustersim.validation import estimator
from clustersim.validation.estimator import HOURLY, OPTIMAL, EstimatorCurve, Survey, curves_as_list

FAILURES = 300


@pytest.fixture(scope="module")
def found() -> tuple[EstimatorCurve, ...]:
    patch = pytest.MonkeyPatch()
    patch.setattr(estimator, "SIZES", (1_000, 100_000))
    patch.setattr(estimator, "FAILURES", FAILURES)
    try:
        survey = Survey(1)
        return survey.curves(Simulations(Settings(workers=1)).ettr(survey.scenarios, range(8)))
    finally:
        patch.undo()


def test_there_is_a_curve_for_each_cluster_and_each_way_to_save(found: tuple[EstimatorCurve, ...]) -> None:
    assert [(curve.policy, curve.cluster) for curve in found] == [
        (HOURLY, "RSC-1"),
        (HOURLY, "RSC-2"),
        (OPTIMAL, "RSC-1"),
        (OPTIMAL, "RSC-2"),
    ]


def test_the_time_between_failures_is_that_of_the_nodes_together(found: tuple[EstimatorCurve, ...]) -> None:
    first = found[0].marks[1]
    assert first.mtbf_s == pytest.approx(24 * HOUR / (12_500 * 6.5e-3))
    assert (first.interval_s, found[2].marks[1].interval_s) == (
        HOUR,
        theory.young(first.mtbf_s, 5 * MINUTE),
    )


def test_the_simulation_follows_the_exact_formula_where_the_estimator_does_not(
    found: tuple[EstimatorCurve, ...],
) -> None:
    # the end of a run counts what is not saved yet, at most one time between failures of so many
    for curve in found:
        for mark in curve.marks:
            simulated = mark.simulated
            assert simulated is not None
            assert simulated.mean is not None
            assert simulated.half_width is not None
            assert abs(simulated.mean - mark.exact) < 2 * simulated.half_width + 1 / FAILURES
    lost = found[0].marks[1]
    assert lost.estimator == pytest.approx(-0.9, abs=0.001)
    assert lost.exact == pytest.approx(0.0669, abs=1e-4)


def test_rows_are_plain_data(found: tuple[EstimatorCurve, ...]) -> None:
    rows = curves_as_list(found)
    assert len(rows) == 8
    assert json.loads(json.dumps(rows)) == rows
    first = found[0].marks[1]
    assert first.simulated is not None
    assert rows[1] == {
        "cluster": "RSC-1",
        "failures_per_1000_node_days": 6.5,
        "saves": HOURLY,
        "gpus": 100_000,
        "mtbf_s": first.mtbf_s,
        "interval_s": HOUR,
        "estimator": first.estimator,
        "exact": first.exact,
        "simulated": first.simulated._asdict(),
    }
    assert set(rows[1]["simulated"]) == {"mean", "low", "high"}


def test_each_size_has_a_seed_of_its_own(found: tuple[EstimatorCurve, ...]) -> None:
    means = {mark.simulated.mean for curve in found for mark in curve.marks if mark.simulated}
    assert len(means) == 8


def test_the_line_between_the_sizes_is_of_formulas_alone(found: tuple[EstimatorCurve, ...]) -> None:
    assert all(mark.simulated is None for curve in found for mark in curve.line)
    sizes = [mark.gpus for mark in found[0].line]
    assert (sizes[0], sizes[-1]) == pytest.approx((1_000, 100_000))
    assert sizes == sorted(sizes)


def test_marks_and_line_reach_from_the_first_size_to_the_last() -> None:
    curve = estimator._curve("RSC-1", HOURLY)
    assert [mark.gpus for mark in curve.marks] == list(estimator.SIZES)
    assert len(curve.line) == estimator.STEPS
    assert [curve.line[place].gpus for place in (0, -1)] == pytest.approx([1_000, 1_000_000])
    assert (curve.cluster, curve.rate, curve.policy) == ("RSC-1", estimator.RATES["RSC-1"], HOURLY)


def test_the_shipped_case_is_the_clusters_as_their_authors_see_them() -> None:
    scenario = load(estimator.SCENARIO)
    assert scenario.mtbf == pytest.approx(24 * HOUR / (2_000 * estimator.RATES["RSC-1"] / 1000))
    assert scenario.cluster.gpus_per_node == estimator.GPUS_PER_NODE
