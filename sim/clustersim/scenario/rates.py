"""How often what fails: by mode, with lemons, groups and what comes again, and by what it takes down.

Nodes that fail more often idle more.  A node that fails leaves the job, and comes back as the last of the
spares: it idles until all before it have been taken, and that takes the same time W for every node.  A node
of group g that leaves a times a second works for 1 / a between two such waits, so to first order it is in the
job for the share 1 / (1 + a W) of the time.  W is the time with which these shares fill the job.  At the
beginning all nodes are in it equally often, and they reach those shares at the pace a + 1 / W.

With 40 nodes at work, 8 spares, and a group of 6 nodes that leave every 6 days where the others leave every
30, W is 4.5 days: the 6 nodes are in the job for 57 % of the time, where the mean is 83 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from clustersim.distributions import Distribution
from clustersim.scenario.keys.failure import FailureMode, Relapse
from clustersim.scenario.system import System

MOST_AGAIN = 0.99
MOST_COUNTED = 32
"""Of so many nodes it is counted how many a failure takes that spreads to a share of them, else the mean."""
STEPS = 60
"""Halvings until W is known to rounding."""
LONGEST_WAIT = 1e30
"""Seconds from which on W is not searched for: nodes that hardly ever leave fill all slots by themselves."""
_MEANS: dict[Distribution, float] = {}


def fleet_factor(system: System, mode: FailureMode) -> float:
    """Return the mode's mean rate over all nodes and the run, relative to that of a good node of no group."""
    return lemon_factor(system, mode) * group_factor(system, mode)


def lemon_factor(system: System, mode: FailureMode) -> float:
    """Return the mode's mean rate over lemons and good nodes and the run, relative to that of a good one."""
    return 1 + bad_share(system, mode) * (mode.lemons.factor - 1) if mode.lemons else 1.0


def bad_share(system: System, mode: FailureMode) -> float:
    """Return the share of lemons among the nodes, the mean over the run where repairs change it.

    The share p of bad nodes follows dp/dt = to_bad (1 - p) - to_good p from the share at the beginning.
    First order: every node is at work or in repair in no time, and nobody retires.
    """
    lemons, plan = mode.lemons, mode.repair_plan
    if lemons is None or plan is None or not lemons.changes:
        return lemons.share if lemons else 0.0
    own = group_factor(system, mode) * (1 - mode.transient) / mode.mtbf * system.units_per_node(mode)
    along = (nodes_taken(system, mode) - 1) * own * (1 + lemons.share * (lemons.factor - 1))
    to_bad = lemons.turns_bad * (own + along)
    to_good = plan.of_all(lemons.healed) * (lemons.factor * own + along)
    pace = (to_bad + to_good) * own_time(mode, min(system.end_s, system.target_s or math.inf))
    if not pace:
        return lemons.share
    settled = to_bad / (to_bad + to_good)
    return settled + (lemons.share - settled) * -math.expm1(-pace) / pace


def group_factor(system: System, mode: FailureMode) -> float:
    """Return the mode's mean rate over the job's nodes and the run, relative to that of nodes in no group."""
    if not mode.groups:
        return 1.0
    shares, factors = _shares_of_groups(system), _factors_of_groups(system, mode)
    return math.fsum(share * often for share, often in zip(shares, factors, strict=True))


def _factors_of_groups(system: System, mode: FailureMode) -> list[float]:
    """Return how often the mode strikes the nodes in no group, and those of each, times its own rate."""
    by_name = dict(mode.groups)
    return [1.0, *(by_name.get(group.name, 1.0) for group in system.cluster.groups)]


