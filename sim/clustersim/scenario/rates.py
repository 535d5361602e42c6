"""How often what fails: by mode, with lemons and what comes again, and by what a failure takes down."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from clustersim.distributions import Distribution
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.replay import reached

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario

MOST_AGAIN = 0.99
_MEANS: dict[Distribution, float] = {}


def slots_per(scenario: Scenario, level: str) -> int:
    """Return the slots in one node, rack, pod, replica, or in the whole job."""
    cluster = scenario.cluster
    if level == "replica":
        return cluster.nodes // scenario.recovery.replicas
    rack = cluster.rack_slots or cluster.nodes
    slots = {"node": 1, "rack": rack, "pod": rack * (cluster.racks_per_pod or 1), "job": cluster.nodes}
    return min(slots[level], cluster.nodes)


def fleet_factor(mode: FailureMode) -> float:
    """Return the mode's mean rate over all nodes, relative to that of a good node."""
    return 1 + mode.lemons.share * (mode.lemons.factor - 1) if mode.lemons else 1.0


def again(scenario: Scenario, mode: FailureMode) -> float:
    """Return the failures of nodes at work that one failure of *mode* comes to, itself included.

    A repair may be followed by a relapse or be in vain, a wrong diagnosis leaves the culprit in place; what
    comes again may come again, so the shares make a geometric series.  First order: it ignores waiting.
    """
    relapse = _relapse(scenario, mode) if mode.relapse and mode.repair_plan else 0.0
    return 1 / (1 - min(_share_again(scenario, mode, relapse), MOST_AGAIN))


def most_again(scenario: Scenario, mode: FailureMode) -> float:
    """Return how many failures, of idle nodes too, one of *mode* may come to, on average at most.

    What comes again takes its time, so the series is no longer than the run.
    """
    plan, recovery = mode.repair_plan, scenario.recovery
    share = _share_again(scenario, mode, mode.relapse.probability if mode.relapse else 0.0)
    if not share or plan is None:
        return 1.0
    shows = mode.relapse.within / 2 if mode.relapse else mean_of(recovery.recurs_after)
    least = mean_of(plan.whole) + shows
    if recovery.misdiagnosis or recovery.missed:
        least = min(least, mean_of(recovery.recurs_after))
    in_the_run = 1 + scenario.end_s / least if least else math.inf
    return min(1 / (1 - share) if share < 1 else math.inf, in_the_run)


def _share_again(scenario: Scenario, mode: FailureMode, relapse: float) -> float:
    """Return the share of the failures of *mode* that come again, with so many relapses for each repair."""
    if mode.repair_plan is None or not mode.takes_nodes:
        return 0.0
    alone = float(mode.takes_down == "node") * (1 - (mode.spreads.probability if mode.spreads else 0.0))
    wrong = alone * (scenario.recovery.misdiagnosis + scenario.recovery.missed)
    vain = mode.repair_plan.in_vain
    return (1 - mode.transient) * (wrong + (1 - wrong) * (vain + relapse * (1 - vain)))


def _relapse(scenario: Scenario, mode: FailureMode) -> float:
    """Return the share of repairs of *mode* after which the node fails again when it is at work already.

    A node that is back is a spare until those before it have been taken, one with each node that leaves.
    """
    assert mode.relapse is not None
    leaving = in_repair = 0.0
    for name, other in scenario.failures.items():
        if other.takes_nodes and other.repair_plan is not None:
            per_second = (1 - other.transient) * fleet_factor(other) / scenario.mtbf_of(name)
            leaving += per_second * nodes_taken(scenario, other)
            in_repair += per_second * nodes_taken(scenario, other) * mean_of(other.repair_plan.whole)
    idle = max(scenario.cluster.spare_nodes - in_repair, 0.0)
    at_work = max(1 - idle / leaving / mode.relapse.within, 0.0) if leaving else 0.0
    return mode.relapse.probability * at_work


def mean_of(law: Distribution) -> float:
    """Return the mean, worked out once for each law: that of a bounded one is an integral."""
    if law not in _MEANS:
        _MEANS[law] = law.mean
    return _MEANS[law]


def nodes_taken(scenario: Scenario, mode: FailureMode) -> float:
    """Return how many nodes one failure of *mode* takes on average, those that it spreads to included."""
    spread = mode.spreads.probability if mode.spreads else 0.0
    wide = _size(scenario, mode.spreads.to) if mode.spreads else 0.0
    return (1 - spread) * _size(scenario, mode.takes_down) + spread * wide


def most_at_once(scenario: Scenario, mode: FailureMode) -> int:
    """Return the most nodes that one failure of *mode* takes down, with the spares bound to its domain."""
    if not mode.takes_nodes:
        return 0
    cluster = scenario.cluster
    levels = {mode.takes_down, mode.per, mode.spreads.to if mode.spreads else "node"} - {"gpu"}
    slots = max(scenario.slots_per(level) for level in levels)
    within = cluster.spares_within
    if within is None or slots < scenario.slots_per(within):
        return slots
    return slots + math.ceil(cluster.spare_nodes / cluster.spare_domains) * (
        slots // scenario.slots_per(within)
    )


