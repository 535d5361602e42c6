"""What to improve first: one change at a time, paired with the scenario as it is, ranked by what it earns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from clustersim.advice import Advice
from clustersim.arrays import Floats
from clustersim.estimate import Estimate, mean_of, paired
from clustersim.formatting import duration, money, plus_minus, points, whole
from clustersim.metrics.catalogue import NO_PROGRESS_BELOW
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.studies.change import Area, Change, ended_by_the_clock, tuned_tier
from clustersim.studies.offers import offers, own_changes
from clustersim.studies.search import interval_search
from clustersim.studies.study import (
    Simulations,
    Study,
    Worth,
    named,
    on_a_fixed_number,
    plain,
    run_s,
    saved,
    simulations,
    until_target_s,
)
from clustersim.studies.tune import rounded
from clustersim.units import format_duration

REPLICATIONS = 32
"""Paired differences of a tenth of a point are distinguishable with so many (docs/guides/what-first.md)."""
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class RankedLever:
    """One change and what it earns over the scenario as it is.

    `run_s` are the seconds of the run over which its money is saved.  `alike` names the levers ranked just
    above it from which it is not distinguishable, pair by pair.
    """

    change: Change
    worth: Worth
    run_s: float
    alike: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the change is called."""
        return self.change.name

    @property
    def distinguishable(self) -> bool:
        """Whether there is a difference in ETTR at all, at 95 %."""
        return self.worth.ettr.distinguishable

    @property
    def net(self) -> Estimate | None:
        """What it saves over the run less its price, None where cards have no price."""
        earned, price = self.worth.money, self.change.price
        if earned is None or price is None:
            return earned
        return replace(earned, mean=earned.mean - price.amount)

    @property
    def rank(self) -> Estimate:
        """What it is ranked by: its net money, or its gain of ETTR where cards have no price."""
        return self.worth.ettr if self.net is None else self.net

    @property
    def sentence(self) -> str:
        """What it earns."""
        ettr, net, text = self.worth.ettr, self.net, f"It gains {self.worth.sentence}"
        if net is not None and not (ettr.distinguishable and ettr.mean > 0):
            costs = f"costs {points(-ettr.mean, ettr.half_width).lstrip('+')} ETTR"
            costs = costs if ettr.distinguishable else "makes no distinguishable difference to ETTR"
            text = f"It {costs}, and saves {self.worth.in_words[-1]} over the run"
        if self.change.price is not None and net is not None:
            text += f", {money(net.mean, self.worth.currency, net.half_width)} net of its price"
        return f"{text}."

    @property
    def pays(self) -> bool | None:
        """Whether it saves more than its price within the run, at 95 %; None where one of them is unknown."""
        known = self.change.price is not None and self.net is not None and self.net.half_width is not None
        return known and self.rank.distinguishable and self.rank.mean > 0 if known else None

    @property
    def pays_back_s(self) -> float | None:
        """Seconds after which it has paid for itself at an even pace, where it does so within the run."""
        earned, price = self.worth.money, self.change.price
        if not self.pays or earned is None or price is None:
            return None
        return price.amount / earned.mean * self.run_s

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "name": self.name,
            "change": self.change.text,
            **self.worth.to_dict("ettr_gain", "effective_gpus_gain"),
            "distinguishable": self.distinguishable,
            "price": plain(self.change.price),
            **named(self, "net", "pays", "pays_back_s", "alike"),
        }


