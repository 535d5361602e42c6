"""Where a condition begins to hold: the metric over the value, and the place with its interval."""

from __future__ import annotations

from clustersim.studies.solve import Solution
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, INK, MUTED, PAPER, Plot
from clustersim_reports.run import interval

TELLING = 4.0
"""From which ratio of the largest value to the smallest the axis is logarithmic."""


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
    at = [each.value.si or 0.0 for each in found.evaluations]
    written = [found.say(each.value) for each in found.evaluations]
    logarithmic = min(at) > 0 and max(at) / min(at) >= TELLING
    plot = Plot(data, 420, x=drawing.value_axis(found.path, at, written, logarithmic), y=upward)
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
