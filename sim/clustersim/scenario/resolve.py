"""From the blocks of a scenario to the system that is simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clustersim.scenario.keys.blocks import Finding, under
from clustersim.scenario.keys.failure import FailureMode, FailureModeBlock
from clustersim.scenario.keys.logs import Recorded
from clustersim.scenario.keys.machine import ClusterSpec
from clustersim.scenario.keys.plan import Maintenance, Simulation
from clustersim.scenario.keys.quantities import LONGEST_DURATION
from clustersim.scenario.keys.recovery import Recovery
from clustersim.scenario.keys.scenario import ScenarioBlock
from clustersim.scenario.kinds.intervals import Needs
from clustersim.scenario.rates import mtbf_served
from clustersim.scenario.system import System


def resolve(written: ScenarioBlock) -> System:
    """Return the system that is *written*; intervals are nan, see `with_intervals`."""
    cluster, workload, horizon = (
        written.cluster.resolve(),
        written.workload.resolve(),
        written.simulation.horizon,
    )
    target_s = workload.target_s(cluster.gpus)
    end_s = horizon or 10 * (target_s or 0.0)
    run_s = min(end_s, target_s or math.inf, LONGEST_DURATION)
    checkpoint = written.checkpoint.resolve(cluster.nodes) if written.checkpoint else None
    recovery = written.recovery.resolve(cluster.gpus, checkpoint.last.load if checkpoint else 0.0)
    return System(
        cluster=cluster,
        workload=workload,
        failures=_modes(written.failures, cluster, recovery, run_s),
        checkpoint=checkpoint,
        recovery=recovery,
        maintenance=_stops(written),
        costs=written.costs,
        simulation=_counted(written),
        uncertain=written.uncertain,
        uncertainty=written.uncertainty,
        target_s=target_s,
        end_s=end_s,
    )


def _stops(written: ScenarioBlock) -> tuple[Maintenance, ...]:
    """Return the planned stops: those that are written, and after them those of each log."""
    logs = [rows for mode in written.failures.values() if (rows := mode.planned())]
    return (
        *(block.resolve() for block in written.stops),
        *(_recorded_stops(rows, abrupt=written.checkpoint is None) for rows in logs),
    )


def _recorded_stops(rows: Sequence[Recorded], abrupt: bool) -> Maintenance:
    """Return the planned stops of a log; those that overlap are one."""
    begins, ends = list[float](), list[float]()
    for row in rows:
        if ends and row.time_s <= ends[-1]:
            ends[-1] = max(ends[-1], row.time_s + (row.repair_s or 0.0))
        else:
            begins.append(row.time_s)
            ends.append(row.time_s + (row.repair_s or 0.0))
    lengths = tuple(end - begin for begin, end in zip(begins, ends, strict=True))
    return Maintenance(every=None, at=tuple(begins), takes=max(lengths), lengths=lengths, abrupt=abrupt)


def _counted(written: ScenarioBlock) -> Simulation:
    """Return how long and how often it is simulated: each draw of the uncertain inputs several times."""
    simulation, uncertainty = written.simulation, written.uncertainty
    if not written.uncertain or "replications" in simulation.model_fields_set:
        return simulation
    return simulation.model_copy(update={"replications": uncertainty.draws * uncertainty.per_draw})


def _modes(
    written: Mapping[str, FailureModeBlock], cluster: ClusterSpec, recovery: Recovery, run_s: float
) -> dict[str, FailureMode]:
    """Return the modes by name; logs last *run_s* seconds, or to the end of all where that is later.

    A run to a target lasts for longer than that, by nobody knows how much; one without an end is refused.
    """
    logs = {name: rows for name, mode in written.items() if (rows := mode.rows())}
    log_s = max([run_s, *(rows[-1].time_s for rows in logs.values())]) or 1.0
    usual = recovery.stages[0].duration
    detection = {name: (written[name].detect or usual).mean for name in logs}
    strikes = _strikes(logs, detection)
    return {name: mode.resolve(cluster.units, log_s, strikes.get(name)) for name, mode in written.items()}


def _strikes(
    logs: Mapping[str, tuple[Recorded, ...]], detection: Mapping[str, float]
) -> dict[str, tuple[Recorded, ...]]:
    """Return the rows that strike, by mode, each with the whole absence that it begins, in any log.

    A row whose node is away already only extends that absence; a *detection* takes its mean.
    """
    strikes: dict[str, list[Recorded]] = {name: [] for name in logs}
    away: dict[int, tuple[float, float, str, int]] = {}
    rows = [(row, name) for name, log in logs.items() for row in log]
    for row, name in sorted(rows, key=lambda each: each[0].time_s):
        left, back, owner, index = away.get(row.node, (0.0, 0.0, name, 0))
        until = row.time_s + (row.repair_s or 0.0)
        if row.time_s >= back:
            left, owner, index = row.time_s + detection[name], name, len(strikes[name])
            until = left + (row.repair_s or 0.0)
            strikes[name].append(row)
        elif until > back:
            strikes[owner][index] = strikes[owner][index]._replace(repair_s=until - left)
        if row.repair_s is not None:
            away[row.node] = left, max(until, back), owner, index
    return {name: tuple(rows) for name, rows in strikes.items()}


def with_intervals(written: ScenarioBlock, system: System) -> tuple[System, list[Finding]]:
    """Return the *system* with the intervals of all tiers, and why some of them cannot be worked out."""
    if written.checkpoint is None or system.checkpoint is None:
        return system, []
    tiers, findings, step_time = [], list[Finding](), system.workload.step_time
    for tier, keys in zip(system.tiers, written.checkpoint.each().values(), strict=True):
        needs = Needs(mtbf_served(system, tier.name), tier.blocks, step_time)
        settled, why = keys.with_interval(tier, needs)
        findings += under(tier.keys, [*keys.about_bandwidths(tier), *[("interval", why)] * bool(why)])
        tiers.append(settled)
    return replace(system, checkpoint=replace(system.checkpoint, tiers=tuple(tiers))), findings
