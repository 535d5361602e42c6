"""What a failure costs and what is left, to first order: before anything is simulated.

Each second of training costs saves; each failure costs its restart and half an interval of the tier that is
loaded after it.  With replicas a failure costs the others a stall and the one that failed its own recovery.
Failures on the calendar strike in restarts and begin them again, those on the training clock do not; in a
detection they delay nothing, and end it if their own alarm comes first (`theory.slowdown`).  Waiting for
nodes is not counted, nor that one failure may strike within what another costs otherwise, beyond what an
exponential decay in their rates says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from clustersim import theory
from clustersim.distributions import Constant, Distribution
from clustersim.estimate import Stake
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.model import Scenario, Stage, Tier
from clustersim.scenario.rates import (
    calendar_share,
    falls_back,
    mean_of,
    most_at_once,
    rate,
    rates_by_scope,
    replicas_down,
    tier_for,
)


def chain_s(
    stages: tuple[Stage, ...], detect: Distribution | None = None, load: float | None = None
) -> float:
    """Return the mean seconds of the recovery, waiting not counted; a stage that fails begins it again.

    One pass takes the sum of the stages that are reached; it takes 1 / P(no stage fails) passes on average.
    *load* are the seconds of the stage that lasts what the copy takes.
    """
    first, *rest = stages
    reached, one_pass = 1.0, 0.0
    for stage in rest:
        one_pass += reached * (load if stage.of_copy and load is not None else mean_of(stage.duration))
        reached *= 1 - stage.fails
    return mean_of(detect or first.duration) + one_pass / reached


def restart_s(scenario: Scenario, name: str) -> float:
    """Return the mean seconds from a failure of the mode to training again; 0 s where it stops nothing."""
    mode = scenario.failures[name]
    if not mode.effect.stops_training:
        return 0.0
    stages, detect = scenario.recovery.stages, _detection(mode)
    if not falls_back(scenario, mode):
        return chain_s(stages, detect, peer_load(scenario))
    loads = {tier.name: tier.load for tier in scenario.tiers}
    parts = list(rates_by_scope(scenario, name)) if len(loads) > 1 else []
    every = math.fsum(per_second for _, per_second in parts)
    if not every:
        return chain_s(stages, detect)
    load = math.fsum(loads[tier_for(scenario, scope)] * share for scope, share in parts) / every
    return chain_s(stages, detect, load)


def _detection(mode: FailureMode) -> Distribution | None:
    """Return the mode's own detection; what has been noticed before it acts needs none."""
    return Constant(0.0) if mode.effect.is_noticed_later else mode.detect


def peer_load(scenario: Scenario) -> float | None:
    """Return what the load stage takes from another replica: `peer_load`, or the load of the first tier."""
    if scenario.recovery.peer_load is not None:
        return scenario.recovery.peer_load
    return scenario.tiers[0].load if scenario.tiers else None


def mean_restart_s(scenario: Scenario) -> float | None:
    """Return the mean restart over the failures of all modes that stop training; None without any."""
    rates = {
        name: rate(scenario, name) for name, mode in scenario.failures.items() if mode.effect.stops_training
    }
    every = math.fsum(rates.values())
    return math.fsum(rates[name] * restart_s(scenario, name) for name in rates) / every if every else None


def ettr(scenario: Scenario) -> float | None:
    """Return the ETTR to first order: Daly's formula for one tier and one replica, else its generalisation.

    None without checkpoints where something fails: then all work is lost with each failure.
    """
    mtbf, up = scenario.mtbf, _up(scenario)
    if not scenario.tiers:
        return up if mtbf is None else None
    if scenario.needs_work_history or mtbf is None:
        waste = math.fsum(_waste(scenario, name) for name in scenario.failures)
        return up * _kept(scenario.tiers) * math.exp(-waste) / restarts(scenario)
    tier = scenario.tiers[-1]
    return up * theory.efficiency(tier.interval, mtbf, tier.blocks, 0.0) / restarts(scenario)


def restarts(scenario: Scenario) -> float:
    """Return how many times as long the run takes because of the restarts of the whole job."""
    every = _all_down(scenario)
    if not every:
        return 1.0
    mean = mean_parts(scenario)
    return theory.slowdown(1 / every, mean.restart, calendar_share(scenario), mean.detection)


class RestartParts(NamedTuple):
    """A restart in seconds: until the first alarm, and from then on to training again."""

    detection: float
    recovery: float

    @property
    def restart(self) -> float:
        """Both together."""
        return self.detection + self.recovery


def mean_parts(scenario: Scenario) -> RestartParts:
    """Return the mean restart of the whole job, over the failures that stop it.

    A detection lasts for longer than t if no later failure, on the calendar, has raised its alarm by then:
    with probability exp(-r (t - d)) for those at a rate of r that take d to be noticed.  So its mean, up to
    its own alarm, is one integral for all modes, taken from each alarm to the next.  Failures that begin the
    rest again are taken to be noticed like all others, on whatever clock.
    """
    modes = [each for each in scenario.failures.items() if falls_back(scenario, each[1])]
    alarms = sorted((_noticed_s(scenario, mode), name) for name, mode in modes)
    begin = exponent = rising = until = detection = recovery = every = 0.0
    for noticed, name in alarms:
        per_second, length = rate(scenario, name), noticed - begin
        part = -math.expm1(-rising * length) / rising if rising else length
        until += math.exp(-exponent) * part
        begin, exponent = noticed, exponent + rising * length
        rising += per_second * (scenario.failures[name].clock == "calendar")
        detection += per_second * until
        recovery += per_second * (restart_s(scenario, name) - noticed)
        every += per_second
    return RestartParts(detection / every, recovery / every) if every else RestartParts(0.0, 0.0)


