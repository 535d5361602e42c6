"""Where the first-order estimator of ETTR fails: ETTR against cards, by three ways to know it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import MINUS, NOTHING, duration, points, whole
from clustersim.validation.claims import interval_text
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Block, Cell, Data, Figure, Row, Section, Table, Text, key, slug
from clustersim_reports.drawing import BLUE, ORANGE, Json
from clustersim_reports.run import ends_of

if TYPE_CHECKING:
    from clustersim.validation import Validation
    from clustersim.validation.estimator import EstimatorCurve, EstimatorPoint

FLOOR, TOP, HEIGHT = -0.25, 1.0, 420
LEAST = 0.001
"""An ETTR below this is shown as that."""
LOOKS = ((BLUE, "circle", "dot"), (ORANGE, "diamond", "diamond"))
"""Colour and sign of the first cluster and of the second, and the sign in the legend."""
UNKNOWN = ConfidenceInterval()
SIZES = (16_384, 100_000, 1_000_000)
"""The sizes at which the page says in numbers how far the estimator is off."""
ABOUT = (
    "Kokolis et al. (Meta, arXiv:2410.21680v2) estimate the expected ETTR of a job as"
    " (1 − N·r·(u₀ + Δt/2)) / (1 + w/Δt): N nodes that fail at rate r, u₀ from a failure to training again,"
    " and a save of length w after each Δt of training. The estimator is of first order: it assumes that"
    " failures are rare, so that each of them costs the same and none comes while another is being repaired."
    " Its authors give it for a failure every 0.1 days or rarer. Daly's formula (2006) and the simulation"
    " need no such assumption, and show how far the estimator holds.",
    "Inputs: RSC-1 fails 6.50 times and RSC-2 2.34 times per 1000 node-days, 8 cards to a node, u₀ = 5 min,"
    " w = 5 min, Δt = 1 h or √(2w/(N·r)); a node to replace a failed one is always available.",
)


def section(validation: Validation) -> Section | None:
    """Return a figure and a table for each way to save, or None where the estimator was not simulated."""
    curves, columns = (
        validation.curves,
        ("ETTR simulated", "Daly's formula", "Estimator", "Error of the estimator"),
    )
    blocks: list[Block] = [Text(words) for words in ABOUT]
    for policy in dict.fromkeys(curve.policy for curve in curves):
        pair = [curve for curve in curves if curve.policy == policy]
        chart = figure(pair)
        table = Table(f"Error of the estimator: {chart.title}", columns, errors(pair), "Cluster", "measures")
        blocks += [chart, table]
    heading = "Where the first-order estimator fails"
    return Section("estimator", "First order", heading, blocks) if curves else None


def sentence(curves: Sequence[EstimatorCurve]) -> Iterator[Advice]:
    """Yield what the estimator says of the first cluster, beside the simulation."""
    for curve in curves[:1]:
        marks = [mark for mark in curve.marks if mark.gpus in SIZES]
        texts = [(estimator_text(mark), whole(mark.gpus), simulated_text(mark)) for mark in marks]
        parts = [f"{estimate} at {cards} cards (simulated {ettr})" for estimate, cards, ettr in texts]
        what = f"with {curve.policy} at {curve.cluster}'s failure rate"
        text = f"Meta's first-order estimator of ETTR, {what}, gives {', '.join(parts)}."
        yield Advice(text)


def errors(curves: Sequence[EstimatorCurve]) -> list[Row]:
    """Return, by cluster and size, what the simulation, the exact formula and the estimator say."""
    table = []
    marks = [(curve, mark) for curve in curves for mark in curve.marks if mark.gpus in SIZES]
    for curve, mark in marks:
        often = f"a failure every {duration(mark.mtbf_s)}, a save every {duration(mark.interval_s)}"
        exact = f"{mark.exact:.3f}" if mark.exact >= LEAST else f"below {LEAST:g}"
        cells = simulated_text(mark), exact, estimator_text(mark), error_text(mark)
        head = Cell(f"{curve.cluster}, {whole(mark.gpus)} cards", often)
        table.append(Row(head, [Cell(text) for text in cells]))
    return table


def simulated_text(mark: EstimatorPoint) -> str:
    """Return the simulated ETTR of a mark with its interval."""
    interval = mark.simulated or UNKNOWN
    small = interval.high is not None and interval.high < LEAST
    return f"below {LEAST:g}" if small else interval_text(interval, "share")


def estimator_text(mark: EstimatorPoint) -> str:
    """Return what the estimator says."""
    return f"{mark.estimator:.2f}".replace("-", MINUS)


def error_text(mark: EstimatorPoint) -> str:
    """Return by how much the estimator differs from the simulation, in percentage points."""
    interval = mark.simulated or UNKNOWN
    if interval.mean is None:
        return NOTHING
    off = mark.estimator - interval.mean
    return f"{whole(100 * off).replace('-', MINUS)} pp" if abs(off) >= 1 else points(off, interval.half_width)


def crossing(curve: EstimatorCurve) -> float | None:
    """Return the cards from which on the estimator is below zero, None where it never is."""
    return next((mark.gpus for mark in curve.line if mark.estimator < 0), None)


def figure(curves: Sequence[EstimatorCurve]) -> Figure:
    """Return estimator (dashed), exact formula (line) and simulation (points) over the cards."""
    policy, marks = curves[0].policy, [(curve, mark) for curve in curves for mark in curve.marks]
    rates = " and ".join(f"{curve.cluster} {curve.rate:g}" for curve in curves)
    spoken = []
    for curve, mark in marks:
        where = f"{curve.cluster} at {whole(mark.gpus)} cards"
        spoken.append(f"{where}: estimator {estimator_text(mark)}, simulated {simulated_text(mark)}")
    columns = "cluster failures_per_1000_node_days cards mtbf_s interval_s estimator exact simulated low high"
    rows = []
    for curve, mark in marks:
        numbers = mark.mtbf_s, mark.interval_s, mark.estimator, mark.exact, *ends_of(mark.simulated)
        rows.append((curve.cluster, curve.rate, int(mark.gpus), *numbers))
    caption = f"Failures per 1000 node-days: {rates}. Below zero, in the shaded area, no ETTR is possible."
    legend = [
        *(key(look[2], f"{curve.cluster}, simulated") for curve, look in zip(curves, LOOKS, strict=False)),
        key("line-two", "Daly's exact formula"),
        key("dash-two", "Meta's first-order estimator"),
        key("whisker", "95 % interval"),
    ]
    title, data = f"{policy[:1].upper()}{policy[1:]}", Data(columns.split(), rows)
    return Figure(f"roads-{slug(policy)}", title, caption, "; ".join(spoken), legend, _drawing(curves), data)


def _drawing(curves: Sequence[EstimatorCurve]) -> Json:
    sizes = [mark.gpus for curve in curves for mark in curve.line]
    left, right = min(sizes) / 1.15, max(sizes) * 1.15
    crossings = [
        (drawing.compact(float(f"{at:.2g}")), curve.cluster) for curve in curves if (at := crossing(curve))
    ]
    words = f"estimator below 0 from {', '.join(f'{at} ({name})' for at, name in crossings)} cards on"
    below: Json = {"name": drawing.WIDE, "xanchor": "left", "yanchor": "middle"}
    note = drawing.note(words, math.log10(min(sizes)), FLOOR / 2, **below)
    return drawing.sheet(
        [trace for curve, look in zip(curves, LOOKS, strict=False) for trace in _traces(curve, *look[:2])],
        HEIGHT,
        annotations=[drawing.corner("ETTR"), *[note] * bool(crossings)],
        margin={"b": 50, "l": 8, "r": 16, "t": 28},
        shapes=[
            drawing.rule({"width": 0}, (left, right), (FLOOR, 0), type="rect", fillcolor=theme.GAP.light)
        ],
        xaxis=drawing.count_axis(left, right, title="cards"),
        yaxis=drawing.axis(range=[FLOOR, TOP], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    )


def _traces(curve: EstimatorCurve, colour: str, symbol: str) -> list[Json]:
    """Return both formulas, cut a little below the floor of the figure, and what was simulated."""
    sizes = [mark.gpus for mark in curve.line]
    estimator = [mark.estimator if mark.estimator > 2 * FLOOR else None for mark in curve.line]
    points = [ends_of(mark.simulated) for mark in curve.marks]
    hover = "<br>simulated %{customdata[1]}<br>exact %{customdata[2]}<br>estimator %{customdata[3]}"
    return [
        drawing.line(drawing.rounded(sizes), drawing.rounded(estimator), drawing.stroke(colour, 2, "dash")),
        drawing.line(
            drawing.rounded(sizes),
            drawing.rounded(mark.exact for mark in curve.line),
            drawing.stroke(colour, 2),
        ),
        drawing.dots(
            [mark.gpus for mark in curve.marks],
            drawing.rounded(mean for mean, _, _ in points),
            drawing.sign(colour, 11, symbol, width=1.5),
            error_y=drawing.whiskers(points),
            hover=f"{curve.cluster}, %{{customdata[0]}} cards{hover}",
            say=[
                (whole(m.gpus), simulated_text(m), f"{m.exact:.3f}", estimator_text(m)) for m in curve.marks
            ],
        ),
    ]
