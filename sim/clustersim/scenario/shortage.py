"""How many nodes are away, to first order, and for what share of the time the job waits for them.

A node that fails for good is away until it is repaired.  With 8.9 nodes away on average and 3 spares a job
waits nearly always, whatever else its checkpoints and its restart could give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Floats, dot
from clustersim.distributions import mean_within, variation
from clustersim.formatting import counted
from clustersim.scenario.rates import rate, sizes_taken
from clustersim.scenario.system import System
from clustersim.theory import Leaving, nodes_away
from clustersim.units import format_share

BARELY = 0.01
"""Share of card-time that what no formula holds for may cost, so that the rest is still worth printing."""

FULL = 0.98
"""Share of their time for which crews work at most, here: beyond it a queue hardly ends, or never does."""

HARDLY_EVER = 1e-9
"""The least share of time in which a rack can serve, so that the odds against it are a number."""

MANY_AT_ONCE = 1000
"""Failures that take more nodes, and more than there are spares, are counted by themselves: the job waits
while one of them is being repaired, however many nodes are away otherwise."""


class Shortage(NamedTuple):
    """For what share of the time a node is missing, which share of the cards waits, and nodes away."""

    waiting: float
    idle_cards: float
    away: float


def shortage(
    system: System, at_s: float, trains: float, replacement: float = 0.0, demand: float = 1.0
) -> Shortage:
    """Return what is missing *at_s* seconds after the start, when repair shops were empty.

    The job trains for the share *trains* of the time in which nothing is missing.  Each repair is taken to
    last *replacement* seconds longer, as if its node were replaced then, and so many times as many nodes to
    leave as the *demand* says.
    """
    cluster, waiting, complete, away = system.cluster, 1.0, 1.0, 0.0
    groups = [
        kind for name in system.failures for kind in _leaving(system, name, at_s, trains, replacement, demand)
    ]
    if cluster.spare_racks:
        return _with_spare_racks(system, groups)
    domains = cluster.spare_domains
    fewer, more = divmod(cluster.spare_nodes, domains)
    for spares, count in ((fewer, domains - more), (fewer + 1, more)):
        if not count:
            continue
        here = [_in_domain(system, kind, spares, domains) for kind in groups]
        large = [kind for kind in here if kind.nodes > max(spares, MANY_AT_ONCE)]
        small = [kind for kind in here if kind not in large]
        shares = nodes_away(small, cluster.nodes // domains, spares, cluster.spare_failures)
        none = math.exp(-math.fsum(kind.load for kind in large))
        waiting *= (none * (1 - float(shares[spares + 1 :].sum()))) ** count
        complete *= (none * (1 - _idle_cards(system, shares, spares))) ** count
        away += count * dot(shares, np.arange(len(shares)))
        away += count * math.fsum(kind.load * kind.nodes for kind in large)
    return Shortage(max(1 - waiting, 0.0), max(1 - complete, 0.0), away)


def _with_spare_racks(system: System, groups: Sequence[Leaving]) -> Shortage:
    """Return what is missing where whole racks stand by: the job waits while too few racks can serve.

    All racks are taken to fail like those of the job.  So the wait is exact where idle nodes fail as often as
    others, and otherwise too long: a rack that stands by then fails less, and is repaired meanwhile.
    """
    cluster, places, racks = system.cluster, system.cluster.spare_domains, system.cluster.spare_racks
    own = cluster.rack_nodes - system.slots_per("rack")
    here = [_in_domain(system, kind, own, places) for kind in groups]
    nodes = nodes_away(here, cluster.nodes // places, own, cluster.spare_failures)
    can, cannot = max(float(nodes[: own + 1].sum()), HARDLY_EVER), float(nodes[own + 1 :].sum())
    # Racks that can serve or cannot, each by itself, are machines of which so many are away.
    unable = nodes_away([Leaving((places + racks) * cannot / can)], places + racks, 0)
    away = dot(nodes, np.arange(len(nodes))) * (places + racks * cluster.spare_failures)
    return Shortage(min(float(unable[racks + 1 :].sum()), 1.0), _idle_cards(system, unable, racks), away)


def _leaving(
    system: System, name: str, at_s: float, trains: float, replacement: float = 0.0, demand: float = 1.0
) -> Iterator[Leaving]:
    """Yield the failures of a mode by the nodes that they take and the parts of their repair."""
    mode = system.failures[name]
    plan = mode.repair_plan
    if plan is None or not mode.takes_nodes:
        return
    in_training = mode.clock == "training"
    strikes = demand * rate(system, name) * (1 - mode.transient) * (trains if in_training else 1.0)
    manual = [] if plan.second is None else [(plan.escalates, plan.second, plan.crews)]
    for share, size in sizes_taken(system, mode):
        nodes = max(round(size), 1)
        for part, law, crews in [(1.0, plan.first, None if manual else plan.crews), *manual]:
            away = min(mean_within(law, at_s) + replacement, at_s)
            load = strikes * share * part * away * size / nodes
            load = min(load, FULL * crews) if crews else load
            yield Leaving(load, nodes, in_training, crews, variation(law) if crews else 1.0)


def _in_domain(system: System, kind: Leaving, spares: int, domains: int) -> Leaving:
    """Return the failures of a *kind* in one of the domains to which spares are bound.

    What takes the whole domain takes its spares along.
    """
    whole = system.cluster.spares_within and kind.nodes >= system.slots_per(system.cluster.spares_within)
    nodes = kind.nodes + (spares if whole else 0)
    return kind._replace(load=kind.load / domains, nodes=nodes)


def _idle_cards(system: System, shares: Floats, spares: int) -> float:
    """Return the share of the cards that wait, where each missing node is one of another replica."""
    replicas, minimum = system.recovery.replicas, system.recovery.minimum
    total = 0.0
    for missing, share in enumerate(shares[spares + 1 :], 1):
        total += float(share) * (1.0 if replicas - missing < minimum else missing / replicas)
    return min(total, 1.0)  # rounding of so many shares: beyond 1 the ETTR would be negative


def why_unknown(system: System, at_s: float, trains: float) -> Iterator[str]:
    """Yield why it cannot be said how many nodes are away, if it cannot."""
    yield from _why_queues(system, trains)
    yield from _why_domains(system)
    yield from _why_retirement(system, at_s, trains)


def _why_queues(system: System, trains: float) -> Iterator[str]:
    for name in system.failures:
        kinds = [kind for kind in _leaving(system, name, math.inf, trains) if kind.crews]
        if math.fsum(kind.load / (kind.crews or 1) for kind in kinds) >= FULL:
            crews = counted(kinds[0].crews or 0, "crew")
            yield f"repairs of failures.{name} pile up: {crews} can hardly keep up with them, or not at all"


def _why_domains(system: System) -> Iterator[str]:
    within = system.cluster.spares_within
    if within is None:
        return
    for name, mode in system.failures.items():
        leave = mode.takes_nodes and mode.transient < 1
        if leave and any(size > system.slots_per(within) for _, size in sizes_taken(system, mode)):
            yield f"failures.{name} takes more than one {within} at once, and the spares that serve it"
        spreads = mode.spreads
        if (
            leave
            and spreads
            and spreads.share < 1
            and system.slots_per(spreads.to) >= system.slots_per(within)
        ):
            yield f"failures.{name} takes part of the spares that serve one {within}"
    if system.recovery.replicas > 1:
        yield f"replicas share spares that serve one {within} only"


def _why_retirement(system: System, at_s: float, trains: float) -> Iterator[str]:
    """Yield that retirement may cost more than the formula knows, were every failed node to retire."""
    retire = system.recovery.retire
    if retire is None:
        return
    longest = at_s if retire.replacement is None else retire.replacement
    none, every = (shortage(system, at_s, trains, each).idle_cards for each in (0.0, longest))
    if every - none > BARELY:
        waits = f"the job would wait {format_share(every, 2)} of the time if all that fail did"
        yield f"how many nodes retire is not known, and {waits}"
