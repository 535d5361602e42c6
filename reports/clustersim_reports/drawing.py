"""What all drawings share: traces, axes and labels in the report's colours, as plotly's plain data.

A drawing is the JSON that the page's script hands to plotly.js, so that nothing here needs plotly's Python
classes; the tests read every drawing with them, which finds any setting that plotly does not know.  Text that
comes from a scenario goes through `text`, which every label and every hover text here does by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from clustersim.formatting import percent
from clustersim.units import DAY, HOUR, MINUTE, YEAR, format_duration
from clustersim_reports import theme

Json = dict[str, Any]
Position = tuple[float, float]

INK, MUTED, PAPER, RULE = (colour.light for colour in (theme.INK, theme.MUTED, theme.PAPER, theme.RULE))
BLUE, RED, GREEN, ORANGE = (
    theme.STYLES[entry].colour.light for entry in ("productive", "lost", "checkpoint", "recovery")
)
WIDE = "wide"
"""Name of labels that are left out where the page is narrow, because a table says the same."""
MOST_TICKS = 8
LABEL_HEIGHT = 0.13
"""Room that a label of two lines takes upwards, as a share of the axis."""
FINE, MIDDLE, COARSE = (
    (1e-3, 1e-2, 0.1, *seconds, *(MINUTE * n for n in minutes), *(HOUR * n for n in hours), *days)
    for seconds, minutes, hours, days in (
        ((1, 2, 5, 10, 20, 30), (1, 2, 5, 10, 20, 30), (1, 2, 4, 8), (DAY * n for n in (1, 2, 7, 30, 100))),
        ((1, 3, 10, 30), (1, 3, 10, 30), (1, 3, 8), (DAY * n for n in (1, 3, 10, 30, 100))),
        ((1, 10), (1, 10), (1, 8), (2 * DAY, 14 * DAY, 100 * DAY, YEAR)),
    )
)
"""Round durations (s) for the ticks of an axis: many, fewer, and one or two per unit."""


def text(words: str, limit: int = 0) -> str:
    """Return *words* for a label of plotly, which reads pseudo-HTML: markup in them stays visible text.

    With *limit*, longer words are cut to that many characters and end in an ellipsis.
    """
    if limit and len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rounded(values: Iterable[float | None], digits: int = 5) -> list[float | None]:
    """Return *values* to so many significant digits, None for what is not a finite number."""
    numbers = [math.nan if value is None else float(value) for value in values]
    return [float(f"{number:.{digits}g}") if math.isfinite(number) else None for number in numbers]


def trace(
    kind: str, x: Iterable[Any], y: Iterable[Any], hover: str = "", say: Iterable[Any] = (), **more: Any
) -> Json:
    """Return one trace; the *hover* text of a point may name the columns of its row in *say*."""
    on_hover: Json = {"hovertemplate": f"{hover}<extra></extra>"} if hover else {"hoverinfo": "skip"}
    if rows := [[text(cell) if isinstance(cell, str) else cell for cell in row] for row in say]:
        on_hover["customdata"] = rows
    return {"type": kind, "x": list(x), "y": list(y)} | on_hover | more


def line(x: Iterable[Any], y: Iterable[Any], stroke: Json, **more: Any) -> Json:
    """Return a line, with dots on it where *more* holds a marker."""
    mode = "lines+markers" if "marker" in more else "lines"
    return trace("scatter", x, y, **({"mode": mode, "line": stroke} | more))


def segments(ends: Iterable[tuple[Any, Any, Any, Any]], stroke: Json, **more: Any) -> Json:
    """Return lines by themselves, each from x, y to x, y."""
    points = [point for x, y, to_x, to_y in ends for point in ((x, y), (to_x, to_y), (None, None))]
    return line([x for x, _ in points], [y for _, y in points], stroke, connectgaps=False, **more)


def dots(x: Iterable[Any], y: Iterable[Any], marker: Json, **more: Any) -> Json:
    """Return points that no line joins."""
    return trace("scatter", x, y, mode="markers", marker=marker, **more)


def bars(x: Iterable[Any], y: Iterable[Any], marker: Json, **more: Any) -> Json:
    """Return horizontal bars: *x* is how long they are, *y* in which row."""
    return trace("bar", x, y, marker=marker, orientation="h", **more)


def stroke(colour: str, width: float, dash: str = "") -> Json:
    """Return how a line is drawn."""
    return {"color": colour, "width": width} | ({"dash": dash} if dash else {})


def sign(colour: Any, size: float, symbol: str = "circle", edge: Any = PAPER, width: float = 2.0) -> Json:
    """Return how a point is drawn; thin symbols consist of their *edge* alone."""
    edge = colour if symbol.endswith("thin") else edge
    return {"color": colour, "size": size, "symbol": symbol, "line": {"color": edge, "width": width}}


def hatching(entry: str) -> Json:
    """Return the marker of bars of one ledger entry: its colour, its hatching, a thin edge around it."""
    style = theme.STYLES[entry]
    marker: Json = {"color": style.colour.light, "line": {"color": PAPER, "width": 1}}
    if style.pattern:
        look = {"fillmode": "overlay", "shape": style.pattern, "size": style.size, "solidity": 0.22}
        marker["pattern"] = look | {"fgcolor": theme.HATCH.light}
    return marker


def whiskers(points: Iterable[tuple[Any, Any, Any]]) -> Json:
    """Return the error bars of points given as mean, low and high; there is none where one is None."""
    lengths = [
        (0.0, 0.0) if None in point else (point[0] - point[1], point[2] - point[0]) for point in points
    ]
    down, up = [max(low, 0.0) for low, _ in lengths], [max(high, 0.0) for _, high in lengths]
    look = {"color": INK, "symmetric": False, "thickness": 1.5, "type": "data", "width": 5}
    return look | {"array": up, "arrayminus": down}


def axis(title: str = "", **more: Any) -> Json:
    """Return a calm axis: faint grid, no zero line, muted labels, no zooming."""
    heading: Json = {"font": {"color": MUTED, "size": 12}, "standoff": 8} | ({"text": title} if title else {})
    look = {"automargin": True, "fixedrange": True, "gridcolor": RULE, "linecolor": RULE, "zeroline": False}
    return look | {"tickfont": {"color": MUTED, "size": 12}, "title": heading} | more


def bare(**more: Any) -> Json:
    """Return an axis of which nothing is seen."""
    seen = ("showgrid", "showline", "showticklabels", "zeroline")
    return {"fixedrange": True, "ticks": "", **dict.fromkeys(seen, False)} | more


def log_axis(low: float, high: float, ticks: list[float], say: Callable[[float], str], **more: Any) -> Json:
    """Return a logarithmic axis from *low* to *high*, its *ticks* written as *say* does."""
    words = [say(tick) for tick in ticks]
    look: Json = {"tickvals": ticks, "ticktext": words, "tickangle": 0, "type": "log"}
    return axis(**(look | {"range": [math.log10(low), math.log10(high)]} | more))


def count_axis(low: float, high: float, **more: Any) -> Json:
    """Return a logarithmic axis of counts."""
    return log_axis(low, high, decades(low, high), compact, **more)


def duration_axis(low: float, high: float, most: int = MOST_TICKS, **more: Any) -> Json:
    """Return a logarithmic axis of durations (s) with about so many ticks at *most*."""
    return log_axis(low, high, durations(low, high, most), format_duration, **more)


def durations(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round durations (s) between the ends of a log axis, fewer of them where it is long."""
    fine, middle, coarse = ([t for t in ticks if low <= t <= high] for ticks in (FINE, MIDDLE, COARSE))
    return next((ticks for ticks in (fine, middle) if len(ticks) <= most), coarse)


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten between the ends of a log axis; 1, 2 and 5 of each where those are few."""
    ticks = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if len(ticks) > 1:
        return ticks
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [n * 10.0**power for power in powers for n in (1, 2, 5) if low <= n * 10.0**power <= high]


def share_of(value: float, low: float, high: float) -> float:
    """Return where *value* stands on a log axis, as a share of its length."""
    return math.log(value / low) / math.log(high / low)


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the unit in which a span of *seconds* reads well: its seconds, and its plural."""
    units = ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes"), (0.0, "seconds"))
    return next((size or 1.0, name) for size, name in units if seconds >= 3 * size)


