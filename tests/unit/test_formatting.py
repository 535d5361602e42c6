import math

import pytest

from clustersim.formatting import (
    PrintedShares,
    certain,
    counted,
    duration,
    largest_remainder,
    measured,
    money,
    percent,
    places,
    plus_minus,
    points,
    significant,
    whole,
)


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
        (None, 0.1, "—"),
        (math.nan, 0.1, "—"),
        (math.inf, 0.1, "—"),
        (0.5, 0.5e-6, "0.5000"),
        (0.5, 1.1e-6, "0.5000000 ± 0.0000011"),
    ],
)
def test_plus_minus(value: float | None, width: float | None, text: str) -> None:
    assert plus_minus(value, width) == text


@pytest.mark.parametrize(
    ("share", "width", "text"),
    [
        (0.3604, 0.006, "36 %"),
        (0.3604, 0.0006, "36.0 %"),
        (0.0001, 0.00001, "<0.1 %"),
        (0.0, 0.0, "0.0 %"),
        (0.5, None, "50 %"),
        (0.00497, None, "<1 %"),
        (0.005, None, "<1 %"),
        (0.00503, None, "1 %"),
        (None, None, "—"),
        (math.nan, 0.1, "—"),
    ],
)
def test_percent(share: float | None, width: float | None, text: str) -> None:
    assert percent(share, width) == text


def test_differences_show_their_sign() -> None:
    assert points(0.034, 0.002) == "+3.4 ± 0.2 pp"
    assert points(-0.405, 0.014) == "\u221240.5 ± 1.4 pp"
    assert points(0.0, 0.014) == "0.0 ± 1.4 pp"
    assert points(0.034, None) == "+3.4 pp"
    assert points(0.034, 0.0199) == "+3.4 ± 2.0 pp"


@pytest.mark.parametrize(
    ("seconds", "width", "text"),
    [
        (595.0, 12.0, "9.9 min"),
        (595.0, 150.0, "10 min"),
        (86_400.0 * 12.34, 3 * 86_400.0, "12 d"),
        (1002.26, 20.0, "16.7 min"),
        (3600.0, 0.0, "1 h"),
        (5.0, None, "5 s"),
        (12_345.6, None, "3.4 h"),
        (12_345.6, 0.0, "3.43 h"),
        (595.0, 10_000.0, "10 min"),
        (595.0, 0.001, "9.92 min"),
        (0.0, 12.0, "0 s"),
        (None, 1.0, "—"),
        (math.inf, 1.0, "—"),
    ],
)
def test_durations(seconds: float | None, width: float | None, text: str) -> None:
    assert duration(seconds, width) == text
    assert seconds is None or seconds == 0 or duration(-seconds, width).endswith(text)


def test_money_and_whole_numbers() -> None:
    assert money(69_860_218.8, "CNY", 965_469.0) == "69.9 million CNY"
    assert money(4.0617, "USD", 0.056) == "4.06 USD"
    assert money(None, "USD") == "—"
    assert money(math.inf, "USD") == "—"
    assert money(2.5e12, "CNY") == "2.5 trillion CNY"
    assert money(1e12, "CNY", 3e10) == "1.00 trillion CNY"
    assert money(3.214e9, "CNY", 2e7) == "3.21 billion CNY"
    assert money(1e9, "CNY", 0.0) == "1.000 billion CNY"
    assert money(1e6, "CNY", 0.0) == "1.000 million CNY"
    assert money(-27.4e6, "CNY", 2e5) == "\u221227.4 million CNY"
    assert money(999_000.0, "CNY", 2e3) == "999,000 CNY"
    assert whole(100_000) == "100,000"
    assert [counted(count, "replication") for count in (0, 1, 1200)] == [
        "0 replications", "1 replication", "1,200 replications",
    ]  # fmt: skip


@pytest.mark.parametrize("power", range(-12, 7))
def test_a_half_width_that_begins_with_1_supports_one_digit_more(power: int) -> None:
    for leading, more in ((1.0, 1), (1.99, 1), (2.0, 0), (9.99, 0)):
        assert places(leading * 10.0**power) == -power + more


def test_a_half_width_of_rounding_alone_leaves_a_figure_certain() -> None:
    assert certain(-2.0, 2e-6)
    assert certain(0.0, 0.0)
    assert not certain(2.0, 2.1e-6)
    assert not certain(2.0, None)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (12_345.6, 2, "12,000"),
        (0.001234, 3, "0.00123"),
        (-9.96, 2, "\u221210.0"),
        (0.0, 3, "0"),
        (math.nan, 3, "—"),
        (1.0, 1, "1"),
    ],
)
def test_significant_digits(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


def test_shares_of_one_whole_add_up_as_they_are_printed() -> None:
    assert largest_remainder({"a": 2.9999999999, "b": 1.0}, 4) == {"a": 3, "b": 1}
    assert largest_remainder({"a": 1.0, "b": 1.0}, 1) == {"a": 1, "b": 1}
    printed = PrintedShares.of({"a": 0.6154, "b": 0.3843, "c": 0.0003, "d": 0.0}, 1, 1.0)
    assert printed.text("a") == "61.6 %"
    assert printed.text("a", "b") == "100.0 %"
    assert printed.share("a", "b") == 1.0
    assert [printed.text(*names) for names in (["c"], ["d"], ["d", "c"], ["nobody"])] == [
        "<0.1 %", "0", "<0.1 %", "0",
    ]  # fmt: skip
    assert PrintedShares.of({"a": 0.004}, 0, 0.004).text("a") == "<1 %"
