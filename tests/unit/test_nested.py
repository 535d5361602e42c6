"""Uncertain inputs in a run: chance and inputs kept apart, and every study on the same draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import clustersim
from clustersim.advice import advise, verdict
from clustersim.estimate import grouped, mean_of, student, within_draws, without_chance
from clustersim.expectations import UNDECIDED, expectations
from clustersim.experiment import Point, run
from clustersim.scenario import Scenario, ScenarioError
from clustersim.scenario.drawing import drawn
from clustersim.scenario.facts import by_draw, facts_of
from clustersim.store import ReplicationStore
from clustersim.studies.compare import compare

JOB: dict[str, Any] = {
    "name": "job",
    "cluster": {"gpus": 8},
    "failures": {"any": {"per": "job", "mtbf": "1 h", "clock": "calendar"}},
    "checkpoint": {"interval": "8 min", "blocks": "30 s"},
    "recovery": {"stages": {"detect": "0 s", "restart": "5 min"}},
    "costs": {"gpu_hour": "2 USD"},
    "simulation": {"horizon": "20 h"},
    "uncertain": {"recovery.stages.restart": "2 to 12 min", "failures.any.mtbf": "30 min to 2 h"},
    "uncertainty": {"draws": 20},
}


def job(**more: Any) -> Scenario:
    return Scenario.model_validate(JOB | more)


@pytest.fixture(scope="module")
def results() -> clustersim.Results:
    return run(job(), workers=1)


def test_the_interval_of_chance_is_that_of_the_pooled_variance() -> None:
    values = [1.0, 3.0, 10.0, 14.0, 20.0, 20.0]
    estimate = within_draws(values, 2)
    assert estimate.mean == pytest.approx(68 / 6)
    assert estimate.half_width == pytest.approx(student(3) * np.sqrt((2 + 8 + 0) / 3 / 6))
    assert within_draws(values, 1).half_width is None
    assert grouped(values, 2).tolist() == [2, 12, 20]
    assert grouped(values[:5], 2).tolist() == [2, 12]


def test_chance_is_taken_out_of_the_means_of_draws() -> None:
    rng = np.random.default_rng(3)
    inputs = stats.norm(0.5, 0.1).ppf((np.arange(400) + 0.5) / 400)
    table = inputs[:, None] + rng.normal(0, 0.2, (400, 4))
    left = without_chance(table)
    assert table.mean(axis=1).std() > 0.13
    assert left.std() == pytest.approx(0.1, rel=0.1)
    assert left.mean() == pytest.approx(table.mean())
    assert (np.argsort(left) == np.argsort(table.mean(axis=1))).all()


def test_where_chance_is_all_nothing_is_left_for_the_inputs() -> None:
    table = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.1]])
    assert np.ptp(without_chance(table)) == 0
    alike = np.full((5, 2), 0.3)
    np.testing.assert_array_equal(without_chance(alike), alike[:, 0])


def test_a_run_says_chance_and_inputs_apart(results: clustersim.Results) -> None:
    ettr = results.summary["ettr"]
    assert (ettr["draws"], ettr["per_draw"], results.summary["replications"]) == (20, 2, 40)
    values = results.values_of("ettr")
    chance = within_draws(values, 2)
    assert (ettr["chance"]["low"], ettr["chance"]["high"]) == (chance.low, chance.high)
    assert results.summary["margins"]["ettr"] == results.summary["half_width"] == chance.half_width
    overall = mean_of(grouped(values, 2))
    assert (ettr["low"], ettr["high"]) == pytest.approx((overall.low, overall.high))
    assert ettr["low"] < ettr["chance"]["low"] < ettr["mean"] < ettr["chance"]["high"] < ettr["high"]
    assert ettr["inputs"]["p5"] < ettr["inputs"]["p50"] < ettr["inputs"]["p95"]
    assert results.summary["inputs"]["ettr"] == ettr["inputs"]
    text = str(verdict(results.summary))
    assert "chance ± " in text
    assert "inputs 0." in text
    assert "(90 %)" in text


def test_inputs_of_a_quotient_are_those_of_each_draw(results: clustersim.Results) -> None:
    table = results.replications
    wall, struck = (table[name].to_numpy().reshape(20, 2).sum(axis=1) for name in ("wall_s", "interruptions"))
    inputs = results.summary["inputs"]["mtti_s"]
    of_draws = wall / struck
    assert of_draws.min() < inputs["p5"] < np.median(of_draws) < inputs["p95"] < of_draws.max()


def test_one_replication_per_draw_tells_no_chance() -> None:
    alone = run(job(uncertainty={"draws": 8, "per_draw": 1}), workers=1)
    summary = alone.summary
    assert (summary["ettr"]["chance"], summary["half_width"]) == ({"low": None, "high": None}, None)
    assert "give uncertainty.per_draw: 2" in summary["reasons"]["ettr.chance.low"]
    assert "One replication per draw tells nothing about chance" in str(advise(alone.scenario, summary)[-1])


def test_the_bytes_do_not_depend_on_workers_nor_on_what_was_finished(
    results: clustersim.Results, tmp_path: Path
) -> None:
    assert run(job(), tmp_path / "two", workers=2).summary == results.summary
    store = ReplicationStore()
    for number in (0, 3, 38):
        store.put(results._records[number])
    point = Point.of(job(), store)
    left = [number for _, numbers in point.simulated(point.missing()) for number in numbers]
    assert sorted(left) == sorted(set(range(40)) - {0, 3, 38})
    again = clustersim.Results.load(tmp_path / "two")
    np.testing.assert_array_equal(again.values_of("mtti_s"), results.values_of("mtti_s"))


def test_a_precision_bounds_the_part_of_chance() -> None:
    wide = job(simulation={"horizon": "20 h", "precision": "0.9 pp"})
    summary = run(wide, workers=1).summary
    assert summary["precision"]["met"]
    assert summary["precision"]["reached"] == summary["half_width"] <= 0.009
    assert summary["replications"] in (40, 80, 160)
    assert summary["ettr"]["high"] - summary["ettr"]["low"] > 0.02


def test_what_inputs_decide_is_undecided(results: clustersim.Results) -> None:
    middle = results.summary["ettr"]["mean"] + 2 * results.summary["half_width"]
    (found,) = expectations(job(expect={"ettr": f">= {middle:.4f}"}), results.summary)
    assert found.verdict == UNDECIDED
    assert "better known ones would tell" in found.text
    low = results.summary["ettr"]["inputs"]["p5"] - 0.02
    (found,) = expectations(job(expect={"ettr": f">= {low:.4f}"}), results.summary)
    assert found.verdict == "met"


def test_uncertain_prices_spares_and_speeds_enter_into_what_they_make() -> None:
    uncertain = {
        "costs.gpu_hour": "1 to 3 USD",
        "cluster.spares": "2 to 9",
        "workload.tokens_per_gpu_second": {"uniform": "100 to 200"},
    }
    scenario = job(workload={"tokens_per_gpu_second": 150}, uncertain=uncertain)
    columns = by_draw(scenario, 40)
    assert len(set(columns["price_per_hour"])) == 20
    assert (columns["price_per_hour"][::2] == columns["price_per_hour"][1::2]).all()
    found = run(scenario, workers=1)
    hours = found.replications["wall_s"].to_numpy() / 3600
    assert found.summary["cost"]["total"] == pytest.approx((columns["price_per_hour"] * hours).mean())
    speeds = columns["tokens_per_gpu_second"] * found.replications["ettr"].to_numpy() * 8
    assert found.summary["throughput"]["tokens_per_s"] == pytest.approx(speeds.mean())
    assert by_draw(job(), 40) == {}
    assert facts_of(scenario).given["spare_nodes"] == found.summary["spare_nodes"] == 0


def test_scenarios_with_common_inputs_are_compared_pair_by_pair() -> None:
    slower = job(name="slower", checkpoint={"interval": "30 min", "blocks": "30 s"})
    comparison = compare([job(), slower], workers=1)
    (gap,) = comparison.differences
    one, other = (result.values_of("ettr") for result in comparison.results)
    known = mean_of(grouped(other - one, 2))
    assert (gap.ettr.mean, gap.ettr.half_width) == pytest.approx((known.mean, known.half_width))
    apart = np.hypot(*(mean_of(grouped(each, 2)).half_width or 0.0 for each in (one, other)))
    assert gap.ettr.half_width < 0.6 * apart


def test_what_was_drawn_stands_beside_what_came_of_it(results: clustersim.Results, tmp_path: Path) -> None:
    table, made = results.replications, list(drawn(job(), range(20)))
    for draw, scenario in enumerate(made):
        pair = table.iloc[2 * draw : 2 * draw + 2]
        mtbf, restart = pair["failures.any.mtbf"], pair["recovery.stages.restart"]
        assert mtbf.tolist() == pytest.approx([scenario.failures["any"].mtbf] * 2, rel=1e-5)
        assert restart.tolist() == pytest.approx([scenario.recovery.stages[-1].duration.mean] * 2, rel=1e-5)
    results.save(tmp_path / "run")
    again = clustersim.Results.load(tmp_path / "run").replications
    assert again["failures.any.mtbf"].tolist() == table["failures.any.mtbf"].tolist()
    inputs = np.column_stack([np.ones(40), table["failures.any.mtbf"], table["recovery.stages.restart"]])
    _, by_mtbf, by_restart = np.linalg.lstsq(inputs, table["ettr"].to_numpy())[0]
    assert by_mtbf > 0 > by_restart


def test_a_difference_has_chance_and_inputs_apart() -> None:
    """The truth of each draw is Daly's formula, of which all draws are known."""
    twice = job(name="twice", recovery={"stages": {"detect": "0 s", "restart": "5 min", "more": "20 min"}})
    comparison = compare([job(), twice], workers=1)
    (gap,) = comparison.differences
    one, other = (result.values_of("ettr") for result in comparison.results)
    assert gap.apart is not None
    chance, inputs = gap.apart[0]
    assert chance.half_width == within_draws(other - one, 2).half_width
    known = np.quantile(without_chance((other - one).reshape(20, 2)), (0.05, 0.95))
    assert inputs is not None
    assert (inputs["p5"], inputs["p95"]) == pytest.approx(tuple(known), abs=0.01)
    assert inputs["p5"] < gap.ettr.mean - 3 * (chance.half_width or 0)
    saved = gap.to_dict()
    assert saved["ettr_difference"]["inputs"] == inputs
    assert saved["effective_gpus_difference"]["inputs"]["p50"] == pytest.approx(8 * inputs["p50"])
    assert set(saved["ettr_difference"]) == {"mean", "low", "high", "chance", "inputs"}
    assert " pp, chance ± " in str(gap.advice)
    assert " pp (90 %)" in str(gap.advice)


