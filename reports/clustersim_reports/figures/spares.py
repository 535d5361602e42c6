"""Nodes away over time, over all replications, against the spares that there are and that would suffice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import whole
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.throughput import TimeUnit, time_unit

if TYPE_CHECKING:
    from clustersim.results import Results

HEIGHT = 320


class SparesData(NamedTuple):
    """Nodes away by instant (s) over replications; how many spares there are.

    So many nodes or fewer were away for 99 % of the time (`held`), and at any time (`most`). Of one
    replication `p10` and `p90` are None.
    """

    name: str
    unit: TimeUnit
    end_s: float
    times: tuple[float, ...]
    mean: tuple[float, ...]
    p10: tuple[float, ...] | None
    p90: tuple[float, ...] | None
    one: tuple[float, ...]
    idle: tuple[float, ...]
    spares: int
    held: int
    most: int


def spares_data(result: Results) -> SparesData | None:
    """Return the nodes away in *result*, or None where nobody counted them or none ever was."""
    block, timeline = result.summary.get("spares"), result.timeline
    if block is None or not block["away"]["max"] or timeline is None or timeline["away_mean"].isna().all():
        return None
    end = float(timeline["end_s"].iloc[-1])
    many = int(result.summary["replications"]) > 1
    curves = {name: tuple(map(float, timeline[f"away_{name}"])) for name in ("mean", "p10", "p90", "0")}
    return SparesData(
        name=result.scenario.name,
        unit=time_unit(end),
        end_s=end,
        times=tuple(map(float, timeline["start_s"])),
        mean=curves["mean"],
        p10=curves["p10"] if many else None,
        p90=curves["p90"] if many else None,
        one=curves["0"],
        idle=tuple(map(float, timeline["idle_mean"])),
        spares=int(result.summary["spare_nodes"]),
        held=int(block["away"]["p99"]),
        most=int(block["away"]["max"]),
    )


def spares_table(data: SparesData) -> base.Table:
    """Return one row per instant."""
    columns = (
        f"time_{data.unit.name}",
        "away_mean",
        "away_p10",
        "away_p90",
        "away_replication_0",
        "idle_mean",
    )
    times = base.rounded([time / data.unit.seconds for time in data.times])
    empty = [None] * len(times)
    band = [base.rounded(curve) if curve else empty for curve in (data.p10, data.p90)]
    curves = (base.rounded(data.mean), *band, base.rounded(data.one), base.rounded(data.idle))
    rows = tuple((data.name, *row) for row in zip(times, *curves, strict=True))
    return base.Table(("scenario", *columns), rows)


def spares_figure(data: SparesData) -> go.Figure:
    """Return the nodes away as curves with their band; two lines across: spares there are, spares enough."""
    top = 1.14 * max(data.held, data.spares, *(n for n in (*data.one, *(data.p90 or ())) if math.isfinite(n)))
    across = base.titled(f"{data.unit.name} since the start", showgrid=False)
    across["range"] = [0, data.end_s / data.unit.seconds]
    layout = {
        "annotations": [base.corner("nodes away", 1), *_labels(data)],
        "hovermode": "x unified",
        "margin": {"b": 46, "l": 8, "r": 14, "t": 30},
        "shapes": [_line(data.spares, "solid"), _line(data.held, "dash")],
        "xaxis": across,
        "yaxis": base.axis(range=[0, top], nticks=6, tickformat=",d"),
    }
    return base.sheet(_curves(data), HEIGHT, layout)


def _curves(data: SparesData) -> list[go.Scatter]:
    colour = theme.STYLES["productive"].colour.light
    if data.p10 is None or data.p90 is None:
        return [_curve(data, data.one, "nodes away", {"color": colour, "width": 1.5}, step=True)]
    return [
        _curve(data, data.p10, "10 % of replications are below", {"width": 0}),
        _curve(data, data.p90, "10 % of replications are above", {"width": 0}, fill=theme.BAND.light),
        _curve(data, data.one, "replication 0", {"color": theme.MUTED.light, "width": 1}, step=True),
        _curve(data, data.mean, "mean", {"color": colour, "width": 2.5}),
    ]


def _curve(
    data: SparesData,
    values: tuple[float, ...],
    name: str,
    line: dict[str, object],
    *,
    fill: str = "",
    step: bool = False,
) -> go.Scatter:
    filled = {"fill": "tonexty", "fillcolor": fill} if fill else {}
    return go.Scatter(
        hovertemplate=name + ": %{y:.4~g}<extra></extra>",
        line=line | {"shape": "hv" if step else "linear"},
        mode="lines",
        name=name,
        x=base.rounded([time / data.unit.seconds for time in data.times]),
        y=base.rounded(values, 4),
        **filled,
    )


def _line(nodes: int, dash: str) -> dict[str, object]:
    line = {"color": theme.INK.light, "dash": dash, "width": 1.2}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": nodes, "y1": nodes, "line": line}


def _labels(data: SparesData) -> list[dict[str, object]]:
    """Name the two lines above their ends: the spares at the left, what suffices at the right."""
    there = f"{whole(data.spares)} spares" if data.spares != 1 else "1 spare"
    return [
        _label(there if data.spares else "no spares", 0, data.spares),
        _label(f"99 % of the time {whole(data.held)} or fewer", 1, data.held),
    ]


def _label(words: str, side: int, nodes: int) -> dict[str, object]:
    place = {"xref": "paper", "xanchor": "right" if side else "left", "yanchor": "bottom", "yshift": 1}
    font = {"color": theme.INK.light, "size": 12}
    return base.note(words, side, nodes, font=font, bgcolor=theme.PAPER.light, opacity=0.9, **place)
