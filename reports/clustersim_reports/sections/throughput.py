"""Throughput over time: one replication, the band of all, and the failures that strike it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clustersim.formatting import duration, percent, whole
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Block, Cell, Data, Figure, Section, Text, key
from clustersim_reports.drawing import BLUE, INK, MUTED, Json
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import strip

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST_BINS, MOST_CAUSES, MOST_MARKS = 400, 8, 240
"""Points of a curve, rows of incidents, and marks in a row that are drawn."""
ROW, GAP, FOOT = 34, 12, 62
"""Pixels per row of incidents, between them and the curves, and below the lowest panel."""


class Marks(NamedTuple):
    """Replication 0's incidents of one cause: where marks stand (s), and how many each stands for."""

    cause: str
    times: list[float]
    counts: list[int]


def section(runs: Runs) -> Section:
    """Return how each run goes along in time, and a few hours of it."""

    def blocks(run: Run) -> list[Block]:
        return [*filter(None, (figure(run), strip.figure(run)))] or [
            Text("This run holds no record over time.", "absent")
        ]

    return Section("time", "Over time", "Throughput over time", runs.chapters("time", blocks))


def figure(run: Run) -> Figure | None:
    """Return the throughput over time, or None where the run holds no timeline."""
    timeline = run.result.timeline
    if timeline is None or timeline.empty:
        return None
    end_s = float(timeline["end_s"].iloc[-1])
    size, unit = drawing.time_unit(end_s)
    names = ("mean", "p10", "p90", "replication_0")
    middle = (timeline["start_s"] + timeline["end_s"]) / (2 * size)
    curves = [drawing.rounded(thin_out(column)) for column in (middle, *(timeline[name] for name in names))]
    rows = [(run.name, *row) for row in zip(*curves, strict=True)]
    data = Data(("scenario", f"time_{unit}", *names), rows)
    marks, left_out = incident_marks(run.result.incidents, end_s)
    mean = percent(sum(data["mean"]) / len(rows))
    spoken = f"share of the cards that train over {duration(end_s, 0.0)}; mean {mean}"
    legend = [*keys(run), *[key("tick", "incidents of replication 0, by cause")] * bool(marks)]
    caption, title = "Productive training in the course of the run.", "Share of the cards that train"
    if any(max(mark.counts) > 1 for mark in marks):
        caption += (
            " Where incidents are too many to draw, one tick stands for several; a longer one for more."
        )
    caption += f" {left_out} rarer causes are left out." if left_out else ""
    panels = _drawing(run, data, end_s, marks)
    return Figure(f"throughput-{run.anchor}", title, caption, spoken, legend, panels, data)


def keys(run: Run) -> list[Cell]:
    """Return the legend of `bands`."""
    if run.at("replications") < 2:
        return [key("line", "the one replication")]
    return [key("line", "mean"), key("band", "P10 to P90 of replications"), key("thin", "replication 0")]


def bands(run: Run, data: Data, value: str, scale: float = 1.0, shape: str = "linear") -> list[Json]:
    """Return the curves over time of *data*: time, mean, P10, P90, replication 0, from its second column on.

    They are *scale* times as high; *value* is plotly's pattern of a number, *shape* that of one replication.
    """
    times, *columns = (data[name] for name in data.columns[1:6])
    mean, p10, p90, first = ([None if y is None else scale * y for y in column] for column in columns)

    def curve(y: list[float | None], name: str, look: Json, **more: Any) -> Json:
        return drawing.line(times, drawing.rounded(y), look, hover=f"{name}: {value}", name=name, **more)

    if run.at("replications") < 2:
        return [curve(first, "replication 0", drawing.stroke(BLUE, 1.5) | {"shape": shape})]
    return [
        curve(p10, "P10", {"width": 0}),
        curve(p90, "P90", {"width": 0}, fill="tonexty", fillcolor=theme.BAND.light),
        curve(first, "replication 0", drawing.stroke(MUTED, 1) | {"shape": shape}),
        curve(mean, "mean", drawing.stroke(BLUE, 2.5)),
    ]


def thin_out(values: Any) -> list[float]:
    """Return *values* averaged in equal groups so that few enough remain to be drawn."""
    column = np.asarray(values, float)
    group = -(-len(column) // MOST_BINS)
    return [float(np.mean(column[first : first + group])) for first in range(0, len(column), group)]


def incident_marks(incidents: DataFrame | None, end_s: float) -> tuple[list[Marks], int]:
    """Return replication 0's incidents by cause, the most frequent first, and how many causes are left out.

    More than `MOST_MARKS` of one cause are gathered in that many equal bins of time, one mark for each.
    """
    if incidents is None or incidents.empty:
        return [], 0
    first = incidents[(incidents["replication"] == 0) & (incidents["doing"] != "idle")]
    modes, times = first["mode"].astype(str).to_numpy(), first["time_s"].to_numpy(float)
    causes = [cause for cause, _ in sorted(Counter(modes).items(), key=lambda item: (-item[1], item[0]))]
    rows = [_gather(str(cause), times[modes == cause], end_s) for cause in causes[:MOST_CAUSES]]
    return rows, len(causes) - len(rows)


def _gather(cause: str, times: Floats, end_s: float) -> Marks:
    if len(times) <= MOST_MARKS:
        return Marks(cause, times.tolist(), [1] * len(times))
    counts, edges = np.histogram(times, bins=MOST_MARKS, range=(0.0, end_s))
    occupied = counts > 0
    return Marks(cause, ((edges[:-1] + edges[1:]) / 2)[occupied].tolist(), counts[occupied].tolist())


def _drawing(run: Run, data: Data, end_s: float, marks: Sequence[Marks]) -> Json:
    """Return the band and the curves above, the incidents of replication 0 in one row per cause below."""
    rows, (size, _) = len(marks), drawing.time_unit(end_s)
    height = 290 + ROW * rows
    gap = GAP / (height - FOOT) if rows else 0.0
    floor = ROW * rows / (height - FOOT) + gap
    where = {"xref": "paper", "yref": "y2", "xanchor": "left", "yshift": 5}
    lower = {"yaxis2": drawing.bare(range=[rows - 0.35, -0.75], domain=[0, floor - gap])} if rows else {}
    return drawing.sheet(
        [*bands(run, data, "%{y:.1f} %", 100), *(_ticks(mark, row, size) for row, mark in enumerate(marks))],
        height,
        annotations=[
            drawing.note(
                f"{drawing.text(mark.cause, 30)} · {whole(sum(mark.counts))}", 0, row, MUTED, 11, **where
            )
            for row, mark in enumerate(marks)
        ],
        hovermode="x unified",
        margin={"b": 46, "l": 8, "r": 14, "t": 16},
        xaxis=drawing.time_axis(end_s, "the start", anchor="y2" if rows else "y"),
        yaxis=drawing.axis(range=[0, 103], ticksuffix=" %", dtick=25, domain=[floor, 1]),
        **lower,
    )


def _ticks(marks: Marks, row: int, unit: float) -> Json:
    """Return the incidents of one cause as upright strokes, longer where one stands for more."""
    most = max(marks.counts)
    size = [4 + 8 * (count / most) for count in marks.counts] if most > 1 else 10
    look = {"color": INK, "line": {"color": INK, "width": 1.2}, "opacity": 0.75, "symbol": "line-ns"}
    times = drawing.rounded(time / unit for time in marks.times)
    return drawing.dots(times, [row] * len(times), look | {"size": size}, yaxis="y2")
