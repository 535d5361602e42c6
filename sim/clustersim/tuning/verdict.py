"""What a tuning and a list of levers say, in sentences: never more than can be told from chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from clustersim import theory
from clustersim.advice import Advice, Kind
from clustersim.digits import duration, measured, money, plus_minus, points
from clustersim.scenario.describe import describe
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import calendar_share
from clustersim.tuning.changes import Family
from clustersim.tuning.results import Gain, Lever, Levers, Tuning, Worth
from clustersim.units import format_duration

FLAT = 2.0
HALF_TRAINING = 0.5
NAMES = {"young": "Young's", "daly": "Daly's", "exact": "the exact", "now": "today's"}


def advise_tuning(tuning: Tuning) -> list[Advice]:
    """Return the answer to "how often should we save?", the most important sentence first."""
    if tuning.best_s is None or tuning.range_s is None or tuning.ettr_at_best is None:
        text = "Nothing fails in this scenario: do not save more often than you need for other reasons."
        return [Advice(Kind.INTERVAL, text)]
    if tuning.no_progress:
        return [*_without_progress(tuning), *_left_out(tuning.given, tuning.scenario)]
    return [
        _recommended(tuning, tuning.range_s),
        *_at_a_limit(tuning),
        *_against_today(tuning),
        *_against_formulas(tuning),
        *_flat(tuning.range_s),
        *_asynchronous(tuning, tuning.range_s),
        *_one_history(tuning.replications),
        *_left_out(tuning.given, tuning.scenario),
    ]


def _recommended(tuning: Tuning, flat: tuple[float, float]) -> Advice:
    assert tuning.recommended_s is not None
    assert tuning.ettr_at_best is not None
    ettr = tuning.ettr_at_best
    text = (
        f"Save{tuning.place.within} about every {format_duration(tuning.recommended_s, 3)}: ETTR"
        f" {plus_minus(ettr.mean, ettr.half_width)}. Anything from {duration(flat[0])} to {duration(flat[1])}"
        " cannot be told from the best."
    )
    numbers = {"recommended_s": tuning.recommended_s, "shortest_s": flat[0], "longest_s": flat[1]}
    return Advice(Kind.INTERVAL, text, numbers)


def _at_a_limit(tuning: Tuning) -> Iterator[Advice]:
    """Say where the best interval lies at a limit of the search, which is no optimum."""
    tier, step = tuning.place.of(tuning.scenario), tuning.scenario.workload.step_time
    if tuning.boundary is None:
        return
    limit = duration(tuning.best_s)
    if tuning.boundary == "longest":
        text = (
            f"The best is the longest interval that was tried, the whole {limit}: saves cost more than they"
            " spare in so short a time. Simulate a longer horizon before relying on it."
        )
    elif tier.blocks == 0:
        free = f"Saves are free here ({tuning.place.path('blocks')} is 0 s)"
        shortest = "one step" if step else "the shortest that was tried"
        text = f"{free}, so the shortest interval is the best: {limit}, {shortest}."
        text += " Save as often as the system can."
    else:
        text = f"The best is the shortest interval that is possible, {limit}{' (one step)' if step else ''}."
    yield Advice(Kind.INTERVAL, text, {"limit_s": tuning.best_s or 0.0}, warning=True)


def _against_today(tuning: Tuning) -> Iterator[Advice]:
    """Say what the recommended interval earns over today's, or that there is nothing to gain."""
    gain = next((gain for gain in tuning.gains if gain.over == "now"), None)
    if gain is None:
        return
    numbers = {"interval_s": gain.interval_s, "ettr": gain.worth.ettr.mean}
    today = f"today's interval of {duration(gain.interval_s, 0.0)}"
    if gain.distinguishable:
        text = f"Over {today} that gains {_told(gain.worth, tuning.scenario)}."
    elif gain.outside:
        text = f"What that gains over {today} is not distinguishable on fresh replications."
    else:
        text = f"{today[0].upper()}{today[1:]} cannot be told from the best: no gain over it can be shown."
    yield Advice(Kind.INTERVAL, text, numbers)


