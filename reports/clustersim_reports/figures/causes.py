"""What fails and what it costs: waste by cause, the largest first, and what it consists of."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import percent
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.scenario import Scenario

MOST_CAUSES = 12
ROW = 44
RESERVED = {
    "checkpoint": "saves",
    "maintenance": "planned",
    "overhead": "the protocol",
    "start": "at time 0",
}


def cause_label(cause: str, from_log: Collection[str] = ()) -> str:
    """Return the name of a cause for a reader: reserved ones, and modes *from_log*, with what they are."""
    what = "recorded" if cause in from_log else RESERVED.get(cause)
    return f"{cause} ({what})" if what else cause


def recorded(scenario: Scenario) -> frozenset[str]:
    """Return the failure modes that come from a log, to be marked; none where all do, which is said once."""
    found = frozenset(name for name, mode in scenario.failures.items() if mode.recorded is not None)
    return found if len(found) < len(scenario.failures) else frozenset()


def _all_from_log(scenario: Scenario) -> bool:
    return bool(scenario.failures) and all(mode.recorded for mode in scenario.failures.values())


class CauseRow(NamedTuple):
    """One cause: its share of all card-hours, that of it and all larger ones, and its parts by ledger entry.

    `label` is its name for a reader, `per_day` the rate of its incidents, None where it is no failure mode.
    """

    cause: str
    label: str
    share: float
    half_width: float | None
    cumulative: float
    parts: tuple[tuple[str, float], ...]
    per_day: float | None


class CausesData(NamedTuple):
    """A scenario's waste by cause, the largest first; whether all failures come from a log."""

    name: str
    rows: tuple[CauseRow, ...]
    all_recorded: bool = False

    @property
    def entries(self) -> tuple[str, ...]:
        """The ledger entries that occur, in the ledger's order."""
        used = {entry for row in self.rows for entry, share in row.parts if share}
        return tuple(entry for entry in theme.STYLES if entry in used)


def causes_data(result: Results) -> CausesData | None:
    """Return the waste of *result* by cause, or None where nothing is wasted."""
    summary = result.summary
    waste = {cause: float(share) for cause, share in summary["waste_by_cause"].items() if share}
    if not waste:
        return None
    ordered = sorted(waste, key=lambda cause: (-waste[cause], cause))
    from_log = recorded(result.scenario)
    sums = itertools.accumulate(waste[cause] for cause in ordered)
    rows = tuple(
        CauseRow(
            cause=cause,
            label=cause_label(cause, from_log),
            share=waste[cause],
            half_width=summary["margins"].get(f"waste_by_cause.{cause}"),
            cumulative=total,
            parts=tuple(summary["waste"][cause].items()),
            per_day=summary["incidents_by_mode"].get(cause),
        )
        for cause, total in zip(ordered, sums, strict=True)
    )
    return CausesData(result.scenario.name, rows, _all_from_log(result.scenario))


def causes_table(data: CausesData) -> base.Table:
    """Return one row per cause, its parts in columns."""
    columns = ("scenario", "cause", "share_of_card_hours", "cumulative_share", "incidents_per_day")
    rows = tuple(
        (
            data.name,
            row.cause,
            row.share,
            row.cumulative,
            row.per_day,
            *(dict(row.parts).get(entry, 0.0) for entry in data.entries),
        )
        for row in data.rows
    )
    return base.Table((*columns, *data.entries), rows)


def causes_figure(data: CausesData) -> go.Figure:
    """Return one bar per cause with its name and share above it; beyond twelve causes, the rest in one."""
    rows = _shortened(data.rows)
    traces = [_bars(rows, entry) for entry in data.entries]
    most = max(row.share for row in rows)
    layout = {
        "annotations": [_heading(row, place) for place, row in enumerate(rows)],
        "bargap": 0.62,
        "barmode": "stack",
        "margin": {"b": 46, "l": 10, "r": 14, "t": 4},
        "xaxis": base.titled("share of all card-hours", range=[0, 104 * most], ticksuffix=" %", nticks=6),
        "yaxis": base.bare(range=[len(rows) - 0.55, -0.75]),
    }
    return base.sheet(traces, 66 + ROW * len(rows), layout)


def _shortened(rows: tuple[CauseRow, ...]) -> tuple[CauseRow, ...]:
    """Return the largest causes, and the sum of those that are left in a last row."""
    if len(rows) <= MOST_CAUSES:
        return rows
    shown, rest = rows[: MOST_CAUSES - 1], rows[MOST_CAUSES - 1 :]
    sums = {entry: sum(dict(row.parts).get(entry, 0.0) for row in rest) for entry in theme.STYLES}
    parts = tuple((entry, share) for entry, share in sums.items() if share)
    share, total = sum(row.share for row in rest), rest[-1].cumulative
    words = f"{len(rest)} other causes"
    others = CauseRow(words, words, share, rows[0].half_width, total, parts, None)
    return (*shown, others)


def _bars(rows: tuple[CauseRow, ...], entry: str) -> go.Bar:
    shares = [dict(row.parts).get(entry, 0.0) for row in rows]
    return go.Bar(
        customdata=[
            [base.text(row.label), percent(share, row.half_width)]
            for row, share in zip(rows, shares, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>" + entry + ": %{customdata[1]}<extra></extra>",
        marker=base.hatched(entry),
        orientation="h",
        x=base.rounded([100 * share for share in shares]),
        y=list(range(len(rows))),
    )


def _heading(row: CauseRow, place: int) -> dict[str, object]:
    words = f"{base.text(row.label, 30)} · <b>{percent(row.share, row.half_width)}</b>"
    return base.note(words, 0, place, xanchor="left", yanchor="bottom", yshift=8)
