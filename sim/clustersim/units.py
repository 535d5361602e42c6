"""Quantities: a number and a unit, parsed strictly and printed so that they read well and parse back.

This is the only place that knows unit names.  `DURATION.parse("1h30m")` is 5400.0: every quantity takes a
text as it was written, returns an SI value (seconds, bytes, shares of 1) that is correctly rounded, and
raises ValueError with the text, what is allowed and what to write instead.  The patterns of the JSON Schema
come from the same tables.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
YEAR = 365.25 * DAY
LONGEST_TEXT = 100
"""No quantity needs more characters: more of them are a mistake."""
LONGEST_SHOWN = 1_000
"""Characters of a text that are looked at before it is cut for a sentence."""
LARGEST_WHOLE = 10**60
"""No scenario has whole numbers as large as that; a text with more than 60 digits is not read as a number."""

T = TypeVar("T")
Units = Mapping[str, Fraction]
PARTS = ("gpu", "node", "rack", "pod", "cluster", "job")
NUMBER = r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2}(?![0-9]))?"
_COUNT = r"[0-9]+(?:_[0-9]+)*"

_SECONDS: Units = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
    "wk": Fraction(7 * 86_400),
    "y": Fraction(31_557_600),
}
_WORDS = {"second": "s", "minute": "min", "hour": "h", "day": "d", "week": "wk", "year": "y"}
_BYTES: Units = {
    **{f"{prefix}B": Fraction(1000**power) for power, prefix in enumerate("KMGTP", 1)},
    **{f"{prefix}iB": Fraction(1024**power) for power, prefix in enumerate("KMGTP", 1)},
}
_BITS: Units = {f"{prefix}b": Fraction(1000**power, 8) for power, prefix in enumerate("KMGTP", 1)}
_BANDWIDTHS: Units = {f"{unit}/s": size for unit, size in (*_BYTES.items(), *_BITS.items())}
PER_NODE = re.compile(r" ?(?:/|per) ?node$")
"""What may stand behind a bandwidth."""
_TOKENS: Units = {
    "T tokens": Fraction(10**12),
    "G tokens": Fraction(10**9),
    "M tokens": Fraction(10**6),
    "k tokens": Fraction(10**3),
    "tokens": Fraction(1),
}
_PER_CENT: Units = {"%": Fraction(1, 100)}
_HUNDREDTHS: Units = {"pp": Fraction(1, 100)}


class Money(NamedTuple):
    """An amount in one currency, named by its three capital letters; nothing is ever converted."""

    amount: float
    currency: str

    def __str__(self) -> str:
        _finite(self.amount)
        return f"{_long(self.amount, Fraction(1))} {self.currency}"


class Rate(NamedTuple):
    """How often one *part* fails (None where the text names none): once in *mtbf* seconds on average."""

    mtbf: float
    part: str | None


class Observation(NamedTuple):
    """How many events were *counted* while parts were observed for so many *seconds* in all."""

    counted: int
    seconds: float
    part: str | None


class _QuantityError(Exception):
    """What is wrong with a text, to be said with the text before it and what is allowed behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantity(Generic[T]):
    """One kind of quantity: its name in a sentence, what is allowed, an example, the pattern of its texts.

    `read` makes a value of a text with single spaces, and `is_bare` says that it has no unit.
    """

    name: str
    allowed: str
    example: str
    pattern: str
    read: Callable[[str], T]
    is_bare: bool = False

    def parse(self, text: str) -> T:
        """Return the value of *text*; raises ValueError where it is not such a quantity."""
        text = " ".join(text.split())
        try:
            value: T = _value(self, text)
            return value
        except _QuantityError as why:
            is_number = re.fullmatch(rf"[-+]?{NUMBER}|nan|[-+]?inf", text)
            given = shown(text).strip('"') if is_number else shown(text)
            message = f'{given} {why}; {self.name} is {self.allowed}, such as "{self.example}"'
            raise ValueError(message) from None


