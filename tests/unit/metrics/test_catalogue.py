"""The contract of the catalogue: each entry is computed, named, shown and documented as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustersim.cli import show
from clustersim.engine.replication import simulate
from clustersim.estimate import grouped, mean_of, within_draws
from clustersim.expectations import expectations
from clustersim.folders import TOOL
from clustersim.metrics.catalogue import CLAIMABLE, METRICS, SECTIONS, figures_of
from clustersim.metrics.cells import at, number_at
from clustersim.metrics.metric import FAMILIES, Metric, MetricFigure, Note
from clustersim.metrics.replications import Replications, stacked
from clustersim.results import Results, summarise
from clustersim.scenario import ScenarioError, dump, loads
from clustersim.scenario.drawing import drawn as draws
from clustersim.scenario.facts import facts_of
from clustersim.scenario.model import Scenario
from clustersim.store import ChoiceError, RunError
from clustersim.validation.outcomes import simulated_text
from clustersim.validation.validate import validate
from clustersim_reports.blocks import Cell
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import ledger

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/summary.md"
UNITS = {"share", "s", "days", "cards", "nodes", "replicas", "replications", "incidents"}
UNITS |= {"interruptions", "per day", "tokens/s", "money", "factor"}
COUNT = 4
EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "cluster": {"gpus": 256, "spares": 1},
    "workload": {"tokens_per_gpu_second": 100, "productive": "4 d", "scaling_efficiency": {256: 0.9}},
    "failures": {
        "gpu": {"per": "gpu", "mtbf": "300 d", "repair": "12 h"},
        "job": {"per": "job", "mtbf": "2 d"},
        "log": {"replay": [{"time": "3 h", "node": 12, "repair": "20 h"}]},
    },
    "checkpoint": {
        "tiers": {
            "peer": {
                "interval": "2 min",
                "blocks": "1 s",
                "load": "10 s",
                "survives": ["job", "gpu", "node"],
            },
            "storage": {"interval": "1 h", "blocks": "20 s", "load": "2 min"},
        }
    },
    "recovery": {
        "stages": {"detect": "1 min", "restart": "4 min", "load": "checkpoint"},
        "replicas": 4,
        "stall": "1 min",
        "overhead": "1 %",
    },
    "costs": {"gpu_hour": "2 USD"},
    "simulation": {"precision": "5 pp"},
    "uncertain": {"recovery.stall": "30 s to 2 min"},
    "uncertainty": {"draws": COUNT // 2},
}
CERTAIN = {key: value for key, value in EVERYTHING.items() if key not in ("uncertain", "uncertainty")}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.model_validate(EVERYTHING)


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return Results.of(scenario, [simulate(drawn(scenario, number), number) for number in range(COUNT)], {})


def drawn(scenario: Scenario, number: int) -> Scenario:
    (made,) = draws(scenario, [number // 2])
    return made


def figures(scenario: Scenario) -> Iterator[MetricFigure]:
    """Yield all figures of a summary, and those that only claims are about, all modes together."""
    facts = facts_of(scenario)
    for metric in METRICS:
        yield from metric.figures(facts)


EVERY_FIGURE = list(figures(Scenario.model_validate(EVERYTHING)))


def every_metric(keep: Any) -> list[Any]:
    return [pytest.param(metric, id=metric.path) for metric in METRICS if keep(metric)]


@pytest.fixture(scope="module")
def single(scenario: Scenario, results: Results) -> list[Replications]:
    """Each replication alone, as a study keeps its row."""
    facts = facts_of(scenario)
    return [Replications.of(facts, [one]) for one in results._records]


@pytest.mark.parametrize("metric", every_metric(lambda metric: True))
def test_an_entry_says_what_it_is(metric: Metric) -> None:
    assert metric.label
    assert metric.meaning
    assert metric.unit in UNITS
    assert (f"<{metric.of}>" in metric.path) == metric.by_name
    assert not metric.of or metric.of in FAMILIES
    assert [one.path for one in METRICS].count(metric.path) == 1
    assert [one.label for one in METRICS if one.in_tables].count(metric.label) <= 1


def paths_of(value: Any, path: str = "") -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield path
    else:
        for name, inner in value.items():
            yield from paths_of(inner, f"{path}.{name}" if path else name)


def test_a_summary_holds_the_entries_and_nothing_else(scenario: Scenario, results: Results) -> None:
    summary = results.summary
    notes = [one.path for section in SECTIONS for one in section.entries if isinstance(one, Note)]
    assert all(at(summary, path) is not None or path == "title" for path in notes)
    others = (*notes, "margins", "inputs", "reasons")
    held = {
        path for path in paths_of(summary) if not f"{path}.".startswith(tuple(f"{one}." for one in others))
    }
    metrics = [one for one in figures(scenario) if one.metric.in_summary]
    assert held == {one.path for one in metrics}
    sure = [one for one in metrics if one.measure.margin]
    assert set(summary["margins"]) == {one.metric.margin or one.path for one in sure}
    assert set(summary["inputs"]) == set(summary["margins"])
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


@pytest.mark.parametrize("figure", EVERY_FIGURE, ids=lambda one: one.path)
def test_the_summary_holds_what_rows_come_to(
    figure: MetricFigure, single: list[Replications], results: Results
) -> None:
    rows = stacked([figure.row(one) for one in single])
    measure, metric = figure.measure, figure.metric
    estimate = measure.estimate(grouped(rows, 2) if measure.averages else rows)
    if metric.in_summary and metric.path != "half_width":
        held = at(results.summary, figure.path)
        assert (held is None) == (estimate is None)
        assert estimate is None or held == pytest.approx(estimate.mean, rel=1e-12)
    assert estimate is not None, "a run with everything has every figure"
    width = results.summary["margins"].get(metric.margin or figure.path)
    if metric.in_summary and measure.margin:
        assert width == pytest.approx(within_draws(measure.values(rows), 2).half_width, rel=1e-9)


@pytest.mark.parametrize(
    "figure", [one for one in EVERY_FIGURE if one.measure.margin], ids=lambda one: one.path
)
def test_the_values_of_a_mean_have_its_interval(figure: MetricFigure, single: list[Replications]) -> None:
    rows = stacked([figure.row(one) for one in single])
    estimate, values = figure.measure.estimate(rows), mean_of(figure.measure.values(rows))
    assert estimate is not None
    assert (values.mean, values.half_width) == (
        pytest.approx(estimate.mean, rel=1e-12),
        pytest.approx(estimate.half_width, rel=1e-9, abs=1e-15),
    )
    nothing = figure.measure.difference(rows, rows)
    assert nothing is not None
    assert (nothing.mean, nothing.half_width) == (0.0, 0.0)


@pytest.fixture(scope="module")
def loaded(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results as their run folder holds them."""
    path = tmp_path_factory.mktemp("runs") / "everything"
    Results(results.scenario, results.summary, {"tool": TOOL}, records=results._records).save(path)
    return Results.load(path)


