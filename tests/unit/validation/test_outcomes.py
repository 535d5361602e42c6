"""What a validation says: units, digits, ranges and sentences."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clustersim.estimate import ConfidenceInterval
from clustersim.store import RunError
from clustersim.validation import ClaimResult, Trial, Validation
from clustersim.validation.outcomes import (
    accepted_text,
    changes_text,
    compatible,
    conclusion,
    interval_text,
    refuse_taken,
    remedy,
    shown,
    simulated_text,
    verdict_text,
)


def outcome(**values: Any) -> ClaimResult:
    given: dict[str, Any] = {
        "name": "case", "scenario": "case", "claim": "claim", "title": "", "kind": "exact", "source": "",
        "says": "", "figure": "ettr", "meaning": "", "unit": "share", "value": 0.44, "low": 0.435,
        "high": 0.445, "simulated": ConfidenceInterval(0.441, 0.439, 0.443), "verdict": "agrees",
        "replications": 8,
    }  # fmt: skip
    return ClaimResult(**given | values)


def test_a_claim_as_plain_data() -> None:
    ends = {"mean": 0.441, "low": 0.439, "high": 0.443}
    tried = Trial("5 s", ConfidenceInterval(0.441, 0.439, 0.443), "agrees", 8, 1.5)
    assert tried.to_dict() == {"value": "5 s", "simulated": ends, "verdict": "agrees"}
    claim = outcome(
        name="case/one", title="A case", source="a paper", says="44 %", of="gpu", reads="roughly",
        assumes=("nothing else",), change={"a": 1}, minus={"b": 2}, unknown="c", tried=(tried,),
        fitted="the restart", wall_s=1.23456,
    )  # fmt: skip
    expected = {
        "name": "case/one", "kind": "exact", "title": "A case", "source": "a paper",
        "published": {"says": "44 %", "value": 0.44, "low": 0.435, "high": 0.445, "unit": "share"},
        "simulated": ends, "verdict": "agrees", "passed": True, "figure": {"ettr": "gpu"},
        "difference": True, "reads": "roughly", "assumes": ["nothing else"], "change": {"a": 1},
        "minus": {"b": 2}, "unknown": "c", "tried": [tried.to_dict()], "fitted": "the restart",
        "replications": 8, "wall_s": 1.235,
    }  # fmt: skip
    found = claim.to_dict()
    assert json.loads(json.dumps(found)) == expected
    assert list(found) == list(expected)
    assert outcome().to_dict()["figure"] == "ettr"
    whole = Validation((claim, outcome(verdict="differs")), {}, {"version": "1.2", "wall_s": 3.0}).to_dict()
    assert {name: value for name, value in whole.items() if name != "cases"} == {
        "schema_version": 2, "passed": False, "version": "1.2", "estimator": [], "wall_s": 3.0,
    }  # fmt: skip
    assert [case["name"] for case in whole["cases"]] == ["case/one", "case"]


def test_a_page_says_what_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Validation((outcome(),), {}, {"command": "clustersim validate"})
    monkeypatch.setattr(
        "clustersim.validation.outcomes.write_page",
        lambda writer, answer, path, command: path.write_text(f"{writer} {answer is made} {command}"),
    )
    made.report(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "write_validation True clustersim validate"
    made.report(str(tmp_path / "page.html"), "make validation")
    assert (tmp_path / "page.html").read_text() == "write_validation True make validation"
    assert made.save(tmp_path / "new") == tmp_path / "new" / "validation.json"
    assert json.loads((tmp_path / "new" / "validation.json").read_text())["cases"][0]["name"] == "case"
    assert (tmp_path / "new" / "report.html").read_text().endswith("clustersim validate")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("dear")
    with pytest.raises(RunError, match="holds something else than a validation"):
        made.save(str(tmp_path / "full"))
    assert refuse_taken(tmp_path / "new") is None  # type: ignore[func-returns-value]


def test_claims_with_a_fitted_input_are_counted_apart_whatever_their_kind() -> None:
    chosen = outcome(name="chosen", fitted="the restart, to this figure")
    assert (chosen.counted_as, outcome().counted_as) == ("fitted", "exact")
    assert chosen.to_dict()["fitted"] == "the restart, to this figure"
    assert conclusion(Validation((outcome(), chosen), {})) == (
        "The check passes: 1 published figure reproduced; counted apart: 1 claim met with a fitted input."
    )
    tried = replace(chosen, tried=(Trial("5 s", ConfidenceInterval(), "agrees"),))
    went_in = outcome(name="in", kind="plumbing")
    assert conclusion(Validation((outcome(), outcome(name="two"), tried, went_in), {})) == (
        "All 2 checks pass: 2 published figures reproduced; counted apart: 1 figure that went in came out,"
        " 1 claim met with a fitted input."
    )
    assert conclusion(Validation((went_in,), {})) == "The check passes: 1 figure that went in came out."


@pytest.mark.parametrize(
    ("value", "half_width", "unit", "text"),
    [
        (0.52917, 0.004, "share", "0.529 ± 0.004"),
        (0.52917, 0.0, "share", "0.5292"),
        (0.52917, 1e-6, "share", "0.5292"),
        (0.52917, None, "share", "0.53"),
        (419.3, 4.0, "incidents", "419 ± 4"),
        (3.0, 0.0, "nodes", "3"),
        (52_917.0, 430.0, "cards", "52,900 ± 400"),
        (6480.0, 72.0, "s", "1.80 ± 0.02 h"),
        (1080.0, 0.0, "s", "18 min"),
        (1102.3, 0.0, "s", "18.4 min"),
        (600.0, 900.0, "s", "10 min"),
        (0.0, 0.0, "s", "0 s"),
        (None, None, "s", "—"),
    ],
)
def test_figures_are_shown_with_the_digits_that_they_have(
    value: float | None, half_width: float | None, unit: str, text: str
) -> None:
    assert shown(value, half_width, unit) == text


def test_differences_of_shares_are_points() -> None:
    assert shown(0.0659, 0.002, "share", True) == "+6.6 ± 0.2 pp"
    assert interval_text(ConfidenceInterval(0.01, 0.0, 0.05), "share", True) == "1 (0 to 5) pp"


def test_a_lopsided_interval_is_shown_by_its_ends() -> None:
    assert interval_text(ConfidenceInterval(3.0, 2.0, 3.0), "nodes") == "3 (2 to 3)"
    assert interval_text(ConfidenceInterval(3.4, 2.1, 3.5), "nodes") == "3.4 (2.1 to 3.5)"
    assert interval_text(ConfidenceInterval(0.0, 0.0, 1.0), "share") == "0.0 (0.0 to 1.0)"
    assert interval_text(ConfidenceInterval(0.001, 0.0, 0.005), "share") == "0.001 (0.000 to 0.005)"


def test_what_is_not_known_is_a_dash_and_one_replication_has_no_interval() -> None:
    assert interval_text(ConfidenceInterval(), "s") == "—"
    assert interval_text(ConfidenceInterval(0.5, None, None), "share") == "0.50"
    assert interval_text(ConfidenceInterval(0.01, None, None), "share", True) == "+1.0 pp"


def test_a_duration_is_read_in_the_unit_of_what_was_published() -> None:
    hours = {"figure": "mttf", "unit": "s", "value": 7.9 * 3600, "low": 4 * 3600, "high": 11.8 * 3600}
    days = ConfidenceInterval(28.8 * 3600, 28.4 * 3600, 29.2 * 3600)
    assert simulated_text(outcome(simulated=days, **hours)) == "28.8 ± 0.4 h"
    far = ConfidenceInterval(100 * 86400.0, 99 * 86400.0, 101 * 86400.0)
    assert simulated_text(outcome(simulated=far, **hours)) == "100.0 ± 1.0 d"


def test_the_unit_of_what_was_published_holds_for_lopsided_intervals_too() -> None:
    hours = {"figure": "mttf", "unit": "s", "value": 7.9 * 3600, "low": 4 * 3600, "high": 11.8 * 3600}
    lopsided = ConfidenceInterval(30 * 3600.0, 29 * 3600.0, 34 * 3600.0)
    assert simulated_text(outcome(simulated=lopsided, **hours)) == "30 (29 to 34) h"
    assert interval_text(lopsided, "s") == "1.25 (1.21 to 1.42) d"
    assert interval_text(ConfidenceInterval(0.0, 0.0, 7200.0), "s") == "0.0 (0.0 to 2.0) h"
    free = outcome(simulated=ConfidenceInterval(0.0, 0.0, 0.0), unit="s", value=None, low=None, high=0.0)
    assert simulated_text(free) == "0 s"


@pytest.mark.parametrize(
    ("means", "values", "text"),
    [
        ((None,), {}, "—"),
        ((0.48,), {}, "0.48"),
        ((0.95, None, 0.48, 0.7), {}, "0.48 to 0.95"),
        ((0.05, 0.01), {"minus": {}}, "+1.0 pp to +5.0 pp"),
        ((7200.0, 60.0, 600.0), {"unit": "s"}, "60 s to 2 h"),
    ],
)
def test_of_a_missing_input_the_range_of_what_came_out_is_shown(
    means: tuple[float | None, ...], values: dict[str, Any], text: str
) -> None:
    tried = tuple(Trial("5 s", ConfidenceInterval(mean), "differs") for mean in means)
    assert simulated_text(outcome(unknown="checkpoint.blocks", tried=tried, **values)) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "0.44 ± 0.005"),
        ({"value": 0.9, "low": 0.9 - 1e-9, "high": 0.9 + 1e-9}, "exactly 0.9"),
        ({"value": 419.0, "low": 378.0, "high": 460.0, "unit": "incidents"}, "419 ± 41"),
        ({"value": None, "low": 0.45, "high": 0.6}, "0.45 to 0.6"),
        ({"value": 0.5, "low": 0.45, "high": 0.6}, "0.45 to 0.6"),
        ({"value": None, "low": 0.9, "high": None}, "at least 0.9"),
        ({"value": None, "low": None, "high": 3000.0, "unit": "s"}, "at most 50 min"),
        ({"value": 1577.0, "low": 1517.0, "high": 1637.0, "unit": "s"}, "26.283 ± 1 min"),
        ({"value": None, "low": 0.04, "high": 0.1, "minus": {}}, "4 pp to 10 pp"),
        ({"value": -0.9, "low": -1.0, "high": -0.8}, "\u22120.9 ± 0.1"),
        ({"value": None, "low": 0.0, "high": 100_000.0, "unit": "cards"}, "0 to 100,000"),
        ({"value": 7200.0, "low": 7200.0, "high": 7200.0, "unit": "s"}, "exactly 2 h"),
        ({"value": 100.0, "low": 100.0 - 9e-4, "high": 100.0 + 9e-4, "unit": "cards"}, "exactly 100"),
        ({"value": 100.0, "low": 100.0 - 2e-3, "high": 100.0 + 2e-3, "unit": "cards"}, "100 ± 0.002"),
        ({"value": 419.0, "low": 419.0 - 41.26, "high": 419.0 + 41.26, "unit": "cards"}, "419 ± 41"),
        ({"value": None, "low": None, "high": 0.0, "unit": "s"}, "at most 0"),
        ({"value": 0.0, "low": 0.0, "high": 0.0}, "exactly 0"),
        (
            {"value": 1e10 + 0.1, "low": 1e10 - 0.2, "high": 1e10 + 0.4, "unit": "cards"},
            "exactly 10,000,000,000",
        ),
    ],
)
def test_what_was_published_keeps_its_digits(values: dict[str, Any], text: str) -> None:
    assert accepted_text(outcome(**values)) == text


def test_a_control_says_that_it_must_differ() -> None:
    control = outcome(kind="control", verdict="differs")
    assert verdict_text(control) == "differs, as it must"
    assert verdict_text(replace(control, verdict="agrees")) == "agrees, and must not"
    assert verdict_text(replace(control, verdict="undecided")) == "undecided"
    assert verdict_text(outcome(verdict="differs")) == "differs"


def test_values_of_a_missing_input_are_named_by_verdict() -> None:
    nothing = ConfidenceInterval()
    tried = tuple(
        Trial(value, nothing, word)
        for value, word in (("5 s", "agrees"), ("30 s", "undecided"), ("2 s", "agrees"), ("60 s", "differs"))
    )
    said = compatible(outcome(unknown="checkpoint.blocks", tried=tried))
    for words in ("checkpoint.blocks", "5 s, 2 s it agrees", "30 s it is undecided", "60 s it differs"):
        assert words in said
    assert compatible(outcome()) == ""
    case = outcome(unknown="checkpoint.blocks", tried=tried)
    assert verdict_text(case) == "agrees with 2 of 4"
    assert verdict_text(replace(case, kind="control")) == "differs with 1 of 4"


def test_changes_are_written_as_in_a_file() -> None:
    changes = {"checkpoint.blocks": "5 s", "recovery.replicas": 12, "maintenance": None}
    assert changes_text(changes) == "checkpoint.blocks = 5 s, recovery.replicas = 12, maintenance = null"
    law = {"failures.any.lifetime": {"weibull": {"shape": 0.5}}, "checkpoint.survives": ["job", "node"]}
    said = "failures.any.lifetime = {weibull: {shape: 0.5}}, checkpoint.survives = [job, node]"
    assert changes_text(law) == said


def test_the_conclusion_counts_what_is_met_or_names_what_is_not() -> None:
    met = (
        *(outcome(), outcome(kind="band"), outcome(kind="band")),
        *(outcome(kind="control", verdict="differs"), outcome(kind="formula"), outcome(kind="formula")),
        outcome(unknown="checkpoint.blocks", tried=(Trial("5 s", ConfidenceInterval(), "agrees"),)),
    )
    said = conclusion(Validation(met, {}))
    counts = (1, "published figure "), (2, "published ranges"), (1, "control"), (2, "answers of formulas")
    for count, word in ((7, "checks pass"), *counts, (1, "met with some of the values tried")):
        assert f"{count} {word}" in said
    missed = tuple(outcome(name=f"c{number}", verdict="differs") for number in range(7))
    assert "2 of 9" in conclusion(Validation((*met, *missed[:2]), {}))
    assert "c0, c1, c2, c3, c4 and 2 more" in conclusion(Validation(missed, {}))
    assert "c0, c1, c2, c3, c4 and 1 more" in conclusion(Validation(missed[:6], {}))
    assert conclusion(Validation(missed[:5], {})) == "5 of 5 checks do not pass: c0, c1, c2, c3, c4."


def test_a_claim_that_is_not_met_says_what_would_tell() -> None:
    undecided = outcome(verdict="undecided")
    assert "--replications 32" in remedy(undecided)
    differs = remedy(replace(undecided, verdict="differs"))
    assert "simulated 0.441 ± 0.002, accepted 0.44 ± 0.005" in differs
    assert "must not agree" not in differs
    tried = (
        Trial("5 s", ConfidenceInterval(0.3), "differs"),
        Trial("9 s", ConfidenceInterval(), "undecided"),
    )
    missing = remedy(replace(undecided, verdict="differs", unknown="checkpoint.blocks", tried=tried))
    assert missing == (
        "case: checkpoint.blocks was not published: with 9 s it is undecided; with 5 s it differs,"
        " accepted 0.44 ± 0.005"
    )
    assert "must not agree" in remedy(replace(undecided, kind="control", verdict="agrees"))