def test_studies_say_that_their_intervals_are_over_inputs_and_chance() -> None:
    few: dict[str, Any] = {"replications": 4, "workers": 1}
    studies = [
        clustersim.tune(job(), candidates=6, **few),
        clustersim.levers(job(), **few),
        clustersim.sweep(job(), vary={"checkpoint.blocks": "10s,60s"}, **few),
        clustersim.solve(job(), path="checkpoint.blocks", until="ettr >= 0.7", **few),
    ]
    for study in studies:
        (said,) = (str(each) for each in study.advice if str(each).startswith("Uncertain: "))
        assert said.startswith(
            "Uncertain: recovery.stages.restart, failures.any.mtbf. Each replication has its"
        )
    of_inputs = clustersim.sensitivity(job(), samples=4, **few)
    assert not any(str(each).startswith("Uncertain: ") for each in of_inputs.advice)


def test_which_is_better_may_depend_on_the_inputs() -> None:
    """Saves every 3 min are better where failures are frequent, every 30 min where they are not."""
    wide = {"failures.any.mtbf": "10 min to 20 h"}
    often, seldom = (
        job(name=name, checkpoint={"interval": name, "blocks": "30 s"}, uncertain=wide)
        for name in ("3 min", "30 min")
    )
    (gap,) = compare([often, seldom], workers=1).differences
    assert gap.is_open
    assert "Which of them is better depends on what the inputs are." in str(gap.advice)
    plain = {key: value for key, value in JOB.items() if not key.startswith("uncertain")}
    pair = [Scenario.model_validate(plain | {"name": name}) for name in ("a", "b")]
    (certain,) = compare(pair, workers=1, replications=4).differences
    assert certain.apart is None
    assert set(certain.to_dict()["ettr_difference"]) == {"mean", "low", "high"}


