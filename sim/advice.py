"""What the numbers mean, in sentences: the verdict, what costs most, and what to be careful about.

Each sentence is a typed value with the numbers that it was made from; commands and reports only print them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sim import theory
from sim.digits import duration, measured, percent, plus_minus, points, whole
from sim.estimate import FIRST_LOOK, Estimate
from sim.results import Comparison, Difference, Step
from sim.scenario import Scenario
from sim.scenario.describe import describe
from sim.scenario.expectations import Threshold
from sim.summary import figure

Summary = Mapping[str, Any]

NOTABLE_WAITING = 0.005
NOTABLE_GAIN = 0.02
ENTRY_WORDS = {
    "lost": "work thrown away",
    "checkpoint": "standing still for saves",
    "detection": "noticing failures",
    "recovery": "recovery",
    "waiting": "waiting for nodes",
    "stall": "replicas standing still",
    "idle": "cards held back",
    "slow": "stragglers and overhead",
    "corrupted": "silent corruption",
    "maintenance": "maintenance",
}
REMEDIES = {
    "lost": "save more often, or recover from copies that fewer failures destroy",
    "checkpoint": "save less often, or let training go on while a copy is written",
    "detection": "notice failures sooner: shorter timeouts",
    "recovery": "recover faster than failures come, or restart only the part of the job that failed",
    "waiting": "hold more spare nodes, or repair faster",
    "maintenance": "stop less often, or for less long",
}


class Kind(StrEnum):
    """What a sentence is about."""

    VERDICT = "verdict"
    NO_PROGRESS = "no progress"
    LARGEST_LOSS = "largest loss"
    SPARES = "spares"
    INTERVAL = "interval"
    PRECISION = "precision"
    TARGET = "target"
    EXPECTATION = "expectation"
    DIFFERENCE = "difference"
    MARGINAL_RETURN = "marginal return"
    LEVER = "lever"


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence, what it is about, the numbers in it, and whether it is a warning."""

    kind: Kind
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    warning: bool = False

    def __str__(self) -> str:
        return self.text


def largest_loss(summary: Summary) -> tuple[str, float] | None:
    """Return the ledger entry that takes the most, and its share; None where nothing is lost."""
    losses = {entry: share for entry, share in summary["ledger"].items() if entry != "productive"}
    entry = max(losses, key=losses.__getitem__)
    return (entry, losses[entry]) if losses[entry] > 0 else None


def verdict(summary: Summary) -> Advice:
    """Return the answer in one sentence: how many of the cards train, and what takes most of the rest."""
    ettr, gpus = summary["ettr"]["mean"], summary["gpus"]
    width = summary["half_width"]
    training = measured(gpus * ettr, None if width is None else gpus * width)
    numbers = {"gpus": gpus, "ettr": ettr, "training_gpus": gpus * ettr}
    train = f"{whole(gpus)} cards {training} train (ETTR {plus_minus(ettr, width)})"
    if summary["no_progress"]:
        text = f"{summary['name']} makes no progress: of {train}{_most(summary)}."
        return Advice(Kind.NO_PROGRESS, text, numbers, warning=True)
    text = f"Of {train}"
    if summary["scaling_efficiency"] != 1:
        worth = measured(summary["effective_gpus"], summary["margins"]["effective_gpus"])
        text += f", worth {worth} at a scaling efficiency of {summary['scaling_efficiency']:.3g}"
    return Advice(Kind.VERDICT, f"{text}{_most(summary)}.", numbers)


def _most(summary: Summary) -> str:
    found = largest_loss(summary)
    if found is None:
        return "; nothing is lost"
    entry, share = found
    return f"; most of the rest goes into {ENTRY_WORDS[entry]}, {_share_of(summary, entry, share)}"


def _share_of(summary: Summary, entry: str, share: float) -> str:
    return f"{percent(share, summary['margins'][f'ledger.{entry}'])} of all card-time"


def advise(scenario: Scenario, summary: Summary) -> list[Advice]:
    """Return what to change and what to be careful about, the most important first, without the verdict."""
    found: list[Advice] = []
    for rule in (_no_progress, _spares, _interval, _target, _precision):
        found += rule(scenario, summary)
    return found


