"""Throughput over time: one replication, the band of all, and the failures that strike it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go

from clustersim.digits import whole
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from pandas import DataFrame

    from clustersim.results import Results

MOST_BINS = 400
MOST_CAUSES = 8
MOST_MARKS = 240
ROW = 34


class TimeUnit(NamedTuple):
    """The unit of a time axis: its seconds, and its plural."""

    seconds: float
    name: str


class CauseMarks(NamedTuple):
    """Replication 0's incidents of one cause: where marks stand (s), and how many each stands for."""

    cause: str
    total: int
    times: tuple[float, ...]
    counts: tuple[int, ...]


class ThroughputData(NamedTuple):
    """Productive share of the cards by time bin (s), and the incidents of replication 0 by cause."""

    name: str
    unit: TimeUnit
    end_s: float
    middle: tuple[float, ...]
    mean: tuple[float, ...]
    p10: tuple[float, ...]
    p90: tuple[float, ...]
    one: tuple[float, ...]
    marks: tuple[CauseMarks, ...]
    left_out: int
    replications: int


def time_unit(seconds: float) -> TimeUnit:
    """Return the unit in which a span of *seconds* reads well."""
    for size, name in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 3 * size:
            return TimeUnit(size, name)
    return TimeUnit(1.0, "seconds")


def throughput_data(result: Results) -> ThroughputData | None:
    """Return the timeline of *result*, or None where the run holds none."""
    timeline = result.timeline
    if timeline is None or timeline.empty:
        return None
    start, end = timeline["start_s"].to_numpy(float), timeline["end_s"].to_numpy(float)
    marks, left_out = incident_marks(result.incidents, float(end[-1]))
    curves = {
        name: _thinned(timeline[name].to_numpy(float)) for name in ("mean", "p10", "p90", "replication_0")
    }
    return ThroughputData(
        name=result.scenario.name,
        unit=time_unit(float(end[-1])),
        end_s=float(end[-1]),
        middle=_thinned((start + end) / 2),
        mean=curves["mean"],
        p10=curves["p10"],
        p90=curves["p90"],
        one=curves["replication_0"],
        marks=marks,
        left_out=left_out,
        replications=int(result.summary["replications"]),
    )