def _shares_of_groups(system: System) -> list[float]:
    """Return the share of slots with nodes of no group, and of each group, the mean over the run."""
    cluster = system.cluster
    fleet = cluster.nodes + cluster.spare_nodes
    counts = [float(group.nodes) for group in cluster.groups]
    counts = [fleet - math.fsum(counts), *counts]
    leaving, away = [0.0] * len(counts), 0.0
    for name, mode in system.failures.items():
        if not mode.takes_nodes or mode.repair_plan is None or mode.recorded is not None:
            continue
        own = (1 - mode.transient) / system.mtbf_of(name) / cluster.nodes
        factors, taken = _factors_of_groups(system, mode), nodes_taken(system, mode)
        mean = math.fsum(count * often for count, often in zip(counts, factors, strict=True)) / fleet
        along = (taken - 1) * mean
        leaving = [rate + own * (often + along) for rate, often in zip(leaving, factors, strict=True)]
        away += cluster.nodes * own * mean * taken * mean_of(mode.repair_plan.whole)
    equally = [count / fleet for count in counts]
    idle = cluster.spare_nodes - away
    if idle <= 0:
        return equally
    there = cluster.nodes + idle
    wait = _wait(cluster.nodes, [there * share for share in equally], leaving)
    return _mean_over_run(system, equally, leaving, wait, there / cluster.nodes)


def _wait(slots: float, nodes: list[float], leaving: list[float]) -> float:
    """Return the wait W (s) with which so many *nodes* of each group fill the *slots*, by bisection."""

    def filled(wait: float) -> float:
        return math.fsum(count / (1 + rate * wait) for count, rate in zip(nodes, leaving, strict=True))

    # Not from 1 / the lowest rate: where a group hardly ever leaves, no number of halvings leads down to W.
    low, high = 0.0, 1.0
    while filled(high) > slots and high < LONGEST_WAIT:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if filled(middle) > slots else (low, middle)
    return high


def _mean_over_run(
    system: System, equally: list[float], leaving: list[float], wait: float, there: float
) -> list[float]:
    """Return the shares of slots between the begin, when they are *equally* held, and what they settle at."""
    # A run without an end, which is refused elsewhere, goes on for ever here.
    lasts = min(system.end_s, system.target_s or math.inf) or math.inf
    shares = []
    for share, rate in zip(equally, leaving, strict=True):
        settled, way = there * share / (1 + rate * wait), (rate + 1 / wait) * lasts
        shares.append(settled + (share - settled) * -math.expm1(-way) / way)
    total = math.fsum(shares)
    return [share / total for share in shares]


def again(system: System, mode: FailureMode) -> float:
    """Return the failures of nodes at work that one failure of *mode* comes to, itself included.

    A repair may be followed by a relapse or be in vain, a wrong diagnosis leaves the culprit in place; what
    comes again may come again, so the shares make a geometric series.  First order: it ignores waiting.
    """
    relapse = _relapse(system, mode.relapse) if mode.relapse and mode.repair_plan else 0.0
    return 1 / (1 - min(_share_again(system, mode, relapse), MOST_AGAIN))


def most_again(system: System, mode: FailureMode) -> float:
    """Return how many failures, of idle nodes too, one of *mode* may come to, on average at most.

    What comes again takes its time, so the series is no longer than the run.
    """
    plan, recovery = mode.repair_plan, system.recovery
    share = _share_again(system, mode, mode.relapse.probability if mode.relapse else 0.0)
    if not share or plan is None:
        return 1.0
    shows = mode.relapse.within / 2 if mode.relapse else mean_of(recovery.recurs_after)
    least = mean_of(plan.whole) + shows
    if recovery.misdiagnosis or recovery.missed:
        least = min(least, mean_of(recovery.recurs_after))
    in_the_run = 1 + system.end_s / least if least else math.inf
    return min(1 / (1 - share) if share < 1 else math.inf, in_the_run)


def _share_again(system: System, mode: FailureMode, relapse: float) -> float:
    """Return the share of the failures of *mode* that come again, with so many relapses for each repair."""
    if mode.repair_plan is None or not mode.takes_nodes:
        return 0.0
    alone = float(mode.takes_down == "node") * (1 - spreading(system, mode))
    wrong = alone * (system.recovery.misdiagnosis + system.recovery.missed)
    vain = mode.repair_plan.in_vain
    return (1 - mode.transient) * (wrong + (1 - wrong) * (vain + relapse * (1 - vain)))


