"""The page of a tuning: how often to save, how flat the optimum is, and what else moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.formatting import duration, points
from clustersim.scenario.describe import describe
from clustersim.units import format_duration
from clustersim_reports import study
from clustersim_reports.blocks import Fact, Page
from clustersim_reports.run import estimate_text
from clustersim_reports.sections import curve, what_ifs

if TYPE_CHECKING:
    from clustersim.studies.tune import Tuning

SECTIONS = (curve.section, what_ifs.section)
"""What the page shows between the answer and what went in; each returns None where it does not apply."""


def page(tuning: Tuning, command: str | None = None, finished: str = "") -> Page:
    """Return the page of *tuning*; *finished* says when it was."""
    return study.page(
        tuning,
        "how often to save",
        headline(tuning),
        _facts(tuning),
        answer=tuning.advice,
        sections=[section(tuning) for section in SECTIONS],
        making=study.making(tuning, _method(tuning), command, finished),
    )


def headline(tuning: Tuning) -> str:
    """Return the answer in a few words."""
    if tuning.recommended_s is None:
        return "Nothing fails: save as often as other reasons require."
    if tuning.no_progress:
        return "The job makes no progress at any interval."
    return f"Save{tuning.within} about every {format_duration(tuning.recommended_s, 3)}."


def _facts(tuning: Tuning) -> Iterator[Fact]:
    """Yield what matters most: the best range, the ETTR, the gain; or what would have to change."""
    if tuning.ettr_at_best is None or tuning.range_s is None:
        return
    ettr = estimate_text(tuning.ettr_at_best)
    if tuning.no_progress:
        yield Fact("ETTR at the best interval", ettr, "almost no card-time is productive")
        yield from _needed(tuning)
        return
    near = " to ".join(map(duration, tuning.range_s))
    yield Fact("Best range", near, "indistinguishable from the best at 95 %")
    yield Fact("ETTR with it", ettr, "productive share of all card-time")
    for gain in (gain for gain in tuning.gains if gain.over == "now"):
        label, may_be_chance = f"Gain over today's {duration(gain.interval_s, 0.0)}", not gain.distinguishable
        number = study.ALIKE if may_be_chance else estimate_text(gain.worth.ettr, points)
        cards = study.in_cards(gain.worth, "effective cards")
        yield Fact(label, number, "no gain beyond chance" if may_be_chance else cards)


def _needed(tuning: Tuning) -> Iterator[Fact]:
    """Yield what would let half of the cards train, one change or the other."""
    restart, mtbf = describe(tuning.scenario).restart_s, tuning.scenario.mtbf
    needed = (
        ("Half of the cards would train if a restart took", "restart_s", "from failure to training", restart),
        ("Half of the cards would train with an MTBF of", "mtbf_s", "between failures", mtbf),
    )
    for label, name, meaning, now in needed:
        if name in tuning.needed:
            yield Fact(label, duration(tuning.needed[name]), f"{meaning}; now {duration(now, 0.0)}")


def _method(tuning: Tuning) -> dict[str, str]:
    if not tuning.curve:
        return {"intervals": "none, because nothing fails"}
    shared = "outages simulated once, every interval scored on them (exact here)"
    return {
        "intervals": str(len(tuning.curve)),
        "method": f"each simulated in full: {tuning.simulated}" if tuning.simulated else shared,
        "replications": f"{tuning.replications} to choose, {tuning.fresh_replications} fresh ones to judge",
    }
