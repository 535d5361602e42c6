"""The answers: the best interval with all that is known about it, and the levers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim.estimate import Array, Estimate, mean_of, paired
from clustersim.scenario.model import Scenario
from clustersim.summary import NO_PROGRESS_BELOW
from clustersim.tuning.changes import Change
from clustersim.tuning.places import ONLY, Place
from clustersim.units import HOUR, YEAR


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interval (s) with its ETTR, and whether it can be told from the best."""

    interval_s: float
    ettr: Estimate
    told_apart: bool


@dataclass(frozen=True, slots=True)
class Worth:
    """A difference in ETTR, what it is in effective cards, and in money per year where cards have a price.

    Money: the card-hours that train instead of standing still, at the price of a card-hour, less what
    additional cards and spares cost.
    """

    ettr: Estimate
    effective_gpus: Estimate
    money_per_year: Estimate | None

    @classmethod
    def of(cls, before: Scenario, ettr_before: Array, after: Scenario, ettr_after: Array) -> Worth:
        """Return what *after* is worth against *before*, pair by pair of replications."""
        cards = effective(after) * ettr_after, effective(before) * ettr_before
        money = None
        if before.costs is not None:
            trained = after.cluster.gpus * ettr_after - before.cluster.gpus * ettr_before
            price = before.costs.price_per_gpu_hour * YEAR / HOUR
            money = mean_of(price * (trained - (paid(after, before) - paid(before, before))))
        return cls(paired(ettr_after, ettr_before), paired(*cards), money)


def effective(scenario: Scenario) -> float:
    """Return the cards times their scaling efficiency."""
    gpus = scenario.cluster.gpus
    return gpus * scenario.workload.efficiency(gpus)


def paid(scenario: Scenario, priced: Scenario) -> float:
    """Return the cards that are paid for, spares at their share of the price in *priced*, lent ones not."""
    share = 1.0 if priced.costs is None else priced.costs.idle_spares
    if scenario.cluster.spare_kind == "lent":
        share = 0.0
    spares = scenario.cluster.spare_nodes * scenario.cluster.gpus_per_node
    return scenario.cluster.gpus + share * spares


@dataclass(frozen=True, slots=True)
class Gain:
    """What the recommended interval earns over another one (s), on replications on which it was not chosen.

    `outside` says whether the other one lies outside the range that cannot be told from the best.
    """

    over: str
    interval_s: float
    worth: Worth
    outside: bool

    @property
    def distinguishable(self) -> bool:
        """Whether there is a gain at all: seen when choosing, and confirmed afterwards."""
        return self.outside and self.worth.ettr.distinguishable and self.worth.ettr.mean > 0


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The best interval (s) and its ETTR on fresh replications, were *value* what stands at *path*."""

    path: str
    value: str
    gpus: int
    now_s: float
    best_s: float | None
    range_s: tuple[float, float] | None
    ettr: Estimate | None
    effective_gpus: Estimate | None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr is not None and self.ettr.mean < NO_PROGRESS_BELOW


@dataclass(frozen=True)
class Tuning:
    """The answer of `tune`; intervals are seconds of training between saves, `None` where there is no answer.

    `best_s` is the candidate with the highest mean; `range_s` are the intervals that cannot be told from it,
    and `recommended_s` a round one among them.  `ettr_at_best`, `ettr_now` and the `gains` come from fresh
    replications.  `simulated` says why each candidate was simulated in full, and is `None` where the outages
    were simulated once and the candidates scored on them.  `given` is the scenario before a target was left
    out, and `place` the tier of checkpoints whose interval it is.
    """

    given: Scenario
    scenario: Scenario
    replications: int
    now_s: float
    place: Place = ONLY
    fresh_replications: int = 0
    young_s: float | None = None
    daly_s: float | None = None
    exact_s: float | None = None
    best_s: float | None = None
    recommended_s: float | None = None
    range_s: tuple[float, float] | None = None
    boundary: str | None = None
    simulated: str | None = None
    ettr_at_best: Estimate | None = None
    ettr_now: Estimate | None = None
    curve: Sequence[Candidate] = ()
    gains: Sequence[Gain] = ()
    what_ifs: Sequence[WhatIf] = ()
    wall_s: float = 0.0

    @property
    def no_failures(self) -> bool:
        """Whether nothing fails, so that no interval is better than another for this reason."""
        return self.scenario.mtbf is None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr_at_best is not None and self.ettr_at_best.mean < NO_PROGRESS_BELOW

    def to_dict(self) -> dict[str, Any]:
        """Return what `tune --json` prints."""
        from clustersim.tuning.output import tuning_as_dict

        return tuning_as_dict(self)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the HTML report to *path*, and return it."""
        from clustersim.tuning.output import report_of

        return report_of(self, Path(path))


@dataclass(frozen=True, slots=True)
class Lever:
    """One change and what it earns over the scenario as it is."""

    change: Change
    worth: Worth

    @property
    def name(self) -> str:
        """What the change is called."""
        return self.change.name

    @property
    def distinguishable(self) -> bool:
        """Whether there is a difference at all, as far as can be told."""
        return self.worth.ettr.distinguishable

    @property
    def pays_back_s(self) -> float | None:
        """Seconds after which a distinguishable gain has paid the price, where both are known."""
        earned, price = self.worth.money_per_year, self.change.price
        if earned is None or price is None or not self.distinguishable or earned.mean <= 0:
            return None
        return price.amount / earned.mean * YEAR


@dataclass(frozen=True)
class Levers:
    """The levers of a scenario, the one that earns most first, and its ETTR as it is.

    `given` is the scenario before a target was left out.
    """

    given: Scenario
    scenario: Scenario
    replications: int
    ettr: Estimate
    levers: Sequence[Lever]
    wall_s: float = 0.0

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress as it is."""
        return self.ettr.mean < NO_PROGRESS_BELOW

    @property
    def by_name(self) -> Mapping[str, Lever]:
        """The levers by their names, in order of what they earn."""
        return {lever.name: lever for lever in self.levers}

    def to_dict(self) -> dict[str, Any]:
        """Return what `levers --json` prints."""
        from clustersim.tuning.output import levers_as_dict

        return levers_as_dict(self)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the HTML report to *path*, and return it."""
        from clustersim.tuning.output import report_of

        return report_of(self, Path(path))
