"""Where the time goes: all card-hours of each scenario, as one bar that adds up to 100 %."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import percent, whole
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.results import Results

LEAST_LABELLED = 0.025
TICKS = (0, 25, 50, 75, 100)


class LedgerData(NamedTuple):
    """The share of all card-hours by scenario (outer) and by ledger entry (inner); each row sums to 1."""

    names: tuple[str, ...]
    gpus: tuple[int, ...]
    entries: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def ledger_data(results: Sequence[Results]) -> LedgerData:
    """Return the ledgers of *results*, with the entries that any of them uses, in the ledger's order."""
    ledgers = [result.summary["ledger"] for result in results]
    used = tuple(entry for entry in theme.STYLES if any(ledger.get(entry) for ledger in ledgers))
    return LedgerData(
        names=tuple(result.scenario.name for result in results),
        gpus=tuple(result.summary["gpus"] for result in results),
        entries=used,
        shares=tuple(tuple(float(ledger.get(entry, 0.0)) for entry in used) for ledger in ledgers),
    )


def ledger_table(data: LedgerData) -> base.Table:
    """Return the shares, one row per scenario and entry."""
    rows = [
        (name, gpus, entry, share)
        for name, gpus, shares in zip(data.names, data.gpus, data.shares, strict=True)
        for entry, share in zip(data.entries, shares, strict=True)
    ]
    return base.Table(("scenario", "cards", "entry", "share_of_card_hours"), tuple(rows))


def ledger_figure(data: LedgerData) -> go.Figure:
    """Return one stacked bar per scenario, its name above it."""
    rows = list(range(len(data.names)))
    layout = {
        "annotations": [_heading(data, row) for row in rows],
        "bargap": 0.55,
        "barmode": "stack",
        "margin": {"b": 36, "l": 12, "r": 24, "t": 4},
        "uniformtext": {"minsize": 10, "mode": "hide"},
        "xaxis": base.axis(range=[0, 100], tickvals=TICKS, ticktext=[f"{tick} %" for tick in TICKS]),
        "yaxis": base.bare(range=[len(rows) - 0.55, -0.75]),
    }
    return base.sheet(
        [_bars(data, column, rows) for column in range(len(data.entries))], 62 + 72 * len(rows), layout
    )


def _bars(data: LedgerData, column: int, rows: list[int]) -> go.Bar:
    style = theme.STYLES[data.entries[column]]
    shares = [row[column] for row in data.shares]
    return go.Bar(
        customdata=[
            [base.text(name), percent(share)] for name, share in zip(data.names, shares, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>" + data.entries[column] + ": %{customdata[1]}<extra></extra>",
        insidetextanchor="middle",
        insidetextfont={"color": style.text.light, "size": 13},
        marker=base.hatched(data.entries[column]),
        name=data.entries[column],
        orientation="h",
        text=[percent(share) if share >= LEAST_LABELLED else "" for share in shares],
        textangle=0,
        textposition="inside",
        x=base.rounded([100 * share for share in shares]),
        y=rows,
    )


def _heading(data: LedgerData, row: int) -> dict[str, object]:
    words = f"<b>{base.text(data.names[row], 28)}</b> · {whole(data.gpus[row])} cards"
    return base.note(words, 0, row, xanchor="left", yanchor="bottom", yshift=16)
