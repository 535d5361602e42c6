"""A history made of numbers, as tests and simulations have them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.logs.history import ROWS, TOTAL, History

DAY = 86_400.0


def test_failures_are_sorted_with_all_that_belongs_to_them() -> None:
    history = History.of(
        [9 * DAY, 2 * DAY], nodes=2, window_s=10 * DAY, node=[1, 0], cause=[1, 0], causes=("nic", "gpu"),
        end_s=[math.inf, 3 * DAY],
    )  # fmt: skip
    assert history.time_s.tolist() == [2 * DAY, 9 * DAY]
    assert history.end_s.tolist() == [3 * DAY, math.inf]
    assert history.node.tolist() == [0, 1]
    assert [history.causes[cause] for cause in history.cause] == ["nic", "gpu"]
    assert history.rows["used"] == history.rows["open"] == 1


def test_failures_of_one_moment_stay_in_the_order_in_which_they_are_given() -> None:
    history = History.of([1.0, 0.0] * 50, nodes=100, window_s=DAY, node=range(100))
    assert history.node.tolist() == [*range(1, 100, 2), *range(0, 100, 2)]


@pytest.mark.parametrize("given", [[], [5]])
def test_times_are_floats_and_places_whole_numbers_however_they_are_given(given: list[int]) -> None:
    history = History.of(
        given, nodes=1, window_s=DAY, end_s=given, node=given, cause=given, entered_s=[0], left_s=[9]
    )
    for times in (history.time_s, history.end_s, history.entered_s, history.left_s):
        assert times.dtype == np.float64
    assert history.node.dtype == history.cause.dtype == np.int64


def test_every_row_is_counted_once() -> None:
    rows = History.of([1.0, 2.0], nodes=1, window_s=DAY).rows
    assert rows[TOTAL] == sum(rows[name] for name in ROWS) == 2


def test_what_is_not_given_is_the_job_observed_throughout() -> None:
    history = History.of([5.0], nodes=3, window_s=DAY)
    assert history.node.tolist() == [-1]
    assert history.cause.tolist() == [0]
    assert np.isnan(history.end_s).all()
    assert not history.has_ends
    assert history.node_days == 3.0


def test_node_days_know_who_came_late_and_who_left_early() -> None:
    assert History.of([], nodes=2, window_s=DAY, left_s=[DAY, DAY / 4]).node_days == 1.25
    assert History.of([], nodes=2, window_s=DAY, entered_s=[0.0, DAY / 2]).node_days == 1.5