def _against_formulas(tuning: Tuning) -> Iterator[Advice]:
    """Say which formulas would do as well, and what the others would cost."""
    formulas = [gain for gain in tuning.gains if gain.over != "now"]
    alike = [gain for gain in formulas if not gain.distinguishable]
    if alike:
        text = f"{_listed(alike)} cannot be told from the best."
        yield Advice(
            Kind.INTERVAL, text[0].upper() + text[1:], {gain.over: gain.interval_s for gain in alike}
        )
    for gain in formulas:
        if gain.distinguishable:
            text = (
                f"{NAMES[gain.over][0].upper()}{NAMES[gain.over][1:]} interval, {duration(gain.interval_s)},"
                f" is not the best here: {_told(gain.worth, tuning.scenario)} would be given away."
            )
            yield Advice(Kind.INTERVAL, text, {gain.over: gain.interval_s, "ettr": gain.worth.ettr.mean})


def _listed(gains: Sequence[Gain]) -> str:
    named = [f"{NAMES[gain.over]} ({duration(gain.interval_s)})" for gain in gains]
    together = " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
    return f"{together} {'intervals' if len(named) > 1 else 'interval'}"


def _flat(flat: tuple[float, float]) -> Iterator[Advice]:
    ratio = flat[1] / flat[0]
    if ratio > FLAT:
        text = (
            "The optimum is flat: the longest of these intervals is"
            f" {measured(ratio, None)} times the shortest. Let other reasons decide among them."
        )
        yield Advice(Kind.INTERVAL, text, {"ratio": ratio})


def _asynchronous(tuning: Tuning, flat: tuple[float, float]) -> Iterator[Advice]:
    """Say where an interval is not reached, because the copy before is not durable yet."""
    tier = tuning.place.of(tuning.scenario)
    if tier.durable_after > flat[0]:
        until = duration(tier.durable_after, 0.0)
        text = (
            f"A save waits until the copy before it is durable, {until} after its end: whatever shorter"
            f" interval is asked for, the job saves every {until}."
        )
        yield Advice(Kind.INTERVAL, text, {"durable_after_s": tier.durable_after})


def _without_progress(tuning: Tuning) -> Iterator[Advice]:
    """Say that no interval helps, and what would."""
    ettr, scenario = tuning.ettr_at_best, tuning.scenario
    assert ettr is not None
    text = (
        f"{scenario.name} makes no progress at any interval: ETTR {plus_minus(ettr.mean, ettr.half_width)}"
        " at the best of them. It is not the saves that must change."
    )
    yield Advice(Kind.NO_PROGRESS, text, {"ettr": ettr.mean}, warning=True)
    if not scenario.general:
        yield needed(scenario)


def needed(scenario: Scenario) -> Advice:
    """Return what would have to change for an ETTR of one half, by Daly's formula, the rest as it is."""
    spec, mtbf = scenario.checkpoint, scenario.mtbf
    restart = describe(scenario).restart_s or 0.0
    assert spec is not None
    assert mtbf is not None
    share = calendar_share(scenario)
    longest, rarest = restart_for(mtbf, spec.blocks, share), mtbf_for(restart, spec.blocks, share)
    ways = [f"failed only every {duration(rarest)} (now every {duration(mtbf)})"]
    if longest is not None:
        ways.insert(0, f"training went on {duration(longest)} after a failure (now {duration(restart)})")
    text = f"Half of the cards would train if {', or if something '.join(ways)}, by Daly's formula."
    if longest is None:
        text = f"Half of the cards would train if something {ways[0]}, by Daly's formula."
    numbers = {"mtbf_s": rarest} | ({} if longest is None else {"restart_s": longest})
    return Advice(Kind.NO_PROGRESS, text, numbers, warning=True)


def restart_for(mtbf: float, blocks: float, calendar: float = 1.0) -> float | None:
    """Return the longest restart (s) with an efficiency of one half at the optimum; None where none has.

    Of the failures the share *calendar* strikes in restarts too.
    """
    without = _efficiency(mtbf, blocks, 0.0, calendar)
    if without <= HALF_TRAINING:
        return None
    slower = without / HALF_TRAINING - 1
    return mtbf * (math.log1p(calendar * slower) / calendar if calendar else slower)


def mtbf_for(restart: float, blocks: float, calendar: float = 1.0) -> float:
    """Return the shortest MTBF (s) with an efficiency of one half at the optimum."""

    def is_short(mtbf: float) -> bool:
        return _efficiency(mtbf, blocks, restart, calendar) < HALF_TRAINING

    low = high = max(restart, blocks, 1.0)
    while is_short(high):
        high *= 2
    while not is_short(low) and low > 1e-3:
        low /= 2
    for _ in range(50):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_short(middle) else (low, middle)
    return high


def _efficiency(mtbf: float, blocks: float, restart: float, calendar: float) -> float:
    if blocks == 0:
        return 1 / theory.slowdown(mtbf, restart, calendar)
    return theory.efficiency(theory.optimal(mtbf, blocks), mtbf, blocks, restart, calendar)


