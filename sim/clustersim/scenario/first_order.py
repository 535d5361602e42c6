"""What a failure costs and what is left, to first order: before anything is simulated.

Each second of training costs saves; each failure costs its restart and half an interval of the tier that is
loaded after it.  With replicas a failure costs the others a stall and the one that failed its own recovery.
Failures on the calendar strike in restarts and begin them again, those on the training clock do not; in a
detection they delay nothing, and end it if their own alarm comes first (`theory.slowdown`).  While nodes are
missing (`shortage`) the job waits, and nothing else costs anything.  That one failure may strike within what
another costs otherwise is not counted, beyond what an exponential decay in their rates says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from clustersim import theory
from clustersim.distributions import Constant, Distribution, Exponential, shortened
from clustersim.engine.checkpoints import PeriodicSaves
from clustersim.estimate import Stake
from clustersim.formatting import counted, significant
from clustersim.scenario import rates
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.recovery import LOAD, Stage
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.kinds.effects import Rescue
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import (
    calendar_share,
    falls_back,
    mean_of,
    most_at_once,
    rate,
    rates_by_scope,
    replicas_down,
)
from clustersim.scenario.shortage import shortage, why_unknown
from clustersim.units import format_share


def chain_s(
    stages: tuple[Stage, ...],
    detect: Distribution | None = None,
    load: float | None = None,
    disturbed: float = 0.0,
) -> float:
    """Return the mean seconds of the recovery, waiting not counted; a stage that fails begins it again.

    One pass takes the sum of the stages that are reached; it takes 1 / P(no stage fails) passes on average.
    *load* are the seconds of the stage that lasts what the copy takes.  Where failures begin it again,
    *disturbed* times a second, a stage counts as the constant one that is begun again as often.
    """
    first, *rest = stages
    reached, one_pass = 1.0, 0.0
    for stage in rest:
        one_pass += reached * (
            load if stage.of_copy and load is not None else _length(stage.duration, disturbed)
        )
        reached *= 1 - stage.fails
    return mean_of(detect or first.duration) + one_pass / reached


def _length(law: Distribution, disturbed: float) -> float:
    return shortened(law, disturbed) if disturbed else mean_of(law)


def restart_s(scenario: Scenario, name: str, disturbed: float = 0.0) -> float:
    """Return the mean seconds from a failure of the mode to training again; 0 s where it stops nothing.

    *disturbed* is that of `chain_s`, of restarts of the whole job.
    """
    mode = scenario.failures[name]
    if not mode.effect.stops_training:
        return 0.0
    stages, detect = scenario.recovery.stages, _detection(mode)
    if not falls_back(scenario, mode):
        if scenario.recovery.peer_load is not None:  # whatever time the stage has of its own
            stages = tuple(replace(stage, of_copy=stage.kind == LOAD) for stage in stages)
        return chain_s(stages, detect, peer_load(scenario))
    parts = list(rates_by_scope(scenario, name)) if len(scenario.tiers) > 1 else []
    every = math.fsum(per_second for _, per_second in parts)
    if not every:
        return chain_s(stages, detect, None, disturbed)
    load = math.fsum(newest(scenario, scope).load * share for scope, share in parts) / every
    return chain_s(stages, detect, load, disturbed)


def _detection(mode: FailureMode) -> Distribution | None:
    """Return the mode's own detection; what has been noticed before it acts needs none."""
    return Constant(0.0) if mode.effect.is_noticed_later or mode.is_outage else mode.detect


def peer_load(scenario: Scenario) -> float | None:
    """Return what the load stage takes from another replica: `peer_load`, or the load of the first tier."""
    if scenario.recovery.peer_load is not None:
        return scenario.recovery.peer_load
    return scenario.tiers[0].load if scenario.tiers else None


def mean_restart_s(scenario: Scenario) -> float | None:
    """Return the mean restart over the failures of all modes that stop training; None without any."""
    stopping = {
        name: rate(scenario, name) for name, mode in scenario.failures.items() if mode.effect.stops_training
    }
    every = math.fsum(stopping.values())
    total = math.fsum(each * restart_s(scenario, name) for name, each in stopping.items())
    return total / every if every else None


