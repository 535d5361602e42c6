"""The pages of studies: how often to save (`tune`), and what to improve first (`levers`)."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from clustersim.estimate import in_words
from clustersim.formatting import NOTHING, duration, points
from clustersim.scenario.describe import describe
from clustersim.studies.levers import Levers
from clustersim.studies.study import ALIKE, Study
from clustersim.studies.tune import Tuning
from clustersim.units import format_duration
from clustersim.version import VERSION
from clustersim_reports import inputs, page
from clustersim_reports.blocks import Fact, Facts, Page, Section
from clustersim_reports.sections import curve, levers, what_ifs

LIBRARIES = ("numpy", "scipy", "simpy", "pydantic", "plotly")


class Kind(NamedTuple):
    """What the page of one kind of study says: its question, and what is made of the study's answer.

    A section is left out where it does not apply.
    """

    question: str
    headline: Callable[[Any], str]
    facts: Callable[[Any], Iterator[Fact]]
    method: Callable[[Any], Mapping[str, str]]
    sections: Sequence[Callable[[Any], Section]]


def write_study(study: Study, path: Path, command: str | None = None) -> None:
    """Write the page of a tuning, or of levers; raises OSError where it cannot."""
    page.save(page_of(study, command, datetime.now(UTC).isoformat(timespec="seconds")), path)


def page_of(study: Study, command: str | None = None, finished: str = "") -> Page:
    """Return the page of a study of one scenario: the answer to its question; *finished* says when it was."""
    kind, given = KINDS[type(study)], study.given
    headline, name = kind.headline(study), given.title or given.name
    return Page(
        title=f"{headline} {name}",
        eyebrow=f"{name} · {kind.question}",
        heading=headline,
        about=given.about or "",
        head=[Facts(list(kind.facts(study)), "facts")],
        answer=study.advice,
        sections=[section(study) for section in kind.sections],
        given=[given],
        making=_making(study, kind.method(study), command, finished),
    )


def _making(study: Study, method: Mapping[str, str], command: str | None, finished: str) -> Section:
    """Return how a *study* was made: the *method*, the seed, what it ran on, and when it was *finished*."""
    items = {
        **method,
        "length of each": format_duration(study.scenario.end_s),
        "seed": str(study.scenario.simulation.seed),
        "scenario hash": study.given.hash[:16],
        "run time": duration(study.wall_s),
        "version": VERSION,
        "python": platform.python_version(),
        "platform": sys.platform,
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "finished (UTC)": finished or NOTHING,
    }
    return inputs.making([study.given.name], [items], command)


def interval_to_use(tuning: Tuning) -> str:
    """Return the answer of a tuning in a few words."""
    if tuning.recommended_s is None:
        return "Nothing fails: save as often as other reasons require."
    if tuning.no_progress:
        return "The job makes no progress at any interval."
    return f"Save{tuning.within} about every {format_duration(tuning.recommended_s, 3)}."


def _tuning_facts(tuning: Tuning) -> Iterator[Fact]:
    """Yield what matters most: the best range, the ETTR, the gain; or what would have to change."""
    if tuning.ettr_at_best is None or tuning.range_s is None:
        return
    ettr = in_words(tuning.ettr_at_best)
    if tuning.no_progress:
        yield Fact("ETTR at the best interval", ettr, "almost no card-time is productive")
        yield from _needed(tuning)
        return
    near = " to ".join(map(duration, tuning.range_s))
    yield Fact("Best range", near, "indistinguishable from the best at 95 %")
    yield Fact("ETTR with it", ettr, "productive share of all card-time")
    for gain in (gain for gain in tuning.gains if gain.over == "now"):
        label = f"Gain over today's {duration(gain.interval_s, 0.0)}"
        if gain.distinguishable:
            yield Fact(label, in_words(gain.worth.ettr, points), gain.worth.in_cards())
        else:
            yield Fact(label, ALIKE, "no gain beyond chance")


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


def _tuning_method(tuning: Tuning) -> dict[str, str]:
    if not tuning.curve:
        return {"intervals": "none, because nothing fails"}
    shared = "outages simulated once, every interval scored on them (exact here)"
    return {
        "intervals": str(len(tuning.curve)),
        "method": f"each simulated in full: {tuning.simulated}" if tuning.simulated else shared,
        "replications": f"{tuning.replications} to choose, {tuning.fresh_replications} fresh ones to judge",
    }


def change_to_make(found: Levers) -> str:
    """Return the answer of levers in a few words."""
    if not found.levers:
        return "There is nothing to improve."
    best = next((lever.name for lever in found.helpful), "no change makes a difference beyond chance")
    return f"{best[:1].upper()}{best[1:]}."


def _lever_facts(found: Levers) -> Iterator[Fact]:
    yield Fact("ETTR as it is", in_words(found.ettr), "productive share of all card-time")
    for worth in (lever.worth for lever in found.helpful[:1]):
        yield Fact("Gain of the first change", in_words(worth.ettr, points), "of ETTR, by itself")
        yield Fact("In effective cards", in_words(worth.effective_gpus), "cards that train all the time")
        for money in worth.in_words[2:]:
            yield Fact("In money", money, "a year")


def _lever_method(found: Levers) -> dict[str, str]:
    return {"changes": str(len(found.levers)), "replications": f"{found.replications} of each, paired"}


KINDS: Mapping[type[Study], Kind] = {
    Tuning: Kind(
        "how often to save",
        interval_to_use,
        _tuning_facts,
        _tuning_method,
        (curve.section, what_ifs.section),
    ),
    Levers: Kind("what to improve first", change_to_make, _lever_facts, _lever_method, (levers.section,)),
}
"""The page of each kind of study."""
