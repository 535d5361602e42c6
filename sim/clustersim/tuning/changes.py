"""The changes that a scenario allows: everything that it uses, halved or doubled, one at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.distributions import Empirical
from clustersim.scenario.keys.effects import CORRUPT, FLAP, STORAGE
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import at, find
from clustersim.tuning.change import TWICE, Change, Family, halved, scaled, seldom, told
from clustersim.tuning.savings import cheaper_saves, loads
from clustersim.units import format_duration

__all__ = ["Change", "Family", "changes_that_fit", "own_changes", "scaled"]


def changes_that_fit(scenario: Scenario) -> Iterator[Change]:
    """Yield each change of the list that *scenario* has a use for; what it does not use is not offered.

    The list: each failure mode half as often, half as many lemons, relapses, wrong diagnoses and repairs in
    vain; each stage of the recovery, detection, and all of them in half the time, stalls half as long; saves
    that stop training for half as long, or are durable twice as fast, tier by tier; twice the spares; repair
    and outages half as long.
    """
    document = scenario.document
    yield from _rarer_failures(scenario, document)
    yield from _better_nodes(scenario, document)
    if scenario.failures or scenario.recovery.at_start:
        yield from _faster_recovery(scenario, document)
    yield from _shorter_stalls(scenario, document)
    yield from cheaper_saves(scenario, document)
    yield from _repair(scenario, document)


def own_changes(scenario: Scenario) -> Iterator[Change]:
    """Yield the levers that *scenario* names itself."""
    document = scenario.document
    for name, lever in scenario.levers.items():
        changed = []
        for path, value in lever.values.items():
            place = find(document, path)
            now = "not given" if place is None else told(at(document, place))
            changed.append(f"{path}: {now} -> {'not given' if value is None else told(value)}")
        values = {path: "null" if value is None else value for path, value in lever.values.items()}
        yield Change(name, values, "; ".join(changed), Family.OWN, lever.price)


def _rarer_failures(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield each mode at half its rate; what a log recorded cannot be halved."""
    for name, mode in scenario.failures.items():
        path, spec = f"failures.{name}", document["failures"][name]
        if mode.recorded is not None:
            continue
        if isinstance(mode.lifetime, Empirical):
            values = {f"{path}.lifetime": scaled(spec["lifetime"], TWICE)}
        else:
            values = {f"{path}.rate": "null"} if "rate" in spec else {}
            values |= {f"{path}.mtbf": format_duration(TWICE * mode.mtbf)}
        yield Change(f"half the failures: {name}", values, f"{path}: half the rate", Family.FAILURES)


def _better_nodes(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield half the lemons, relapses and bursts of each mode, half the wrong diagnoses and bad repairs."""
    shares = {
        "lemons": ("share", "in_replacements"),
        "relapse": ("probability",),
        "spreads": ("probability",),
    }
    names = {"lemons": "lemons", "relapse": "relapses", "spreads": "bursts"}
    for name, spec in _modes(document).items():
        for key, halved_shares in shares.items():
            if key in spec:
                stated = [share for share in halved_shares if spec[key].get(share) is not None]
                given = {f"failures.{name}.{key}.{share}": spec[key][share] for share in stated}
                yield seldom(f"half the {names[key]}: {name}", given, Family.FAILURES)
    said = document.get("recovery") or {}
    wrong = {
        f"recovery.{key}": said[key] for key in ("misdiagnosis", "missed") if getattr(scenario.recovery, key)
    }
    if wrong:
        yield seldom("half the wrong diagnoses", wrong, Family.NODES)
    vain = {
        f"failures.{name}.repair.false_fix": document["failures"][name]["repair"]["false_fix"]
        for name, mode in scenario.failures.items()
        if mode.stated_repair and mode.stated_repair.plan.in_vain
    }
    if vain:
        yield seldom("half the repairs in vain", vain, Family.NODES)


def _faster_recovery(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield each stage, detection, and all of them together where there are several."""
    detection, stages = _detections(scenario, document), _stages(scenario, document)
    for name, given in stages.items():
        yield halved(f"half the time: {name}", given, Family.RECOVERY)
    if detection:
        yield halved("half the time: detection", detection, Family.RECOVERY)
    everything = dict(detection)
    for given in stages.values():
        everything |= given
    if len(stages) + bool(detection) > 1:
        yield halved("half the time: all of recovery", everything, Family.RECOVERY)


def _stages(scenario: Scenario, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what says how long each stage lasts that lasts at all, by stage and path; detection left out."""
    given = (document.get("recovery") or {}).get("stages") or {}
    found: dict[str, dict[str, Any]] = {}
    for stage in scenario.recovery.stages:
        if stage.of_copy:
            found[stage.name] = loads(scenario, document)
        elif stage.kind not in ("detect", "nodes") and stage.duration.mean:
            found[stage.name] = {f"recovery.stages.{stage.name}": given[stage.name]}
    return {name: values for name, values in found.items() if values}


def _detections(scenario: Scenario, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that says how long detection takes, by path."""
    modes = _modes(document)
    given = {f"failures.{name}.detect": mode["detect"] for name, mode in modes.items() if mode.get("detect")}
    used = scenario.recovery.at_start or len(given) < len(modes)
    if used and scenario.recovery.stages[0].duration.mean:
        given["recovery.stages.detect"] = document["recovery"]["stages"]["detect"]
    return given


def _shorter_stalls(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield stalls and the protocol's overhead halved, and corruption noticed twice as fast."""
    recovery, said = scenario.recovery, document.get("recovery") or {}
    stalls = {f"recovery.{key}": said[key] for key in ("stall", "rejoin_stall") if getattr(recovery, key)}
    if stalls:
        yield halved("half the stall of other replicas", stalls, Family.RECOVERY)
    if recovery.overhead:
        given = {"recovery.overhead": said["overhead"]}
        yield seldom("half the overhead of each step", given, Family.RECOVERY)
    for effect, title in ((FLAP, "half the stall of a flap"), (CORRUPT, "corruption noticed twice as fast")):
        given = _of_modes(scenario, document, effect, "effect")
        if given:
            yield halved(title, given, Family.RECOVERY)


def _repair(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    if outages := _of_modes(scenario, document, STORAGE, "repair"):
        yield halved("storage back twice as fast", outages, Family.SAVES)
    modes = scenario.failures.items()
    if not any(mode.repair_plan and mode.transient < 1 for _, mode in modes):
        return
    if scenario.cluster.used_per_rack is None:
        yield _more_spares(scenario)
    repaired = [name for name, mode in modes if mode.stated_repair and mode.transient < 1]
    given = {f"failures.{name}.repair": document["failures"][name]["repair"] for name in repaired}
    if given:
        yield halved("repair twice as fast", given, Family.NODES)


def _of_modes(scenario: Scenario, document: Mapping[str, Any], effect: str, key: str) -> dict[str, Any]:
    """Return what the modes with that *effect* say under *key*, by path."""
    modes = scenario.failures.items()
    return {
        f"failures.{name}.{key}": document["failures"][name][key]
        for name, mode in modes
        if mode.effect == effect
    }


def _more_spares(scenario: Scenario) -> Change:
    now = scenario.cluster.spare_nodes
    then = 2 * now or math.ceil(scenario.cluster.nodes / 100)
    name = "twice the spares" if now else "spares: 1 % of the nodes"
    return Change(name, {"cluster.spares": str(then)}, f"cluster.spares: {now} -> {then}", Family.NODES)


def _modes(document: Mapping[str, Any]) -> Mapping[str, Any]:
    modes = document["failures"]
    return modes if isinstance(modes, Mapping) else {}
