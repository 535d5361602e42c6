"""The naive simulator by itself, against what was worked out by hand."""

from __future__ import annotations

import pytest

from clustersim.scenario.model import Scenario
from tests.oracle import charge_cases, hand_cases, instant_cases, stop_cases
from tests.oracle.naive import Naive

CASES = {**hand_cases.CASES, **instant_cases.CASES, **charge_cases.CASES, **stop_cases.CASES}


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    spec, ledger, lines = CASES[name]
    naive = Naive(Scenario.model_validate(spec), 0).run()
    assert {entry: value for entry, value in naive.ledger.items() if value} == pytest.approx(ledger)
    for column, expected in lines.items():
        found = [row.get(column, 0.0) for row in naive.incidents]
        assert found == (pytest.approx(expected) if column.endswith("_s") else expected), column