def advise_levers(levers: Levers) -> list[Advice]:
    """Return what to do first, why, and what cannot be told from no change."""
    return [
        *_stuck(levers),
        *_first(levers),
        *_why_failures(levers.levers),
        *_then(levers),
        *_paid_back(levers.levers),
        *_alike(levers.levers),
        *_one_history(levers.replications),
        *_left_out(levers.given, levers.scenario),
    ]


def _stuck(levers: Levers) -> Iterator[Advice]:
    if levers.no_progress:
        text = (
            f"{levers.scenario.name} makes no progress as it is (ETTR"
            f" {plus_minus(levers.ettr.mean, levers.ettr.half_width)})."
        )
        yield Advice(Kind.NO_PROGRESS, text, {"ettr": levers.ettr.mean}, warning=True)


def helpful(levers: Levers) -> list[Lever]:
    """Return the levers with a distinguishable gain, the largest first."""
    return [lever for lever in levers.levers if lever.distinguishable and lever.worth.ettr.mean > 0]


def _first(levers: Levers) -> Iterator[Advice]:
    found = helpful(levers)
    if not levers.levers:
        text = "Nothing fails and no save stops training: there is nothing to improve."
    elif not found:
        text = f"No change makes a difference that can be told (replications: {levers.replications})."
    else:
        text = f"First: {found[0].name}. It gains {_told(found[0].worth, levers.scenario)}."
    yield Advice(Kind.LEVER, text, {lever.name: lever.worth.ettr.mean for lever in found[:1]})


def _why_failures(levers: Sequence[Lever]) -> Iterator[Advice]:
    """Say why rarer failures come before faster recovery, where they do."""
    families = [lever.change.family for lever in levers]
    if families[:1] == [Family.FAILURES] and Family.RECOVERY in families and levers[0].distinguishable:
        text = (
            "Rarer failures come before faster recovery because a failure that does not happen saves its"
            " detection, its recovery and the work it would have thrown away, all at once."
        )
        yield Advice(Kind.LEVER, text)


def _then(levers: Levers) -> Iterator[Advice]:
    following = helpful(levers)[1:4]
    if following:
        told = "; ".join(f"{lever.name}, {_points(lever.worth)}" for lever in following)
        text = f"Then: {told}. Each was tried by itself; together they earn less than the sum."
        yield Advice(Kind.LEVER, text, {lever.name: lever.worth.ettr.mean for lever in following})


def _paid_back(levers: Sequence[Lever]) -> Iterator[Advice]:
    for lever in levers:
        if lever.change.price is not None and lever.pays_back_s is not None:
            price = money(lever.change.price.amount, lever.change.price.currency, 0.0)
            text = f"{lever.name}, for {price}, has paid for itself after {duration(lever.pays_back_s)}."
            yield Advice(Kind.LEVER, text, {"pays_back_s": lever.pays_back_s})


def _alike(levers: Sequence[Lever]) -> Iterator[Advice]:
    names = [lever.name for lever in levers if not lever.distinguishable]
    if names and len(names) < len(levers):
        yield Advice(Kind.LEVER, f"Not distinguishable from no change: {', '.join(names)}.")


def _one_history(replications: int) -> Iterator[Advice]:
    if replications == 1:
        text = "One replication tells nothing about chance: no interval. Take 8 or more."
        yield Advice(Kind.PRECISION, text, {"replications": 1}, warning=True)


def _left_out(given: Scenario, fixed: Scenario) -> Iterator[Advice]:
    """Say that a target was left out."""
    if given.target_s is not None:
        text = (
            f"Simulated over {format_duration(fixed.end_s, 3)} instead of until the target is reached, so"
            " that all that is compared meets the same failures."
        )
        yield Advice(Kind.TARGET, text, {"horizon_s": fixed.end_s})


def _told(worth: Worth, scenario: Scenario) -> str:
    """Return a gain in ETTR, in effective cards, and in money where cards have a price."""
    cards = plus_minus(worth.effective_gpus.mean, worth.effective_gpus.half_width)
    text = f"{_points(worth)} ETTR, {cards} effective cards"
    if worth.money_per_year is None or scenario.costs is None:
        return text
    earned = worth.money_per_year
    return f"{text}, {money(earned.mean, scenario.costs.currency, earned.half_width)} a year"


def _points(worth: Worth) -> str:
    return points(worth.ettr.mean, worth.ettr.half_width)
