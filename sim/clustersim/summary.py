"""The summary of a run: every metric of the model page, from the replications and the scenario.

What is infinite or unknown is `None`, with the reason under `reasons`; how far a figure may be off by chance
(half a 95 % interval) stands under `margins`, by the figure's path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clustersim.engine.ledger import RESERVED_CAUSES, TOLERANCE, Entry, LedgerError
from clustersim.estimate import mean_of, ratio
from clustersim.metrics import Metrics, Summary, percentiles
from clustersim.records import Records
from clustersim.resources import add_loads, add_replicas, add_spares
from clustersim.scenario.model import Scenario
from clustersim.units import DAY, HOUR

Array = np.ndarray[Any, np.dtype[np.float64]]

SCHEMA_VERSION = 2
NO_PROGRESS_BELOW = 0.01
TRAINING = (Entry.PRODUCTIVE, Entry.LOST, Entry.SLOW, Entry.CORRUPTED)


@dataclass(frozen=True)
class Tally:
    """What the metrics are made of: one row per replication, in the replications' order."""

    ledger: Array
    charges: Array
    stages: Array
    wall_s: Array
    reached_s: Array
    interruptions: Array
    incidents: Array
    spares_left: int

    @classmethod
    def of(cls, records: Sequence[Records]) -> Tally:
        """Return the tally of *records*; raise `LedgerError` where the shares of one do not add up."""
        entries = np.array([[one.ledger[entry.label] for entry in Entry] for one in records])
        cards = entries.sum(axis=1, keepdims=True)
        tally = cls(
            ledger=entries / cards,
            charges=np.array([one.charges for one in records]) / cards[:, :, None],
            stages=np.array([one.stages for one in records]) / cards,
            wall_s=np.array([one.wall_s for one in records]),
            reached_s=np.array([one.reached_s for one in records]),
            interruptions=np.array([float(one.interruptions) for one in records]),
            incidents=np.array([one.incidents_by_mode for one in records], dtype=np.float64),
            spares_left=min(one.spares_left for one in records),
        )
        tally.check()
        return tally

    @property
    def ettr(self) -> Array:
        """Productive share of all card-time, by replication."""
        return np.asarray(self.ledger[:, Entry.PRODUCTIVE])

    def check(self) -> None:
        """Raise `LedgerError` unless entries sum to 1 and causes to what is not productive."""
        if np.abs(self.ledger.sum(axis=1) - 1).max() > TOLERANCE:
            raise LedgerError("the shares of the ledger do not sum to 1")
        if np.abs(self.charges.sum(axis=(1, 2)) - (1 - self.ettr)).max() > TOLERANCE:
            raise LedgerError("the causes do not sum to 1 - ETTR")


def summarise(scenario: Scenario, records: Sequence[Records]) -> Summary:
    """Return the summary of *records*, the replications 0, 1, 2, ... of *scenario*, as plain data."""
    tally, metrics = Tally.of(records), Metrics()
    metrics.values |= _identity(scenario, len(records))
    metrics.values["random"] = any(one.drawn for one in records)
    _add_ettr(metrics, tally)
    _add_ledger(metrics, scenario, tally)
    _add_cards(metrics, scenario, tally)
    _add_failures(metrics, scenario, tally)
    add_spares(metrics, scenario, records)
    add_replicas(metrics, scenario, tally.ledger)
    add_loads(metrics, scenario, records)
    _add_target(metrics, scenario, tally)
    _add_cost(metrics, scenario, tally)
    _add_precision(metrics, scenario)
    summary = metrics.values | {"margins": metrics.margins, "reasons": metrics.reasons}
    return summary if summary["random"] else _exact(summary)


def _exact(summary: Summary) -> Summary:
    """Return the *summary* of replications in which nothing was drawn: each says it all, one is enough."""
    ettr, asked = summary["ettr"], summary.get("precision")
    summary["margins"] = dict.fromkeys(summary["margins"], 0.0)
    summary["half_width"] = 0.0
    summary["ettr"] = ettr | {"low": ettr["mean"], "high": ettr["mean"]}
    for end in ("ettr.low", "ettr.high"):
        summary["reasons"].pop(end, None)
    if asked:
        summary["precision"] = asked | {"reached": 0.0, "met": True}
    return summary


def _identity(scenario: Scenario, count: int) -> Summary:
    spec, simulation = scenario.cluster, scenario.simulation
    return {
        "schema_version": SCHEMA_VERSION,
        "name": scenario.name,
        "title": scenario.title,
        "gpus": spec.gpus,
        "nodes": spec.nodes,
        "spare_nodes": spec.spare_nodes,
        "seed": simulation.seed,
        "replications": count,
        "horizon_s": scenario.end_s,
        "warm_up_s": simulation.warm_up,
        "checkpoint_interval_s": scenario.checkpoint.interval if scenario.checkpoint else None,
    }


def _add_ettr(metrics: Metrics, tally: Tally) -> None:
    estimate = mean_of(tally.ettr)
    low, high = estimate.clipped(0.0, 1.0)
    metrics.values["ettr"] = {"mean": estimate.mean, "low": low, "high": high} | percentiles(tally.ettr)
    metrics.values["half_width"] = metrics.margins["ettr"] = estimate.half_width
    metrics.values["no_progress"] = estimate.mean < NO_PROGRESS_BELOW
    if estimate.half_width is None:
        metrics.reasons["ettr.low"] = metrics.reasons["ettr.high"] = "one replication has no interval"


