"""By how much a condition is met, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.metrics.metric import Measure
from clustersim.studies.condition import Condition
from clustersim.studies.crossing import Slack
from clustersim.studies.figures import ScenarioFigures
from tests.unit.studies.clusters import job

T_1 = 12.706204736
ROWS = np.array([[0.5], [0.7]])
FIGURES = ScenarioFigures(job()).figures


def measure(path: str) -> Measure:
    return FIGURES[path].measure


@pytest.mark.parametrize(
    ("text", "mean"), [("ettr >= 0.55", 0.05), (" ettr.mean>  55 % ", 0.05), ("ettr <= 0.55", -0.05)]
)
def test_a_mean_is_so_far_from_the_threshold(text: str, mean: float) -> None:
    condition = Condition.parse(text)
    assert (condition.metric, condition.threshold, condition.other) == ("ettr", 0.55, "")
    slack = condition.slack(measure("ettr"), ROWS, None)
    assert slack == pytest.approx(Slack(mean, mean - T_1 * 0.1, mean + T_1 * 0.1))


def test_against_another_scenario_it_is_the_paired_difference() -> None:
    others = np.array([[0.4], [0.5]])
    for sign, text in ((1, "ettr > other.yaml"), (-1, "ettr.mean < other.yaml")):
        condition = Condition.parse(text)
        assert (condition.metric, condition.threshold, condition.other) == ("ettr", 0.0, "other.yaml")
        found = condition.slack(measure("ettr"), ROWS, others)
        mean = sign * 0.15
        assert found == pytest.approx(Slack(mean, mean - T_1 * 0.05, mean + T_1 * 0.05))


def test_what_is_unknown_is_infinite_and_one_replication_has_no_width() -> None:
    never = np.array([[math.inf], [1.0]])
    assert Condition.parse("ettr <= 0.5").slack(measure("ettr"), never, None) == (-math.inf,) * 3
    assert Condition.parse("ettr >= 0.5").slack(measure("ettr"), never, None) == (math.inf,) * 3
    assert Condition.parse("ettr >= 0.5").slack(measure("ettr"), ROWS[:1], None) == (0.0, 0.0, 0.0)


def test_a_quantile_has_the_ends_of_its_bootstrap_the_lower_one_first() -> None:
    """Of values 0, 0.1, ... 1 the tenth percentile is 0.1; it lies at 0 in 95 of 100 resamples or above."""
    rows = np.linspace(0, 1, 11)[:, None]
    least = Condition.parse("ettr.p10 >= 0.05").slack(measure("ettr.p10"), rows, None)
    most = Condition.parse("ettr.p10 <= 0.05").slack(measure("ettr.p10"), rows, None)
    assert least.mean == pytest.approx(0.05)
    assert least.low == pytest.approx(-0.05)
    assert 0.05 < least.high < 0.6
    assert most == pytest.approx((-least.mean, -least.high, -least.low))


def test_a_quantile_against_another_scenario_is_the_paired_difference() -> None:
    """Where the other has 0.1 less in each replication, so has its quantile in each resample."""
    rows = np.linspace(0.1, 1, 11)[:, None]
    found = Condition.parse("ettr.p10 >= other.yaml").slack(measure("ettr.p10"), rows, rows - 0.1)
    assert found == pytest.approx((0.1, 0.1, 0.1))
