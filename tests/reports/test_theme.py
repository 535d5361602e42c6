"""Colours that everybody can tell apart, and that nothing but colour has to tell."""

from __future__ import annotations

import itertools
import math

import pytest

from clustersim.engine.ledger import Entry
from clustersim_reports import theme

MACHADO = {
    "full sight": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def lab(colour: str, sight: str) -> tuple[float, float, float]:
    """Return CIE L*a*b* of a colour as someone sees it (Machado, Oliveira and Fernandes, 2009)."""
    seen = [max(0.0, sum(a * b for a, b in zip(row, linear(colour), strict=True))) for row in MACHADO[sight]]
    red, green, blue = seen
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one: str, two: str) -> float:
    """Return the contrast ratio of the Web Content Accessibility Guidelines."""
    light = [
        0.05 + sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True))
        for x in (one, two)
    ]
    return max(light) / min(light)


def test_every_entry_of_the_ledger_has_a_style() -> None:
    assert set(theme.STYLES) == {entry.label for entry in Entry}


def test_no_two_entries_share_a_hatching() -> None:
    drawn = [(style.pattern, style.size if style.pattern else 0) for style in theme.STYLES.values()]
    assert len(set(drawn)) == len(drawn)
    assert len({style.path for style in theme.STYLES.values()}) == len(theme.STYLES)


@pytest.mark.parametrize("sight", MACHADO)
@pytest.mark.parametrize("paper", ["light", "dark"])
def test_colours_of_entries_differ_for_all_eyes(sight: str, paper: str) -> None:
    seen = {name: lab(getattr(style.colour, paper), sight) for name, style in theme.STYLES.items()}
    near = [(a, b) for a, b in itertools.combinations(seen, 2) if math.dist(seen[a], seen[b]) < 18]
    assert near == []


@pytest.mark.parametrize("paper", ["light", "dark"])
def test_words_can_be_read(paper: str) -> None:
    background = getattr(theme.PAPER, paper)
    assert contrast(getattr(theme.INK, paper), background) > 12
    assert contrast(getattr(theme.MUTED, paper), background) > 4.5
    inside = {
        name: contrast(getattr(style.text, paper), getattr(style.colour, paper))
        for name, style in theme.STYLES.items()
    }
    assert {name: round(ratio, 1) for name, ratio in inside.items() if ratio < 3} == {}


def test_a_light_colour_has_one_dark_partner() -> None:
    colours = [
        theme.PAPER,
        theme.INK,
        theme.MUTED,
        theme.RULE,
        theme.BAND,
        theme.ON_DEEP,
        theme.ON_PALE,
        theme.HATCH,
    ]
    colours += [style.colour for style in theme.STYLES.values()]
    assert len({colour.light for colour in colours}) == len(colours)
    assert all(theme.partners()[colour.light] == colour.dark for colour in colours)
