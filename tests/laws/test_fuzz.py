"""A short run of the fuzzer, and that it would find something."""

import pytest

from clustersim.scenario.text import reader
from tests.fuzz import Fuzzer


def test_a_hundred_hostile_scenarios() -> None:
    fuzzer = Fuzzer(seed=3, simulate=5, share=1.0)
    for number in range(100):
        fuzzer.tries(number)
    assert fuzzer.findings == []
    assert fuzzer.count["refused"] > 50
    assert fuzzer.count["accepted"] > 10
    assert fuzzer.count["simulated"] == 5


def test_a_crash_is_found_with_the_number_that_makes_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(reader, "resolve", broken)
    fuzzer = Fuzzer(seed=3, simulate=0)
    for number in range(20):
        fuzzer.tries(number)
    assert 0 < len(fuzzer.findings) < 20
    assert "--seed 3 --first" in fuzzer.findings[0]
    assert "ZeroDivisionError: secret" in fuzzer.findings[0]
