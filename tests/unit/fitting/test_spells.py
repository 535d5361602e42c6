"""From failures to spells: what a node served between two of them, and failures at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

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


def test_of_spells_that_begin_at_one_instant_the_first_one_is_first() -> None:
    """A node fails as soon as it is watched and goes on; it is back half a second before the end."""
    log = History.of([0, 50], 1, 100, node=[0, 0], end_s=[NAN, 99.5])
    spells = spells_of(log, rows(log), absences_of(log))
    assert spells.served.tolist() == [0, 50, 0.5]
    assert spells.first.tolist() == [True, False, False]
    assert spells.repaired.tolist() == [False, False, True]


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


def test_the_numbers_of_nodes_that_fail_together_may_have_any_length() -> None:
    """Nodes called by a serial of 21 digits: no integer of 64 bits holds it."""
    log = replace(racks(True), names=tuple(f"n{10**20 + number}" for number in range(40)))
    kept, bursts = without_bursts(log, np.arange(15))
    assert bursts is not None
    assert (bursts.domain, kept.tolist()) == (4, [0, 1, 5, 6, 10, 14])


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


def in_minutes(minutes: Sequence[float], nodes: Sequence[int] | None = None, days: float = 30) -> History:
    """Return a log of 40 nodes that fail in these minutes, and half a second later."""
    times = [60 * minute + 0.5 for minute in minutes]
    return History.of(times, 40, days * DAY, node=range(len(times)) if nodes is None else nodes)


def at_least(least: int, of: int, chance: float) -> float:
    """Return the chance that so many or more of independent trials come true."""
    return sum(math.comb(of, n) * chance**n * (1 - chance) ** (of - n) for n in range(least, of + 1))


def test_the_chance_of_rows_at_once_is_that_of_independent_ones() -> None:
    """Of 5 rows in 100 minutes two follow another within a minute: each does with 1 - exp(-5 / 100)."""
    log = in_minutes([10, 11, 30, 30.5, 90], days=100 / 1440)
    kept, bursts = without_bursts(log, rows(log))
    chance = 1 - math.exp(-5 / 100)
    assert bursts is not None
    assert (len(kept), bursts.count, bursts.rows) == (5, 2, 4)
    assert bursts.p_value == pytest.approx(at_least(2, 4, chance))
    assert bursts.expected == pytest.approx(4 * chance)


def test_in_a_log_of_hours_rows_of_one_hour_are_at_once() -> None:
    """Of 5 rows in 10 hours three follow another in its hour; 5 rows fall into 10 (1 - 0.9^5) hours."""
    log = History.of(np.array([1, 1, 1, 5, 5]) * HOUR, 9, 10 * HOUR, node=range(5))
    _, bursts = without_bursts(log, rows(log))
    chance = (5 - 10 * (1 - 0.9**5)) / 5
    assert bursts is not None
    assert (bursts.count, bursts.rows) == (2, 5)
    assert bursts.p_value == pytest.approx(at_least(3, 4, chance))
    assert bursts.expected == pytest.approx(4 * chance)


def test_a_log_of_two_hours_has_a_chance_too() -> None:
    """Three rows fall into 2 (1 - 0.5^3) of its hours."""
    log = History.of(np.array([0, 0, 1]) * HOUR, 9, 2 * HOUR, node=range(3))
    _, bursts = without_bursts(log, rows(log))
    assert bursts is not None
    assert bursts.p_value == pytest.approx(at_least(1, 2, (3 - 1.75) / 3))


def test_rows_that_are_never_at_once_are_no_bursts_and_two_rows_say_nothing() -> None:
    log = in_minutes([10, 20, 30])
    kept, bursts = without_bursts(log, rows(log))
    assert bursts is not None
    assert (kept.tolist(), bursts.count, bursts.rows, bursts.p_value, bursts.domain) == (
        [0, 1, 2],
        0,
        0,
        1.0,
        0,
    )
    assert bursts.expected == pytest.approx(2 * (1 - math.exp(-3 / 43200)))
    two = in_minutes([10, 10])
    assert without_bursts(two, rows(two))[1] is None


@pytest.mark.parametrize(
    ("bursts", "domain"),
    [
        ([(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)], 4),
        ([(0, 1, 2, 3), (4, 5, 6, 7)], 0),
        ([(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (2, 3, 4, 5), (12, 13)], 4),
        ([(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (2, 3, 4, 5), (7, 8)], 0),
        ([(0, 1), (2, 3), (4, 5), (4, 5, 6)], 0),
        ([(0, 1), (2, 3), (4, 5), (6, 7), (4, 5, 6)], 2),
    ],
)
def test_a_block_is_the_domain_of_most_bursts(bursts: list[tuple[int, ...]], domain: int) -> None:
    """Three bursts at least, and 4 of 5, lie in blocks of as many nodes as most of them have."""
    minutes = [60.0 * number for number, nodes in enumerate(bursts, 1) for _ in nodes]
    log = in_minutes(minutes, [node for nodes in bursts for node in nodes])
    _, found = without_bursts(log, rows(log))
    assert found is not None
    assert found.domain == domain


@pytest.mark.parametrize(("name", "domain"), [("r7n{}.cluster", 4), ("gpu-{}", 4), ("n{}a", 4), ("x", 0)])
@pytest.mark.parametrize("first", [100, 102])
def test_neighbours_are_known_by_the_numbers_at_the_end_of_their_names(
    name: str, domain: int, first: int
) -> None:
    """Numbers 100 to 103 are a block of four, 102 to 105 are none."""
    log = in_minutes([number // 4 * 60 for number in range(4, 24)], range(20))
    named = replace(log, names=tuple(name.format(first + number) for number in range(20)))
    _, found = without_bursts(named, rows(log))
    assert found is not None
    assert found.domain == (domain if first == 100 else 0)
    nameless = replace(log, names=named.names[:19])
    assert without_bursts(nameless, rows(log))[1].domain == 0  # type: ignore[union-attr]


def test_two_blocks_that_fail_at_once_are_two_failures() -> None:
    minutes = [*np.repeat([60, 120, 180, 240, 300], 4), *[400] * 8]
    nodes = [*range(20), 27, 28, 29, 24, 25, 30, 31, 26]
    log = in_minutes(minutes, nodes)
    kept, found = without_bursts(log, rows(log))
    assert found is not None
    assert (found.count, found.rows, found.domain) == (6, 28, 4)
    assert kept.tolist() == [0, 4, 8, 12, 16, 20, 21]


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([0, DAY, 3 * DAY], DAY),
        ([0, HOUR, 3 * DAY], HOUR),
        ([60, 120, 3 * HOUR], 60),
        ([60, 61, 120], None),
        ([DAY, 2 * DAY], None),
        ([DAY, 2 * DAY, 3 * DAY + 0.01], DAY),
        ([DAY, 2 * DAY, 3 * DAY + 0.2], None),
    ],
)
def test_the_step_of_times_is_the_largest_that_all_are_multiples_of(
    times: list[float], step: float | None
) -> None:
    assert resolution(np.array(times, float)) == step


def test_spells_beyond_an_age() -> None:
    log = History.of([10, 60], 4, 100, node=[3, 3], end_s=[30, 65])
    beyond = spells_of(log, rows(log), absences_of(log)).beyond(30)
    of_node = beyond.node == 3
    assert beyond.since == 30
    assert beyond.served[of_node].tolist() == [10, 35]
    assert (beyond.count, beyond.total) == (1, 3 * 100 + 45)


def test_a_failure_of_another_cause_begins_no_repair_of_this_one() -> None:
    """The node is away from 10 to 30 for a, and from 50 on for b, as long as anybody looks."""
    log = History.of(
        [10, 50], 3, 100, node=[1, 1], end_s=[30, 95], cause=[0, 1], causes=("a", "b"), left_s=[100, 90, 100]
    )
    spells = spells_of(log, np.array([0]), absences_of(log))
    of_node = spells.node == 1
    assert spells.served[of_node].tolist() == [10, 20]
    assert spells.start[of_node].tolist() == [0, 30]
    assert spells.end[of_node].tolist() == [10, 90]
    assert spells.repaired[of_node].tolist() == [False, True]
    assert spells.weight[~of_node].tolist() == [2]


def test_the_site_is_out_for_causes_of_all_kinds_and_no_longer_than_the_window() -> None:
    log = History.of([10, 40, 90], 5, 100, node=[-1, 0, -1], end_s=[20, 60, math.inf])
    absences = site_absences(log)
    assert (absences.begin.tolist(), absences.end.tolist()) == ([10, 90], [20, 100])
    assert absences_of(log).begin.tolist() == [40]
    spells = site_spells(log, np.array([0]), absences)
    assert spells.served.tolist() == [10, 70]
