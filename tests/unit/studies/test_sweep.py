"""Sweeps: the grid, paired differences, the best points, retuned intervals, and what cannot be swept."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustersim import workers
from clustersim.experiment import run
from clustersim.scenario.describe import replication_s
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings, Silent
from clustersim.store import ChoiceError, RunError
from clustersim.studies import grid
from clustersim.studies.change import tuned_tier
from clustersim.studies.study import Simulations
from clustersim.studies.sweep import Sweep, plan, sweep
from clustersim.studies.tune import tune
from tests.unit.studies.clusters import HERE, HOUR, full, job

PRICE = "cost.per_effective_gpu_hour"
START = "recovery.stages.start"


def swept(scenario: Scenario | None = None, vary: Any = None, **more: Any) -> Sweep:
    """A sweep of restart times, in this process."""
    return sweep(scenario or job(), vary=vary or {START: "1min,5min,20min"}, settings=HERE, **more)


def test_each_point_is_what_a_run_of_its_scenario_says() -> None:
    vary = {"cluster.spares": "0,2", "failures.node.repair": "1 d,3 d"}
    found = swept(full(costs={"gpu_hour": "2 USD"}), vary)
    assert [found.grid.say(index) for index in (0, 3)] == [
        "cluster.spares = 0, failures.node.repair = 1 d",
        "cluster.spares = 2, failures.node.repair = 3 d",
    ]
    for index in range(4):
        at = {path: value.text for path, value in found.grid.at(index).items()}
        summary = run(variant(found.given, at), settings=HERE).summary
        for path in ("ettr", "spares.waiting", PRICE, "mtti_s", "ledger.lost", "spares.away.p99", "gpus"):
            mean, low, high = found.estimate(path, index)
            block: Any = summary
            for part in path.split("."):
                block = block[part]
            assert mean == pytest.approx(block["mean"] if isinstance(block, dict) else block), path
            if path in summary["margins"] and low is not None and low > 0:
                assert high - low == pytest.approx(2 * summary["margins"][path], rel=0.01)


class Told(Silent):
    """How far the whole is, each time that it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def advance(self, done: int, wanted: int) -> None:
        """Keep it."""
        self.steps.append((done, wanted))


@pytest.mark.parametrize("scenario", [job(), full()])
@pytest.mark.parametrize("retune", [False, True])
def test_progress_is_that_of_the_whole_and_comes_to_its_end(scenario: Scenario, retune: bool) -> None:
    """What all intervals are scored on is simulated once more at each of both points."""
    told = Told()
    vary = {START: "1min,5min"}
    sweep(scenario, vary=vary, retune=retune, settings=replace(HERE, progress=told))
    done, wanted = zip(*told.steps, strict=True)
    assert list(done) == sorted(done)
    assert set(wanted) == {(1 + 2 * (1 + retune)) * scenario.simulation.replications}
    assert done[-1] == wanted[0]


def test_differences_are_paired_with_the_scenario_as_it_is() -> None:
    scenario = job()
    found = swept(scenario)
    here, there = (
        run(variant(scenario, {START: value}), settings=HERE).values_of("ettr")
        for value in ("5 min", "1 min")
    )
    assert found.difference("ettr", 0)[0] == pytest.approx((there - here).mean())
    assert found.difference("ettr", 1) == (0.0, 0.0, 0.0)
    assert found.difference_words("ettr", 1) == "the same"
    width = found.difference("ettr", 0)[2] - found.difference("ettr", 0)[0]  # type: ignore[operator]
    own = found.estimate("ettr", 0)[2] - found.estimate("ettr", 0)[0]  # type: ignore[operator]
    assert width < own / 2


def test_the_difference_of_a_quantile_is_that_of_the_quantiles() -> None:
    """The mean and the tenth percentile do not move alike: longer restarts also scatter more."""
    found = swept(job(lives=20, replications=32), {START: "5min,40min"}, metrics=["ettr.p10"])
    gap, low, high = found.difference("ettr.p10", 1)
    p10 = [found.estimate("ettr.p10", index)[0] or 0.0 for index in (0, 1)]
    assert gap == pytest.approx(p10[1] - p10[0])
    assert gap != pytest.approx(found.difference("ettr", 1)[0], abs=1e-3)
    assert low is not None
    assert high is not None
    assert low < gap < high < 0
    assert found.distinguishable("ettr.p10", 1)
    assert found.difference("ettr.p10", 0) == (0.0, 0.0, 0.0)
    assert found.difference_words("ettr.p10", 0) == "the same"
    assert not found.distinguishable("gpus", 1)
    assert found.difference("ettr.p90", 1)[1] is None
    assert found.difference_words("ettr.p90", 1).endswith(" pp")


