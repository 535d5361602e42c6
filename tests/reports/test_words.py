"""What the report of runs says in words and tables: measures, sentences, what went in."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.headline import headline
from clustersim.metrics import cells
from clustersim.results import Results
from clustersim.scenario import Scenario, loads
from clustersim.scenario.values import values
from clustersim.studies.compare import Comparison
from clustersim_reports import inputs, pages
from clustersim_reports.blocks import Cell, Data, anchors, tight
from clustersim_reports.page import render
from clustersim_reports.run import MOST_DRAWN, Run, Runs
from clustersim_reports.sections import first_screen, ledger
from tests.reports import findings
from tests.reports.cases import CHANGES, HOSTILE, PLAIN, measures, run, scenario, several
from tests.reports.fleets import EVERYTHING, everything
from tests.reports.pages import Reader, html, unpacked
from tests.reports.test_contracts import LIMIT


def test_the_ettr_has_the_digits_of_its_interval_and_no_absurd_ones() -> None:
    def ettr(mean: float, width: float | None) -> Cell:
        more = {"ettr": {"mean": mean}, "margins": {"ettr": width}, "no_progress": mean < 0.01}
        return Cell(*cells.ettr(more))

    assert ettr(0.52871, 0.0043).text == "0.529 ± 0.004"
    assert ettr(0.9, None).small
    assert [ettr(*given).text for given in ((0.0, 0.0), (3e-9, 1e-9), (0.005, 0.002))] == [
        "0",
        "below 0.001",
        "0.005 ± 0.002",
    ]


def test_measures_that_no_run_has_are_left_out_and_dashes_have_their_reasons() -> None:
    assert {"Time to the target", "Cost of the run", "Throughput"}.isdisjoint(measures("plain"))
    calm = measures("calm")
    assert calm["MTTI"][0].small == "no interruption in any replication"
    assert "MTBF" not in calm
    assert measures("unsaved", "plain")["Checkpoint interval"][1].text == "10 min"
    target = measures("plain", "target")["Time to the target"]
    assert target[0].text == "—"
    assert target[1].small.startswith("P50 ")


def test_differences_are_paired_and_name_their_baseline() -> None:
    cells = measures("plain", "large")["ETTR against plain"]
    difference = Comparison([run("plain"), run("large")]).differences[0].ettr
    assert difference.distinguishable
    assert cells[0] == Cell("—", "the baseline")
    assert cells[1].text.startswith("−")
    assert cells[1].text.endswith("pp")


def test_measures_of_tiers_replicas_and_spares() -> None:
    found = {row.head.text: row.cells[0] for row in ledger.measures(Runs([Run("e", everything())]))}
    assert found["Checkpoint interval"].text == "peer 60 s, storage 30 min"
    assert found["Copies loaded"].text.startswith("peer ")
    assert (found["Replicas"].text, found["Waiting for a node"].text) == ("8", "6.0 %")


def test_a_hundred_squares_whatever_the_rounding() -> None:
    thirds = {"productive": 1 / 3, "lost": 1 / 3, "recovery": 1 / 3}
    assert list(first_screen.squares(thirds).values()) == [34, 33, 33]
    assert sum(first_screen.squares({"productive": 0.995, "lost": 0.005}).values()) == 100
    assert dict(first_screen.picture(thirds).paths)["productive"].count("M") == 34


@pytest.mark.parametrize(
    "names", [["plain"], ["calm"], ["stuck"], ["plain", "calm"], ["target", "hostile"], list(CHANGES)]
)
def test_the_answer_is_two_to_six_sentences_with_numbers(names: list[str]) -> None:
    found = [advice.text for advice in pages.answer(several(*names))]
    assert 2 <= len(found) <= 6
    assert any("ETTR" in text for text in found)
    assert all(text.endswith(".") for text in found)


def test_the_answer_says_what_was_asked_for() -> None:
    found = " ".join(advice.text for advice in pages.answer(several("target")))
    assert "An effective card-hour costs" in found
    assert "The target is reached after" in found
    assert any(advice.text.startswith("stuck: ") for advice in pages.answer(several("plain", "stuck")))
    many = [advice.text for advice in pages.answer(several(*CHANGES))]
    assert many[0].startswith("Most effective cards: large, ")
    assert any("8,192 cards" in text for text in many)


def test_cards_that_cost_nothing_have_no_price_to_compare_with() -> None:
    free = several("target")
    free.runs[0].summary["cost"]["per_gpu_hour"] = 0.0
    assert "An effective card-hour" not in " ".join(advice.text for advice in pages.answer(free))


def test_the_first_screen_has_the_figures_of_the_terminal_and_every_verdict() -> None:
    found = Reader(html("expecting"))
    header = found.words[: found.words.index("The answer # ")]
    for figure in headline(scenario("expecting"), run("expecting", 8).summary).figures:
        assert f"{figure.label} {figure.cell.text}" in header
    assert "ettr >= 0.99 0.956 ± 0.005 ✗ not met" in header
    assert header.count("✓ met") == 2
    worth = headline(scenario("expecting"), run("expecting", 8).summary).changes
    assert worth.changes
    for change in worth.changes:
        assert f". {change.change.name} {change.change.text} +" in header
    assert "✗ not met" in Reader(render(pages.runs_page([run("plain"), run("expecting", 8)]))).words


def test_a_comparison_opens_with_what_changed() -> None:
    words = Reader(render(pages.runs_page([run("plain"), run("large")]))).words
    head = words[: words.index("The answer # ")]
    assert "What changed From plain large cluster.gpus 1,024 8,192" in head
    assert head.index("What changed") < head.index("of 1,024 train")
    several = Comparison([run("plain"), run("hostile"), run("target")])
    table, more = first_screen.changed(several)
    shown = [min(len(each.values), first_screen.MOST_CHANGED // 2) for each in several.changed]
    names = [row.head.small for row in table.rows]
    assert [names.count(each.name) for each in several.changed] == shown
    left_out = sum(len(each.values) for each in several.changed) - sum(shown)
    assert more.words.startswith(f"And {left_out} more value")


def test_values_come_with_their_origin_and_differ_where_they_differ() -> None:
    found = {value.path: value.origin for value in values(scenario("hostile"))}
    assert found["cluster.gpus"] == ("", HOSTILE)
    assert found["failures.hang.mtbf"] == ("assumption", HOSTILE)
    assert found["checkpoint.blocks"] == ("assumption", "")
    assert found["simulation.horizon"] == found["checkpoint.interval"] == ("setting", "")
    assert found["cluster.gpus_per_node"][0] == "default"
    differing = inputs.differences([scenario("plain"), scenario("large")])
    assert [(row.head.text, [cell.text for cell in row.cells]) for row in differing] == [
        ("cluster.gpus", ["1,024 cards", "8,192 cards"])
    ]
    recorded = [
        row
        for defaults in (False, True)
        for row in inputs.values_table(everything().scenario, defaults=defaults).rows
    ]
    assert [row.head.text for row in recorded if "failures.log" in row.head.text] == ["failures.log.replay"]


def test_making_shows_seed_hash_and_provenance() -> None:
    words = Reader(html("plain")).words
    for said in ("seed 1", scenario("plain").hash[:16], "numpy 2.4, simpy 4.1", "run time 1.5 s", "kept"):
        assert said in words


def saved(folder: Any, *, incidents: bool = True) -> Results:
    result = run("plain")
    copy = Results(result.scenario, result.summary, result.provenance, records=result._records)
    copy.save(folder, incidents=incidents)
    return Results.load(folder)


def test_a_report_of_finished_runs_is_that_of_fresh_ones(tmp_path: Any) -> None:
    assert render(pages.runs_page([saved(tmp_path / "run")])) == render(pages.runs_page([run("plain")]))


def test_a_run_without_incidents_says_so(tmp_path: Any) -> None:
    text = render(pages.runs_page([saved(tmp_path / "run", incidents=False)]))
    assert 'data-figure="causes-plain"' in text
    assert 'data-figure="outages-plain"' not in text
    assert "no table of incidents" in text


def test_of_many_runs_the_first_have_figures_of_their_own() -> None:
    text = render(pages.runs_page([everything(1, f"run {number}") for number in range(50)]))
    assert len(text.encode()) < LIMIT
    assert f'data-figure="causes-run-{MOST_DRAWN - 1}"' in text
    assert f'data-figure="causes-run-{MOST_DRAWN}"' not in text
    assert f'id="scenario-run-{MOST_DRAWN - 1}"' in text
    assert f'id="scenario-run-{MOST_DRAWN}"' not in text
    assert f"Left out: run {MOST_DRAWN}, run {MOST_DRAWN + 1}, " in text
    assert "<title>run 0, run 1, run 2, run 3, run 4, run 5 and 44 more – clustersim</title>" in text
    assert 'href="#recovery"' in text
    assert 'href="#recovery"' not in html("plain")


def test_a_thousand_causes_are_a_page_of_the_usual_size() -> None:
    failures = {f"mode {n}": {"per": "node", "mtbf": f"{9000 + n} d", "repair": "2 h"} for n in range(1000)}
    spec = Scenario.model_validate(PLAIN | {"failures": failures})
    text = render(pages.runs_page([Results.of(spec, [simulate(spec, 0)], {})]))
    assert len(text.encode()) < LIMIT
    assert "rows. <button" in text


def test_no_results_are_no_report() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        pages.runs_page([])


def test_the_scenario_can_be_copied_and_runs_again() -> None:
    codes = [
        text for tag, text in Reader(html("hostile")).texts if tag == "code" and text.startswith("name:")
    ]
    assert loads(codes[0]).document == run("hostile").scenario.document


def test_a_long_log_is_not_shown_as_a_whole_but_can_be_copied() -> None:
    log = [{"time": f"{number} min", "node": number % 512} for number in range(5000)]
    spec = Scenario.model_validate(
        EVERYTHING | {"failures": EVERYTHING["failures"] | {"log": {"replay": log}}}
    )
    made = everything()
    text = render(pages.runs_page([Results(spec, made.summary, {}, records=made._records)]))
    assert len(text) < 2_400_000
    assert "more characters are not shown" in text
    shown = next(found for tag, found in Reader(text).texts if tag == "code" and found.startswith("name:"))
    assert shown.count("\n") <= inputs.SHOWN_LINES
    assert 1000 < len(shown) <= inputs.SHOWN_CHARACTERS
    assert loads(unpacked(text)["texts"]["yaml-everything"]).document == spec.document


def test_numbers_keep_their_units_and_signs_on_one_line() -> None:
    assert tight("0.5 ± 0.1 d of 3 h and 5 %") == "0.5\u00a0±\u00a00.1\u00a0d of 3\u00a0h and 5\u00a0%"
    assert tight("6 days, 3 Mode") == "6 days, 3 Mode"


def test_names_that_occur_twice_get_numbers_that_no_other_has() -> None:
    assert anchors(["a", "b", "a", "a-2", "a"]) == ["a", "b", "a-2", "a-2-2", "a-3"]


def test_data_are_found_by_column() -> None:
    assert Data([{"a": 1, "b": 2}, {"a": 3, "b": 4}])["b"] == [2, 4]


@pytest.mark.parametrize("name", ["expecting", "hostile", "stuck"])
def test_a_notebook_shows_the_first_screen_of_a_run(name: str) -> None:
    result = run(name, 8) if name == "expecting" else run(name)
    shown = Reader(str(result._repr_html_()))
    assert (shown.faults, shown.open) == ([], [])
    assert not {tag for tag, _ in shown.elements} & {"script", "svg", "button", "form"}
    for figure in headline(result.scenario, result.summary).figures:
        assert f"{figure.label} {figure.cell.text}" in shown.words
    assert ("✗ not met" in shown.words) == (name == "expecting")


def test_a_notebook_shows_runs_side_by_side_and_the_answer_of_a_study() -> None:
    comparison = Comparison([run("plain"), run("large")])
    shown = Reader(str(comparison._repr_html_()))
    assert shown.words.count("ETTR against plain") == 1
    assert str(comparison.advice[0]) in shown.words
    frame = comparison.frame
    assert list(frame["name"]) == ["plain", "large"]
    assert frame["ettr.mean"][1] == run("large").summary["ettr"]["mean"]
    assert frame["ettr_difference.mean"][1] == comparison.differences[0].ettr.mean
    study = findings.hostile_levers()
    shown = Reader(str(study._repr_html_()))
    assert (shown.faults, shown.open) == ([], [])
    assert HOSTILE in shown.words
    assert str(study.advice[0]) in shown.words
