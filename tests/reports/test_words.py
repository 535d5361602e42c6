"""What the report says in words and tables: no more digits than intervals support, a reason for a dash."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.results import Comparison
from clustersim_reports import answer, inputs, making, tables, waffle
from clustersim_reports.inputs import Kind
from tests.reports.cases import HOSTILE, run, scenario


def rows(*names: str) -> dict[str, tuple[tables.Cell, ...]]:
    results = [run(name) for name in names]
    comparison = Comparison(results) if len(results) > 1 else None
    return {row.label: row.cells for row in tables.side_by_side(results, comparison)}


def ettr_cell(mean: float, width: float | None, **more: Any) -> tables.Cell:
    ettr = {"mean": mean, "low": None, "high": None, "p10": mean, "p50": mean, "p90": mean}
    summary = {"ettr": ettr, "margins": {"ettr": width}, "reasons": {}, "no_progress": mean < 0.01} | more
    measure = next(one for one in tables.MEASURES if one.label == "ETTR")
    return measure.show(summary)


def test_the_ettr_has_the_digits_of_its_interval() -> None:
    assert ettr_cell(0.52871, 0.0043).text == "0.529 ± 0.004"
    assert ettr_cell(0.9, None) == tables.Cell("0.90", "one replication: no interval")


@pytest.mark.parametrize(
    ("mean", "width", "text"), [(0.0, 0.0, "0"), (3e-9, 1e-9, "below 0.001"), (0.005, 0.002, "0.005 ± 0.002")]
)
def test_no_progress_is_said_without_absurd_digits(mean: float, width: float, text: str) -> None:
    assert ettr_cell(mean, width) == tables.Cell(text, "no progress")


def test_what_is_null_has_its_reason() -> None:
    calm = rows("calm")
    assert calm["MTTI"][0] == tables.Cell("—", "no interruption in any replication")
    assert "MTBF" not in calm
    assert rows("unsaved", "plain")["Interval between saves"] == (
        tables.Cell("—", "no checkpoints"),
        tables.Cell("10 min"),
    )
    target = rows("plain", "target")
    assert target["Time to the target"][0] == tables.Cell("—", "no target")
    assert target["Cost of the run"][0] == tables.Cell("—", "no price given")


def test_every_dash_says_why() -> None:
    names = ("plain", "large", "stuck", "calm", "unsaved", "target", "hostile")
    silent = [label for label, cells in rows(*names).items() for cell in cells if cell == tables.Cell("—")]
    assert silent == []


def test_measures_that_no_scenario_has_are_left_out() -> None:
    assert {"Time to the target", "Cost of the run", "Throughput"}.isdisjoint(rows("plain"))


def test_differences_are_paired_and_name_their_baseline() -> None:
    cells = rows("plain", "large")["ETTR against plain"]
    assert cells[0] == tables.Cell("—", "the baseline")
    difference = Comparison([run("plain"), run("large")]).differences[0].ettr
    assert difference.distinguishable
    assert cells[1].text.startswith("−")
    assert cells[1].text.endswith("pp")


def test_the_ledger_in_words_follows_the_ledger() -> None:
    found = tables.ledger_rows([run("plain")])
    assert [row.label for row in found] == [
        "productive",
        "lost",
        "checkpoint",
        "detection",
        "recovery",
        "restart",
        "load",
    ]
    assert [row.part for row in found[-3:]] == [False, True, True]


def test_causes_in_words_add_up_to_what_is_wasted() -> None:
    summary = run("hostile").summary
    found = tables.cause_rows(run("hostile"))
    assert found[0].cause == max(summary["waste_by_cause"], key=summary["waste_by_cause"].__getitem__)
    wasted = tables.percent(1 - summary["ettr"]["mean"], tables.margin(summary, "ettr"))
    assert found[-1].cumulative == wasted
    assert {"checkpoint (saves)", "maintenance (planned)"} <= {row.cause for row in found}
    assert {row.cause: row.effect for row in found if row.effect} == {"hang": "hangs until a timeout"}


def test_a_hundred_squares_whatever_the_rounding() -> None:
    thirds = {"productive": 1 / 3, "lost": 1 / 3, "recovery": 1 / 3}
    placed = waffle.squares(thirds)
    assert [placed.count(entry) for entry in thirds] == [34, 33, 33]
    assert waffle.squares({"productive": 0.995, "lost": 0.005}).count("productive") in {99, 100}
    assert waffle.paths(placed)["productive"].count("M") == 34


@pytest.mark.parametrize(
    "names",
    [
        ("plain",),
        ("calm",),
        ("stuck",),
        ("plain", "large", "stuck"),
        ("plain", "calm"),
        ("target", "hostile"),
    ],
)
def test_the_answer_is_two_to_six_sentences_with_numbers(names: tuple[str, ...]) -> None:
    results = [run(name) for name in names]
    found = answer.sentences(results, Comparison(results) if len(results) > 1 else None)
    assert 2 <= len(found) <= 6
    assert "ETTR" in found[0].text
    assert all(sentence.text.endswith(".") for sentence in found)


def test_the_answer_of_many_is_still_short() -> None:
    results = [run(name) for name in ("plain", "large", "stuck", "calm", "unsaved", "target", "hostile")]
    found = answer.sentences(results, Comparison(results))
    assert len(found) <= 6
    assert "8,192 cards" in found[0].text


def test_advice_in_a_comparison_names_its_scenario() -> None:
    results = [run("plain"), run("stuck")]
    found = [one.text for one in answer.sentences(results, Comparison(results))]
    assert any(text.startswith("stuck: What would matter most") for text in found)


def test_the_price_of_an_effective_hour_is_compared_to_what_is_paid() -> None:
    found = [one.text for one in answer.sentences([run("target")])]
    assert any(text.startswith("An effective card-hour costs") and "times" in text for text in found)
    assert any(text.startswith("The target is reached after") for text in found)


def test_values_come_with_unit_and_origin() -> None:
    found = {one.path: one for one in inputs.inputs(scenario("hostile"))}
    assert found["cluster.gpus"] == inputs.Input("cluster.gpus", "1,024 cards", Kind.SOURCE, HOSTILE)
    assert found["failures.hang.mtbf"].kind is Kind.ASSUMPTION
    assert found["failures.hang.mtbf"].source == HOSTILE
    assert found["checkpoint.blocks"].kind is Kind.ASSUMPTION
    assert found["simulation.horizon"].kind is Kind.SETTING
    assert found["cluster.gpus_per_node"].kind is Kind.DEFAULT


def test_differences_of_inputs_are_those_and_no_others() -> None:
    found = {one.path: one.values for one in inputs.differences([run("plain"), run("large")])}
    assert found == {"cluster.gpus": ("1,024 cards", "8,192 cards")}


def test_making_shows_seed_hash_and_provenance() -> None:
    found = {row.label: row.cells[0].text for row in making.rows([run("plain")])}
    assert found["seed"] == "1"
    assert scenario("plain").hash.startswith(found["scenario hash"])
    assert found["libraries"] == "numpy 2.4, simpy 4.1"
    assert found["run time"] == "1.5 s"
    assert (found["command"], found["table of incidents"]) == ("—", "kept")
    assert "tool" not in found
