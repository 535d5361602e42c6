"""What a comparison says: what differs, which is best and by how much, and what `run` would warn of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.advice import Advice
from clustersim.arrays import Floats
from clustersim.estimate import Apart, Estimate
from clustersim.metrics.catalogue import table_of
from clustersim.results import Results
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.store import ChoiceError
from clustersim.studies.change import differing, from_to
from clustersim.studies.compare import Comparison, Difference, SizeStep, compare
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
    text = (
        "Target not reached in every replication: short. There is neither a time to it nor a cost of the run."
    )
    assert Advice(text, warning=True) in found.advice


def summaries(comparison: Comparison) -> list[Any]:
    return [run.summary for run in comparison.results]


def test_ties_are_no_best() -> None:
    found = compared(named("one"), named("two"))
    assert [(each.alike, each.other, each.gap) for each in found.best] == [(("two",), None, "")] * 2
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
    assert (data["scenarios"], data["baseline"], data["steps"]) == (summaries(found), "slow", [])
    assert data["differences"] == [found.differences[0].to_dict()]
    assert data["changed"][0]["values"][0]["path"] == "recovery.stages.start"
    gap = found.best[0].difference
    assert gap is not None
    assert data["best"][0] == {
        "metric": "days_to_target.mean",
        "name": "fast",
        "alike": [],
        "other": "slow",
        "difference": {"mean": gap.mean, "low": gap.low, "high": gap.high},
    }
    assert data["advice"][0].startswith("Best: fast.")
    found.results[0].folder = Path("runs", "first")
    assert found.saved() == {"runs": ["first", None], **data}


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


T_1, T_2 = 12.706204736, 4.302652730
"""Student's 97.5 % points of one and two degrees of freedom."""


class Known(Results):
    """A run that has the given values of any metric, and in its summary what is needed here."""

    def __init__(self, scenario: Scenario, values: Sequence[float] = (0.5,), **summary: Any) -> None:
        size = {"gpus": scenario.cluster.gpus, "nodes": 125, "spare_nodes": 0, "scaling_efficiency": 1}
        super().__init__(scenario, {"margins": {}, "replications": 1, **size, **summary}, {})
        self._values = np.array(values)

    def values_of(self, metric: str) -> Floats:
        return self._values


DRAWN: dict[str, Any] = {
    "uncertain": {"recovery.stages.start": "2 to 12 min"},
    "uncertainty": {"per_draw": 2},
    "replications": 4,
}
"""Blocks of a scenario with two replications of each draw."""


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (None, ""),
        ({"p5": 0.1234, "p95": 0.1634}, ", inputs +12.3 to +16.3 pp (90 %)"),
        ({"p5": 0.1234495, "p95": 0.1234505}, ", inputs +12.34 to +12.35 pp (90 %)"),
        ({"p5": 0.1234, "p95": 0.1234}, ", inputs make no difference"),
    ],
)
def test_what_inputs_make_of_a_difference_has_a_tenth_of_their_range_as_its_digits(
    inputs: dict[str, float] | None, text: str
) -> None:
    apart = Apart(Estimate(0.143, 0.003, 8), inputs)
    gap = Difference("b", "a", Estimate(0.143, 0.02, 4), Estimate(143, 20, 4), (apart, apart))
    assert gap.in_points == f"+14.3 pp, chance ± 0.3 pp{text}"


def test_a_difference_is_plain_data() -> None:
    gap = Difference("b", "a", Estimate(0.5, 0.25, 4), Estimate(-4, 8, 4))
    assert gap.to_dict() == {
        "name": "b",
        "baseline": "a",
        "ettr_difference": {"mean": 0.5, "low": 0.25, "high": 0.75},
        "effective_gpus_difference": {"mean": -4, "low": -12, "high": 4},
        "distinguishable": True,
    }


@pytest.mark.parametrize(
    ("other", "base", "found"),
    [
        (([0.7], False, {}), ([0.6], False, {}), (0.1, 0, 2)),
        (([0.6, 0.8], True, {}), ([0.5], False, {}), (0.2, T_1 * 0.1, 2)),
        (([0.5], False, {}), ([0.6, 0.8], True, {}), (-0.2, T_1 * 0.1, 2)),
        (([0.1, 0.3, 0.5, 0.7], True, DRAWN), ([0.0] * 4, True, {}), (0.4, T_1 * 0.2, 2)),
        (([0.0] * 4, True, {}), ([0.1, 0.3, 0.5, 0.7], True, DRAWN), (-0.4, T_1 * 0.2, 2)),
    ],
    ids=["nothing random", "the base alike in all", "the other alike in all", "draws", "draws of the base"],
)
def test_a_difference_is_over_what_is_independent_in_both(
    other: Any, base: Any, found: tuple[float, float, int]
) -> None:
    runs = [
        Known(job(name=name, **blocks), values, random=random)
        for name, (values, random, blocks) in (("base", base), ("other", other))
    ]
    (gap,) = Comparison(runs).differences
    assert (gap.ettr.mean, gap.ettr.half_width, gap.ettr.count) == pytest.approx(found)
    assert gap.effective_gpus == gap.ettr