def _thinned(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    """Return *values* averaged in equal groups so that at most `MOST_BINS` remain."""
    group = -(-len(values) // MOST_BINS)
    return tuple(float(np.mean(values[first : first + group])) for first in range(0, len(values), group))


def incident_marks(incidents: DataFrame | None, end_s: float) -> tuple[tuple[CauseMarks, ...], int]:
    """Return replication 0's incidents by cause, the most frequent first, and how many causes are left out.

    More than `MOST_MARKS` of one cause are gathered in that many equal bins of time, one mark for each.
    """
    if incidents is None or incidents.empty:
        return (), 0
    first = incidents[(incidents["replication"] == 0) & (incidents["doing"] != "idle")]
    totals = Counter(first["mode"].astype(str))
    causes = sorted(totals, key=lambda cause: (-totals[cause], cause))
    shown = causes[:MOST_CAUSES]
    modes = first["mode"].astype(str).to_numpy()
    times = first["time_s"].to_numpy(float)
    return tuple(_gathered(cause, times[modes == cause], end_s) for cause in shown), len(causes) - len(shown)


def _gathered(cause: str, times: np.ndarray[tuple[int], np.dtype[np.float64]], end_s: float) -> CauseMarks:
    if len(times) <= MOST_MARKS:
        return CauseMarks(cause, len(times), tuple(map(float, times)), (1,) * len(times))
    counts, edges = np.histogram(times, bins=MOST_MARKS, range=(0.0, end_s))
    middles = (edges[:-1] + edges[1:]) / 2
    kept = counts > 0
    return CauseMarks(
        cause, len(times), tuple(map(float, middles[kept])), tuple(int(count) for count in counts[kept])
    )


def throughput_table(data: ThroughputData) -> base.Table:
    """Return one row per bin of time."""
    columns = ("scenario", f"time_{data.unit.name}", "mean", "p10", "p90", "replication_0")
    times = base.rounded([time / data.unit.seconds for time in data.middle])
    curves = [base.rounded(curve) for curve in (data.mean, data.p10, data.p90, data.one)]
    return base.Table(columns, tuple((data.name, *row) for row in zip(times, *curves, strict=True)))


def throughput_figure(data: ThroughputData) -> go.Figure:
    """Return the band and the curve above, the incidents of replication 0 in one row per cause below."""
    rows = len(data.marks)
    height = 290 + ROW * rows
    floor = (ROW * rows + 12) / (height - 62) if rows else 0.0
    span = [0, data.end_s / data.unit.seconds]
    across = base.titled(f"{data.unit.name} since the start", range=span, showgrid=False)
    layout = {
        "annotations": [_row_name(marks, row) for row, marks in enumerate(data.marks)],
        "hovermode": "x unified",
        "margin": {"b": 46, "l": 8, "r": 14, "t": 16},
        "xaxis": across | {"anchor": "y2" if rows else "y"},
        "yaxis": base.axis(range=[0, 103], ticksuffix=" %", dtick=25, domain=[floor, 1]),
    }
    if rows:
        bottom = base.bare(range=[rows - 0.35, -0.75], domain=[0, floor - 12 / (height - 62)])
        layout["yaxis2"] = bottom
    return base.sheet([*_curves(data), *(_ticks(data, row) for row in range(rows))], height, layout)


def _curves(data: ThroughputData) -> list[go.Scatter]:
    colour = theme.STYLES["productive"].colour.light
    times = base.rounded([time / data.unit.seconds for time in data.middle])
    plans: list[tuple[tuple[float, ...], dict[str, object], str | None, str]] = [
        (data.p10, {"width": 0}, None, "10 % of replications are below"),
        (data.p90, {"width": 0}, theme.BAND.light, "10 % of replications are above"),
        (data.one, {"color": theme.MUTED.light, "width": 1}, None, "replication 0"),
        (data.mean, {"color": colour, "width": 2.5}, None, "mean"),
    ]
    if data.replications < 2:
        plans = [(data.one, {"color": colour, "width": 1.5}, None, "this replication")]
    return [_curve(times, values, line, fill, name) for values, line, fill, name in plans]


def _curve(
    times: list[float | None], values: tuple[float, ...], line: dict[str, object], fill: str | None, name: str
) -> go.Scatter:
    filled = {"fill": "tonexty", "fillcolor": fill} if fill else {}
    return go.Scatter(
        hovertemplate=name + ": %{y:.1f} %<extra></extra>",
        line=line | {"shape": "linear"},
        mode="lines",
        name=name,
        x=times,
        y=base.rounded([100 * value for value in values], 4),
        **filled,
    )


def _ticks(data: ThroughputData, row: int) -> go.Scatter:
    """The incidents of one cause as upright strokes, longer where one stands for more."""
    marks = data.marks[row]
    most = max(marks.counts)
    return go.Scatter(
        hoverinfo="skip",
        marker={
            "color": theme.INK.light,
            "line": {"color": theme.INK.light, "width": 1.2},
            "opacity": 0.75,
            "size": [4 + 8 * (count / most) for count in marks.counts] if most > 1 else 10,
            "symbol": "line-ns",
        },
        mode="markers",
        x=base.rounded([time / data.unit.seconds for time in marks.times]),
        y=[row] * len(marks.times),
        yaxis="y2",
    )


def _row_name(marks: CauseMarks, row: int) -> dict[str, object]:
    words = f"{base.text(marks.cause, 30)} · {whole(marks.total)}"
    font = {"color": theme.MUTED.light, "size": 11}
    return base.note(
        words, 0, row, xref="paper", yref="y2", xanchor="left", yanchor="bottom", yshift=5, font=font
    )
