"""What one run says: the verdict, what to change, what to be careful about, which thresholds do not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

from clustersim import theory
from clustersim.advice.means import MEANS
from clustersim.advice.words import ENTRY_WORDS, REMEDIES, Advice, Summary, Topic, share_of
from clustersim.estimate import unseen
from clustersim.formatting import duration, measured, percent, plus_minus, whole
from clustersim.metrics.cells import number_at
from clustersim.scenario import Scenario
from clustersim.scenario.describe import describe
from clustersim.scenario.first_order import restarts
from clustersim.scenario.keys.expectations import Threshold
from clustersim.scenario.keys.replay import about_overlaps
from clustersim.scenario.rates import calendar_share

NOTABLE_GAIN = 0.02
FEW_REPLICATIONS = 8
FEW_INTERRUPTIONS = 20
"""Interruptions of all replications together below which intervals miss the truth too often."""


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
        return Advice(Topic.NO_PROGRESS, text, numbers, warning=True)
    text = f"Of {train}"
    if summary["scaling_efficiency"] != 1:
        worth = measured(summary["effective_gpus"], summary["margins"]["effective_gpus"])
        text += f", worth {worth} at a scaling efficiency of {summary['scaling_efficiency']:.3g}"
    return Advice(Topic.VERDICT, f"{text}{_most(summary)}.", numbers)


def _most(summary: Summary) -> str:
    found = largest_loss(summary)
    if found is None:
        return "; nothing is lost"
    entry, _ = found
    return f"; most of the rest goes into {ENTRY_WORDS[entry]}, {share_of(summary, entry)}"


def advise(scenario: Scenario, summary: Summary) -> list[Advice]:
    """Return what to change and what to be careful about, the most important first, without the verdict."""
    found: list[Advice] = []
    for rule in (_no_progress, *MEANS, _interval, _target, _log, _precision, _rare):
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
        text += (
            ", so that most restarts fail too"
            if math.exp(-calendar_share(scenario) * restart / mtbf) < 0.5
            else ""
        )
    yield Advice(Topic.NO_PROGRESS, f"{text}.", {"share": share, "restart_s": restart}, warning=True)


def _restart(scenario: Scenario) -> float:
    """Return the mean seconds from a failure to training again where nothing else fails."""
    return describe(scenario).restart_s or 0.0


def _interval(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the interval between saves is far from the best of Daly's exact formula."""
    saves, mtbf = scenario.checkpoint, scenario.mtbf
    if saves is None or mtbf is None or saves.blocks == 0 or scenario.general:
        return
    best = max(theory.optimal(mtbf, saves.blocks), saves.durable_after)
    then, now = (theory.efficiency(each, mtbf, saves.blocks, 0.0) for each in (best, saves.interval))
    gain = (then - now) / restarts(scenario)
    if gain < NOTABLE_GAIN:
        return
    text = (
        f"Saving every {duration(saves.interval)} is far from the best where something fails every"
        f" {duration(mtbf)}: every {duration(best)} or so would gain about {percent(gain)} of all card-time"
        " (Daly's exact formula)."
    )
    yield Advice(Topic.INTERVAL, text, {"interval_s": saves.interval, "best_s": best, "gain": gain}, True)


