"""Cards against effective cards: what each step up in size adds, and what an effective card-hour costs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from reports import theme
from reports.figures import base
from sim.digits import measured, money, percent, whole

if TYPE_CHECKING:
    from sim.results import Results, Step

COST_SHARE = 0.26


class SizePoint(NamedTuple):
    """One scenario: its cards, the effective ones with their 95 % interval, and the price of one for an hour.

    `effective` is None where the job makes no progress, `price` where nothing is priced or nothing is made.
    """

    name: str
    gpus: int
    effective: float | None
    low: float | None
    high: float | None
    ettr: float
    price: float | None
    price_width: float | None = None


class SizeStep(NamedTuple):
    """From one size to the next: the extra cards and the extra effective cards, with half a 95 % interval."""

    smaller: str
    larger: str
    extra_cards: int
    extra_effective: float
    half_width: float | None

    @property
    def marginal(self) -> float:
        """Extra effective cards per extra card."""
        return self.extra_effective / self.extra_cards


class SizeData(NamedTuple):
    """Scenarios by size, and the steps between them; of several scenarios of one size the first counts."""

    points: tuple[SizePoint, ...]
    steps: tuple[SizeStep, ...]
    currency: str | None


def size_data(results: Sequence[Results], steps: Sequence[Step]) -> SizeData | None:
    """Return the sizes of *results* in rising order, or None where there are fewer than two."""
    ordered = sorted(results, key=lambda result: int(result.summary["gpus"]))
    if len({result.summary["gpus"] for result in ordered}) < 2:
        return None
    currencies = {result.summary.get("currency") for result in ordered} - {None}
    return SizeData(
        points=tuple(_point(result, priced=len(currencies) == 1) for result in ordered),
        steps=tuple(_step(step) for step in steps),
        currency=currencies.pop() if len(currencies) == 1 else None,
    )


def _point(result: Results, priced: bool) -> SizePoint:
    summary = result.summary
    ettr = summary["ettr"]
    scale = summary["gpus"] * (summary.get("scaling_efficiency") or 1.0)
    idle = summary["no_progress"]
    ends = (None, None) if idle else (ettr.get("low"), ettr.get("high"))
    return SizePoint(
        name=summary["name"],
        gpus=summary["gpus"],
        effective=None if idle else summary["effective_gpus"],
        low=None if ends[0] is None else scale * ends[0],
        high=None if ends[1] is None else scale * ends[1],
        ettr=ettr["mean"],
        price=(summary.get("cost") or {}).get("per_effective_gpu_hour") if priced and not idle else None,
        price_width=summary["margins"].get("cost.per_effective_gpu_hour"),
    )


def _step(step: Step) -> SizeStep:
    extra = step.extra_effective_gpus
    return SizeStep(step.smaller, step.larger, step.extra_gpus, extra.mean, extra.half_width)


def size_table(data: SizeData) -> base.Table:
    """Return one row per scenario, with the marginal return of the step that leads to it."""
    steps = {step.larger: step.marginal for step in data.steps}
    columns = ("scenario", "cards", "effective_cards", "low", "high", "ettr", "marginal_return")
    price = f"price_per_effective_card_hour_{data.currency or 'unpriced'}"
    rows = tuple((*point[:6], steps.get(point.name), point.price) for point in data.points)
    return base.Table((*columns, price), rows)


def size_figure(data: SizeData) -> go.Figure:
    """Return effective cards over cards on log axes, the ideal beside them, and the price of one below."""
    priced = any(point.price for point in data.points)
    floor, top = _span(data)
    left, right = data.points[0].gpus / 2.1, data.points[-1].gpus * 2.1
    ideal = _ideal(max(left, floor), min(right, top))
    traces = [*ideal, *_falls(data, floor), _line(data), _intervals(data), _stuck(data, floor)]
    ticks = _decades(left, right)
    across = base.axis(type="log", range=[math.log10(left), math.log10(right)], tickvals=ticks)
    across |= {"ticktext": [compact(tick) for tick in ticks], "anchor": "y"}
    bottom = COST_SHARE + 0.12 if priced else 0.0
    upward = base.axis(type="log", range=[math.log10(floor), math.log10(top)], domain=[bottom, 1])
    upward |= {"tickvals": _decades(floor, top), "ticktext": [compact(tick) for tick in _decades(floor, top)]}
    layout: dict[str, Any] = {
        "annotations": [
            _corner("effective cards", 1.0),
            *_names(data, floor),
            *_returns(data, floor),
            _diagonal(max(left, floor), min(right, top)),
        ],
        "margin": {"b": 44, "l": 8, "r": 14, "t": 30},
        "xaxis": across | {"title": base.titled("cards that are paid for")["title"]},
        "yaxis": upward,
    }
    if not priced:
        return base.sheet(traces, 440, layout)
    layout["xaxis"] = across
    layout["xaxis2"] = across | {"anchor": "y2", "title": base.titled("cards that are paid for")["title"]}
    layout["yaxis2"] = _price_axis(data)
    layout["annotations"] += [_corner(f"{data.currency} per effective card-hour", COST_SHARE), *_prices(data)]
    return base.sheet([*traces, _price_marks(data)], 580, layout)


def _span(data: SizeData) -> tuple[float, float]:
    """Return the ends of the upward axis: below the smallest result, with room for jobs that are stuck."""
    shown = [point.effective for point in data.points if point.effective]
    stuck = any(point.effective is None for point in data.points)
    least = min([*shown, data.points[0].gpus])
    return least / (9 if stuck else 2.6), data.points[-1].gpus * 2.1


def _decades(low: float, high: float) -> list[float]:
    ticks = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if len(ticks) > 1:
        return ticks
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10**power <= high
    ]


def _ideal(low: float, high: float) -> list[go.Scatter]:
    line = {"color": theme.MUTED.light, "dash": "dash", "width": 1.2}
    return [go.Scatter(x=[low, high], y=[low, high], mode="lines", line=line, hoverinfo="skip")]


def _diagonal(low: float, high: float) -> dict[str, object]:
    place = math.log10(low) + 0.62 * (math.log10(high) - math.log10(low))
    font = {"color": theme.MUTED.light, "size": 12}
    return base.note(
        "every card trains", place, place, font=font, xanchor="right", yanchor="bottom", yshift=4
    )


def _line(data: SizeData) -> go.Scatter:
    """The results as filled dots, joined where each has a size of its own."""
    points = [point for point in data.points if point.effective]
    colour = theme.STYLES["productive"].colour.light
    return go.Scatter(
        customdata=[[base.text(point.name), _said(point), percent(point.ettr)] for point in points],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>ETTR %{customdata[2]}<extra></extra>",
        line={"color": colour, "width": 2.5},
        marker={"color": colour, "line": {"color": theme.PAPER.light, "width": 2}, "size": 13},
        mode="lines+markers" if _one_each(data) else "markers",
        x=[point.gpus for point in points],
        y=base.rounded([point.effective or 0.0 for point in points]),
    )


def _one_each(data: SizeData) -> bool:
    """Return whether each scenario has a size of its own: only then does a line through them make sense."""
    return len({point.gpus for point in data.points}) == len(data.points)


def _said(point: SizePoint) -> str:
    width = None if point.low is None or point.high is None else (point.high - point.low) / 2
    return f"{measured(point.effective, width)} of {whole(point.gpus)} cards"


def _intervals(data: SizeData) -> go.Scatter:
    """The 95 % intervals as thin bars through the dots; mostly they hide inside them."""
    points = [p for p in data.points if p.effective and p.low is not None and p.high is not None]
    return go.Scatter(
        error_y={
            "array": [(point.high or 0) - (point.effective or 0) for point in points],
            "arrayminus": [(point.effective or 0) - (point.low or 0) for point in points],
            "color": theme.INK.light,
            "symmetric": False,
            "thickness": 1.5,
            "type": "data",
            "width": 5,
        },
        hoverinfo="skip",
        marker={"color": theme.INK.light, "size": 1},
        mode="markers",
        x=[point.gpus for point in points],
        y=[point.effective for point in points],
    )


def _stuck(data: SizeData, floor: float) -> go.Scatter:
    """Jobs without progress, as crosses on the floor of a logarithmic axis that has no zero."""
    points = [point for point in data.points if point.effective is None]
    colour = theme.STYLES["lost"].colour.light
    return go.Scatter(
        customdata=[[base.text(point.name)] for point in points],
        hovertemplate="%{customdata[0]}<br>no progress<extra></extra>",
        marker={"color": colour, "line": {"color": colour, "width": 2.5}, "size": 13, "symbol": "x-thin"},
        mode="markers",
        x=[point.gpus for point in points],
        y=[floor * 1.35] * len(points),
    )


def _falls(data: SizeData, floor: float) -> list[go.Scatter]:
    """The steps into or out of no progress, as dotted lines to the cross on the floor."""
    if not _one_each(data):
        return []
    line = {"color": theme.STYLES["lost"].colour.light, "dash": "dot", "width": 1.5}
    return [
        go.Scatter(
            hoverinfo="skip",
            line=line,
            mode="lines",
            x=[one.gpus, two.gpus],
            y=[one.effective or floor * 1.35, two.effective or floor * 1.35],
        )
        for one, two in itertools.pairwise(data.points)
        if one.effective is None or two.effective is None
    ]


def _names(data: SizeData, floor: float) -> list[dict[str, object]]:
    """Return the label of each point: below dots, above crosses; the first and the last lean inwards."""
    last = len(data.points) - 1
    return [
        _name(point, floor, {0: "left", last: "right"}.get(order, "center"))
        for order, point in enumerate(data.points)
    ]


def _name(point: SizePoint, floor: float, side: str) -> dict[str, object]:
    place = math.log10(point.gpus)
    name = f"<b>{base.text(point.name, 18)}</b><br>"
    if point.effective is None:
        words, height = f"{name}no progress", math.log10(floor * 1.35)
        return base.note(words, place, height, xanchor=side, align=side, yanchor="bottom", yshift=12)
    words, height = name + _said_short(point), math.log10(point.effective)
    shift = {"left": -6, "right": 6}.get(side, 0)
    return base.note(words, place, height, xanchor=side, align=side, xshift=shift, yanchor="top", yshift=-11)


def _said_short(point: SizePoint) -> str:
    width = None if point.low is None or point.high is None else (point.high - point.low) / 2
    return f"{measured(point.effective, width)} effective"


def _returns(data: SizeData, floor: float) -> list[dict[str, object]]:
    """Return what each step adds, written at its middle."""
    places = {p.name: (p.gpus, p.effective or floor * 1.35) for p in data.points}
    return [_return(step, places[step.smaller], places[step.larger]) for step in data.steps]


def _return(step: SizeStep, start: tuple[float, float], end: tuple[float, float]) -> dict[str, object]:
    across, up = (math.log10(start[axis] * end[axis]) / 2 for axis in (0, 1))
    font = {"color": theme.INK.light, "size": 12}
    return base.note(
        step_words(step), across, up, font=font, bgcolor=theme.PAPER.light, borderpad=3, name=base.WIDE
    )


def step_words(step: SizeStep) -> str:
    """Return what a step up in size adds: `90k more cards`, `each adds 0.40 cards`."""
    width = None if step.half_width is None else step.half_width / step.extra_cards
    if step.extra_effective < 0:
        gain = f"cost {measured(-step.extra_effective, step.half_width)} effective"
    else:
        gain = f"each adds {measured(step.marginal, width)}"
    return f"{compact(step.extra_cards)} more cards<br>{gain}"


def _corner(words: str, height: float) -> dict[str, object]:
    font = {"color": theme.MUTED.light, "size": 12}
    return base.note(
        words, 0, height, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=6, font=font
    )


def _price_axis(data: SizeData) -> dict[str, object]:
    prices = [point.price for point in data.points if point.price]
    low, high = min(prices) / 1.7, max(prices) * 2.6
    ticks = _decades(low, high)
    settings = base.axis(type="log", range=[math.log10(low), math.log10(high)], domain=[0, COST_SHARE])
    return settings | {"anchor": "x2", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _price_marks(data: SizeData) -> go.Scatter:
    points = [point for point in data.points if point.price]
    colour = theme.STYLES["recovery"].colour.light
    return go.Scatter(
        hoverinfo="skip",
        line={"color": colour, "dash": "dot", "width": 2},
        marker={"color": colour, "size": 10, "symbol": "diamond"},
        mode="lines+markers" if _one_each(data) else "markers",
        x=[point.gpus for point in points],
        xaxis="x2",
        y=base.rounded([point.price or 0.0 for point in points]),
        yaxis="y2",
    )


def _prices(data: SizeData) -> list[dict[str, object]]:
    refs = {"xref": "x2", "yref": "y2", "yanchor": "bottom", "yshift": 7}
    prices = [point.price for point in data.points if point.price]
    return [
        base.note(
            money(point.price, data.currency or "", point.price_width) if point.price else "no progress",
            math.log10(point.gpus),
            math.log10(point.price or min(prices)),
            **refs,
        )
        for point in data.points
    ]


def compact(value: float) -> str:
    """Return a count in few characters, for an axis: `100k`, `1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
