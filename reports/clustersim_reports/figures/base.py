"""What all figures share: the empty sheet they are drawn on, safe text, and the table of what they show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from clustersim_reports import theme

WIDE = "wide"
"""Name of annotations that are left out where the page is narrow, because a table says the same."""

Cell = str | int | float | bool | None


class Table(NamedTuple):
    """The data of a figure as rows under named columns, with units in the names: what the CSV holds."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def text(words: str, limit: int = 0) -> str:
    """Return *words* for a label of plotly, which reads pseudo-HTML: markup in them stays visible text.

    With *limit*, longer words are cut to that many characters and end in an ellipsis.
    """
    if limit and len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rounded(values: Iterable[float], digits: int = 5) -> list[float | None]:
    """Return *values* to so many significant digits, None for what is not a finite number."""
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in map(float, values)]


def axis(**settings: Any) -> dict[str, Any]:
    """Return the settings of a calm axis: faint grid, no zero line, muted labels, no zooming."""
    return {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": theme.RULE.light,
        "linecolor": theme.RULE.light,
        "tickfont": {"color": theme.MUTED.light, "size": 12},
        "title": {"font": {"color": theme.MUTED.light, "size": 12}, "standoff": 8},
        "zeroline": False,
    } | settings


def titled(words: str, **settings: Any) -> dict[str, Any]:
    """Return the settings of an `axis` with a title."""
    sheet = axis(**settings)
    sheet["title"] = {**sheet["title"], "text": words}
    return sheet


def bare(**settings: Any) -> dict[str, Any]:
    """Return the settings of an axis of which nothing is seen."""
    return {
        "fixedrange": True,
        "showgrid": False,
        "showline": False,
        "showticklabels": False,
        "ticks": "",
        "zeroline": False,
    } | settings


def note(words: str, x: float, y: float, **settings: Any) -> dict[str, Any]:
    """Return an annotation without an arrow, at data coordinates unless *settings* say otherwise."""
    return {
        "font": {"color": theme.INK.light, "size": 12},
        "showarrow": False,
        "text": words,
        "x": x,
        "y": y,
    } | settings


def corner(words: str, height: float) -> dict[str, Any]:
    """Return the name of an upward axis, set above its upper end."""
    font = {"color": theme.MUTED.light, "size": 12}
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 6}
    return note(words, 0, height, font=font, **place)


def hatched(entry: str) -> dict[str, Any]:
    """Return the marker of bars of one ledger entry: its colour, its hatching, a hair of paper around it."""
    style = theme.STYLES[entry]
    marker: dict[str, Any] = {
        "color": style.colour.light,
        "line": {"color": theme.PAPER.light, "width": 1},
    }
    if style.pattern:
        marker["pattern"] = {
            "fgcolor": theme.HATCH.light,
            "fillmode": "overlay",
            "shape": style.pattern,
            "size": style.size,
            "solidity": 0.22,
        }
    return marker


def sheet(traces: Sequence[Any], height: int, layout: Mapping[str, Any]) -> go.Figure:
    """Return a figure without plotly's template, *height* pixels high, in the report's type and colours."""
    common = {
        "bargap": 0.5,
        "dragmode": False,
        "font": {"color": theme.INK.light, "family": theme.FONT, "size": 13},
        "height": height,
        "hoverlabel": {
            "bgcolor": theme.PAPER.light,
            "bordercolor": theme.MUTED.light,
            "font": {"color": theme.INK.light, "family": theme.FONT, "size": 13},
        },
        "margin": {"b": 44, "l": 8, "r": 12, "t": 8},
        "paper_bgcolor": theme.PAPER.light,
        "plot_bgcolor": theme.PAPER.light,
        "showlegend": False,
        "template": "none",
    }
    return go.Figure(data=list(traces), layout=common | dict(layout))


def plain(figure: go.Figure) -> dict[str, Any]:
    """Return *figure* as plain JSON data, without a template."""
    content: dict[str, Any] = figure.to_plotly_json()
    content["layout"].pop("template", None)
    return content
