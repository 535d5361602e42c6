"""Times as they are written in cells: seconds since 1970, or from the start."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clustersim.logs.times import LONGEST_S, TimeCells, ZoneNeeded, in_words, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 5, 1, 3, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2026-05-01T05:30:00", AT),
        ("2026-05-01 05:30", AT),
        ("2026-5-1 5:30", AT),
        ("2026/05/01 05:30:00", AT),
        ("2026.05.01", AT - 5.5 * 3600),
        ("2026-W18-5", AT - 5.5 * 3600),
        ("2026-05-01T03:30:00Z", AT),
        ("2026/05/01 03:30Z", AT),
        ("2026/05/01 03:30 UTC", AT),
        ("2026/05/01 03:30 GMT", AT),
        ("2026/05/01 11:30 +08:00", AT),
        ("2026/05/01 11:30+08", AT),
        ("2026/05/01 00:00 UTC-0330", AT),
        ("2026/05/01 05:30:01.5", AT + 1.5),
        ("2026/05/01 05:30:01,000250", AT + 1.00025),
        ("2026/05/01 05:30:01.000000999", AT + 1),
        ("2026-01-01 01:00", datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
        ("2026-03-29 01:30", datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp()),
        ("2026-03-29 03:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC).timestamp()),
        ("2026-10-25 03:30", datetime(2026, 10, 25, 2, 30, tzinfo=UTC).timestamp()),
        ("1777606200", AT),
        ("1777606200.25", AT + 0.25),
        ("1_777_606_200", AT),
        ("1777606200250", AT + 0.25),
        ("1777606200250000", AT + 0.25),
        ("1777606200250000000", AT + 0.25),
        ("100000000", 1e8),
        ("99999999999", 99999999999),
        ("100000000000", 1e8),
    ],
)
def test_an_instant_in_any_writing_is_the_same(cell: str, seconds: float) -> None:
    """Half past three in UTC is half past five in Berlin in summer; a number may be of milliseconds."""
    assert TimeCells(zone=BERLIN).read(cell) == (pytest.approx(seconds, abs=1e-6), True)


@pytest.mark.parametrize(
    ("cell", "seconds"), [("3.5 h", 12600), ("0 s", 0), ("2 d", 172800), ("90 min", 5400), ("250 ms", 0.25)]
)
def test_a_length_of_time_counts_from_the_start(cell: str, seconds: float) -> None:
    cells = TimeCells(zone=BERLIN)
    for _ in range(2):
        assert cells.read(cell) == (seconds, False)
        assert cells.duration(cell) == seconds


@pytest.mark.parametrize(("cell", "seconds"), [("3.5", 12600), ("0", 0), ("1_000", 3.6e6), ("1e2", 3.6e5)])
def test_a_plain_number_has_the_unit_of_its_column(cell: str, seconds: float) -> None:
    cells = TimeCells("time_h", 3600.0)
    assert cells.read(cell) == (seconds, False)
    assert cells.duration(cell) == seconds


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("99999999", "99999999 has no unit; write 99999999 h, or name the column time_h"),
        ("0.5", "0.5 has no unit; write 0.5 h"),
        ("0", "0 has no unit; write 0 h"),
        ("-5", '"-5" is negative; a time is counted from the start'),
        ("5:30", '"5:30" is a time of day without its date'),
        ("1/5/2026", '"1/5/2026": day and month may be either'),
        ("2026-13-01 00:00", "is no date"),
        ("2026/05/01 05:30 CEST", '"CEST" behind a date is no offset that means one zone only'),
        ("2026/05/01 05:30 +24:00", "is no offset"),
        ("2026/05/01 05:30 +08:60", "is no offset"),
        ("400000000001 d", '"400000000001 d" is longer than 1,000,000,000 years; give a shorter one'),
        ("3 parsec", '"3 parsec" is not understood as a time; give a date'),
        ("2026-03-29 02:30", '"2026-03-29 02:30" never was in Europe/Berlin: clocks went forward'),
        ("2026-10-25 02:30", '"2026-10-25 02:30" was twice in Europe/Berlin: clocks went back;'),
        ("2026-10-25 02:30", "clocks went back; write its offset behind it, +02:00 or +01:00"),
        ("soon", '"soon" is not understood as a time; give a date'),
        ("", '"" is not understood; a duration is a number and'),
    ],
)
def test_what_is_no_instant_is_refused(cell: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        TimeCells(zone=BERLIN).read(cell)


def test_a_number_of_any_length_is_refused_in_a_short_sentence() -> None:
    """One of 400 digits is more than a float holds."""
    for cells in (TimeCells().read, TimeCells().duration):
        with pytest.raises(ValueError, match=r"^9{56}\.\.\. has no unit; write 9{56}\.\.\. h, or name"):
            cells("9" * 400)


@pytest.mark.parametrize(
    ("zone", "cell", "offsets"),
    [
        ("America/New_York", "2026-11-01 01:30", "-04:00 or -05:00"),
        ("Europe/London", "2026-10-25 01:30", "+01:00 or +00:00"),
        ("America/Havana", "2026-11-01 00:30", "-04:00 or -05:00"),  # from 1:00 back to midnight
    ],
)
def test_a_time_that_was_twice_is_told_with_the_offsets_of_its_zone(
    zone: str, cell: str, offsets: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"write its offset behind it, {offsets}")):
        TimeCells(zone=ZoneInfo(zone)).read(cell)


def test_a_local_time_needs_a_zone_and_no_other_does() -> None:
    cells = TimeCells()
    for local in ("2026-05-01T05:30", "2026/05/01 05:30"):
        with pytest.raises(ZoneNeeded, match=f'"{local}" is a local time without a zone'):
            cells.read(local)
    assert cells.read("2026-05-01T05:30+02:00") == cells.read("1777606200") == (AT, True)


def test_a_number_of_a_column_with_a_unit_is_plain_and_not_too_long() -> None:
    cells = TimeCells("gone_h", 3600.0)
    for cell, says in (
        ("3 h", "is not a plain number; give one such as 3.5, or call it gone"),
        ("3,5", "write 3.5 with a point"),
        (f"{LONGEST_S:.0f}", "is longer than 1,000,000,000 years"),
        ("-1", "is not a plain number"),
    ):
        with pytest.raises(ValueError, match=says):
            cells.read(cell)
    with pytest.raises(ValueError, match=r"give one such as 3\.5$"):
        TimeCells("x", 1.0).read("soon")
    assert TimeCells("x", 1.0).read(f"{LONGEST_S:.0f}") == (LONGEST_S, False)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("utc", 0),
        ("z", 0),
        ("gmt", 0),
        ("+08:00", 8),
        ("-0330", -3.5),
        ("UTC+2", None),
        ("+23:59", 23 + 59 / 60),
    ],
)
def test_a_zone_may_be_an_offset(name: str, hours: float | None) -> None:
    if hours is None:
        with pytest.raises(ValueError, match="is no time zone that is known here"):
            zone_of(name)
    else:
        assert zone_of(name).utcoffset(None) == timedelta(hours=hours)


def test_times_in_sentences() -> None:
    assert in_words(AT, True) == "2026-05-01T03:30:00Z"
    assert in_words(5400.0, False) == "1.5 h"
    assert in_words(12345.0, False) == "3.429 h"
    assert in_words(1e15, True) == "1e+15 s since 1970"
