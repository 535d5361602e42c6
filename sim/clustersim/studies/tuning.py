"""The answer of `tune`: the best interval, all that is known about it, and the sentences about that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from clustersim import theory
from clustersim.advice import Advice, Topic
from clustersim.estimate import Estimate
from clustersim.formatting import duration, measured, plus_minus
from clustersim.metrics.catalogue import NO_PROGRESS_BELOW
from clustersim.scenario.describe import describe
from clustersim.scenario.model import Scenario, Tier
from clustersim.scenario.rates import calendar_share
from clustersim.studies.study import SHARE, Study, Worth, caveats, named
from clustersim.units import format_duration

FLAT = 2.0
"""From this ratio of its ends the flat range is worth a sentence."""
HALF_TRAINING = 0.5
NAMES = {"young": "Young's", "daly": "Daly's", "exact": "the exact", "now": "today's"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interval (s) with its ETTR, and whether it can be told from the best."""

    interval_s: float
    ettr: Estimate
    told_apart: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        mean, low, high = self.ettr.share
        ends = {"ettr": mean, "low": low, "high": high}
        return {"interval_s": self.interval_s, **ends, "told_apart": self.told_apart}


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

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        named = {"over": self.over, "interval_s": self.interval_s}
        return {**named, **self.worth.to_dict(), "distinguishable": self.distinguishable}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The best interval (s) and its ETTR on fresh replications, were *value* what stands at *path*."""

    path: str
    value: str
    gpus: int
    now_s: float
    best_s: float | None
    range_s: tuple[float, float] | None
    ettr: Estimate | None = field(metadata=SHARE)
    effective_gpus: Estimate | None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr is not None and self.ettr.mean < NO_PROGRESS_BELOW


@dataclass(frozen=True)
class Tuning(Study):
    """The answer of `tune`; intervals are seconds of training between saves, `None` where there is no answer.

    `best_s` is the candidate with the highest mean; `range_s` are the intervals that cannot be told from it,
    and `recommended_s` a round one among them.  `ettr_at_best`, `ettr_now` and the `gains` come from fresh
    replications.  `simulated` says why each candidate was simulated in full, and is `None` where the outages
    were simulated once and the candidates scored on them.  `given` is the scenario before a target was left
    out, `tier` the tier of checkpoints whose interval it is; `frame` has a row for each candidate.
    """

    file = "tune.json"
    points: ClassVar[str] = "curve"
    now_s: float
    tier: Tier
    fresh_replications: int = 0
    young_s: float | None = None
    daly_s: float | None = None
    exact_s: float | None = None
    best_s: float | None = None
    recommended_s: float | None = None
    range_s: tuple[float, float] | None = None
    boundary: str | None = None
    simulated: str | None = None
    ettr_at_best: Estimate | None = field(default=None, metadata=SHARE)
    ettr_now: Estimate | None = field(default=None, metadata=SHARE)
    curve: Sequence[Candidate] = ()
    gains: Sequence[Gain] = ()
    what_ifs: Sequence[WhatIf] = ()

    @property
    def no_failures(self) -> bool:
        """Whether nothing fails, so that no interval is better than another for this reason."""
        return self.scenario.mtbf is None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr_at_best is not None and self.ettr_at_best.mean < NO_PROGRESS_BELOW

    @property
    def within(self) -> str:
        """Words for a sentence about saves: nothing where there is one tier, else ` to <tier>`."""
        return f" to {self.tier.name}" if self.tier.several else ""

    @property
    def advice(self) -> list[Advice]:
        """The answer to "how often should we save?", the most important sentence first."""
        return list(_advice(self))

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {
            "tier": self.tier.name,
            "method": "simulated" if self.simulated else "scored",
            "method_reason": self.simulated,
            **named(self, "no_failures", "no_progress", "best_s", "range_s", "recommended_s", "boundary"),
            **named(self, "ettr_at_best", "now_s", "ettr_now", "young_s", "daly_s", "exact_s"),
            **named(self, "fresh_replications", "gains", "curve", "what_ifs"),
        }


def _advice(tuning: Tuning) -> Iterator[Advice]:
    if tuning.best_s is None or tuning.range_s is None or tuning.ettr_at_best is None:
        text = "Nothing fails in this scenario: do not save more often than you need for other reasons."
        yield Advice(Topic.INTERVAL, text)
        return
    if tuning.no_progress:
        yield from _without_progress(tuning, tuning.ettr_at_best)
    else:
        yield _recommended(tuning, tuning.ettr_at_best, tuning.range_s)
        yield from _at_a_limit(tuning)
        yield from _against_today(tuning)
        yield from _against_formulas(tuning)
        yield from _flat(tuning, *tuning.range_s)
    yield from caveats(tuning)


def _recommended(tuning: Tuning, ettr: Estimate, flat: tuple[float, float]) -> Advice:
    chosen = tuning.recommended_s or 0.0
    text = (
        f"Save{tuning.within} about every {format_duration(chosen, 3)}: ETTR"
        f" {plus_minus(ettr.mean, ettr.half_width)}. Anything from {duration(flat[0])} to {duration(flat[1])}"
        " cannot be told from the best."
    )
    numbers = {"recommended_s": chosen, "shortest_s": flat[0], "longest_s": flat[1]}
    return Advice(Topic.INTERVAL, text, numbers)


def _at_a_limit(tuning: Tuning) -> Iterator[Advice]:
    """Say where the best interval lies at a limit of the search, which is no optimum."""
    step, limit = tuning.scenario.workload.step_time, duration(tuning.best_s)
    if tuning.boundary is None:
        return
    if tuning.boundary == "longest":
        text = (
            f"The best is the longest interval that was tried, the whole {limit}: saves cost more than they"
            " spare in so short a time. Simulate a longer horizon before relying on it."
        )
    elif tuning.tier.blocks == 0:
        text = (
            f"Saves are free here ({tuning.tier.path('blocks')} is 0 s), so the shortest interval is the"
            f" best: {limit}, {'one step' if step else 'the shortest that was tried'}."
            " Save as often as the system can."
        )
    else:
        text = f"The best is the shortest interval that is possible, {limit}{' (one step)' if step else ''}."
    yield Advice(Topic.INTERVAL, text, {"limit_s": tuning.best_s or 0.0}, warning=True)


def _against_today(tuning: Tuning) -> Iterator[Advice]:
    """Say what the recommended interval earns over today's, or that there is nothing to gain."""
    for gain in tuning.gains:
        if gain.over != "now":
            continue
        today = f"today's interval of {duration(gain.interval_s, 0.0)}"
        if gain.distinguishable:
            text = f"Over {today} that gains {gain.worth.sentence}."
        elif gain.outside:
            text = f"What that gains over {today} is not distinguishable on fresh replications."
        else:
            text = f"{_sentence(today)} cannot be told from the best: no gain over it can be shown."
        yield Advice(Topic.INTERVAL, text, {"interval_s": gain.interval_s, "ettr": gain.worth.ettr.mean})


