"""Which changes of a scenario are worth most, estimated from a finished run instead of being simulated.

The ledger of the run says what each cause cost in each entry; formulas to first order say in which ratio a
change would lower that.  They are wrong about how much, and less so about ratios.  A mode that cost 4 % of
the time in recovery and 2 % in lost work, and happens half as often with saves as far apart, would leave 2 %
and 1 %.  What is left compounds as restarts do: see `left_of`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim import theory
from clustersim.advice import Advice, stood_still, waiting_for_nodes
from clustersim.formatting import money, points, significant
from clustersim.metrics.cells import Summary, number_at
from clustersim.scenario import ScenarioError, first_order
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import (
    calendar_share,
    falls_back,
    mean_of,
    rate,
    replicas_down,
)
from clustersim.scenario.shortage import Shortage, shortage
from clustersim.scenario.text.document import paths
from clustersim.studies.change import Area, Change, tuned_tier
from clustersim.studies.offers import offers, own_changes
from clustersim.studies.study import effective, named, plain, saved, until_target_s
from clustersim.studies.tune import formulas, rounded
from clustersim.units import DAY, format_duration

MOST = 3
"""So many changes are named: who reads the first screen acts on no more."""
MOST_READ = 10_000
"""The most values of scenarios that are read anew, some 50 us each: the estimates take a second at most."""
LEAST_GAIN = 1e-4
"""A smaller change of ETTR than 0.01 pp is lost in what the formulas are wrong by, and counts as none."""
NEAR = 1.1
"""An interval this near the best, by ratio, costs next to nothing: the curve is flat there."""
HOW = (
    "Estimated from this run's ledger, each change by itself: what it would leave of each entry, to first"
    " order. `clustersim levers` simulates them, with intervals."
)
SOME = " Of so many changes only those of what cost most were estimated, {:,} of {:,}."
NO_LEDGER = "Nothing of this run was productive, so its ledger does not tell what a change would earn."
HARDLY_WAITING = 0.01
"""Share of waiting below which the nodes away were hardly censored by it, so that their number is known."""
Cell = tuple[str, str]
"""A cause and an entry of the ledger."""


@dataclass(frozen=True, slots=True)
class EstimatedChange:
    """A change, and about what it would earn over the run: gains of ETTR and effective cards, days, money.

    `days` are those by which the target is reached sooner, None without a target, or where it is not reached
    in time; `money` is what the change saves over the run, None where cards have no price.
    """

    change: Change
    ettr_gain: float
    effective_gpus_gain: float
    days: float | None
    money: float | None
    currency: str

    @property
    def net(self) -> float | None:
        """Money over the run less the price of the change; None where cards have no price."""
        price = self.change.price
        return None if self.money is None else self.money - (price.amount if price else 0.0)

    @property
    def sentence(self) -> str:
        """What it would earn, in words: `halve gpu failures: about +2.9 pp ETTR, 700 effective cards`."""
        cards = significant(self.effective_gpus_gain, 2)
        text = f"{self.change.name}: about {points(self.ettr_gain, None)} ETTR, {cards} effective cards"
        if self.days is not None and abs(self.days) * DAY >= 60:
            text += f", {significant(abs(self.days), 2)} days {'sooner' if self.days > 0 else 'later'}"
        if self.net is not None:
            text += f", {money(self.net, self.currency)} over this run"
            text += " net of its price" if self.change.price else ""
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        change = self.change
        return {
            "name": change.name,
            "change": change.text,
            "paths": list(change.values),
            **named(self, "ettr_gain", "effective_gpus_gain", "days", "money"),
            "price": plain(change.price),
            "net": self.net,
        }


@dataclass(frozen=True, slots=True)
class ChangesWorthMost:
    """The changes that are worth most over a run, the largest first, and how they were found."""

    changes: Sequence[EstimatedChange]
    how: str

    @property
    def advice(self) -> list[Advice]:
        """Each change in a sentence, and how they were found."""
        return [*(Advice(f"{each.sentence}.") for each in self.changes), Advice(self.how)]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"how": self.how, "worth_most": plain(list(self.changes))}


def changes_worth_most(scenario: Scenario, summary: Summary, count: int = MOST) -> ChangesWorthMost:
    """Return the *count* changes worth most over the run of *scenario* that has this *summary*.

    Of the changes that `clustersim levers` would simulate, without those that join several others, and of the
    scenario's own levers: ranked by the money that they save over the run, net of their price, or by ETTR
    where cards have no price.  Fewer where fewer gain anything.  No gain is more than what the ledger's
    entries, which the change lowers, hold; fewer spares are among them only where never more nodes were away.
    Nothing is simulated; equal summaries give equal answers.
    """
    if not summary["ettr"]["mean"]:
        return ChangesWorthMost((), NO_LEDGER)
    ledger, changes = RunLedger(scenario, summary), _by_cost(scenario, summary)
    tried = changes[: max(MOST_READ // (1 + sum(1 for _ in paths(scenario.document))), MOST)]
    estimates = [each for change in tried for each in ledger.estimates(change)]
    ranked = sorted((each for each in estimates if _worth(each) > 0), key=_worth, reverse=True)
    left_out = "" if len(tried) == len(changes) else SOME.format(len(tried), len(changes))
    return ChangesWorthMost(tuple(ranked[:count]), f"{HOW}{left_out}")


def _worth(estimate: EstimatedChange) -> float:
    return estimate.ettr_gain if estimate.net is None else estimate.net


def _by_cost(scenario: Scenario, summary: Summary) -> list[Change]:
    """Return the changes to estimate: the scenario's own, then those that may touch most of the waste."""
    costs = summary["waste_by_cause"]

    def touched(change: Change) -> float:
        """Return what the modes named in the paths cost; what names none may touch all of it."""
        names = {path.split(".")[1] for path in change.values if path.startswith("failures.")}
        return sum(costs.get(name, 0.0) for name in names) if names else 1.0

    alone = [*_exact_interval(scenario), *(change for change in offers(scenario) if not change.joins)]
    return [*own_changes(scenario), *sorted(alone, key=touched, reverse=True)]