def _size(scenario: Scenario, level: str) -> float:
    """Return the job's nodes in one domain on average: the last one may be smaller."""
    cluster = scenario.cluster
    domains = {"rack": cluster.racks, "pod": cluster.pods}.get(level)
    return cluster.nodes / domains if domains else slots_per(scenario, level)


def rate(scenario: Scenario, name: str) -> float:
    """Return the failures per second of a mode over all its units, `over_time` not counted."""
    mode = scenario.failures[name]
    return fleet_factor(mode) * again(scenario, mode) / scenario.mtbf_of(name)


def events(scenario: Scenario, name: str) -> float:
    """Return how many failures of a mode strike the job in a run, on average."""
    mode, end = scenario.failures[name], scenario.end_s
    if mode.recorded is not None:
        return reached(mode, end)
    return rate(scenario, name) * own_time(mode, end)


def spare_events(scenario: Scenario, name: str) -> float:
    """Return how many failures of a mode strike idle spares in a run, were all of them always idle."""
    mode, cluster = scenario.failures[name], scenario.cluster
    if mode.recorded is not None or not mode.takes_nodes:
        return 0.0
    units = cluster.spare_nodes * (cluster.gpus_per_node if mode.per == "gpu" else 1)
    return units * cluster.spare_failures / mode.mtbf * own_time(mode, scenario.end_s)


def own_time(mode: FailureMode, end: float) -> float:
    """Return the seconds until *end*, each as often as its factor of `over_time` says."""
    if not mode.over_time:
        return end
    ends = [(min(start, end), factor) for start, factor in mode.over_time] + [(end, 0.0)]
    return math.fsum(factor * (later - start) for (start, factor), (later, _) in pairwise(ends))


def stops_training(mode: FailureMode) -> bool:
    """Whether its failures stop training, at once or when they are noticed."""
    return mode.effect.stops_training


def rates_by_scope(scenario: Scenario, name: str) -> Iterator[tuple[str, float]]:
    """Yield the scopes of a mode's failures, each with how many there are per second."""
    mode, every = scenario.failures[name], rate(scenario, name)
    spread = mode.spreads.probability if mode.spreads else 0.0
    yield "cluster" if mode.per == "cluster" else "job", every * mode.transient
    yield mode.scope, every * (1 - mode.transient) * (1 - spread)
    if mode.spreads:
        yield mode.spreads.to, every * (1 - mode.transient) * spread


def replicas_down(scenario: Scenario, mode: FailureMode) -> int:
    """Return how many replicas one failure of *mode* takes, first order: those that its domain fills."""
    replicas = scenario.recovery.replicas
    if not mode.takes_nodes or mode.effect.spoils_work:
        return replicas
    return min(replicas, math.ceil(slots_per(scenario, mode.takes_down) / slots_per(scenario, "replica")))


def falls_back(scenario: Scenario, mode: FailureMode) -> bool:
    """Whether its failures send the job back to a copy: with replicas, only those that take all of them."""
    return stops_training(mode) and replicas_down(scenario, mode) == scenario.recovery.replicas


def calendar_share(scenario: Scenario) -> float:
    """Return the share of the failures that stop the whole job which strike also while it does not train."""
    modes = {name: mode for name, mode in scenario.failures.items() if falls_back(scenario, mode)}
    if all(mode.clock == "calendar" for mode in modes.values()):
        return 1.0
    struck = math.fsum(rate(scenario, name) for name, mode in modes.items() if mode.clock == "calendar")
    return struck / math.fsum(rate(scenario, name) for name in modes)


def tier_for(scenario: Scenario, scope: str) -> str:
    """Return the tier that is there for failures of such a *scope*: the first listed that survives them."""
    assert scenario.checkpoint is not None
    tiers = scenario.checkpoint.stated.items()
    return next(name for name, tier in tiers if tier.survives is None or scope in tier.survives)


def mtbf_served(scenario: Scenario, tier: str) -> float | None:
    """Return the mean time between the failures that *tier* is there for; None where there are none."""
    total = sum(
        _within(scenario, name, tier)
        for name, mode in scenario.failures.items()
        if falls_back(scenario, mode)
    )
    return 1 / total if total else None


def _within(scenario: Scenario, name: str, tier: str) -> float:
    """Return how many failures of a mode per second *tier* is there for."""
    parts = [(tier_for(scenario, scope), share) for scope, share in rates_by_scope(scenario, name)]
    if all(serving == tier for serving, _ in parts):
        return rate(scenario, name)
    return math.fsum(per_second for serving, per_second in parts if serving == tier)
