"""The page of a validation: figures by value, the pictures of ranges, and what the page says."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from clustersim.scenario import loads
from clustersim.scenario.published import KINDS as WORDS
from clustersim.validation import Interval, Validation
from clustersim.validation.estimator import HOURLY, OPTIMAL
from clustersim_reports import write_validation
from clustersim_reports.checks import KINDS, checks, groups
from clustersim_reports.figures.agreement import (
    COUNTS,
    SHARES,
    TIMES,
    agreement_data,
    agreement_figure,
    agreement_table,
)
from clustersim_reports.figures.roads import crossing, roads_data, roads_figure, roads_table
from clustersim_reports.range_strip import EDGE, LEFT, RIGHT, WIDTH, drawn, strip
from clustersim_reports.validation import headline, off_rows, render
from tests.reports.cases import HOSTILE
from tests.reports.test_page import LIMIT, Reader, unpacked
from tests.reports.test_tuning import words
from tests.reports.validations import FAILED, HOUR, UNDECIDED, hostile, outcome, scenario, validation

MIDDLE = (LEFT + RIGHT) / 2


def test_every_kind_of_claim_is_explained() -> None:
    assert set(KINDS) == set(WORDS)


def test_the_range_is_as_long_in_every_picture() -> None:
    for low, high, value in ((0.43, 0.45, 0.44), (378.0, 460.0, 419.0), (1e4, 3e4, 2e4)):
        found = strip(drawn(low, high), value, (low, value, high), "")
        assert (found.begin, found.end, found.published, found.mean) == pytest.approx(
            (LEFT, RIGHT, MIDDLE, MIDDLE)
        )
        assert (found.low, found.high) == pytest.approx((LEFT, RIGHT))


def test_a_figure_far_off_is_an_arrow_at_the_edge() -> None:
    above = strip(drawn(0.43, 0.45), 0.44, (0.89, 0.9, 0.91), "")
    below = strip(drawn(0.43, 0.45), 0.44, (0.0, 0.01, 0.02), "")
    assert (above.beyond, above.mean, above.low) == (1, None, None)
    assert (below.beyond, below.mean, below.high) == (-1, None, None)
    assert above.arrow != below.arrow


def test_an_interval_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    found = strip(drawn(0.43, 0.45), 0.44, (0.2, 0.44, 0.9), "")
    assert (found.low, found.mean, found.high) == (EDGE, MIDDLE, WIDTH - EDGE)


@pytest.mark.parametrize(
    ("low", "high", "most", "ends", "goes_on"),
    [
        (0.9, None, 1.0, (0.9, 1.0), False),
        (10.0, None, None, (10.0, 20.0), True),
        (0.0, None, None, (0.0, 1.0), True),
        (None, 0.01, 1.0, (0.0, 0.01), False),
        (3.0, 3.0, None, (2.97, 3.03), False),
        (0.0, 0.0, 1.0, (-1.0, 1.0), False),
    ],
)
def test_a_range_without_an_end_or_a_length_is_drawn_with_one(
    low: float | None, high: float | None, most: float | None, ends: tuple[float, float], goes_on: bool
) -> None:
    found = drawn(low, high, most)
    assert (found.low, found.high) == pytest.approx(ends)
    assert found.goes_on is goes_on
    assert strip(found, None, (None, None, None), "").end == (WIDTH if goes_on else RIGHT)


def test_verdicts_have_a_sign_and_a_word() -> None:
    found = {check.name: check for check in checks(validation(FAILED, UNDECIDED))}
    said = {name: (check.sign, check.verdict, check.tone) for name, check in found.items()}
    assert said["first/whole"] == ("✓", "agrees", "pass")
    assert said["second/small"] == ("✓", "differs, as it must", "pass")
    assert said["second/missed"] == ("✗", "differs", "fail")
    assert said["second/straddles"] == ("?", "undecided", "open")
    assert [(one.value, one.sign) for one in found["first/time"].tries] == [
        ("5 s", "✓"),
        ("30 s", "?"),
        ("60 s", "✗"),
    ]


def test_a_share_can_be_all_of_it_at_most_and_a_difference_or_a_count_has_no_such_end() -> None:
    at_least = {"low": 0.9, "high": None, "value": None, "simulated": Interval(0.95, 0.95, 0.95)}
    share = outcome("first/share", **at_least)
    gain = outcome("first/gain", difference=True, **at_least)
    count = outcome("first/count", unit="nodes", **at_least)
    strips = [check.strip for check in checks(Validation((share, gain, count), {}))]
    assert [one.goes_on for one in strips] == [False, True, True]
    assert strips[0].mean == pytest.approx(MIDDLE)


def test_checks_are_grouped_by_what_they_can_show() -> None:
    found = groups(checks(validation(FAILED)))
    assert [(group.kind.heading, group.passed, len(group.checks)) for group in found] == [
        ("Exact", 2, 3),
        ("Band", 2, 2),
        ("Control", 1, 1),
        ("Plumbing", 1, 1),
    ]


def test_figures_are_drawn_by_family_with_published_across_and_simulated_upwards() -> None:
    data = {one.family: one for one in agreement_data(validation(FAILED))}
    assert {family: len(one.dots) for family, one in data.items()} == {SHARES: 4, TIMES: 2, COUNTS: 1}
    exact, control = agreement_figure(data[TIMES]).data[2:]
    assert (list(exact.x), list(exact.y)) == ([1.8 * HOUR], [1.803 * HOUR])
    assert list(exact.error_y.array) == pytest.approx([0.013 * HOUR])
    assert (list(control.x), list(control.y)) == ([7.9 * HOUR], [28.8 * HOUR])
    row = dict(zip(agreement_table(data[COUNTS]).columns, agreement_table(data[COUNTS]).rows[0], strict=True))
    assert (row["published"], row["accepted_from"], row["simulated"]) == (419.0, 378.0, 420.1)


def test_an_open_range_goes_on_to_the_edge_and_a_claim_without_a_value_stands_at_its_end() -> None:
    shares = agreement_data(validation())[0]
    bars, band = agreement_figure(shares).data[1], agreement_figure(shares).data[3]
    assert band.x[0] == 0.9
    ends = [bars.x[place] for place in (3, 4)]
    assert ends == [0.9, shares.ends[1]]


def test_nothing_at_all_has_no_place_on_a_logarithmic_axis_but_among_shares() -> None:
    nothing = Interval(0.0, 0.0, 0.0)
    none = outcome("first/none", unit="incidents", value=0.0, low=0.0, high=1.0, simulated=nothing)
    stuck = outcome("first/stuck", value=0.0, low=0.0, high=0.01, simulated=nothing)
    names = {data.family: [dot.name for dot in data.dots] for data in agreement_data(validation(none, stuck))}
    assert "first/stuck" in names[SHARES]
    assert "first/none" not in names[COUNTS]


def test_what_did_not_pass_and_controls_have_their_names_and_kinds_have_signs_of_their_own() -> None:
    shares, times, _ = agreement_data(validation(FAILED))
    assert [note.text for note in agreement_figure(shares).layout.annotations[1:]] == ["second/missed"]
    assert [note.text for note in agreement_figure(times).layout.annotations[1:]] == ["second/small"]
    symbols = [trace.marker.symbol for data in (shares, times) for trace in agreement_figure(data).data[2:]]
    assert len(set(symbols)) == 3


def test_a_road_has_estimator_formula_and_simulation() -> None:
    hourly, optimal = roads_data(validation().roads)
    assert (hourly.policy, optimal.policy) == (HOURLY, OPTIMAL)
    estimator, exact, simulated = roads_figure(hourly).data[:3]
    assert estimator.line.dash == "dash"
    assert list(exact.y) == [0.9, 0.64, 0.07, 0.0]
    assert list(simulated.x) == [1e3, 16_384, 1e5, 1e6]
    assert list(simulated.y) == [0.9, 0.64, 0.07, 0.0]
    assert list(simulated.error_y.arrayminus) == pytest.approx([0.01, 0.01, 0.01, 0.0])
    assert crossing(hourly.roads[0]) == 1e5


def test_the_two_clusters_differ_by_more_than_colour() -> None:
    traces = roads_figure(roads_data(validation().roads)[0]).data
    assert traces[2].marker.symbol != traces[5].marker.symbol


def test_the_table_of_a_road_holds_every_size() -> None:
    table = roads_table(roads_data(validation().roads)[0])
    row = dict(zip(table.columns, table.rows[1], strict=True))
    assert len(table.rows) == 8
    assert (row["cards"], row["estimator"], row["exact"], row["simulated"]) == (16_384, 0.62, 0.64, 0.64)


def test_the_page_says_by_how_much_the_estimator_is_off() -> None:
    rows = off_rows(validation().roads, HOURLY)
    assert [row.label for row in rows] == [
        f"{cluster}, {size} cards"
        for cluster in ("RSC-1", "RSC-2")
        for size in ("16,384", "100,000", "1,000,000")
    ]
    said = [cell.text for cell in rows[1].cells]
    assert said == ["0.070 ± 0.010", "0.070", "−0.90", "−97.0 ± 1.0 pp"]
    assert [cell.text for cell in rows[2].cells][1:3] == ["below 0.001", "−17.30"]
    text = words(render(validation()))
    assert "says 0.62 at 16,384 cards, where 0.640 ± 0.010 is simulated; −0.90 at 100,000 cards" in text


def test_the_headline_counts_what_came_out_as_it_should() -> None:
    assert headline(checks(validation())) == "All 5 checks come out as they should."
    assert headline(checks(validation(FAILED, UNDECIDED))) == "5 of 7 checks come out as they should."


def test_plumbing_is_in_the_headline_only_where_it_leaks() -> None:
    found = checks(validation())
    leaking = [one._replace(tone="fail") if one.kind == "plumbing" else one for one in found]
    assert headline(leaking) == "5 of 6 checks come out as they should."
    assert headline([one for one in found if one.kind == "plumbing"]) == "The check holds."


def test_the_page_says_where_a_figure_was_published_how_it_is_read_and_what_is_assumed() -> None:
    text = words(render(validation(FAILED, UNDECIDED), "clustersim validate a < b"))
    for said in (
        "Paper of first, section 2",
        "assumed nobody queues",
        "Eight of eighteen minutes.",
        "Simulated with cluster.gpus = 2048.",
        "checkpoint.blocks = 30 s was not published; tried",
        "1 of 3 values",
        "second/missed: simulated 0.9000 ± 0.0010, accepted 0.44 ± 0.01",
        "it is no evidence for the model",
        "28.8 ± 0.7 h",
        "clustersim validate a < b",
        "2026-01-02",
    ):
        assert said in text
    assert "Must not be" in text


def test_the_values_that_a_claim_changes_are_written_in_full() -> None:
    tiers = {"memory": {"interval": "5 min", "survives": ["job", "gpu"]}}
    change = {"checkpoint.tiers": tiers, "maintenance": None}
    text = words(render(validation(outcome("third", change=change, difference=True, minus={}))))
    assert (
        "The gain of checkpoint.tiers = {memory: {interval: 5 min, survives: [job, gpu]}}, maintenance = null"
        " over the scenario as it is, pair by pair."
    ) in text


@pytest.mark.parametrize(
    "found", [validation(), validation(FAILED, UNDECIDED), validation(roads=()), hostile()]
)
def test_every_page_is_whole_and_small(found: Validation) -> None:
    html = render(found, "clustersim validate")
    reader = Reader()
    reader.feed(html)
    assert (reader.faults, reader.open) == ([], [])
    plots = {attributes["data-figure"] for attributes in reader.all("div") if "data-figure" in attributes}
    assert set(json.loads(unpacked(html, "payload"))["figures"]) == plots
    anchors = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(anchors)) == len(anchors)
    assert {str(link["href"])[1:] for link in reader.all("a")} <= set(anchors)
    assert ("estimator" in anchors) == bool(found.roads)
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(attributes.get("scope") in {"row", "col"} for attributes in reader.all("th"))
    assert len(html.encode()) < LIMIT


def test_nothing_in_the_page_asks_the_network_and_one_script_runs() -> None:
    reader = Reader()
    reader.feed(render(validation()))
    for name in ("src", "href", "action", "data"):
        found = [str(attributes[name]) for _, attributes in reader.elements if name in attributes]
        assert [link for link in found if not link.startswith(("#", "data:"))] == []
    policy = next(str(meta["content"]) for meta in reader.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert [name for _, attributes in reader.elements for name in attributes if name.startswith("on")] == []


def test_a_page_of_few_checks_has_no_overview() -> None:
    few = Validation(validation().cases[:2], {"first": scenario("first")}, {"seed": 7})
    assert 'id="agreement"' not in render(few)
    assert "7 for all" in words(render(few))
    assert 'id="agreement"' in render(validation())
    assert "1 for all" in words(render(validation()))


def test_markup_is_text_everywhere() -> None:
    html = render(hostile(), command=HOSTILE)
    assert words(html).count(HOSTILE) >= 9
    assert "<script>alert" not in html
    payload = json.loads(unpacked(html, "payload"))
    drawn = json.dumps([[one["data"], one["layout"]] for one in payload["figures"].values()])
    assert "<script" not in drawn
    assert "&lt;script" in drawn


def test_every_scenario_can_be_saved_and_run_again() -> None:
    html = render(validation())
    texts = json.loads(unpacked(html, "payload"))["texts"]
    assert sorted(texts) == ["yaml-first", "yaml-second"]
    assert loads(texts["yaml-first"]).document == scenario("first").document
    reader = Reader()
    reader.feed(html)
    buttons = [button["data-save"] for button in reader.all("button") if "data-save" in button]
    assert sorted(map(str, buttons)) == sorted(texts)


def test_the_same_validation_gives_the_same_page_and_is_written_whole(tmp_path: Path) -> None:
    write_validation(validation(), tmp_path / "report.html", "clustersim validate")
    assert (tmp_path / "report.html").read_text("utf-8") == render(validation(), "clustersim validate")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
