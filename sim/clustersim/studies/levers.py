"""What to improve first: one change at a time, paired with the scenario as it is, ranked by what it earns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from clustersim.advice import Advice
from clustersim.estimate import Estimate, mean_of
from clustersim.formatting import duration, money, plus_minus
from clustersim.metrics.catalogue import NO_PROGRESS_BELOW
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.studies.change import Area, Change, ended_by_the_clock, tuned_tier
from clustersim.studies.offers import offers, own_changes
from clustersim.studies.search import scores, why_outages_depend
from clustersim.studies.study import Simulations, Study, Worth, named, on_a_fixed_number, plain, simulations
from clustersim.studies.tune import CANDIDATES, rounded, searched
from clustersim.units import YEAR, format_duration

REPLICATIONS = 32
"""Paired differences of a tenth of a point are distinguishable with so many (docs/guides/what-first.md)."""
FEW_CANDIDATES = 12
"""So many intervals are tried for the tuned one where each of them is simulated in full."""


@dataclass(frozen=True, slots=True)
class RankedLever:
    """One change and what it earns over the scenario as it is."""

    change: Change
    worth: Worth

    @property
    def name(self) -> str:
        """What the change is called."""
        return self.change.name

    @property
    def distinguishable(self) -> bool:
        """Whether there is a difference at all, at 95 %."""
        return self.worth.ettr.distinguishable

    @property
    def pays_back_s(self) -> float | None:
        """Seconds after which a distinguishable gain has paid the price, where both are known."""
        earned, price = self.worth.money_per_year, self.change.price
        if earned is None or price is None or not self.distinguishable or earned.mean <= 0:
            return None
        return price.amount / earned.mean * YEAR

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        price = self.change.price
        return {
            "name": self.name,
            "change": self.change.text,
            **self.worth.to_dict("ettr_gain", "effective_gpus_gain"),
            "distinguishable": self.distinguishable,
            "price": None if price is None else price._asdict(),
            "pays_back_s": self.pays_back_s,
        }


@dataclass(frozen=True)
class Levers(Study):
    """The levers of a scenario, the one that earns most first, and its ETTR as it is.

    `given` is the scenario before a target was left out; `frame` has a row for each lever.
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
    def by_name(self) -> Mapping[str, RankedLever]:
        """The levers by their names, in order of what they earn."""
        return {lever.name: lever for lever in self.levers}

    @property
    def helpful(self) -> list[RankedLever]:
        """The levers with a distinguishable gain, the largest first."""
        return [lever for lever in self.levers if lever.distinguishable and lever.worth.ettr.mean > 0]

    @property
    def advice(self) -> list[Advice]:
        """What to do first, why, and what makes no distinguishable difference."""
        return list(_advice(self))

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {"ettr": plain(self.ettr, share=True), **named(self, "no_progress", "levers")}


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
    began, how = time.perf_counter(), merged(settings, keywords)
    loaded = on_a_fixed_number(how).load(scenario)
    fixed = ended_by_the_clock(loaded, REPLICATIONS)
    tried = _variants(loaded, [*offers(fixed), *own_changes(loaded)])
    with simulations(how, output, "levers", loaded) as running:
        tried += _variants(loaded, _tuned_interval(fixed, running))
        replications = range(fixed.simulation.replications)
        now, *others = running.ettr([fixed, *(each.compared for each in tried)], replications)
    ranked = [
        RankedLever(each.change, Worth.of(loaded, now, each.given, values))
        for each, values in zip(tried, others, strict=True)
    ]
    ranked.sort(key=lambda lever: -lever.worth.ettr.mean)
    answer = Levers(loaded, fixed, len(now), mean_of(now), ranked, wall_s=time.perf_counter() - began)
    if output is not None:
        answer.save(output)
    return answer


class _Variant(NamedTuple):
    """What a change makes of the scenario: with its target, and over a fixed horizon to be compared."""

    change: Change
    given: Scenario
    compared: Scenario


def _variants(scenario: Scenario, changes: Iterable[Change]) -> list[_Variant]:
    given = [(change, change.of(scenario)) for change in changes]
    return [_Variant(change, made, ended_by_the_clock(made, REPLICATIONS)) for change, made in given]


def _tuned_interval(scenario: Scenario, running: Simulations) -> Iterator[Change]:
    """Yield the best interval as a change, where today's is distinguishable from it.

    It is chosen on other replications than those on which it is judged.
    """
    if scenario.checkpoint is None or scenario.mtbf is None:
        return
    tier, count = tuned_tier(scenario), scenario.simulation.replications
    in_full = why_outages_depend(scenario) is not None
    (score,) = scores(scenario, tier, [range(count, 2 * count)], running, in_full=in_full)
    interval, path = tier.interval, tier.path("interval")
    search = searched(scenario, tier, score, (interval,), FEW_CANDIDATES if in_full else CANDIDATES)
    if search.distinguishable(interval):
        now = format_duration(interval, 3) if tier.adapts is None else "one that follows the failures"
        then = format_duration(rounded(search.best, search.flat_range()), 3)
        yield Change("tuned interval", {path: then}, f"{path}: {now} -> {then}", Area.INTERVAL)


def _advice(levers: Levers) -> Iterator[Advice]:
    if levers.no_progress:
        ettr = plus_minus(levers.ettr.mean, levers.ettr.half_width)
        yield Advice(f"{levers.scenario.name} makes no progress as it is (ETTR {ettr}).", warning=True)
    helpful, following = levers.helpful, levers.helpful[1:4]
    if helpful:
        yield Advice(f"First: {helpful[0].name}. It gains {helpful[0].worth.sentence}.")
    elif levers.levers:
        yield Advice(f"No change gains anything distinguishable (replications: {levers.replications}).")
    else:
        yield Advice("Nothing fails and no save stops training: no change is on offer.")
    yield from _why(levers.levers)
    if following:
        gains = "; ".join(f"{lever.name}, {lever.worth.in_words[0]}" for lever in following)
        yield Advice(f"Then: {gains}. Each was tried by itself; what they earn together is not the sum.")
    yield from _other(levers.levers)
    yield from levers.caveats()


def _why(levers: Sequence[RankedLever]) -> Iterator[Advice]:
    """Say why rarer failures come before faster recovery, where they do."""
    areas = [lever.change.area for lever in levers]
    if areas[:1] == [Area.FAILURES] and Area.RECOVERY in areas and levers[0].distinguishable:
        yield Advice(
            "Rarer failures come before faster recovery because a failure that does not happen saves its"
            " detection, its recovery and the work it would have thrown away, all at once."
        )


def _other(levers: Sequence[RankedLever]) -> Iterator[Advice]:
    """Say which levers pay for themselves, and which make no distinguishable difference."""
    for lever in levers:
        if lever.change.price is not None and lever.pays_back_s is not None:
            price = money(lever.change.price.amount, lever.change.price.currency, 0.0)
            yield Advice(
                f"{lever.name}, for {price}, has paid for itself after {duration(lever.pays_back_s)}."
            )
    names = [lever.name for lever in levers if not lever.distinguishable]
    if names and len(names) < len(levers):
        yield Advice(f"Not distinguishable from no change: {', '.join(names)}.")
