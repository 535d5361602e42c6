"""What all drawings share: safe text, rounding, ticks, and labels that keep out of each other's way."""

from __future__ import annotations

import math

import pytest

from clustersim.units import HOUR, MINUTE
from clustersim_reports import drawing
from clustersim_reports.blocks import Data, Json


def plot_of(x: list[float], y: list[float]) -> drawing.Plot:
    data = Data.of({"x": x, "y": y})
    return drawing.Plot(data, 100, x=drawing.axis(range=[0, 1]), y=drawing.axis(range=[0, 1]))


def drawn(plot: drawing.Plot) -> Json:
    return plot.figure("name", "title", "caption", "spoken").drawing


def test_markup_in_labels_stays_text_and_long_labels_are_cut_before() -> None:
    assert drawing.text("<b>&amp;</b>") == "&lt;b&gt;&amp;amp;&lt;/b&gt;"
    assert drawing.text("<<<<<<", 4) == "&lt;&lt;&lt;…"
    plot = plot_of([1.0], [2.0])
    plot.dots("x", "y", {}, hover=[("<b>", "1")])
    assert drawn(plot)["data"][0]["hovertext"] == ["&lt;b&gt;<br>1"]


def test_rounding_keeps_significant_digits_and_drops_what_is_not_finite() -> None:
    assert drawing.rounded([123456.0, 0.000123456, math.nan, None], 5) == [123460.0, 0.00012346, None, None]


def test_labels_that_come_first_have_room() -> None:
    plot = plot_of([0.0], [0.0])
    places = [(0.1, 0.5), (0.12, 0.51), (0.12, 0.9), (0.6, 0.5), (0.9, 0.5)]
    plot.labels([(str(order), *place, {}) for order, place in enumerate(places)], 0.2, 0.4)
    notes = drawn(plot)["layout"]["annotations"]
    assert [(note["text"], note.get("name")) for note in notes] == [
        ("0", None),
        ("2", None),
        ("3", None),
        ("4", drawing.WIDE),
    ]


def test_whiskers_reach_from_low_to_high_where_both_are_known() -> None:
    ends = {"ettr": [1.0, 2.0, None], "low": [0.5, None, None], "high": [2.0, 3.0, None]}
    found = drawing.whiskers(Data.of(ends), "ettr")
    assert (found["array"], found["arrayminus"]) == ([1.0, 0.0, 0.0], [0.5, 0.0, 0.0])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (40.0, 400.0, [MINUTE, 2 * MINUTE, 5 * MINUTE]),
        (4.0, 2000.0, [10.0, 30.0, MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE]),
        (0.5, 200 * HOUR, [1.0, 10.0, MINUTE, 10 * MINUTE, HOUR, 8 * HOUR, 48 * HOUR]),
    ],
)
def test_ticks_of_durations_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert drawing.durations(low, high) == ticks


@pytest.mark.parametrize(
    ("at", "logarithmic", "shown"),
    [
        ([0, 1, 2, 4, 40], False, [0, 40]),
        ([1, 2, 4, 8, 40], True, [1, 2, 4, 8, 40]),
        ([8, 2, 4], False, [2, 4, 8]),
        ([*range(8)], False, [0, 2, 4, 6]),
        ([3], False, [3]),
    ],
)
def test_values_of_a_scenario_are_written_where_they_have_room(
    at: list[float], logarithmic: bool, shown: list[float]
) -> None:
    found = drawing.value_axis("cluster.spares", at, [f"<{value}>" for value in at], logarithmic)
    assert found["tickvals"] == shown
    assert found["ticktext"] == [f"&lt;{value}&gt;" for value in shown]


def test_ticks_of_counts_are_round_and_in_few_characters() -> None:
    assert drawing.decades(500, 2e6) == [1e3, 1e4, 1e5, 1e6]
    assert drawing.decades(900, 4000) == [1000, 2000]
    assert [drawing.compact(value) for value in (16_384, 1e6, 2.5)] == ["16.4k", "1M", "2.5"]


@pytest.mark.parametrize(
    ("seconds", "name"), [(3 * 86_400, "days"), (86_400, "hours"), (600, "minutes"), (60, "seconds")]
)
def test_time_axes_have_a_unit_that_reads_well(seconds: float, name: str) -> None:
    assert drawing.time_unit(seconds)[1] == name
