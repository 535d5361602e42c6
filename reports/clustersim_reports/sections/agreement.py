"""Published against simulated: every check with its interval, beside the line on which both are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from clustersim.formatting import duration, measured
from clustersim.validation import ClaimResult, Trial, Validation
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Data, Figure, Group, Items, Json, Section, Text, key
from clustersim_reports.drawing import BLUE, GREEN, MUTED, RED, Plot, Position
from clustersim_reports.run import interval


class Family(NamedTuple):
    """Checks that share axes: their title, the unit in the columns, how a value is written, and the axis."""

    title: str
    unit: str
    say: Callable[[float], str]
    axis: Callable[..., Json]


def _linear(values: Sequence[float], **more: Any) -> Json:
    return drawing.axis(range=[min(0.0, *values) - 0.03, 1.03], nticks=6, **more)


def _logarithmic(values: Sequence[float], **more: Any) -> Json:
    return drawing.count_axis(*_around(values), **more)


def _durations(values: Sequence[float], **more: Any) -> Json:
    return drawing.duration_axis(*_around(values), 5, **more)


def _around(values: Sequence[float]) -> Position:
    positive = [value for value in values if value > 0]
    return min(positive) / ROOM, max(positive) * ROOM


FAMILIES = {
    "shares": Family("Shares of the time", "", lambda value: measured(value, 0.004), _linear),
    "times": Family("Times", "_s", duration, _durations),
    "counts": Family("Counts", "", lambda value: measured(value, None), _logarithmic),
}
UNITS = {"share": "shares", "s": "times"}
FEWEST = 3
"""Checks below which a figure shows nothing that the table does not."""
HEIGHT, ROOM, LONGEST = 400, 1.6, 19
"""Pixels, the room at the ends of a log axis as a ratio, and most characters of a name."""
LETTER, LINE, PIXEL = 0.024, 15 / 320, 1 / 320
"""Shares of an axis that a letter takes across, and a line of letters and a pixel upwards."""
LIFTS = (4, -8, -20, 16, -32, 28)
"""Pixels from a sign up to its name, the best first."""
SIGNS = {
    "exact": ("dot", "circle"),
    "band": ("square", "square"),
    "control": ("cross-blue", "x-thin"),
    "formula": ("diamond-blue", "diamond"),
    "plumbing": ("ring", "circle-open"),
}
"""The sign of each kind of check in the legend and in the drawing."""
ABOUT = (
    "Each sign is one check: the published figure on the horizontal axis, the simulated one on the vertical"
    " axis. On the dashed line both are equal. A check that was published as a range passes where its bar"
    " crosses the line; a control passes where it does not. A check with an input that was not published has"
    " a sign for each value that was tried, grey where that does not agree."
)


def section(validation: Validation) -> Section:
    """Return a figure for shares, one for times and one for counts; nothing of too few checks."""
    kinds = {case.kind for case in validation.cases}
    keys = [key(sign, kind) for kind, (sign, _) in SIGNS.items() if kind in kinds]
    keys += [
        key("whisker", "95 % interval, mostly smaller than the sign"),
        key("accepted", "accepted range"),
        key("dash", "published = simulated"),
    ]
    figures = []
    for name, family in FAMILIES.items():
        cases = [
            case
            for case in _each_tried(validation.cases)
            if UNITS.get(case.unit, "counts") == name and case.simulated.mean is not None
            if case.simulated.mean > 0 or family.axis is _linear
        ]
        figures += [figure(name, cases)] if cases else []
    blocks: list[Block] = [Text(ABOUT), Items(keys, "legend"), Group(figures, look="pair small")]
    return Section("agreement", "At a glance", blocks if len(validation.cases) >= FEWEST else [])


def _each_tried(cases: Sequence[ClaimResult]) -> Iterator[ClaimResult]:
    """Yield the checks, and in place of one with a missing input one for each value that was tried."""
    for case in cases:
        yield from [_with(case, trial) for trial in case.tried] or [case]


def _with(case: ClaimResult, trial: Trial) -> ClaimResult:
    name = f"{case.name} ({trial.value})"
    return replace(case, name=name, simulated=trial.simulated, verdict=trial.verdict)


def figure(name: str, cases: Sequence[ClaimResult]) -> Figure:
    """Return what was simulated against what was published, and the line of equality.

    Each check stands across at what was published, else at an end of its range.  A range without an end goes
    on to the edge.  Controls, and what did not pass, have their names.
    """
    family = FAMILIES[name]
    points: list[Json] = []
    for case in cases:
        ends = {"published": case.value, "accepted_from": case.low, "accepted_to": case.high}
        point: Json = {"check": case.name, "kind": case.kind, "passed": case.passed}
        point |= {f"{end}{family.unit}": value for end, value in ends.items()}
        points.append(point | interval("simulated", case.simulated, family.unit))
    around = [
        value for case in cases for value in (case.value, case.low, case.high, case.simulated.mean) if value
    ]
    plot = Plot(Data(points), HEIGHT, x=family.axis(around, title="published"), y=family.axis(around))
    plot.corner("simulated")
    names: list[tuple[str, float, float]] = []
    low, high = plot.ends()
    plot.line([low, high], [low, high], MUTED, 1.2, "dash")
    for case, point in zip(cases, points, strict=True):
        x, y = next(v for v in (case.value, case.low, case.high) if v is not None), case.simulated.mean or 0.0
        begin, end = low if case.low is None else max(case.low, low), high if case.high is None else case.high
        plot.segments([(begin, y, end, y)], GREEN, 5, opacity=0.45)
        lines = [(f"{case.name} ({case.kind})", f"published {family.say(x)}", f"simulated {family.say(y)}")]
        bars = drawing.whiskers(Data([point]), f"simulated{family.unit}")
        colour = BLUE if case.passed else MUTED if case.tried else RED
        marker = drawing.sign(colour, 11, SIGNS[case.kind][1])
        plot.dots([x], [y], marker, error_y=bars, hover=lines)
        if case.kind == "control" or not (case.passed or case.tried):
            names.append((drawing.text(case.name, LONGEST), x, y))
    _name(plot, names)
    count = f"{len(cases)} check{'s' * (len(cases) > 1)}"
    failed = ", ".join(case.name for case in cases if not (case.passed or case.tried))
    spoken = f"{count}, not passed: {failed}" if failed else f"{count}, all passed"
    return plot.figure(f"agreement-{name}", family.title, count, spoken)


def _name(plot: Plot, names: Sequence[tuple[str, float, float]]) -> None:
    """Write names beside their signs, where there is more room, higher or lower where that is taken."""
    taken: list[tuple[float, float, float]] = []
    for words, x, y in sorted(names, key=lambda each: -each[2]):
        across, up, wide = plot.share(x), plot.share(y, "y"), len(words) * LETTER
        sides = ("left", "right") if across < 0.5 else ("right", "left")
        places = [
            (side, lift, begin, up + lift * PIXEL)
            for lift in LIFTS
            for side in sides
            if (begin := across if side == "left" else across - wide) >= 0
        ]
        signs = [
            (plot.share(a) - LETTER, plot.share(b, "y"), 2 * LETTER) for _, a, b in names if (a, b) != (x, y)
        ]
        free = (place for place in places if not any(_meet(place[2:], wide, each) for each in signs + taken))
        side, lift, begin, height = next(free, (sides[0], LIFTS[0], across, up))
        taken.append((begin, height, wide))
        plot.note(words, x, y, yshift=lift, xanchor=side, xshift=9 if side == "left" else -9)


def _meet(place: Position, wide: float, other: tuple[float, float, float]) -> bool:
    """Return whether a name at *place* would run into another one."""
    begin, height = place
    return begin < other[0] + other[2] and other[0] < begin + wide and abs(height - other[1]) < LINE