def _takes(scenario: Scenario) -> float:
    """Return the share of time that taking nodes from pools costs, did each failure take from the slowest."""
    longest = max((pool.takes for pool in scenario.cluster.pools), default=0.0)
    modes = scenario.failures.items()
    return longest * math.fsum(rate(scenario, name) * (1 - mode.transient) for name, mode in modes)


def fetch_s(scenario: Scenario, mode: FailureMode) -> float:
    """Return the mean seconds that a restart waits until a spare that was taken can serve."""
    return (1 - mode.transient) * scenario.cluster.delay if scenario.cluster.spare_nodes else 0.0


INSTANTS = 8
"""Parts of a run, in the middle of each of which the nodes away are counted: repair shops start empty."""
MOST_WAITING = 0.1
"""Share of the time; a job that waits for nodes for longer than that gets no promise."""
MOST_WASTE = 0.3
"""Share of the time that failures may cost beside restarts of the whole job, where costs only add up."""
MOST_BY_LOG = 0.1
"""Share of the time that recorded failures may cost: they come when they came, not without memory."""
MOST_BY_POOLS = 0.01
"""Share of the time that taking nodes from pools may cost at most: how often it does no formula knows."""
MANY_UNITS = 10
"""From so many units on, failures of all of them come almost without memory whatever their lifetimes."""


class FirstOrder(NamedTuple):
    """What a run comes to, to first order: an estimate, to be promised only where `why_not` is empty.

    `ettr` is None where no formula holds, `waiting` the share of the time in which the job or a replica waits
    for nodes, `away` the mean number of nodes away, `lasts_s` how long the run takes: until its target is
    reached, or to its end.
    """

    ettr: float | None
    waiting: float
    idle_cards: float
    away: float
    lasts_s: float
    why_not: str = ""


def first_order(scenario: Scenario) -> FirstOrder:
    """Return what *scenario* comes to; with a target the run ends, on average, when that is reached."""
    found = _until(scenario, scenario.end_s)
    if scenario.target_s is not None and found.ettr:
        end = min(scenario.target_s / found.ettr, scenario.end_s)
        found = _until(replace(scenario, end_s=end), end)
        lasts = scenario.target_s / found.ettr if found.ettr else math.inf
        found = found._replace(lasts_s=min(lasts, scenario.end_s))
    return found._replace(why_not=next(_why_not(scenario, found), ""))


def _until(scenario: Scenario, end: float) -> FirstOrder:
    """Return the mean over a run that lasts until *end* (s): over instants, at the rates of each."""
    parts = list(_parts(scenario, min(scenario.simulation.warm_up, end), end))
    total = math.fsum(later - start for start, later in parts)
    ettrs: list[float | None] = []
    waiting = idle_cards = away = 0.0
    for start, later in parts:
        then, share = _at_rates_of(scenario, start), (later - start) / total
        short = shortage(then, (start + later) / 2, trains(then))
        best = _with_all_nodes(then)
        ettrs.append(None if best is None else share * best * (1 - short.idle_cards))
        waiting += share * short.waiting
        idle_cards += share * short.idle_cards
        away += share * short.away
    known = [each for each in ettrs if each is not None]
    return FirstOrder(math.fsum(known) if known == ettrs else None, waiting, idle_cards, away, end)


