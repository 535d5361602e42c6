"""A sweep: curves with bands along one axis, a heat map with contours over two, and the table of points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import counted
from clustersim.metrics.metric import Metric
from clustersim.studies.grid import CARDS, SCENARIO, Axis
from clustersim.studies.sweep import Sweep
from clustersim_reports import blocks, drawing, theme
from clustersim_reports.blocks import Cell, Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, INK, MUTED, PAPER, Plot, Position
from clustersim_reports.run import interval

MOST_LINES, MOST_ROWS, MOST_FIGURES = 8, 100, 4
"""Curves that can be told apart in one figure, points that the table lists, and metrics that are drawn."""
CONTOURS = 8
TELLING = 3.0
"""From this ratio of its largest to its smallest value an axis is logarithmic, if its steps are ratios."""
EFFECTIVE = "effective_gpus"
BEST = "best_interval_s"
LOOKS = (("productive", "circle"), ("lost", "square"), ("checkpoint", "diamond"), ("recovery", "triangle-up"))
DASHES = ("", "dash", "dot", "dashdot")


def section(sweep: Sweep) -> Section:
    """Return the figures of the metrics that were asked about, and the table of points."""
    return Section("sweep", "What the values change", values_changed(sweep), "The sweep")


def values_changed(sweep: Sweep) -> list[blocks.Block]:
    """Return the same as they are, for the page of a study that has a sweep."""
    paths = list(sweep.chosen[:MOST_FIGURES])
    if any(axis.path == CARDS for axis in sweep.grid.axes) and EFFECTIVE not in paths:
        paths.append(EFFECTIVE)
    figures = [figure(sweep, path) for path in paths]
    return [each for each in (*figures, intervals(sweep), table(sweep)) if each is not None]


def figure(sweep: Sweep, path: str) -> Figure | None:
    """Return a metric as a heat map over two axes of quantities, else as curves; None where they are many."""
    others = sweep.grid.axes[:-1]
    if len(others) == 1 and all(len(axis.values) > 2 and is_numeric(axis) for axis in sweep.grid.axes):
        return heat(sweep, path)
    return curves(sweep, path) if math.prod(len(axis.values) for axis in others) <= MOST_LINES else None


def is_numeric(axis: Axis) -> bool:
    """Return whether all values of an axis are quantities."""
    return all(value.si is not None for value in axis.values)


def places(axis: Axis) -> tuple[list[float], bool]:
    """Return where the values of an axis stand, and whether the axis is logarithmic; texts in their order."""
    sizes = [value.si for value in axis.values if value.si is not None]
    if not is_numeric(axis):
        return [float(number) for number in range(len(axis.values))], False
    low, high = min(sizes), max(sizes)
    middle = sorted(sizes)[len(sizes) // 2]
    return sizes, low > 0 and high / low >= TELLING and middle < (low + high) / 2


def scale(axis: Axis) -> Json:
    """Return the drawn axis of an axis of the sweep, with the values as they are written at its ticks."""
    at, logarithmic = places(axis)
    title = "" if axis.path == SCENARIO else axis.path
    return drawing.value_axis(title, at, [value.text for value in axis.values], logarithmic)


def unit(metric: Metric, currency: str) -> str:
    """Return the name of a metric with its unit, for an axis."""
    name = {"share": "", "money": currency}.get(metric.unit, metric.unit)
    return metric.label if metric.label.endswith(name) else f"{metric.label}, {name}"


def points_of(sweep: Sweep, name: str, shown: Iterable[ConfidenceInterval]) -> Iterator[Json]:
    """Yield the values of the axes at each point, and what is *shown* there, called *name*."""
    for index, found in enumerate(shown):
        at = sweep.grid.at(index).items()
        values = {axis: value.text if value.si is None else value.si for axis, value in at}
        yield values | interval(name, found)


def data_of(sweep: Sweep, path: str) -> Data:
    """Return a metric at each point: the values of the axes, its interval, and what is as good."""
    alike = set(sweep.alike(path))
    found = (ConfidenceInterval(*sweep.estimate(path, index)) for index in range(len(sweep.grid)))
    points = enumerate(points_of(sweep, path, found))
    return Data([point | {"indistinguishable_from_best": index in alike} for index, point in points])


def curves(sweep: Sweep, path: str) -> Figure:
    """Return a metric over the last axis, a curve for each combination of values of the others.

    Effective cards over cards have logarithmic axes, and beside them the line on which every card trains.
    """
    *others, last = sweep.grid.axes
    data, (at, _) = data_of(sweep, path), places(last)
    now = sweep.estimate(path)[0]
    known = [end for name in (path, "low", "high") for end in (*data[name], now) if end is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    pad = 0.06 * (high - low or abs(high) or 1.0)
    sizes = path == EFFECTIVE and last.path == CARDS and low > 0
    linear = drawing.axis(range=[low - pad, high + 2 * pad], nticks=7)
    upward = drawing.count_axis(low / 1.4, max(high, *at) * 1.3) if sizes else linear
    plot = Plot(data, 420, x=scale(last), y=upward)
    plot.corner(unit(sweep.metrics[path], sweep.currency))
    if sizes:
        plot.line(at, at, MUTED, 1.2, "dash", sign=key("dash", "every card trains, at full speed"))
    elif now is not None:
        plot.rule(drawing.stroke(MUTED, 1, "dot"), plot.ends(), (now, now))
        plot.note("as it is", 0, now, MUTED, xref="paper", xanchor="left", xshift=4)
    words = [sweep.words(path, index) for index in range(len(sweep.grid))]
    _curves(plot, sweep, path, words)
    plot.legend.append(key("whisker" if others else "band", "95 % interval"))
    caption = f"A curve for each {', '.join(axis.path for axis in others)}. " if others else ""
    caption += "All points meet the same failures: two may be distinguishable although intervals overlap."
    return plot.figure(_name(sweep, path), sweep.metrics[path].label, caption, _best_words(sweep, path))


def intervals(sweep: Sweep) -> Figure | None:
    """Return the best interval over the last axis, with the range that is as good.

    None where points have none, or there would be too many curves.
    """
    *others, last = sweep.grid.axes
    found = [sweep.interval(index) for index in range(len(sweep.grid))]
    ends = [end for low, *known in found if None not in known for end in (low, *known) if end is not None]
    if not sweep.retune or not ends or math.prod(len(axis.values) for axis in others) > MOST_LINES:
        return None
    shown = (ConfidenceInterval(*each if None not in each else ()) for each in found)
    upward = drawing.duration_axis(min(ends) / 1.5, max(ends) * 1.5, 5)
    plot = Plot(Data([*points_of(sweep, BEST, shown)]), 320, x=scale(last), y=upward)
    plot.corner("best interval")
    words = [": ".join(sweep.interval_words(index)) for index in range(len(sweep.grid))]
    _curves(plot, sweep, BEST, words)
    plot.legend.append(key("whisker" if others else "band", "indistinguishable from the best at 95 %"))
    spoken = f"best interval: {'; '.join(words)}" if len(words) <= MOST_ROWS else f"{len(words)} points"
    caption = "The interval is tuned at each point, on the same failures."
    return plot.figure(_name(sweep, BEST), "Best interval between saves", caption, spoken)


def _name(sweep: Sweep, path: str) -> str:
    """Return the name of a figure, which is its own among those of several sweeps on one page."""
    return f"sweep-{blocks.slug(path)}-{blocks.slug(sweep.grid.axes[-1].path)}"


def _curves(plot: Plot, sweep: Sweep, name: str, words: Sequence[str]) -> None:
    """Draw a column of the plot's data over the last axis, a curve for each combination of the others."""
    *others, last = sweep.grid.axes
    count = len(last.values)
    for line in range(len(sweep.grid) // count):
        part = range(line * count, (line + 1) * count)
        _curve(plot, sweep, name, words, part, line if others else -1)


def _curve(plot: Plot, sweep: Sweep, column: str, words: Sequence[str], part: range, line: int) -> None:
    """Draw the points of a *part* of the grid: a *line* of several with its name, or one with a band."""
    (at, _), data = places(sweep.grid.axes[-1]), Data([plot.data.rows[index] for index in part])
    name = ", ".join(value.text for value in list(sweep.grid.at(part[0]).values())[:-1])
    means, lows, highs = (data[each] for each in (column, "low", "high"))
    entry, symbol = LOOKS[max(line, 0) % len(LOOKS)]
    colour = theme.STYLES[entry].colour.light
    hover = [(sweep.grid.say(index), words[index]) for index in part]
    if line < 0 and None not in (*lows, *highs):
        plot.band(at, lows, highs)
    mode = "lines+markers" if is_numeric(sweep.grid.axes[-1]) else "markers"
    look: Json = {"marker": drawing.sign(colour, 9, symbol, width=1.5), "mode": mode}
    if line >= 0:
        look["error_y"] = drawing.whiskers(data, column) | {"color": colour}
    plot.line(at, means, colour, 2, DASHES[max(line, 0) // len(LOOKS) % len(DASHES)], hover=hover, **look)
    known = [(x, mean) for x, mean in zip(at, means, strict=True) if mean is not None]
    if line >= 0 and known:
        place = line * (len(known) - 1) // max(len(sweep.grid) // len(part) - 1, 1)
        x, mean = known[place]
        side = plot.side(x, 0.2)
        plot.note(f"<b>{drawing.text(name, 24)}</b>", x, mean, colour, xanchor=side, yshift=9, bgcolor=PAPER)


def heat(sweep: Sweep, path: str) -> Figure:
    """Return a metric over two axes: contours with their values, the best point and all that are as good."""
    upward, across = sweep.grid.axes
    data = data_of(sweep, path)
    (up, _), (right, _) = places(upward), places(across)
    shape = len(up), len(right)
    means = [math.nan if mean is None else mean for mean in data[path]]
    values = [drawing.rounded(line) for line in np.array(means).reshape(shape).tolist()]
    plot = Plot(data, 460, x=scale(across), y=scale(upward))
    plot.corner(drawing.text(upward.path))
    plot.layout["yaxis"]["title"] = {"text": ""}
    contours: Json = {"coloring": "heatmap", "showlabels": True, "labelfont": {"color": INK, "size": 12}}
    plot.add(
        "contour",
        right,
        up,
        z=values,
        autocontour=True,
        ncontours=CONTOURS,
        contours=contours,
        colorscale=[[0, PAPER], [1, BLUE]],
        reversescale=False,
        opacity=0.75,
        line={"color": INK, "width": 1},
        showscale=False,
        hovertemplate="%{z:.4g}<extra></extra>",
    )
    _points(plot, sweep, path, [(x, y) for y in up for x in right])
    what = unit(sweep.metrics[path], sweep.currency)
    caption = f"{what}: the darker, the higher. The numbers of all points stand below the figure."
    return plot.figure(_name(sweep, path), sweep.metrics[path].label, caption, _best_words(sweep, path))


def _points(plot: Plot, sweep: Sweep, path: str, grid: Sequence[Position]) -> None:
    """Draw the points of a heat map: a star for the best, a ring around what is as good."""
    hover = [(sweep.grid.say(index), sweep.words(path, index)) for index in range(len(grid))]
    across, up = zip(*grid, strict=True)
    plot.dots(across, up, drawing.sign(INK, 4, width=0), hover=hover)
    best = sweep.found.best.get(path)
    if best is None:
        return
    alike = [grid[index] for index in best.indistinguishable if index != best.point]
    if alike and sweep.replications > 1:
        ring = drawing.sign(INK, 11, "circle-open", INK, 2)
        across, up = zip(*alike, strict=True)
        plot.dots(across, up, ring, sign=key("ring-ink", "indistinguishable from the best"))
    x, y = grid[best.point]
    plot.dots([x], [y], drawing.sign(INK, 16, "star", PAPER, 1.5), sign=key("star", "the best point"))


def _best_words(sweep: Sweep, path: str) -> str:
    best = sweep.found.best.get(path)
    if best is None:
        return f"{counted(len(sweep.grid), 'point')}"
    return f"best at {sweep.grid.say(best.point)}: {sweep.words(path, best.point)}"


def table(sweep: Sweep) -> Table:
    """Return the points, of many the best ones, with the metrics that were asked about."""
    shown, first = sweep.ranked(MOST_ROWS), sweep.chosen[0]
    best, alike = sweep.found.best.get(first), set(sweep.alike(first))
    rows = []
    for index in shown:
        contents = [
            Cell(sweep.words(path, index), sweep.difference_words(path, index)) for path in sweep.chosen
        ]
        mark = "the best" if best is not None and best.point == index else ""
        if not mark and index in alike and sweep.replications > 1:
            mark = "indistinguishable from it"
        contents += [Cell(*sweep.interval_words(index))] if sweep.retune else []
        rows.append(row(Cell(sweep.grid.say(index), mark), *contents))
    part = "" if len(shown) == len(sweep.grid) else f", the best {len(shown)} of {len(sweep.grid):,}"
    columns = [sweep.metrics[path].label for path in sweep.chosen]
    columns += ["Best interval"] if sweep.retune else []
    caption = f"Points{part}; below each figure its difference to the scenario as it is"
    return Table(caption, columns, rows, "Values", "measures")
