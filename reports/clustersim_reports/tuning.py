"""The report of a tuning: how often to save, how flat the optimum is, and what else moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.digits import NOTHING, duration, points, whole
from clustersim.scenario.describe import describe
from clustersim.tuning.verdict import advise_tuning
from clustersim.units import format_duration
from clustersim_reports import found_exhibits
from clustersim_reports.finding import (
    ALIKE,
    Fact,
    Finding,
    Grid,
    Section,
    estimated,
    making,
    page,
    worth_cells,
    worth_columns,
    worth_told,
)
from clustersim_reports.tables import Cell, Row

if TYPE_CHECKING:
    from clustersim.tuning import Tuning, WhatIf

OVER = {
    "now": ("today's", "what the scenario says"),
    "young": ("Young", "√(2 × MTBF × time that a save stops training)"),
    "daly": ("Daly", "Young's formula with terms of higher order"),
    "exact": ("exact optimum", "of failures that come at random, at a constant rate"),
}


def render(tuning: Tuning, command: str | None = None, finished: str = "") -> str:
    """Return the report of *tuning* as HTML; *finished* says when it was."""
    return page(
        Finding(
            given=tuning.given,
            question="how often to save",
            headline=headline(tuning),
            facts=list(_facts(tuning)),
            answer=advise_tuning(tuning),
            sections=list(_sections(tuning)),
            making=making(tuning, _method(tuning), finished),
        ),
        command,
    )


def headline(tuning: Tuning) -> str:
    """Return the answer in a few words."""
    if tuning.recommended_s is None:
        return "Nothing fails: save when other reasons ask for it."
    if tuning.no_progress:
        return "No interval makes it progress."
    return f"Save{tuning.place.within} about every {format_duration(tuning.recommended_s, 3)}."


def _facts(tuning: Tuning) -> Iterator[Fact]:
    """Yield what matters most: the flat range, the ETTR, the gain; or what would have to change."""
    if tuning.ettr_at_best is None or tuning.range_s is None:
        return
    ettr = estimated(tuning.ettr_at_best)
    if tuning.no_progress:
        yield Fact("ETTR at the best interval", ettr, "next to nothing of all card-time trains")
        yield from _needed(tuning)
        return
    low, high = tuning.range_s
    yield Fact("The flat range", f"{duration(low)} to {duration(high)}", "cannot be told from the best")
    yield Fact("ETTR with it", ettr, "share of all card-time that trains")
    yield from _gained(tuning)


def _gained(tuning: Tuning) -> Iterator[Fact]:
    for gain in tuning.gains:
        if gain.over == "now":
            label = f"Gain over today's {duration(gain.interval_s, 0.0)}"
            if gain.distinguishable:
                ettr = gain.worth.ettr
                told = worth_told(gain.worth, tuning.scenario)
                yield Fact(label, points(ettr.mean, ettr.half_width), told)
            else:
                yield Fact(label, ALIKE, "no gain that can be told from chance")


def _needed(tuning: Tuning) -> Iterator[Fact]:
    """Yield what would let half of the cards train, one change or the other."""
    numbers = {key: value for advice in advise_tuning(tuning) for key, value in advice.numbers.items()}
    restart, mtbf = describe(tuning.scenario).restart_s, tuning.scenario.mtbf
    if "restart_s" in numbers:
        now = f"from failure to training; now {duration(restart, 0.0)}"
        yield Fact("Half would train if restarts took", duration(numbers["restart_s"]), now)
    if "mtbf_s" in numbers:
        now = f"between failures; now {duration(mtbf, 0.0)}"
        yield Fact(
            "… or with" if "restart_s" in numbers else "Half would train with",
            duration(numbers["mtbf_s"]),
            now,
        )


def _sections(tuning: Tuning) -> Iterator[Section]:
    curve = found_exhibits.curve(tuning)
    if curve is not None:
        tables = [] if tuning.no_progress else [_gains(tuning)]
        yield Section("curve", "The curve", "How the interval matters", [curve, *tables])
    if tuning.what_ifs:
        tables = [_what_ifs(tuning, path) for path in dict.fromkeys(one.path for one in tuning.what_ifs)]
        figures = found_exhibits.what_ifs(tuning)
        parts = [part for both in zip(figures, tables, strict=True) for part in both]
        yield Section("what-ifs", "What else moves it", "What else moves it", parts)


def _gains(tuning: Tuning) -> Grid:
    """Return what the recommended interval earns over each of the others."""
    scenario = tuning.scenario
    empty = [Cell(NOTHING)] * len(worth_columns(scenario))
    chosen = Cell(format_duration(tuning.recommended_s or 0.0, 3))
    rows = [Row("recommended", "a round one of the flat range", (chosen, *empty))]
    for gain in sorted(tuning.gains, key=lambda gain: list(OVER).index(gain.over)):
        cells = worth_cells(gain.worth, gain.distinguishable, scenario)
        rows.append(Row(*OVER[gain.over], (Cell(duration(gain.interval_s, 0.0)), *cells)))
    names = ["Interval", *worth_columns(scenario)]
    return Grid("What the recommended interval gains over others", names, rows)


def _what_ifs(tuning: Tuning, path: str) -> Grid:
    rows = [_what_if(one) for one in tuning.what_ifs if one.path == path]
    names = ["ETTR", "Effective cards", "Best interval", "Interval as given"]
    return Grid(f"Best interval and ETTR by {path}", names, rows)


def _what_if(one: WhatIf) -> Row:
    flat = (
        "" if one.range_s is None else f"flat from {duration(one.range_s[0])} to {duration(one.range_s[1])}"
    )
    best = Cell(NOTHING, "nothing fails") if one.best_s is None else Cell(duration(one.best_s), flat)
    ettr = Cell(estimated(one.ettr), "no progress" if one.no_progress else "")
    cards = Cell(estimated(one.effective_gpus), f"of {whole(one.gpus)}")
    return Row(
        f"{one.path.rpartition('.')[2]}: {one.value}", "", (ettr, cards, best, Cell(duration(one.now_s, 0.0)))
    )


def _method(tuning: Tuning) -> dict[str, str]:
    if not tuning.curve:
        return {"intervals": "none tried, because nothing fails"}
    shared = "outages simulated once, every interval scored on them (exact here)"
    return {
        "intervals": str(len(tuning.curve)),
        "how": f"each simulated in full: {tuning.simulated}" if tuning.simulated else shared,
        "replications": f"{tuning.replications} to choose, {tuning.fresh_replications} fresh ones to judge",
    }
