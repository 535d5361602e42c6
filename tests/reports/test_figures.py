"""The data of the figures, by value."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.causes import causes_data, causes_figure, causes_table
from clustersim_reports.figures.ledger import ledger_data, ledger_figure, ledger_table
from clustersim_reports.figures.outages import outages_data, outages_figure, outages_table
from clustersim_reports.figures.spread import spread_data, spread_figure
from clustersim_reports.figures.strip import MOST_SPANS, strip_data, strip_figure, strip_table
from clustersim_reports.figures.throughput import (
    MOST_MARKS,
    incident_marks,
    throughput_data,
    throughput_figure,
    time_unit,
)
from tests.reports.cases import fake, incidents, run


def test_markup_in_labels_stays_text() -> None:
    assert base.text("<b>&amp;</b>") == "&lt;b&gt;&amp;amp;&lt;/b&gt;"


def test_long_labels_are_cut_before_they_are_escaped() -> None:
    assert base.text("<<<<<<", 4) == "&lt;&lt;&lt;…"


def test_rounding_keeps_significant_digits_and_drops_what_is_not_finite() -> None:
    assert base.rounded([123456.0, 0.000123456, math.nan, math.inf]) == [123460.0, 0.00012346, None, None]


def test_figures_hold_no_template() -> None:
    figure = base.plain(base.sheet([], 100, {}))
    assert "template" not in figure["layout"]
    assert len(json.dumps(figure)) < 2000


def test_ledger_keeps_the_order_of_the_ledger_and_adds_up() -> None:
    one = fake(summary={"ledger": {"recovery": 0.25, "productive": 0.7, "lost": 0.05, "waiting": 0.0}})
    two = fake(summary={"name": "two", "ledger": {"productive": 0.5, "waiting": 0.5}})
    data = ledger_data([one, two])
    assert data.entries == ("productive", "lost", "recovery", "waiting")
    assert data.shares == ((0.7, 0.05, 0.25, 0.0), (0.5, 0.0, 0.0, 0.5))
    assert ledger_table(data).rows[2] == ("fake", 100, "recovery", 0.25)
    bars = ledger_figure(data).data
    assert [sum(bar.x[row] for bar in bars) for row in (0, 1)] == pytest.approx([100, 100])
    assert [bar.text[0] for bar in bars] == ["70 %", "5 %", "25 %", ""]


def test_causes_are_ranked_and_add_up() -> None:
    waste = {"hang": 0.1, "gpu": 0.3, "checkpoint": 0.02, "quiet": 0.0}
    parts = {
        "gpu": {"lost": 0.1, "recovery": 0.2},
        "hang": {"detection": 0.1},
        "checkpoint": {"checkpoint": 0.02},
    }
    data = causes_data(
        fake(
            summary={"waste_by_cause": waste, "waste": parts, "incidents_by_mode": {"gpu": 3.0, "hang": 1.0}}
        )
    )
    assert data is not None
    assert [row.cause for row in data.rows] == ["gpu", "hang", "checkpoint"]
    assert [row.cumulative for row in data.rows] == pytest.approx([0.3, 0.4, 0.42])
    assert [row.per_day for row in data.rows] == [3.0, 1.0, None]
    assert data.entries == ("lost", "checkpoint", "detection", "recovery")
    assert causes_table(data).rows[0] == ("fake", "gpu", 0.3, 0.3, 3.0, 0.1, 0.0, 0.0, 0.2)
    totals = [sum(bar.x[row] for bar in causes_figure(data).data) for row in range(3)]
    assert totals == pytest.approx([30, 10, 2])


def test_beyond_twelve_causes_the_rest_is_one_bar() -> None:
    waste = {f"m{number:02}": 0.02 - number / 1000 for number in range(15)}
    parts = {cause: {"lost": share} for cause, share in waste.items()}
    data = causes_data(fake(summary={"waste_by_cause": waste, "waste": parts, "incidents_by_mode": {}}))
    assert data is not None
    bar = causes_figure(data).data[0]
    assert len(bar.x) == 12
    assert sum(bar.x) == pytest.approx(100 * sum(waste.values()))
    assert len(causes_table(data).rows) == 15


def test_no_waste_no_figure() -> None:
    empty = fake(summary={"waste_by_cause": {"gpu": 0.0}, "waste": {}, "incidents_by_mode": {"gpu": 0.0}})
    assert causes_data(empty) is None


def test_an_outage_is_a_chain_from_one_interruption_to_the_next() -> None:
    rows = [
        {"time_s": 100.0, "down_s": 60.0},
        {"time_s": 130.0, "doing": "recovery", "interruption": False, "down_s": 300.0},
        {"time_s": 150.0, "doing": "idle", "interruption": False, "down_s": 1e6, "waiting_s": 1e6},
        {"time_s": 900.0, "down_s": 60.0},
        {"time_s": 50.0, "replication": 1, "down_s": 630.0},
    ]
    data = outages_data(fake(incidents=incidents(rows)))
    assert data is not None
    assert data.total == 3
    assert data.p50 == 360.0
    assert sum(data.counts) == 3
    assert data.edges[0] < 60
    assert data.edges[-1] > 630
    assert sum(outages_figure(data).data[0].y) == pytest.approx(100, abs=0.01)
    assert sum(int(row[3] or 0) for row in outages_table(data).rows) == 3


def test_a_replica_is_down_until_its_own_next_interruption() -> None:
    rows = [
        {"time_s": 100.0, "replica": 3, "down_s": 300.0},
        {"time_s": 200.0, "replica": 5, "down_s": 400.0},
        {"time_s": 250.0, "replica": 3, "doing": "recovery", "interruption": False, "down_s": 900.0},
    ]
    replicas = {"count": 8, "minimum": 1, "down": 0.1}
    data = outages_data(fake(incidents=incidents(rows), summary={"replicas": replicas}))
    assert data is not None
    assert (data.total, data.p10, data.p90) == (2, 480.0, 1120.0)
    assert "it can train again" in outages_figure(data).layout.xaxis.title.text


def test_equal_outages_have_a_wide_enough_axis() -> None:
    data = outages_data(fake(incidents=incidents([{"time_s": 1.0, "down_s": 300.0}] * 5)))
    assert data is not None
    assert data.p10 == data.p50 == data.p90 == 300.0
    assert data.edges[-1] / data.edges[0] > 2


@pytest.mark.parametrize("table", [None, incidents([{"time_s": 1.0}]).iloc[:0]])
def test_without_incidents_there_are_no_outages(table: pd.DataFrame | None) -> None:
    assert outages_data(fake(incidents=table)) is None


def test_few_incidents_are_marked_where_they_strike() -> None:
    rows = [
        {"time_s": 5.0},
        {"time_s": 7.0, "mode": "hang"},
        {"time_s": 6.0},
        {"time_s": 1.0, "doing": "idle"},
    ]
    rows += [{"time_s": 2.0, "replication": 1}]
    marks, left_out = incident_marks(incidents(rows), 10.0)
    assert [(one.cause, one.total, one.times) for one in marks] == [
        ("gpu", 2, (5.0, 6.0)),
        ("hang", 1, (7.0,)),
    ]
    assert left_out == 0


def test_many_incidents_are_gathered_in_bins_that_keep_their_number() -> None:
    rows = [{"time_s": number / 100} for number in range(1000)]
    marks, _ = incident_marks(incidents(rows), 10.0)
    assert len(marks[0].times) <= MOST_MARKS
    assert sum(marks[0].counts) == marks[0].total == 1000


def test_rare_causes_are_counted_where_they_are_left_out() -> None:
    rows = [{"time_s": float(number), "mode": f"m{number}"} for number in range(11)]
    marks, left_out = incident_marks(incidents(rows), 20.0)
    assert (len(marks), left_out) == (8, 3)


def test_throughput_is_the_timeline() -> None:
    result = run("plain")
    data = throughput_data(result)
    assert data is not None
    assert data.mean == pytest.approx(tuple(result.timeline["mean"]))
    assert sum(data.mean) / len(data.mean) == pytest.approx(result.summary["ettr"]["mean"], abs=1e-6)
    assert data.unit.name == "days"
    assert data.middle[0] == pytest.approx(20 * 86_400 / 800)
    assert max(throughput_figure(data).data[3].y) <= 100


def test_a_long_timeline_is_averaged_to_what_can_be_drawn() -> None:
    bins = range(1000)
    columns = {name: [float(number) for number in bins] for name in ("mean", "p10", "p90", "replication_0")}
    edges = {"start_s": [10.0 * number for number in bins], "end_s": [10.0 * number + 10 for number in bins]}
    result = fake(timeline=pd.DataFrame(edges | columns), incidents=None, summary={"replications": 2})
    data = throughput_data(result)
    assert data is not None
    assert len(data.mean) == 334
    assert data.mean[:2] == (1.0, 4.0)
    assert data.middle[0] == 15.0


def test_no_timeline_no_figure() -> None:
    assert throughput_data(fake(timeline=None)) is None


@pytest.mark.parametrize(
    ("seconds", "name"), [(3 * 86_400, "days"), (86_400, "hours"), (600, "minutes"), (60, "seconds")]
)
def test_time_axes_have_a_unit_that_reads_well(seconds: float, name: str) -> None:
    assert time_unit(seconds).name == name


STRIP = [
    (0.0, 100.0, "productive", ""),
    (100.0, 105.0, "checkpoint", ""),
    (105.0, 160.0, "lost", "gpu"),
    (160.0, 190.0, "detection", "gpu"),
    (190.0, 430.0, "recovery", "restart"),
    (430.0, 460.0, "recovery", "load"),
    (460.0, 500.0, "productive", ""),
]


def strip_of(rows: list[tuple[float, float, str, str]], lanes: list[int] | None = None) -> pd.DataFrame:
    strip = pd.DataFrame(rows, columns=["start_s", "end_s", "activity", "detail"])
    return strip.assign(lane=lanes or [-1] * len(rows))


def test_the_strip_has_a_lane_per_activity_and_per_stage() -> None:
    data = strip_data(fake(strip=strip_of(STRIP)))
    assert data is not None
    assert data.lanes == ("productive", "lost", "checkpoint", "detection", "restart", "load")
    assert data.failures == ((160.0, "gpu"),)
    assert [span.lane for span in data.spans] == [0, 2, 1, 3, 4, 5, 0]
    assert (data.start, data.end, data.cut) == (0.0, 500.0, False)
    drawn = {bar.hovertemplate.split()[0]: bar for bar in strip_figure(data).data}
    assert sum(drawn["recovery"].x) == pytest.approx(270 / 60)


def test_replicas_that_are_down_have_a_lane_each_and_failures_of_their_own() -> None:
    rows = [
        (0.0, 100.0, "productive", ""),
        (0.0, 40.0, "recovery", "restart"),
        (100.0, 130.0, "stall", "gpu"),
        (100.0, 110.0, "detection", "gpu"),
        (110.0, 200.0, "recovery", "restart"),
        (130.0, 300.0, "productive", ""),
        (260.0, 300.0, "detection", "rack"),
    ]
    data = strip_data(fake(strip=strip_of(rows, [-1, 7, -1, 3, 3, -1, 3])))
    assert data is not None
    assert data.lanes == ("productive", "stall", "replica 3", "replica 7")
    assert data.failures == ((100.0, "gpu"), (260.0, "rack"))
    assert data.entries == ("detection", "recovery")
    assert [span.lane for span in data.spans if span.replica == 3] == [2, 2, 2]
    assert [row[5] for row in strip_table(data).rows if row[3] == "recovery"] == [7, 3]
    bars = {
        (bar.hovertemplate.split()[0], "pattern" in bar.marker.to_plotly_json())
        for bar in strip_figure(data).data
    }
    assert bars == {("productive", False), ("stall", False), ("detection", True), ("recovery", True)}


def test_of_many_replicas_those_that_are_down_longest_are_shown() -> None:
    rows = [(float(n), n + 1.0 + n / 100, "recovery", "restart") for n in range(1, 15)]
    data = strip_data(fake(strip=strip_of(rows, list(range(1, 15)))))
    assert data is not None
    assert data.lanes == tuple(f"replica {number}" for number in range(5, 15))
    assert data.left_out == 4
    assert len(data.failures) == 13


def test_a_long_strip_is_cut_and_says_so() -> None:
    rows = [(float(n), n + 1.0, "productive" if n % 2 else "checkpoint", "") for n in range(MOST_SPANS + 10)]
    data = strip_data(fake(strip=strip_of(rows)))
    assert data is not None
    assert (len(data.spans), data.cut, data.end) == (MOST_SPANS, True, float(MOST_SPANS))


def test_what_goes_on_where_a_strip_is_cut_is_cut_too() -> None:
    rows = [(float(n), n + 1.0, "productive" if n % 2 else "checkpoint", "") for n in range(MOST_SPANS + 10)]
    data = strip_data(fake(strip=strip_of([*rows, (5.0, 1e6, "waiting", "")], [-1] * len(rows) + [2])))
    assert data is not None
    assert data.end == max(span.end for span in data.spans) == MOST_SPANS - 1.0
    assert {bar.width for bar in strip_figure(data).data} == {0.44}


def test_an_empty_strip_has_no_figure() -> None:
    assert strip_data(fake(strip=strip_of([]))) is None


def test_every_replication_is_one_dot() -> None:
    values = [0.5, 0.5, 0.52, 0.6]
    ettr = {"mean": 0.53, "low": 0.45, "high": 0.61}
    data = spread_data(fake(summary={"ettr": ettr}, replications=pd.DataFrame({"ettr": values})))
    assert data.values == (0.5, 0.5, 0.52, 0.6)
    dots, interval, mean = spread_figure(data).data
    assert list(dots.x) == values
    assert dots.y[1] == dots.y[0] + 1
    assert list(interval.x) == [0.45, 0.61]
    assert list(mean.x) == [0.53]


def test_one_replication_has_no_interval_to_draw() -> None:
    ettr = {"mean": 0.5, "low": None, "high": None}
    data = spread_data(fake(summary={"ettr": ettr}, replications=pd.DataFrame({"ettr": [0.5]})))
    assert len(spread_figure(data).data) == 1


def test_many_replications_are_bars_that_count_all() -> None:
    values = [number / 1000 for number in range(400)]
    ettr = {"mean": 0.2, "low": 0.19, "high": 0.21}
    data = spread_data(fake(summary={"ettr": ettr}, replications=pd.DataFrame({"ettr": values})))
    assert sum(spread_figure(data).data[0].y) == 400


def test_every_colour_of_every_figure_has_a_dark_partner() -> None:
    known = set(theme.partners()) | {"text"}
    result = run("hostile")
    data = throughput_data(result)
    assert data is not None
    figure = base.plain(throughput_figure(data))
    used = {str(value) for value in _colours(figure)}
    assert used
    assert used <= known


def _colours(value: object, key: str = "") -> list[object]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _colours(inner, name)]
    if isinstance(value, list | tuple):
        return [found for inner in value for found in _colours(inner, key)]
    return [value] if key.endswith("color") else []
