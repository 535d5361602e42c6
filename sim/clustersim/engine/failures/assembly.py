"""The sources that a failure mode needs: its own, and those of idle spares, of lemons and of groups.

A mode is simulated by the cheapest process that is exact for it: a log as it stands, a Poisson process for
exponential lifetimes, a lifetime for each unit otherwise.  A mode with `per: gpu, mtbf: 5 y` and
`lemons: {share: 5 %, factor: 8}` has one Poisson source for all cards at their common rate, and a second one
for the lemons at the other 7 parts of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clustersim.distributions import Exponential
from clustersim.engine.failures.clock import ModeClock, Tempo
from clustersim.engine.failures.groups import GroupRates
from clustersim.engine.failures.lemons import LemonNodes
from clustersim.engine.failures.lifetimes import Ageing, AgeingUnits
from clustersim.engine.failures.sources import (
    FailureSource,
    Memoryless,
    OfKinds,
    Process,
    ReplayedFailures,
    Varying,
)
from clustersim.engine.failures.targeting import UNITS_OF_A_NODE, WHOLE_JOB, OnUnitFailure, Targeting
from clustersim.engine.origins import (
    GROUP,
    GROUP_SPARE,
    LEMON,
    LEMON_REPLACEMENT,
    LEMON_SPARE,
    PROCESSES,
    SPARE,
)
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.logs import Recorded

MODE, PROCESS = 1 << 40, 1 << 36
"""Priorities reserved for failures of one instant: for each mode, and in it for each of its processes.

2^36 units for a process are enough for any cluster, and the priorities of 2^19 modes stay below `WINDOW`.
"""


def priority(target: Targeting, process: str | None = None) -> int:
    """Return the priority of a process among the failures of one instant; None: the mode's own."""
    return target.mode * MODE + (0 if process is None else (1 + PROCESSES.index(process)) * PROCESS)


def sources(
    target: Targeting, lemons: LemonNodes | None, groups: GroupRates | None
) -> Iterator[FailureSource]:
    """Yield the sources of one mode with its *lemons* and *groups*, but for relapses and latent faults."""
    cluster, spec = target.context.scenario.cluster, target.spec
    own_ages = not isinstance(spec.lifetime, Exponential)
    if spec.recorded is not None:
        yield _recorded(target, spec.recorded)
    elif own_ages and spec.per in UNITS_OF_A_NODE:
        yield _travelling(target, lemons, groups)
    else:
        yield _aged(target, 0, target.of_units()) if own_ages else _memoryless(target, groups)
        if cluster.spare_nodes and cluster.spare_failures and spec.per not in WHOLE_JOB:
            yield _idle_spares(target, groups)
        if lemons is not None:
            yield from _lemons(target, lemons)
        if groups is not None:
            yield from _groups(target, groups)


def _recorded(target: Targeting, rows: Sequence[Recorded]) -> FailureSource:
    """Return the failures of a log: each on the node that it names, or on the whole job.

    A node that is away cannot fail once more, but it is away until the later of both absences ends.
    """
    context = target.context
    context.cluster.track()

    def strike(index: int, node: int) -> None:
        if node < 0:
            target.at_job(target.mode, index)
        elif not target.at_node(target.mode, index, node):
            context.keep_away(node, rows[index].time_s + (rows[index].repair_s or 0.0))

    return ReplayedFailures(_process(target), rows=rows, on_failure=strike)


def _memoryless(target: Targeting, groups: GroupRates | None) -> FailureSource:
    units, strike = target.context.scenario.units(target.name), target.of_units()
    if groups is not None and groups.thins:
        strike = _thinned(target, groups, strike)
    return Memoryless(_process(target), mtbf=target.spec.mtbf, units=units, on_failure=strike)


