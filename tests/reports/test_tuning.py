"""The report of a tuning: the curve and the what-ifs by value, and what the page says."""

from __future__ import annotations

import json

import pytest

from clustersim.tuning import Tuning
from clustersim.units import HOUR, MINUTE
from clustersim_reports.figures.curve import curve_data, curve_table
from clustersim_reports.figures.curve_drawing import curve_figure
from clustersim_reports.figures.scales import durations
from clustersim_reports.figures.what_ifs import number, what_if_data, what_if_table
from clustersim_reports.figures.what_ifs_drawing import what_if_figure
from clustersim_reports.tuning import headline, render
from tests.reports.cases import HOSTILE
from tests.reports.findings import FLAT, WHAT_IFS, calm, curve, estimate, height, spec, stuck, tuning
from tests.reports.test_page import LIMIT, Reader, unpacked


def words(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    assert reader.faults == []
    assert reader.open == []
    shown = " ".join(text for tag, text in reader.texts if tag not in {"script", "style"})
    return " ".join(shown.split())


def test_the_curve_is_that_of_the_tuning() -> None:
    data = curve_data(tuning())
    assert data is not None
    assert [point.interval_s for point in data.points] == [one.interval_s for one in curve()]
    assert data.points[9].ettr == pytest.approx(0.9)
    assert (data.points[9].low, data.points[9].high) == pytest.approx((0.89, 0.91))
    assert data.flat == FLAT
    table = curve_table(data)
    assert table.columns[1:] == ("interval_s", "ettr", "low", "high", "told_from_best")
    assert [row[5] for row in table.rows].count(False) == 3


def test_marks_stand_on_the_curve() -> None:
    data = curve_data(tuning())
    assert data is not None
    marks = {mark.name: mark for mark in data.marks}
    assert list(marks) == ["recommended", "now", "young", "daly", "exact"]
    for mark in marks.values():
        assert mark.ettr == pytest.approx(height(mark.interval_s), abs=0.001)


def test_every_mark_has_a_lane_and_a_sign_of_its_own() -> None:
    data = curve_data(tuning())
    assert data is not None
    figure = curve_figure(data)
    lanes = [trace for trace in figure.data if trace.yaxis == "y2" and trace.mode == "markers"]
    assert sorted(trace.y[0] for trace in lanes) == [1, 2, 3, 4, 5]
    assert len({trace.marker.symbol for trace in lanes}) == len(lanes)
    labels = [note for note in figure.layout.annotations if note.yref == "y2"]
    assert [note.y for note in labels] == [0, 1, 2, 3, 4, 5]
    assert labels[0].text == "flat from 6.7 min to 15 min"
    assert labels[1].text == "<b>recommended 10 min</b>"
    assert [shape.x0 for shape in figure.layout.shapes if shape.type == "rect"] == [FLAT[0]]


def test_a_flat_range_beyond_the_figure_ends_at_its_edge() -> None:
    data = curve_data(tuning(range_s=(1e-3, 900.0)))
    assert data is not None
    box = next(shape for shape in curve_figure(data).layout.shapes if shape.type == "rect")
    assert data.points[0].interval_s / 1.2 < box.x0 < data.points[0].interval_s


def test_a_job_that_is_stuck_has_a_curve_on_the_floor_and_nothing_recommended() -> None:
    data = curve_data(stuck())
    assert data is not None
    assert data.flat is None
    assert [mark.name for mark in data.marks] == ["now", "young", "daly", "exact"]
    assert curve_figure(data).layout.yaxis.range[1] == 1.0


def test_one_replication_has_no_band() -> None:
    data = curve_data(tuning(curve=curve(width=None)))
    assert data is not None
    assert not [trace for trace in curve_figure(data).data if trace.fill]


def test_without_failures_there_is_no_curve() -> None:
    assert curve_data(calm()) is None


def test_what_ifs_are_sorted_by_number_and_marked_with_the_scenario_as_it_is() -> None:
    blocks, size, kind = what_if_data(tuning(what_ifs=WHAT_IFS))
    assert [(point.value, point.number) for point in blocks.points] == [("1s", 1.0), ("30s", 30.0)]
    assert (blocks.lasts, blocks.now) == (True, 5.0)
    assert (size.lasts, size.now) == (False, 1024.0)
    assert [point.stuck for point in size.points] == [False, True]
    assert not kind.measured
    row = dict(zip(what_if_table(blocks).columns, what_if_table(blocks).rows[1], strict=True))
    assert (row["value"], row["best_interval_s"], row["ettr"]) == ("30s", 1500.0, 0.85)


def test_a_value_without_progress_is_a_cross_and_has_no_best_interval() -> None:
    size = what_if_data(tuning(what_ifs=WHAT_IFS))[1]
    traces = what_if_figure(size, "cards").data
    cross = next(trace for trace in traces if trace.marker.symbol == "x-thin")
    assert list(cross.x) == [1e6]
    assert [list(trace.x) for trace in traces if trace.yaxis == "y2" and trace.mode != "lines"] == [[1000.0]]


def test_values_that_are_no_numbers_stand_one_after_the_other() -> None:
    kind = what_if_data(tuning(what_ifs=WHAT_IFS))[2]
    figure = what_if_figure(kind, "spare_kind")
    assert list(figure.layout.xaxis.ticktext) == ["hot"]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("10k", 1e4),
        ("1.5M", 1.5e6),
        ("5s", 5.0),
        ("2 min", 120.0),
        ("1_000", 1000.0),
        (7, 7.0),
        ("hot", None),
    ],
)
def test_values_as_numbers(value: object, meant: float | None) -> None:
    assert number(value) == meant


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (40.0, 400.0, [MINUTE, 2 * MINUTE, 5 * MINUTE]),
        (4.0, 2000.0, [10.0, 30.0, MINUTE, 3 * MINUTE, 10 * MINUTE, 30 * MINUTE]),
        (0.5, 200 * HOUR, [1.0, 10.0, MINUTE, 10 * MINUTE, HOUR, 8 * HOUR, 48 * HOUR]),
    ],
)
def test_ticks_of_durations_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert durations(low, high) == ticks


