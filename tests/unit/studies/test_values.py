"""Lists and ranges of values, by value."""

from __future__ import annotations

import pytest

from clustersim.store import ChoiceError
from clustersim.studies import values
from clustersim.studies.values import listed, value_of


def texts(given: str, step: int = 1) -> list[str]:
    return [value.text for value in listed(given, step)[0]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0,10, 20", ["0", "10", "20"]),
        ("0..40:5", ["0", "10", "20", "30", "40"]),
        ("1..100:4log", ["1", "5", "22", "100"]),
        ("1min..10min:3log", ["1 min", "3.16 min", "10 min"]),
        ("30 s..2 min:4", ["30 s", "60 s", "90 s", "120 s"]),
        ("1 min..1 h:2", ["1 min", "60 min"]),
        ("10..40 min:2", ["10 min", "40 min"]),
        ("1h30min..2h:2", ["5400 s", "7200 s"]),
        ("0.1 / 1000 gpu-days..0.4 / 1000 gpu-days:3log", ["0.1", "0.2", "0.4"]),
        ("0 %..5 %:2", ["0 %", "5 %"]),
        ("1..2:5", ["1", "2"]),
        ("1.0..2:3", ["1", "1.5", "2"]),
        ("1.0..1.02:5", ["1", "1.005", "1.01", "1.015", "1.02"]),
        ("1.0..1.01:4", ["1", "1.003", "1.007", "1.01"]),
        ("1.0499..1.0501:2", ["1.0499", "1.0501"]),
        ("5,1..3:2", ["5", "1", "3"]),
        ("10k,1.5M", ["10000", "1500000"]),
        ("hot,cold", ["hot", "cold"]),
        ("X1,X2", ["X1", "X2"]),
        ("{a: 1..3:2}, [1..3:2]", ["{a: 1..3:2}", "[1..3:2]"]),
        (
            "{lognormal: {median: 8 min, sigma: 0.4}}, 5 min",
            ["{lognormal: {median: 8 min, sigma: 0.4}}", "5 min"],
        ),
    ],
)
def test_values_of_a_list(given: str, expected: list[str]) -> None:
    found = texts(given)
    assert [text.removesuffix(" / 1000 gpu-days") for text in found] == expected


def test_sizes_are_whole_nodes_and_rounding_is_told() -> None:
    assert texts("10k..20k:3log", 8) == ["10000", "14144", "20000"]
    assert [listed(given)[1] for given in ("0..40:5", "1..9:3", "0..40:4", "1.0..2:4", "7,8")] == [
        False,
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "si"),
    [
        ("4 min", 240.0),
        ("1 h 30 min", 5400.0),
        ("5 %", 0.05),
        ("2 TB/s", 2e12),
        ("2 / 10 s", 0.2),
        ("2 per 10 s", 0.2),
        ("3 USD", 3.0),
        ("10k", 10_000.0),
        ("1.5", 1.5),
        ("hot", None),
        ("4 parsecs", None),
        ("1.0005k", None),
        ("null", None),
    ],
)
def test_values_in_si_units(text: str, si: float | None) -> None:
    assert value_of(text).si == (si if si is None else pytest.approx(si))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "an empty value; write it like"),
        ("1,,2", '"1,,2" holds an empty value'),
        ("0..40", '"0..40" does not say how many values; write it like 0..40:5'),
        ("0..40:1", '"0..40:1" asks for 1 values; a range has 2 to 100,000'),
        ("0..40:5log", '"0..40:5log" cannot reach 0 at equal ratios'),
        ("40..0:5log", "cannot reach 0 at equal ratios"),
        ("1 min..5 GB:3", '"1 min" and "5 GB" are not in the same unit'),
        ("a..b:3", '"a" does not begin with a number'),
        ("X1..X2:3", '"X1" does not begin with a number'),
        ("1 USD..5 EUR:3", "are not in the same unit"),
        ("1 parsec..2 parsec:3", '"1 parsec" has an unknown unit, "parsec"'),
        ("{a: 1", '"{a: 1" has a bracket that is not closed'),
    ],
)
def test_what_is_no_list_says_what_to_write(given: str, said: str) -> None:
    with pytest.raises(ChoiceError, match=said):
        listed(given)


def test_most_values_are_still_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MOST_VALUES", 5)
    assert texts("0..4:5") == ["0", "1", "2", "3", "4"]
    with pytest.raises(ChoiceError, match="asks for 6 values; a range has 2 to 5"):
        listed("0..5:6")