def _relapse(system: System, relapse: Relapse) -> float:
    """Return the share of repairs after which the node fails again when it is at work already.

    A node that is back is a spare until those before it have been taken, one with each node that leaves.
    """
    leaving = in_repair = 0.0
    for name, other in system.failures.items():
        if other.takes_nodes and other.repair_plan is not None:
            per_second = (1 - other.transient) * fleet_factor(system, other) / system.mtbf_of(name)
            leaving += per_second * nodes_taken(system, other)
            in_repair += per_second * nodes_taken(system, other) * mean_of(other.repair_plan.whole)
    idle = max(system.cluster.spare_nodes - in_repair, 0.0)
    at_work = max(1 - idle / leaving / relapse.within, 0.0) if leaving else 0.0
    return relapse.probability * at_work


def mean_of(law: Distribution) -> float:
    """Return the mean, worked out once for each law: that of a bounded one is an integral."""
    if law not in _MEANS:
        _MEANS[law] = law.mean
    return _MEANS[law]


def nodes_taken(system: System, mode: FailureMode) -> float:
    """Return how many nodes one failure of *mode* takes on average, those that it spreads to included."""
    return math.fsum(share * nodes for share, nodes in sizes_taken(system, mode))


def sizes_taken(system: System, mode: FailureMode) -> Iterator[tuple[float, float]]:
    """Yield how many nodes failures of *mode* take on average, each with the share of them that does."""
    spread = mode.spreads.probability if mode.spreads else 0.0
    alone = _size(system, mode, mode.takes_down)
    yield 1 - spread, alone
    if mode.spreads:
        others = _size(system, mode, mode.spreads.to) - alone
        for part, taken in _binomial(others, mode.spreads.share):
            yield spread * part, alone + taken


def _binomial(nodes: float, share: float) -> Iterator[tuple[float, float]]:
    """Yield how many of so many nodes are taken, each with that *share*; the mean where they are many."""
    if share == 1 or nodes > MOST_COUNTED:
        yield 1.0, share * nodes
        return
    count = max(round(nodes), 1)
    for taken in range(count + 1):
        chance = math.comb(count, taken) * share**taken * (1 - share) ** (count - taken)
        yield chance, nodes * taken / count


def spreading(system: System, mode: FailureMode) -> float:
    """Return the share of the failures of *mode* that take more nodes than what they take by themselves."""
    if mode.spreads is None or system.slots_per(mode.spreads.to) <= system.slots_per(mode.takes_down):
        return 0.0
    others = _size(system, mode, mode.spreads.to) - _size(system, mode, mode.takes_down)
    none: float = (1 - mode.spreads.share) ** others
    return mode.spreads.probability * (1 - none)


def most_at_once(system: System, mode: FailureMode) -> int:
    """Return the most nodes that one failure of *mode* takes down, with the spares bound to its domain."""
    if not mode.takes_nodes:
        return 0
    cluster = system.cluster
    levels = {mode.takes_down, mode.per, mode.spreads.to if mode.spreads else "node"} - {"gpu"}
    slots = max(system.slots_per(level) for level in levels)
    within = cluster.spares_within
    if within is None or slots < system.slots_per(within):
        return slots
    return slots + math.ceil(cluster.spare_nodes / cluster.spare_domains) * (
        slots // system.slots_per(within)
    )


def _size(system: System, mode: FailureMode, level: str) -> float:
    """Return the job's nodes in the domain of a unit that fails, on average: the last one may be smaller.

    Of nodes that fail more are in the larger domains: where 17 are in racks of 16, the mean is not 8.5.
    """
    slots, unit = system.slots_per(level), system.slots_per(mode.per) if mode.per in ("rack", "pod") else 1
    full, rest = divmod(system.cluster.nodes, slots)
    fail = full * math.ceil(slots / unit), math.ceil(rest / unit)
    return (fail[0] * slots + fail[1] * rest) / sum(fail)


def rate(system: System, name: str) -> float:
    """Return the failures per second of a mode over all its units, `over_time` not counted."""
    mode = system.failures[name]
    return fleet_factor(system, mode) * again(system, mode) / system.mtbf_of(name)


