"""How every figure is drawn: traces, axes and labels in the report's colours, as plotly's plain data.

A drawing is the JSON that the page's script hands to plotly.js, so that nothing here needs plotly's Python
classes; the tests read every drawing with them, which finds any setting that plotly does not know.  A section
makes a `Plot` of its data, adds traces (each with its sign in the legend) and labels, and takes the figure:

    plot = Plot(data, 300, x=count_axis(1e3, 1e6, title="cards"), y=axis(range=[0, 1]))
    plot.line("cards", "ettr", BLUE, 2.5, key=key("line", "mean ETTR"))
    return plot.figure("size", "ETTR by size", "One point for each scenario.", "from 0.94 to 0.01")

plotly reads pseudo-HTML in labels.  What comes from a scenario goes through `text`, which hover texts do by
themselves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from clustersim.units import DAY, HOUR, MINUTE, YEAR, format_duration
from clustersim_reports import theme
from clustersim_reports.blocks import Cell, Data, Figure, Json, key
from clustersim_reports.blocks import rounded as rounded

Position: TypeAlias = tuple[float, float]
Lines: TypeAlias = Sequence[str]
Label: TypeAlias = tuple[str, float, float, Json]
"""Words, where they stand, and how they look: what `Plot.note` takes."""

INK, MUTED, PAPER, RULE = (colour.light for colour in (theme.INK, theme.MUTED, theme.PAPER, theme.RULE))
BLUE, RED, GREEN, ORANGE = (
    theme.STYLES[entry].colour.light for entry in ("productive", "lost", "checkpoint", "recovery")
)
ON_PAPER: Json = {"bgcolor": PAPER, "borderpad": 0}
"""The look of labels that hide the lines behind them."""
WIDE = "wide"
"""Name of labels that are left out where the page is narrow, because a table says the same."""
MOST_TICKS, MOST_VALUES = 8, 7
"""Ticks of an axis of durations, and of one with values as a scenario writes them."""
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


class Plot:
    """A figure in the making, *height* pixels high, over the axes *x* and *y*, and others in its *layout*.

    What is drawn is given as values, or as the name of a column of the data.  Labels are given at the values
    of their axes, also where an axis is logarithmic.
    """

    def __init__(self, data: Data, height: float, *, x: Json, y: Json, **layout: Any) -> None:
        font = {"color": INK, "family": theme.FONT, "size": 13}
        common = {
            "bargap": 0.5,
            "dragmode": False,
            "font": font,
            "height": round(height),
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": font},
            "margin": {"b": 48, "l": 8, "r": 14, "t": 30},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "showlegend": False,
        }
        self.data = data
        self.legend: list[Cell] = []
        self._traces: list[Json] = []
        self._notes: list[Json] = []
        self._shapes: list[Json] = []
        self.layout: Json = common | {"xaxis": x, "yaxis": y} | layout

    @classmethod
    def rows(cls, data: Data, names: Sequence[str], height: float, x: Json, /, **layout: Any) -> Plot:
        """Return a plot for horizontal bars: *height* pixels for each row, with its name above its bars.

        The *look* of the names may be part of the layout, and *ends*: words at the right end of each row,
        where the page is wide.
        """
        look: Json = {"xanchor": "left", "yshift": 8} | layout.pop("look", {})
        ends, (low, high) = layout.pop("ends", ()), x["range"]
        up, margin = bare(range=[len(names) - 0.55, -0.75]), {"b": 46, "l": 10, "r": 14, "t": 4}
        common: Json = {"bargap": 0.62, "barmode": "stack", "margin": margin}
        plot = cls(data, 66 + height * len(names), x=x, y=up, **(common | layout))
        for place, name in enumerate(names):
            plot.note(name, low, place, **look)
        for place, words in enumerate(ends):
            plot.note(words, high, place, MUTED, **(look | {"name": WIDE, "xanchor": "right"}))
        return plot

    def figure(self, name: str, title: str, caption: str, spoken: str | Iterable[str]) -> Figure:
        """Return the figure with its words; what is *spoken* may be given point by point."""
        words = spoken if isinstance(spoken, str) else "; ".join(spoken)
        layout = self.layout | {"annotations": self._notes, "shapes": self._shapes}
        drawing = {"data": self._traces, "layout": layout}
        return Figure(name, title, caption, words, self.legend, drawing, self.data)

    def add(
        self,
        kind: str,
        x: str | Iterable[Any],
        y: str | Iterable[Any],
        *,
        hover: str | Iterable[Lines] = "",
        sign: Cell | None = None,
        **look: Any,
    ) -> None:
        """Add a trace with its item of the legend, unless there is nothing to draw.

        *hover* is plotly's pattern for a number, or the lines of each point.
        """
        across, up = (self.data[values] if isinstance(values, str) else list(values) for values in (x, y))
        shown: Json = {"hoverinfo": "skip"}
        if isinstance(hover, str) and hover:
            shown = {"hovertemplate": f"{hover}<extra></extra>"}
        elif hover:
            shown = {"hoverinfo": "text", "hovertext": ["<br>".join(map(text, lines)) for lines in hover]}
        if any(value is not None for value in up):
            self._traces.append({"type": kind, "x": rounded(across), "y": rounded(up)} | shown | look)
            self.legend += [sign] if sign else []

    def line(self, x: Any, y: Any, colour: str, width: float, dash: str = "", /, **more: Any) -> None:
        """Add a line, with dots on it where *more* holds a marker."""
        mode = "lines+markers" if "marker" in more else "lines"
        self.add("scatter", x, y, **({"mode": mode, "line": stroke(colour, width, dash)} | more))

    def band(self, x: Any, low: Any, high: Any, hover: Lines = ("", "")) -> None:
        """Add the area between two lines, and what hovers over each of them."""
        self.line(x, low, BLUE, 0, hover=hover[0])
        self.line(x, high, BLUE, 0, hover=hover[1], fill="tonexty", fillcolor=theme.BAND.light)

    def history(self, replications: int, pattern: str, scale: float = 1.0, shape: str = "linear") -> None:
        """Add curves over time: the mean of all replications with their band, and replication 0.

        The data hold them from the second column on: time, mean, P10, P90, replication 0.  They are drawn
        *scale* times as high; *pattern* is plotly's of a number, *shape* that of one replication.
        """
        times, *columns = (self.data[name] for name in self.data.columns[1:6])
        mean, p10, p90, first = ([None if y is None else scale * y for y in column] for column in columns)
        thin, single = stroke(MUTED, 1), f"replication 0: {pattern}"
        if replications < 2:
            thin = stroke(BLUE, 1.5)
            self.legend.append(key("line", "the one replication"))
        else:
            signs = {"line": "mean", "band": "P10 to P90 of replications", "thin": "replication 0"}
            self.legend += itertools.starmap(key, signs.items())
            self.band(times, p10, p90, (f"P10: {pattern}", f"P90: {pattern}"))
        self.line(times, first, BLUE, 1, hover=single, line=thin | {"shape": shape})
        if replications > 1:
            self.line(times, mean, BLUE, 2.5, hover=f"mean: {pattern}")

    def first_finish(self, run_s: float | None, unit: float, count: int) -> None:
        """Mark where the first of *count* replications has finished (s), with which mean and band end."""
        if run_s is not None:
            self.upright(run_s / unit)
            words, side = f"first of {count} replications done", "right"
            self.note(words, run_s / unit, 1, MUTED, 11, yref="y domain", xanchor=side, xshift=-4)

    def segments(
        self,
        ends: Iterable[tuple[Any, Any, Any, Any]],
        colour: str,
        width: float,
        dash: str = "",
        **more: Any,
    ) -> None:
        """Add lines by themselves, each from x, y to x, y."""
        points = [point for x, y, to_x, to_y in ends for point in ((x, y), (to_x, to_y), (None, None))]
        across, up = ([point[way] for point in points] for way in (0, 1))
        self.line(across, up, colour, width, dash, connectgaps=False, **more)

    def dots(self, x: Any, y: Any, marker: Json, **more: Any) -> None:
        """Add points that no line joins."""
        self.add("scatter", x, y, **({"mode": "markers", "marker": marker} | more))

    def bars(self, lengths: Any, rows: Any, marker: Json, **more: Any) -> None:
        """Add horizontal bars."""
        self.add("bar", lengths, rows, marker=marker, orientation="h", **more)

    def shares(
        self, entry: str, values: Sequence[float], names: Sequence[str], texts: Iterable[str], **more: Any
    ) -> None:
        """Add a bar in each row for one ledger entry: the shares of all card-hours that it takes.

        Over a bar stand its name and its share as the *texts* have it, so that all of them add up.
        """
        lines = [(name, f"{entry}: {words}") for name, words in zip(names, texts, strict=True)]
        lengths, rows = [100 * value for value in values], range(len(values))
        self.bars(lengths, rows, hatching(entry), hover=lines, sign=key(entry), **more)

    def note(self, words: str, x: float, y: float, colour: str = INK, size: int = 12, /, **more: Any) -> None:
        """Add a label without an arrow, at values of the axes unless *more* says otherwise."""
        place = {"x": self._at(more.get("xref", "x"), x), "y": self._at(more.get("yref", "y"), y)}
        look: Json = {"font": {"color": colour, "size": size}, "showarrow": False, "yanchor": "bottom"}
        self._notes.append(look | {"text": words} | place | more)

    def labels(self, labels: Iterable[Label], wide: float, narrow: float) -> None:
        """Add notes as far as they have room beside those before them.

        Each takes a share of its axis across: *wide* of it on a wide page, *narrow* of it on a narrow one,
        where those named `WIDE` are left out.
        """
        occupied: dict[float, list[Position]] = {wide: [], narrow: []}
        for words, x, y, look in labels:
            across, up = self.share(x, look.get("xref", "x")), self.share(y, look.get("yref", "y"))
            for width, before in occupied.items():
                if all(abs(a - across) >= width or abs(b - up) >= LABEL_HEIGHT for a, b in before):
                    before.append((across, up))
            if (across, up) in occupied[wide]:
                only = {} if (across, up) in occupied[narrow] else {"name": WIDE}
                self.note(words, x, y, **(look | only))

    def corner(self, words: str, upward: str = "y") -> None:
        """Add the name of an *upward* axis, set above its upper end."""
        self.note(words, 0, 1, MUTED, xref="paper", yref=f"{upward} domain", xanchor="left", yshift=6)

    def rule(self, look: Json, x: Position, y: Position, **more: Any) -> None:
        """Add a line, or another shape, behind the data: from the first to the second of *x* and *y*."""
        ends = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
        self._shapes.append({"type": "line", "layer": "below", "line": look} | ends | more)

    def upright(self, x: float, colour: str = MUTED, width: float = 1, **more: Any) -> None:
        """Add a dotted line from the lowest to the highest place of the drawing."""
        self.rule(stroke(colour, width, "dot"), (x, x), (0, 1), **({"yref": "paper"} | more))

    def share(self, value: float, axis: str = "x") -> float:
        """Return where *value* stands on an axis, as a share of its length."""
        low, high = self._axis(axis)["range"]
        return float((self._at(axis, value) - low) / (high - low))

    def ends(self, axis: str = "x") -> Position:
        """Return the values at both ends of an axis."""
        low, high = self._axis(axis)["range"]
        return (10.0**low, 10.0**high) if self._axis(axis).get("type") == "log" else (low, high)

    def side(self, value: float, room: float) -> str:
        """Return on which side a label at *value* ends that needs *room*, a share of the axis."""
        share = self.share(value)
        return "left" if share < room else "right" if share > 1 - room else "center"

    def _axis(self, name: str) -> Json:
        """Return the axis called `x` or `y2`; what is no axis, such as the paper, has no settings."""
        return dict(self.layout.get(f"{name[0]}axis{name[1:]}", {}))

    def _at(self, axis: str, value: float) -> float:
        """Return where plotly wants a label at *value*: at the logarithm where the axis is logarithmic."""
        return math.log10(value) if self._axis(axis).get("type") == "log" else value


def stroke(colour: str, width: float, dash: str = "") -> Json:
    """Return how a line is drawn."""
    return {"color": colour, "width": width} | ({"dash": dash} if dash else {})


def sign(colour: Any, size: Any, symbol: Any = "circle", edge: Any = PAPER, width: float = 2.0) -> Json:
    """Return how a point is drawn; thin symbols consist of their *edge* alone."""
    edge = colour if str(symbol).endswith("thin") else edge
    return {"color": colour, "size": size, "symbol": symbol, "line": {"color": edge, "width": width}}


def framed(colour: str, edge: str = PAPER, width: float = 1) -> Json:
    """Return the marker of plain bars: their colour, and a thin edge around them."""
    return {"color": colour, "line": {"color": edge, "width": width}}


def hatching(entry: str) -> Json:
    """Return the marker of bars of one ledger entry: its colour, its hatching, a thin edge around it."""
    style = theme.STYLES[entry]
    marker = framed(style.colour.light)
    if style.pattern:
        look = {"fillmode": "overlay", "shape": style.pattern, "size": style.size, "solidity": 0.22}
        marker["pattern"] = look | {"fgcolor": theme.HATCH.light}
    return marker


def whiskers(data: Data, name: str, scale: float = 1.0) -> Json:
    """Return the error bars of a column whose interval stands in the next two; none where an end is None."""
    place, lengths = data.columns.index(name), []
    for mean, low, high in zip(*(data[column] for column in data.columns[place : place + 3]), strict=True):
        known = None not in (mean, low, high)
        lengths.append((max(mean - low, 0.0), max(high - mean, 0.0)) if known else (0.0, 0.0))
    down, up = ([scale * length for length in side] for side in zip(*lengths, strict=True))
    look = {"color": INK, "symmetric": False, "thickness": 1.5, "type": "data", "width": 5}
    return look | {"array": up, "arrayminus": down}


def text(words: str, limit: int = 0) -> str:
    """Return *words* for a label of plotly, which reads pseudo-HTML: markup in them stays visible text.

    With *limit*, longer words are cut to that many characters and end in an ellipsis.
    """
    if limit and len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis(title: str = "", **more: Any) -> Json:
    """Return a calm axis: faint grid, no zero line, muted labels, no zooming."""
    heading: Json = {"font": {"color": MUTED, "size": 12}, "standoff": 8} | ({"text": title} if title else {})
    look = {"automargin": True, "fixedrange": True, "gridcolor": RULE, "linecolor": RULE, "zeroline": False}
    return look | {"tickfont": {"color": MUTED, "size": 12}, "title": heading} | more


def bare(**more: Any) -> Json:
    """Return an axis of which nothing is seen."""
    seen = ("showgrid", "showline", "showticklabels", "zeroline")
    return {"fixedrange": True, "ticks": "", **dict.fromkeys(seen, False)} | more


def log_axis(
    low: float, high: float, ticks: list[float], say: Callable[[float], str], /, **more: Any
) -> Json:
    """Return a logarithmic axis from *low* to *high*, its *ticks* written as *say* does."""
    look: Json = {"tickvals": ticks, "ticktext": [say(tick) for tick in ticks], "tickangle": 0, "type": "log"}
    return axis(**(look | {"range": [math.log10(low), math.log10(high)]} | more))


def count_axis(low: float, high: float, /, **more: Any) -> Json:
    """Return a logarithmic axis of counts."""
    return log_axis(low, high, decades(low, high), compact, **more)


def duration_axis(low: float, high: float, most: int = MOST_TICKS, /, **more: Any) -> Json:
    """Return a logarithmic axis of durations (s) with about so many ticks at *most*."""
    return log_axis(low, high, durations(low, high, most), format_duration, **more)


def value_axis(path: str, at: Sequence[float], written: Sequence[str], logarithmic: bool) -> Json:
    """Return the axis of the values of a *path*, as a scenario writes them at ticks that have room."""
    places = [math.log10(place) if logarithmic else place for place in at]
    low, high = min(places), max(places)
    apart, ticks = (high - low) / MOST_VALUES * (1 + 1e-9), list[int]()
    for number in sorted(range(len(at)), key=at.__getitem__):
        if not ticks or places[number] - places[ticks[-1]] >= apart:
            ticks.append(number)
    pad = 0.04 * (high - low or 1.0)
    look: Json = {"tickvals": [at[number] for number in ticks], "tickangle": 0}
    look |= {"ticktext": [text(written[number], 16) for number in ticks]}
    look |= {"range": [low - pad, high + pad]} | ({"type": "log"} if logarithmic else {})
    return axis(text(path), **look)


def durations(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round durations (s) between the ends of a log axis, fewer of them where it is long."""
    fine, middle, coarse = ([t for t in ticks if low <= t <= high] for ticks in (FINE, MIDDLE, COARSE))
    return next((ticks for ticks in (fine, middle) if len(ticks) <= most), coarse)


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten between the ends of a log axis; 1, 2 and 5 of each where those are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [[n * 10.0**power for power in powers for n in steps] for steps in ((1,), (1, 2, 5))]
    coarse, fine = ([tick for tick in choice if low <= tick <= high] for choice in ticks)
    return coarse if len(coarse) > 1 else fine


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the unit in which a span of *seconds* reads well: its seconds, and its plural."""
    units = ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes"), (0.0, "seconds"))
    return next((size or 1.0, name) for size, name in units if seconds >= 3 * size)


def time_axis(length: float, since: str = "the start", **more: Any) -> Json:
    """Return an axis of *length* (s), in a unit in which it reads well, that begins at *since*."""
    size, name = time_unit(length)
    look: Json = {"unifiedhovertitle": {"text": f"%{{x:.3~g}} {name}"}, "showgrid": False}
    return axis(f"{name} since {since}", range=[0, length / size], **look, **more)


def compact(value: float) -> str:
    """Return a count in few characters, for an axis: `100k`, `1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