def test_the_best_is_by_what_is_better_and_alike_is_what_cannot_be_told_from_it() -> None:
    found = swept(job(costs={"gpu_hour": "2 USD"}), {START: "1min,61s,20min"}, metrics=["ettr", PRICE])
    assert found.found.best["ettr"].point == found.found.best[PRICE].point == 0
    assert found.found.best["waste_by_cause.any"].point == 0
    assert "incidents_per_day" not in found.found.best
    assert set(found.alike("ettr")) <= {0, 1}
    assert found.alike("gpus") == ()
    text = " ".join(map(str, found.advice))
    assert text.startswith(f"Best by ETTR: {START} = 1min, 0.")
    assert "against the scenario as it is" in text
    assert found.ranked(2) == [0, 1]


def test_what_is_alike_holds_at_95_percent_for_all_points_together() -> None:
    """A difference in the table holds at 95 % by itself: both would contradict each other unsaid."""
    apart = said(swept(vary={START: "1min,20min"}))
    assert "By ETTR every other point is distinguishable from it at 95 % over all points together." in apart
    alike = said(swept(vary={"simulation.seed": "2,3,4"}))
    assert "Indistinguishable from it at 95 % over all points together: simulation.seed = " in alike


def test_a_best_point_that_is_worse_than_what_there_is_now_is_no_success() -> None:
    worse = swept(vary={START: "15min,20min"})
    said = f"None of the points beats the scenario as it is by ETTR; the best of them: {START} = 15min, 0."
    assert worse.falls_short("ettr")
    assert str(worse.advice[0]).startswith(said)
    assert worse.to_dict()["advice"][0] == str(worse.advice[0])
    by_chance = swept(vary={"simulation.seed": "2,3,4"})
    assert not by_chance.falls_short("ettr")
    assert str(by_chance.advice[0]).startswith("Best by ETTR: simulation.seed = ")
    assert "(not distinguishable from the scenario as it is, 0." in str(by_chance.advice[0])
    assert not swept(vary={START: "1min,20min"}).falls_short("ettr")
    assert not worse.falls_short("ettr.mean")


def test_values_that_differ_by_chance_alone_are_alike() -> None:
    found = swept(full(), {"simulation.seed": "1,2,3,4"})
    assert len(found.alike("ettr")) == 4


def test_retuned_points_have_the_intervals_that_tune_finds_in_their_place() -> None:
    scenario = job(lives=40, interval="3 h")
    found = swept(scenario, {"checkpoint.blocks": "5 s,120 s"}, retune=True)
    kept = swept(scenario, {"checkpoint.blocks": "5 s,120 s"})
    cheap, dear = found.found.interval_s
    assert list(kept.found.interval_s) == [3 * HOUR, 3 * HOUR]
    for interval, blocks in ((cheap, "5 s"), (dear, "120 s")):
        low, high = tune(variant(scenario, {"checkpoint.blocks": blocks}), settings=HERE).range_s or (0, 0)
        assert low / 1.3 < interval < high * 1.3
    assert cheap < dear
    for index in (0, 1):
        assert found.estimate("ettr", index)[0] > kept.estimate("ettr", index)[0]  # type: ignore[operator]


def test_a_sweep_retunes_where_each_interval_has_to_be_simulated() -> None:
    tiers = {
        "near": {"interval": "5 min", "blocks": "1 s", "survives": ["job"]},
        "far": {"interval": "9 h", "blocks": "9 s"},
    }
    scenario = job(lives=10, replications=2, checkpoint={"tiers": tiers})
    found = swept(scenario, {START: "1 min,2 min"}, retune=True)
    assert tuned_tier(scenario).name == "far"
    assert all(found.found.interval_s != 9 * HOUR)