def mtbf(system: System) -> float | None:
    """Return the seconds between failures of all modes, `over_time` not counted; None without failures.

    Lemons count, and so do failures that others bring about: relapses, repairs in vain, wrong diagnoses.
    """
    every = sum(rate(system, name) for name in system.failures)
    return 1 / every if every else None


def events(system: System, name: str, end: float) -> float:
    """Return how many failures of a mode strike the job until *end* (s), on average, were it always whole."""
    mode = system.failures[name]
    if mode.recorded is not None:
        return mode.recorded_until(end)
    return rate(system, name) * own_time(mode, end)


def spare_events(system: System, name: str, end: float) -> float:
    """Return how many failures of a mode strike idle spares until *end* (s), were all of them always idle."""
    mode, cluster = system.failures[name], system.cluster
    if mode.recorded is not None or not mode.takes_nodes:
        return 0.0
    units = cluster.spare_nodes * system.units_per_node(mode)
    return units * cluster.spare_failures / mode.mtbf * own_time(mode, end)


def own_time(mode: FailureMode, end: float) -> float:
    """Return the seconds until *end*, each as often as its factor of `over_time` says."""
    if not mode.over_time:
        return end
    ends = [(min(start, end), factor) for start, factor in mode.over_time] + [(end, 0.0)]
    return math.fsum(factor * (later - start) for (start, factor), (later, _) in pairwise(ends))


def rates_by_scope(system: System, name: str) -> Iterator[tuple[str, float]]:
    """Yield the scopes of a mode's failures, each with how many there are per second."""
    mode, every = system.failures[name], rate(system, name)
    spread = spreading(system, mode)
    yield "cluster" if mode.per == "cluster" else "job", every * mode.transient
    yield mode.scope, every * (1 - mode.transient) * (1 - spread)
    if mode.spreads:
        yield mode.spreads.to, every * (1 - mode.transient) * spread


def replicas_down(system: System, mode: FailureMode) -> int:
    """Return how many replicas one failure of *mode* takes, first order: those that its domain fills."""
    replicas = system.recovery.replicas
    if mode.effect.spoils_work:
        return replicas
    return min(replicas, math.ceil(system.slots_per(mode.takes_down) / system.slots_per("replica")))


def falls_back(system: System, mode: FailureMode) -> bool:
    """Whether its failures send the job back to a copy: with replicas, only those that take all of them."""
    return mode.effect.stops_training and replicas_down(system, mode) == system.recovery.replicas


def calendar_share(system: System) -> float:
    """Return the share of the failures that stop the whole job which begin its restart again.

    They strike on the calendar, also while the job does not train; 0 where a restart absorbs them.
    """
    if system.recovery.during_recovery == "absorb":
        return 0.0
    modes = {name: mode for name, mode in system.failures.items() if falls_back(system, mode)}
    if all(mode.clock == "calendar" for mode in modes.values()):
        return 1.0
    struck = math.fsum(rate(system, name) for name, mode in modes.items() if mode.clock == "calendar")
    return struck / math.fsum(rate(system, name) for name in modes)


def tier_for(system: System, scope: str) -> str:
    """Return the tier that is there for failures of such a *scope*: the first listed that survives them."""
    return next(tier.name for tier in system.tiers if tier.survives is None or scope in tier.survives)


def mtbf_served(system: System, tier: str) -> float | None:
    """Return the mean time between the failures that *tier* is there for; None where there are none."""
    total = sum(
        _within(system, name, tier) for name, mode in system.failures.items() if falls_back(system, mode)
    )
    return 1 / total if total else None


def _within(system: System, name: str, tier: str) -> float:
    """Return how many failures of a mode per second *tier* is there for."""
    parts = [(tier_for(system, scope), share) for scope, share in rates_by_scope(system, name)]
    if all(serving == tier for serving, _ in parts):
        return rate(system, name)
    return math.fsum(per_second for serving, per_second in parts if serving == tier)