NOT_IN_THE_TABLE = (
    "waste_by_cause",
    "recovery_stages",
    "incidents_by_mode",
    "spares.away.p",
    "spares.sufficient",
    "spares.short",
    "tiers.peer.loads",
    "tiers.storage.loads",
    "replicas.peer_loads",
)


@pytest.mark.parametrize("path", figures_of(facts_of(Scenario.model_validate(EVERYTHING))))
def test_a_run_folder_gives_the_same_values_or_says_that_it_does_not_hold_them(
    path: str, results: Results, loaded: Results
) -> None:
    if path.startswith(NOT_IN_THE_TABLE):
        with pytest.raises(RunError, match=f"does not hold {path} by replication"):
            loaded.values_of(path)
    else:
        np.testing.assert_array_equal(loaded.values_of(path), results.values_of(path))


def test_a_run_without_a_price_has_no_cost(scenario: Scenario, results: Results) -> None:
    free = Scenario.model_validate({key: value for key, value in EVERYTHING.items() if key != "costs"})
    found = Results.of(free, results._records, {})
    assert not {"cost", "currency"} & set(found.summary)
    with pytest.raises(ChoiceError, match=r'no metric "cost\.total"'):
        found.values_of("cost.total")
    with pytest.raises(ChoiceError, match='no metric "etr"'):
        found.values_of("etr")