def test_scenarios_are_swept_side_by_side() -> None:
    fast = job(restart=60, name="fast", simulation={"horizon": "100 h", "replications": 3, "seed": 9})
    found = swept(job(), {"checkpoint.blocks": "10 s,20 s"}, designs=[fast])
    assert found.grid.axes[0].path == "scenario"
    assert [found.grid.at(index)["scenario"].text for index in range(4)] == ["job", "job", "fast", "fast"]
    assert found.replications == 8
    assert found.found.best["ettr"].point == 2
    assert list(found.frame["scenario"]) == ["job", "job", "fast", "fast"]
    with pytest.raises(ChoiceError, match='two designs are named "job"'):
        swept(job(), designs=[job(restart=5)])


def test_the_table_is_the_same_in_every_format(tmp_path: Path) -> None:
    found = swept(output=tmp_path)
    with (tmp_path / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    parquet = pd.read_parquet(tmp_path / "sweep.parquet")
    text = (tmp_path / "sweep.json").read_text("utf-8")
    saved = json.loads(text)
    assert " ± " in text
    assert saved == found.saved()
    pd.testing.assert_frame_equal(parquet, found.frame)
    assert [float(row[START]) for row in rows] == [60.0, 300.0, 1200.0]
    for row, point, mean in zip(rows, saved["points"], parquet["ettr"], strict=True):
        assert float(row["ettr"]) == point["metrics"]["ettr"]["mean"] == mean
        assert float(row["ettr.difference.low"] or "nan") == pytest.approx(
            point["differences"]["ettr"]["low"]
        )


def test_a_part_of_a_grid_holds_what_takes_as_long_as_a_part_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last point of a part is the one with which the time is over."""
    sizes, scenario, kept = list[int](), job(lives=2, replications=4), Simulations.condense

    def condense(self: Simulations, results: dict[int, Any], given: Scenario) -> None:
        sizes.append(len(results))
        kept(self, results, given)

    monkeypatch.setattr(Simulations, "condense", condense)
    monkeypatch.setattr(grid, "PART_S", 1.5 * 4 * replication_s(scenario))
    swept(scenario, {START: "4min,5min,6min,7min,8min"})
    assert sizes == [2, 2, 1]


def test_parts_and_workers_do_not_change_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vary = {START: "1..9 min:5"}
    sweep(job(lives=20), tmp_path / "whole", vary=vary, settings=HERE)
    monkeypatch.setattr(grid, "MOST_IN_PART", 2)
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    sweep(job(lives=20), tmp_path / "parts", vary=vary, settings=Settings(workers=2))
    for name in ("sweep.json", "sweep.csv", "sweep.parquet"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


@pytest.mark.parametrize("retune", [False, True])
def test_finished_points_are_not_simulated_again(
    retune: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "MOST_IN_PART", 1)
    question: dict[str, Any] = {"vary": {START: "1..9 min:5"}, "retune": retune, "settings": HERE}
    small = job(lives=9, replications=2)
    whole = sweep(small, **question)
    real, simulated = Simulations.condense, list[int]()

    def condense(self: Simulations, results: Any, but: Scenario) -> None:
        real(self, results, but)
        simulated.extend(results)
        if len(simulated) == 3:
            raise RunError("killed")

    monkeypatch.setattr(Simulations, "condense", condense)
    with pytest.raises(RunError, match="killed"):
        sweep(small, tmp_path / "sweep", **question)
    with (tmp_path / ".sweep.partial" / "results.dat").open("ab") as file:
        file.write(b"half a res")
    question["settings"] = Settings(workers=1, resume=True)
    found = sweep(small, tmp_path / "sweep", **question)
    assert simulated == [0, 1, 2, 3, 4]
    assert found.saved() == whole.saved()
    assert not (tmp_path / ".sweep.partial").exists()


def test_what_is_kept_does_not_grow_with_replications(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "MOST_IN_PART", 1)
    real, sizes = Simulations.condense, list[int]()

    def condense(self: Simulations, results: Any, but: Scenario) -> None:
        real(self, results, but)
        sizes.append((tmp_path / ".sweep.partial" / "finished.npy").stat().st_size)

    monkeypatch.setattr(Simulations, "condense", condense)
    sweep(job(lives=20), tmp_path / "sweep", vary={START: "1..9 min:4"}, settings=HERE)
    assert len(set(sizes)) == 1  # the scenario as it is, which every point is compared with


def test_a_plan_counts_without_simulating() -> None:
    planned = plan(job(), vary={START: "1..9 min:5", "checkpoint.blocks": "1s,2s"}, settings=HERE)
    assert (planned.to_dict()["points"], planned.replications) == (10, 8)
    assert str(planned).startswith("10 points of 8 replications each, 80 in all: about ")
    twice = plan(job(), vary={START: "1..9 min:5", "checkpoint.blocks": "1s,2s"}, retune=True, settings=HERE)
    assert twice.seconds == pytest.approx(2 * planned.seconds)


@pytest.mark.parametrize(
    ("vary", "more", "said"),
    [
        ({}, {}, "a sweep needs values to try"),
        ({"scenario": "a"}, {}, "a list of values begins with its path"),
        ({START: "0..40"}, {}, f"{START}: .* does not say how many"),
        ({START: "1 GB"}, {}, "1 of 1 point cannot be simulated; the first is recovery.stages.start = 1 GB"),
        ({"recovery.stages.strt.x": "1 s,2 s"}, {}, "2 of 2 points cannot be simulated"),
        ({START: "1s,2s"}, {"metrics": ["etr"]}, 'no metric "etr".*did you mean "ettr"'),
        ({START: "1s,2s"}, {"metrics": [PRICE]}, f"{PRICE} needs costs"),
        (
            {START: "1s..9s:1000", "checkpoint.blocks": "1s..9s:1000"},
            {},
            "^1000 x 1000 values are 1,000,000 points, .* at most 100,000",
        ),
        ({START: "1s,2s"}, {"precision": "1 pp"}, "fixed number of replications"),
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_is_simulated(
    vary: Any, more: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulations, "run", lambda *_: pytest.fail("simulated"))
    with pytest.raises(ChoiceError, match=said):
        sweep(job(), vary=vary, **more)


def test_no_checkpoint_cannot_be_retuned() -> None:
    with pytest.raises(ChoiceError, match="no interval to tune"):
        swept(job(checkpoint="none"), retune=True)


def test_sizes_are_rounded_to_whole_nodes_and_it_is_said() -> None:
    found = swept(full(), {"cluster.gpus": "64..120:3"}, metrics=["effective_gpus"])
    assert [value.text for value in found.grid.axes[0].values] == ["64", "96", "120"]
    assert "Values of cluster.gpus are rounded: 64, 96, 120." in [str(each) for each in found.advice]
    assert np.all(np.diff(found.frame["gpus"]) > 0)


def test_a_price_that_explodes_is_not_as_good_as_the_best() -> None:
    """Without spares next to nothing is effective: a quotient of next to nothing, and yet far too much."""
    costs = {"costs": {"gpu_hour": "2 USD"}, "simulation": {"horizon": "60 d", "replications": 4}}
    vary = {"cluster.spares": "0,24", "failures.node.rate": "1 / 5 node-days", "failures.node.repair": "9 d"}
    found = swept(full(**costs), vary, metrics=[PRICE])
    assert found.alike(PRICE) == [1]
    assert found.difference_words(PRICE, 0) != "not distinguishable"


def said(found: Sweep) -> str:
    return " ".join(map(str, found.advice))


def test_an_end_is_the_smallest_or_largest_value_in_whatever_order() -> None:
    long = job(interval="20 min", replications=16)
    assert f"at the end of {START} (1min): look beyond" in said(swept(long, {START: "20min,1min,60min"}))
    inside = said(swept(long, {"checkpoint.interval": "12min,1min,600min"}))
    assert "Best by ETTR: checkpoint.interval = 12min" in inside
    assert "look beyond" not in inside
    assert "look beyond" not in said(swept(long, {START: "0min,20min,60min"}))


def test_one_point_is_compared_with_no_other() -> None:
    assert "other point" not in said(swept(vary={START: "1min"}))


def test_why_no_point_is_the_best() -> None:
    to_target = job(interval="20 min", replications=4, lives=30, workload={"productive": "20 h"})
    scenario = variant(to_target, {"simulation.horizon": "30 h"})
    metrics = ["days_to_target.mean", "ettr.p10", "incidents_per_day"]
    never = [str(each) for each in swept(scenario, {START: "90min,100min"}, metrics=metrics).advice]
    assert never[0] == "Time to the target is not known at any point: see the table."
    assert "is no mean over replications" in never[1]
    assert "has no better and worse" in never[2]
    found = swept(scenario, {START: "1min,100min"}, metrics=metrics[:1])
    assert "At no other point is it known." in said(found)
