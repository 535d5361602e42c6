"""The words in the picture of cards against effective cards, left out where they would cover each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clustersim.digits import measured
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.scales import compact, share_of
from clustersim_reports.figures.size import Frame, SizeData, SizePoint, SizeStep

Place = tuple[float, float]
WIDTH, NARROW_WIDTH, HEIGHT, OFFSET = 0.19, 0.42, 0.13, 0.09
"""Room that a label takes on a wide and a narrow page, and its distance from its dot: shares of the axes."""


def labels(data: SizeData) -> list[dict[str, Any]]:
    """Return the names of the points, what each step adds, and what the dashed line is."""
    names = _names(data)
    steps = [_step(data, step) for step in data.steps] if data.one_each else []
    return [
        base.corner("effective cards", 1.0),
        *names,
        *(step for step in steps if step),
        _diagonal(data.frame),
    ]


def _names(data: SizeData) -> list[dict[str, Any]]:
    """Return the label of each point for which there is room, those that come first before others."""
    frame, last = data.frame, len(data.points) - 1
    sides = {0: "left", last: "right"}
    places = [_place(frame, data, point) for point in data.points]
    wide, narrow = with_room(places, WIDTH), with_room(places, NARROW_WIDTH)
    return [
        _name(data, point, sides.get(order, "center")) | ({} if narrow[order] else {"name": base.WIDE})
        for order, point in enumerate(data.points)
        if wide[order]
    ]


def _place(frame: Frame, data: SizeData, point: SizePoint) -> Place:
    """Return where the label of *point* has its middle, as shares of both axes."""
    across = share_of(point.gpus, frame.left, frame.right)
    up = share_of(data.height(point), frame.floor, frame.top)
    return across, up + (OFFSET if point.effective is None else -OFFSET)


def with_room(places: Sequence[Place], width: float) -> list[bool]:
    """Return which of the labels at *places* can be set: no two closer than *width* and `HEIGHT`."""
    taken: list[Place] = []
    free = []
    for across, up in places:
        near = [one for one in taken if abs(one[0] - across) < width and abs(one[1] - up) < HEIGHT]
        taken += [] if near else [(across, up)]
        free.append(not near)
    return free


def _name(data: SizeData, point: SizePoint, side: str) -> dict[str, Any]:
    stuck = point.effective is None
    words = f"<b>{base.text(point.name, 18)}</b><br>{'no progress' if stuck else f'{point.said} effective'}"
    return base.note(
        words,
        math.log10(point.gpus),
        math.log10(data.height(point)),
        align=side,
        bgcolor=theme.PAPER.light,
        xanchor=side,
        xshift=0 if stuck else {"left": -6, "right": 6}.get(side, 0),
        yanchor="bottom" if stuck else "top",
        yshift=11 if stuck else -10,
    )


def _step(data: SizeData, step: SizeStep) -> dict[str, Any] | None:
    """Return what a step adds, written at its middle, or None where the step is too short for it."""
    ends = [point for point in data.points if point.name in (step.smaller, step.larger)]
    places = [_place(data.frame, data, point) for point in ends]
    if abs(places[0][0] - places[1][0]) < 1.5 * WIDTH:
        return None
    across = sum(math.log10(point.gpus) for point in ends) / 2
    up = sum(math.log10(data.height(point)) for point in ends) / 2
    return base.note(step_words(step), across, up, bgcolor=theme.PAPER.light, borderpad=3, name=base.WIDE)


def step_words(step: SizeStep) -> str:
    """Return what a step up in size adds: `90k more cards`, `each adds 0.40 cards`."""
    width = None if step.half_width is None else step.half_width / step.extra_cards
    if step.extra_effective < 0:
        gain = f"cost {measured(-step.extra_effective, step.half_width)} effective"
    else:
        gain = f"each adds {measured(step.marginal, width)}"
    return f"{compact(step.extra_cards)} more cards<br>{gain}"


def _diagonal(frame: Frame) -> dict[str, Any]:
    low, high = math.log10(max(frame.left, frame.floor)), math.log10(min(frame.right, frame.top))
    place = low + 0.62 * (high - low)
    font = {"color": theme.MUTED.light, "size": 12}
    return base.note(
        "every card trains", place, place, font=font, xanchor="right", yanchor="bottom", yshift=4
    )


def price_labels(data: SizeData, height: float) -> list[dict[str, Any]]:
    """Return the name of the lower panel, which ends at *height*, and the price at each point with room."""
    priced = [point for point in data.points if point.price]
    low = min(point.price or 0.0 for point in priced)
    shown = [*priced, *(point for point in data.points if point.effective is None)]
    span = math.log(data.frame.right / data.frame.left)
    places = [(math.log(point.gpus) / span, 0.0) for point in shown]
    refs = {"xref": "x2", "yref": "y2", "yanchor": "bottom", "yshift": 7}
    return [base.corner(f"{data.currency} per effective card-hour", height)] + [
        base.note(
            measured(point.price, point.price_width) if point.price else "no progress",
            math.log10(point.gpus),
            math.log10(point.price or low),
            **refs,
        )
        for point, free in zip(shown, with_room(places, WIDTH), strict=True)
        if free
    ]
