"""The page of levers: what one change each would earn, the largest first, what may be nothing last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from clustersim.formatting import NOTHING, duration, points, whole
from clustersim_reports import drawing, study
from clustersim_reports.blocks import Cell, Data, Fact, Figure, Page, Row, Section, Table, key
from clustersim_reports.drawing import BLUE, MUTED, PAPER, Json
from clustersim_reports.run import ends_of, estimate_text

if TYPE_CHECKING:
    from clustersim.studies.levers import Lever, Levers

MOST_BARS, ROW = 18, 44
"""Bars that fit on one page of paper (the table holds all), and pixels per bar."""
NAME, NAME_ALONE = 32, 46
"""Characters for which there is room beside a gain on a narrow page, and without one."""
GAIN, LOSS, HOLLOW = "productive", "lost", "hollow"
SIGNS = {GAIN: "gain", LOSS: "loss", HOLLOW: "not distinguishable from no change"}


def page(levers: Levers, command: str | None = None, finished: str = "") -> Page:
    """Return the page of *levers*; *finished* says when they were."""
    method = {"changes": str(len(levers.levers)), "replications": f"{levers.replications} of each, paired"}
    return study.page(
        levers,
        "what to improve first",
        headline(levers),
        _facts(levers),
        answer=levers.advice,
        sections=[section(levers)],
        making=study.making(levers, method, command, finished),
    )


def headline(levers: Levers) -> str:
    """Return the answer in a few words."""
    if not levers.levers:
        return "There is nothing to improve."
    best = next((lever.name for lever in levers.helpful), "no change makes a difference beyond chance")
    return f"{best[:1].upper()}{best[1:]}."


def _facts(levers: Levers) -> Iterator[Fact]:
    yield Fact("ETTR as it is", estimate_text(levers.ettr), "productive share of all card-time")
    for lever in levers.helpful[:1]:
        yield Fact("Gain of the first change", estimate_text(lever.worth.ettr, points), "of ETTR, by itself")
        cards = estimate_text(lever.worth.effective_gpus)
        yield Fact("In effective cards", cards, "cards that train all the time")
        for money in lever.worth.in_words[2:]:
            yield Fact("In money", money, "a year")


def section(levers: Levers) -> Section | None:
    """Return what each change would earn, or None where there is none."""
    if not levers.levers:
        return None
    priced = any(lever.change.price is not None for lever in levers.levers)
    rows = [
        Row(
            Cell(lever.name, lever.change.text),
            [*study.cells(lever.worth, lever.distinguishable), *[_price(lever)] * priced],
        )
        for lever in ranked(levers)
    ]
    columns = [*study.columns(levers.scenario), *["Price"] * priced]
    table = Table("What each change would earn by itself", columns, rows, "Change", "measures")
    return Section("levers", "The levers", "What each change would earn", [figure(levers), table])


def _price(lever: Lever) -> Cell:
    price, back = lever.change.price, lever.pays_back_s
    if price is None:
        return Cell(NOTHING, "not given")
    paid = "" if back is None else f"paid back after {duration(back)}"
    return Cell(f"{whole(price.amount)} {price.currency}", paid)


def ranked(levers: Levers) -> list[Lever]:
    """Return the levers by what they earn, those that may be no change at all at the end."""
    return sorted(levers.levers, key=lambda lever: (not lever.distinguishable, -lever.worth.ettr.mean))


def kind(lever: Lever) -> str:
    """Return how the bar is drawn: filled for a gain, hatched for a loss, hollow for what may be nothing."""
    return (GAIN if lever.worth.ettr.mean > 0 else LOSS) if lever.distinguishable else HOLLOW


def gain(lever: Lever) -> str:
    """Return the gain in words."""
    return estimate_text(lever.worth.ettr, points) if lever.distinguishable else study.ALIKE


def figure(levers: Levers) -> Figure:
    """Return one bar per lever with its interval, its name and its gain above it."""
    ranking, costs = ranked(levers), levers.scenario.costs
    top, more = ranking[:MOST_BARS], len(ranking[MOST_BARS:])
    columns = ("lever", "change", "ettr_gain", "low", "high", "distinguishable", "effective_cards_gain")
    rows = []
    for lever in ranking:
        worth = lever.worth
        amounts = lever.distinguishable, worth.effective_gpus.mean, ends_of(worth.money_per_year)[0]
        rows.append((lever.name, lever.change.text, *ends_of(worth.ettr), *amounts))
    data = Data((*columns, f"{'unpriced' if costs is None else costs.currency}_per_year"), rows)
    caption = "Each is compared with the scenario as it is, on the same failures, in pairs."
    caption += f" {more} more in the table." if more else ""
    spoken = "; ".join(f"{lever.name}: {gain(lever)}" for lever in top[:8])
    legend = [
        *(key(sign, word) for sign, word in SIGNS.items() if sign in map(kind, top)),
        *[key("whisker", "95 % interval")] * any(low is not None for low in data["low"]),
    ]
    title, bars = "Gain of each change by itself", _drawing(top, levers)
    return Figure("levers", title, caption, spoken, legend, bars, data)


def _drawing(top: Sequence[Lever], levers: Levers) -> Json:
    """Return the bars, above each its name and gain, and at the right end what that is in cards and money."""
    gains = [ends_of(lever.worth.ettr.scaled(100)) for lever in top]
    ends = [end for gain in gains for end in gain if end is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    pad = max(0.03 * (high - low), 1e-3)
    left: Json = {"bgcolor": PAPER, "borderpad": 0, "x": low - pad, "yshift": 8}
    right = drawing.note("", 0, 0, MUTED, name=drawing.WIDE) | left | {"x": high + pad, "xanchor": "right"}
    names, worth = [], []
    for lever in top:
        certain, cards = lever.distinguishable, study.in_cards(lever.worth, "cards")
        name = drawing.text(lever.name, NAME if certain else NAME_ALONE)
        names.append(f"{name} · <b>{gain(lever)}</b>" if certain else name)
        worth.append(cards if certain else gain(lever))
    axis: Json = {"range": [low - pad, high + pad], "nticks": 7, "zeroline": True, "zerolinecolor": MUTED}
    sheet = drawing.rows(
        [_bars(top, sign) for sign in SIGNS],
        [left | {"text": name} for name in names],
        ROW,
        barmode="overlay",
        xaxis=drawing.axis("gain in ETTR, percentage points", **axis),
    )
    sheet["layout"]["annotations"] += [right | {"text": words, "y": row} for row, words in enumerate(worth)]
    return sheet


def _bars(top: Sequence[Lever], sign: str) -> Json:
    """Return the bars of one kind, each in its row."""
    rows = [(row, lever) for row, lever in enumerate(top) if kind(lever) == sign]
    hollow = {"color": PAPER, "line": {"color": BLUE, "width": 1.5}}
    gains = [ends_of(lever.worth.ettr.scaled(100)) for _, lever in rows]
    return drawing.bars(
        drawing.rounded(mean for mean, _, _ in gains),
        [row for row, _ in rows],
        hollow if sign == HOLLOW else drawing.hatching(sign),
        error_x=drawing.whiskers(gains),
        hover="%{customdata[0]}<br>%{customdata[1]} ETTR<br>%{customdata[2]} effective cards",
        say=[(lever.name, gain(lever), estimate_text(lever.worth.effective_gpus)) for _, lever in rows],
    )
