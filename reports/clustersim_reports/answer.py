"""The answer: two to six sentences in plain words, each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clustersim.advice import Advice, Kind, advise, compared, verdict
from clustersim.digits import duration, measured, money, plus_minus
from clustersim_reports.tables import margin

if TYPE_CHECKING:
    from clustersim.results import Comparison, Results

MOST = 6
MOST_VERDICTS = 3


def sentences(results: Sequence[Results], comparison: Comparison | None = None) -> list[Advice]:
    """Return the sentences of one run, or of several compared: verdicts, what steps return, what to do."""
    if comparison is None or len(results) == 1:
        found = _alone(results[0])
    else:
        found = [verdict(one.summary) for one in _told(results)]
        found += compared(comparison)[: MOST - len(found)]
        found += [_named(one, result) for result in _told(results) for one in _advice(result)]
    return found[:MOST]


def _alone(result: Results) -> list[Advice]:
    facts = [
        Advice(Kind.VERDICT, text) for text in (_failures(result), _target(result), _price(result)) if text
    ]
    advice = _advice(result)
    warnings = [one for one in advice if one.warning]
    return [verdict(result.summary), *warnings, *facts, *(one for one in advice if not one.warning)]


def _advice(result: Results) -> list[Advice]:
    return advise(result.scenario, result.summary)


def _named(advice: Advice, result: Results) -> Advice:
    """Return *advice* with the name of the scenario that it is about."""
    return replace(advice, text=f"{result.name}: {advice.text}")


def _told(results: Sequence[Results]) -> list[Results]:
    """Return the results that get a verdict: all; of many, those with the most and fewest effective cards."""
    if len(results) <= MOST_VERDICTS:
        return list(results)
    ordered = sorted(results, key=lambda one: float(one.summary["effective_gpus"]))
    return [ordered[-1], ordered[0]]


def _failures(result: Results) -> str:
    summary = result.summary
    if not summary["interruptions_total"]:
        return "No failure interrupted training."
    often = duration(summary["mtti_s"], margin(summary, "mtti_s"))
    rate = plus_minus(summary["interruptions_per_day"], margin(summary, "interruptions_per_day"))
    if "replicas" in summary:
        return (
            f"Training, of a replica or of all, is interrupted {rate} times a day, every {often} on average."
        )
    return f"Training is interrupted {rate} times a day, every {often} on average."


def _target(result: Results) -> str:
    summary = result.summary
    days = (summary.get("days_to_target") or {}).get("mean")
    if days is None:
        return ""
    shown = plus_minus(days, margin(summary, "days_to_target.mean"))
    ideal = duration(summary["target_s"], 0.0)
    return f"The target is reached after {shown} days; without any loss it would take {ideal}."


def _price(result: Results) -> str:
    summary = result.summary
    cost = summary.get("cost")
    if cost is None or summary["no_progress"] or cost["per_effective_gpu_hour"] is None:
        return ""
    price, paid = cost["per_effective_gpu_hour"], cost["per_gpu_hour"]
    path = "cost.per_effective_gpu_hour"
    shown = money(price, summary["currency"], margin(summary, path))
    width = margin(summary, path)
    times = measured(price / paid, None if width is None else max(width / paid, 0.02))
    return f"An effective card-hour costs {shown}, {times} times what a card-hour costs."
