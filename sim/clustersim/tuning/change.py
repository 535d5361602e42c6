"""A change of a scenario: new values at dotted paths, and how given values become half or twice as large."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.tuning.variants import Changes
from clustersim.units import (
    Money,
    format_bandwidth,
    format_duration,
    format_share,
    parse_bandwidth,
    parse_duration,
    parse_share,
)

HALF, TWICE = 0.5, 2.0
_PER_NODE = re.compile(r"(.*?)( ?(?:/|per) ?node)?")


class Family(StrEnum):
    """What a change is a change of."""

    FAILURES = "failures"
    RECOVERY = "recovery"
    SAVES = "saves"
    NODES = "nodes"
    INTERVAL = "interval"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Change:
    """New values at dotted paths, with a name, what it reads like, and its price where that is known."""

    name: str
    values: Changes
    text: str
    family: Family
    price: Money | None = None


def scaled(value: Any, factor: float) -> Any:
    """Return *value* with every duration in it times *factor*: a text, a law, a table, a list.

    The shortest duration has no half.
    """
    if isinstance(value, Mapping):
        return {key: scaled(inner, factor) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scaled(inner, factor) for inner in value]
    try:
        return _scaled(parse_duration(value), factor) if isinstance(value, str) else value
    except ValueError:
        return value


def _scaled(seconds: float, factor: float) -> str:
    return format_duration(max(factor * seconds, min(seconds, SHORTEST_DURATION)))


def rarer(value: Any) -> Any:
    """Return *value* with every share in it halved."""
    if isinstance(value, Mapping):
        return {key: rarer(inner) for key, inner in value.items()}
    return format_share(HALF * parse_share(value))


def wider(value: str) -> str:
    """Return twice the bandwidth *value*, per node or of all together."""
    found = _PER_NODE.fullmatch(value)
    assert found is not None
    return format_bandwidth(TWICE * parse_bandwidth(found[1])) + (found[2] or "")


def halved(name: str, given: Mapping[str, Any], family: Family) -> Change:
    """Return the change of all *given* values, by path, to half the time."""
    values = {path: faster(path, value) for path, value in given.items()}
    return together(name, given, values, family, "half of")


def faster(path: str, value: Any) -> Any:
    """Return a time in half, or the bandwidth that gives half of it."""
    return wider(value) if path.endswith((".write", ".read")) else scaled(value, HALF)


def seldom(name: str, given: Mapping[str, Any], family: Family) -> Change:
    """Return the change of all *given* shares, by path, to half of them."""
    return together(name, given, {path: rarer(value) for path, value in given.items()}, family, "half of")


def together(
    name: str, given: Mapping[str, Any], values: Mapping[str, Any], family: Family, how: str
) -> Change:
    """Return the change from *given* to other *values* by path; of several only *how* they change is told."""
    text = "; ".join(f"{path}: {told(given[path])} -> {told(values[path])}" for path in given)
    return Change(name, values, f"{how} {', '.join(given)}" if len(given) > 1 else text, family)


def told(value: Any) -> str:
    """Return a value in one line, as in a scenario file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {told(inner)}" for key, inner in value.items()) + "}"
    return str(value)
