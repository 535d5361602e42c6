"""Quantities: what is read, what is refused and how, and that what is printed reads back exactly."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim import units
from clustersim.units import Money, shown, visible, visible_lines

POSITIVE = st.floats(min_value=1e-9, max_value=1e15, allow_nan=False)
SHARES = st.just(0.0) | st.floats(min_value=1e-80, max_value=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250 ms", 0.25),
        ("5 s", 5),
        ("5s", 5),
        ("4 min", 240),
        ("1.5 h", 5400),
        ("1h30m", 5400),
        ("1 h 30 m", 5400),
        ("2 min 30 s", 150),
        ("30m10s", 1810),
        ("1 wk", 604_800),
        ("16.4 y", 517_544_640),
        ("125_000 min", 7_500_000),
        ("1e3 s", 1000),
        ("1 d 2 h 3 min 4 s 5 ms", 93_784.005),
        ("0 s", 0),
        ("  3   h ", 10_800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert units.DURATION.parse(text) == seconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5", "5 has no unit"),
        ("5 m", '"5 m" could be minutes or months'),
        ("1y6m", "could be minutes or months"),
        ("1d30m", "could be minutes or months"),
        ("3 days", 'has an unknown unit, "days"'),
        ("3 H", 'has an unknown unit, "H"'),
        ("-3 s", "is negative"),
        ("30 s 2 h", "has its units out of order"),
        ("2 h 3 h", "has its units out of order"),
        ("2 h 3", "has no unit"),
        ("nan", "is not finite"),
        (".inf", "is not finite"),
        ("-inf", "is not finite"),
        ("h", "is not understood"),
        ("", "is not understood"),
        ("1,5 h", "is not understood"),
        ("3 µs", "is not understood"),
        ("1__0 s", "is not understood"),
        ("1e999 s", 'has an unknown unit, "e"'),
        ("9" * 200 + " s", "is too long"),
    ],
)
def test_durations_that_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        units.DURATION.parse(text)
    assert 'a duration is a number and one of ms, s, min, h, d, wk, y, such as "5 min"' in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (units.SIZE, "5.3 TB", 5.3e12),
        (units.SIZE, "80GiB", 80 * 2**30),
        (units.BANDWIDTH, "2 TB/s", 2e12),
        (units.BANDWIDTH, "400 Gb / s", 5e10),
        (units.BANDWIDTH, "1 GiB/s", 2**30),
        (units.SHARE, "5 %", 0.05),
        (units.SHARE, "100%", 1),
        (units.POINTS, "0.5pp", 0.005),
        (units.TOKENS, "10 T tokens", 1e13),
        (units.TOKENS, "10T tokens", 1e13),
        (units.TOKENS, "300Gtokens", 3e11),
        (units.TOKENS, "1.5e12 tokens", 1.5e12),
        (units.MONEY, "2.35 USD", Money(2.35, "USD")),
        (units.MONEY, "65_000CNY", Money(65_000, "CNY")),
        (units.COUNT, "100_000", 100_000),
        (units.STEPS, "50 steps", 50),
        (units.STEPS, "1 step", 1),
    ],
)
def test_other_quantities(kind: units.Quantity[Any], text: str, value: object) -> None:
    assert kind.parse(text) == value
    assert re.search(kind.pattern, text)


@pytest.mark.parametrize(
    ("text", "mtbf", "part"),
    [
        ("6.5 / 1000 node-days", 1000 * 86_400 / 6.5, "node"),
        ("0.167 / 1000 gpu-days", 1000 * 86_400 / 0.167, "gpu"),
        ("148 / 884_736 gpu-days", 884_736 * 86_400 / 148, "gpu"),
        ("2 / y", 365.25 * 43_200, None),
        ("3 per day", 28_800, None),
        ("1 per week", 604_800, None),
        ("419 / 54 d", 54 * 86_400 / 419, None),
        ("7 / 54 job-days", 54 * 86_400 / 7, "job"),
        ("1 / 2 rack-years", 2 * 365.25 * 86_400, "rack"),
    ],
)
def test_rates(text: str, mtbf: float, part: str | None) -> None:
    rate = units.RATE.parse(text)
    assert rate.mtbf == pytest.approx(mtbf, rel=1e-15)
    assert rate.part == part


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (units.SHARE, "0.4", "0.4 has no unit"),
        (units.SHARE, "140 %", "is more than the whole"),
        (units.POINTS, "0.5 %", 'has an unknown unit, "%"'),
        (units.SIZE, "5 tb", 'has an unknown unit, "tb"'),
        (units.TOKENS, "10 B tokens", 'has an unknown unit, "B tokens"'),
        (units.TOKENS, "10 T tok ens", 'has an unknown unit, "T tok ens"'),
        (units.BANDWIDTH, "2 T B/s", 'has an unknown unit, "T B/s"'),
        (units.MONEY, "$2", "is not understood"),
        (units.MONEY, "2 usd", "is not understood"),
        (units.RATE, "0 / y", "is zero"),
        (units.RATE, "3 / 0 d", "in no time"),
        (units.RATE, "3 / month", "is not understood"),
        (units.OBSERVATION, "3 in 0 node-days", "is in no time"),
        (units.RATE, "6.5 / 1000 card-days", "is not understood"),
        (units.COUNT, "1.5", "is not a whole number"),
        (units.COUNT, "100k", "is not a whole number"),
        (units.STEPS, "0 steps", "is not understood"),
    ],
)
def test_other_quantities_that_are_refused(kind: units.Quantity[Any], text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        kind.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.3, "300 ms"),
        (1.5, "1.5 s"),
        (90, "1 min 30 s"),
        (240, "4 min"),
        (9000, "2 h 30 min"),
        (999.62, "999.62 s"),
        (54 * 86_400, "54 d"),
        (517_544_640, "16.4 y"),
        (93_780, "26.05 h"),
        (1_234_567, "14 d 6 h 56 min 7 s"),
        (-240, "-4 min"),
    ],
)
def test_durations_are_printed_so_that_they_read_well(seconds: float, text: str) -> None:
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (594_321, "6.9 d"),
        (-594_321, "-6.9 d"),
        (1081.3, "18 min"),
        (74.16, "74 s"),
        (0.012495, "12 ms"),
        (4e9, "130 y"),
        (2 * 31_557_600, "2 y"),
        (1.5 * 31_557_600, "550 d"),
        (86_400, "1 d"),
    ],
)
def test_rounded_durations(seconds: float, text: str) -> None:
    assert units.format_duration(seconds, 2) == text


def test_other_quantities_are_printed_so_that_they_read_well() -> None:
    assert units.format_share(0.05) == "5 %"
    assert units.format_share(0.07) == "7 %"
    assert units.format_share(1 / 3, 3) == "33.3 %"
    assert units.format_share(0, 2) == "0 %"
    assert units.format_share(0.07, 2) == "7 %"
    assert units.format_share(0.0000123, 3) == "0.00123 %"
    assert units.format_rate(0.167 / 86_400_000, "gpu") == "0.167 / 1000 gpu-days"
    assert units.format_rate(1 / 86_400) == "1000 / 1000 days"
    assert units.format_points(0.005) == "0.5 pp"
    assert units.format_size(5.3e12) == "5.3 TB"
    assert units.format_size(1e12) == "1 TB"
    assert units.format_size(1e22) == "1e+19 KB"
    assert units.format_bandwidth(2e12) == "2 TB/s"
    assert str(Money(65_000, "CNY")) == "65000 CNY"
    assert str(Money(2e15, "CNY")) == "2000000000000000 CNY"
    assert str(Money(1e16, "CNY")) == "1e+16 CNY"


@given(POSITIVE)
def test_printed_durations_parse_back_exactly(seconds: float) -> None:
    assert units.DURATION.parse(units.format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=10**12))
def test_printed_whole_seconds_parse_back_exactly(seconds: int) -> None:
    assert units.DURATION.parse(units.format_duration(float(seconds))) == seconds


@given(SHARES)
def test_printed_shares_parse_back_exactly(share: float) -> None:
    assert units.SHARE.parse(units.format_share(share)) == share
    assert units.POINTS.parse(units.format_points(share)) == share


@given(POSITIVE)
def test_other_printed_quantities_parse_back_exactly(value: float) -> None:
    assert units.SIZE.parse(units.format_size(value)) == value
    assert units.BANDWIDTH.parse(units.format_bandwidth(value)) == value
    assert units.MONEY.parse(str(Money(value, "EUR"))) == Money(value, "EUR")


@given(POSITIVE)
def test_what_is_printed_fits_the_patterns_of_the_schema(value: float) -> None:
    texts = {
        units.DURATION: units.format_duration(value),
        units.SIZE: units.format_size(value),
        units.BANDWIDTH: units.format_bandwidth(value),
        units.MONEY: str(Money(value, "USD")),
    }
    for kind, text in texts.items():
        assert re.search(kind.pattern, text), (kind.name, text)


@given(st.text(alphabet="0123456789._eE+- hmsdwky%TGBp/", max_size=20))
def test_patterns_never_refuse_what_a_parser_takes(text: str) -> None:
    for kind in units.QUANTITIES:
        try:
            kind.parse(text)
        except ValueError:
            continue
        assert re.search(kind.pattern, " ".join(text.split())), (kind.name, text)


@pytest.mark.parametrize("kind", units.QUANTITIES, ids=lambda kind: kind.name)
def test_examples_are_examples(kind: units.Quantity[Any]) -> None:
    kind.parse(kind.example)
    assert re.search(kind.pattern, kind.example)


def test_what_is_not_finite_is_not_printed() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="only finite numbers"):
            units.format_duration(value)
        with pytest.raises(ValueError, match="only finite numbers"):
            units.format_size(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, \u00e9\u00b1\u65e5\U0001f600", "plain, \u00e9\u00b1\u65e5\U0001f600"),
        ("\x1b[2J\x07\x9b\x7f", r"\x1b[2J\x07\x9b\x7f"),
        ("\u202e\u2028\ufeff\U000e0001", r"\u202e\u2028\ufeff\U000e0001"),
        ("\udc7f\udc80\udcff\udd00\ud800", r"\udc7f\x80\xff\udd00\ud800"),
        ("a\u00a0b", "a\u00a0b"),
        ("a\nb", r"a\x0ab"),
    ],
)
def test_what_a_terminal_would_obey_is_made_visible(text: str, expected: str) -> None:
    assert visible(text) == expected
    assert visible_lines(f"{text}\n") == expected.replace(r"\x0a", "\n") + "\n"


def test_values_are_named_as_they_are_written() -> None:
    found = [shown(value) for value in (True, False, None, {"a": 1}, [1], "a", 3, 0.5)]
    assert found == ["true", "false", "null", "a block", "a list", '"a"', "3", "0.5"]


def test_very_long_numbers_and_texts_are_cut_in_a_sentence() -> None:
    assert shown(10**5000) == shown(10**60) == "a whole number of more than 60 digits"
    assert shown(10**60 - 1) == "9" * 60
    assert shown("x" * 59) == f'"{"x" * 56}...'
    assert len(shown("x" * 100_000)) == 60