def _parts(scenario: Scenario, begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield parts of a run, from when to when (s), in each of which no rate changes."""
    changes = {start for mode in scenario.failures.values() for start, _ in mode.over_time}
    bounds = [begin, *sorted(start for start in changes if begin < start < end), end]
    each = math.ceil(INSTANTS / (len(bounds) - 1))
    for start, later in pairwise(bounds):
        step = (later - start) / each
        yield from ((start + number * step, start + (number + 1) * step) for number in range(each))


def _at_rates_of(scenario: Scenario, time_s: float) -> Scenario:
    """Return *scenario* with the rates that hold at an instant for all of the run."""
    if not any(mode.over_time for mode in scenario.failures.values()):
        return scenario
    factors = {name: _factor(mode, time_s) for name, mode in scenario.failures.items()}
    failures = {
        name: replace(mode, mtbf=mode.mtbf / factors[name], over_time=())
        for name, mode in scenario.failures.items()
        if factors[name]
    }
    then = replace(scenario, failures=failures)
    return replace(then, mtbf=rates.mtbf(then))


def _factor(mode: FailureMode, time_s: float) -> float:
    return [factor for start, factor in mode.over_time or ((0.0, 1.0),) if start <= time_s][-1]


def trains(scenario: Scenario) -> float:
    """Return the share of the time with all nodes in which the job trains or saves."""
    return _between_stops(scenario) / restarts(scenario)


def _why_not(scenario: Scenario, found: FirstOrder) -> Iterator[str]:
    """Yield why the ETTR is no more than a guess; nothing where simulation has shown the formulas to hold."""
    if found.ettr is None:
        yield _why_without_checkpoints(scenario)
        return
    for name, mode in scenario.failures.items():
        yield from _why_mode(scenario, name, mode, found.ettr)
    yield from why_unknown(scenario, found.lasts_s, trains(scenario))
    if (takes := _takes(scenario)) > MOST_BY_POOLS:
        names = " and ".join(pool.name for pool in scenario.cluster.pools if pool.takes)
        most = f"up to {format_share(takes, 2)} of the time"
        yield f"how often nodes are taken from {names} is unknown, which may cost {most}"
    if found.idle_cards > MOST_WAITING:
        spares = scenario.cluster.spare_nodes
        have = f"{'is' if spares == 1 else 'are'} {counted(spares, 'spare') if spares else 'no spares'}"
        who = "a replica" if scenario.recovery.replicas > 1 else "the job"
        waits = f"{who} waits for nodes about {format_share(found.waiting, 2)} of the time"
        yield f"{significant(found.away, 2)} nodes are away on average and there {have}, so that {waits}"
    waste = math.fsum(_waste(scenario, name) for name in scenario.failures)
    if scenario.needs_work_history and waste > MOST_WASTE:
        lost = f"{format_share(min(waste, 1), 2)} of the time lost beside restarts"
        yield f"{lost} is too much for a sum of what each failure costs by itself"


def _why_without_checkpoints(scenario: Scenario) -> str:
    if any(falls_back(scenario, mode) for mode in scenario.failures.values()):
        return "without checkpoints every failure that stops the whole job throws all work away"
    return "without checkpoints all work is lost when no replica is left"


def _why_mode(scenario: Scenario, name: str, mode: FailureMode, ettr: float) -> Iterator[str]:
    """Yield why failures of a mode do not come at a steady rate and without memory, as formulas assume."""
    if mode.recorded is not None:
        if ettr < 1 - MOST_BY_LOG:
            yield f"failures.{name}: failures of a log come when they came, not at random"
    elif isinstance(mode.lifetime, Exponential):
        return
    elif mode.ages == "new":
        yield f"failures.{name}: its units are new at the start, so that their rate changes as they age"
    elif scenario.units(name) < MANY_UNITS:
        yield f"failures.{name}: so few units with such a lifetime do not fail at random"


def _with_all_nodes(scenario: Scenario) -> float | None:
    """Return the ETTR where no node is missing; None without checkpoints where something stops training.

    Daly's formula for one tier and one replica, else its generalisation.
    """
    mtbf, up = scenario.mtbf, _up(scenario)
    if not scenario.tiers and any(mode.effect.stops_training for mode in scenario.failures.values()):
        return None
    if scenario.needs_work_history or not scenario.tiers or mtbf is None:
        waste = math.fsum(_waste(scenario, name) for name in scenario.failures)
        return up * math.exp(-waste) / (1 + blocks_of_saves(scenario)) / restarts(scenario)
    tier = scenario.tiers[-1]
    interval = spacing(scenario, tier)
    durable = math.exp(-tier.durable_after / mtbf)
    return up * durable * theory.efficiency(interval, mtbf, tier.blocks, 0.0) / restarts(scenario)


def restarts(scenario: Scenario) -> float:
    """Return how many times as long the run takes because of the restarts of the whole job.

    A spare that was taken is on its way also while a restart begins again, so it is waited for once.
    """
    every = _all_down(scenario)
    if not every:
        return 1.0
    mean, modes = mean_parts(scenario), scenario.failures.items()
    fetched = math.fsum(
        rate(scenario, name) * fetch_s(scenario, mode) for name, mode in modes if falls_back(scenario, mode)
    )
    return theory.slowdown(1 / every, mean.restart, calendar_share(scenario), mean.detection) + fetched


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
    disturbed = calendar_share(scenario) * _all_down(scenario)
    begin = exponent = rising = until = detection = recovery = every = 0.0
    for noticed, name in alarms:
        mode, per_second, length = scenario.failures[name], rate(scenario, name), noticed - begin
        part = -math.expm1(-rising * length) / rising if rising else length
        until += math.exp(-exponent) * part
        begin, exponent = noticed, exponent + rising * length
        rising += per_second * (mode.clock == "calendar")
        detection += per_second * until
        recovery += per_second * (restart_s(scenario, name, disturbed) - noticed)
        every += per_second
    return RestartParts(detection / every, recovery / every) if every else RestartParts(0.0, 0.0)


def _noticed_s(scenario: Scenario, mode: FailureMode) -> float:
    return mean_of(_detection(mode) or scenario.recovery.stages[0].duration)


def exposure_s(scenario: Scenario, mode: FailureMode, found: FirstOrder) -> float:
    """Return for how much of the run failures of *mode* may strike: all of it, or while the job trains."""
    if mode.clock == "calendar":
        return found.lasts_s
    return found.lasts_s * (1 - found.waiting) * trains(scenario)


def stakes(scenario: Scenario) -> dict[str, Stake]:
    """Return what each failure mode may do in a run: how often it strikes, and what a strike costs at most.

    The rows of a log strike in every run, so nothing more is at stake.
    """
    found = first_order(scenario)
    return {
        name: Stake(0.0, 0.0)
        if mode.recorded
        else Stake(
            rate(scenario, name) * exposure_s(scenario, mode, found),
            min(_strike_s(scenario, name) / found.lasts_s, 1),
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
    waits = mean_of(mode.repair_plan.whole) if mode.repair_plan and (short or mode.is_outage) else 0.0
    return restart_s(scenario, name) + _waste(scenario, name) / rate(scenario, name) + waits


def _up(scenario: Scenario) -> float:
    """Return the share of time that planned stops, outages of the site and a protocol's overhead leave."""
    return (1 - scenario.recovery.overhead) * _between_stops(scenario) * _between_outages(scenario)


def _between_outages(scenario: Scenario) -> float:
    """Return the share of time in which the site is not out.

    That is MTBF / (MTBF + MTTR) for each mode, of what logs leave until the end.
    """
    share, out, end = 1.0, 0.0, scenario.end_s
    for mode in scenario.failures.values():
        if mode.is_outage and mode.repair_plan is not None:
            share *= mode.mtbf / (mode.mtbf + mean_of(mode.repair_plan.whole))
        rows = [row for row in mode.strikes if row.is_outage]
        out += math.fsum(max(min(row.repair_s or 0.0, end - row.time_s), 0.0) for row in rows)
    return share * max(1 - out / end, 0.0)


def _between_stops(scenario: Scenario) -> float:
    """Return the share of time that planned stops do not take."""
    recovery, taken = scenario.recovery, 0.0
    for stops in scenario.maintenance:
        taken += math.exp(-stops.merge_within * _all_down(scenario)) * stops.share(scenario.end_s)
        if stops.rolling:
            rounds = stops.before(scenario.end_s) / scenario.end_s if stops.at else 1 / stops.gap
            taken += recovery.replicas * recovery.rejoin_stall * rounds
    return max(1 - taken, 0.0)


def _all_down(scenario: Scenario) -> float:
    """Return the failures per second that stop the whole job."""
    modes = scenario.failures.items()
    return math.fsum(rate(scenario, name) for name, mode in modes if falls_back(scenario, mode))


def spacing(scenario: Scenario, tier: Tier) -> float:
    """Return the seconds of training from one save of a tier to the next.

    That is its interval, in whole steps, but no less than a copy takes to be durable.
    """
    step = scenario.workload.step_time
    return PeriodicSaves.every(tier.interval, tier.blocks, tier.durable_after, step).gap


def blocks_of_saves(scenario: Scenario) -> float:
    """Return the seconds for which saves of all tiers stop training, per second of training."""
    return math.fsum(tier.blocks / spacing(scenario, tier) for tier in scenario.tiers)


def newest(scenario: Scenario, scope: str) -> Tier:
    """Return the tier that is loaded after a failure of such a *scope*: of those that survive, the newest.

    How old a copy is on average decides; of equals the first listed is loaded.
    """
    survive = [tier for tier in scenario.tiers if tier.survives is None or scope in tier.survives]
    return min(survive, key=lambda tier: (spacing(scenario, tier) + tier.blocks) / 2 + tier.durable_after)


def _waste(scenario: Scenario, name: str) -> float:
    """Return the share of time that the failures of a mode cost beside the restarts of the whole job."""
    mode, per_second = scenario.failures[name], rate(scenario, name)
    noticed_s = mean_of(mode.detect or scenario.recovery.stages[0].duration)
    before = (1 - mode.effect.pace) * noticed_s
    before += math.fsum(mean_of(law) for law in (mode.effect.shows_after, mode.effect.pause) if law)
    if not mode.effect.stops_training:
        return per_second * before
    if falls_back(scenario, mode):
        rescued = blocks_of_notices(scenario, name) + waits_of_notices(scenario, name)
        return per_second * before + rescued + rework(scenario, name, noticed_s)
    restart = restart_s(scenario, name) + fetch_s(scenario, mode)
    return per_second * (before + _one_replica(scenario, mode, restart))


def blocks_of_notices(scenario: Scenario, name: str) -> float:
    """Return the share of time that saves before announced failures of a mode stop training for."""
    return math.fsum(share * rescue.blocks for rescue, share in _rescues(scenario, name))


def waits_of_notices(scenario: Scenario, name: str) -> float:
    """Return the share of time for which the job then stands still until nodes leave."""
    return math.fsum(share * rescue.stands_still for rescue, share in _rescues(scenario, name))


def _rescues(scenario: Scenario, name: str) -> Iterator[tuple[Rescue, float]]:
    """Yield what is saved before a mode's failures of each scope, with how many there are per second."""
    for scope, per_second in rates_by_scope(scenario, name):
        yield _rescue(scenario, name, scope), per_second


def _rescue(scenario: Scenario, name: str, scope: str) -> Rescue:
    """Return what is saved before a failure; replicas save nothing, as they hold the state for each other."""
    alone = scenario.recovery.replicas == 1
    return scenario.failures[name].effect.rescue(scenario.tiers if alone else (), scope)


def rework(scenario: Scenario, name: str, slow_s: float) -> float:
    """Return the share of time that goes to work done again: half an interval, and what is not durable.

    What is saved before an announced failure is not done again; nor is what a save under way holds, as its
    block ends and what is in flight may become durable before, and the next save comes later.
    What was trained at a straggler's pace, in the *slow_s* seconds before it was noticed, has cost its time
    already and is trained again at full pace.
    """
    pace, total = scenario.failures[name].effect.pace, 0.0
    for scope, per_second in rates_by_scope(scenario, name):
        tier = newest(scenario, scope)
        cycle = spacing(scenario, tier) + tier.blocks
        again = tier.unusable / (1 - tier.unusable) * (cycle + tier.load)
        slowly = min(slow_s, cycle)
        spared = (1 - pace) * slowly * (1 - slowly / (2 * cycle))
        rescue = _rescue(scenario, name, scope)
        late = max(tier.durable_after - rescue.takes, 0.0)
        saved = tier.blocks * (1 - rescue.share / 2) if rescue.takes else 0.0
        total += per_second * ((1 - rescue.share) * (cycle / 2 + late - spared) - saved + again)
    return total


def _one_replica(scenario: Scenario, mode: FailureMode, restart: float) -> float:
    """Return what a failure of some replicas costs, in seconds of the whole job."""
    recovery, struck = scenario.recovery, replicas_down(scenario, mode)
    down = struck / recovery.replicas
    step = (scenario.workload.step_time or 0.0) / 2
    others = recovery.stall if recovery.replicas - struck >= recovery.minimum else restart
    return step + (1 - down) * others + down * restart + recovery.rejoin_stall
