"""Quantities: a number and a unit, parsed strictly and printed so that they read well and parse back.

This is the only place that knows unit names.  Every parser takes the text as it was written, returns SI
values (seconds, bytes, shares of 1) that are correctly rounded, and raises ValueError with the text, what is
allowed and what to write instead.  The patterns of the JSON Schema come from the same tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
YEAR = 365.25 * DAY
LONGEST_TEXT = 100

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
_TOKENS: Units = {
    "T tokens": Fraction(10**12),
    "G tokens": Fraction(10**9),
    "M tokens": Fraction(10**6),
    "k tokens": Fraction(10**3),
    "tokens": Fraction(1),
}
_PER_CENT: Units = {"%": Fraction(1, 100)}
_POINTS: Units = {"pp": Fraction(1, 100)}


class Money(NamedTuple):
    """An amount in one currency, named by its three capital letters; nothing is ever converted."""

    amount: float
    currency: str

    def __str__(self) -> str:
        return format_money(self)


class Rate(NamedTuple):
    """How often one *part* fails (None where the text names none): once in *mtbf* seconds on average."""

    mtbf: float
    part: str | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of quantity: its name in a sentence, what is allowed, an example, the pattern of its texts."""

    name: str
    allowed: str
    example: str
    pattern: str

    def refuse(self, text: str, why: str) -> ValueError:
        """Return the error that says what is wrong with *text* as such a quantity and what to write."""
        bare = re.fullmatch(rf"[-+]?{NUMBER}|nan|[-+]?inf", text)
        given = text if bare else shown(text)
        return ValueError(f'{given} {why}; {self.name} is {self.allowed}, such as "{self.example}"')


