"""The interval that follows the failures, by hand."""

from __future__ import annotations

import pytest

from clustersim import theory
from clustersim.engine.work.adaptive import AdaptiveInterval
from clustersim.scenario.kinds.intervals import Adaptation
from clustersim.units import HOUR

MTBF, BLOCKS = 10 * HOUR, 60.0


def interval() -> AdaptiveInterval:
    return AdaptiveInterval(Adaptation(24 * HOUR, MTBF, BLOCKS))


def best(mtbf: float) -> float:
    return pytest.approx(theory.optimal(mtbf, BLOCKS), rel=1e-12)


def test_the_example_of_the_page_on_checkpoints() -> None:
    adaptive = interval()
    assert adaptive.begin(0.0) == best(10 * HOUR)
    adaptive.end(6 * HOUR)
    adaptive.fall_back(6 * HOUR, True)
    assert adaptive.begin(6.5 * HOUR) == best(8 * HOUR)


def test_a_failure_counts_once_for_each_outage_and_only_if_it_is_one_of_the_tiers() -> None:
    adaptive = interval()
    for start, counts in ((0.0, True), (4.0, False), (8.0, True)):
        adaptive.begin(start * HOUR)
        adaptive.end((start + 2) * HOUR)
        adaptive.fall_back((start + 2) * HOUR, counts)
        adaptive.fall_back((start + 3) * HOUR, True)
    assert adaptive.seen(12 * HOUR) == (2, 6 * HOUR)


def test_a_failure_before_any_training_counts_for_nothing() -> None:
    adaptive = interval()
    adaptive.fall_back(0.0, True)
    assert adaptive.seen(HOUR) == (0, 0.0)
    assert adaptive.begin(HOUR) == best(10 * HOUR)


def test_what_is_older_than_the_window_is_forgotten_and_what_reaches_into_it_counts_in_part() -> None:
    adaptive = interval()
    for start in (0, 30):
        adaptive.begin(start * HOUR)
        adaptive.end((start + 20) * HOUR)
        adaptive.fall_back((start + 20) * HOUR, True)
    assert adaptive.seen(60 * HOUR) == (1, 14 * HOUR)
    assert adaptive.seen(73.99 * HOUR) == (1, pytest.approx(0.01 * HOUR))
    assert adaptive.seen(74 * HOUR) == (0, 0.0)


def test_the_interval_is_never_shorter_than_any_time_may_be() -> None:
    assert Adaptation(HOUR, 1.0, 60.0).interval(10**9, 0.0) == 1e-3
