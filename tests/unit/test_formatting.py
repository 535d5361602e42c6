import math

import pytest

from clustersim.formatting import duration, measured, money, percent, plus_minus, points, whole


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (0.52937, 0.0041, "0.529"),
        (0.52937, 0.00141, "0.5294"),
        (45_651.1, 636.0, "45,700"),
        (45_651.1, 1_360.0, "45,700"),
        (-0.0004, 0.02, "0.00"),
        (-12.34, 0.5, "\u221212.3"),
        (0.123456, 0.0, "0.1235"),
        (0.123456, None, "0.12"),
        (0.0, 0.0, "0"),
        (None, 0.1, "—"),
        (math.inf, 0.1, "—"),
    ],
)
def test_no_more_digits_than_the_interval_supports(
    value: float | None, width: float | None, text: str
) -> None:
    assert measured(value, width) == text


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (0.52937, 0.0041, "0.529 ± 0.004"),
        (45_651.1, 636.0, "45,700 ± 600"),
        (0.5, 0.0, "0.5000"),
        (0.5, None, "0.50"),
    ],
)
def test_plus_minus(value: float, width: float | None, text: str) -> None:
    assert plus_minus(value, width) == text


@pytest.mark.parametrize(
    ("share", "width", "text"),
    [
        (0.3604, 0.006, "36 %"),
        (0.3604, 0.0006, "36.0 %"),
        (0.0001, 0.00001, "<0.1 %"),
        (0.0, 0.0, "0.0 %"),
        (0.5, None, "50 %"),
    ],
)
def test_percent(share: float, width: float | None, text: str) -> None:
    assert percent(share, width) == text


def test_differences_show_their_sign() -> None:
    assert points(0.034, 0.002) == "+3.4 ± 0.2 pp"
    assert points(-0.405, 0.014) == "\u221240.5 ± 1.4 pp"


@pytest.mark.parametrize(
    ("seconds", "width", "text"),
    [
        (595.0, 12.0, "9.9 min"),
        (595.0, 150.0, "10 min"),
        (86_400.0 * 12.34, 3 * 86_400.0, "12 d"),
        (1002.26, 20.0, "16.7 min"),
        (3600.0, 0.0, "1 h"),
        (5.0, None, "5 s"),
        (None, 1.0, "—"),
    ],
)
def test_durations(seconds: float | None, width: float | None, text: str) -> None:
    assert duration(seconds, width) == text


def test_money_and_whole_numbers() -> None:
    assert money(69_860_218.8, "CNY", 965_469.0) == "69.9 million CNY"
    assert money(4.0617, "USD", 0.056) == "4.06 USD"
    assert money(None, "USD") == "—"
    assert whole(100_000) == "100,000"
