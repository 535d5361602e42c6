"""Quantities: what is read, what is refused and how, and that what is printed reads back exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim import units
from clustersim.units import Money, Rate

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
    assert units.parse_duration(text) == seconds


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
        units.parse_duration(text)
    assert 'a duration is a number and one of ms, s, min, h, d, wk, y, such as "5 min"' in str(caught.value)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_size, "5.3 TB", 5.3e12),
        (units.parse_size, "80GiB", 80 * 2**30),
        (units.parse_bandwidth, "2 TB/s", 2e12),
        (units.parse_bandwidth, "400 Gb/s", 5e10),
        (units.parse_bandwidth, "1 GiB/s", 2**30),
        (units.parse_share, "5 %", 0.05),
        (units.parse_share, "100%", 1),
        (units.parse_points, "0.5pp", 0.005),
        (units.parse_tokens, "10 T tokens", 1e13),
        (units.parse_tokens, "10T tokens", 1e13),
        (units.parse_tokens, "300Gtokens", 3e11),
        (units.parse_tokens, "1.5e12 tokens", 1.5e12),
        (units.parse_money, "2.35 USD", Money(2.35, "USD")),
        (units.parse_money, "65_000CNY", Money(65_000, "CNY")),
        (units.parse_count, "100_000", 100_000),
        (units.parse_steps, "50 steps", 50),
        (units.parse_steps, "1 step", 1),
    ],
)
def test_other_quantities(parse: object, text: str, value: object) -> None:
    assert callable(parse)
    assert parse(text) == value


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
    rate = units.parse_rate(text)
    assert rate.mtbf == pytest.approx(mtbf, rel=1e-15)
    assert rate.part == part


@pytest.mark.parametrize(
    ("parse", "text", "why"),
    [
        (units.parse_share, "0.4", "0.4 has no unit"),
        (units.parse_share, "140 %", "is more than the whole"),
        (units.parse_points, "0.5 %", 'has an unknown unit, "%"'),
        (units.parse_size, "5 tb", 'has an unknown unit, "tb"'),
        (units.parse_tokens, "10 B tokens", 'has an unknown unit, "B tokens"'),
        (units.parse_money, "$2", "is not understood"),
        (units.parse_money, "2 usd", "is not understood"),
        (units.parse_rate, "0 / y", "is zero"),
        (units.parse_rate, "3 / 0 d", "in no time"),
        (units.parse_rate, "3 / month", "is not understood"),
        (units.parse_rate, "6.5 / 1000 card-days", "is not understood"),
        (units.parse_count, "1.5", "is not a whole number"),
        (units.parse_count, "100k", "is not a whole number"),
        (units.parse_steps, "0 steps", "is not understood"),
    ],
)
def test_other_quantities_that_are_refused(parse: object, text: str, why: str) -> None:
    assert callable(parse)
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)


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
        (-240, "-4 min"),
    ],
)
def test_durations_are_printed_so_that_they_read_well(seconds: float, text: str) -> None:
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(594_321, "6.9 d"), (1081.3, "18 min"), (74.16, "74 s"), (0.01234, "12 ms"), (4e9, "130 y")],
)
def test_rounded_durations(seconds: float, text: str) -> None:
    assert units.format_duration(seconds, 2) == text


def test_other_quantities_are_printed_so_that_they_read_well() -> None:
    assert units.format_share(0.05) == "5 %"
    assert units.format_share(0.07) == "7 %"
    assert units.format_share(1 / 3, 3) == "33.3 %"
    assert units.format_points(0.005) == "0.5 pp"
    assert units.format_size(5.3e12) == "5.3 TB"
    assert units.format_bandwidth(2e12) == "2 TB/s"
    assert units.format_tokens(1e13) == "10 T tokens"
    assert str(Money(65_000, "CNY")) == "65000 CNY"
    assert units.format_count(100_000) == "100_000"
    assert units.format_rate(units.parse_rate("6.5 / 1000 node-days")) == "6.5 / 1000 node-days"
    assert units.format_rate(units.parse_rate("2 / y")) == "2 / y"


@given(POSITIVE)
def test_printed_durations_parse_back_exactly(seconds: float) -> None:
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=10**12))
def test_printed_whole_seconds_parse_back_exactly(seconds: int) -> None:
    assert units.parse_duration(units.format_duration(float(seconds))) == seconds


@given(SHARES)
def test_printed_shares_parse_back_exactly(share: float) -> None:
    assert units.parse_share(units.format_share(share)) == share
    assert units.parse_points(units.format_points(share)) == share


@given(POSITIVE)
def test_other_printed_quantities_parse_back_exactly(value: float) -> None:
    assert units.parse_size(units.format_size(value)) == value
    assert units.parse_bandwidth(units.format_bandwidth(value)) == value
    assert units.parse_tokens(units.format_tokens(value)) == value
    assert units.parse_money(units.format_money(Money(value, "EUR"))) == Money(value, "EUR")


@given(POSITIVE, st.sampled_from([None, *units.PARTS]))
def test_printed_rates_parse_back_exactly(mtbf: float, part: str | None) -> None:
    assert units.parse_rate(units.format_rate(Rate(mtbf, part))) == Rate(mtbf, part)


@given(st.integers(min_value=0, max_value=10**18))
def test_printed_counts_parse_back_exactly(count: int) -> None:
    assert units.parse_count(units.format_count(count)) == count


@given(POSITIVE, st.sampled_from(units.PARTS))
def test_what_is_printed_fits_the_patterns_of_the_schema(value: float, part: str) -> None:
    texts = {
        units.DURATION: units.format_duration(value),
        units.SIZE: units.format_size(value),
        units.BANDWIDTH: units.format_bandwidth(value),
        units.TOKENS: units.format_tokens(value),
        units.MONEY: units.format_money(Money(value, "USD")),
        units.RATE: units.format_rate(Rate(value, part)),
    }
    for kind, text in texts.items():
        assert re.search(kind.pattern, text), (kind.name, text)


@given(st.text(alphabet="0123456789._eE+- hmsdwky%TGBp/", max_size=20))
def test_patterns_never_refuse_what_a_parser_takes(text: str) -> None:
    for kind, parse in units.PARSERS.items():
        try:
            parse(text)
        except ValueError:
            continue
        assert re.search(kind.pattern, " ".join(text.split())), (kind.name, text)


@pytest.mark.parametrize("kind", units.PARSERS, ids=lambda kind: kind.name)
def test_examples_are_examples(kind: units.Quantity) -> None:
    units.PARSERS[kind](kind.example)
    assert re.search(kind.pattern, kind.example)


def test_what_is_not_finite_is_not_printed() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="only finite numbers"):
            units.format_duration(value)
        with pytest.raises(ValueError, match="only finite numbers"):
            units.format_size(value)