def shown(value: object) -> str:
    """Return *value* as a person would recognise it in a sentence: texts in quotes, long ones cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, Mapping | list):
        return "null" if value is None else "a block" if isinstance(value, Mapping) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _kind(name: str, example: str, units: Units) -> Quantity:
    names = "|".join(sorted(units, key=len, reverse=True)).replace(" ", " ?")
    return Quantity(name, f"a number and one of {', '.join(units)}", example, rf"^{NUMBER} ?(?:{names})$")


_M_IN_COMPOUND = rf"h *{NUMBER} *m(?![a-z])|m(?= *{NUMBER} *s)"
_TIME_UNITS = "|".join(sorted(_SECONDS, key=len, reverse=True))
_TIMES = f"(?:{'|'.join(_WORDS)})s?|{_TIME_UNITS}"
_OF_PARTS = f"(?:({'|'.join(PARTS)})[- ])?"
_PER = rf"({NUMBER}) ?(?:/|per) ?(?:({NUMBER}) ?)?{_OF_PARTS}({_TIMES})"

DURATION = Quantity(
    "a duration",
    f"a number and one of {', '.join(_SECONDS)}",
    "5 min",
    rf"^(?:{NUMBER} *(?:{_M_IN_COMPOUND}|{_TIME_UNITS}) *)+$",
)
SIZE = _kind("a size", "5.3 TB", _BYTES)
BANDWIDTH = _kind("a bandwidth", "2 TB/s", _BANDWIDTHS)
SHARE = Quantity("a share", "a number from 0 to 100 and %", "5 %", rf"^{NUMBER} ?%$")
POINTS = Quantity("a half-width", "a number and pp (percentage points)", "0.5 pp", rf"^{NUMBER} ?pp$")
TOKENS = _kind("a number of tokens", "10 T tokens", _TOKENS)
MONEY = Quantity("a price", "a number and a currency's three letters", "2.35 USD", rf"^{NUMBER} ?[A-Z]{{3}}$")
RATE = Quantity("a rate", "a number per time of a part", "6.5 / 1000 node-days", f"^{_PER}$")
COUNT = Quantity("a count", "a whole number, with _ between digits if you like", "100_000", rf"^{_COUNT}$")
STEPS = Quantity("a number of steps", "a whole number and steps", "50 steps", rf"^{_COUNT} ?steps?$")


def _clean(text: str, kind: Quantity) -> str:
    """Return *text* with single spaces, refused if it is too long, negative, infinite or a bare number."""
    text = " ".join(text.split())
    if len(text) > LONGEST_TEXT:
        raise kind.refuse(text, "is too long")
    if re.match(r"[-+]?\.?(inf|nan)", text, re.IGNORECASE):
        raise kind.refuse(text, "is not finite")
    if text.startswith("-"):
        raise kind.refuse(text, "is negative")
    if re.fullmatch(NUMBER, text) and kind is not COUNT:
        raise kind.refuse(text, "has no unit")
    return text


def _exact(number: str) -> Fraction:
    return Fraction(number.replace("_", ""))


def _scaled(text: str, kind: Quantity, units: Units) -> float:
    text = _clean(text, kind)
    found = re.fullmatch(rf"({NUMBER}) ?(.*)", text)
    if not found:
        raise kind.refuse(text, "is not understood")
    number, unit = found[1], found[2]
    unit = next((name for name in units if unit.replace(" ", "") == name.replace(" ", "")), unit)
    if unit not in units:
        raise kind.refuse(text, f'has an unknown unit, "{unit}"')
    return float(_exact(number) * units[unit])


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `4 min`, `1h30m` or `2 min 30 s`."""
    text = _clean(text, DURATION)
    parts = re.findall(rf"({NUMBER}) ?([A-Za-z]*) ?", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise DURATION.refuse(text, "is not understood")
    units = _with_minutes([unit for _, unit in parts], text)
    for unit in units:
        if unit not in _SECONDS:
            raise DURATION.refuse(text, f'has an unknown unit, "{unit}"' if unit else "has no unit")
    sizes = [_SECONDS[unit] for unit in units]
    if any(later >= earlier for earlier, later in pairwise(sizes)):
        raise DURATION.refuse(text, "has its units out of order")
    return float(sum(_exact(number) * size for (number, _), size in zip(parts, sizes, strict=True)))


def _with_minutes(units: list[str], text: str) -> list[str]:
    """Return *units* with `m` read as minutes where an hour stands before it or seconds behind it."""
    read = []
    for before, unit, after in zip(["", *units], units, [*units[1:], ""], strict=False):
        if unit == "m" and before != "h" and after != "s":
            raise DURATION.refuse(text, 'could be minutes or months, write "min"')
        read.append("min" if unit == "m" else unit)
    return read


def parse_size(text: str) -> float:
    """Return the bytes of a size such as `5.3 TB` or `80 GiB`."""
    return _scaled(text, SIZE, _BYTES)


def parse_bandwidth(text: str) -> float:
    """Return the bytes per second of a bandwidth such as `2 TB/s` or `400 Gb/s`."""
    return _scaled(text, BANDWIDTH, _BANDWIDTHS)


def parse_share(text: str) -> float:
    """Return the share of 1 of a text such as `5 %`; more than 100 % is refused."""
    share = _scaled(text, SHARE, _PER_CENT)
    if share > 1:
        raise SHARE.refuse(text, "is more than the whole")
    return share


def parse_points(text: str) -> float:
    """Return percentage points such as `0.5 pp` as a share of 1."""
    return _scaled(text, POINTS, _POINTS)


def parse_tokens(text: str) -> float:
    """Return the number of tokens of a text such as `10 T tokens`."""
    return _scaled(text, TOKENS, _TOKENS)


def parse_money(text: str) -> Money:
    """Return amount and currency of a text such as `2.35 USD`."""
    text = _clean(text, MONEY)
    found = re.fullmatch(rf"({NUMBER}) ?([A-Z]{{3}})", text)
    if not found:
        raise MONEY.refuse(text, "is not understood")
    return Money(float(_exact(found[1])), found[2])


def parse_rate(text: str) -> Rate:
    """Return the rate of a text such as `6.5 / 1000 node-days`, `2 / y` or `3 per day`."""
    text = _clean(text, RATE)
    found = re.fullmatch(_PER, text)
    if not found:
        raise RATE.refuse(text, "is not understood")
    events, many, part, time = found.groups()
    if _exact(events) == 0 or _exact(many or "1") == 0:
        raise RATE.refuse(text, "is zero, or in no time")
    unit = _SECONDS[time] if time in _SECONDS else _SECONDS[_WORDS[time.removesuffix("s")]]
    return Rate(float(_exact(many or "1") * unit / _exact(events)), part)


def parse_count(text: str) -> int:
    """Return a whole number such as `100_000`."""
    text = _clean(text, COUNT)
    if not re.fullmatch(_COUNT, text):
        raise COUNT.refuse(text, "is not a whole number")
    return int(text)


def parse_steps(text: str) -> int:
    """Return the number of steps of a text such as `50 steps`."""
    text = _clean(text, STEPS)
    found = re.fullmatch(rf"({_COUNT}) ?steps?", text)
    if not found or int(found[1]) == 0:
        raise STEPS.refuse(text, "is not understood")
    return int(found[1])


PARSERS: Mapping[Quantity, Callable[[str], object]] = {
    DURATION: parse_duration,
    SIZE: parse_size,
    BANDWIDTH: parse_bandwidth,
    SHARE: parse_share,
    POINTS: parse_points,
    TOKENS: parse_tokens,
    MONEY: parse_money,
    RATE: parse_rate,
    COUNT: parse_count,
    STEPS: parse_steps,
}


def _rounded(value: float, digits: int) -> str:
    """Return *value* with so many significant digits, without exponent and without trailing zeros."""
    value = float(f"{value:.{digits}g}")
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0) if value else 0
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _short(value: float, unit: Fraction, digits: int = 6) -> str | None:
    """Return the shortest decimal that is exactly *value* once it is parsed in that unit, if there is one."""
    ratio = float(Fraction(value) / unit)
    if not 1e-4 <= ratio < 1e7:
        return None
    texts = (_rounded(ratio, count) for count in range(1, digits + 1))
    return next((text for text in texts if float(_exact(text) * unit) == value), None)


