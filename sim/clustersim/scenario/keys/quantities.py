"""The values of the scenario language as annotated types: each with its parser, limits and JSON Schema.

A key such as `blocks: Duration` is read by the parser of `Duration`: `"5 s"` becomes 5.0.
"""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any

from pydantic_core import CoreSchema, core_schema

from clustersim import units
from clustersim.scenario.keys.blocks import KEY, MOST_NAMES, Finding, refuse, too_many
from clustersim.units import NUMBER, Money, Quantity, Rate, shown

_NO_SIGNS = r"./:-@\[-^`{-\x7f"
NAME_PATTERN = rf"^[^\x00-,\-_{_NO_SIGNS}](?:[^\x00-\x1f!-,{_NO_SIGNS}]{{0,38}}[^\x00-,{_NO_SIGNS}])?$"
"""Of a name, for editors, in classes that all know: it lets through all beyond ASCII; see `is_name`."""
LONGEST_NAME = 40
SHORTEST_DURATION = 1e-3
"""The shortest time but none at all, in seconds.  Instants are floats, which tell milliseconds apart for
thousands of years; nothing that a scenario is about takes less."""
LONGEST_DURATION = 1e9 * units.YEAR
LONGEST_TEXT = 10_000


_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
THRESHOLD_PATTERN = rf"^(?:>=|<=|>|<) *-?{NUMBER} *%?$"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expectation: the comparison and the number that a metric is held against."""

    sign: str
    value: float

    @classmethod
    def parse(cls, text: object) -> Threshold:
        """Return the threshold that *text* states, `>= 0.90` or `>= 90 %`; raises ValueError."""
        short = text.strip() if isinstance(text, str) and len(text) <= 60 else ""
        match = re.fullmatch(rf"(>=|<=|>|<)\s*(-?{NUMBER})\s*(%?)", short)
        if not match:
            raise ValueError(
                f'{shown(text)} is not a threshold; write a sign and a number, such as ">= 0.90"'
            )
        number = Fraction(match[2]) / (100 if match[3] else 1)
        return cls(match[1], float(number))

    def holds(self, metric: float | None) -> bool:
        """Return whether the metric meets it; what is unknown does not."""
        return metric is not None and _COMPARES[self.sign](metric, self.value)

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """How a value is read: a parser that raises ValueError with a sentence of ours, and its JSON Schema."""

    parse: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        return dict(self.schema)


def _schema_of(kind: Quantity[Any]) -> dict[str, Any]:
    """Return what stands for texts of that kind until the whole schema refers to its definition of them."""
    return {"pattern": kind.pattern}


def quantity(kind: Quantity[Any], check: Callable[[Any, str], None] | None = None) -> Reads:
    """Return the reading of one kind of quantity, with a further *check* on what was parsed, and its text."""

    def parse(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(
                f'{shown(value)} is not {kind.name}; give {kind.allowed}, such as "{kind.example}"'
            )
        parsed = kind.parse(str(value))
        if check:
            check(parsed, str(value))
        return parsed

    return Reads(parse, _schema_of(kind))


def whole(low: int, high: int) -> Reads:
    """Return the reading of a whole number within limits."""

    def parse(value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str):
            value = units.COUNT.parse(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f'{shown(value)} is not a whole number; give one such as "100_000"')
        if not low <= value <= high:
            raise ValueError(f"{value:_} is out of range; {low:_} to {high:_} is allowed")
        return value

    number = {"type": "integer", "minimum": low, "maximum": high}
    return Reads(parse, {"anyOf": [number, _schema_of(units.COUNT)]})


def plain(low: float, high: float, above: bool = False) -> Reads:
    """Return the reading of a number without unit within limits (*above*: the lower one excluded)."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{shown(value)} is not a plain number; give one without unit")
        if not math.isfinite(value):
            raise ValueError(f"{value} is not finite; give a number")
        if not low <= value <= high or (above and value == low):
            allowed = f"{'above ' if above else ''}{low:g} to {high:g}"
            raise ValueError(f"{value:g} is out of range; {allowed} is allowed")
        return float(value)

    return Reads(parse, {"type": "number", "exclusiveMinimum" if above else "minimum": low, "maximum": high})


