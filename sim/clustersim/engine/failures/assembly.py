"""The sources of a failure mode: which processes it takes to let it strike as its scenario says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clustersim.distributions import Exponential
from clustersim.engine.failures.aim import UNITS_OF_A_NODE, WHOLE_JOB, Aim, OnStrike
from clustersim.engine.failures.clock import Clock, Tempo
from clustersim.engine.failures.lemons import Lemons
from clustersim.engine.failures.lifetimes import Ageing, Lifetimes
from clustersim.engine.failures.origins import LEMON, LEMON_REPLACEMENT, LEMON_SPARE, PROCESSES, SPARE
from clustersim.engine.failures.sources import Memoryless, Recorded, Source, Varying
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
    """Return the strikes of a log: each on the node that it names, or on the whole job.

    A node that is away cannot fail once more, but it is away until the later of both absences ends.
    """
    site, rows = aim.site, aim.spec.recorded
    assert rows is not None
    site.cluster.track()

    def strike(index: int, node: int) -> None:
        if node < 0:
            aim.at_job(aim.mode, index)
        elif not aim.at_node(aim.mode, index, node):
            site.keep_away(node, rows[index].time_s + (rows[index].repair_s or 0.0))

    clock = Clock(site.env, None, running=True)
    return Recorded(site.env, clock, priority(aim), site.scenario.end_s, rows=rows, on_strike=strike)


def _memoryless(aim: Aim) -> Source:
    units = aim.site.scenario.units(aim.name)
    return Memoryless(**_process(aim), mtbf=aim.spec.mtbf, units=units, on_strike=aim.of_units())


def _process(aim: Aim, process: str | None = None) -> dict[str, Any]:
    """Return what a source must be told of one of the mode's processes; None: the mode's own."""
    site, origin = aim.site, aim.mode if process is None else aim.site.origins.of(aim.mode, process)
    return {
        "env": site.env,
        "clock": Clock(site.env, _tempo(aim.spec), running=aim.spec.clock == "calendar"),
        "priority": priority(aim, process),
        "horizon": site.scenario.end_s,
        "streams": site.streams,
        "name": site.origins.names[origin],
    }


def _aged(aim: Aim, spares: int, on_strike: OnStrike) -> Lifetimes:
    site, spec = aim.site, aim.spec
    horizon, tempo = site.scenario.end_s, _tempo(spec)
    lemons, factor = (Lemons(aim).nodes, spec.lemons.factor) if spec.lemons else ((), 1.0)
    return Lifetimes(
        **_process(aim),
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

    mtbf = aim.spec.mtbf / aim.units_per_node / spec.spare_failures
    return Memoryless(**_process(aim, SPARE), mtbf=mtbf, units=spec.spare_nodes, on_strike=strike)


def _lemons(aim: Aim) -> Iterator[Source]:
    """Yield what strikes lemons beyond what strikes every node, wherever they are.

    They are those of the job, those among the spares and, where retired nodes are replaced, replacements.
    """
    lemons, spec, retire = Lemons(aim), aim.spec.lemons, aim.site.scenario.recovery.retire
    assert spec is not None
    mtbf = aim.spec.mtbf / (spec.factor - 1)
    for process, nodes in ((LEMON, lemons.of_job), (LEMON_SPARE, lemons.of_spares)):
        if nodes:
            strike, units = lemons.strikes(process, nodes), len(nodes) * aim.units_per_node
            yield Memoryless(**_process(aim, process), mtbf=mtbf, units=units, on_strike=strike)
    if retire is not None and retire.replacement is not None:
        strike = lemons.strikes(LEMON_REPLACEMENT, lemons.replacements)
        yield lemons.follow(Varying(**_process(aim, LEMON_REPLACEMENT), mtbf=mtbf, on_strike=strike))


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
