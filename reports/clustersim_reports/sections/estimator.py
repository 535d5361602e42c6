"""Where the first-order estimator of ETTR fails: ETTR against cards, by three ways to know it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import MINUS, NOTHING, duration, points, whole
from clustersim.validation import Validation
from clustersim.validation.estimator import EstimatorCurve, EstimatorPoint
from clustersim.validation.outcomes import interval_text
from clustersim_reports import blocks, drawing, theme
from clustersim_reports.blocks import Cell, Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, ORANGE, WIDE, Plot
from clustersim_reports.run import interval

FLOOR, TOP, HEIGHT = -0.25, 1.0, 420
LEAST = 0.001
"""An ETTR below this is shown as that."""
LOOKS = ((BLUE, "circle", "dot"), (ORANGE, "diamond", "diamond"))
"""Colour and sign of the first cluster and of the second, and the sign in the legend."""
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


def section(validation: Validation) -> Section:
    """Return a figure and a table for each way to save; nothing where the estimator was not simulated."""
    columns = ("ETTR simulated", "Daly's formula", "Estimator", "Error of the estimator")
    parts: list[blocks.Block] = [blocks.Text(words) for words in ABOUT if validation.curves]
    for policy in dict.fromkeys(curve.policy for curve in validation.curves):
        pair = [curve for curve in validation.curves if curve.policy == policy]
        parts.append(figure(pair))
        caption = f"Error of the estimator: {_title(policy)}"
        parts.append(Table(caption, columns, list(errors(pair)), "Cluster", "measures"))
    return Section("estimator", "Where the first-order estimator fails", parts, "First order")


def _title(policy: str) -> str:
    return f"{policy[:1].upper()}{policy[1:]}"


def sentence(curves: Sequence[EstimatorCurve]) -> Iterator[Advice]:
    """Yield what the estimator says of the first cluster, beside the simulation."""
    for curve in curves[:1]:
        parts = [
            f"{estimator_text(mark)} at {whole(mark.gpus)} cards (simulated {simulated_text(mark)})"
            for mark in curve.marks
            if mark.gpus in SIZES
        ]
        what = f"with {curve.policy} at {curve.cluster}'s failure rate"
        text = f"Meta's first-order estimator of ETTR, {what}, gives {', '.join(parts)}."
        yield Advice(text)


def errors(curves: Sequence[EstimatorCurve]) -> Iterator[blocks.Row]:
    """Yield, by cluster and size, what the simulation, the exact formula and the estimator say."""
    for curve, mark in marks_of(curves, SIZES):
        often = f"a failure every {duration(mark.mtbf_s)}, a save every {duration(mark.interval_s)}"
        head = Cell(f"{curve.cluster}, {whole(mark.gpus)} cards", often)
        exact = f"{mark.exact:.3f}" if mark.exact >= LEAST else f"below {LEAST:g}"
        yield row(head, simulated_text(mark), exact, estimator_text(mark), error_text(mark))


def marks_of(
    curves: Sequence[EstimatorCurve], sizes: Container[float] | None = None
) -> Iterator[tuple[EstimatorCurve, EstimatorPoint]]:
    """Yield what was simulated of each cluster, at these *sizes* or all."""
    for curve in curves:
        yield from ((curve, mark) for mark in curve.marks if sizes is None or mark.gpus in sizes)


def simulated_text(mark: EstimatorPoint) -> str:
    """Return the simulated ETTR of a mark with its interval."""
    ettr = mark.simulated or ConfidenceInterval()
    small = ettr.high is not None and ettr.high < LEAST
    return f"below {LEAST:g}" if small else interval_text(ettr, "share")


def estimator_text(mark: EstimatorPoint) -> str:
    """Return what the estimator says."""
    return f"{mark.estimator:.2f}".replace("-", MINUS)


def error_text(mark: EstimatorPoint) -> str:
    """Return by how much the estimator differs from the simulation, in percentage points."""
    ettr = mark.simulated or ConfidenceInterval()
    if ettr.mean is None:
        return NOTHING
    off = mark.estimator - ettr.mean
    return f"{whole(100 * off).replace('-', MINUS)} pp" if abs(off) >= 1 else points(off, ettr.half_width)


def crossing(curve: EstimatorCurve) -> float | None:
    """Return the cards from which on the estimator is below zero, None where it never is."""
    return next((mark.gpus for mark in curve.line if mark.estimator < 0), None)


def figure(curves: Sequence[EstimatorCurve]) -> Figure:
    """Return estimator (dashed), exact formula (line) and simulation (points) over the cards."""
    rows: list[Json] = []
    spoken = []
    for curve, mark in marks_of(curves):
        point = {"cluster": curve.cluster, "failures_per_1000_node_days": curve.rate, "cards": int(mark.gpus)}
        point |= {name: getattr(mark, name) for name in ("mtbf_s", "interval_s", "estimator", "exact")}
        rows.append(point | interval("simulated", mark.simulated))
        where = f"{curve.cluster} at {whole(mark.gpus)} cards"
        spoken.append(f"{where}: estimator {estimator_text(mark)}, simulated {simulated_text(mark)}")
    sizes = [mark.gpus for curve in curves for mark in curve.line]
    ends = min(sizes) / 1.15, max(sizes) * 1.15
    upward = drawing.axis(range=[FLOOR, TOP], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1.0])
    plot = Plot(Data(rows), HEIGHT, x=drawing.count_axis(*ends, title="cards"), y=upward)
    plot.corner("ETTR")
    plot.rule({"width": 0}, ends, (FLOOR, 0), type="rect", fillcolor=theme.GAP.light)
    crossings = [(at, curve.cluster) for curve in curves if (at := crossing(curve))]
    if crossings:
        listed = ", ".join(f"{drawing.compact(float(f'{at:.2g}'))} ({name})" for at, name in crossings)
        look = {"name": WIDE, "xanchor": "left", "yanchor": "middle"}
        plot.note(f"estimator below 0 from {listed} cards on", min(sizes), FLOOR / 2, **look)
    for curve, signs in zip(curves, LOOKS, strict=False):
        _draw(plot, curve, *signs)
    plot.legend += [
        key("line-two", "Daly's exact formula"),
        key("dash-two", "Meta's first-order estimator"),
        key("whisker", "95 % interval"),
    ]
    rates = " and ".join(f"{curve.cluster} {curve.rate:g}" for curve in curves)
    caption = f"Failures per 1000 node-days: {rates}. Below zero, in the shaded area, no ETTR is possible."
    policy = curves[0].policy
    return plot.figure(f"roads-{blocks.slug(policy)}", _title(policy), caption, spoken)


def _draw(plot: Plot, curve: EstimatorCurve, colour: str, symbol: str, sign: str) -> None:
    """Draw both formulas, the estimator cut a little below the floor of the figure, and the simulation."""
    across = [mark.gpus for mark in curve.line]
    shown = [mark.estimator if mark.estimator > 2 * FLOOR else None for mark in curve.line]
    plot.line(across, shown, colour, 2, "dash")
    plot.line(across, [mark.exact for mark in curve.line], colour, 2)
    own, lines = Data([point for point in plot.data.rows if point["cluster"] == curve.cluster]), []
    for mark in curve.marks:
        values = f"simulated {simulated_text(mark)}", f"exact {mark.exact:.3f}"
        where = f"{curve.cluster}, {whole(mark.gpus)} cards"
        lines.append((where, *values, f"estimator {estimator_text(mark)}"))
    marker, entry = drawing.sign(colour, 11, symbol, width=1.5), key(sign, f"{curve.cluster}, simulated")
    bars = drawing.whiskers(own, "simulated")
    plot.dots(own["cards"], own["simulated"], marker, hover=lines, error_y=bars, sign=entry)
