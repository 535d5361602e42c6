"""What a tuning and a list of levers look like on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustersim.advice import Advice
from clustersim.formatting import NOTHING, duration, plus_minus, whole
from clustersim.studies.levers import Levers
from clustersim.studies.study import Worth
from clustersim.studies.tune import Candidate, Tuning, WhatIf
from clustersim.units import format_duration

CURVE_ROWS, WIDEST_NAME = 9, 36
ALIKE = "not distinguishable"
NAMES = {"now": "today's", "young": "Young", "daly": "Daly", "exact": "exact optimum"}


def tuning(screen: Console, found: Tuning) -> None:
    """Print the answer, the intervals side by side, a part of the curve, and what else moves it."""
    first, *others = found.advice
    screen.print(Text(f"\n{first}\n", style="bold"))
    if found.best_s is not None:
        if not found.no_progress:
            screen.print(_intervals(found))
            screen.print()
        screen.print(Text("ETTR by interval", style="bold"))
        screen.print(_curve(found))
    if found.what_ifs:
        screen.print(Text("\nWhat else moves it", style="bold"))
        screen.print(_what_ifs(found.what_ifs))
    _say(screen, others)
    if found.best_s is not None:
        screen.print(Text(f"\n{method(found)}"))


def method(found: Tuning) -> str:
    """Return in one sentence how the answer was found."""
    how = "scored on outages that were simulated once"
    if found.simulated:
        how = f"each simulated in full ({found.simulated})"
    horizon = format_duration(found.scenario.end_s, 3)
    return (
        f"{len(found.curve)} intervals, {how}: {found.replications} replications of {horizon} to choose,"
        f" {found.fresh_replications} fresh ones to judge."
    )


def levers(screen: Console, found: Levers) -> None:
    """Print what to do first, and what each change earns."""
    first, *others = found.advice
    screen.print(Text(f"\n{first}\n", style="bold"))
    ettr = plus_minus(found.ettr.mean, found.ettr.half_width)
    screen.print(Text(f"ETTR as it is: {ettr}, {found.replications} replications"))
    if found.levers:
        screen.print()
        screen.print(_levers(found))
    _say(screen, others)


def _say(screen: Console, sentences: Sequence[Advice]) -> None:
    for advice in sentences:
        mark, style = ("! ", "yellow") if advice.warning else ("", "")
        screen.print(Text(f"\n{mark}{advice}", style=style))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0))
    for number, name in enumerate(columns):
        if number:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=WIDEST_NAME)
    return table


def _intervals(found: Tuning) -> Table:
    priced = found.scenario.costs is not None
    table = _table("", "interval", "recommended gains", "effective cards", *["money a year"] * priced)
    assert found.recommended_s is not None
    table.add_row("recommended", format_duration(found.recommended_s, 3), *[""] * (2 + priced))
    for gain in found.gains:
        table.add_row(
            NAMES[gain.over], duration(gain.interval_s, 0.0), *_worth(gain.worth, gain.distinguishable)
        )
    return table


def _worth(worth: Worth, distinguishable: bool) -> list[str]:
    """Return a difference in ETTR, in effective cards, and in money where cards have a price."""
    shown = worth.in_words
    return shown if distinguishable else [ALIKE, *[NOTHING] * (len(shown) - 1)]


def _curve(found: Tuning) -> Table:
    table = _table("interval", "ETTR", "")
    for one in _chosen(found):
        table.add_row(
            duration(one.interval_s),
            plus_minus(one.ettr.mean, one.ettr.half_width),
            _mark(found, one),
        )
    return table


def _mark(found: Tuning, one: Candidate) -> str:
    if one.interval_s == found.best_s:
        return "the best that was tried"
    return "" if one.told_apart else "cannot be told from it"


def _chosen(found: Tuning) -> list[Candidate]:
    """Return a few candidates: the best, the ends of the flat range, and others evenly spread by ratio."""
    assert found.range_s is not None
    curve = found.curve
    low, high = math.log(curve[0].interval_s), math.log(curve[-1].interval_s)
    wanted = [low + (high - low) * place / (CURVE_ROWS - 1) for place in range(CURVE_ROWS)]
    kept = {min(curve, key=lambda one: abs(math.log(one.interval_s) - at)).interval_s for at in wanted}
    kept |= {found.best_s or 0.0, *found.range_s}
    return [one for one in curve if one.interval_s in kept]


def _what_ifs(found: Sequence[WhatIf]) -> Table:
    table = _table("", "now", "best", "cannot be told apart", "ETTR", "effective cards", "of")
    for one in found:
        ettr, cards, flat = one.ettr, one.effective_gpus, one.range_s
        table.add_row(
            f"{one.path.rpartition('.')[2]} = {one.value}",
            duration(one.now_s, 0.0),
            duration(one.best_s),
            NOTHING if flat is None else f"{duration(flat[0])} to {duration(flat[1])}",
            NOTHING if ettr is None else plus_minus(ettr.mean, ettr.half_width),
            NOTHING if cards is None else plus_minus(cards.mean, cards.half_width),
            whole(one.gpus),
        )
    return table


def _levers(found: Levers) -> Table:
    priced = found.scenario.costs is not None
    table = _table("", "ETTR", "effective cards", *["money a year"] * priced)
    for lever in found.levers:
        table.add_row(Text(lever.name), *_worth(lever.worth, lever.distinguishable))
        table.add_row(Text(f"  {lever.change.text}", style="dim"), *[""] * (2 + priced))
    return table
