"""The page of a validation by value: figures, the pictures of ranges, and what the page says."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import pytest

from clustersim.estimate import ConfidenceInterval
from clustersim.scenario import loads
from clustersim.scenario.keys.remarks import KINDS as WORDS
from clustersim.validation import ClaimResult, Validation
from clustersim.validation.estimator import HOURLY, OPTIMAL
from clustersim_reports import pages
from clustersim_reports.blocks import Figure, Json
from clustersim_reports.page import render
from clustersim_reports.sections import agreement, checks, estimator
from clustersim_reports.sections.checks import EDGE, LEFT, RIGHT, WIDTH
from tests.reports.pages import Reader, every, figures, html, read, unpacked
from tests.reports.validations import FAILED, HOUR, UNDECIDED, few, outcome, scenario, validation

MIDDLE = (LEFT + RIGHT) / 2


def paths(case: ClaimResult) -> dict[str, str]:
    return dict(checks.picture(case).paths)


def claim(
    low: float | None, high: float | None, value: float | None, mean: float, width: float = 0.0
) -> ClaimResult:
    found = ConfidenceInterval(mean, mean - width, mean + width)
    return outcome("first/claim", low=low, high=high, value=value, simulated=found, unit="hours")


def test_the_range_is_as_long_in_every_picture() -> None:
    for low, high, value in ((0.43, 0.45, 0.44), (378.0, 460.0, 419.0), (1e4, 3e4, 2e4)):
        found = paths(claim(low, high, value, value, (high - low) / 2))
        assert found["range"] == f"M{LEFT:g} 5H{RIGHT:g}V25H{LEFT:g}z"
        assert found["interval"] == f"M{LEFT:g} 15H{RIGHT:g}"
        assert found["published"].startswith(f"M{MIDDLE:g} ")
        assert found["mean"].startswith(f"M{MIDDLE - 4.5:g} ")


def test_a_figure_far_off_is_an_arrow_at_the_edge_and_a_wide_interval_is_cut_there() -> None:
    above, below = paths(claim(0.43, 0.45, 0.44, 0.9)), paths(claim(0.43, 0.45, 0.44, 0.01))
    assert above["arrow"] != below["arrow"]
    assert not {"mean", "interval"} & (set(above) | set(below))
    assert paths(claim(0.43, 0.45, 0.44, 0.44, 0.3))["interval"] == f"M{EDGE:g} 15H{WIDTH - EDGE:g}"


@pytest.mark.parametrize(
    ("low", "high", "unit", "ends"),
    [
        (0.9, None, "share", (0.9, 1.0, False)),
        (10.0, None, "nodes", (10.0, 20.0, True)),
        (0.0, None, "nodes", (0.0, 1.0, True)),
        (None, 0.01, "share", (0.0, 0.01, False)),
        (3.0, 3.0, "nodes", (2.97, 3.03, False)),
        (0.0, 0.0, "share", (-1.0, 1.0, False)),
    ],
)
def test_a_range_without_an_end_or_a_length_is_drawn_with_one(
    low: float | None, high: float | None, unit: str, ends: tuple[float, float, bool]
) -> None:
    assert checks.range_of(outcome("a/b", low=low, high=high, unit=unit)) == pytest.approx(ends)
    gain = outcome("a/b", low=0.9, high=None, value=None, minus={})
    assert checks.range_of(gain)[2]
    assert f"H{WIDTH:g}" in paths(gain)["range"]


def test_verdicts_have_a_sign_and_a_word() -> None:
    rows = [
        row
        for block in every(checks.cases(validation(FAILED, UNDECIDED)).blocks)
        if hasattr(block, "rows")
        for row in block.rows
    ]
    said = {row.head.text: (row.cells[-1].text, row.look) for row in rows if row.anchor}
    assert said["whole"] == ("✓ agrees", "pass")
    assert said["small"] == ("✓ differs, as it must", "pass")
    assert said["missed"] == ("✗ differs", "fail")
    assert said["straddles"] == ("? undecided", "open")
    assert html("validation").count('<span class="sign" aria-hidden="true">✗</span>') == 3
    tried = [row.cells[-1].text for row in rows if row.head.text.startswith("checkpoint.blocks =")]
    assert tried == ["✓ agrees", "? undecided", "✗ differs"]


def test_checks_are_grouped_by_what_they_can_show() -> None:
    assert set(WORDS) == set(agreement.SIGNS)
    assert set(checks.KINDS) == {*WORDS, "fitted"}
    found = [(kind.heading, passed, len(cases)) for kind, cases, passed in checks.groups(validation(FAILED))]
    assert found == [("Exact", 2, 3), ("Band", 2, 2), ("Control", 1, 1), ("Plumbing", 1, 1)]


def families(*more: ClaimResult) -> dict[str, Figure]:
    section = agreement.section(validation(*more))
    return {
        one.name.removeprefix("agreement-"): one for one in every(section.blocks) if isinstance(one, Figure)
    }


def signs(figure: Figure) -> list[Json]:
    return [trace for trace in figure.drawing["data"] if trace["mode"] == "markers"]


def test_figures_are_drawn_by_family_with_published_across_and_simulated_upwards() -> None:
    found = families(FAILED)
    assert {family: len(one.data.rows) for family, one in found.items()} == {
        "shares": 6,
        "times": 2,
        "counts": 1,
    }
    tried = [row for row in found["shares"].data["check"] if "(" in str(row)]
    assert len(tried) == 3, "one sign for each value of a missing input"
    first, second = signs(found["times"])
    assert (first["x"], first["y"]) == ([1.8 * HOUR], [1.803 * HOUR])
    assert (second["x"], second["y"]) == ([7.9 * HOUR], [28.8 * HOUR])
    assert first["error_y"]["array"][0] == pytest.approx(0.013 * HOUR)
    assert first["marker"]["symbol"] != second["marker"]["symbol"]
    assert [*found["counts"].data.rows[0].values()][3:7] == [419.0, 378.0, 460.0, 420.1]


def test_an_open_range_goes_on_to_the_edge_and_a_claim_without_a_value_stands_at_its_end() -> None:
    shares = families()["shares"]
    assert signs(shares)[1]["x"] == [0.9]
    ranges = [trace["x"][:2] for trace in shares.drawing["data"] if trace.get("connectgaps") is False]
    assert ranges[1] == [0.9, shares.drawing["layout"]["xaxis"]["range"][1]]


def test_nothing_at_all_has_no_place_on_a_logarithmic_axis_but_among_shares() -> None:
    nothing = ConfidenceInterval(0.0, 0.0, 0.0)
    none = outcome("first/none", unit="incidents", value=0.0, low=0.0, high=1.0, simulated=nothing)
    stuck = outcome("first/stuck", value=0.0, low=0.0, high=0.01, simulated=nothing)
    found = families(none, stuck)
    assert "first/stuck" in found["shares"].data["check"]
    assert "first/none" not in found["counts"].data["check"]


def test_what_did_not_pass_and_controls_have_their_names() -> None:
    found = {name: one.drawing["layout"]["annotations"][1:] for name, one in families(FAILED).items()}
    assert [note["text"] for note in found["shares"]] == ["second/missed"]
    assert [note["text"] for note in found["times"]] == ["second/small"]


def test_names_of_signs_that_are_near_do_not_run_into_each_other() -> None:
    near = [
        outcome(f"near/number-{number}", value=0.7, low=0.69, high=0.71, simulated=found, verdict="differs")
        for number in range(4)
        if (found := ConfidenceInterval(0.4 + number / 100, 0.4, 0.44))
    ]
    names = families(*near)["shares"].drawing["layout"]["annotations"][1:]
    assert len(names) == len(near)
    shares = {name["text"]: int(name["text"][-1]) / 100 / 1.06 * 320 + name["yshift"] for name in names}
    for side in ("left", "right"):
        heights = sorted(shares[name["text"]] for name in names if name["xanchor"] == side)
        assert all(upper - lower >= 15 - 1e-6 for lower, upper in pairwise(heights))


def test_signs_of_a_legend_that_are_drawn_as_paths_are_filled() -> None:
    """`.swatch path` says that lines have no filling, so that those that have one need a rule as strong."""
    templates = files("clustersim_reports") / "templates"
    drawn = re.findall(r'<path [^>]*class="[^"]*\b(f-[a-z]+)', (templates / "macros.html.j2").read_text())
    style = (templates / "style.css").read_text()
    assert "f-productive" in drawn
    assert [
        fill for fill in drawn if f".swatch .{fill} {{" not in style and f".swatch .{fill}," not in style
    ] == []


def test_a_curve_has_estimator_formula_and_simulation_and_its_cluster_a_sign() -> None:
    hourly, optimal = (
        figures("validation")[name] for name in figures("validation") if name.startswith("roads")
    )
    assert [figure.title.lower() for figure in (hourly, optimal)] == [HOURLY, OPTIMAL]
    estimated, exact, simulated, *others = hourly.drawing["data"]
    assert estimated["line"]["dash"] == "dash"
    assert exact["y"] == [0.9, 0.64, 0.07, 0.0]
    assert (simulated["x"], simulated["y"]) == ([1e3, 16_384, 1e5, 1e6], [0.9, 0.64, 0.07, 0.0])
    assert simulated["error_y"]["arrayminus"] == pytest.approx([0.01, 0.01, 0.01, 0.0])
    assert simulated["marker"]["symbol"] != others[2]["marker"]["symbol"]
    assert estimator.crossing(validation().curves[0]) == 1e5
    assert len(hourly.data.rows) == 8


def test_the_page_says_by_how_much_the_estimator_is_off() -> None:
    rows = list(estimator.errors([curve for curve in validation().curves if curve.policy == HOURLY]))
    assert [row.head.text for row in rows[:3]] == [
        f"RSC-1, {n} cards" for n in ("16,384", "100,000", "1,000,000")
    ]
    assert [cell.text for cell in rows[1].cells] == ["0.070 ± 0.010", "0.070", "−0.90", "−97.0 ± 1.0 pp"]
    assert [cell.text for cell in rows[2].cells][1:3] == ["below 0.001", "−17.30"]
    nothing = replace(validation().curves[0].marks[0], simulated=ConfidenceInterval(0.0, 0.0, 0.0))
    assert estimator.simulated_text(nothing) == "below 0.001"
    assert "0.62 at 16,384 cards (simulated 0.640 ± 0.010)" in read("validation").words.replace("\u00a0", " ")


def test_the_headline_counts_what_passes_and_plumbing_only_where_it_leaks() -> None:
    assert pages.headline(validation()) == "All 5 checks pass."
    assert pages.headline(validation(FAILED, UNDECIDED)) == "5 of 7 checks pass."
    leaking = outcome("second/leak", kind="plumbing", verdict="differs")
    assert pages.headline(validation(leaking)) == "5 of 6 checks pass."
    chosen = outcome("second/chosen", fitted="the restart, to this figure")
    assert pages.headline(validation(chosen)) == "All 5 checks pass."
    plumbing = tuple(case for case in validation().cases if case.kind == "plumbing")
    assert pages.headline(Validation(plumbing, {})) == "The check passes."


def test_the_page_says_where_a_figure_was_published_how_it_is_read_and_what_is_assumed() -> None:
    words = read("validation").words.replace("\u00a0", " ")
    for said in (
        "Paper of first, section 2",
        "assumed nobody queues",
        "Eight of eighteen minutes.",
        "Simulated with cluster.gpus = 2048.",
        "checkpoint.blocks = 30 s not published; tried",
        "agrees with 1 of 3",
        "second/missed: simulated 0.9000 ± 0.0010, accepted 0.44 ± 0.01",
        "no evidence for the model",
        "28.8 ± 0.7 h",
        "Must not be",
        "2026-01-02",
    ):
        assert said in words


def test_the_values_that_a_claim_changes_are_written_in_full() -> None:
    change = {
        "checkpoint.tiers": {"memory": {"interval": "5 min", "survives": ["job", "gpu"]}},
        "maintenance": None,
    }
    third = validation(outcome("third", change=change, minus={}))
    words = Reader(render(pages.validation_page(third))).words.replace("\u00a0", " ")
    assert "checkpoint.tiers = {memory: {interval: 5 min, survives: [job, gpu]}}, maintenance = null" in words
    assert "over the scenario as it is" in words


def test_a_page_of_few_checks_has_no_overview_and_without_curves_no_estimator() -> None:
    assert 'id="agreement"' not in html("validation of few")
    assert 'id="estimator"' not in html("validation of few")
    assert "7 for all" in read("validation of few").words
    assert agreement.section(few()).blocks == []


def test_every_scenario_can_be_saved_and_run_again() -> None:
    texts = unpacked(html("validation"))["texts"]
    assert sorted(texts) == ["yaml-first", "yaml-second"]
    assert loads(texts["yaml-first"]).document == scenario("first").document
    buttons = [button["data-save"] for button in read("validation").all("button") if "data-save" in button]
    assert sorted(map(str, buttons)) == sorted(texts)
