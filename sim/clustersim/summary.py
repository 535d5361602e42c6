"""The summary of a run: every metric of the catalogue, from the replications and the scenario, as plain data.

What is infinite or unknown is `None`, with the reason under `reasons`; how far a figure may be off by chance
(half a 95 % interval) stands under `margins`, by the figure's path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clustersim.engine.ledger import TOLERANCE, LedgerError
from clustersim.metrics.catalogue import SECTIONS
from clustersim.metrics.metric import MetricFigure, Note
from clustersim.metrics.replications import FLEET, Replications
from clustersim.records import Records
from clustersim.scenario.facts import facts_of
from clustersim.scenario.model import Scenario

Summary = dict[str, Any]


def summarise(scenario: Scenario, records: Sequence[Records]) -> Summary:
    """Return the summary of *records*, the replications 0, 1, 2, ... of *scenario*.

    Raises LedgerError where the shares of a replication do not add up.
    """
    replications = Replications.of(facts_of(scenario), records)
    _check(replications)
    has = replications.facts.has - (set() if all(one.fleet for one in records) else {FLEET})
    summary: Summary = {"margins": {}, "reasons": {}}
    for entry in (one for section in SECTIONS for one in section.entries):
        there = has.issuperset(entry.needs)
        if isinstance(entry, Note):
            if there:
                _set(summary, entry.path, entry.value(replications))
        elif entry.in_summary and (there or entry.else_null):
            if entry.path.endswith(">"):
                _set(summary, entry.path.rpartition(".")[0], {})
            for figure in entry.figures(replications.facts):
                _add(summary, figure, replications)
    summary |= {name: summary.pop(name) for name in ("margins", "reasons")}
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


def _set(summary: Summary, path: str, value: Any) -> None:
    *blocks, name = path.split(".")
    for block in blocks:
        summary = summary.setdefault(block, {})
    summary[name] = value


def _add(summary: Summary, figure: MetricFigure, replications: Replications) -> None:
    """Set *figure*, with its margin, or null with the reason."""
    metric, path = figure.metric, figure.path
    estimate = figure.measure.estimate(figure.rows(replications))
    _set(summary, path, None if estimate is None else estimate.mean)
    if estimate is None and metric.unknown:
        reason = metric.unknown if isinstance(metric.unknown, str) else metric.unknown(replications)
        summary["reasons"][path] = reason
    elif estimate is not None and figure.measure.margin:
        summary["margins"][metric.margin or path] = estimate.half_width


def _check(replications: Replications) -> None:
    """Raise `LedgerError` unless entries sum to 1 and causes to what is not productive."""
    if np.abs(replications["ledger"].sum(axis=1) - 1).max() > TOLERANCE:
        raise LedgerError("the shares of the ledger do not sum to 1")
    if np.abs(replications["charges"].sum(axis=(1, 2)) - (1 - replications["ettr"])).max() > TOLERANCE:
        raise LedgerError("the causes do not sum to 1 - ETTR")
