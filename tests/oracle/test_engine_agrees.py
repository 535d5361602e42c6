"""The engine, which computes, and the naive simulator, which makes an event of everything, say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.scenario.model import Scenario
from tests.oracle import charge_cases, hand_cases, instant_cases, stop_cases
from tests.oracle.agreement import disagreements
from tests.oracle.author import picking, reproducible
from tests.oracle.naive import Naive
from tests.oracle.random_families import FAMILIES
from tests.oracle.random_scenarios import scenario

EXAMPLES = 150
EXAMPLES_OF_A_FAMILY = 40
EXAMPLES_OF_A_FLEET = 300
FLEETS = ["nodes", "pools", "racks", "outages", "notices"]
"""Families of nodes that differ, leave and are replaced: so many cases that each needs more examples."""
EXAMPLES_OF_ALL = 120
DECIDED_BY_ROUNDING: list[Any] = []
"""Scenarios in which two events are due within the rounding of floats, so that either may come first."""
MOST_BY_ROUNDING = 6
"""The scenarios are always the same, two and a half thousand.  So many of them are such, all variants of two:
cards whose lifetimes are from one list, and end together at an instant that no float holds."""
CASES = {**hand_cases.CASES, **instant_cases.CASES, **charge_cases.CASES, **stop_cases.CASES}


def agree(data: st.DataObject, ties: bool, *families: str) -> None:
    spec = scenario(picking(data.draw), ties, *families)
    found = disagreements(Scenario.model_validate(spec), data.draw(st.integers(0, 1)))
    if found is None:
        DECIDED_BY_ROUNDING.append(spec)
    assert not found, spec


@reproducible(EXAMPLES)
@given(st.data())
def test_on_random_scenarios(data: st.DataObject) -> None:
    agree(data, False)


@reproducible(EXAMPLES)
@given(st.data())
def test_where_many_things_fall_on_one_instant(data: st.DataObject) -> None:
    agree(data, True)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in FLEETS])
@reproducible(EXAMPLES_OF_A_FAMILY)
@given(data=st.data())
def test_on_one_family_of_mechanisms(data: st.DataObject, family: str) -> None:
    agree(data, False, family)


@pytest.mark.parametrize("family", FLEETS)
@reproducible(EXAMPLES_OF_A_FLEET)
@given(data=st.data())
def test_on_one_family_of_fleets(data: st.DataObject, family: str) -> None:
    agree(data, False, family)


@pytest.mark.parametrize("ties", [False, True], ids=["apart", "at one instant"])
@reproducible(EXAMPLES_OF_ALL)
@given(data=st.data())
def test_on_all_families_together(data: st.DataObject, ties: bool) -> None:
    agree(data, ties, *FAMILIES)


def test_rounding_decides_next_to_nothing() -> None:
    """It runs after the random scenarios above, in their process."""
    assert len(DECIDED_BY_ROUNDING) <= MOST_BY_ROUNDING


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    """The naive simulator comes to what was worked out by hand, and the engine to all that it comes to."""
    spec, ledger, lines = CASES[name]
    naive = Naive(Scenario.model_validate(spec), 0).run()
    assert {entry: value for entry, value in naive.ledger.items() if value} == pytest.approx(ledger)
    for column, expected in lines.items():
        found = [row.get(column, 0.0) for row in naive.incidents]
        assert found == (pytest.approx(expected) if column.endswith("_s") else expected), column
    assert disagreements(Scenario.model_validate(spec)) == []
