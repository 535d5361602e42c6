"""Cards against effective cards: data, steps, and labels that keep out of each other's way."""

from __future__ import annotations

import pytest

from clustersim.results import Comparison
from clustersim_reports.figures.scales import compact, decades
from clustersim_reports.figures.size import SizeData, size_data, size_table
from clustersim_reports.figures.size_drawing import size_figure
from clustersim_reports.figures.size_labels import step_words, with_room
from tests.reports.cases import run


def data_of(*names: str) -> SizeData:
    results = [run(name) for name in names]
    data = size_data(results, Comparison(results).steps)
    assert data is not None
    return data


def test_points_are_ordered_by_size_and_are_the_summary() -> None:
    data = data_of("stuck", "large", "plain")
    assert [(point.name, point.gpus) for point in data.points] == [
        ("plain", 1024),
        ("large", 8192),
        ("stuck", 65536),
    ]
    plain = run("plain").summary
    assert data.points[0].effective == plain["effective_gpus"]
    assert data.points[0].low == pytest.approx(1024 * plain["ettr"]["low"])
    assert data.points[2].effective is None


def test_steps_are_extra_effective_cards_by_extra_cards() -> None:
    data = data_of("plain", "large", "stuck")
    plain, large = (run(name).summary["effective_gpus"] for name in ("plain", "large"))
    assert data.steps[0].extra_cards == 7168
    assert data.steps[0].marginal == pytest.approx((large - plain) / 7168)
    assert data.steps[1].extra_effective == pytest.approx(-large, rel=1e-6)
    assert step_words(data.steps[0]).startswith("7.17k more cards<br>each adds 0.")
    assert "cost" in step_words(data.steps[1])


def test_the_table_holds_what_is_drawn() -> None:
    table = size_table(data_of("plain", "large"))
    assert table.columns[:3] == ("scenario", "cards", "effective_cards")
    assert [row[1] for row in table.rows] == [1024, 8192]
    assert table.rows[0][6] is None


def test_one_size_is_no_figure() -> None:
    results = [run("plain"), run("calm")]
    assert size_data(results, Comparison(results).steps) is None


def test_a_job_that_is_stuck_stands_on_the_floor_as_a_cross() -> None:
    data = data_of("plain", "stuck")
    cross = next(trace for trace in size_figure(data).data if trace.marker.symbol == "x-thin")
    assert list(cross.x) == [65536]
    assert data.frame.floor < cross.y[0] < (data.points[0].effective or 0)


def test_prices_are_drawn_where_there_are_any() -> None:
    assert "xaxis2" not in size_figure(data_of("plain", "large")).to_plotly_json()["layout"]
    layout = size_figure(data_of("target", "large")).to_plotly_json()["layout"]
    assert any("USD" in note["text"] for note in layout["annotations"])


def test_labels_of_points_at_one_place_are_not_set_on_each_other() -> None:
    assert with_room([(0.1, 0.5), (0.12, 0.51), (0.12, 0.9), (0.6, 0.5)], 0.2) == [True, False, True, True]


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(500, 2e6, [1e3, 1e4, 1e5, 1e6]), (900, 4000, [1000, 2000])]
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert decades(low, high) == ticks


@pytest.mark.parametrize(
    ("value", "words"), [(16_384, "16.4k"), (1e6, "1M"), (2.5, "2.5"), (100_000, "100k")]
)
def test_counts_in_few_characters(value: float, words: str) -> None:
    assert compact(value) == words
