"""What there was to recover with, in the summary: spare nodes, copies in several tiers, replicas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from clustersim.engine.ledger import Entry
from clustersim.estimate import mean_of, ratio
from clustersim.metrics import Metrics
from clustersim.records import FleetUse, Records
from clustersim.scenario.model import Scenario

Array = np.ndarray[Any, np.dtype[np.float64]]

NEARLY_ALWAYS = 0.99
NOTHING_LOADED = "nothing was loaded"
DOWN = (Entry.DETECTION, Entry.RECOVERY, Entry.WAITING)


def add_spares(metrics: Metrics, scenario: Scenario, records: Sequence[Records]) -> None:
    """Add how many nodes were away, how many spares would have sufficed, and how long somebody waited.

    Nothing is added where a replication did not count its nodes.
    """
    uses = [one.fleet for one in records if one.fleet]
    if len(uses) < len(records):
        return
    away_s = pooled(uses)
    metrics.put("spares.away.mean", mean_of([use.away for use in uses]))
    metrics.set("spares.away.p50", held(away_s, 0.5))
    metrics.set("spares.away.p99", held(away_s, NEARLY_ALWAYS))
    metrics.set("spares.away.max", max(use.most_away for use in uses))
    domain = scenario.cluster.spares_within
    if domain:
        metrics.refuse("spares.sufficient_p99", f"each spare serves one {domain}, not the whole cluster")
    else:
        metrics.set("spares.sufficient_p99", held(away_s, NEARLY_ALWAYS))
    spares = scenario.cluster.spare_nodes
    metrics.put("spares.short", mean_of([share_above(use, spares) for use in uses]))
    waited = [use.waiting_s / one.wall_s for use, one in zip(uses, records, strict=True)]
    metrics.put("spares.waiting", mean_of(waited))
    metrics.set("spares.fewest_idle", min(one.spares_left for one in records))


def pooled(uses: Sequence[FleetUse]) -> Array:
    """Return the seconds in which so many nodes were away, of all replications together."""
    total = np.zeros(max(len(use.away_s) for use in uses))
    for use in uses:
        total[: len(use.away_s)] += use.away_s
    return total


def held(away_s: Array, share: float) -> int:
    """Return the smallest number of nodes that were away, or fewer, for *share* of the time."""
    sums = np.cumsum(away_s)
    return int(np.searchsorted(sums, share * sums[-1] * (1 - 1e-12)))


def share_above(use: FleetUse, nodes: int) -> float:
    """Return the share of the time in which more than so many nodes were away."""
    return float(use.away_s[nodes + 1 :].sum() / use.away_s.sum())


def add_loads(metrics: Metrics, scenario: Scenario, records: Sequence[Records]) -> None:
    """Add how often each tier was the one that was loaded, where there are several; or another replica."""
    tiers, replicas = scenario.tiers, scenario.recovery.replicas
    if len(tiers) < 2 and replicas == 1:
        return
    counts = np.array([list(loads(one, len(tiers), scenario.simulation.warm_up)) for one in records])
    shares = [ratio(column, counts.sum(axis=1)) for column in counts.T]
    for tier, share in zip(tiers, shares, strict=False) if len(tiers) > 1 else ():
        metrics.values.setdefault("tiers", {})[tier.name] = {"interval_s": tier.interval}
        metrics.put(f"tiers.{tier.name}.loads", share, NOTHING_LOADED)
    if replicas > 1:
        metrics.put("replicas.peer_loads", shares[-1], NOTHING_LOADED)


def loads(one: Records, tiers: int, warm_up: float) -> Iterator[int]:
    """Yield how many incidents after the warm-up made the job load each tier, and then another replica."""
    tier = one.incidents["tier"][one.incidents["time_s"] >= warm_up]
    yield from (int(np.count_nonzero(tier == number)) for number in range(tiers + 1))


def add_replicas(metrics: Metrics, scenario: Scenario, ledger: Array) -> None:
    """Add, where there are several replicas, how many, and how many of them were down; *ledger* in shares."""
    replicas = scenario.recovery.replicas
    if replicas > 1:
        metrics.values["replicas"] = {"count": replicas, "minimum": scenario.recovery.minimum}
        metrics.put("replicas.down", mean_of(ledger[:, DOWN].sum(axis=1)).scaled(replicas))
