"""What metrics are computed from: the replications of a scenario as columns, and facts of the scenario.

Shares are of all card-time of a replication; times are in seconds and leave out the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.ledger import Entry
from clustersim.records import Phase, Records
from clustersim.units import DAY, HOUR

Column = str | Callable[["Replications"], Any]
"""A column of replications: its name, or what makes it."""
COSTS, TARGET, TOKENS = "costs", "a workload.target", "workload.tokens_per_gpu_second"
REPLICAS, TIERS, PRECISION = "recovery.replicas", "several checkpoint.tiers", "simulation.precision"
FLEET, UNCERTAIN = "a count of the nodes away", "uncertain inputs"
"""Parts that not every scenario has, and without which some metrics do not exist."""
PER_DRAW = "ettr.per_draw"
"""Where the scenario's facts have how many replications there are with each draw of its inputs."""
RESIDUE = 1e-12
"""A smaller share is what rounding leaves of a difference, not time: 0.1 s in three thousand years."""


class ScenarioFacts(NamedTuple):
    """What metrics take from the scenario itself, which is made later than they are.

    `names` are those of its failure modes, stages, tiers and so on by family, `has` the optional parts that
    it has, `given` its own figures by their path in the summary.
    """

    names: Mapping[str, Sequence[str]]
    has: frozenset[str]
    given: Mapping[str, Any]

    def missing(self, needs: Sequence[str]) -> str:
        """Return the first of *needs* that the scenario does not have; empty where it has them all."""
        return next((need for need in needs if need not in self.has), "")


class Replications:
    """The replications of one scenario: columns by name, with a row for each replication.

    They are those of the table, those that are `DERIVED`, and what the scenario gives, the same for all.  Of
    a run that was loaded from its folder there is the table alone; what needs the records raises LookupError.
    """

    def __init__(
        self, facts: ScenarioFacts, columns: Mapping[str, Array], records: Sequence[Records] = ()
    ) -> None:
        self.facts = facts
        self._columns: dict[str, Any] = dict(columns)
        self._records = records

    @classmethod
    def of(
        cls, facts: ScenarioFacts, records: Sequence[Records], by_draw: Mapping[str, Array] | None = None
    ) -> Replications:
        """Return the replications of which these are the *records*; *by_draw* are facts that differ."""
        return cls(facts, columns_of(records) | dict(by_draw or {}), records)

    def __len__(self) -> int:
        return len(self["replication"])

    def __getitem__(self, column: Column) -> Any:
        """Return a column by its name, what the scenario gives under that path, or what a function makes."""
        if not isinstance(column, str):
            return column(self)
        if column not in self._columns:
            self._columns[column] = DERIVED[column](self) if column in DERIVED else self.facts.given[column]
        return self._columns[column]

    @property
    def per_draw(self) -> int:
        """How many replications there are with each draw of uncertain inputs; 0 where none is uncertain."""
        return int(self[PER_DRAW]) if UNCERTAIN in self.facts.has else 0

    @property
    def records(self) -> Sequence[Records]:
        """The records."""
        if not self._records:
            raise LookupError("a run folder does not hold it by replication")
        return self._records


def columns_of(records: Sequence[Records]) -> dict[str, Array]:
    """Return the columns of `replications.parquet`: a row for each of *records*."""
    seconds = _card_seconds(records)
    shares = _without_residue(seconds / seconds.sum(axis=1, keepdims=True))
    columns: dict[str, Any] = {
        "replication": [each.replication for each in records],
        "wall_s": [each.wall_s for each in records],
        "ettr": shares[:, Entry.PRODUCTIVE],
    }
    columns |= {entry.label: shares[:, entry] for entry in Entry}
    columns |= {
        "progress_s": [each.progress_s for each in records],
        "reached_s": [each.reached_s for each in records],
        "interruptions": [each.interruptions for each in records],
        "incidents": [each.incident_count for each in records],
        "spares_left": [each.spares_left for each in records],
        "nodes_away": [each.fleet.away if each.fleet else math.nan for each in records],
        "most_nodes_away": [float(each.fleet.most_away) if each.fleet else math.nan for each in records],
        "node_wait_s": [each.fleet.waiting_s if each.fleet else math.nan for each in records],
    }
    return {name: np.asarray(values) for name, values in columns.items()}


