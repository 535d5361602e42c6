"""The formula for the instants of saves against the rule in words, save by save."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.scenario.model import Scenario
from tests.oracle.author import reproducible
from tests.oracle.naive import Naive

durations = st.integers(1, 400)


def by_the_rule(interval: int, blocks: int, durable_after: int, step: int | None) -> list[tuple[int, int]]:
    """Begin and content of ten saves: after the interval, when the last is durable, at a whole step."""
    now = trained = 0
    durable = 0
    saves = []
    for _ in range(10):
        train = max(interval, durable - now)
        if step is not None:
            train = math.ceil((trained + train) / step) * step - trained
        now, trained = now + train, trained + train
        saves.append((now, trained))
        now += blocks
        durable = now + durable_after
    return saves


@reproducible(300)
@given(durations, st.integers(0, 100), st.integers(0, 900), st.none() | st.integers(1, 50))
def test_saves_begin_where_the_rule_puts_them(t: int, d: int, late: int, step: int | None) -> None:
    document = {
        "name": "saves",
        "cluster": {"gpus": 8},
        "failures": "none",
        "checkpoint": {"interval": f"{t} s", "blocks": f"{d} s", "durable_after": f"{late} s"},
        "workload": {} if step is None else {"step_time": f"{step} s"},
        "simulation": {"horizon": "1 d"},
    }
    tiers = Naive(Scenario.model_validate(document), 0).tiers
    tiers.plan(0.0, 0.0)
    for begin, content in by_the_rule(t, d, late, step):
        assert tiers.due(0) == pytest.approx(content, abs=1e-6)
        assert tiers.due(0) + tiers.stood() == pytest.approx(begin, abs=1e-6)
        tiers.begun[0] += 1
