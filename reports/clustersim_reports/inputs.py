"""What went in: every value of a scenario with its unit and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.scenario import Scenario
    from clustersim.scenario.values import Value


class Kind(StrEnum):
    """Where a value comes from: a source, an assumption, a default, or the wish of who asked."""

    SOURCE = "source"
    ASSUMPTION = "assumption"
    DEFAULT = "default"
    SETTING = "setting"


class Input(NamedTuple):
    """One value of a scenario: its path, how it reads, its kind, and what its source says."""

    path: str
    text: str
    kind: Kind
    source: str


class Difference(NamedTuple):
    """A path at which the compared scenarios differ, and the value of each (`""` where it has none)."""

    path: str
    values: tuple[str, ...]


def inputs(scenario: Scenario) -> list[Input]:
    """Return every value of *scenario*, first those that it gives, then the defaults."""
    from clustersim.scenario.values import values

    found = [_input(value) for value in values(scenario)]
    return sorted(found, key=lambda one: one.kind is Kind.DEFAULT)


def _input(value: Value) -> Input:
    """Return a value with its kind; a source may say itself that it is an assumption."""
    source = value.source or ""
    assumed = re.match(r"assum\w*\s*[:;,]?\s*", source, re.IGNORECASE)
    if assumed:
        return Input(value.path, value.text, Kind.ASSUMPTION, source[assumed.end() :])
    if value.default or source:
        return Input(value.path, value.text, Kind.DEFAULT if value.default else Kind.SOURCE, source)
    chosen = value.path.startswith("simulation.")
    return Input(value.path, value.text, Kind.SETTING if chosen else Kind.ASSUMPTION, "")


def differences(results: Sequence[Results]) -> list[Difference]:
    """Return the values in which *results* differ, in the order of the language."""
    tables = [{one.path: one.text for one in inputs(result.scenario)} for result in results]
    paths = dict.fromkeys(path for table in tables for path in table)
    found = [Difference(path, tuple(table.get(path, "") for table in tables)) for path in paths]
    return [one for one in found if len(set(one.values)) > 1]
