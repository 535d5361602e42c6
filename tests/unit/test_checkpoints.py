"""Save schedules: arithmetic against a walk through every save."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.engine.checkpoints import PeriodicSaves, SavesOfMany


def walk(
    interval: float, blocks: float, durable_after: float, step: float | None, elapsed: float
) -> tuple[float, float]:
    """Return (useful, saved) after *elapsed* seconds, by walking from save to save in whole seconds."""
    useful = saved = in_flight_until = 0.0
    in_flight: float | None = None
    now = 0.0
    while True:
        due = interval if step is None else math.ceil(interval / step) * step
        wait = max(in_flight_until - now, 0.0) if in_flight is not None else 0.0
        lasts = max(due, wait) if step is None else math.ceil(max(due, wait) / step) * step
        if now + lasts > elapsed:
            useful += elapsed - now
            break
        now, useful = now + lasts, useful + lasts
        if in_flight is not None and in_flight_until <= now:
            saved = in_flight
        in_flight = useful
        in_flight_until = now + blocks + durable_after
        if now + blocks > elapsed:
            break
        now += blocks
    if in_flight is not None and in_flight_until <= elapsed:
        saved = in_flight
    return useful, saved


def saving(schedule: PeriodicSaves, *instants: float) -> list[bool]:
    """Return whether a stretch that began at 0 stands still for a save at each of *instants*."""
    found: list[bool] = schedule.each.saving(np.zeros(len(instants)), np.array(instants)).tolist()
    assert found == [schedule.is_saving(0.0, instant) for instant in instants]
    return found


whole = st.integers(1, 40).map(float)


@given(whole, st.integers(0, 20), st.integers(0, 90), st.none() | whole, st.integers(0, 600))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_the_arithmetic_agrees_with_a_walk_from_save_to_save(
    interval: float, blocks: int, durable_after: int, step: float | None, elapsed: int
) -> None:
    schedule = PeriodicSaves.every(interval, blocks, durable_after, step)
    start = 1024.0
    expected = walk(interval, blocks, durable_after, step, elapsed)
    assert (schedule.useful(start, start + elapsed), schedule.saved(start, start + elapsed)) == expected


def test_a_save_counts_from_the_instant_at_which_it_is_durable() -> None:
    schedule = PeriodicSaves.every(100.0, blocks=10.0, durable_after=30.0)
    assert schedule.saved(0.0, math.nextafter(140.0, 0.0)) == 0.0
    assert schedule.saved(0.0, 140.0) == 100.0


def test_a_save_that_takes_longer_than_the_interval_delays_the_next_and_training_goes_on() -> None:
    schedule = PeriodicSaves.every(100.0, blocks=10.0, durable_after=250.0)
    assert schedule.useful(0.0, 360.0) == 350.0
    assert saving(schedule, 359.0, 360.0, 370.0) == [False, True, False]


def test_saves_begin_at_the_end_of_a_whole_step() -> None:
    schedule = PeriodicSaves.every(100.0, blocks=10.0, step=30.0)
    assert saving(schedule, 119.0, 120.0) == [False, True]
    assert schedule.saved(0.0, 130.0) == 120.0


def test_training_stands_still_while_it_saves() -> None:
    schedule = PeriodicSaves.every(100.0, blocks=10.0)
    assert [schedule.useful(0.0, now) for now in (99.0, 100.0, 105.0, 110.0, 111.0)] == [
        99.0,
        100.0,
        100.0,
        100.0,
        101.0,
    ]


@given(whole, st.integers(0, 20), st.integers(0, 90), st.floats(0.5, 900.0))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_time_of_a_target_is_when_that_much_training_is_done(
    interval: float, blocks: int, durable_after: int, useful: float
) -> None:
    schedule = PeriodicSaves.every(interval, blocks, durable_after)
    offset = schedule.offset_of(useful)
    assert schedule.useful(0.0, offset) == pytest.approx(useful, rel=1e-12)
    assert schedule.useful(0.0, offset - 1e-6) < useful


@given(whole, st.integers(0, 20), st.floats(1.0, 900.0))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_runs_between_saves_add_up_to_the_useful_time(
    interval: float, blocks: int, elapsed: float
) -> None:
    schedule = PeriodicSaves.every(interval, blocks)
    runs = list(schedule.runs(50.0, 50.0 + elapsed))
    assert sum(end - begin for begin, end in runs) == pytest.approx(schedule.useful(50.0, 50.0 + elapsed))
    assert all(begin < end for begin, end in runs)


@given(whole, st.integers(0, 20), st.floats(1.0, 900.0), st.floats(-10.0, 1000.0))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_runs_since_an_instant_are_the_last_of_all_runs(
    interval: float, blocks: int, elapsed: float, since: float
) -> None:
    schedule = PeriodicSaves.every(interval / 7, blocks / 7)
    runs = list(schedule.runs(50.0, 50.0 + elapsed))
    instant = 50.0 + min(since, elapsed)
    late = list(schedule.runs(50.0, 50.0 + elapsed, instant))
    ended = sum(end <= instant for _, end in runs)
    assert late == runs[len(runs) - len(late) :]
    assert len(late) in (len(runs) - max(ended - 1, 0), len(runs) - max(ended - 2, 0))


def test_a_stretch_that_ends_with_a_save_ends_with_no_empty_run() -> None:
    assert list(PeriodicSaves.every(60.0, 5.0).runs(10.0, 75.0)) == [(10.0, 70.0)]


def test_without_checkpoints_everything_is_useful_and_nothing_is_saved() -> None:
    schedule = PeriodicSaves.never()
    assert (schedule.useful(5.0, 65.0), schedule.saved(5.0, 65.0)) == (60.0, 0.0)
    assert saving(schedule, 65.0) == [False]
    assert schedule.offset_of(60.0) == 60.0
    assert list(schedule.runs(5.0, 65.0)) == [(5.0, 65.0)]
    assert schedule.final_save(5.0, 65.0) == 0.0
    start, end = np.array([5.0, 70.0]), np.array([65.0, 70.0])
    assert schedule.each.useful(start, end).tolist() == [60.0, 0.0]
    assert schedule.each.saved(start, end).tolist() == [0.0, 0.0]
    assert not schedule.each.saving(start, end).any()


@given(whole, st.integers(0, 20), st.integers(0, 90), st.lists(st.integers(0, 2000), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_many_stretches_at_once_give_the_same_numbers(
    interval: float, blocks: int, durable_after: int, lengths: list[int]
) -> None:
    schedule = PeriodicSaves.every(interval / 7, blocks / 7, durable_after / 7)
    starts = np.arange(len(lengths)) * 1000.1
    ends = starts + np.array(lengths) / 7
    pairs = list(zip(starts.tolist(), ends.tolist(), strict=True))
    assert schedule.each.useful(starts, ends).tolist() == [schedule.useful(*pair) for pair in pairs]
    assert schedule.each.saved(starts, ends).tolist() == [schedule.saved(*pair) for pair in pairs]


def test_a_save_counts_from_its_instant_and_not_a_digit_before() -> None:
    schedule = PeriodicSaves.every(100 / 7, 2 / 7, 3 / 7)
    starts, number = np.arange(5000) / 7, np.arange(5000) % 40
    begins = starts + (schedule.first + number * schedule.cycle)
    assert schedule.each.saving(starts, begins).all()
    assert not schedule.each.saving(starts, np.nextafter(begins, 0.0)).any()
    durable = starts + (schedule.first + schedule.blocks + schedule.durable_after + number * schedule.cycle)
    held = [0.0, *(schedule.first + np.arange(40) * schedule.gap).tolist()]
    assert schedule.each.saved(starts, durable).tolist() == [held[index + 1] for index in number]
    assert schedule.each.saved(starts, np.nextafter(durable, 0.0)).tolist() == [
        held[index] for index in number
    ]
    for ends, expected in ((durable, number + 1), (np.nextafter(durable, 0.0), number)):
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        assert [schedule.saved(*pair) for pair in pairs] == [held[index] for index in expected]


def test_each_of_many_stretches_may_have_a_schedule_of_its_own() -> None:
    rng = np.random.default_rng(3)
    start, end = np.arange(50) * 1000.0, np.arange(50) * 1000.0 + rng.uniform(0, 1000, 50)
    schedules = [PeriodicSaves.every(interval, 7.0, 30.0) for interval in rng.uniform(20, 400, 50)]
    firsts, gaps = (np.array([getattr(each, name) for each in schedules]) for name in ("first", "gap"))
    many = SavesOfMany(firsts, gaps, 7.0, 30.0)
    pairs = list(zip(schedules, start.tolist(), end.tolist(), strict=True))
    assert many.useful(start, end).tolist() == [each.useful(*pair) for each, *pair in pairs]
    assert many.saved(start, end).tolist() == [each.saved(*pair) for each, *pair in pairs]
    assert many.saving(start, end).tolist() == [each.is_saving(*pair) for each, *pair in pairs]
    few = np.array([3, 1, 40])
    assert many.at(few).useful(start[few], end[few]).tolist() == many.useful(start, end)[few].tolist()
    assert [many.of(place) for place in range(50)] == schedules