def _no_progress(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say what would have to change where nothing is trained."""
    loss = largest_loss(summary)
    if not summary["no_progress"] or loss is None:
        return
    entry, share = loss
    text = f"What would matter most: {REMEDIES.get(entry, 'look at ' + ENTRY_WORDS[entry])}"
    restart, mtbf = _restart(scenario), summary["mtbf_s"]
    if entry in {"recovery", "detection"} and mtbf is not None:
        text += f"; a restart takes {duration(restart)} where something fails every {duration(mtbf)}"
        text += ", so that most restarts fail too" if math.exp(-restart / mtbf) < 0.5 else ""
    yield Advice(Kind.NO_PROGRESS, f"{text}.", {"share": share, "restart_s": restart}, warning=True)


def _restart(scenario: Scenario) -> float:
    """Return the mean seconds from a failure to training again where nothing else fails."""
    return describe(scenario).restart_s or 0.0


def _spares(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where nodes ran short."""
    waiting, nodes = summary["ledger"]["waiting"], summary["spare_nodes"]
    share = _share_of(summary, "waiting", waiting)
    if waiting >= NOTABLE_WAITING and nodes == 0:
        text = f"Without spare nodes the job waits for repairs: {share}. Give cluster.spares."
    elif waiting >= NOTABLE_WAITING:
        text = f"The {whole(nodes)} spare nodes are too few: waiting for repairs takes {share}."
    elif nodes and summary["fewest_spares"] == 0:
        text = f"All {whole(nodes)} spare nodes were in use at least once."
    else:
        return
    yield Advice(Kind.SPARES, text, {"waiting": waiting, "spare_nodes": nodes}, waiting >= NOTABLE_WAITING)


def _interval(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the interval between saves is far from the best of Daly's exact formula."""
    saves, mtbf = scenario.checkpoint, scenario.mtbf
    if saves is None or mtbf is None or saves.blocks == 0:
        return
    best = max(theory.optimal(mtbf, saves.blocks), saves.durable_after)
    restart = _restart(scenario)
    gain = theory.efficiency(best, mtbf, saves.blocks, restart)
    gain -= theory.efficiency(saves.interval, mtbf, saves.blocks, restart)
    if gain < NOTABLE_GAIN:
        return
    text = (
        f"Saving every {duration(saves.interval)} is far from the best where something fails every"
        f" {duration(mtbf)}: every {duration(best)} or so would gain about {percent(gain)} of all card-time"
        " (Daly's exact formula)."
    )
    yield Advice(Kind.INTERVAL, text, {"interval_s": saves.interval, "best_s": best, "gain": gain}, True)


def _target(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the target was not always reached."""
    reached = summary.get("target_reached", 1.0)
    if reached < 1:
        days = duration(summary["horizon_s"], 0.0)
        text = f"The target was reached in {percent(reached)} of the replications within {days}."
        if reached == 0:
            text = f"The target was never reached within {days}."
        yield Advice(Kind.TARGET, text, {"reached": reached}, warning=True)


def _precision(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say how sure the figures are where that needs saying."""
    count, width, ettr = summary["replications"], summary["half_width"], summary["ettr"]
    asked = summary.get("precision")
    if width is None:
        yield Advice(Kind.PRECISION, "One replication tells nothing about chance: no interval.", {}, True)
    elif asked:
        met, reached = "met" if asked["met"] else "not met", f"±{100 * width:.2g} pp"
        text = (
            f"The precision of ±{100 * asked['asked']:.3g} pp is {met}: {reached} with {count} replications."
        )
        yield Advice(Kind.PRECISION, text, {"reached": width, "replications": count}, not asked["met"])
    elif count < FIRST_LOOK and width > 0:
        text = f"Only {count} replications: the intervals are unsure themselves. Take {FIRST_LOOK} or more."
        yield Advice(Kind.PRECISION, text, {"replications": count}, True)
    if width and not summary["no_progress"] and (ettr["mean"] < width or ettr["mean"] + width > 1):
        text = "The interval of ETTR is cut at what is possible, 0 to 1."
        yield Advice(Kind.PRECISION, text, {"half_width": width})


def unmet(scenario: Scenario, summary: Summary) -> list[Advice]:
    """Return a sentence for each threshold of `expect` that does not hold; what is unknown does not."""
    found = []
    for path, text in scenario.expect.items():
        threshold = Threshold.parse(text)
        try:
            value = figure(summary, path)
        except KeyError:
            value = None
        if not threshold.holds(value):
            is_now = "is unknown" if value is None else f"is {value:.6g}"
            reason = summary["reasons"].get(path)
            because = f" ({reason})" if value is None and reason else ""
            sentence = f"{scenario.name}: {path} {is_now}{because}, expected {text}"
            found.append(Advice(Kind.EXPECTATION, sentence, {} if value is None else {path: value}, True))
    return found


def compared(comparison: Comparison) -> list[Advice]:
    """Return what a comparison says: each step in size, or each difference where all have the same size."""
    sizes = {one.scenario.cluster.gpus for one in comparison.results}
    if len(sizes) > 1:
        return [_stepped(step) for step in comparison.steps]
    return [differs(difference) for difference in comparison.differences]


def differs(difference: Difference) -> Advice:
    """Return the sentence about one difference."""
    estimate = difference.ettr
    numbers = {"ettr": estimate.mean, "effective_gpus": difference.effective_gpus.mean}
    if not estimate.distinguishable:
        text = (
            f"{difference.name} and {difference.baseline} are not distinguishable (ETTR {_points(estimate)})."
        )
        return Advice(Kind.DIFFERENCE, text, numbers)
    text = f"{difference.name} against {difference.baseline}: ETTR {_points(estimate)}"
    return Advice(Kind.DIFFERENCE, f"{text}, {_signed(difference.effective_gpus)} effective cards.", numbers)


def _points(estimate: Estimate) -> str:
    return points(estimate.mean, estimate.half_width)


def _signed(estimate: Estimate) -> str:
    return ("+" if estimate.mean > 0 else "") + plus_minus(estimate.mean, estimate.half_width)


def _cards(estimate: Estimate) -> str:
    return plus_minus(abs(estimate.mean), estimate.half_width)


def _stepped(step: Step) -> Advice:
    """Return the sentence about what the cards between two sizes return."""
    estimate = step.extra_effective_gpus
    numbers = {"extra_gpus": step.extra_gpus, "extra_effective_gpus": estimate.mean}
    start = f"From {step.smaller} to {step.larger} the extra {whole(step.extra_gpus)} cards"
    if estimate.half_width is not None and not estimate.distinguishable:
        return Advice(Kind.MARGINAL_RETURN, f"{start} make no distinguishable difference.", numbers)
    if estimate.mean < 0:
        text = f"{start} cost {_cards(estimate)} effective cards."
        return Advice(Kind.MARGINAL_RETURN, text, numbers, warning=True)
    each = measured(step.marginal_return.mean, step.marginal_return.half_width)
    text = f"{start} add {_cards(estimate)} effective cards, {each} each."
    return Advice(Kind.MARGINAL_RETURN, text, numbers)