def _add_ledger(metrics: Metrics, scenario: Scenario, tally: Tally) -> None:
    metrics.shares("ledger", [entry.label for entry in Entry], tally.ledger)
    metrics.put("availability", mean_of(tally.ledger[:, TRAINING].sum(axis=1)))
    causes = [*scenario.failures, *RESERVED_CAUSES]
    waste = tally.charges.sum(axis=2)
    metrics.shares("waste_by_cause", causes, waste)
    metrics.values["waste"] = {name: _by_entry(tally.charges[:, cause]) for cause, name in enumerate(causes)}
    stages = [stage.name for stage in scenario.recovery.stages if stage.kind != "detect"]
    metrics.shares("recovery_stages", stages, tally.stages)


def _by_entry(charges: Array) -> dict[str, float]:
    means = charges.mean(axis=0)
    return {entry.label: float(means[entry]) for entry in Entry if means[entry]}


def _add_cards(metrics: Metrics, scenario: Scenario, tally: Tally) -> None:
    gpus, workload = scenario.cluster.gpus, scenario.workload
    efficiency = workload.efficiency(gpus)
    effective = mean_of(tally.ettr).scaled(gpus * efficiency)
    metrics.values["scaling_efficiency"] = efficiency
    metrics.put("effective_gpus", effective)
    if workload.tokens_per_gpu_second is None:
        metrics.refuse("throughput.tokens_per_s", "the workload does not say how many tokens a card makes")
    else:
        metrics.put("throughput.tokens_per_s", effective.scaled(workload.tokens_per_gpu_second))


def _add_failures(metrics: Metrics, scenario: Scenario, tally: Tally) -> None:
    days = tally.wall_s / DAY
    metrics.values["mtbf_s"] = scenario.mtbf
    if scenario.mtbf is None:
        metrics.reasons["mtbf_s"] = "nothing fails"
    metrics.values["interruptions_total"] = int(tally.interruptions.sum())
    metrics.put("interruptions_per_day", ratio(tally.interruptions, days))
    metrics.put("mtti_s", ratio(tally.wall_s, tally.interruptions), "no interruption in any replication")
    metrics.put("incidents_per_day", ratio(tally.incidents.sum(axis=1), days))
    by_mode = {
        mode: ratio(column, days) for mode, column in zip(scenario.failures, tally.incidents.T, strict=True)
    }
    metrics.values["incidents_by_mode"] = {}
    for mode, estimate in by_mode.items():
        metrics.values["incidents_by_mode"][mode] = estimate.mean if estimate else None
        metrics.margins[f"incidents_by_mode.{mode}"] = estimate.half_width if estimate else None
    metrics.values["fewest_spares"] = tally.spares_left


def _add_target(metrics: Metrics, scenario: Scenario, tally: Tally) -> None:
    if scenario.target_s is None:
        return
    reached = ~np.isnan(tally.reached_s)
    days = np.where(reached, tally.reached_s, math.inf) / DAY
    share = float(reached.mean())
    metrics.values["target_s"], metrics.values["target_reached"] = scenario.target_s, share
    limit = f"within {scenario.end_s / DAY:.4g} days"
    reason = f"reached in {int(reached.sum())} of {reached.size} replications {limit}"
    metrics.values["days_to_target"] = {}
    metrics.put("days_to_target.mean", mean_of(days) if reached.all() else None, reason)
    found = percentiles(days)
    metrics.values["days_to_target"] |= {"p50": found["p50"], "p90": found["p90"]}
    metrics.reasons |= {f"days_to_target.{name}": reason for name in ("p50", "p90") if found[name] is None}


def _add_cost(metrics: Metrics, scenario: Scenario, tally: Tally) -> None:
    costs, spec = scenario.costs, scenario.cluster
    if costs is None:
        return
    spare_gpus = 0 if spec.spare_kind == "lent" else spec.spare_nodes * spec.gpus_per_node
    per_hour = costs.price_per_gpu_hour * (spec.gpus + costs.idle_spares * spare_gpus)
    effective = metrics.values["scaling_efficiency"] * spec.gpus * tally.ettr * tally.wall_s / HOUR
    total = per_hour * tally.wall_s / HOUR
    metrics.values["currency"] = costs.currency
    metrics.values["cost"] = {"per_gpu_hour": costs.price_per_gpu_hour}
    metrics.put("cost.per_effective_gpu_hour", ratio(total, effective), "no card-hour was effective")
    metrics.put("cost.total", mean_of(total))
    if scenario.target_s is not None:
        reached = not np.isnan(tally.reached_s).any()
        reason = "the target was not reached in every replication"
        metrics.put("cost.to_target", mean_of(total) if reached else None, reason)


def _add_precision(metrics: Metrics, scenario: Scenario) -> None:
    asked, reached = scenario.simulation.precision, metrics.values["half_width"]
    if asked is not None:
        met = reached is not None and reached <= asked
        metrics.values["precision"] = {"asked": asked, "reached": reached, "met": met}


def figure(summary: Mapping[str, Any], path: str) -> float | None:
    """Return the figure at a dotted *path* (a mapping stands for its `mean`), or raise KeyError."""
    value: Any = summary
    for part in path.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(path)
        value = value[part]
    if isinstance(value, Mapping):
        value = value["mean"]
    if isinstance(value, str | list):
        raise KeyError(path)
    return None if value is None else float(value)
