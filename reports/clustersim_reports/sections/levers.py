"""What one change each would earn, the largest first, and last what may be nothing."""

from __future__ import annotations

from clustersim.estimate import in_words
from clustersim.formatting import NOTHING, duration, points, whole
from clustersim.studies.levers import Levers, RankedLever
from clustersim.studies.study import ALIKE
from clustersim_reports import drawing
from clustersim_reports.blocks import Cell, Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, MUTED, ON_PAPER, PAPER, Plot
from clustersim_reports.run import interval

MOST_BARS, BAR = 18, 44
"""Bars that fit on one page of paper (the table holds all), and pixels per bar."""
NAME, NAME_ALONE = 32, 46
"""Characters for which there is room beside a gain on a narrow page, and without one."""
GAIN, LOSS, HOLLOW = "productive", "lost", "hollow"
SIGNS = {GAIN: "gain", LOSS: "loss", HOLLOW: "not distinguishable from no change"}


def section(levers: Levers) -> Section:
    """Return what each change would earn."""
    ranking = ranked(levers)
    priced = any(lever.change.price is not None for lever in ranking)
    rows = []
    for lever in ranking:
        cells = lever.worth.row(lever.distinguishable)
        rows.append(row(Cell(lever.name, lever.change.text), *cells.values(), *[_price(lever)] * priced))
    columns = [*(cells if ranking else ()), *["Price"] * priced]
    table = Table("What each change would earn by itself", columns, rows, "Change", "measures")
    return Section(
        "levers", "What each change would earn", [figure(levers), table] if rows else [], "The levers"
    )


def _price(lever: RankedLever) -> Cell:
    price, back = lever.change.price, lever.pays_back_s
    if price is None:
        return Cell(NOTHING, "not given")
    paid = "does not pay within this run" if lever.pays is False else ""
    paid = paid if back is None else f"paid back after {duration(back)}"
    return Cell(f"{whole(price.amount)} {price.currency}", paid)


def ranked(levers: Levers) -> list[RankedLever]:
    """Return the levers in their order, those that may be no change at all at the end."""
    return sorted(levers.levers, key=lambda lever: not lever.rank.distinguishable)


def kind(lever: RankedLever) -> str:
    """Return how the bar is drawn: filled for a gain, hatched for a loss, hollow for what may be nothing."""
    return (GAIN if lever.worth.ettr.mean > 0 else LOSS) if lever.distinguishable else HOLLOW


def gain(lever: RankedLever) -> str:
    """Return the gain in words."""
    return in_words(lever.worth.ettr, points) if lever.distinguishable else ALIKE


def figure(levers: Levers) -> Figure:
    """Return one bar per lever with its interval, its name and its gain above it.

    At the right end stands what that is in cards and money.
    """
    ranking = ranked(levers)
    top, more = ranking[:MOST_BARS], len(ranking[MOST_BARS:])
    ends = [100 * end for lever in top for end in lever.worth.ettr.interval if end is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    pad = max(0.03 * (high - low), 1e-3)
    span, look = [low - pad, high + pad], {"nticks": 7, "zeroline": True, "zerolinecolor": MUTED}
    across, labels = drawing.axis("gain in ETTR, percentage points", range=span, **look), []
    worth = [lever.worth.in_cards("cards") if lever.distinguishable else ALIKE for lever in top]
    for lever in top:
        name = drawing.text(lever.name, NAME if lever.distinguishable else NAME_ALONE)
        labels.append(f"{name} · <b>{gain(lever)}</b>" if lever.distinguishable else name)
    look = {"look": ON_PAPER, "barmode": "overlay"}
    plot = Plot.rows(data_of(levers), labels, BAR, across, ends=worth, **look)
    for place, lever in enumerate(top):
        marker = drawing.framed(PAPER, BLUE, 1.5) if kind(lever) == HOLLOW else drawing.hatching(kind(lever))
        lines = lever.name, f"{gain(lever)} ETTR", f"{in_words(lever.worth.effective_gpus)} effective cards"
        whiskers = drawing.whiskers(Data(plot.data.rows[place : place + 1]), "ettr_gain", 100)
        plot.bars([100 * lever.worth.ettr.mean], [place], marker, hover=[lines], error_x=whiskers)
    plot.legend += [key(sign, word) for sign, word in SIGNS.items() if sign in map(kind, top)]
    plot.legend += [key("whisker", "95 % interval")] * any(low is not None for low in plot.data["low"])
    caption = "Each is compared with the scenario as it is, on the same failures, in pairs."
    caption += f" {more} more in the table." if more else ""
    spoken = [f"{lever.name}: {gain(lever)}" for lever in top[:8]]
    return plot.figure("levers", "Gain of each change by itself", caption, spoken)


def data_of(levers: Levers) -> Data:
    """Return what each lever earns, in the order of `ranked`."""
    costs, rows = levers.scenario.costs, []
    for lever in ranked(levers):
        cards, earned = lever.worth.effective_gpus.mean, lever.worth.money
        point: Json = {"lever": lever.name, "change": lever.change.text}
        point |= interval("ettr_gain", lever.worth.ettr.interval)
        point |= {"distinguishable": lever.distinguishable, "effective_cards_gain": cards}
        point[f"{costs.currency if costs else 'unpriced'}_over_the_run"] = earned.mean if earned else None
        rows.append(point)
    return Data(rows)
