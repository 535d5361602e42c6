"""Published against simulated: every check with its interval, beside the line on which both are equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from clustersim.formatting import duration, measured
from clustersim_reports import drawing
from clustersim_reports.blocks import Data, Figure, Group, Items, Section, Text, key
from clustersim_reports.drawing import BLUE, GREEN, MUTED, PAPER, RED, Json, Position
from clustersim_reports.run import ends_of

if TYPE_CHECKING:
    from clustersim.validation import ClaimResult, Validation


class Family(NamedTuple):
    """Checks that share axes: their title, the unit in the columns, how a value is written, and the axis.

    Shares stand on a linear axis from 0 to 1, all others on a logarithmic one.
    """

    title: str
    unit: str
    say: Callable[[float], str]
    axis: Callable[..., Json]

    @property
    def linear(self) -> bool:
        """Whether the axes are linear."""
        return self.axis is drawing.axis

    def span(self, values: Sequence[float]) -> Position:
        """Return the ends of both axes, with some room around the *values*."""
        if self.linear:
            return min(0.0, *values) - 0.03, 1.03
        positive = [value for value in values if value > 0]
        return min(positive) / ROOM, max(positive) * ROOM


FAMILIES = {
    "shares": Family("Shares of the time", "", lambda value: measured(value, 0.004), drawing.axis),
    "times": Family("Times", "_s", duration, partial(drawing.duration_axis, most=5)),
    "counts": Family("Counts", "", lambda value: measured(value, None), drawing.count_axis),
}
UNITS = {"share": "shares", "s": "times"}
FEWEST = 3
"""Checks below which a figure shows nothing that the table does not."""
HEIGHT, ROOM, LONGEST = 400, 1.6, 19
"""Pixels, the room at the ends of a log axis as a ratio, and most characters of a name."""
SIGNS = {
    "exact": ("dot", "circle"),
    "band": ("square", "square"),
    "control": ("cross-blue", "x-thin"),
    "plumbing": ("ring", "circle-open"),
}
"""The sign of each kind of check in the legend and in the drawing."""
FILLED = ("circle", "square")
"""Signs with an edge in the colour of the paper; the others consist of their edge."""


def section(validation: Validation) -> Section | None:
    """Return a figure for shares, one for times and one for counts, or None of too few checks."""
    if len(validation.cases) < FEWEST:
        return None
    kinds = {case.kind for case in validation.cases}
    keys = [key(sign, kind) for kind, (sign, _) in SIGNS.items() if kind in kinds]
    keys += [
        key("whisker", "95 % interval, mostly smaller than the sign"),
        key("accepted", "accepted range"),
        key("dash", "published = simulated"),
    ]
    words = (
        "Each sign is one check: the published figure on the horizontal axis, the simulated one on the"
        " vertical axis. On the dashed line both are equal. A check that was published as a range passes"
        " where its bar crosses the line; a control passes where it does not."
    )
    by_family: dict[str, list[ClaimResult]] = {name: [] for name in FAMILIES}
    for case in validation.cases:
        name, mean = UNITS.get(case.unit, "counts"), case.simulated.mean
        if mean is not None and (mean > 0 or FAMILIES[name].linear):
            by_family[name].append(case)
    figures = Group([figure(name, cases) for name, cases in by_family.items() if cases], look="pair small")
    return Section("agreement", "At a glance", "At a glance", [Text(words), Items(keys, "legend"), figures])


def figure(name: str, cases: Sequence[ClaimResult]) -> Figure:
    """Return what was simulated against what was published, and the line of equality."""
    family, failed = FAMILIES[name], [case.name for case in cases if not case.passed]
    count = f"{len(cases)} check{'s' * (len(cases) > 1)}"
    names = ("published", "accepted_from", "accepted_to", "simulated", "low", "high")
    rows = [
        (case.name, case.kind, case.passed, case.value, case.low, case.high, *ends_of(case.simulated))
        for case in cases
    ]
    spoken = f"{count}, not passed: {', '.join(failed)}" if failed else f"{count}, all passed"
    sheet = _drawing(family, Data(("check", "kind", "passed", *names), rows))
    data = Data(("check", "kind", "passed", *(f"{name}{family.unit}" for name in names)), rows)
    return Figure(f"agreement-{name}", family.title, count, spoken, (), sheet, data)


def _drawing(family: Family, data: Data) -> Json:
    """Return the checks, each across at what was published, else at an end of its range.

    A range without an end goes on to the edge.  Controls, and what did not pass, have their names.
    """
    starts, stops, simulated = data["accepted_from"], data["accepted_to"], data["simulated"]
    candidates = zip(data["published"], starts, stops, strict=True)
    published = [next(end for end in ends if end is not None) for ends in candidates]
    span = family.span([value for value in (*published, *starts, *stops, *simulated) if value])
    ranges = [
        (span[0] if start is None else max(start, span[0]), mean, span[1] if stop is None else stop, mean)
        for start, stop, mean in zip(starts, stops, simulated, strict=True)
    ]
    checks = zip(data["check"], data["kind"], data["passed"], published, simulated, strict=True)
    labels = [(name, x, y) for name, kind, passed, x, y in checks if kind == "control" or not passed]
    ends: Json = {"range": list(span), "nticks": 6} if family.linear else {"low": span[0], "high": span[1]}
    return drawing.sheet(
        [
            drawing.line(span, span, drawing.stroke(MUTED, 1.2, "dash")),
            drawing.segments(ranges, drawing.stroke(GREEN, 5), opacity=0.45),
            _dots(family, data, published),
        ],
        HEIGHT,
        annotations=[drawing.corner("simulated"), *(_name(family, *label, span) for label in labels)],
        margin={"b": 50, "l": 8, "r": 16, "t": 28},
        xaxis=family.axis(title="published", **ends),
        yaxis=family.axis(**ends),
    )


def _dots(family: Family, data: Data, published: Sequence[float]) -> Json:
    """Return all checks, with a sign for each kind, and those that did not pass in red."""
    colours = [BLUE if passed else RED for passed in data["passed"]]
    symbols = [SIGNS[kind][1] for kind in data["kind"]]
    edges = [PAPER if symbol in FILLED else colour for symbol, colour in zip(symbols, colours, strict=True)]
    simulated, words = data["simulated"], [map(family.say, published), map(family.say, data["simulated"])]
    return drawing.dots(
        published,
        drawing.rounded(simulated),
        {"color": colours, "line": {"color": edges, "width": 2}, "size": 11, "symbol": symbols},
        error_y=drawing.whiskers(zip(simulated, data["low"], data["high"], strict=True)),
        hover="%{customdata[0]}<br>published %{customdata[1]}<br>simulated %{customdata[2]}",
        say=zip(map("{} ({})".format, data["check"], data["kind"]), *words, strict=True),
    )


def _name(family: Family, name: str, x: float, y: float, span: Position) -> Json:
    linear = family.linear
    across = (x - span[0]) / (span[1] - span[0]) if linear else drawing.share_of(x, *span)
    place = (x, y) if linear else (math.log10(x), math.log10(y))
    side: Json = {"xanchor": "left" if across < 0.5 else "right", "xshift": 9 if across < 0.5 else -9}
    return drawing.note(drawing.text(name, LONGEST), *place, yshift=4, **side)
