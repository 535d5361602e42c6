"""The pages of a tuning and of levers by value: the curve, other values, the bars, and what they say."""

from __future__ import annotations

import pytest

from clustersim_reports import pages, theme
from clustersim_reports.page import render
from clustersim_reports.sections import levers
from clustersim_reports.sections import tuning as sections
from tests.reports import findings
from tests.reports.findings import FLAT, calm, height, lever, spec, stuck, tuning
from tests.reports.pages import WHEN, Reader, figures, html, read

ORDER = ["faster start", "fewer hangs", "slower network", "a coin's toss"]


def test_the_curve_is_that_of_the_tuning_with_its_marks_on_it() -> None:
    found = tuning()
    data = sections.curve_figure(found).data
    assert data["interval_s"] == [one.interval_s for one in findings.curve()]
    assert (data["ettr"][9], data["low"][9], data["high"][9]) == pytest.approx((0.9, 0.89, 0.91))
    assert data["distinguishable_from_best"].count(False) == 3
    marks = sections.marks_of(found)
    assert list(marks) == ["recommended", "now", "young", "daly", "exact"]
    for interval, ettr in marks.values():
        assert ettr == pytest.approx(height(interval), abs=0.001)


def test_every_mark_has_a_lane_and_a_sign_of_its_own() -> None:
    drawn = sections.curve_figure(tuning()).drawing
    lanes = [trace for trace in drawn["data"] if trace.get("yaxis") == "y2" and trace["mode"] == "markers"]
    assert sorted(trace["y"][0] for trace in lanes) == [1, 2, 3, 4, 5]
    assert len({trace["marker"]["symbol"] for trace in lanes}) == len(lanes)
    labels = [note for note in drawn["layout"]["annotations"] if note.get("yref") == "y2"]
    lane = {note["y"]: note["text"] for note in labels}
    assert sorted(lane) == [0, 1, 2, 3, 4, 5]
    assert "6.7 min to 15 min" in lane[0]
    assert "recommended 10 min" in lane[1]


def test_a_best_range_beyond_the_figure_ends_at_its_edge() -> None:
    found = tuning(range_s=(1e-3, 900.0))
    box = next(
        one for one in sections.curve_figure(found).drawing["layout"]["shapes"] if one["type"] == "rect"
    )
    assert found.curve[0].interval_s / 1.2 < box["x0"] < found.curve[0].interval_s
    assert box["x1"] == FLAT[1]


def test_a_job_that_is_stuck_has_a_curve_on_the_floor_and_nothing_recommended() -> None:
    assert list(sections.marks_of(stuck())) == ["now", "young", "daly", "exact"]
    layout = sections.curve_figure(stuck()).drawing["layout"]
    assert layout["yaxis"]["range"][1] == 1.0
    assert not any("best range" in note["text"] for note in layout["annotations"])
    assert not [trace for trace in sections.curve_figure(findings.once()).drawing["data"] if "fill" in trace]
    assert sections.curve(calm()).blocks == []


def test_one_replication_tells_nothing_apart_and_nothing_is_said_of_ranges() -> None:
    single = findings.once()
    sentences = " ".join(advice.text for advice in single.advice) + html("tune once")
    assert "indistinguishable from the best at" not in sentences
    assert "Save about every" in sentences


def test_other_values_are_drawn_and_listed_with_their_best_intervals() -> None:
    found, drawn = findings.with_sweeps(), figures("tune")
    data = drawn["sweep-best-interval-s-checkpoint-blocks"].data
    assert data["checkpoint.blocks"] == [1.0, 30.0]
    assert data["best_interval_s"] == [found.sweeps[0].interval(index)[0] for index in (0, 1)]
    assert all(
        low <= best <= high for best, low, high in zip(*map(data.__getitem__, data.columns[1:]), strict=True)
    )
    assert "sweep-effective-gpus-cluster-gpus" in drawn
    assert not any(name.startswith("sweep-best-interval-s-failures") for name in drawn)
    assert "Best interval" in read("tune").words
    assert "nothing fails" in read("tune").words


