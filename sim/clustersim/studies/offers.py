"""The changes that a scenario allows: everything that it uses, halved or doubled, one at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from clustersim.distributions import Empirical
from clustersim.scenario import ScenarioError
from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.keys.uncertain import quantified, scaled
from clustersim.scenario.kinds.effects import EFFECTS
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import at, find
from clustersim.studies.change import Area, Change, from_to
from clustersim.units import BANDWIDTH, DURATION, SHARE, format_bandwidth, format_duration, format_share

HALF, TWICE = 0.5, 2.0
LEAST_HALVED = 2 * SHORTEST_DURATION
"""Times below it (s) are not halved: twice the bandwidth would give less than a time may be."""
SHARES = {
    "lemons": ("lemons.share", "lemons.turns_bad", "lemons.in_replacements"),
    "relapses": ("relapse.probability",),
    "bursts": ("spreads.probability",),
}
"""What of a mode there may be half as much of, and the shares that say how much."""
_PER_NODE = re.compile(r"(.*?)( ?(?:/|per) ?node)?")


def offers(scenario: Scenario) -> Iterator[Change]:
    """Yield each change of the list that *scenario* has a use for; what it does not use is not offered.

    The list: each failure mode half as often, and all of them; half as many lemons, relapses, wrong diagnoses
    and repairs in vain; groups of nodes that fail more often, replaced by others; twice the notice; each
    stage of the recovery, detection, and all of them in half the time, stalls half as long; saves that stop
    training for half as long, or are durable twice as fast, tier by tier; twice the spares, or half of them,
    or one more spare rack; repair and outages half as long.
    """
    changes = Offers(scenario).changes()
    return (_as_uncertain(scenario, change) for change in changes) if scenario.uncertain else changes


def own_changes(scenario: Scenario) -> Iterator[Change]:
    """Yield the levers that *scenario* names itself."""
    document = scenario.document
    for name, lever in scenario.levers.items():
        yield Change(name, lever.values, from_to(document, lever.values), Area.OWN, lever.price)


def _as_uncertain(scenario: Scenario, change: Change) -> Change:
    """Return the *change* with inputs as uncertain as before: half a rate is half of it in each draw."""
    made, document = change.of(scenario), scenario.document["uncertain"]
    values = dict(change.values)
    for path in (path for path in scenario.uncertain if path not in made.uncertain):
        counted = scenario.uncertain[path].counted
        then, now = (_value_of(each, path, counted) for each in (made, scenario))
        if then and now:
            values[f"uncertain.{path}"] = scaled(document[path], then / now)
    uncertain = replace(change, values=values)
    # Half of 1 to 2 spares is no range of whole numbers: it is what the change says, and certain.
    with suppress(ScenarioError):
        uncertain.of(scenario)
        return uncertain
    return change


def _value_of(scenario: Scenario, path: str, counted: bool) -> float | None:
    """Return the value at *path* (SI), None where there is none; of what was *counted* the rate."""
    block, _, name = path.rpartition(".")
    mode = scenario.failures.get(block.removeprefix("failures."))
    if mode is not None and name in ("rate", "mtbf"):
        return mode.mtbf if name == "mtbf" and not counted else 1 / mode.mtbf
    keys = find(scenario.document, path)
    with suppress(ValueError):
        return None if keys is None else quantified(at(scenario.document, keys)).value
    return None


class Offers:
    """What one scenario says, and the changes of it."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._document = scenario.document
        self._modes: list[str] = [f"failures.{name}" for name in scenario.failures]

    def changes(self) -> Iterator[Change]:
        """Yield all changes of the list."""
        yield from self._rarer_failures()
        yield from self._better_nodes()
        yield from self._longer_notices()
        if self._scenario.failures or self._scenario.recovery.at_start:
            yield from self._faster_recovery()
        yield from self._shorter_stalls()
        yield from self._cheaper_saves()
        yield from self._repair()

    def _given(self, path: str) -> Any:
        """Return what stands at *path*, None where nothing does."""
        keys = find(self._document, path)
        return None if keys is None else at(self._document, keys)

    def _halved(
        self, name: str, paths: Iterable[str], area: Area, *, shares: bool = False, joins: bool = False
    ) -> Iterator[Change]:
        """Yield the change of all that stands at *paths* to half the time, or half the share, if anything."""
        given = {path: value for path in paths if (value := self._given(path)) is not None}
        values = {
            path: halved_share(value) if shares else halved_time(path, value) for path, value in given.items()
        }
        if values:
            several = f"half of {', '.join(given)}"
            text = several if len(given) > 1 else from_to(self._document, values)
            yield Change(name, values, text, area, joins=joins)

    def _rarer_failures(self) -> Iterator[Change]:
        """Yield each mode at half its rate, and all together; what a log recorded cannot be halved."""
        each = list(self._rarer_modes())
        yield from each
        if len(each) > 1:
            every = {path: value for change in each for path, value in change.values.items()}
            text = "failures: each mode at half its rate, which doubles the MTBF"
            yield Change("halve all failures", every, text, Area.FAILURES, joins=True)

    def _rarer_modes(self) -> Iterator[Change]:
        for path, (name, mode) in zip(self._modes, self._scenario.failures.items(), strict=True):
            if mode.recorded is not None:
                continue
            if isinstance(mode.lifetime, Empirical):
                values = {f"{path}.lifetime": times(self._given(f"{path}.lifetime"), TWICE)}
            else:
                values = {f"{path}.rate": None} if self._given(f"{path}.rate") else {}
                values |= {f"{path}.mtbf": format_duration(TWICE * mode.mtbf)}
            yield Change(f"halve {name} failures", values, f"{path}: half the rate", Area.FAILURES)

    def _better_nodes(self) -> Iterator[Change]:
        """Yield half the lemons, relapses, bursts, wrong diagnoses and repairs in vain, and other groups."""
        for name in self._scenario.failures:
            for what, shares in SHARES.items():
                paths = [f"failures.{name}.{share}" for share in shares]
                yield from self._halved(f"halve {name} {what}", paths, Area.FAILURES, shares=True)
        for group in self._scenario.cluster.groups:
            factors = [dict(mode.groups).get(group.name, 1.0) for mode in self._scenario.failures.values()]
            if group.nodes and max(factors) > 1:
                values = {f"cluster.groups.{group.name}.nodes": "0"}
                text = (
                    f"cluster.groups.{group.name}.nodes: {group.nodes} -> 0, nodes of no group in their place"
                )
                yield Change(f"replace {group.name}", values, text, Area.NODES)
        recovery = self._scenario.recovery
        wrong = [f"recovery.{key}" for key in ("misdiagnosis", "missed") if getattr(recovery, key)]
        yield from self._halved("halve wrong diagnoses", wrong, Area.NODES, shares=True)
        vain = [
            f"failures.{name}.repair.false_fix"
            for name, mode in self._scenario.failures.items()
            if mode.repair_plan and mode.repair_plan.in_vain
        ]
        yield from self._halved("halve repairs in vain", vain, Area.NODES, shares=True)

    def _longer_notices(self) -> Iterator[Change]:
        """Yield twice the notice of each mode that is announced."""
        for path, name in zip(self._modes, self._scenario.failures, strict=True):
            if (notice := self._given(f"{path}.notice")) is not None:
                values = {f"{path}.notice": times(notice, TWICE)}
                text = from_to(self._document, values)
                yield Change(f"double the notice of {name}", values, text, Area.FAILURES)

    def _faster_recovery(self) -> Iterator[Change]:
        """Yield each stage, detection, and all of them together where there are several."""
        detection = self._detection()
        stages = {name: paths for name, paths in self._stages() if paths}
        for name, paths in stages.items():
            yield from self._halved(f"halve {name} time", paths, Area.RECOVERY)
        yield from self._halved("halve detection time", detection, Area.RECOVERY)
        if len(stages) + bool(detection) > 1:
            every = [*detection, *(path for paths in stages.values() for path in paths)]
            yield from self._halved("halve recovery time", every, Area.RECOVERY, joins=True)

    def _stages(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the paths of what says how long each stage lasts that lasts at all; detection left out."""
        for stage in self._scenario.recovery.stages:
            if stage.of_copy:
                yield stage.name, list(self._loads())
            elif stage.kind not in ("detect", "nodes") and stage.duration.mean:
                yield stage.name, [f"recovery.stages.{stage.name}"]

    def _detection(self) -> list[str]:
        """Return the paths of all that says how long detection takes."""
        own = [f"{mode}.detect" for mode in self._modes if self._given(f"{mode}.detect")]
        recovery = self._scenario.recovery
        announced = sum(mode.effect.is_announced for mode in self._scenario.failures.values())
        used = recovery.at_start or len(own) + announced < len(self._modes)
        return [*own, *["recovery.stages.detect"] * (used and recovery.stages[0].duration.mean > 0)]

    def _shorter_stalls(self) -> Iterator[Change]:
        """Yield stalls and the protocol's overhead halved, outages, and what of an effect may be shorter."""
        recovery, area = self._scenario.recovery, Area.RECOVERY
        stalls = [f"recovery.{key}" for key in ("stall", "rejoin_stall") if getattr(recovery, key)]
        yield from self._halved("halve the stall of other replicas", stalls, area)
        overhead = ["recovery.overhead"] * bool(recovery.overhead)
        yield from self._halved("halve the overhead of each step", overhead, area, shares=True)
        modes = self._scenario.failures.items()
        outages = [f"failures.{name}.repair" for name, mode in modes if mode.is_outage]
        yield from self._halved("site back twice as fast", outages, Area.NODES)
        for lever in (kind.lever for kind in EFFECTS.values() if kind.lever):
            paths = [f"failures.{name}.{lever.key}" for name, mode in modes if mode.effect.lever == lever]
            yield from self._halved(lever.name, paths, Area(lever.area))

    def _cheaper_saves(self) -> Iterator[Change]:
        """Yield saves of each tier that stop training for half as long, or are durable twice as fast."""
        stops = self._scenario.maintenance
        awaited = self._scenario.failures or any(not each.abrupt for each in stops)
        for tier in self._scenario.tiers:
            which = f": {tier.name}" if tier.several else ""
            if tier.blocks >= LEAST_HALVED:
                paths = [self._time_of(tier, "blocks", "write")]
                yield from self._halved(f"halve the cost of saves{which}", paths, Area.SAVES)
            if tier.durable_after >= LEAST_HALVED and awaited:
                paths = [self._time_of(tier, "durable_after", "write")]
                yield from self._halved(f"durable twice as fast{which}", paths, Area.SAVES)

    def _loads(self) -> Iterator[str]:
        """Yield the paths of all that says how long loading a copy takes, from a tier or another replica."""
        for tier in self._scenario.tiers:
            if tier.load >= LEAST_HALVED:
                yield self._time_of(tier, "load", "read")
        if self._scenario.recovery.peer_load:
            yield "recovery.peer_load"

    def _time_of(self, tier: Tier, key: str, bandwidth: str) -> str:
        """Return the path of a tier's time, or of the *bandwidth* that gives it where it is not stated."""
        path = tier.path(key)
        return path if self._given(path) is not None else tier.path(bandwidth)

    def _repair(self) -> Iterator[Change]:
        """Yield, where nodes are repaired, other numbers of spares and quicker repairs."""
        modes = [item for item in self._scenario.failures.items() if item[1].transient < 1]
        if not any(mode.repair_plan for _, mode in modes):
            return
        cluster, recovery = self._scenario.cluster, self._scenario.recovery
        if self._given("cluster.used_per_rack") is None:
            yield from self._other_spares()
        elif cluster.spare_racks or (cluster.spare_choice == "any" and recovery.replicas == 1):
            values = {"cluster.spare_racks": cluster.spare_racks + 1}
            text = from_to(self._document, values)
            yield Change("one more spare rack", values, text, Area.NODES)
        repaired = [f"failures.{name}.repair" for name, mode in modes if mode.repair_plan]
        yield from self._halved("repair twice as fast", repaired, Area.NODES)

    def _other_spares(self) -> Iterator[Change]:
        """Yield twice the spares, and half of them; the first ones where there are none."""
        cluster = self._scenario.cluster
        now = cluster.own_spares if cluster.pools else cluster.spare_nodes
        then = {"double the spares": 2 * now, "halve the spares": now // 2}
        if not now:
            then = {} if cluster.pools else {"spares: 1 % of the nodes": math.ceil(cluster.nodes / 100)}
        for name, count in then.items():
            factor = TWICE if count > now else HALF
            values = {"cluster.spares": self._pools(factor) if cluster.pools else str(count)}
            yield Change(name, values, f"cluster.spares: {now} -> {count}", Area.NODES)

    def _pools(self, factor: float) -> list[dict[str, Any]]:
        """Return the pools of spares as they are written, with so many times the nodes in ours.

        What a half node in one of them leaves over is in the next: they have half of all nodes together.
        """
        pools = self._scenario.cluster.pools
        upto = accumulate((0 if pool.kind == "lent" else pool.count for pool in pools), initial=0)
        ours = [int(factor * later) - int(factor * before) for before, later in pairwise(upto)]
        return [
            {
                "name": pool.name,
                "count": pool.count if pool.kind == "lent" else nodes,
                "kind": pool.kind,
                "takes": format_duration(pool.takes),
            }
            for pool, nodes in zip(pools, ours, strict=True)
        ]


def halved_time(path: str, value: Any) -> Any:
    """Return *value* with each time in it halved; a bandwidth, of one node or of all, twice as wide."""
    if not path.endswith((".write", ".read")):
        return times(value, HALF)
    match = _PER_NODE.fullmatch(value)
    assert match is not None
    return format_bandwidth(TWICE * BANDWIDTH.parse(match[1])) + (match[2] or "")


def halved_share(value: Any) -> Any:
    """Return *value* with every share in it halved."""
    if isinstance(value, Mapping):
        return {key: halved_share(inner) for key, inner in value.items()}
    return format_share(HALF * SHARE.parse(value))


def times(value: Any, factor: float) -> Any:
    """Return *value* with every duration in it times *factor*: a text, a law, a table, a list.

    The shortest duration has no half.
    """
    if isinstance(value, Mapping):
        return {key: times(inner, factor) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [times(inner, factor) for inner in value]
    try:
        return _scaled(DURATION.parse(value), factor) if isinstance(value, str) else value
    except ValueError:
        return value


def _scaled(seconds: float, factor: float) -> str:
    return format_duration(max(factor * seconds, min(seconds, SHORTEST_DURATION)))