def _exact_interval(scenario: Scenario) -> Iterator[Change]:
    """Yield the exact optimum for exponential failures as a change, where the interval is a fixed one."""
    if scenario.checkpoint is None or scenario.tiers[-1].adapts is not None:
        return
    tier = tuned_tier(scenario)
    best, now = formulas(scenario, tier).get("exact"), tier.interval
    if best is not None:
        then, path = format_duration(rounded(best, (best / NEAR, best * NEAR)), 3), tier.path("interval")
        yield Change(
            "tuned interval", {path: then}, f"{path}: {format_duration(now, 3)} -> {then}", Area.INTERVAL
        )


class Left(NamedTuple):
    """The ETTR that a change would leave, and the card-time that it takes from the ledger's entries."""

    ettr: float
    freed: float


class RunLedger:
    """The ledger of a run, and what it would be with changes."""

    def __init__(self, scenario: Scenario, summary: Summary) -> None:
        self._scenario = scenario
        self._ettr: float = summary["ettr"]["mean"]
        most_away = number_at(summary, "spares.away.max")
        self._most_away = math.inf if most_away is None else most_away
        self._demand = _demand_seen(scenario, summary)
        self._short = missing(scenario, self._demand).idle_cards
        self._expected = expected(scenario)
        self._calendar = calendar_share(scenario)
        self._cells = {
            (cause, entry): share
            for cause, entries in summary["waste"].items()
            for entry, share in entries.items()
        }
        self._cells |= {(name, "waiting"): share for name, share in stood_still(scenario, summary).items()}
        self._waiting: float = waiting_for_nodes(scenario, summary)

    def estimates(self, change: Change) -> Iterator[EstimatedChange]:
        """Yield about what *change* would earn; nothing where that is unknown.

        Where a value would be beyond what it may be, and where more nodes were away at times than there would
        be spares: how rare that is depends on the tail of the repair times, of which a run shows little.  Nor
        do formulas say how often spares come from a later pool, or how much a failure throws away without
        saves.
        """
        with suppress(ScenarioError):
            after = change.of(self._scenario)
            if after.cluster.pools != self._scenario.cluster.pools or bool(after.tiers) != bool(
                self._scenario.tiers
            ):
                return
            fewer = after.cluster.spare_nodes < self._scenario.cluster.spare_nodes
            if not fewer or self._most_away <= after.cluster.spare_nodes:
                yield self._estimate(change, after)

    def _estimate(self, change: Change, after: Scenario) -> EstimatedChange:
        before, ettr = self._scenario, self.left_by(after).ettr
        if abs(ettr - self._ettr) < LEAST_GAIN:
            ettr = self._ettr
        now, then = np.array([self._ettr]), np.array([ettr])
        until, sooner = until_target_s(before, now), until_target_s(after, then)
        days = None if until is None or sooner is None else float(until[0] - sooner[0]) / DAY
        costs = before.costs
        return EstimatedChange(
            change,
            ettr - self._ettr,
            effective(after) * ettr - effective(before) * self._ettr,
            days,
            None if costs is None else float(saved(before, now, after, then)[0]),
            costs.currency if costs else "",
        )

    def left_by(self, changed: Scenario) -> Left:
        """Return what is left with the *changed* scenario.

        Each cell of the ledger changes in the ratio in which the formulas expect it to, so that no more is
        saved than there is.  Waiting for nodes takes its share of the time first; it may grow from nothing,
        so there more shortage adds the difference.
        """
        after, freed, more = expected(changed), 0.0, 0.0
        for cell in {**self._cells, **after}:
            share, now, then = (each.get(cell, 0.0) for each in (self._cells, self._expected, after))
            change = share * (then / now - 1) if now else then
            freed, more = freed + max(-change, 0.0), more + max(change, 0.0)
        present, waiting = 1 - self._waiting, self._waiting_with(changed)
        ettr = left_of(self._ettr / present, (freed - more) / present, self._calendar) * (1 - waiting)
        return Left(ettr, freed + max(self._waiting - waiting, 0.0))

    def _waiting_with(self, changed: Scenario) -> float:
        now, then = self._short, missing(changed, self._demand).idle_cards
        return self._waiting * then / now if then < now else min(self._waiting + then - now, 1.0)