def test_chance_is_that_of_the_replications_that_both_have() -> None:
    """Of the first two draws, which differ by 0 and 0.2, 0.4 and 0.6: each has a variance of 0.02."""
    runs = [
        Known(job(name="base", **DRAWN), [0.1] * 6),
        Known(job(name="other", **DRAWN), [0.1, 0.3, 0.5, 0.7]),
    ]
    (gap,) = Comparison(runs).differences
    assert gap.apart is not None
    chance = gap.apart[0].chance
    assert (chance.mean, chance.half_width) == pytest.approx((0.3, T_2 * (0.02 / 4) ** 0.5))


def test_a_step_goes_from_the_smaller_to_the_larger_size() -> None:
    runs = [Known(job(name=f"of {gpus}", cluster={"gpus": gpus}), [gpus / 2] * 2) for gpus in (3_000, 1_000)]
    assert Comparison(runs).steps == (SizeStep("of 1000", "of 3000", 2_000, Estimate(1_000, 0, 2)),)


def test_the_best_is_as_much_better_as_its_values_say() -> None:
    figures = {"a": [401, 399], "b": [600, 600], "c": [500, 500]}
    runs = [Known(job(name=name), values, effective_gpus=sum(values) / 2) for name, values in figures.items()]
    (best,) = Comparison(runs).best
    assert (best.name, best.other, best.alike) == ("b", "a", ())
    assert best.difference is not None
    assert (best.difference.mean, best.difference.half_width) == pytest.approx((200, T_1))
    assert best.sentence == "Most effective cards: b, 600, 200 ± 13 more than a."


TOKENS = {"tokens_per_gpu_second": 100, "target": "1 T tokens"}


@pytest.mark.parametrize(
    ("workloads", "sizes", "path"),
    [
        ((TOKENS, TOKENS), (1_000, 2_000), "days_to_target.mean"),
        ((TOKENS, TOKENS | {"target": "2 T tokens"}), (1_000, 1_000), "effective_gpus"),
        (({"productive": "9 d"}, {"productive": "9 d"}), (1_000, 1_000), "days_to_target.mean"),
        (({"productive": "9 d"}, {"productive": "9 d"}), (1_000, 2_000), "effective_gpus"),
    ],
)
def test_a_target_is_common_where_it_is_as_much_work(
    workloads: tuple[Any, Any], sizes: tuple[int, int], path: str
) -> None:
    days = {"mean": 9.0, "p50": 9.0, "p90": 9.0}
    runs = [
        Known(job(name=name, workload=work, cluster={"gpus": gpus}), effective_gpus=5.0, days_to_target=days)
        for name, work, gpus in zip("ab", workloads, sizes, strict=True)
    ]
    assert [each.criterion.path for each in Comparison(runs).best] == [path]


def test_the_baseline_is_the_first_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("clustersim.studies.compare.run_all", lambda given, *_: list(map(Known, given)))
    monkeypatch.setattr(Comparison, "save", lambda *_: None)
    pair = [job(name=name) for name in "ab"]
    assert compare(pair[:1]).baseline == compare(pair).baseline == "a"
    for output in (None, tmp_path):
        found = compare(pair, output, baseline="b")
        assert repr(found) == "<Comparison of a, b to b>"
        assert [(each.name, each.baseline) for each in found.differences] == [("a", "b")]


def test_an_unknown_baseline_is_refused_before_anything_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("clustersim.studies.compare.run_all")
    with pytest.raises(ChoiceError, match=r'no scenario is named "c"; the baseline is one of a, b$'):
        compare([job(name=name) for name in "ab"], baseline="c")


def test_pages_are_asked_of_who_writes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    pages = SimpleNamespace(
        write_report=lambda *given: asked.append(given),
        notebook_runs=lambda runs, all_of_them: f"{len(runs)} in {all_of_them}",
    )
    registered = [SimpleNamespace(load=lambda: pages)]
    monkeypatch.setattr("clustersim.report_hook.entry_points", lambda group: registered)
    found, path = Comparison([Known(job(name=name)) for name in "ab"]), tmp_path / "both.html"
    assert found._repr_html_() == "2 in <Comparison of a, b to a>"
    assert found.report(str(path), "as typed") == path
    assert asked == [(found.results, path, found, "as typed")]