def test_the_answer_is_the_headline() -> None:
    assert headline(tuning()) == "Save about every 10 min."
    assert headline(stuck()) == "No interval makes it progress."
    assert headline(calm()) == "Nothing fails: save when other reasons ask for it."


def test_the_page_says_what_is_gained_and_claims_nothing_else() -> None:
    text = words(render(tuning()))
    assert "Gain over today's 1 h +16.0 ± 0.2 pp" in text
    assert text.count("not distinguishable") == 3
    assert "+0.3 ± 0.2 pp" not in text
    assert "8 to choose, 4 fresh ones to judge" in text


def test_a_page_without_progress_says_what_would_have_to_change() -> None:
    text = words(render(stuck()))
    assert "Half would train" in text
    assert "recommended" not in text


@pytest.mark.parametrize("found", [tuning(), tuning(what_ifs=WHAT_IFS), stuck(), calm()])
def test_every_page_is_whole_and_small(found: Tuning) -> None:
    html = render(found, "clustersim tune a < b", "2026-01-02T03:04:05+00:00")
    reader = Reader()
    reader.feed(html)
    plots = {attributes["data-figure"] for attributes in reader.all("div") if "data-figure" in attributes}
    figures = json.loads(unpacked(html, "payload"))["figures"]
    assert set(figures) == plots
    assert len(plots) == bool(found.curve) + len({one.path for one in found.what_ifs})
    anchors = {attributes.get("id") for _, attributes in reader.elements}
    assert {str(link["href"])[1:] for link in reader.all("a")} <= anchors
    assert "clustersim tune a < b" in words(html)
    assert "2026-01-02" in words(html)
    assert len(html.encode()) < LIMIT


def test_the_same_tuning_gives_the_same_page() -> None:
    assert render(tuning()) == render(tuning())


def test_markup_of_the_scenario_is_text() -> None:
    html = render(tuning(spec(title=HOSTILE, about=HOSTILE)), command=HOSTILE)
    assert words(html).count(HOSTILE) >= 3
    assert "<script>alert" not in html


def test_an_unpriced_scenario_has_no_column_of_money() -> None:
    assert "Money per year" not in words(render(tuning(spec())))
    assert "Money per year" in words(render(tuning()))


def test_one_replication_is_a_page_too() -> None:
    one = tuning(spec(), replications=1, curve=curve(width=None), ettr_at_best=estimate(0.9, None), gains=[])
    assert "One replication tells nothing about chance" in words(render(one))