def test_what_may_be_expected_is_held_against_the_summary(scenario: Scenario, results: Results) -> None:
    values = {path: number_at(results.summary, path) for path in figures_of(facts_of(scenario))}
    assert None not in values.values()
    for positive, zero, holds in ((">=", ">=", True), ("<", "<=", False)):
        expect = {path: f"{positive if value else zero} {value!r}" for path, value in values.items()}
        asked = loads(f"{dump(scenario)}\nexpect: {json.dumps(expect)}\n")
        found = [each.holds for each in expectations(asked, results.summary)]
        wanted = {path: holds or not value for path, value in values.items()}
        assert dict(zip(values, found, strict=True)) == wanted


@pytest.mark.parametrize("metric", every_metric(lambda metric: not metric.in_summary))
def test_what_stands_in_no_summary_may_not_be_expected(metric: Metric, scenario: Scenario) -> None:
    with pytest.raises(ScenarioError, match="no such metric"):
        loads(dump(scenario) + f'\nexpect: {{{json.dumps(metric.path)}: ">= 0"}}\n')


def test_claims_may_be_about_every_metric_with_an_interval(scenario: Scenario) -> None:
    names = facts_of(scenario).names
    asked = {word: word if not one.of else {word: names[one.of][0]} for word, one in CLAIMABLE.items()}
    claims = {
        f"claim {place}": {
            "says": word,
            "kind": "band",
            "figure": figure,
            "at_least": "0 s" if unit == "s" else 0,
        }
        for place, (word, figure) in enumerate(asked.items())
        for unit in [CLAIMABLE[word].unit]
    }
    block = {"source": "nowhere", "claims": claims}
    simulation = {"simulation": {"replications": COUNT}}
    certain = Scenario.model_validate(CERTAIN)
    summary = summarise(certain, [simulate(certain, number) for number in range(COUNT)])
    case = Scenario.model_validate(CERTAIN | simulation | {"published": block})
    found = {one.says: one for one in validate(case, workers=1).cases}
    assert set(found) == set(CLAIMABLE)
    for word, outcome in found.items():
        metric, simulated = CLAIMABLE[word], outcome.simulated
        assert (outcome.meaning, outcome.unit) == (metric.meaning, metric.unit)
        assert simulated.low is not None
        assert simulated_text(outcome)
        if metric.in_summary:
            path = MetricFigure(metric, outcome.of or "").path
            assert simulated.mean == pytest.approx(at(summary, path), rel=1e-12), word


def test_a_claim_needs_what_its_metric_needs(scenario: Scenario) -> None:
    free = {key: value for key, value in EVERYTHING.items() if key != "costs"}
    claim = {"says": "cheap", "kind": "band", "figure": "cost.total", "at_most": 1}
    text = (
        dump(Scenario.model_validate(free))
        + "\npublished: "
        + json.dumps({"source": "nowhere", "claims": {"cheap": claim}})
    )
    with pytest.raises(ScenarioError, match="this metric needs costs; give it"):
        loads(text)


@pytest.mark.parametrize("metric", every_metric(lambda metric: metric.in_tables))
def test_terminal_and_report_show_it_alike(metric: Metric, results: Results) -> None:
    name, cell = metric.heading or metric.label, metric.cell(results.summary)
    (row,) = [row for row in ledger.measures(Runs([Run("r", results)])) if row.head.text == name]
    assert (row.head.small, *row.cells) == (metric.meaning, Cell(*cell))
    (shown,) = [text for label, text in show._metrics(results.summary) if label.strip() == name]
    assert cell.text in shown
    assert cell.small in shown


@pytest.mark.parametrize("metric", every_metric(lambda metric: True))
def test_the_documentation_lists_it(metric: Metric) -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text("utf-8").splitlines()]
    (row,) = [row for row in rows if row and row[0].strip() == f"`{metric.path}`"]
    label, unit, meaning, expect, claim = (cell.strip() for cell in row[1:])
    assert (label, unit) == (metric.label, metric.unit)
    assert meaning.startswith(metric.meaning)
    assert (expect == "yes") == metric.in_summary
    assert all(name in claim for name in metric.names) == metric.claimable
