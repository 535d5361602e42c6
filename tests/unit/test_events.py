"""Events at given instants: their order, and that it is SimPy's own."""

from __future__ import annotations

import math

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from clustersim.engine.environment import Environment
from clustersim.engine.events import COMPLETION, FAILURE, HORIZON, WINDOW, At

Plan = list[tuple[int, int, int]]
"""Events: when each is due (in quarters of a second), its priority, and how long after it another follows."""


def test_at_one_instant_completions_come_before_failures_windows_and_the_horizon() -> None:
    env, seen = Environment(), []
    order = {"horizon": HORIZON, "window": WINDOW, "second": FAILURE + 7, "first": FAILURE, "end": COMPLETION}
    for name, priority in order.items():
        At(env, 5.0, priority, lambda _, name=name: seen.append((env.now, name)))
    env.run()
    assert seen == [(5.0, name) for name in ("end", "first", "second", "window", "horizon")]


def test_an_instant_that_has_passed_by_rounding_is_now() -> None:
    env = Environment(initial_time=10.0)
    seen: list[float] = []
    At(env, math.nextafter(10.0, 0.0), COMPLETION, lambda _: seen.append(env.now))
    env.run()
    assert seen == [10.0]


def history(env: simpy.Environment, plan: Plan, until: float | None = None) -> list[tuple[float, str]]:
    """Return what happens when, up to the event at *until* (s) if that is stated."""
    seen: list[tuple[float, str]] = []

    def happen(name: str, follows: int) -> None:
        seen.append((env.now, name))
        if follows:
            At(env, env.now + follows / 4, COMPLETION, lambda _: happen(f"after {name}", 0))

    for number, (quarters, priority, follows) in enumerate(plan):
        At(
            env,
            quarters / 4,
            priority,
            lambda _, number=number, follows=follows: happen(str(number), follows),
        )
    end = env.event()
    if until is not None:
        At(env, until, HORIZON, lambda _: end.succeed())
    env.run(None if until is None else end)
    return [*seen, (env.now, "end")]


@given(
    plan=st.lists(st.tuples(st.integers(0, 40), st.sampled_from((COMPLETION, FAILURE)), st.integers(0, 8))),
    until=st.none() | st.integers(0, 40).map(float),
)
def test_events_happen_as_in_a_plain_simpy_environment(plan: Plan, until: float | None) -> None:
    assert history(Environment(), plan, until) == history(simpy.Environment(), plan, until)


def test_simpy_processes_and_timeouts_go_on_in_it() -> None:
    env, seen = Environment(initial_time=1.0), []

    def process() -> simpy.events.ProcessGenerator:
        for _ in range(3):
            yield env.timeout(2.0)
            seen.append(env.now)
        return "done"

    assert env.run(until=env.process(process())) == "done"
    assert seen == [3.0, 5.0, 7.0]
    env.run(until=9.5)
    assert env.now == 9.5


def test_an_event_that_never_happens_is_a_mistake_of_the_caller() -> None:
    env = Environment()
    with pytest.raises(IndexError):
        env.run(until=env.event())