def test_unlike_many_replications_of_a_draw_leave_nothing_apart() -> None:
    more = job(name="more", uncertainty={"draws": 10, "per_draw": 4})
    (gap,) = compare([job(), more], workers=1).differences
    assert gap.apart is None


def test_a_lever_on_an_uncertain_input_is_pulled_in_every_draw() -> None:
    ranking = clustersim.levers(job(), replications=24, workers=1)
    half = ranking.by_name["halve any failures"].change
    assert half.values["uncertain.failures.any.mtbf"] == "1 h to 4 h"
    made = half.of(job())
    assert set(made.uncertain) == set(job().uncertain)
    assert made.uncertain["failures.any.mtbf"].quantile(0.3) == pytest.approx(
        2 * job().uncertain["failures.any.mtbf"].quantile(0.3)
    )
    assert ranking.by_name["halve restart time"].worth.ettr.mean > 0


def test_tuning_takes_a_draw_for_each_replication() -> None:
    tuning = clustersim.tune(job(), replications=12, candidates=6, workers=1)
    assert (tuning.replications, tuning.simulated) == (12, None)
    saves = job(uncertain={"checkpoint.blocks": "10 s to 2 min"})
    tuning = clustersim.tune(saves, replications=4, candidates=5, workers=1)
    assert tuning.simulated == "what a save costs is uncertain, and another in each draw"


def test_a_draw_that_makes_no_scenario_is_found_before_anything_is_simulated(tmp_path: Path) -> None:
    near_nothing = {"normal": {"mean": "1 ms", "sd": "25 ms"}}
    broken = job(uncertain={"checkpoint.blocks": near_nothing}, uncertainty={"draws": 200})
    with pytest.raises(ScenarioError, match=r"<draw \d+ of job: checkpoint.blocks="):
        run(broken, tmp_path / "run", workers=1)
    assert not (tmp_path / "run").exists()


def test_the_summary_is_plain_json(results: clustersim.Results) -> None:
    assert json.loads(json.dumps(results.summary, allow_nan=False)) == results.summary