def _long(value: float, unit: Fraction) -> str:
    """Return digits enough to parse back to exactly *value*, with an exponent where it is far from 1."""
    exact = Fraction(value) / unit
    for digits in range(1, 26):
        decimal = Context(prec=digits).divide(exact.numerator, exact.denominator).normalize()
        text = f"{decimal:f}" if 1e-4 <= abs(decimal) < 1e16 or not decimal else f"{decimal}"
        if float(_exact(text) * unit) == value:
            return text.replace("E", "e")
    raise ValueError(f"{value!r} cannot be printed as a quantity")


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


def _format_scaled(value: float, units: Units, *names: str) -> str:
    """Return *value* in the first of the units in which it is short and at least 1, else in the last."""
    _finite(value)
    for name in names:
        if value >= units[name] and (text := _short(value, units[name])):
            return f"{text} {name}"
    return f"{_long(value, units[names[-1]])} {names[-1]}"


def format_share(share: float, digits: int | None = None) -> str:
    """Return a share of 1 as per cent that parses back to the same float; rounded to *digits* if given."""
    _finite(share)
    if digits is not None:
        return f"{_rounded(share * 100, digits)} %"
    return f"{_long(share, _PER_CENT['%'])} %"


def format_points(points: float) -> str:
    """Return a share of 1 as percentage points: `0.5 pp`."""
    _finite(points)
    return f"{_long(points, _POINTS['pp'])} pp"


def format_size(size: float) -> str:
    """Return bytes in the largest decimal unit in which they are short: `5.3 TB`."""
    return _format_scaled(size, _BYTES, "PB", "TB", "GB", "MB", "KB")


def format_bandwidth(bandwidth: float) -> str:
    """Return bytes per second: `2 TB/s`."""
    return f"{format_size(bandwidth)}/s"


def format_tokens(tokens: float) -> str:
    """Return a number of tokens: `10 T tokens`."""
    return _format_scaled(tokens, _TOKENS, *_TOKENS)


def format_money(money: Money) -> str:
    """Return an amount with its currency: `2.35 USD`."""
    _finite(money.amount)
    return f"{_long(money.amount, Fraction(1))} {money.currency}"


def format_count(count: int) -> str:
    """Return a whole number in groups of three: `100_000`."""
    return f"{count:_}"


def format_rate(rate: Rate) -> str:
    """Return a rate per 1000 days of its part, `6.5 / 1000 node-days`, or per year where it has none."""
    days = 1000 * _SECONDS["d"] if rate.part else _SECONDS["y"]
    exact = days / Fraction(rate.mtbf)
    decimals = (Context(prec=digits).divide(exact.numerator, exact.denominator) for digits in range(1, 26))
    number = next(f"{one:f}" for one in decimals if float(days / Fraction(one)) == rate.mtbf)
    return f"{number} / 1000 {rate.part}-days" if rate.part else f"{number} / y"
