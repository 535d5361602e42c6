"""From failures to spells: what a node served between two of them, and failures at once."""

from __future__ import annotations

import math

import numpy as np

from clustersim.fitting.spells import (
    absences_of,
    resolution,
    site_absences,
    site_spells,
    spells_of,
    without_bursts,
)
from clustersim.logs.history import History
from clustersim.units import DAY, HOUR

NAN = math.nan


def rows(history: History) -> np.ndarray:
    return np.arange(len(history.time_s))


def test_the_example_of_the_module() -> None:
    log = History.of([10, 60], 4, 100, node=[3, 3], end_s=[30, 65])
    spells = spells_of(log, rows(log), absences_of(log))
    of_node = spells.node == 3
    assert spells.served[of_node].tolist() == [10, 30, 35]
    assert spells.failed[of_node].tolist() == [True, True, False]
    assert spells.first[of_node].tolist() == [True, False, False]
    assert spells.repaired[of_node].tolist() == [False, True, True]
    assert (spells.count, spells.total) == (2, 3 * 100 + 75)


def test_nodes_that_are_alike_stand_once() -> None:
    log = History.of([10], 1000, 100, node=[0], end_s=[20], entered_s=[0] * 600 + [40] * 400)
    spells = spells_of(log, rows(log), absences_of(log))
    assert sorted(spells.weight.tolist()) == [1, 1, 400, 599]
    assert spells.total == 599 * 100 + 400 * 60 + 10 + 80


def test_absences_for_other_causes_are_no_service() -> None:
    log = History.of([10, 50], 1, 100, node=[0, 0], end_s=[30, 60], cause=[0, 1], causes=("a", "b"))
    spells = spells_of(log, np.array([1]), absences_of(log))
    assert spells.served.tolist() == [30, 40]
    assert spells.served_until(20).tolist() == [10, 0]
    assert spells.served_until(55).tolist() == [30, 0]


def test_late_entry_and_open_ends() -> None:
    log = History.of(
        [50, 80], 2, 100, node=[0, 1], end_s=[math.inf, NAN], entered_s=[20, 60], left_s=[90, 100]
    )
    spells = spells_of(log, rows(log), absences_of(log))
    assert sorted(spells.served.tolist()) == [20, 20, 30]
    assert spells.count == 2
    assert not spells.repaired.any()


def test_the_site_is_one_unit_that_is_out_at_times() -> None:
    log = History.of([10, 40], 5, 100, end_s=[20, NAN])
    spells = site_spells(log, rows(log), site_absences(log))
    assert spells.served.tolist() == [10, 20, 60]


def racks(names: bool) -> History:
    """Return a log in which racks of 4 fail together three times, among single failures."""
    times = [HOUR, *[30 * HOUR] * 4, 50 * HOUR, *[70 * HOUR] * 4, *[90 * HOUR] * 4, 200 * HOUR]
    nodes = [9, 0, 1, 2, 3, 17, 8, 9, 10, 11, 12, 13, 14, 15, 5]
    return History.of([time + 0.5 for time in times], 40, 30 * DAY, node=nodes if names else nodes[::-1])


def test_a_rack_that_fails_as_a_whole_is_one_failure() -> None:
    kept, bursts = without_bursts(racks(True), np.arange(15))
    assert bursts is not None
    assert (bursts.count, bursts.rows, bursts.domain) == (3, 12, 4)
    assert bursts.p_value < 1e-9
    assert kept.tolist() == [0, 1, 5, 6, 10, 14]


def test_failures_at_once_without_a_common_block_stay_apart() -> None:
    log = racks(True)
    shuffled = History.of(log.time_s, 40, 30 * DAY, node=(log.node * 7) % 40)
    kept, bursts = without_bursts(shuffled, np.arange(15))
    assert bursts is not None
    assert (bursts.count, bursts.domain, len(kept)) == (3, 0, 15)


def test_dates_without_hours_make_no_bursts() -> None:
    days = np.random.default_rng(1).integers(0, 300, 200) * DAY
    log = History.of(days, 100, 300 * DAY, node=np.arange(200) % 100)
    assert resolution(log.time_s) == DAY
    _, bursts = without_bursts(log, np.arange(200))
    assert bursts is not None
    assert bursts.p_value > 0.01
