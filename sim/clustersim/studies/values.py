"""Values that a study tries in a place of the scenario: lists and ranges, as one writes them after `--vary`.

`10,20,40` are three values, `0..40:5` five from 0 to 40 at equal distances, and `1min..10min:5log` five at
equal ratios.  A range is in the unit of its lower end.  Where both ends are whole numbers without a unit, it
counts something, and is rounded to whole numbers: `1..100:4log` is 1, 5, 22, 100.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from clustersim.store import ChoiceError
from clustersim.units import (
    BANDWIDTH,
    DURATION,
    MONEY,
    NUMBER,
    RATE,
    SHARE,
    SIZE,
    TOKENS,
    Money,
    Quantity,
    Rate,
    shown,
)

THOUSANDS = {"k": 10**3, "M": 10**6}
DIGITS, MOST_DIGITS = 3, 12
"""Significant digits of a value within a range: more would tell no more, unless values lie closer."""
MOST_VALUES = 100_000
"""Values in one list: more are a mistake."""
QUANTITIES: Mapping[str, Quantity[Any]] = {
    "s": DURATION,
    "share": SHARE,
    "B": SIZE,
    "B/s": BANDWIDTH,
    "tokens": TOKENS,
    "1/s": RATE,
    "money": MONEY,
}
"""The kinds of quantities by their units in SI; an amount of money is in its currency."""
EXAMPLE = "cluster.spares=0,10,20 or recovery.stages.restart=1min..10min:5log"


class TrialValue(NamedTuple):
    """One value: as a scenario writes it, and in SI units where it is a quantity (a rate: per second)."""

    text: str
    si: float | None


class Unit(NamedTuple):
    """How numbers of one kind are written: what follows the number, and what one of it is in SI units.

    `whole` says that it counts something, always as a multiple of `step`; `name` is the unit in SI.
    """

    suffix: str
    si: float
    whole: bool = False
    step: int = 1
    name: str = ""

    def value(self, number: float, digits: int = DIGITS) -> TrialValue:
        """Return *number* of it as a value, rounded to whole numbers or to so many significant *digits*."""
        if self.whole:
            text = str(round(number / self.step) * self.step)
        else:
            text = f"{Decimal(f'{number:.{digits}g}'):f}"
        return TrialValue(f"{text} {self.suffix}".strip(), float(text) * self.si)


def plain_count(text: str) -> str:
    """Return a count such as `10k` or `1.5M` written out; anything else as it is."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kM])", text.strip())
    if not match:
        return text.strip()
    count = Decimal(match[1]) * THOUSANDS[match[2]]
    return str(int(count)) if count == int(count) else text


def measured_in(text: str) -> tuple[float, Unit]:
    """Return the number and the unit of a quantity, a count or a factor; raises ValueError for other texts.

    A duration of several parts, `1 h 30 min`, is in seconds.
    """
    text = " ".join(plain_count(text).split())
    match = re.fullmatch(rf"({NUMBER}) ?(.*)", text)
    if not match:
        raise ValueError(f"{shown(text)} does not begin with a number")
    number, suffix = float(match[1]), match[2]
    if not suffix:
        return number, Unit("", 1.0, bool(re.fullmatch(r"[0-9_]+", match[1])))
    if re.search(r"\d", suffix) and "/" not in suffix and "per" not in suffix:
        return DURATION.parse(text), Unit("s", 1.0, name="s")
    for name, quantity in QUANTITIES.items():
        try:
            one = quantity.parse(f"1 {suffix}")
        except ValueError:
            continue
        size = 1 / one.mtbf if isinstance(one, Rate) else one.amount if isinstance(one, Money) else one
        return number, Unit(suffix, float(size), name=one.currency if isinstance(one, Money) else name)
    raise ValueError(f"{shown(text)} has an unknown unit, {shown(suffix)}")


def value_of(text: str) -> TrialValue:
    """Return a value as it is written; what is no quantity, such as a block, has no size."""
    plain = plain_count(text)
    try:
        number, unit = measured_in(plain)
    except ValueError:
        return TrialValue(plain, None)
    return TrialValue(plain, number * unit.si)


def span(low: str, high: str) -> tuple[float, float, Unit]:
    """Return two ends in one unit, that of the first, or of the other where the first has none.

    Raises ValueError where one is no quantity, or they are of different kinds.
    """
    (first, unit), (last, other) = measured_in(low), measured_in(high)
    if unit.suffix == other.suffix:
        return first, last, unit._replace(whole=unit.whole and other.whole)
    if not unit.suffix:
        return first, last, other
    if unit.name != other.name:
        raise ValueError(f"{shown(low)} and {shown(high)} are not in the same unit")
    return first, last * other.si / unit.si, unit


def listed(text: str, step: int = 1) -> tuple[list[TrialValue], bool]:
    """Return the values of a list, each once, and whether any of them was rounded to a multiple of *step*.

    Only counts within a range are rounded.  Raises ChoiceError, with the remedy, for what is no list.
    """
    found = [value for item in _items(text) for value in _values(item, step)]
    values = {value.text: value for value, _ in found}
    return list(values.values()), any(rounded for _, rounded in found)


def _items(text: str) -> Iterator[str]:
    """Yield what stands between the commas that are in no brackets."""
    depth, item = 0, ""
    for character in f"{text},":
        depth += (character in "[{(") - (character in ")}]")
        if character == "," and depth == 0:
            if not item.strip():
                raise ChoiceError(f"{shown(text)} holds an empty value; write it like {EXAMPLE}")
            yield item.strip()
            item = ""
        else:
            item += character
    if item:
        raise ChoiceError(f"{shown(text)} has a bracket that is not closed")


def _values(item: str, step: int) -> Sequence[tuple[TrialValue, bool]]:
    if ".." not in item or item[0] in "[{":
        return [(value_of(item), False)]
    match = re.fullmatch(r"(.+?)\.\.(.+?)(?::(\d+)\s*(log)?)?", item)
    if not match or not match[3]:
        raise ChoiceError(f"{shown(item)} does not say how many values; write it like 0..40:5 or 1..100:4log")
    try:
        first, last, unit = span(match[1], match[2])
    except ValueError as error:
        raise ChoiceError(f"{shown(item)} is not a range: {error}") from None
    count, ratios = int(match[3]), bool(match[4])
    if not 2 <= count <= MOST_VALUES:
        raise ChoiceError(f"{shown(item)} asks for {count} values; a range has 2 to {MOST_VALUES:,}")
    if ratios and not (first > 0 and last > 0):
        raise ChoiceError(f"{shown(item)} cannot reach 0 at equal ratios; begin above it, or leave log out")
    numbers = (np.geomspace(first, last, count) if ratios else np.linspace(first, last, count)).tolist()
    unit = unit._replace(step=step)
    values = [unit.value(number) for number in numbers]
    for digits in range(DIGITS + 1, MOST_DIGITS) if not unit.whole else ():
        if len(set(values)) < count:
            values = [unit.value(number, digits) for number in numbers]
    pairs = zip(values, numbers, strict=True)
    return [(value, unit.whole and not math.isclose(number, value.si or 0.0)) for value, number in pairs]
