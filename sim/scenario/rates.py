"""How often what fails: by mode, with lemons and what comes again, and by what a failure takes down."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.scenario.effects import CORRUPT, FLAP, STORAGE
from sim.scenario.failure import FailureMode

if TYPE_CHECKING:
    from sim.scenario.model import Scenario


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
    """Return the failures that one failure of *mode* comes to, those that it brings about included.

    A repair may be followed by a relapse or be in vain, a wrong diagnosis leaves the culprit in place; what
    comes again may come again, so the shares make a geometric series (first order: it ignores waiting).
    """
    if mode.repair_plan is None or not mode.takes_nodes:
        return 1.0
    alone = float(mode.takes_down == "node") * (1 - (mode.spreads.probability if mode.spreads else 0.0))
    wrong = alone * (scenario.recovery.misdiagnosis + scenario.recovery.missed)
    vain = (1 - wrong) * mode.repair_plan.in_vain
    relapse = mode.relapse.probability * (1 - vain) if mode.relapse else 0.0
    share = (1 - mode.transient) * (wrong + vain + relapse)
    return 1 / (1 - share) if share < 1 else math.inf


def rate(scenario: Scenario, name: str) -> float:
    """Return the failures per second of a mode over all its units, `over_time` not counted."""
    mode = scenario.failures[name]
    return fleet_factor(mode) * again(scenario, mode) / scenario.mtbf_of(name)


def stops_training(mode: FailureMode) -> bool:
    """Whether its failures stop training, at once or when they are noticed."""
    return mode.effect not in (FLAP, STORAGE)


def rates_by_scope(scenario: Scenario, name: str) -> Iterator[tuple[str, float]]:
    """Yield the scopes of a mode's failures, each with how many there are per second."""
    mode, every = scenario.failures[name], rate(scenario, name)
    spread = mode.spreads.probability if mode.spreads else 0.0
    yield "job", every * mode.transient
    yield mode.scope, every * (1 - mode.transient) * (1 - spread)
    if mode.spreads:
        yield mode.spreads.to, every * (1 - mode.transient) * spread


def replicas_down(scenario: Scenario, mode: FailureMode) -> int:
    """Return how many replicas one failure of *mode* takes, first order: those that its domain fills."""
    replicas = scenario.recovery.replicas
    if not mode.takes_nodes or mode.effect == CORRUPT:
        return replicas
    return min(replicas, math.ceil(slots_per(scenario, mode.takes_down) / slots_per(scenario, "replica")))


def falls_back(scenario: Scenario, mode: FailureMode) -> bool:
    """Whether its failures send the job back to a copy: with replicas, only those that take all of them."""
    return stops_training(mode) and replicas_down(scenario, mode) == scenario.recovery.replicas


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