def left_of(ettr: float, freed: float, calendar: float) -> float:
    """Return the ETTR where a change frees this share of all card-time, at first sight.

    Waste W per training second slows the job down 1 + W = 1 + (exp(c X) - 1) / c times (`theory.slowdown`,
    with c the *calendar* share of the failures), where X is what the causes would cost one by one: it is X
    that shrinks in proportion.  With c = 1 the ETTR becomes ETTR ** (share of the waste that is left).  The
    gain is convex in what is freed and all of the waste where that is all of it, so never more than *freed*.
    """
    lost = 1 - ettr
    if lost <= 0:
        return 1 / (1 - min(freed, 0.0))
    waste = lost / ettr
    alone = math.log1p(calendar * waste) / calendar if calendar else waste
    return 1 / theory.slowdown(1.0, max(alone * (1 - freed / lost), 0.0), calendar)


def expected(scenario: Scenario) -> dict[Cell, float]:
    """Return what each cause costs in each entry, to first order, in seconds per second of training.

    Waiting for nodes, which failures of all modes bring about together, is no part of it: see `missing`.
    """
    recovery = scenario.recovery
    cells: dict[Cell, float] = {
        ("checkpoint", "checkpoint"): first_order.blocks_of_saves(scenario)
        + math.fsum(first_order.blocks_of_notices(scenario, name) for name in scenario.failures),
        ("maintenance", "maintenance"): math.fsum(
            stops.share(scenario.end_s) for stops in scenario.maintenance
        ),
        ("overhead", "slow"): recovery.overhead,
    }
    for name, mode in scenario.failures.items():
        cells |= {(name, entry): cost for entry, cost in _costs(scenario, name, mode)}
    return cells


def _costs(scenario: Scenario, name: str, mode: FailureMode) -> Iterator[tuple[str, float]]:
    """Yield the entries to which failures of a mode are booked, with their cost per second of training."""
    per_second, effect = rate(scenario, name), mode.effect
    noticed = mean_of(mode.detect or scenario.recovery.stages[0].duration)
    yield "slow", per_second * (1 - effect.pace) * noticed
    yield "corrupted", per_second * (mean_of(effect.shows_after) if effect.shows_after else 0.0)
    if not effect.stops_training:
        yield "stall", per_second * (mean_of(effect.pause) if effect.pause else 0.0)
        return
    restart = first_order.restart_s(scenario, name) + first_order.fetch_s(scenario, mode)
    down = 1.0
    if falls_back(scenario, mode):
        yield "lost", first_order.rework(scenario, name, noticed) if scenario.tiers else per_second
        out = mean_of(mode.repair) if mode.is_outage and mode.repair is not None else 0.0
        yield "waiting", per_second * out + first_order.waits_of_notices(scenario, name)
    else:
        down = replicas_down(scenario, mode) / scenario.recovery.replicas
        yield from _of_others(scenario, per_second, down, restart)
    detection = 0.0 if effect.is_noticed_later or mode.is_outage else noticed
    yield "detection", per_second * down * detection
    yield "recovery", per_second * down * (restart - detection)


def _of_others(
    scenario: Scenario, per_second: float, down: float, restart: float
) -> Iterator[tuple[str, float]]:
    """Yield what failures of a share of the replicas cost the others."""
    recovery = scenario.recovery
    yield "lost", per_second * (scenario.workload.step_time or 0.0) / 2
    held = recovery.replicas * (1 - down) < recovery.minimum
    yield "idle", per_second * (1 - down) * restart * held
    yield "stall", per_second * ((1 - down) * recovery.stall * (not held) + recovery.rejoin_stall)


def missing(scenario: Scenario, demand: float = 1.0) -> Shortage:
    """Return what is missing halfway through the run, at *demand* times the failures that take nodes.

    Its repair shops are empty at the start, so that this stands for all of it.
    """
    return shortage(scenario, scenario.end_s / 2, first_order.trains(scenario), demand=demand)


def _demand_seen(scenario: Scenario, summary: Summary) -> float:
    """Return how many nodes were away, as a multiple of what formulas expect; 1 where that is not known."""
    seen, away = number_at(summary, "spares.away.mean"), missing(scenario).away
    known = summary["ledger"]["waiting"] < HARDLY_WAITING and seen is not None and away > 0
    return (seen or 0.0) / away if known else 1.0