def _thinned(target: Targeting, groups: GroupRates, on_failure: OnUnitFailure) -> OnUnitFailure:
    """Return *on_failure* for failures of which those of nodes that are struck less often are left out."""
    cluster, per_node, mode = target.context.cluster, target.units_per_node, target.mode

    def strike(index: int, unit: int) -> None:
        if groups.strikes(mode, index, cluster.node(unit // per_node), 1.0):
            on_failure(index, unit)

    return strike


def _process(target: Targeting, process: str | None = None) -> Process:
    """Return what the source of one of the mode's processes is made of; None: of its own."""
    context, origins, spec = target.context, target.context.origins, target.spec
    origin = target.mode if process is None else origins.of(target.mode, process)
    return Process(
        context.env,
        ModeClock(context.env, _tempo(spec), running=spec.clock == "calendar"),
        priority(target, process),
        context.scenario.end_s,
        context.streams,
        origins.names[origin],
    )


def _aged(
    target: Targeting,
    spares: int,
    on_failure: OnUnitFailure,
    lemons: LemonNodes | None = None,
    groups: GroupRates | None = None,
) -> AgeingUnits:
    context, spec = target.context, target.spec
    horizon, tempo = context.scenario.end_s, _tempo(spec)
    bad, factor = (lemons.nodes, lemons.factor) if lemons else ((), 1.0)
    return AgeingUnits(
        _process(target),
        ageing=Ageing(spec.lifetime, spec.ages == "steady", spec.renews, bad, factor, groups),
        units=context.scenario.units(target.name),
        units_per_node=target.units_per_node,
        spare_units=spares * target.units_per_node,
        idle_pace=context.scenario.cluster.spare_failures,
        longest=tempo.passed(horizon) if tempo else horizon,
        on_failure=on_failure,
    )


def _travelling(target: Targeting, lemons: LemonNodes | None, groups: GroupRates | None) -> FailureSource:
    """Return the failures of units that age and travel with their node."""
    cluster, spare = target.context.cluster, target.context.origins.of(target.mode, SPARE)
    locations = cluster.track()

    def strike(index: int, unit: int) -> None:
        node = unit // target.units_per_node
        slot = locations.slot_of(node)
        if slot is not None:
            target.at_slot(target.mode, index, slot)
        elif locations.is_idle(node):
            target.at_spare(spare, index, node)

    source = _aged(target, target.context.scenario.cluster.spare_nodes, strike, lemons, groups)
    cluster.on_move.append(source.moved)
    cluster.on_node_failure.append(source.failed)
    return source


def _idle_spares(target: Targeting, groups: GroupRates | None) -> FailureSource:
    """Return the failures of idle spares, each at its share of a node's rate."""
    context, spec = target.context, target.context.scenario.cluster
    origin = context.origins.of(target.mode, SPARE)

    def strike(index: int, position: int) -> None:
        node = context.cluster.spare(position)
        if node is not None and (groups is None or groups.strikes(origin, index, node, 1.0)):
            target.at_spare(origin, index, node)

    mtbf = target.spec.mtbf / target.units_per_node / spec.spare_failures
    return Memoryless(_process(target, SPARE), mtbf=mtbf, units=spec.spare_nodes, on_failure=strike)


def _lemons(target: Targeting, lemons: LemonNodes) -> Iterator[FailureSource]:
    """Yield the further sources of lemons: in the job, among the spares, and of those that come later."""
    retire = target.context.scenario.recovery.retire
    mtbf = target.spec.mtbf / (lemons.factor - 1)
    if lemons.groups is not None:
        mtbf /= lemons.groups.highest
    for process, nodes in ((LEMON, lemons.of_job), (LEMON_SPARE, lemons.of_spares)):
        if nodes:
            strike, units = lemons.strikes(process, nodes), len(nodes) * target.units_per_node
            yield Memoryless(_process(target, process), mtbf=mtbf, units=units, on_failure=strike)
    if lemons.turns_bad or (retire is not None and retire.replacement is not None):
        strike = lemons.strikes(LEMON_REPLACEMENT, lemons.later)
        yield lemons.follow(Varying(_process(target, LEMON_REPLACEMENT), mtbf=mtbf, on_failure=strike))


def _groups(target: Targeting, groups: GroupRates) -> Iterator[FailureSource]:
    """Yield the further sources of groups that are struck more often: in the job, and among the spares."""
    for process, spares in ((GROUP, False), (GROUP_SPARE, True)):
        kinds, strike = groups.extra(process, spares)
        if any(count for count, _ in kinds):
            mtbf = target.spec.mtbf / target.units_per_node
            yield OfKinds(_process(target, process), mtbf=mtbf, kinds=kinds, on_failure=strike)


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
