"""Tables in a scenario: values by number of cards, or by time, and what lies between two rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from clustersim.scenario.keys.blocks import KEY, MOST_NAMES, Finding, refuse, too_many
from clustersim.scenario.keys.quantities import Reads, whole
from clustersim.units import shown

CARDS = whole(1, 1_000_000_000)


def table(rows: Reads, values: Reads, example: str) -> Reads:
    """Return the reading of a table with such rows and values, in the order of its rows."""

    def parse(written: object) -> dict[Any, Any]:
        if not isinstance(written, Mapping) or not written:
            raise ValueError(f"{shown(written)} is not a table; give {example}")
        if len(written) > MOST_NAMES:
            raise ValueError(too_many(len(written), MOST_NAMES))
        found: dict[Any, Any] = {}
        refuse(list(_read(written, rows, values, found)))
        return dict(sorted(found.items()))

    limits = {"minProperties": 1, "maxProperties": MOST_NAMES}
    return Reads(parse, {"type": "object", **limits, "additionalProperties": values.schema})


def _read(written: Mapping[Any, Any], rows: Reads, values: Reads, found: dict[Any, Any]) -> Iterator[Finding]:
    """Put what is written into *found*, and yield what is wrong with each row."""
    for name, value in written.items():
        path = (name if isinstance(name, str | int) else str(name),)
        try:
            row = rows.parse(name)
        except ValueError as error:
            yield (*path, KEY), str(error)
            continue
        if row in found:
            yield (*path, KEY), "there is a row for the same already; leave one out"
        try:
            found[row] = values.parse(value)
        except ValueError as error:
            yield path, str(error)


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