@lru_cache(10_000)
def _value(kind: Quantity[T], text: str) -> T:
    """Return the value of *text*: what changes a scenario reads all its other texts again, and again."""
    if len(text) > LONGEST_TEXT:
        raise _QuantityError("is too long")
    if re.match(r"[-+]?\.?(inf|nan)", text, re.IGNORECASE):
        raise _QuantityError("is not finite")
    if text.startswith("-"):
        raise _QuantityError("is negative")
    if re.fullmatch(NUMBER, text) and not kind.is_bare:
        raise _QuantityError("has no unit")
    return kind.read(text)


def shown(value: object) -> str:
    """Return *value* as a person would recognise it in a sentence: texts in quotes, long ones cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, Mapping | list):
        return "null" if value is None else "a block" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int) and abs(value) >= LARGEST_WHOLE:
        return "a whole number of more than 60 digits"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = visible(" ".join(text[:LONGEST_SHOWN].split()))
    return text if len(text) <= 60 else f"{text[:57]}..."


def visible(text: str) -> str:
    r"""Return *text* with what a terminal would obey, or nobody can see, as escapes: `\x1b`, `\u202e`.

    Bytes of a path that are not UTF-8, which Python keeps as surrogates, are shown as bytes: `\xff`.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def visible_lines(text: str) -> str:
    """Return *text* so too, its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF or number < 0x100:
        return f"\\x{number & 0xFF:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _matched(pattern: str, text: str) -> re.Match[str]:
    if match := re.fullmatch(pattern, text):
        return match
    raise _QuantityError("is not understood")


def _scaled(text: str, units: Units) -> float:
    number, unit = _matched(rf"({NUMBER}) ?(.*)", text).groups()
    unit = re.sub(" ?/ ?", "/", unit)
    unit = next((name for name in units if unit == name.replace(" ", "")), unit)
    if unit not in units:
        raise _QuantityError(f'has an unknown unit, "{unit}"')
    return float(Fraction(number) * units[unit])


def _in_units(name: str, example: str, units: Units) -> Quantity[float]:
    """Return the quantity that is a number and one of *units*."""
    names = "|".join(units).replace(" ", " ?").replace("/", " ?/ ?")
    allowed = f"a number and one of {', '.join(units)}"
    return Quantity(name, allowed, example, rf"^{NUMBER} ?(?:{names})$", lambda text: _scaled(text, units))


_M_IN_COMPOUND = rf"h *{NUMBER} *m(?![a-z])|m(?= *{NUMBER} *s)"
_TIME_UNITS = "|".join(sorted(_SECONDS, key=len, reverse=True))
_TIMES = f"(?:{'|'.join(_WORDS)})s?|{_TIME_UNITS}"
_OF_PARTS = f"(?:({'|'.join(PARTS)})[- ])?"
_PER = rf"({NUMBER}) ?(?:/|per) ?(?:({NUMBER}) ?)?{_OF_PARTS}({_TIMES})"
_OBSERVED = rf"({_COUNT}) in ({NUMBER}) ?{_OF_PARTS}({_TIMES})"


def _duration(text: str) -> float:
    """Return the seconds of `4 min`, `1h30m` or `2 min 30 s`."""
    parts = re.findall(rf"({NUMBER}) ?([A-Za-z]*) ?", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise _QuantityError("is not understood")
    units = _with_minutes([unit for _, unit in parts])
    for unit in units:
        if unit not in _SECONDS:
            raise _QuantityError(f'has an unknown unit, "{unit}"' if unit else "has no unit")
    sizes = [_SECONDS[unit] for unit in units]
    if any(later >= earlier for earlier, later in pairwise(sizes)):
        raise _QuantityError("has its units out of order")
    return float(sum(Fraction(number) * size for (number, _), size in zip(parts, sizes, strict=True)))


def _with_minutes(units: list[str]) -> list[str]:
    """Return *units* with `m` read as minutes where an hour stands before it or seconds behind it."""
    read = []
    for before, unit, after in zip(["", *units], units, [*units[1:], ""], strict=False):
        if unit == "m" and before != "h" and after != "s":
            raise _QuantityError('could be minutes or months, write "min"')
        read.append("min" if unit == "m" else unit)
    return read


def _share(text: str) -> float:
    share = _scaled(text, _PER_CENT)
    if share > 1:
        raise _QuantityError("is more than the whole")
    return share


def _money(text: str) -> Money:
    amount, currency = _matched(rf"({NUMBER}) ?([A-Z]{{3}})", text).groups()
    return Money(float(Fraction(amount)), currency)


def _rate(text: str) -> Rate:
    """Return the rate of `6.5 / 1000 node-days`, `2 / y` or `3 per day`."""
    events, many, part, time = _matched(_PER, text).groups()
    if Fraction(events) == 0 or Fraction(many or "1") == 0:
        raise _QuantityError("is zero, or in no time")
    return Rate(float(Fraction(many or "1") * _unit_of_time(time) / Fraction(events)), part)


def _unit_of_time(time: str) -> Fraction:
    """Return the seconds of a unit or of its word."""
    return _SECONDS[time] if time in _SECONDS else _SECONDS[_WORDS[time.removesuffix("s")]]


def _observation(text: str) -> Observation:
    """Return the count of `21 in 110_592 node-days`."""
    counted, many, part, time = _matched(_OBSERVED, text).groups()
    if Fraction(many) == 0:
        raise _QuantityError("is in no time")
    return Observation(int(counted), float(Fraction(many) * _unit_of_time(time)), part)


def _count(text: str) -> int:
    if not re.fullmatch(_COUNT, text):
        raise _QuantityError("is not a whole number")
    return int(text)


def _steps(text: str) -> int:
    count = int(_matched(rf"({_COUNT}) ?steps?", text)[1])
    if count == 0:
        raise _QuantityError("is not understood")
    return count


DURATION = Quantity(
    "a duration",
    f"a number and one of {', '.join(_SECONDS)}",
    "5 min",
    rf"^(?:{NUMBER} *(?:{_M_IN_COMPOUND}|{_TIME_UNITS}) *)+$",
    _duration,
)
SIZE = _in_units("a size", "5.3 TB", _BYTES)
BANDWIDTH = _in_units("a bandwidth", "2 TB/s", _BANDWIDTHS)
SHARE = Quantity("a share", "a number from 0 to 100 and %", "5 %", rf"^{NUMBER} ?%$", _share)
POINTS = Quantity(
    "a half-width",
    "a number and pp (percentage points)",
    "0.5 pp",
    rf"^{NUMBER} ?pp$",
    lambda text: _scaled(text, _HUNDREDTHS),
)
TOKENS = _in_units("a number of tokens", "10 T tokens", _TOKENS)
MONEY = Quantity(
    "a price", "a number and a currency's three letters", "2.35 USD", rf"^{NUMBER} ?[A-Z]{{3}}$", _money
)
RATE = Quantity("a rate", "a number per time of a part", "6.5 / 1000 node-days", f"^{_PER}$", _rate)
OBSERVATION = Quantity(
    "an observation",
    "a count in a time of a part",
    "21 in 110_592 node-days",
    f"^{_OBSERVED}$",
    _observation,
)
COUNT = Quantity(
    "a count", "a whole number, with _ between digits if you like", "100_000", rf"^{_COUNT}$", _count, True
)
STEPS = Quantity("a number of steps", "a whole number and steps", "50 steps", rf"^{_COUNT} ?steps?$", _steps)
QUANTITIES: tuple[Quantity[Any], ...] = (
    DURATION,
    SIZE,
    BANDWIDTH,
    SHARE,
    POINTS,
    TOKENS,
    MONEY,
    RATE,
    OBSERVATION,
    COUNT,
    STEPS,
)


def _rounded(value: float, digits: int) -> str:
    """Return *value* with so many significant digits, without exponent and without trailing zeros."""
    return f"{Decimal(f'{value:.{digits}g}'):f}"


def _long(value: float, unit: Fraction, most: int = 25) -> str:
    """Return digits enough to parse back to exactly *value*, with an exponent where it is far from 1.

    Raises ValueError where more than *most* are needed.
    """
    exact = Fraction(value) / unit
    for digits in range(1, most + 1):
        decimal = Context(prec=digits).divide(exact.numerator, exact.denominator).normalize()
        text = f"{decimal:f}" if 1e-4 <= abs(decimal) < 1e16 else f"{decimal}"
        if float(Fraction(text) * unit) == value:
            return text.replace("E", "e")
    raise ValueError(f"{value!r} cannot be printed as a quantity")


def _short(value: float, unit: Fraction) -> str | None:
    """Return the same where six digits are enough and it is not far above 1."""
    try:
        return _long(value, unit, 6) if float(Fraction(value) / unit) < 1e7 else None
    except ValueError:
        return None


def _finite(value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be printed as a quantity: only finite numbers can")


def format_duration(seconds: float, digits: int | None = None) -> str:
    """Return a duration that reads well, `4 min` or `2 h 30 min`, and parses back to the same float.

    With *digits*, a rounded one in a single unit for figures that carry noise: `6.9 d`.
    """
    _finite(seconds)
    if seconds < 0:
        return f"-{format_duration(-seconds, digits)}"
    if seconds == 0:
        return "0 s"
    if digits is not None:
        return _rounded_duration(seconds, digits)
    seconds = float(seconds)
    readable = _compound(seconds, 2) or _decimal(seconds) or _compound(seconds, 4)
    return readable or f"{_long(seconds, Fraction(1))} s"


def _rounded_duration(seconds: float, digits: int) -> str:
    for unit in ("y", "d", "h", "min", "s"):
        text = _rounded(float(Fraction(seconds) / _SECONDS[unit]), digits)
        if float(text) >= (2 if unit in {"y", "min"} else 1):
            return f"{text} {unit}"
    return f"{_rounded(seconds * 1000, digits)} ms"


def _compound(seconds: float, most: int) -> str | None:
    """Return whole days, hours, minutes and seconds, where *most* units that follow one another suffice."""
    if not seconds.is_integer() or seconds >= 1e6 * DAY:
        return None
    rest, counts = int(seconds), []
    for unit in ("d", "h", "min", "s"):
        count, rest = divmod(rest, int(_SECONDS[unit]))
        counts.append((count, unit))
    used = [place for place, (count, _) in enumerate(counts) if count]
    suffices = used[-1] - used[0] < most
    return " ".join(f"{count} {unit}" for count, unit in counts if count) if suffices else None


def _decimal(seconds: float) -> str | None:
    """Return the duration as a short decimal in the largest unit in which it is at least 1."""
    for unit in ("y", "d", "h", "min", "s", "ms"):
        if seconds >= _SECONDS[unit] and (text := _short(seconds, _SECONDS[unit])):
            return f"{text} {unit}"
    return None


def format_share(share: float, digits: int | None = None) -> str:
    """Return a share of 1 as per cent that parses back to the same float; rounded to *digits* if given."""
    _finite(share)
    if digits is not None:
        return f"{_rounded(share * 100, digits)} %"
    return f"{_long(share, _PER_CENT['%'])} %"


def format_rate(rate: float, part: str | None = None) -> str:
    """Return events per second of a part: `0.167 / 1000 gpu-days`."""
    _finite(rate)
    return f"{rate * 1000 * DAY:.6g} / 1000 {f'{part}-' if part else ''}days"


def format_points(points: float) -> str:
    """Return a share of 1 as percentage points: `0.5 pp`."""
    _finite(points)
    return f"{_long(points, _HUNDREDTHS['pp'])} pp"


def format_size(size: float) -> str:
    """Return bytes in the largest decimal unit in which they are short and at least 1: `5.3 TB`."""
    _finite(size)
    for unit in ("PB", "TB", "GB", "MB", "KB"):
        if size >= _BYTES[unit] and (text := _short(size, _BYTES[unit])):
            return f"{text} {unit}"
    return f"{_long(size, _BYTES['KB'])} KB"


def format_bandwidth(bandwidth: float) -> str:
    """Return bytes per second: `2 TB/s`."""
    return f"{format_size(bandwidth)}/s"