def _target(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the target was not always reached."""
    reached = summary.get("target_reached", 1.0)
    if reached < 1:
        days = duration(summary["horizon_s"], 0.0)
        text = f"The target was reached in {percent(reached)} of the replications within {days}."
        if reached == 0:
            text = f"The target was never reached within {days}."
        yield Advice(Topic.TARGET, text, {"reached": reached}, warning=True)


def _log(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say which incidents of a log did not strike by themselves."""
    for note in about_overlaps(scenario):
        text = note.partition(": ")[2]
        yield Advice(Topic.LOG, f"{text[0].upper()}{text[1:]}.", {}, warning=True)


def _precision(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say how sure the figures are where that needs saying."""
    count, width, ettr = summary["replications"], summary["half_width"], summary["ettr"]
    asked = summary.get("precision")
    if width is None:
        yield Advice(Topic.PRECISION, "One replication tells nothing about chance: no interval.", {}, True)
    elif asked:
        met, reached = "met" if asked["met"] else "not met", f"±{100 * width:.2g} pp"
        text = (
            f"The precision of ±{100 * asked['asked']:.3g} pp is {met}: {reached} with {count} replications."
        )
        yield Advice(Topic.PRECISION, text, {"reached": width, "replications": count}, not asked["met"])
    elif count < FEW_REPLICATIONS and width > 0:
        enough = FEW_REPLICATIONS
        text = f"Only {count} replications: the intervals are unsure themselves. Take {enough} or more."
        yield Advice(Topic.PRECISION, text, {"replications": count}, True)
    if width and not summary["no_progress"] and (ettr["mean"] < width or ettr["mean"] + width > 1):
        text = "The interval of ETTR is cut at what is possible, 0 to 1."
        yield Advice(Topic.PRECISION, text, {"half_width": width})


def _rare(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Warn where so little happened that the intervals, or the lack of one, promise too much."""
    count, happened = summary["replications"], summary["interruptions_total"]
    if summary["mtbf_s"] is None or summary["half_width"] is None or not summary.get("random", True):
        return
    more = "Simulate a longer horizon, or more replications"
    if not happened:
        likely = f"in up to {percent(unseen(count))} of them"
        text = f"Nothing interrupted training in any replication; something still may, {likely}. {more}."
        yield Advice(Topic.PRECISION, text, {"share": unseen(count)}, True)
        return
    if happened < FEW_INTERRUPTIONS:
        times = "1 interruption" if happened == 1 else f"{happened} interruptions"
        text = f"Only {times} in all replications: the intervals miss the truth more often than they say."
        yield Advice(Topic.PRECISION, f"{text} {more}.", {"interruptions": happened}, True)
    elif decisive := _rare_and_decisive(summary):
        told = " and ".join(f"{mode} ({whole(struck)})" for mode, struck in decisive.items())
        text = f"Few incidents in all replications decide how wide the interval of ETTR is: {told}."
        text += f" It misses the truth more often than it says. {more}."
        yield Advice(Topic.PRECISION, text, decisive, True)
    if never := [mode for mode, per_day in summary["incidents_by_mode"].items() if not per_day]:
        text = f"{' and '.join(never)} never struck in any replication: what that costs is in no figure."
        yield Advice(Topic.PRECISION, f"{text} {more}.", dict.fromkeys(never, 0.0), True)


def _rare_and_decisive(summary: Summary) -> dict[str, float]:
    """Return how often those modes struck that struck seldom and make up a quarter of ETTR's variance.

    With k strikes of like size the share of a mode has the half-width 2 / sqrt(k) times itself.
    """
    days = summary["interruptions_total"] / summary["interruptions_per_day"]
    struck = {mode: days * per_day for mode, per_day in summary["incidents_by_mode"].items() if per_day}
    width, waste = summary["half_width"], summary["waste_by_cause"]
    return {
        mode: round(times)
        for mode, times in struck.items()
        if times < FEW_INTERRUPTIONS and 2 * waste[mode] / math.sqrt(times) > width / 2
    }


def unmet(scenario: Scenario, summary: Summary) -> list[Advice]:
    """Return a sentence for each threshold of `expect` that does not hold; what is unknown does not."""
    found = []
    for path, text in scenario.expect.items():
        threshold = Threshold.parse(text)
        try:
            value = number_at(summary, path)
        except KeyError:
            value = None
        if not threshold.holds(value):
            is_now = "is unknown" if value is None else f"is {value:.6g}"
            reason = summary["reasons"].get(path)
            because = f" ({reason})" if value is None and reason else ""
            sentence = f"{scenario.name}: {path} {is_now}{because}, expected {text}"
            found.append(Advice(Topic.EXPECTATION, sentence, {} if value is None else {path: value}, True))
    return found
