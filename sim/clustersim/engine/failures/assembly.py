"""The sources of a failure mode: which processes it takes to let it strike as its scenario says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clustersim.distributions import Exponential
from clustersim.engine.failures.aim import UNITS_OF_A_NODE, WHOLE_JOB, Aim, OnStrike
from clustersim.engine.failures.clock import Clock, Tempo
from clustersim.engine.failures.lifetimes import Ageing, Lifetimes
from clustersim.engine.failures.origins import LEMON, LEMON_SPARE, PROCESSES, SPARE, StrikeDraws
from clustersim.engine.failures.sources import Memoryless, Recorded, Source
from clustersim.scenario.model import FailureMode

MODE, PROCESS = 1 << 40, 1 << 36
"""Room among the failures of one instant: for a mode, and in it for the units of each of its processes."""


def priority(aim: Aim, process: str | None = None) -> int:
    """Return the place of a process among the failures of one instant; None: the mode's own."""
    return aim.mode * MODE + (0 if process is None else (1 + PROCESSES.index(process)) * PROCESS)


def sources(aim: Aim) -> Iterator[Source]:
    """Yield all processes that strike by themselves in the way of one mode."""
    cluster, spec = aim.site.scenario.cluster, aim.spec
    own_ages = not isinstance(spec.lifetime, Exponential)
    if spec.recorded is not None:
        yield _recorded(aim)
    elif own_ages and spec.per in UNITS_OF_A_NODE:
        yield _travelling(aim)
    else:
        yield _aged(aim, 0, aim.of_units()) if own_ages else _memoryless(aim)
        if cluster.spare_nodes and cluster.spare_failures and spec.per not in WHOLE_JOB:
            yield _idle_spares(aim)
        if spec.lemons is not None and spec.lemons.factor > 1:
            yield from _lemons(aim)


def _recorded(aim: Aim) -> Source:
    """Return the strikes of a log: each on the node that it names, or on the whole job."""
    site, rows = aim.site, aim.spec.recorded
    assert rows is not None
    site.cluster.track()

    def strike(index: int, node: int) -> None:
        if node < 0:
            aim.at_job(aim.mode, index)
        else:
            aim.at_node(aim.mode, index, node)

    clock = Clock(site.env, None, running=True)
    return Recorded(site.env, clock, priority(aim), site.scenario.end_s, rows=rows, on_strike=strike)


def _memoryless(aim: Aim) -> Source:
    site, name = aim.site, aim.name
    return Memoryless(
        site.env,
        _clock(aim),
        priority(aim),
        site.scenario.end_s,
        streams=site.streams,
        name=name,
        mtbf=aim.spec.mtbf,
        units=site.scenario.units(name),
        on_strike=aim.of_units(),
    )


def _aged(aim: Aim, spares: int, on_strike: OnStrike) -> Lifetimes:
    site, spec = aim.site, aim.spec
    horizon, tempo = site.scenario.end_s, _tempo(spec)
    lemons, factor = frozenset(_lemon_nodes(aim)), spec.lemons.factor if spec.lemons else 1.0
    return Lifetimes(
        site.env,
        _clock(aim),
        priority(aim),
        horizon,
        streams=site.streams,
        name=aim.name,
        ageing=Ageing(spec.lifetime, spec.ages == "steady", spec.renews, lemons, factor),
        units=site.scenario.units(aim.name),
        units_per_node=aim.units_per_node,
        spare_units=spares * aim.units_per_node,
        idle_pace=site.scenario.cluster.spare_failures,
        longest=tempo.passed(horizon) if tempo else horizon,
        on_strike=on_strike,
    )


def _travelling(aim: Aim) -> Source:
    """Return the strikes of units that age and travel with their node."""
    cluster, spare = aim.site.cluster, aim.site.origins.of(aim.mode, SPARE)
    places = cluster.track()

    def strike(index: int, unit: int) -> None:
        node = unit // aim.units_per_node
        slot = places.slot_of(node)
        if slot is not None:
            aim.at_slot(aim.mode, index, slot)
        elif places.is_idle(node):
            aim.at_spare(spare, index, node)

    source = _aged(aim, aim.site.scenario.cluster.spare_nodes, strike)
    cluster.on_move.append(source.moved)
    cluster.on_failure.append(source.failed)
    return source


def _idle_spares(aim: Aim) -> Source:
    """Return the strikes of idle spares, each at its share of a node's rate."""
    site, spec = aim.site, aim.site.scenario.cluster
    origin = site.origins.of(aim.mode, SPARE)

    def strike(index: int, position: int) -> None:
        node = site.cluster.spare(position)
        if node is not None:
            aim.at_spare(origin, index, node)

    return Memoryless(
        site.env,
        _clock(aim),
        priority(aim, SPARE),
        site.scenario.end_s,
        streams=site.streams,
        name=site.origins.names[origin],
        mtbf=aim.spec.mtbf / aim.units_per_node / spec.spare_failures,
        units=spec.spare_nodes,
        on_strike=strike,
    )


def _lemon_nodes(aim: Aim) -> list[int]:
    """Return the nodes that are lemons of a mode, in the order of their numbers."""
    cluster, lemons = aim.site.scenario.cluster, aim.spec.lemons
    if lemons is None:
        return []
    draws = aim.site.streams[f"{aim.name}/lemons"].random(cluster.nodes + cluster.spare_nodes)
    return [int(node) for node in np.flatnonzero(draws < lemons.share)]


def _lemons(aim: Aim) -> Iterator[Source]:
    """Yield what strikes lemons beyond what strikes every node: the job's, then those among the spares."""
    nodes = _lemon_nodes(aim)
    of_job = [node for node in nodes if node < aim.site.scenario.cluster.nodes]
    for process, some in ((LEMON, of_job), (LEMON_SPARE, nodes[len(of_job) :])):
        if some:
            yield _extra(aim, process, some)


def _extra(aim: Aim, process: str, nodes: list[int]) -> Source:
    """Return the extra strikes of so many lemons, wherever they are; idle ones fail at their share."""
    site, lemons = aim.site, aim.spec.lemons
    assert lemons is not None
    places, idle_share = site.cluster.track(), site.scenario.cluster.spare_failures
    origin, per_node = site.origins.of(aim.mode, process), aim.units_per_node
    chances = StrikeDraws(site.streams, site.origins, "idle").of(origin)

    def strike(index: int, unit: int) -> None:
        node = nodes[unit // per_node]
        if not places.is_idle(node) or chances[index] < idle_share:
            aim.at_node(origin, index, node)

    return Memoryless(
        site.env,
        _clock(aim),
        priority(aim, process),
        site.scenario.end_s,
        streams=site.streams,
        name=site.origins.names[origin],
        mtbf=aim.spec.mtbf / (lemons.factor - 1),
        units=len(nodes) * per_node,
        on_strike=strike,
    )


def _clock(aim: Aim) -> Clock:
    return Clock(aim.site.env, _tempo(aim.spec), running=aim.spec.clock == "calendar")


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
