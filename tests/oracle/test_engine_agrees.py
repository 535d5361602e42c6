"""The engine, which computes, and the naive simulator, which makes an event of everything, say the same."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from sim.scenario.model import Scenario
from tests.oracle.agreement import disagreements
from tests.oracle.random_scenarios import scenario

EXAMPLES = 1200
reproducible = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@reproducible
@given(st.data())
def test_on_random_scenarios(data: st.DataObject) -> None:
    spec = scenario(data.draw, ties=False)
    found = disagreements(Scenario.model_validate(spec), data.draw(st.integers(0, 1)), odd=True)
    assume(found is not None)
    assert found == [], spec


@reproducible
@given(st.data())
def test_where_many_things_fall_on_one_instant(data: st.DataObject) -> None:
    spec = scenario(data.draw, ties=True)
    found = disagreements(Scenario.model_validate(spec), data.draw(st.integers(0, 1)))
    assume(found is not None)
    assert found == [], spec