def _against_formulas(tuning: Tuning) -> Iterator[Advice]:
    """Say which formulas would do as well, and what the others would cost."""
    formulas = [gain for gain in tuning.gains if gain.over != "now"]
    alike = [gain for gain in formulas if not gain.distinguishable]
    if alike:
        *first, last = (f"{NAMES[gain.over]} ({duration(gain.interval_s)})" for gain in alike)
        named = f"{', '.join(first)} and {last} intervals" if first else f"{last} interval"
        text = f"{_sentence(named)} cannot be told from the best."
        yield Advice(Topic.INTERVAL, text, {gain.over: gain.interval_s for gain in alike})
    for gain in formulas:
        if gain.distinguishable:
            text = (
                f"{_sentence(NAMES[gain.over])} interval, {duration(gain.interval_s)}, is not the best here:"
                f" {gain.worth.sentence} would be given away."
            )
            yield Advice(Topic.INTERVAL, text, {gain.over: gain.interval_s, "ettr": gain.worth.ettr.mean})


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _flat(tuning: Tuning, shortest: float, longest: float) -> Iterator[Advice]:
    """Say where the optimum is flat, and where saves wait for the copy before, whatever is asked for."""
    ratio, durable_after = longest / shortest, tuning.tier.durable_after
    if ratio > FLAT:
        text = (
            "The optimum is flat: the longest of these intervals is"
            f" {measured(ratio, None)} times the shortest. Let other reasons decide among them."
        )
        yield Advice(Topic.INTERVAL, text, {"ratio": ratio})
    if durable_after > shortest:
        until = duration(durable_after, 0.0)
        text = (
            f"A save waits until the copy before it is durable, {until} after its end: whatever shorter"
            f" interval is asked for, the job saves every {until}."
        )
        yield Advice(Topic.INTERVAL, text, {"durable_after_s": durable_after})


def _without_progress(tuning: Tuning, ettr: Estimate) -> Iterator[Advice]:
    """Say that no interval helps, and what would."""
    text = (
        f"{tuning.scenario.name} makes no progress at any interval: ETTR"
        f" {plus_minus(ettr.mean, ettr.half_width)} at the best of them."
        " It is not the saves that must change."
    )
    yield Advice(Topic.NO_PROGRESS, text, {"ettr": ettr.mean}, warning=True)
    if not tuning.scenario.general:
        yield _needed(tuning.scenario)


def _needed(scenario: Scenario) -> Advice:
    """Return what would have to change for an ETTR of one half, by Daly's formula, the rest as it is."""
    spec, mtbf = scenario.checkpoint, scenario.mtbf
    assert spec is not None
    assert mtbf is not None
    restart, calendar = describe(scenario).restart_s or 0.0, calendar_share(scenario)
    longest = theory.restart_for(HALF_TRAINING, mtbf, spec.blocks, calendar)
    rarest = theory.mtbf_for(HALF_TRAINING, spec.blocks, restart, calendar)
    ways = [f"something failed only every {duration(rarest)} (now every {duration(mtbf)})"]
    if longest is not None:
        ways.insert(0, f"training went on {duration(longest)} after a failure (now {duration(restart)})")
    text = f"Half of the cards would train if {', or if '.join(ways)}, by Daly's formula."
    numbers = {"mtbf_s": rarest} | ({} if longest is None else {"restart_s": longest})
    return Advice(Topic.NO_PROGRESS, text, numbers, warning=True)
