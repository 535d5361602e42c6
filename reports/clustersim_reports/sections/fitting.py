"""What was fitted to a log: causes, failures over time, nodes by their failures, repairs, and the check."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from clustersim.arrays import Floats, dot
from clustersim.fitting.answer import Fit, away_in_words, in_ends, written
from clustersim.fitting.causes import CauseFit
from clustersim.fitting.checking import LABELS, Checked
from clustersim.fitting.repairs import still_away
from clustersim.formatting import counted, duration, percent, significant, whole
from clustersim.logs.history import ROWS, TOTAL, History
from clustersim_reports import drawing
from clustersim_reports.blocks import (
    Block,
    Cell,
    Data,
    Figure,
    Group,
    Json,
    Row,
    Section,
    Table,
    anchors,
    key,
    row,
)
from clustersim_reports.drawing import BLUE, INK, Plot
from clustersim_reports.run import interval

MOST_CAUSES, MOST_REPAIRS, BAR = 12, 3, 44
MOST_BINS, FEWEST_IN_BIN = 60, 8
MOST_FAILURES = 30
"""Failures of one node beyond which nodes are drawn together."""
POINTS = 120
FEWEST_REPAIRS = 5


def causes(found: Fit) -> Section:
    """Return how often each cause strikes, with what was claimed of it, and when failures came."""
    rows = [_cause(fit) for fit in found.causes.values()]
    columns = ["Failures", "Per 1000 node-days", "Lifetime", "Away, median", "Mean", "Not back"]
    table = Table("What was fitted to each cause", columns, rows, "Cause", "measures")
    figures = Group([rates(found), over_time(found)], look="pair")
    return Section("causes", "What fails, and how often", [figures, table], "Causes")


def fleet(found: Fit) -> Section:
    """Return whether nodes differ, and how long they are away."""
    laws = [
        fit for fit in found.causes.values() if fit.repair is not None and fit.done.sum() >= FEWEST_REPAIRS
    ]
    names = anchors(fit.name for fit in laws[:MOST_REPAIRS])
    drawn = [repairs(fit, name) for fit, name in zip(laws, names, strict=False)]
    blocks: list[Block] = [block for block in (nodes(found), *drawn) if block is not None]
    return Section(
        "fleet", "Which nodes fail, and for how long", [Group(blocks, look="pair")] if blocks else []
    )


def check(found: Fit) -> Section:
    """Return the log among simulated histories of the fitted fleet, and what became of its rows."""
    judged = [each for each in found.checked if each.inside is not None]
    rows = [_checked(each) for each in judged]
    histories = f"95 % of {whole(found.replications)} simulated histories"
    table = Table(
        "The log among histories of the fitted fleet", ["Log", histories, ""], rows, "Figure", "measures"
    )
    became = [
        row(Cell(name.replace("_", " "), meaning), whole(found.history.rows[name]))
        for name, meaning in ROWS.items()
        if found.history.rows.get(name)
    ]
    became.append(row("in all", whole(found.history.rows[TOTAL])))
    rows_table = Table("What became of the rows of the log", ["Rows"], became, "Row", "measures")
    return Section(
        "check", "Is the fitted fleet like the log?", [table if rows else None, rows_table], "The check"
    )


def _cause(fit: CauseFit) -> Row:
    law = fit.selection.best.model.law
    return row(fit.name, whole(fit.count), in_ends(fit.rate, _three), law, *away_in_words(fit))


def _three(value: float) -> str:
    return significant(value, 3)


def _checked(each: Checked) -> Row:
    observed, low, high = (written(each.figure, end) for end in (each.observed, each.low, each.high))
    verdict = Cell("✓ inside", look="verdict") if each.inside else Cell("✗ outside", look="verdict")
    return row(
        LABELS[each.figure], observed, f"{low} to {high}", verdict, look="pass" if each.inside else "fail"
    )


def rates(found: Fit) -> Figure:
    """Return a bar for each cause, the most frequent first, with the exact interval of its rate."""
    shown = list(found.causes.values())[:MOST_CAUSES]
    data = Data([{"cause": fit.name} | interval("rate", fit.rate) | {"failures": fit.count} for fit in shown])
    longest = max(fit.rate.high or 0.0 for fit in shown)
    across = drawing.axis("failures per 1000 node-days", range=[0, 1.04 * longest], nticks=6)
    heads = [f"{drawing.text(fit.name, 30)} · <b>{_three(fit.rate.mean or 0.0)}</b>" for fit in shown]
    plot = Plot.rows(data, heads, BAR, across)
    lines = [(fit.name, counted(fit.count, "failure"), in_ends(fit.rate, _three)) for fit in shown]
    bars = drawing.hatching("productive")
    plot.bars("rate", range(len(shown)), bars, hover=lines, error_x=drawing.whiskers(data, "rate"))
    plot.legend += [key("productive", "failures per 1000 node-days"), key("whisker", "95 % interval")]
    more = len(found.causes) - len(shown)
    caption = f"{counted(len(shown), 'cause')}, with exact Poisson intervals."
    caption += f" {more} more in the table." if more else ""
    spoken = [f"{fit.name} {_three(fit.rate.mean or 0.0)}" for fit in shown[:6]]
    return plot.figure("rates", "How often each cause strikes", caption, spoken)


def over_time(found: Fit) -> Figure:
    """Return how many failures came in equal parts of the window."""
    times, window = found.history.time_s, found.history.window_s
    bins = int(min(max(len(times) / FEWEST_IN_BIN, 4), MOST_BINS))
    counts, edges = np.histogram(times, bins=bins, range=(0.0, window))
    size, _ = drawing.time_unit(window)
    points: list[Json] = [
        {"part": number, "from_s": float(low), "to_s": float(high), "failures": int(count)}
        for number, (low, high, count) in enumerate(zip(edges[:-1], edges[1:], counts, strict=True), 1)
    ]
    data = Data(points)
    upward = drawing.axis(range=[0, 1.1 * max(int(counts.max()), 1)], nticks=5)
    plot = Plot(data, 300, x=drawing.time_axis(window, "the start of the window"), y=upward, bargap=0.08)
    plot.corner("failures")
    lines = [
        (f"{duration(each['from_s'])} to {duration(each['to_s'])}", counted(each["failures"], "failure"))
        for each in points
    ]
    middles = [(each["from_s"] + each["to_s"]) / 2 / size for each in points]
    bars = drawing.hatching("productive")
    plot.add("bar", middles, "failures", hover=lines, marker=bars, sign=key("productive", "failures"))
    mean = len(times) / bins
    plot.line([0, window / size], [mean, mean], INK, 1.5, "dot", sign=key("dash", "mean"))
    most = f"at most {counted(int(counts.max()), 'failure')} in one"
    caption = f"The window in {bins} parts of {duration(window / bins)}; {most}."
    return plot.figure("over-time", "Failures over time", caption, caption)


def nodes(found: Fit) -> Figure | None:
    """Return how many nodes failed how often, beside what a fleet of equal nodes would have (Poisson)."""
    history = found.history
    struck = history.node[history.node >= 0]
    if not struck.size:
        return None
    counts = np.bincount(struck, minlength=history.nodes)
    most = int(min(counts.max(), MOST_FAILURES))
    seen = np.bincount(np.minimum(counts, most), minlength=most + 1)
    at, expected = np.arange(most + 1), _equal_nodes(history, len(struck), most)
    points: list[Json] = [
        {"failures": int(k), "nodes": int(n), "expected_nodes": float(e)}
        for k, n, e in zip(at, seen, expected, strict=True)
    ]
    data = Data(points)
    tallest = max(float(seen.max()), float(expected.max()))
    across = drawing.axis(
        "failures of a node", range=[-0.6, most + 0.6], showgrid=False, dtick=max(1, most // 10)
    )
    plot = Plot(data, 300, x=across, y=drawing.axis(range=[0, 1.1 * tallest], nticks=5), bargap=0.3)
    plot.corner("nodes")
    lines = [
        (
            counted(each["failures"], "failure"),
            counted(each["nodes"], "node"),
            f"{_three(each['expected_nodes'])} expected",
        )
        for each in points
    ]
    sign = key("productive", "nodes of the log")
    plot.add("bar", "failures", "nodes", hover=lines, marker=drawing.hatching("productive"), sign=sign)
    sign = key("dot-ink", "expected of equal nodes (Poisson)")
    plot.dots("failures", "expected_nodes", drawing.sign(INK, 7), sign=sign)
    never = f"{whole(int(seen[0]))} of {counted(history.nodes, 'node')}"
    alike = _three(float(expected[0]))
    caption = f"{never} never failed; of equal nodes {alike} would not have."
    last = f" The last bar is {most} or more." if counts.max() > most else ""
    return plot.figure("nodes", "Nodes by their failures", caption + last, caption)


def _equal_nodes(history: History, failures: int, most: int) -> Floats:
    """Return how many nodes would have 0 to *most* of so many *failures*, were all of them alike."""
    watched, alike = np.unique(history.left_s - history.entered_s, return_counts=True)
    means, at = failures * watched / dot(watched, alike), np.arange(most + 1)
    logs = at * np.log(np.maximum(means, 1e-300))[:, None] - means[:, None] - gammaln(at + 1)
    return np.asarray((alike[:, None] * np.exp(logs)).sum(axis=0))


def repairs(fit: CauseFit, name: str) -> Figure | None:
    """Return the share of nodes that are still away, over time, with the law that was fitted."""
    law = fit.repair
    if law is None:
        return None
    times, shares = still_away(fit.away_s, fit.done)
    chosen = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
    at = np.maximum(times[chosen], 1.0)
    fitted = law.longer(at)
    points: list[Json] = [
        {"cause": fit.name, "away_s": float(t), "still_away": float(s), "fitted": float(f)}
        for t, s, f in zip(at, shares[chosen], fitted, strict=True)
    ]
    low, high = float(at.min()), float(at.max())
    across = drawing.duration_axis(low / 1.3, high * 1.3, 6, title="away", showgrid=False)
    plot = Plot(Data(points), 300, x=across, y=drawing.axis(range=[0, 103], ticksuffix=" %", nticks=6))
    plot.corner("still away")
    lines = [(duration(each["away_s"]), f"{percent(each['still_away'])} still away") for each in points]
    seen = [100 * each["still_away"] for each in points]
    plot.line("away_s", seen, BLUE, 2.5, hover=lines, sign=key("line", "nodes of the log"))
    shape = [100 * each["fitted"] for each in points]
    plot.line("away_s", shape, INK, 1.5, "dot", sign=key("dash", f"{law.law} law"))
    plot.upright(law.seen.median_s, INK)
    side = "right" if plot.share(law.seen.median_s) > 0.5 else "left"
    plot.note(f"median {duration(law.seen.median_s)}", law.seen.median_s, 1, yref="paper", xanchor=side)
    numbers = f"median {duration(law.seen.median_s)}, mean {duration(law.seen.mean_s)}"
    caption = f"{counted(law.seen.done, 'repair')}: {numbers}; {whole(law.seen.censored)} not yet over."
    half = percent(float(np.interp(law.seen.median_s, at, shares[chosen])))
    spoken = f"{half} are still away after {duration(law.seen.median_s)}"
    return plot.figure(f"repairs-{name}", f"How long nodes are away: {fit.name}", caption, spoken)