def stacked(rows: Sequence[Any]) -> Array:
    """Return *rows* as one table; shorter ones end in zeros."""
    table = np.zeros((len(rows), max(map(len, rows))))
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return table


def _card_seconds(records: Sequence[Records]) -> Array:
    """Return the card-seconds of each entry of the ledger."""
    labels = [entry.label for entry in Entry]
    return np.array([[each.ledger[label] for label in labels] for each in records])


def _shares(r: Replications, name: str) -> Array:
    """Return what the records hold in card-seconds as shares."""
    values = np.array([getattr(each, name) for each in r.records])
    return _without_residue(values / r["card_seconds"].reshape(-1, *[1] * (values.ndim - 1)))


def _without_residue(shares: Array) -> Array:
    return np.where(shares < RESIDUE, 0.0, shares)


def _loads(r: Replications) -> Array:
    """Return after how many incidents each tier was loaded, and in the last column another replica."""
    numbers = range(len(r.facts.names["tier"]) + 1)
    tiers = [each.incidents["tier"][each.incidents["time_s"] >= r["warm_up_s"]] for each in r.records]
    return np.array([[int(np.count_nonzero(tier == number)) for number in numbers] for tier in tiers])


def _short(records: Records, spares: float) -> float:
    """Return the share of the time in which more nodes were away than there are spares."""
    away_s = records.fleet.away_s if records.fleet else np.ones(1)
    return float(away_s[int(spares) + 1 :].sum() / away_s.sum())


def _lost_s(records: Records, warm_up: float) -> float:
    counted = records.incidents["time_s"] >= warm_up
    counted &= records.incidents["doing"] != Phase.IDLE
    return float(records.incidents["lost_s"][counted].sum())


def _longest_outage_s(records: Records, warm_up: float) -> float:
    """Return the longest gap between two training segments; a save belongs to its segment."""
    start, end = records.segments["start"], records.segments["end"]
    order = np.argsort(start)
    begins = np.append(start[order], records.end_s)
    trained = np.maximum.accumulate(np.concatenate(([0.0], end[order])))
    return float((np.maximum(begins, warm_up) - np.maximum(trained, warm_up)).max())


DERIVED: Mapping[str, Callable[[Replications], Any]] = {
    "days": lambda r: r["wall_s"] / DAY,
    "drawn": lambda r: np.array([each.drawn for each in r.records]),
    "ledger": lambda r: np.column_stack([r[entry.label] for entry in Entry]),
    "card_seconds": lambda r: _card_seconds(r.records).sum(axis=1),
    "charges": lambda r: _shares(r, "charges"),
    "stages": lambda r: _shares(r, "stages"),
    "incidents_by_mode": lambda r: np.array([each.incidents_by_mode for each in r.records], np.float64),
    "lost_s": lambda r: np.array([_lost_s(each, r["warm_up_s"]) for each in r.records]),
    "longest_outage_s": lambda r: np.array([_longest_outage_s(each, r["warm_up_s"]) for each in r.records]),
    "away_s": lambda r: stacked([each.fleet.away_s if each.fleet else np.zeros(1) for each in r.records]),
    "short": lambda r: np.array(list(map(_short, r.records, np.broadcast_to(r["spare_nodes"], len(r))))),
    "loads": _loads,
    "all_loads": lambda r: r["loads"].sum(axis=1),
    "reached": lambda r: ~np.isnan(r["reached_s"]),
    "days_to_target": lambda r: np.where(r["reached"], r["reached_s"], math.inf) / DAY,
    "paid": lambda r: r["price_per_hour"] * r["wall_s"] / HOUR,
}
