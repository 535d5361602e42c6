"""What a comparison says: what differs, which is best and by how much, and what `run` would warn of."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.advice import Advice
from clustersim.estimate import Estimate
from clustersim.metrics.catalogue import table_of
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.studies.change import differing, from_to
from clustersim.studies.compare import Comparison, SizeStep, compare
from tests.unit.studies.clusters import job

HERE = Settings(workers=1)
PRICED = {"costs": {"gpu_hour": "2 USD"}, "workload": {"productive": "40 h"}}


def named(name: str, **blocks: Any) -> Scenario:
    given = {"lives": 100, "replications": 8, **PRICED} | blocks
    return Scenario.model_validate(job(**given).document | {"name": name})


def compared(*scenarios: Scenario) -> Comparison:
    return compare(scenarios, settings=HERE)


def said(comparison: Comparison) -> str:
    return " ".join(map(str, comparison.advice))


def test_what_differs_is_told_from_to() -> None:
    before = {
        "name": "a",
        "cluster": {"gpus": 10_000},
        "failures": {"x": {"rate": 1}, "z": {"mtbf": "3_750 h"}},
        "expect": {"ettr": ">= 0.9"},
    }
    modes = {"y": {"mtbf": "3 d"}, "z": {"mtbf": "1.5 y"}}
    after = {"name": "b", "cluster": {"gpus": 16, "spares": "2 %"}, "failures": modes}
    texts = {each.path: each.texts for each in differing(before, after)}
    assert texts == {
        "cluster.gpus": ("10,000", "16"),
        "cluster.spares": ("not given", "2 %"),
        "failures.x": ("{rate: 1}", "not given"),
        "failures.y": ("not given", "{mtbf: 3 d}"),
        "failures.z.mtbf": ("3,750 h", "1.5 y"),
    }
    assert list(differing(before, before | {"title": "other words", "about": "more"})) == []


def test_a_change_is_told_from_to() -> None:
    given = {"checkpoint": {"blocks": "5 s", "load": {"mean": 3}}}
    values = {"checkpoint.blocks": "1 s", "checkpoint.load": None, "cluster.spares": [4, "2 %"]}
    assert from_to(given, values) == (
        "checkpoint.blocks: 5 s -> 1 s; checkpoint.load: {mean: 3} -> not given;"
        " cluster.spares: not given -> [4, 2 %]"
    )


def test_the_best_is_named_with_its_days_and_its_money() -> None:
    found = compared(named("slow"), named("fast", restart=60), named("other", restart=200))
    (fast, other) = found.changed
    assert found.to_dict()["changed"][0] == {
        "name": "fast",
        "baseline": "slow",
        "values": [{"path": "recovery.stages.start", "from": "300 s", "to": "60 s"}],
    }
    assert (fast.name, other.name, found.baseline) == ("fast", "other", "slow")
    days, cost = found.best
    means = [run.summary["days_to_target"]["mean"] for run in found.results]
    assert (days.name, cost.name, days.other, cost.other) == ("fast", "fast", "slow", "slow")
    assert days.difference is not None
    assert cost.difference is not None
    assert days.difference.mean == pytest.approx(means[0] - means[1])
    assert cost.difference.mean == pytest.approx(2 * 1000 * 24 * (means[0] - means[1]))
    assert said(found).startswith("Best: fast. First to the target: ")
    assert "days sooner than slow. Cheapest to the target: " in said(found)
    assert "±" in days.gap
    assert "USD less than slow." in said(found)


def test_an_unfinished_run_is_not_the_cheapest() -> None:
    short = {"horizon": "30 h", "replications": 8}
    unfinished = Scenario.model_validate(named("short").document | {"simulation": short})
    found = compared(named("slow"), unfinished, named("fast", restart=60))
    rows = {metric.path: [cell.text for cell in cells] for metric, cells in table_of(summaries(found))}
    assert rows["cost.total"][1] == "—"
    assert rows["cost.lost"][1].endswith(" in 1.25 d")
    assert found.results[1].summary["cost"]["total"] < found.results[2].summary["cost"]["total"]
    assert {each.name for each in found.best} == {"fast"}
    assert "Best of those that reach the target: fast." in said(found)
    assert "Target not reached in every replication: short." in said(found)


def summaries(comparison: Comparison) -> list[Any]:
    return [run.summary for run in comparison.results]


def test_ties_are_no_best() -> None:
    found = compared(named("one"), named("two"))
    assert [each.alike for each in found.best] == [("two",), ("two",)]
    assert "Best" not in said(found)
    assert "not distinguishable from it: two" in said(found)


def test_without_a_common_target_cards_and_their_price_decide() -> None:
    open_ended = {"costs": {"gpu_hour": "2 USD"}, "workload": {}}
    found = compared(named("slow", **open_ended), named("fast", restart=60, **open_ended))
    assert [each.criterion.path for each in found.best] == ["effective_gpus", "cost.per_effective_gpu_hour"]
    assert said(found).startswith("Best: fast. Most effective cards: ")
    euros = named("euros", restart=60, workload={}, costs={"gpu_hour": "2 EUR"})
    assert [each.criterion.path for each in compared(found.results[0].scenario, euros).best] == [
        "effective_gpus"
    ]


def test_one_replication_does_not_tell_how_sure_the_best_is() -> None:
    one = Settings(workers=1, replications=1)
    found = compare([named("slow"), named("fast", restart=60)], settings=one)
    assert "in one replication, which does not tell how sure that is" in said(found)
    assert "Best" not in said(found)


def test_what_run_warns_of_is_said_with_the_scenarios_of_which_it_holds() -> None:
    few = {"replications": 2, "lives": 3, "workload": {}}
    warnings = [str(each) for each in compared(named("a", **few), named("b", restart=60, **few)).warnings]
    assert any(text.startswith("a, b: Only 2 replications") for text in warnings)
    assert all(text.startswith(("a: ", "b: ", "a, b: ")) for text in warnings)


def test_a_warning_names_its_scenario_once() -> None:
    stuck = compared(named("stuck", mtbf=60, restart=6000), named("fine"))
    assert any(str(each).startswith("stuck: makes no progress") for each in stuck.warnings)
    assert not any("stuck: stuck" in str(each) for each in stuck.warnings)


def test_all_of_it_is_plain_data() -> None:
    found = compared(named("slow"), named("fast", restart=60))
    data = found.to_dict()
    assert data["changed"][0]["values"][0]["path"] == "recovery.stages.start"
    assert data["best"][0] | {"difference": None} == {
        "metric": "days_to_target.mean",
        "name": "fast",
        "alike": [],
        "other": "slow",
        "difference": None,
    }
    assert data["advice"][0].startswith("Best: fast.")
    assert found.saved() == {"runs": [None, None], **data}


@pytest.mark.parametrize(
    ("mean", "width", "text"),
    [
        (4.0, 1.0, "add 4.0 ± 1.0 effective cards, 0.50 each"),
        (4.0, None, "add 4.0 effective cards, 0.50 each"),
        (0.5, 1.0, "make no distinguishable difference"),
        (-0.5, 1.0, "make no distinguishable difference"),
        (-4.0, 1.0, "cost 4.0 ± 1.0 effective cards"),
        (-4.0, None, "cost 4.0 effective cards"),
    ],
)
def test_a_step_in_size_says_what_its_cards_return(mean: float, width: float | None, text: str) -> None:
    step = SizeStep("small", "large", 8, Estimate(mean, width, 4))
    assert step.advice == Advice(f"From small to large the extra 8 cards {text}.", text.startswith("cost"))
    ends = [None if width is None else mean + sign * width for sign in (-1, 1)]
    each = [None if end is None else end / 8 for end in ends]
    assert step.to_dict() == {
        "smaller": "small",
        "larger": "large",
        "extra_gpus": 8,
        "extra_effective_gpus": dict(zip(("mean", "low", "high"), (mean, *ends), strict=True)),
        "marginal_return": dict(zip(("mean", "low", "high"), (mean / 8, *each), strict=True)),
    }


def test_what_does_not_reach_its_own_target_may_be_best_by_the_hour() -> None:
    small = job(name="small", lives=40, workload={"productive": "20 h"})
    large = job(name="large", lives=40, workload={"productive": "60 h"}, cluster={"gpus": 8_000})
    found = compared(small, large)
    assert found.results[1].summary["target_reached"] < 1
    assert said(found).startswith("Best: large. Most effective cards: ")
