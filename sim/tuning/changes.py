"""The changes that a scenario allows: everything that it uses, halved or doubled, one at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sim.distributions import Empirical
from sim.scenario.document import at, find
from sim.scenario.model import Scenario
from sim.tuning.variants import Changes
from sim.units import Money, format_duration, parse_duration

HALF, TWICE = 0.5, 2.0


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


def changes_that_fit(scenario: Scenario) -> Iterator[Change]:
    """Yield each change of the list that *scenario* has a use for; what it does not use is not offered.

    The list: each failure mode half as often; each stage of the recovery, detection, and all of them in half
    the time; saves that stop training for half as long, or are durable twice as fast; twice the spares;
    repair twice as fast.
    """
    document = scenario.document
    yield from _rarer_failures(scenario, document)
    if scenario.failures or scenario.recovery.at_start:
        yield from _faster_recovery(scenario, document)
    yield from _cheaper_saves(scenario, document)
    repaired = [name for name, mode in scenario.failures.items() if mode.repair and mode.transient < 1]
    if repaired:
        yield _more_spares(scenario)
        given = {f"failures.{name}.repair": document["failures"][name]["repair"] for name in repaired}
        yield _halved("repair twice as fast", given, Family.NODES)


def own_changes(scenario: Scenario) -> Iterator[Change]:
    """Yield the levers that *scenario* names itself."""
    document = scenario.document
    for name, lever in scenario.levers.items():
        told = []
        for path, value in lever.values.items():
            place = find(document, path)
            now = "not given" if place is None else _told(at(document, place))
            told.append(f"{path}: {now} -> {'not given' if value is None else _told(value)}")
        values = {path: "null" if value is None else value for path, value in lever.values.items()}
        yield Change(name, values, "; ".join(told), Family.OWN, lever.price)


def scaled(value: Any, factor: float) -> Any:
    """Return *value* with every duration in it times *factor*: a text, a law, a table, a list."""
    if isinstance(value, Mapping):
        return {key: scaled(inner, factor) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scaled(inner, factor) for inner in value]
    try:
        return format_duration(factor * parse_duration(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _rarer_failures(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    for name, mode in scenario.failures.items():
        path, spec = f"failures.{name}", document["failures"][name]
        if isinstance(mode.lifetime, Empirical):
            values = {f"{path}.lifetime": scaled(spec["lifetime"], TWICE)}
        else:
            values = {f"{path}.rate": "null"} if "rate" in spec else {}
            values |= {f"{path}.mtbf": format_duration(TWICE * mode.mtbf)}
        yield Change(f"half the failures: {name}", values, f"{path}: half the rate", Family.FAILURES)


def _faster_recovery(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield each stage, detection, and all of them together where there are several."""
    detection, stages = _detections(scenario, document), _stages(scenario, document)
    for name, given in stages.items():
        yield _halved(f"half the time: {name}", given, Family.RECOVERY)
    if detection:
        yield _halved("half the time: detection", detection, Family.RECOVERY)
    together = dict(detection)
    for given in stages.values():
        together |= given
    if len(stages) + bool(detection) > 1:
        yield _halved("half the time: all of recovery", together, Family.RECOVERY)


def _stages(scenario: Scenario, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what says how long each stage lasts that lasts at all, by stage and path; detection left out."""
    given = (document.get("recovery") or {}).get("stages") or {}
    found = {}
    for stage in scenario.recovery.stages:
        if stage.kind in ("detect", "nodes") or not stage.duration.mean:
            continue
        path, value = f"recovery.stages.{stage.name}", given.get(stage.name, "checkpoint")
        if value == "checkpoint":
            path, value = "checkpoint.load", document["checkpoint"]["load"]
        found[stage.name] = {path: value}
    return found


def _detections(scenario: Scenario, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that says how long detection takes, by path."""
    modes = _modes(document)
    given = {f"failures.{name}.detect": mode["detect"] for name, mode in modes.items() if mode.get("detect")}
    used = scenario.recovery.at_start or len(given) < len(modes)
    if used and scenario.recovery.stages[0].duration.mean:
        given["recovery.stages.detect"] = document["recovery"]["stages"]["detect"]
    return given


def _cheaper_saves(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    spec, stops = scenario.checkpoint, scenario.maintenance
    if spec is not None and spec.blocks:
        given = {"checkpoint.blocks": document["checkpoint"]["blocks"]}
        yield _halved("saves at half the cost", given, Family.SAVES)
    awaited = scenario.failures or (stops is not None and not stops.abrupt)
    if spec is not None and spec.durable_after and awaited:
        given = {"checkpoint.durable_after": document["checkpoint"]["durable_after"]}
        yield _halved("durable twice as fast", given, Family.SAVES)


def _more_spares(scenario: Scenario) -> Change:
    now = scenario.cluster.spare_nodes
    then = 2 * now or math.ceil(scenario.cluster.nodes / 100)
    name = "twice the spares" if now else "spares: 1 % of the nodes"
    return Change(name, {"cluster.spares": str(then)}, f"cluster.spares: {now} -> {then}", Family.NODES)


def _modes(document: Mapping[str, Any]) -> Mapping[str, Any]:
    modes = document["failures"]
    return modes if isinstance(modes, Mapping) else {}


def _halved(name: str, given: Mapping[str, Any], family: Family) -> Change:
    """Return the change of all *given* values, by path, to half the time."""
    values = {path: scaled(value, HALF) for path, value in given.items()}
    text = "; ".join(f"{path}: {_told(given[path])} -> {_told(values[path])}" for path in given)
    return Change(name, values, f"half of {', '.join(given)}" if len(given) > 1 else text, family)


def _told(value: Any) -> str:
    """Return a value in one line, as in a scenario file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_told(inner)}" for key, inner in value.items()) + "}"
    return str(value)
