"""Times as logs write them: dates with or without a zone, seconds since 1970, times from the start.

`TimeCells(zone=ZoneInfo("Europe/Berlin")).read("2026-05-01T03:30:00")` is (1777599000.0, True): seconds since
1970.  `read("3.5 h")` is (12600.0, False): seconds from the start, which the log itself need not know.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clustersim.units import DAY, DURATION, HOUR, MINUTE, NUMBER, format_duration, shown

UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "min": MINUTE, "h": HOUR, "d": DAY}
"""Units that the name of a column may carry, as in `time_h`."""
_WORDS = {
    "ms": ("millis", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "min": ("mins", "minute", "minutes"),
    "h": ("hour", "hours"),
    "d": ("day", "days"),
}
UNIT_WORDS = {word: UNITS[unit] for unit, words in _WORDS.items() for word in (unit, *words)}
LONGEST_S = 1e9 * 365.25 * DAY
MISSING = frozenset(("", "nan", "na", "n/a", "nat", "none", "null", "-", "--", "unknown", "<na>"))
"""What stands in a cell of which nothing is known, in small letters."""
ZONE_NEEDED = (
    "is a local time without a zone; say which (--timezone, in a scenario replay.timezone), such as"
    " Europe/Berlin or UTC"
)
_EPOCH = datetime(1970, 1, 1)
_EPOCHS = ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (math.inf, 1e-9))
"""Up to which number seconds, milliseconds, microseconds and nanoseconds since 1970 are meant."""
_EARLIEST_EPOCH = 1e8
"""Smaller numbers would be seconds of 1970 to 1973: a count that lacks its unit."""
_SIGNED = re.compile(rf"-?(?:{NUMBER})")
_LOOSE = re.compile(
    r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"
    r"(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)? ?(.*)"
)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([01][0-9]|2[0-3]):?([0-5][0-9])?")
_TIME_OF_DAY = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_AMBIGUOUS = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}")


class ZoneNeeded(ValueError):  # noqa: N818
    """A local time in a log of which nobody has said the zone."""


def zone_of(name: str) -> tzinfo:
    """Return the zone that *name* says, `Europe/Berlin`, `UTC` or `+08:00`; ValueError if none does."""
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if offset := _offset(name):
        return offset
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        why = f"{shown(name)} is no time zone that is known here"
        raise ValueError(f"{why}; give one such as Europe/Berlin, UTC or +08:00") from None


def _offset(text: str) -> tzinfo | None:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    delta = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-delta if match[1] == "-" else delta)


def in_words(seconds: float, dated: bool) -> str:
    """Return a time in a sentence: as a date where it is *dated*, since 1970, or else as a duration."""
    if not dated:
        return format_duration(seconds, 4)
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds") + "Z"
    except OverflowError:
        return f"{seconds:.3g} s since 1970"


def is_missing(cell: str) -> bool:
    """Whether a cell says nothing."""
    return cell.casefold() in MISSING


class TimeCells:
    """The cells of one column of times: its *name*, the *unit* (s) of plain numbers, the zone of dates.

    No *name* is given where the column may not have a unit in it.
    """

    def __init__(self, name: str = "time", unit: float | None = None, zone: tzinfo | None = None) -> None:
        self._name = name
        self._unit = unit
        self._zone = zone
        self._offsets: dict[date, float | None] = {}
        self._durations: dict[str, float] = {}

    def read(self, cell: str) -> tuple[float, bool]:
        """Return the seconds of *cell*, and whether they are those since 1970; raises ValueError."""
        if self._unit is not None:
            return self._plain(cell, self._unit), False
        if len(cell) >= 10 and cell[4] == "-":
            try:
                return self._instant(datetime.fromisoformat(cell), cell), True
            except ZoneNeeded:
                raise
            except ValueError:
                pass
        return self._otherwise(cell)

    def duration(self, cell: str) -> float:
        """Return the seconds of a length of time; raises ValueError."""
        if self._unit is not None:
            return self._plain(cell, self._unit)
        seconds = self._durations.get(cell)
        if seconds is None:
            if re.fullmatch(NUMBER, cell):
                raise self._without_unit(cell)
            seconds = self._durations[cell] = _not_too_long(DURATION.parse(cell), cell)
        return seconds

    def _otherwise(self, cell: str) -> tuple[float, bool]:
        """Read what is no date in the order of ISO 8601."""
        if _SIGNED.fullmatch(cell):
            return self._since_1970(cell), True
        if (loose := _LOOSE.fullmatch(cell)) is not None:
            return self._instant(_dated(loose, cell), cell), True
        if _TIME_OF_DAY.match(cell):
            raise ValueError(f"{shown(cell)} is a time of day without its date; put both into one cell")
        if _AMBIGUOUS.match(cell):
            why = f"{shown(cell)}: day and month may be either"
            raise ValueError(f"{why}; write the year first, as 2026-05-01 03:30")
        try:
            return self.duration(cell), False
        except ValueError as error:
            if not cell or ("is not understood" not in str(error) and "unknown unit" not in str(error)):
                raise
            examples = "a date such as 2026-05-01T03:30:00+02:00, seconds since 1970, or 3.5 h from the start"
            raise ValueError(f"{shown(cell)} is not understood as a time; give {examples}") from None

    def _since_1970(self, cell: str) -> float:
        number = float(cell)
        if not _EARLIEST_EPOCH <= number < math.inf:
            if number < 0:
                raise ValueError(f"{shown(cell)} is negative; a time is counted from the start")
            raise self._without_unit(cell)
        return number * next(scale for limit, scale in _EPOCHS if number < limit)

    def _without_unit(self, cell: str) -> ValueError:
        number = shown(cell).replace('"', "")
        named = f", or name the column {self._name}_h" if self._name else ""
        return ValueError(f"{number} has no unit; write {number} h{named}")

    def _plain(self, cell: str, unit: float) -> float:
        if not re.fullmatch(NUMBER, cell):
            plain = self._name.partition("_")[0]
            remedy = "give one such as 3.5" + f", or call it {plain}" * (plain != self._name)
            if re.fullmatch(r"[0-9]+,[0-9]+", cell):
                remedy = f"write {cell.replace(',', '.')} with a point"
            raise ValueError(f"{shown(cell)} is not a plain number; {remedy}")
        return _not_too_long(float(cell) * unit, cell)

    def _instant(self, moment: datetime, cell: str) -> float:
        """Return the seconds since 1970 of a moment that the zone knows once, and not twice or never."""
        if moment.tzinfo is not None:
            return moment.timestamp()
        if self._zone is None:
            raise ZoneNeeded(f"{shown(cell)} {ZONE_NEEDED}")
        day = moment.date()
        if day not in self._offsets:
            self._offsets[day] = self._offset_of(day)
        offset = self._offsets[day]
        if offset is None:
            offset = self._offset_at(moment, cell)
        return (moment - _EPOCH).total_seconds() - offset

    def _offset_of(self, day: date) -> float | None:
        """Return how far the zone is ahead (s) on a day, or nothing where that changes on it."""
        ends = (datetime.combine(day, time.min), datetime.combine(day, time.max))
        offsets = {_ahead(moment.replace(fold=fold), self._zone) for moment in ends for fold in (0, 1)}
        return offsets.pop() if len(offsets) == 1 else None

    def _offset_at(self, moment: datetime, cell: str) -> float:
        first, second = (_ahead(moment.replace(fold=fold), self._zone) for fold in (0, 1))
        if first < second:
            raise ValueError(f"{shown(cell)} never was in {self._zone}: clocks went forward; correct it")
        if first > second:
            why = f"{shown(cell)} was twice in {self._zone}: clocks went back"
            raise ValueError(f"{why}; write its offset behind it, {_signed(first)} or {_signed(second)}")
        return first


def _ahead(moment: datetime, zone: tzinfo | None) -> float:
    offset = moment.replace(tzinfo=zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def _signed(seconds: float) -> str:
    hours, minutes = divmod(abs(int(seconds)) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"


def _dated(match: re.Match[str], cell: str) -> datetime:
    """Return the date of a text that has its year first."""
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro
        )
    except ValueError as error:
        raise ValueError(f"{shown(cell)} is no date: {error}; correct it") from None
    if not zone:
        return moment
    offset = UTC if zone in ("Z", "UTC", "GMT") else _offset(zone)
    if offset is None:
        why = f"{shown(zone)} behind a date is no offset that means one zone only"
        raise ValueError(f"{why}; write +08:00, or leave it out and give the timezone")
    return moment.replace(tzinfo=offset)


def _not_too_long(seconds: float, cell: str) -> float:
    if seconds > LONGEST_S:
        raise ValueError(f"{shown(cell)} is longer than 1,000,000,000 years; give a shorter one")
    return seconds
