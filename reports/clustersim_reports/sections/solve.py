"""Where a condition begins to hold: the metric over the value, and the place with its interval."""

from __future__ import annotations

import math

from clustersim.studies.solve import Solution
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, INK, MUTED, PAPER, Plot
from clustersim_reports.run import interval

MOST_TICKS, TELLING = 7, 4.0
"""Values at the ticks, and from which ratio of the largest to the smallest the axis is logarithmic."""


def section(found: Solution) -> Section:
    """Return the figure and the table of the values that were tried."""
    rows = [row(value, found.words(each), "yes" if each.is_met else "no") for value, each in found.tried]
    table = Table("The values that were tried", [found.metric, "Met"], rows, found.path, "measures")
    return Section("solve", "Where the condition begins to hold", [figure(found), table], "The values")


def figure(found: Solution) -> Figure | None:
    """Return the metric over the value, and the interval of the place where the condition begins to hold."""
    points: list[Json] = []
    for each in found.evaluations:
        point: Json = {found.path: each.value.si} | interval(found.metric, each.metrics[found.metric])
        points.append(point | {"met": each.is_met})
    data = Data(points)
    ends = [end for name in (found.metric, "low", "high") for end in data[name] if end is not None]
    if not ends or len(points) < 2:
        return None
    threshold = None if found.at_solution is None else found.at_solution.metrics[found.metric].mean
    pad = 0.06 * (max(ends) - min(ends) or 1.0)
    upward = drawing.axis(range=[min(ends) - pad, max(ends) + 2 * pad], nticks=7)
    plot = Plot(data, 420, x=_across(found), y=upward)
    plot.corner(found.metric)
    plot.legend.append(key("line", found.metric))
    if None not in (*data["low"], *data["high"]):
        plot.band(found.path, "low", "high")
        plot.legend.append(key("band", f"95 % interval of {found.metric}"))
    lines = [(value, found.words(each)) for value, each in found.tried]
    plot.line(found.path, found.metric, BLUE, 2.5, hover=lines, marker=drawing.sign(BLUE, 8, width=1.5))
    if threshold is not None:
        plot.rule(drawing.stroke(MUTED, 1, "dot"), plot.ends(), (threshold, threshold))
        plot.legend.append(key("flat", "95 % interval of the value"))
        _place(plot, found)
    caption = f"{found.until}. The dotted lines mark where it begins to hold, the area its 95 % interval."
    title = f"{found.metric} by {found.path}"
    return plot.figure("solve", title, caption if found.value else found.until, found.advice[0].text)


def _across(found: Solution) -> Json:
    """Return the axis of the values, with some of them, as a scenario writes them, at its ticks."""
    at = [each.value.si or 0.0 for each in found.evaluations]
    logarithmic = min(at) > 0 and max(at) / min(at) >= TELLING
    places = [math.log10(place) if logarithmic else place for place in at]
    low, high = min(places), max(places)
    ticks: list[int] = []
    for number, place in enumerate(places):
        if not ticks or place - places[ticks[-1]] >= (high - low) / MOST_TICKS:
            ticks.append(number)
    texts = [drawing.text(found.say(found.evaluations[number].value), 16) for number in ticks]
    pad = 0.04 * (high - low or 1.0)
    look: Json = {"tickvals": [at[number] for number in ticks], "ticktext": texts, "tickangle": 0}
    look |= {"range": [low - pad, high + pad]} | ({"type": "log"} if logarithmic else {})
    return drawing.axis(drawing.text(found.path), **look)


def _place(plot: Plot, found: Solution) -> None:
    """Mark the place that was found, and its interval."""
    if found.value is None or found.value.si is None:
        return
    left, right = plot.ends()
    low = left if found.low is None or found.low.si is None else found.low.si
    high = right if found.high is None or found.high.si is None else found.high.si
    look = {"fillcolor": theme.FLAT.light, "type": "rect", "yref": "paper"}
    plot.rule({"color": theme.FLAT.light, "width": 0}, (low, high), (0, 1), **look)
    plot.upright(found.value.si, INK)
    side = plot.side(found.value.si, 0.3)
    words = f"<b>{drawing.text(found.say(found.value))}</b><br>95 %: {drawing.text(found.interval)}"
    plot.note(words, found.value.si, 1, xanchor=side, yref="paper", yanchor="top", bgcolor=PAPER, borderpad=3)
