"""A mode's own time."""

import math

import pytest
import simpy

from clustersim.engine.failures.clock import ModeClock, Tempo


@pytest.mark.parametrize(
    ("calendar", "passed"), [(0.0, 0.0), (5.0, 15.0), (10.0, 30.0), (20.0, 30.0), (24.0, 34.0)]
)
def test_a_tempo_passes_at_its_factor_in_each_period(calendar: float, passed: float) -> None:
    tempo = Tempo(((0.0, 3.0), (10.0, 0.0), (20.0, 1.0)))
    assert tempo.passed(calendar) == passed


def test_a_tempo_adds_up_its_periods() -> None:
    assert Tempo(((0.0, 3.0), (10.0, 0.5), (20.0, 1.0))).passed(24.0) == 30.0 + 5.0 + 4.0


@pytest.mark.parametrize("passed", [0.0, 7.5, 30.0, 30.5, 100.0])
def test_the_instant_of_an_own_time_is_the_inverse(passed: float) -> None:
    tempo = Tempo(((0.0, 3.0), (10.0, 0.5), (20.0, 1.0)))
    assert tempo.passed(tempo.when(passed)) == pytest.approx(passed)


def test_a_tempo_that_ends_at_zero_never_gets_there() -> None:
    assert Tempo(((0.0, 1.0), (10.0, 0.0))).when(10.5) == math.inf


def test_what_is_due_as_a_tempo_falls_to_zero_comes_then_and_not_when_it_rises_again() -> None:
    assert Tempo(((0.0, 3.0), (10.0, 0.0), (20.0, 1.0))).when(30.0) == 10.0
    assert Tempo(((0.0, 1.0), (10.0, 0.0))).when(10.0) == 10.0


def test_a_training_clock_counts_only_while_it_runs() -> None:
    env = simpy.Environment()
    clock = ModeClock(env, tempo=None, running=False)
    readings = []
    for until, act in ((10.0, clock.start), (25.0, clock.stop), (40.0, clock.start)):
        env.run(until=until)
        act()
        readings.append(clock.read())
    assert readings == [0.0, 15.0, 15.0]
    assert clock.when(20.0) == 45.0


def test_a_training_clock_has_the_tempo_of_the_calendar() -> None:
    env = simpy.Environment(initial_time=5.0)
    clock = ModeClock(env, Tempo(((0.0, 2.0), (10.0, 1.0))), running=False)
    clock.start()
    env.run(until=15.0)
    assert clock.read() == 5 * 2 + 5 * 1
    assert clock.when(20.0) == 20.0