def test_the_headline_of_a_tuning_is_its_answer() -> None:
    assert pages.interval_to_use(tuning()) == "Save about every 10 min."
    assert "no progress" in pages.interval_to_use(stuck())
    assert "Nothing fails" in pages.interval_to_use(calm())


def test_the_page_says_what_is_gained_and_claims_nothing_else() -> None:
    words = Reader(render(pages.study_page(tuning(), finished=WHEN))).words
    assert "Gain over today's 1 h +16.0 ± 0.2 pp" in words
    assert words.count("not distinguishable") == 3
    assert "+0.3 ± 0.2 pp" not in words
    assert "8 to choose, 4 fresh ones to judge" in words
    assert "2026-01-02" in words
    assert "Half of the cards would train" in read("tune stuck").words
    assert "recommended" not in read("tune stuck").words


def test_money_is_shown_where_there_is_a_price() -> None:
    assert "Money over the run" in read("tune").words
    assert "Money over the run" not in Reader(render(pages.study_page(tuning(spec())))).words


def test_what_may_be_nothing_comes_last() -> None:
    assert [one.name for one in levers.ranked(findings.levers())] == ORDER
    bars = figures("levers")["levers"].drawing["data"]
    assert [(*bar["x"], *bar["y"]) for bar in bars] == [(3.0, 0), (1.0, 1), (-2.0, 2), (2.0, 3)]
    assert bars[3]["error_x"]["array"] == pytest.approx([5.0])


def test_gain_loss_and_nothing_differ_by_more_than_colour() -> None:
    gain, _, loss, hollow = (bar["marker"] for bar in figures("levers")["levers"].drawing["data"])
    assert "pattern" not in gain
    assert loss["pattern"]["shape"] == "/"
    assert hollow["color"] == theme.PAPER.light
    assert hollow["line"]["width"] > 1


def test_intervals_and_zero_are_inside_the_axis_and_no_number_is_said_that_may_be_chance() -> None:
    layout = figures("levers")["levers"].drawing["layout"]
    assert layout["xaxis"]["range"][0] < -3.0
    assert layout["xaxis"]["range"][1] > 7.0
    notes = {(note["xanchor"], note["y"]): note["text"] for note in layout["annotations"]}
    assert notes["left", 0] == "faster start · <b>+3.0 ± 0.2 pp</b>"
    assert notes["right", 0] == "31 ± 2 cards, 300,000 USD over the run"
    assert (notes["left", 3], notes["right", 3]) == ("a coin's toss", "not distinguishable")


def test_the_data_hold_all_levers_and_the_drawing_the_first() -> None:
    many = findings.levers([lever(f"number {n}", 0.1 - 0.001 * n) for n in range(levers.MOST_BARS + 5)])
    figure = levers.figure(many)
    assert len(figure.data.rows) == levers.MOST_BARS + 5
    assert len(figure.drawing["data"]) == levers.MOST_BARS
    assert "5 more in the table" in figure.caption
    row = figures("levers")["levers"].data.rows[0]
    assert (row["low"], row["high"]) == pytest.approx((0.028, 0.032))
    assert (row["effective_cards_gain"], row["USD_over_the_run"]) == pytest.approx((30.72, 3e5))


def test_the_headline_of_levers_is_the_first_that_helps() -> None:
    assert pages.change_to_make(findings.levers()) == "Faster start."
    assert "beyond chance" in pages.change_to_make(findings.levers([lever("x", 0.001, 0.1)]))
    assert "No change" in pages.change_to_make(findings.levers([]))
    words = read("levers").words
    assert "100,000 USD paid back after 120 d" in words
    assert "not distinguishable +2 ± 5 pp" in words
    assert 'id="levers"' not in html("levers none")