def words(*allowed: str) -> Reads:
    """Return the reading of a choice among a few words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{shown(value)} is not known; allowed are {', '.join(allowed)}")
        return value

    return Reads(parse, {"enum": list(allowed)})


def not_too_long(seconds: float, text: str) -> None:
    """Raise ValueError where the instant or duration that was written as *text* is too late or too long."""
    if seconds > LONGEST_DURATION:
        years = f"{LONGEST_DURATION / units.YEAR:,.0f} years"
        raise ValueError(f"{shown(text)} is longer than {years}; give a shorter duration")


def bounded(seconds: float, text: str, none: str = "0 s, or ") -> None:
    """Raise ValueError where the duration that was written as *text* is too short, though not 0, or too long.

    *none* names 0 among what is allowed.
    """
    if 0 < seconds < SHORTEST_DURATION:
        shortest = units.format_duration(SHORTEST_DURATION)
        raise ValueError(f"{shown(text)} is shorter than {shortest}; give {none}{shortest} or more")
    not_too_long(seconds, text)


def _some_time(seconds: float, text: str) -> None:
    if seconds <= 0:
        raise ValueError("0 s makes no sense here; give a duration above zero")
    bounded(seconds, text, none="")


def _some(value: float, text: str) -> None:
    if value <= 0:
        raise ValueError("zero makes no sense here; give more")


def _expectation(value: object) -> str:
    Threshold.parse(value)
    return str(value)


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false; say one of them")
    return value


def _free_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a text; put it in quotes")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"a text of {len(value):_} characters is too long; {LONGEST_TEXT:_} are allowed")
    return value


def in_names(character: str) -> bool:
    """Return whether a name may hold it: a letter of any script, its mark, a digit, or one of _ and -."""
    return character in "_-" or unicodedata.category(character)[0] in "LMN"


def is_name(text: str) -> bool:
    """Return whether *text* is a name: it begins with a letter or digit, and ends with no space."""
    begins = text[:1].isalnum() and len(text) <= LONGEST_NAME and text[-1:] != " "
    return begins and all(character == " " or in_names(character) for character in text)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a name; put it in quotes")
    if not is_name(value):
        rule = "letters, digits, spaces, _ and -, at most 40"
        raise ValueError(f"{shown(value)} is not a name; use {rule}, such as gpu_memory")
    return value


DURATION = quantity(units.DURATION, bounded)
Expectation = Annotated[str, Reads(_expectation, {"type": "string", "pattern": THRESHOLD_PATTERN})]
Duration = Annotated[float, DURATION]
INSTANT = quantity(units.DURATION, not_too_long)
Instant = Annotated[float, INSTANT]
PositiveDuration = Annotated[float, quantity(units.DURATION, _some_time)]
SHARE = quantity(units.SHARE)
Share = Annotated[float, SHARE]
PositiveShare = Annotated[float, quantity(units.SHARE, _some)]
Points = Annotated[float, quantity(units.POINTS, _some)]
Size = Annotated[float, quantity(units.SIZE, _some)]
Tokens = Annotated[float, quantity(units.TOKENS, _some)]
Price = Annotated[Money, quantity(units.MONEY)]
FailureRate = Annotated[Rate, quantity(units.RATE)]
CARDS = whole(1, 1_000_000_000)
Cards = Annotated[int, CARDS]
Flag = Annotated[bool, Reads(_yes_or_no, {"type": "boolean"})]
Text = Annotated[str, Reads(_free_text, {"type": "string"})]
Name = Annotated[str, Reads(_name, {"type": "string", "pattern": NAME_PATTERN})]


def table(rows: Reads, values: Reads, example: str) -> Reads:
    """Return the reading of a table with such rows and values, in the order of its rows."""

    def parse(written: object) -> dict[Any, Any]:
        if not isinstance(written, Mapping) or not written:
            raise ValueError(f"{shown(written)} is not a table; give {example}")
        if len(written) > MOST_NAMES:
            raise ValueError(too_many(len(written), MOST_NAMES))
        entries: dict[Any, Any] = {}
        refuse(list(_read(written, rows, values, entries)))
        return dict(sorted(entries.items()))

    limits = {"minProperties": 1, "maxProperties": MOST_NAMES}
    return Reads(parse, {"type": "object", **limits, "additionalProperties": values.schema})


def _read(
    written: Mapping[Any, Any], rows: Reads, values: Reads, entries: dict[Any, Any]
) -> Iterator[Finding]:
    """Put what is written into *entries*, and yield what is wrong with each row."""
    for name, value in written.items():
        try:
            row = rows.parse(name)
        except ValueError as error:
            yield (name, KEY), str(error)
            continue
        if row in entries:
            yield (name, KEY), "there is a row for the same already; leave one out"
        try:
            entries[row] = values.parse(value)
        except ValueError as error:
            yield (name,), str(error)


def around(by_cards: Mapping[int, float], gpus: int) -> tuple[float, float, float]:
    """Return the values of the rows below and above *gpus*, and how far it is from one to the other.

    The way is measured in the logarithm of the cards, from 0 to 1; outside the table both are its last row.
    """
    rows = list(by_cards.items())
    if gpus <= rows[0][0]:
        return rows[0][1], rows[0][1], 0.0
    for (low, below), (high, above) in pairwise(rows):
        if gpus <= high:
            return below, above, math.log(gpus / low) / math.log(high / low)
    return rows[-1][1], rows[-1][1], 0.0
