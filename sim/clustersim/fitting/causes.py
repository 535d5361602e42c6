"""What a log says of each of its causes: rate, lifetimes, repairs, and the features beyond chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.likelihood import RANGES, Model, maximise
from clustersim.fitting.rates import exact_rate, exact_share
from clustersim.fitting.repairs import RepairLaw, repair_law
from clustersim.fitting.selection import FEWEST, LIFETIME, Selection, select, testable
from clustersim.fitting.spells import (
    Absences,
    Bursts,
    Spells,
    absences_of,
    site_absences,
    site_spells,
    spells_of,
    without_bursts,
)
from clustersim.logs.history import History
from clustersim.units import DAY

WORDS = {"job": "of the job", "cluster": "of the site"}
Heard = Callable[[str], None]


@dataclass(frozen=True)
class Relapsing:
    """Repairs after which the node failed again by the same cause within a day of its return.

    `seen` of `repairs`; `expected` is the share that chance gives.
    """

    seen: int
    repairs: int
    expected: float

    @property
    def share(self) -> float:
        """The share of repairs after which it did."""
        return self.seen / self.repairs


@dataclass(frozen=True, eq=False)
class CauseFit:
    """What the failures of one cause are: of nodes, or (`per` is `job` or `cluster`) of the job or the site.

    `count` rows in so many `node_days`; `transient` of them cost no node.  `selection` has the features, from
    the `spells`; `bursts` are None where there are too few rows.  `away_s` are the absences, over where they
    are `done`, and `repair` is their law.
    """

    name: str
    per: str
    count: int
    node_days: float
    transient: int
    spells: Spells
    selection: Selection
    bursts: Bursts | None
    away_s: Floats
    done: Array
    repair: RepairLaw | None
    relapse: Relapsing | None

    @property
    def rate(self) -> ConfidenceInterval:
        """Failures per 1000 node-days, with the exact interval of a Poisson count."""
        return exact_rate(self.count, self.node_days / 1000)

    @property
    def of_nodes(self) -> bool:
        """Whether its failures name nodes."""
        return self.per == "node"

    @property
    def burst(self) -> ConfidenceInterval | None:
        """The share of failures that take their whole block along; None where none do beyond chance."""
        if self.bursts is None or not self.bursts.domain or self.bursts.p_value >= self.selection.level:
            return None
        return exact_share(self.bursts.count, self.spells.count)

    @cached_property
    def values(self) -> Mapping[str, ConfidenceInterval]:
        """The parameters of the model of its failures, each with its interval."""
        best = self.selection.best
        if best.model == Model():
            mean, low, high = exact_rate(self.spells.count, self.spells.total)
            assert mean
            assert high
            return {"mtbf_s": ConfidenceInterval(1 / mean, 1 / high, 1 / low if low else None)}
        return {name: best.interval(name) for name in best.model.parameters}

    @property
    def known(self) -> Mapping[str, ConfidenceInterval]:
        """The same with None for what lies on a bound of the search, which the log says nothing of."""
        return {name: RANGES[name].known(value) for name, value in self.values.items()}

    @cached_property
    def first_shape(self) -> ConfidenceInterval | None:
        """The shape of a Weibull law of the first failures of the nodes, from their entry on.

        They are told by no repair before them.  None where they are too few.
        """
        first = self.spells.part(self.spells.first)
        if first.count < FEWEST[LIFETIME]:
            return None
        mean = {"mtbf_s": first.total / first.count}
        return maximise(first, Model("weibull", new=True), mean).interval("shape")


@dataclass(frozen=True)
class _Rows:
    """The rows of one cause before anything is tested: how many, and those that are failures of their own."""

    name: str
    per: str
    count: int
    rows: Array
    spells: Spells
    bursts: Bursts | None
    features: tuple[str, ...]


def fit_causes(history: History, heard: Heard = lambda _: None) -> dict[str, CauseFit]:
    """Return what a log says of each cause, the most frequent first; each is *heard* of by its name.

    A cause of which some rows name nodes and others do not is two, as what stops the job costs no node; so is
    one of which only some say for how long the site was out.
    """
    absences = absences_of(history), site_absences(history)
    parts = [part for cause in range(len(history.causes)) for part in _parts(history, cause, absences)]
    parts.sort(key=lambda part: -part.count)
    tests = sum(len(part.features) + (part.bursts is not None) for part in parts)
    fits = {}
    for part in parts:
        heard(part.name)
        fits[part.name] = _fitted(history, part, tests)
    return fits


def _parts(history: History, cause: int, absences: tuple[Absences, Absences]) -> list[_Rows]:
    of_cause = np.flatnonzero(history.cause == cause)
    of_nodes = of_cause[history.node[of_cause] >= 0]
    of_job = of_cause[history.node[of_cause] < 0]
    name, parts = history.causes[cause], []
    if of_nodes.size:
        rows, bursts = without_bursts(history, of_nodes)
        spells = spells_of(history, rows, absences[0])
        features = testable(spells, history.nodes, history.window_s)
        parts.append(_Rows(name, "node", len(of_nodes), rows, spells, bursts, features))
    out = ~np.isnan(history.end_s[of_job])
    for per, rows in (("job", of_job[~out]), ("cluster", of_job[out])):
        if rows.size:
            spells = site_spells(history, rows, absences[1])
            named = f"{name} {WORDS[per]}" if parts else name
            features = testable(spells, 1, history.window_s)
            parts.append(_Rows(named, per, len(rows), rows, spells, None, features))
    return parts


def _fitted(history: History, part: _Rows, tests: int) -> CauseFit:
    ends, times, node = history.end_s[part.rows], history.time_s[part.rows], history.node[part.rows]
    last = np.where(node >= 0, history.left_s[np.maximum(node, 0)], history.window_s)
    away = ~np.isnan(ends)
    done = ends[away] < last[away]
    away_s = np.minimum(ends[away], last[away]) - times[away]
    selection = select(part.spells, part.features, history.window_s, tests)
    return CauseFit(
        name=part.name,
        per=part.per,
        count=part.count,
        node_days=history.node_days,
        transient=int((~away).sum()),
        spells=part.spells,
        selection=selection,
        bursts=part.bursts,
        away_s=away_s,
        done=done,
        repair=repair_law(away_s, done),
        relapse=_relapsing(part.spells) if part.per == "node" else None,
    )


def _relapsing(spells: Spells) -> Relapsing | None:
    """Return how many repairs did not last a day, among those after which the node was watched so long."""
    since = spells.end - spells.start
    again = spells.repaired & spells.failed & (since <= DAY)
    watched = spells.repaired & (spells.failed | (since >= DAY))
    if not watched.any():
        return None
    expected = -math.expm1(-spells.count * DAY / spells.total)
    return Relapsing(int(again.sum()), int(watched.sum()), expected)