def _noticed_s(scenario: Scenario, mode: FailureMode) -> float:
    return mean_of(_detection(mode) or scenario.recovery.stages[0].duration)


def lasts_s(scenario: Scenario) -> float:
    """Return how long the run takes, to first order: until the target is reached, or to its end."""
    target, share = scenario.target_s, ettr(scenario)
    if target is None or not share:
        return scenario.end_s
    return min(target / share, scenario.end_s)


def exposure_s(scenario: Scenario, mode: FailureMode) -> float:
    """Return for how much of the run failures of *mode* may strike: all of it, or while the job trains."""
    if mode.clock == "calendar":
        return lasts_s(scenario)
    return lasts_s(scenario) * _between_stops(scenario) / restarts(scenario)


def stakes(scenario: Scenario) -> dict[str, Stake]:
    """Return what each failure mode may do in a run: how often it strikes, and what a strike costs at most.

    The rows of a log strike in every run, so nothing more is at stake.
    """
    run_s = lasts_s(scenario)
    return {
        name: Stake(0.0, 0.0)
        if mode.recorded
        else Stake(
            rate(scenario, name) * exposure_s(scenario, mode), min(_strike_s(scenario, name) / run_s, 1)
        )
        for name, mode in scenario.failures.items()
    }


def _strike_s(scenario: Scenario, name: str) -> float:
    """Return what one failure costs, in seconds of the whole job, the wait for its nodes included.

    Without copies it throws all work away; with fewer spares than it takes nodes the job waits for a repair.
    """
    mode = scenario.failures[name]
    if mode.effect.stops_training and not scenario.tiers:
        return math.inf
    short = mode.repair_plan and most_at_once(scenario, mode) > scenario.cluster.spare_nodes
    waits = mean_of(mode.repair_plan.whole) if mode.repair_plan and short else 0.0
    return restart_s(scenario, name) + _waste(scenario, name) / rate(scenario, name) + waits


def _up(scenario: Scenario) -> float:
    """Return the share of time that neither planned stops nor the overhead of a protocol take."""
    return (1 - scenario.recovery.overhead) * _between_stops(scenario)


def _between_stops(scenario: Scenario) -> float:
    """Return the share of time that planned stops do not take."""
    stops, recovery = scenario.maintenance, scenario.recovery
    if stops is None:
        return 1.0
    takes = stops.takes + (recovery.replicas * recovery.rejoin_stall if stops.rolling else 0.0)
    alone = math.exp(-stops.merge_within * _all_down(scenario)) if stops.merge_within else 1.0
    return max(1 - alone * takes / stops.every, 0.0)


def _all_down(scenario: Scenario) -> float:
    """Return the failures per second that stop the whole job."""
    modes = scenario.failures.items()
    return math.fsum(rate(scenario, name) for name, mode in modes if falls_back(scenario, mode))


def _kept(tiers: tuple[Tier, ...]) -> float:
    """Return the share of training time and saves that is training."""
    return 1 / (1 + math.fsum(tier.blocks / max(tier.interval, tier.durable_after) for tier in tiers))


def _waste(scenario: Scenario, name: str) -> float:
    """Return the share of time that the failures of a mode cost beside the restarts of the whole job."""
    mode, per_second = scenario.failures[name], rate(scenario, name)
    noticed_s = mean_of(mode.detect or scenario.recovery.stages[0].duration)
    before = (1 - mode.effect.pace) * noticed_s
    before += math.fsum(mean_of(law) for law in (mode.effect.shows_after, mode.effect.pause) if law)
    if not mode.effect.stops_training:
        return per_second * before
    if falls_back(scenario, mode):
        return per_second * before + rework(scenario, name, noticed_s)
    return per_second * (before + _one_replica(scenario, mode, restart_s(scenario, name)))


def rework(scenario: Scenario, name: str, slow_s: float) -> float:
    """Return the share of time that goes to work done again: half an interval, and what is not durable.

    What was trained at a straggler's pace, in the *slow_s* seconds before it was noticed, has cost its time
    already and is trained again at full pace.
    """
    tiers, pace = {tier.name: tier for tier in scenario.tiers}, scenario.failures[name].effect.pace
    total = 0.0
    for scope, per_second in rates_by_scope(scenario, name):
        tier = tiers[tier_for(scenario, scope)]
        cycle = max(tier.interval, tier.durable_after) + tier.blocks
        again = tier.unusable / (1 - tier.unusable) * (cycle + tier.load)
        slowly = min(slow_s, cycle)
        spared = (1 - pace) * slowly * (1 - slowly / (2 * cycle))
        total += per_second * (cycle / 2 + tier.durable_after + again - spared)
    return total


def _one_replica(scenario: Scenario, mode: FailureMode, restart: float) -> float:
    """Return what a failure of some replicas costs, in seconds of the whole job."""
    recovery = scenario.recovery
    down = replicas_down(scenario, mode) / recovery.replicas
    step = (scenario.workload.step_time or 0.0) / 2
    others = recovery.stall if recovery.replicas * (1 - down) >= recovery.minimum else restart
    return step + (1 - down) * others + down * restart + recovery.rejoin_stall