@dataclass(frozen=True)
class Levers(Study):
    """The levers of a scenario, the one that is worth most first, and its ETTR as it is.

    They are ranked by the money that they save over the run, net of their price, where cards have a price,
    else by ETTR.  `given` is the scenario before a target was left out; `frame` has a row for each lever.
    """

    file = "levers.json"
    points = "levers"
    ettr: Estimate
    levers: Sequence[RankedLever]

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress as it is."""
        return self.ettr.mean < NO_PROGRESS_BELOW

    @property
    def run_s(self) -> float:
        """Seconds of the run that money is about: to its target, where it is reached in time, or all."""
        return run_s(self.given, np.array([self.ettr.mean]))

    @property
    def reaches_target(self) -> bool:
        """Whether there is a target, and it is reached in time on average."""
        return until_target_s(self.given, np.array([self.ettr.mean])) is not None

    @property
    def by_name(self) -> Mapping[str, RankedLever]:
        """The levers by their names, in order of what they are worth."""
        return {lever.name: lever for lever in self.levers}

    @property
    def helpful(self) -> list[RankedLever]:
        """The levers that are distinguishably worth something, the one that is worth most first."""
        return [lever for lever in self.levers if lever.rank.distinguishable and lever.rank.mean > 0]

    @property
    def first(self) -> list[RankedLever]:
        """What to do first: the single change that is worth most, and those not distinguishable from it."""
        single = [lever for lever in self.helpful if not lever.change.joins]
        return [lever for lever in single if lever is single[0] or single[0].name in lever.alike]

    @property
    def advice(self) -> list[Advice]:
        """What to do first, why, and what makes no distinguishable difference."""
        return list(_advice(self))

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {"ettr": plain(self.ettr, share=True), **named(self, "no_progress", "run_s", "levers")}


def levers(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    settings: Settings | None = None,
    **keywords: Any,
) -> Levers:
    """Rank what could be improved: one change at a time, and the scenario's own levers, by what they earn.

    All are simulated on common random numbers, 32 replications unless the scenario or the settings say how
    many, over the same time: a target is left out.  With *output*, `levers.json` is written to that folder.
    Keywords are fields of `Settings`.  Raises ScenarioError for a faulty scenario, also where a lever of its
    own makes it so, before anything is simulated, and RunError where the run cannot go on.
    """
    how = merged(settings, keywords)
    loaded = on_a_fixed_number(how).load(scenario)
    fixed = ended_by_the_clock(loaded, REPLICATIONS)
    tried = _variants(loaded, [*offers(fixed), *own_changes(loaded)])
    with simulations(how, output, "levers", loaded) as running:
        tried += _variants(loaded, _tuned_interval(fixed, running))
        replications = range(fixed.simulation.replications)
        now, *others = running.ettr([fixed, *(each.compared for each in tried)], replications)
        ranked = _ranked(_lever(loaded, now, each, ettr) for each, ettr in zip(tried, others, strict=True))
        return running.finished(Levers(loaded, fixed, len(now), mean_of(now), ranked), output)


class _Variant(NamedTuple):
    """What a change makes of the scenario: with its target, and over a fixed horizon to be compared."""

    change: Change
    given: Scenario
    compared: Scenario


def _variants(scenario: Scenario, changes: Iterable[Change]) -> list[_Variant]:
    given = [(change, change.of(scenario)) for change in changes]
    return [_Variant(change, made, ended_by_the_clock(made, REPLICATIONS)) for change, made in given]


def _lever(scenario: Scenario, now: Floats, made: _Variant, ettr: Floats) -> tuple[RankedLever, Floats]:
    """Return a variant as a lever, and what it is ranked by in each replication."""
    seconds = run_s(scenario, np.array([now.mean()]))
    lever = RankedLever(made.change, Worth.of(scenario, now, made.given, ettr), seconds)
    if scenario.costs is None:
        return lever, ettr
    price = made.change.price.amount if made.change.price else 0.0
    return lever, saved(scenario, now, made.given, ettr) - price


def _ranked(levers: Iterable[tuple[RankedLever, Floats]]) -> list[RankedLever]:
    """Return the levers, given with what they are ranked by, in order.

    Each is told which ones above it are like it: from the nearest up to the first that differs.
    """
    ordered = sorted(levers, key=lambda each: -each[0].rank.mean)
    answer: list[RankedLever] = []
    for place, (lever, values) in enumerate(ordered):
        alike = []
        for above, others in reversed(ordered[:place]):
            gap = paired(others, values)
            if gap.half_width is None or gap.distinguishable:
                break
            alike.append(above.name)
        answer.append(replace(lever, alike=tuple(alike)))
    return answer


def _tuned_interval(scenario: Scenario, running: Simulations) -> Iterator[Change]:
    """Yield the best interval as a change, where today's is distinguishable from it.

    It is chosen on other replications than those on which it is judged.
    """
    if scenario.checkpoint is None or scenario.mtbf is None:
        return
    tier = tuned_tier(scenario)
    interval, path = tier.interval, tier.path("interval")
    search = interval_search(scenario, scenario.simulation.replications, running.in_every_shard)
    if search.distinguishable(interval):
        now = format_duration(interval, 3) if tier.adapts is None else "one that follows the failures"
        then = format_duration(rounded(search.best, search.flat_range()), 3)
        yield Change("tuned interval", {path: then}, f"{path}: {now} -> {then}", Area.INTERVAL)


def _advice(levers: Levers) -> Iterator[Advice]:
    if levers.no_progress:
        ettr = plus_minus(levers.ettr.mean, levers.ettr.half_width)
        yield Advice(f"{levers.scenario.name} makes no progress as it is (ETTR {ettr}).", warning=True)
    if levers.first:
        yield from _worth_most(levers)
    elif levers.levers:
        yield Advice(f"No change gains anything distinguishable (replications: {levers.replications}).")
    else:
        yield Advice("Nothing fails and no save stops training: no change is on offer.")
    if levers.scenario.costs is not None and levers.levers:
        until = " until the target is reached" if levers.reaches_target else ""
        yield Advice(f"Money is what a change saves over this run of {duration(levers.run_s, 0.0)}{until}.")
    yield from _priced(levers)
    yield from _without_gain(levers.levers)
    yield from levers.caveats()


def _worth_most(levers: Levers) -> Iterator[Advice]:
    """Say what to do first, what is like it, why, and what follows."""
    (first, *alike), helpful = levers.first, levers.helpful
    together = [lever for lever in helpful if lever.change.joins]
    single = [lever for lever in helpful if not lever.change.joins]
    of = " of the single changes" if together and together[0] is helpful[0] else ""
    text = f"First{of}: {first.name}. {first.sentence}"
    if alike:
        text += f" Not distinguishable from it: {'; '.join(map(_in_short, alike))}."
    yield Advice(text)
    yield from _why(levers.levers)
    if together:
        yield Advice(f"Several at once: {'; '.join(map(_in_short, together))}.")
    following = [lever for lever in single if lever not in levers.first][:3]
    if following:
        named = [_in_short(lever) + _like(lever, following) for lever in following]
        text = f"Then: {'; '.join(named)}."
        yield Advice(f"{text} Each was tried by itself; what they earn together is not the sum.")


def _in_short(lever: RankedLever) -> str:
    """Return what it is called, and what it is ranked by."""
    words = [points(lever.worth.ettr.mean, lever.worth.ettr.half_width)]
    if lever.net is not None:
        words = [money(lever.net.mean, lever.worth.currency, lever.net.half_width)]
    return ", ".join([lever.name, *words])


def _like(lever: RankedLever, among: Sequence[RankedLever]) -> str:
    """Return, in brackets, which of the levers named with it it is not distinguishable from."""
    like = [each.name for each in among if each.name in lever.alike]
    return f" (not distinguishable from {' and '.join(like)})" if like else ""


def _why(levers: Sequence[RankedLever]) -> Iterator[Advice]:
    """Say why rarer failures come before faster recovery, where they distinguishably do."""
    failures, recovery = (
        next((lever for lever in levers if lever.change.area is area), None)
        for area in (Area.FAILURES, Area.RECOVERY)
    )
    if failures is None or recovery is None or failures.name in recovery.alike:
        return
    if failures.rank.distinguishable and failures.rank.mean > recovery.rank.mean:
        yield Advice(
            "Rarer failures come before faster recovery because a failure that does not happen saves its"
            " detection, its recovery and the work it would have thrown away, all at once."
        )


def _priced(levers: Levers) -> Iterator[Advice]:
    """Say which levers pay for themselves within the run."""
    for lever in levers.levers:
        price, earned = lever.change.price, lever.worth.money
        if price is None or earned is None or lever.pays is None:
            continue
        amount = price.amount
        text = (
            money(amount, price.currency, 0.0) if amount >= MILLION else f"{whole(amount)} {price.currency}"
        )
        name = f"{lever.name}, for {text},"
        if lever.pays_back_s is not None:
            yield Advice(f"{name} has paid for itself after {duration(lever.pays_back_s)} of this run.")
        elif not lever.pays:
            saves = f"it saves {money(earned.mean, price.currency, earned.half_width)}"
            saves = saves if earned.distinguishable else "that it saves anything is not distinguishable"
            yield Advice(f"{name} does not pay within this run: {saves}.")


def _without_gain(levers: Sequence[RankedLever]) -> Iterator[Advice]:
    """Say what would cost more than it earns, and what makes no distinguishable difference."""
    losing = [lever for lever in levers if lever.rank.distinguishable and lever.rank.mean < 0]
    if losing:
        yield Advice(f"A loss: {'; '.join(map(_in_short, losing))}.")
    names = [lever.name for lever in levers if not lever.rank.distinguishable]
    if names and len(names) < len(levers):
        yield Advice(f"Not distinguishable from no change: {', '.join(names)}.")
