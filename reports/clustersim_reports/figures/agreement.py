"""Published against simulated: every check with its interval, beside the line on which both are equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import duration, measured
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.scales import count_axis, duration_axis

if TYPE_CHECKING:
    from clustersim.validation import Outcome, Validation

SHARES, TIMES, COUNTS = "shares", "times", "counts"
FAMILIES = {
    SHARES: "Shares of the time",
    TIMES: "Times",
    COUNTS: "Counts",
}
UNITS = {"share": SHARES, "s": TIMES}
HEIGHT, ROOM, TICKS, LONGEST = 400, 1.6, 5, 19
BLUE, RED, GREEN = (theme.STYLES[name].colour.light for name in ("productive", "lost", "checkpoint"))
SYMBOLS = {"exact": "circle", "band": "square", "control": "x-thin", "plumbing": "circle-open"}
UNKNOWN_SYMBOL = "diamond"


class Dot(NamedTuple):
    """One check: what was published, the accepted range (an open end is None), and what was simulated."""

    name: str
    kind: str
    passed: bool
    published: float | None
    low: float | None
    high: float | None
    mean: float
    mean_low: float | None
    mean_high: float | None

    @property
    def place(self) -> float:
        """Where the point stands across: at what was published, else at the end of its range."""
        ends = [end for end in (self.published, self.low, self.high) if end is not None]
        return ends[0]


class AgreementData(NamedTuple):
    """All checks whose figures are of one family."""

    family: str
    dots: tuple[Dot, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of both axes: 0 to 1 for shares, some room around the points on a logarithmic axis."""
        values = [value for dot in self.dots for value in (dot.place, dot.low, dot.high, dot.mean) if value]
        if self.family == SHARES:
            return min(0.0, *values) - 0.03, 1.03
        positive = [value for value in values if value > 0]
        return min(positive) / ROOM, max(positive) * ROOM


def agreement_data(validation: Validation) -> list[AgreementData]:
    """Return the checks of *validation* by family; those of which nothing is known are left out."""
    return [
        AgreementData(family, dots)
        for family in FAMILIES
        if (dots := tuple(_dot(case) for case in validation.cases if _belongs(case, family)))
    ]


def _belongs(case: Outcome, family: str) -> bool:
    if UNITS.get(case.unit, COUNTS) != family or case.simulated.mean is None:
        return False
    return family == SHARES or case.simulated.mean > 0


def _dot(case: Outcome) -> Dot:
    simulated = case.simulated
    assert simulated.mean is not None
    ends = case.low, case.high, simulated.mean, simulated.low, simulated.high
    return Dot(case.name, case.kind, case.passed, case.value, *ends)


def agreement_table(data: AgreementData) -> base.Table:
    """Return one row per check."""
    unit = {SHARES: "", TIMES: "_s", COUNTS: ""}[data.family]
    names = ("published", "accepted_from", "accepted_to", "simulated", "low", "high")
    columns = ("check", "kind", "passed", *(f"{name}{unit}" for name in names))
    return base.Table(columns, tuple(tuple(dot) for dot in data.dots))


def agreement_figure(data: AgreementData) -> go.Figure:
    """Return what was simulated, upwards, against what was published, across, and the line of equality."""
    low, high = data.ends
    layout: dict[str, Any] = {
        "annotations": [base.corner("simulated", 1.0), *_names(data)],
        "margin": {"b": 50, "l": 8, "r": 16, "t": 28},
        "xaxis": _axis(data, low, high) | {"title": base.titled("published")["title"]},
        "yaxis": _axis(data, low, high),
    }
    return base.sheet([_diagonal(low, high), _ranges(data), *_dots(data)], HEIGHT, layout)


def _axis(data: AgreementData, low: float, high: float) -> dict[str, Any]:
    if data.family == TIMES:
        return duration_axis(low, high, TICKS)
    return count_axis(low, high) if data.family == COUNTS else base.axis(range=[low, high], nticks=6)


def _diagonal(low: float, high: float) -> go.Scatter:
    line = {"color": theme.MUTED.light, "dash": "dash", "width": 1.2}
    return go.Scatter(hoverinfo="skip", line=line, mode="lines", x=[low, high], y=[low, high])


def _ranges(data: AgreementData) -> go.Scatter:
    """The accepted range of each check as a bar across; what has no end goes on to the edge."""
    low, high = data.ends
    x: list[float | None] = []
    y: list[float | None] = []
    for dot in data.dots:
        x += [low if dot.low is None else max(dot.low, low), high if dot.high is None else dot.high, None]
        y += [dot.mean, dot.mean, None]
    line = {"color": GREEN, "width": 5}
    return go.Scatter(connectgaps=False, hoverinfo="skip", line=line, mode="lines", opacity=0.45, x=x, y=y)


def _dots(data: AgreementData) -> list[go.Scatter]:
    """One trace per kind, and one for what did not pass."""
    groups = [(kind, [dot for dot in data.dots if dot.kind == kind]) for kind in SYMBOLS]
    return [_trace(kind, dots, data) for kind, dots in groups if dots]


def _trace(kind: str, dots: list[Dot], data: AgreementData) -> go.Scatter:
    say = SAY[data.family]
    symbol = SYMBOLS.get(kind, UNKNOWN_SYMBOL)
    colours = [BLUE if dot.passed else RED for dot in dots]
    edge = colours if symbol.endswith(("thin", "open")) else theme.PAPER.light
    return go.Scatter(
        customdata=[[base.text(dot.name), kind, say(dot.place), say(dot.mean)] for dot in dots],
        error_y={
            "array": [max((dot.mean_high or dot.mean) - dot.mean, 0.0) for dot in dots],
            "arrayminus": [
                max(dot.mean - (dot.mean_low if dot.mean_low is not None else dot.mean), 0.0) for dot in dots
            ],
            "color": theme.INK.light,
            "symmetric": False,
            "thickness": 1.4,
            "type": "data",
            "width": 4,
        },
        hovertemplate="%{customdata[0]} (%{customdata[1]})<br>published %{customdata[2]}"
        "<br>simulated %{customdata[3]}<extra></extra>",
        marker={"color": colours, "line": {"color": edge, "width": 2}, "size": 11, "symbol": symbol},
        mode="markers",
        x=[dot.place for dot in dots],
        y=base.rounded([dot.mean for dot in dots]),
    )


def _names(data: AgreementData) -> list[dict[str, Any]]:
    """Name what stands off the line: controls, and what did not pass."""
    shown = [dot for dot in data.dots if dot.kind == "control" or not dot.passed]
    return [_name(dot, data) for dot in shown]


def _name(dot: Dot, data: AgreementData) -> dict[str, Any]:
    low, high = data.ends
    place = (dot.place, dot.mean) if data.family == SHARES else (math.log10(dot.place), math.log10(dot.mean))
    left = place[0] < (low + high) / 2 if data.family == SHARES else dot.place**2 < low * high
    side: dict[str, Any] = {"xanchor": "left" if left else "right", "xshift": 9 if left else -9}
    return base.note(base.text(dot.name, LONGEST), place[0], place[1], yanchor="bottom", yshift=4, **side)


def _count(value: float) -> str:
    return measured(value, None)


def _share(value: float) -> str:
    return measured(value, 0.004)


SAY: dict[str, Callable[[float], str]] = {SHARES: _share, TIMES: duration, COUNTS: _count}