def time_axis(length: float, since: str, **more: Any) -> Json:
    """Return an axis of *length* (s), in a unit in which it reads well, that begins at *since*."""
    size, name = time_unit(length)
    return axis(f"{name} since {since}", range=[0, length / size], showgrid=False, **more)


def compact(value: float) -> str:
    """Return a count in few characters, for an axis: `100k`, `1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def note(words: str, x: float, y: float, colour: str = INK, size: int = 12, **more: Any) -> Json:
    """Return a label without an arrow, at data coordinates unless *more* says otherwise."""
    font = {"color": colour, "size": size}
    return {"font": font, "showarrow": False, "text": words, "x": x, "y": y, "yanchor": "bottom"} | more


def anchor(share: float, room: float) -> str:
    """Return on which side a label ends that needs *room*, at a *share* of the axis."""
    return "left" if share < room else "right" if share > 1 - room else "center"


def corner(words: str, upward: str = "y") -> Json:
    """Return the name of an *upward* axis, set above its upper end."""
    return note(words, 0, 1, MUTED, xref="paper", yref=f"{upward} domain", xanchor="left", yshift=6)


def rule(look: Json, x: Position, y: Position, **more: Any) -> Json:
    """Return a line, or another shape, behind the data: from the first to the second of *x* and *y*."""
    ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
    return {"type": "line", "layer": "below", "line": look} | ends | more


def with_room(places: Sequence[Position], wide: float, narrow: float) -> list[Json | None]:
    """Return what labels at *places*, shares of both axes, need to keep clear of those before them.

    A label takes a share of the axis on a *wide* and on a *narrow* page.  None has no room on either, and one
    named `WIDE` has none where the page is narrow.
    """
    occupied: list[list[Position]] = [[], []]
    needs: list[Json | None] = []
    for across, up in places:
        free_on = [
            all(abs(x - across) >= width or abs(y - up) >= LABEL_HEIGHT for x, y in before)
            for width, before in zip((wide, narrow), occupied, strict=True)
        ]
        for before, is_free in zip(occupied, free_on, strict=True):
            before += [(across, up)] * is_free
        needs.append(({} if free_on[1] else {"name": WIDE}) if free_on[0] else None)
    return needs


def rows(traces: Iterable[Json], names: Sequence[Json], height: int, **layout: Any) -> Json:
    """Return a drawing of horizontal bars, a row of *height* pixels for each of the *names* set above it."""
    notes = [note("", 0, row, xanchor="left") | name for row, name in enumerate(names)]
    up, margin = bare(range=[len(names) - 0.55, -0.75]), {"b": 46, "l": 10, "r": 14, "t": 4}
    common: Json = {"bargap": 0.62, "barmode": "stack", "margin": margin, "yaxis": up}
    return sheet(traces, 66 + height * len(names), **(common | {"annotations": notes} | layout))


def shares(entry: str, values: Sequence[float], names: Iterable[str], **more: Any) -> Json:
    """Return a bar in each row for one ledger entry: the shares of all card-hours that it takes, by name."""
    texts = zip(names, map(percent, values), strict=True)
    hover, lengths = f"%{{customdata[0]}}<br>{entry}: %{{customdata[1]}}", [100 * value for value in values]
    return bars(rounded(lengths), range(len(lengths)), hatching(entry), hover=hover, say=texts, **more)


def sheet(traces: Iterable[Json], height: int, **layout: Any) -> Json:
    """Return a drawing *height* pixels high, in the report's type and colours."""
    font = {"color": INK, "family": theme.FONT, "size": 13}
    common = {
        "bargap": 0.5,
        "dragmode": False,
        "font": font,
        "height": height,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": font},
        "margin": {"b": 46, "l": 8, "r": 14, "t": 30},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "showlegend": False,
    }
    return {"data": list(traces), "layout": common | layout}
