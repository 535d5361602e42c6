"""The report of levers: bars by value, and what the page says."""

from __future__ import annotations

import json

import pytest

from clustersim.tuning import Levers
from clustersim_reports import theme
from clustersim_reports.figures.levers import MOST_BARS, levers_data, levers_figure, levers_table, ranked
from clustersim_reports.levers import headline, render
from tests.reports.cases import HOSTILE
from tests.reports.findings import hostile_levers, lever, levers
from tests.reports.test_page import LIMIT, Reader, unpacked
from tests.reports.test_tuning import words

ORDER = ["faster start", "fewer hangs", "slower network", "a coin's toss"]


def test_what_cannot_be_told_from_nothing_comes_last() -> None:
    assert [one.name for one in ranked(levers())] == ORDER


def test_bars_are_gains_in_points_with_their_intervals() -> None:
    data = levers_data(levers())
    assert data is not None
    gain, loss, hollow = levers_figure(data).data
    assert (list(gain.x), list(gain.y)) == ([3.0, 1.0], [0, 1])
    assert (list(loss.x), list(loss.y)) == ([-2.0], [2])
    assert (list(hollow.x), list(hollow.y)) == ([2.0], [3])
    assert list(hollow.error_x.array) == [5.0]


def test_gain_loss_and_nothing_differ_by_more_than_colour() -> None:
    data = levers_data(levers())
    assert data is not None
    gain, loss, hollow = (trace.marker for trace in levers_figure(data).data)
    assert (gain.pattern.shape, loss.pattern.shape) == (None, "/")
    assert hollow.color == theme.PAPER.light
    assert hollow.line.width > 1


def test_intervals_and_zero_are_inside_the_axis() -> None:
    data = levers_data(levers())
    assert data is not None
    low, high = levers_figure(data).layout.xaxis.range
    assert low < -3.0
    assert high > 7.0


def test_no_number_is_said_where_none_can_be_told() -> None:
    data = levers_data(levers())
    assert data is not None
    notes = [note.text for note in levers_figure(data).layout.annotations]
    assert notes[0] == "faster start · <b>+3.0 ± 0.2 pp</b>"
    assert notes[1] == "31 ± 2 cards, 300,000 USD a year"
    assert notes[-2:] == ["a coin's toss", "not distinguishable"]


def test_the_table_holds_all_levers_and_the_figure_the_first() -> None:
    many = levers([lever(f"number {place}", 0.1 - 0.001 * place) for place in range(MOST_BARS + 5)])
    data = levers_data(many)
    assert data is not None
    assert (len(data.bars), data.left_out) == (MOST_BARS, 5)
    assert len(levers_table(many).rows) == MOST_BARS + 5
    assert "5 more in the table" in words(render(many))


def test_the_table_has_every_column_filled() -> None:
    table = levers_table(levers())
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["ettr_gain"] == 0.03
    assert (row["low"], row["high"]) == pytest.approx((0.028, 0.032))
    assert row["effective_cards_gain"] == pytest.approx(30.72)
    assert row["USD_per_year"] == pytest.approx(3e5)


def test_the_answer_is_the_headline() -> None:
    assert headline(levers()) == "Faster start."
    assert headline(levers([lever("x", 0.001, 0.1)])) == "No change makes a difference that can be told."
    assert headline(levers([])) == "There is nothing to improve."


def test_the_page_says_what_each_change_earns() -> None:
    text = words(render(levers()))
    assert "The first change gains +3.0 ± 0.2 pp" in text
    assert "1,000,000 USD paid back after 3.3 y" in text
    assert "not distinguishable +2 ± 5 pp" in text


@pytest.mark.parametrize("found", [levers(), levers([]), hostile_levers()])
def test_every_page_is_whole_and_small(found: Levers) -> None:
    html = render(found, "clustersim levers", "2026-01-02T03:04:05+00:00")
    reader = Reader()
    reader.feed(html)
    assert (reader.faults, reader.open) == ([], [])
    plots = [attributes for attributes in reader.all("div") if "data-figure" in attributes]
    assert len(plots) == bool(found.levers)
    assert len(html.encode()) < LIMIT


def test_markup_in_names_is_text_in_figure_and_table() -> None:
    html = render(hostile_levers())
    drawn = json.dumps(
        [[one["data"], one["layout"]] for one in json.loads(unpacked(html, "payload"))["figures"].values()]
    )
    assert "<script" not in drawn
    assert "&lt;script" in drawn
    assert "<script>alert" not in html
    assert HOSTILE in words(html)
