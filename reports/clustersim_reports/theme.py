"""Colours and patterns of the report: readable without colour, in light and in dark.

Every colour is a pair.  Figures are drawn with the light one; the page's script replaces each by its partner
where the reader prefers dark, so a light colour stands for one meaning only.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on light paper and its partner on dark paper, both as CSS colours."""

    light: str
    dark: str


PAPER = Colour("#fdfcfa", "#13171d")
INK = Colour("#1d2530", "#e8ebef")
MUTED = Colour("#5a6471", "#a0abb9")
RULE = Colour("#e3e0d9", "#2d3540")
BAND = Colour("rgba(24,80,132,0.17)", "rgba(19,147,226,0.26)")
FLAT = Colour("rgba(24,153,131,0.13)", "rgba(91,182,161,0.20)")
GAP = Colour("rgba(199,18,76,0.07)", "rgba(221,67,96,0.13)")
ON_DEEP = Colour("#ffffff", "#0a0d11")
ON_PALE = Colour("#15191e", "#0a0d12")
HATCH = Colour("rgba(255,255,255,0.42)", "rgba(10,13,17,0.36)")
SURFACES = {
    "paper": PAPER,
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "hatch": HATCH,
    "band": BAND,
    "flat": FLAT,
}

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


class Style(NamedTuple):
    """How one entry of the ledger looks: its colour, the colour of text on it, and its hatching.

    `pattern` is plotly's pattern shape and `path` the same hatching as an SVG path in a tile of 8 x 8; no two
    entries share one, so that the colour is never the only sign.
    """

    colour: Colour
    text: Colour
    pattern: str
    size: int
    path: str


STYLES = {
    "productive": Style(Colour("#185084", "#1393e2"), ON_DEEP, "", 8, ""),
    "lost": Style(Colour("#c7124c", "#dd4360"), ON_DEEP, "/", 7, "M-2 2L2 -2M0 8L8 0M6 10L10 6"),
    "checkpoint": Style(Colour("#189983", "#5bb6a1"), ON_DEEP, ".", 6, "M3 4h2"),
    "detection": Style(Colour("#ecb115", "#edbe1d"), ON_PALE, "\\", 7, "M-2 6L2 10M0 0L8 8M6 -2L10 2"),
    "recovery": Style(Colour("#db733b", "#de692a"), ON_PALE, "|", 8, "M4 0V8"),
    "waiting": Style(Colour("#a6b6d8", "#5b7b99"), ON_PALE, "-", 8, "M0 4H8"),
    "stall": Style(Colour("#54371b", "#9c4c23"), ON_DEEP, "+", 8, "M4 0V8M0 4H8"),
    "idle": Style(Colour("#a4cbad", "#c6e8ce"), ON_PALE, ".", 10, "M1 4h1"),
    "slow": Style(Colour("#b0b87a", "#c5c06b"), ON_PALE, "/", 12, "M0 8L8 0"),
    "corrupted": Style(Colour("#4a1229", "#be0474"), ON_DEEP, "x", 8, "M0 0L8 8M0 8L8 0"),
    "maintenance": Style(Colour("#8f85d8", "#c8b1e7"), ON_PALE, "x", 14, "M2 2L6 6M2 6L6 2"),
}
"""The look of each ledger entry, in the ledger's order."""
COLOURS = SURFACES | {entry: style.colour for entry, style in STYLES.items()}
"""All colours of the page, by the names of their CSS variables."""


def partners() -> dict[str, str]:
    """Return the dark partner of every light colour that a figure may hold."""
    return dict((*COLOURS.values(), GAP, ON_DEEP, ON_PALE))
