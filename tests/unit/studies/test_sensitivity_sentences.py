"""What a sensitivity study says of results that are given: sentences, tables, the numbers in the file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval, Estimate, mean_of, paired
from clustersim.formatting import NOTHING
from clustersim.scenario.keys.uncertain import around
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Part
from clustersim.studies.figures import ScenarioFigures
from clustersim.studies.indices import ElementaryEffect, Indices, SobolIndex, Variance
from clustersim.studies.inputs import InputModel, Swing
from clustersim.studies.sensitivity import (
    InputRange,
    SensitivityStudy,
    in_share,
    points_of,
    rows_of,
    sensitivity,
    tornado_rows,
)
from clustersim.studies.study import ALIKE, Simulations, Worth, simulations
from tests.unit.studies.clusters import HERE, HOUR, job

START, SAVES, MTBF = "recovery.stages.start", "checkpoint.blocks", "failures.any.mtbf"
RANGES = {START: "2 to 30 min", SAVES: "20 to 40 s", MTBF: "30 min to 2 h"}
GIVEN = job(uncertain=RANGES, costs={"gpu_hour": "2 USD"})
AHEAD = Estimate(0.5, 0.1, 32)
RANGED = [InputRange(path, each) for path, each in GIVEN.uncertain.items()]


def index(path: str, total: float, told: bool = True) -> SobolIndex:
    return SobolIndex(path, Estimate(total / 2, 0.05, 32), Estimate(total, 0.1, 32), told)


def swing(path: str, gap: float) -> Swing:
    """From an ETTR of 0.8 by a *gap* that is known to within 0.01."""
    low, high, apart = (ConfidenceInterval(mean, mean - 0.01, mean + 0.01) for mean in (0.8, 0.8 + gap, gap))
    gain = Estimate(gap, 0.01, 8)
    return Swing(path, low, high, apart, Worth(gain, gain.scaled(1000), None))


def study(
    indices: Sequence[SobolIndex] = (index(START, 0.7), index(SAVES, 0.2, False)),
    ahead: Estimate | None = AHEAD,
    screening: Sequence[ElementaryEffect] = (),
    metric: str = "ettr",
    **more: Any,
) -> SensitivityStudy:
    variance = more.pop("variance", Variance(0.02, 0.0196, 0.0004))
    found = Indices(screening, indices, ahead, variance, 128)
    swings = more.pop("tornado", [swing(START, -0.2), swing(SAVES, -0.005)])
    shown = ScenarioFigures(job(), [metric]).figures[metric].metric
    known = {"ranges": RANGED, "found": found, "tornado": swings, "per_point": 2} | more
    return SensitivityStudy(GIVEN, GIVEN, 8, **known, metric=metric, shown=shown)


def said(found: SensitivityStudy) -> list[str]:
    return [str(advice) for advice in found.advice]


OF_START = (
    f"{START} from 2 min to 30 min: ETTR 0.800 ± 0.010 to 0.600 ± 0.010, −200 ± 10 effective cards, the other"
    " inputs as stated."
)
OF_SAVES = (
    f"{SAVES} from 20 s to 40 s: ETTR 0.800 ± 0.010 to 0.795 ± 0.010, −5 ± 10 effective cards, the other"
    " inputs as stated."
)
UNSURE = Estimate(0.05, 0.1, 32)


@pytest.mark.parametrize(
    ("more", "first", "sentences"),
    [
        (
            {},
            START,
            [
                f"Measure {START} before you measure anything else: it has a part in 70 % (60 % to 80 %) of"
                " the variance that the inputs give ETTR.",
                OF_START,
            ],
        ),
        (
            {"indices": [index(START, 0.5), index(SAVES, 0.45)], "ahead": UNSURE},
            None,
            [
                f"Measure {START} or {SAVES} first: which of the two matters more is not distinguishable.",
                OF_START,
                OF_SAVES,
            ],
        ),
        (
            {"ahead": UNSURE},
            None,
            [
                f"Measure {START} first; how far it is ahead of the others is not distinguishable.",
                OF_START,
            ],
        ),
        (
            {"indices": [index(START, 0.1, False)], "ahead": None},
            None,
            [
                "Too few samples to say what to measure first: no input's share of the variance is"
                " distinguishable from 0.",
                OF_START,
            ],
        ),
        (
            {"indices": [index(START, 0.1, False)], "ahead": None, "tornado": [swing(START, 0.001)]},
            None,
            ["Nothing that was varied makes a distinguishable difference to ETTR."],
        ),
        (
            {"indices": [], "ahead": None, "tornado": [swing(START, -0.2), swing(SAVES, -0.1)]},
            None,
            [
                "Too few samples to say what to measure first: no input's share of the variance is"
                " distinguishable from 0.",
                OF_START,
            ],
        ),
        (
            {"indices": [index(START, 0.4), index(SAVES, 0.35), index(MTBF, 0.3)], "ahead": UNSURE},
            None,
            [
                f"Measure {START} or {SAVES} first: which of the two matters more is not distinguishable.",
                OF_START,
                OF_SAVES,
            ],
        ),
    ],
)
def test_what_to_measure_first_is_what_is_told_from_the_others(
    more: dict[str, Any], first: str | None, sentences: list[str]
) -> None:
    found = study(**more)
    assert found.first == first
    assert said(found) == sentences


@pytest.mark.parametrize(("chance", "told"), [(0.00099, False), (0.001, True), (0.01, True)])
def test_chance_is_told_from_a_twentieth_of_the_variance_on(chance: float, told: bool) -> None:
    found = study(variance=Variance(0.02, 0.02 - chance, chance))
    share = f"{round(100 * chance / 0.02)} %"
    text = f"Chance makes up {share} of the variance of one run of this length; no better data reduce it."
    assert said(found)[2:] == ([text] if told else [])
    assert said(study(variance=Variance(0.0, 0.0, 0.0)))[2:] == []
    p10 = study(variance=Variance(0.02, 0.01, 0.01), metric="ettr.p10")
    assert "50 % of the variance of ETTR, P10 of 16 runs; no better data reduce it." in said(p10)[-1]


def test_what_screening_left_out_is_told_by_what_it_does() -> None:
    """Of the largest effect a twentieth, or less, is next to none."""
    effects = (START, 1.0, True), (SAVES, 0.06, False), (MTBF, 0.05, False)
    found = study(screening=[ElementaryEffect(path, size, 0.1, kept) for path, size, kept in effects])
    assert said(found)[2:] == [
        f"Left out after screening, as no more than 8 inputs are kept; they do make a difference: {SAVES}.",
        f"Hardly a difference, and left out after screening: {MTBF}.",
    ]
    many = [ElementaryEffect(f"x{number}", 0.0, 0.0, False) for number in range(9)]
    assert said(study(screening=many[:8]))[2].endswith(": x0, x1, x2, x3, x4, x5, x6, x7.")
    assert said(study(screening=many))[2].endswith(": x0, x1, x2, x3, x4, x5, x6, x7, ...")


@pytest.mark.parametrize(
    ("count", "text"), [(1, "The range of 1 input is assumed:"), (2, "The ranges of 2 inputs are assumed:")]
)
def test_what_was_assumed_is_warned_of(count: int, text: str) -> None:
    assumed = [replace(each, input=around("5 min", 0.3)) for each in RANGED[:count]]
    found = study(ranges=[*assumed, *RANGED[count:]])
    (warning,) = (each for each in found.advice if each.warning)
    assert str(warning) == (
        f"{text} within 30 % of what is stated, in 90 % of the cases. Say under uncertain what is really"
        " known of them; the order depends on it."
    )


def test_tables_hold_what_was_found() -> None:
    found = study()
    assert points_of(found) == "128 points, 2 replications at each, the same ones at all."
    assert rows_of(found) == [
        [START, "2 min to 30 min", "35 % (30 % to 40 %)", "70 % (60 % to 80 %)", "yes"],
        [SAVES, "20 s to 40 s", "10 % (5 % to 15 %)", "20 % (10 % to 30 %)", "no"],
    ]
    assert tornado_rows(found) == (
        ["", "ETTR at 5 %", "at 95 %", "Gain in ETTR", "Effective cards"],
        [
            [START, "0.800 ± 0.010", "0.600 ± 0.010", "−20.0 ± 1.0 pp", "−200 ± 10"],
            [SAVES, "0.800 ± 0.010", "0.795 ± 0.010", ALIKE, NOTHING],
        ],
    )
    p10 = study(metric="ettr.p10")
    assert points_of(p10) == "128 points, 32 replications in 2 groups at each, the same ones at all."
    assert tornado_rows(p10) == (
        ["", "ETTR, P10 at 5 %", "at 95 %", "Difference"],
        [
            [START, "0.800 ± 0.010", "0.600 ± 0.010", "−20.0 ± 1.0 pp"],
            [SAVES, "0.800 ± 0.010", "0.795 ± 0.010", ALIKE],
        ],
    )
    assert tornado_rows(study(tornado=[])) == (["", "ETTR at 5 %", "at 95 %"], [])
    assert in_share(Estimate(1.05, 0.1, 32)) == "100 % (95 % to 100 %)"
    assert in_share(Estimate(-0.05, None, 32)) == "0 %"


def test_the_file_has_all_that_was_found() -> None:
    found = study(screening=[ElementaryEffect(START, 1.0, 0.1, True)])
    body = found.body()
    assert body["ranges"][0] == {
        "path": START,
        "low": {"text": "2 min", "si": pytest.approx(120.0)},
        "high": {"text": "30 min", "si": pytest.approx(1800.0)},
        "law": "lognormal",
        "assumed": False,
    }
    assert [each["path"] for each in body["ranges"]] == list(RANGES)
    assert body["tornado"][0] == {
        "path": START,
        "at_low": pytest.approx({"mean": 0.8, "low": 0.79, "high": 0.81}),
        "at_high": pytest.approx({"mean": 0.6, "low": 0.59, "high": 0.61}),
        "difference": pytest.approx({"mean": -0.2, "low": -0.21, "high": -0.19}),
        "distinguishable": True,
        "effective_gpus": pytest.approx({"mean": -200.0, "low": -210.0, "high": -190.0}),
        "money": None,
    }
    assert body["indices"][1] == {
        "path": SAVES,
        "first": pytest.approx({"mean": 0.1, "low": 0.05, "high": 0.15}),
        "total": pytest.approx({"mean": 0.2, "low": 0.1, "high": 0.3}),
        "distinguishable": False,
    }
    alone = {key: body[key] for key in body if key not in ("ranges", "indices", "tornado")}
    assert alone == {
        "metric": "ettr",
        "screening": [{"path": START, "mu_star": 1.0, "sigma": 0.1, "kept": True}],
        "variance": {"total": 0.02, "inputs": 0.0196, "chance": 0.0004},
        "per_point": 2,
        "evaluations": 128,
        "sentence": found.sentence,
    }


def test_the_indices_are_a_table_too(tmp_path: Path) -> None:
    study().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sensitivity.csv", "sensitivity.json"]
    table = list(csv.DictReader((tmp_path / "sensitivity.csv").read_text("utf-8").splitlines()))
    assert [(row["path"], row["total.mean"], row["distinguishable"]) for row in table] == [
        (START, "0.7", "True"),
        (SAVES, "0.2", "False"),
    ]
    assert next(iter(table[0])) == "path"


@pytest.mark.parametrize("metric", ["ettr", "ettr.p10"])
def test_swings_are_what_is_simulated_at_both_ends_the_widest_first(metric: str) -> None:
    given = job(lives=10, replications=4, costs={"gpu_hour": "2 USD"})
    model = InputModel(given, GIVEN.uncertain, Simulations(HERE), 2, metric)
    found = {each.path: each for each in model.swings([SAVES, START], 4)}
    assert list(found) == [START, SAVES]
    for path, ends in ((START, ("2 min", "30 min")), (SAVES, ("20 s", "40 s"))):
        made = [variant(given, {path: end}) for end in ends]
        low, high = (np.array([simulate(each, n).ettr for n in range(4)]) for each in made)
        one = found[path]
        if metric == "ettr":
            apart = paired(high, low).interval
            at_ends = [mean_of(low).interval, mean_of(high).interval]
            assert [one.at_low, one.at_high, one.difference] == [
                pytest.approx(each) for each in (*at_ends, apart)
            ]
        else:
            p10 = [np.quantile(each, 0.1) for each in (low, high)]
            assert [one.at_low.mean, one.at_high.mean] == pytest.approx(p10)
            assert one.difference.mean == pytest.approx(p10[1] - p10[0])
        assert one.worth.ettr.mean == pytest.approx((high - low).mean())
        assert one.worth.money is not None
        assert one.worth.money.mean == pytest.approx(2 * 1000 * 10 * (high - low).mean())


@pytest.mark.parametrize(
    ("metric", "order"), [("ettr", [SAVES, START, MTBF]), ("ettr.p10", [MTBF, START, SAVES])]
)
def test_swings_are_in_the_order_of_the_metric_in_question(
    metric: str, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them moves ETTR most, and its tenth percentile not at all."""
    ends = {SAVES: (0.3, 0.0), START: (0.2, 0.1), MTBF: (0.1, 0.2)}

    def rows(made: Sequence[Scenario], count: int, running: Simulations, only: Sequence[str]) -> list[Any]:
        found = []
        for gap in [part for pair in ends.values() for part in ((0.0, 0.0), pair)]:
            ettr, p10 = (np.full((count, 1), 0.5 + each) for each in gap)
            found.append({"ettr.p10": p10, "ettr": ettr})
        return [(ScenarioFigures(each, only), one) for each, one in zip(made, found, strict=True)]

    monkeypatch.setattr("clustersim.studies.inputs.simulated", rows)
    model = InputModel(GIVEN, GIVEN.uncertain, Simulations(HERE), 2, metric)
    assert [each.path for each in model.swings(list(ends), 4)] == order


class AskedError(Exception):
    """What a model is made of, instead of one."""


def asked(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> tuple[Scenario, dict[str, Any]]:
    """The scenario and the inputs that are simulated, without simulating them."""

    def model(*given: Any) -> None:
        raise AskedError(*given)

    monkeypatch.setattr("clustersim.studies.sensitivity.InputModel", model)
    with pytest.raises(AskedError) as stop:
        sensitivity(scenario, **{"settings": HERE} | more)
    return stop.value.args[0], stop.value.args[1]


def test_what_is_decided_is_not_assumed_to_be_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what is uncertain already, which is certain in the scenario that is simulated."""
    more = {"maintenance": {"every": "1 d", "takes": "20 min"}, "costs": {"gpu_hour": "2 USD"}}
    given = job(interval="20 min", cluster={"gpus": 1_000, "spares": 40}, **more)
    fixed, inputs = asked(given, monkeypatch)
    assumed = {MTBF, SAVES, START, "maintenance.takes", "cluster.spares"}
    assert set(inputs) == assumed
    assert all(each.assumed for each in inputs.values())
    assert str(inputs[START].value(0.05)) == "3 min 30 s"
    assert fixed == given
    said = variant(given, {"uncertain": {START: "2 to 30 min"}})
    certain, only = asked(said, monkeypatch)
    assert (list(only), certain.uncertain, only[START].assumed) == ([START], {}, False)
    _, wider = asked(said, monkeypatch, range_="50 %")
    assert set(wider) == assumed
    assert str(wider[MTBF].value(0.05)) == "30 min"
    assert not wider[START].assumed
    assert str(asked(said, monkeypatch, settings=replace(HERE, seed=7))[0].simulation.seed) == "7"


@pytest.mark.parametrize(
    ("mode", "uncertain"),
    [
        ({"mtbf": "1 h"}, {"failures.any.rate": "12 to 48 / day"}),
        ({"rate": "24 / day"}, {"failures.any.mtbf": {"counted": "120 in 5 days"}}),
    ],
)
def test_a_rate_that_is_uncertain_is_not_assumed_to_be_so_once_more_as_an_mtbf(
    mode: dict[str, Any], uncertain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = job(failures={"any": {"per": "job"} | mode}, uncertain=uncertain)
    _, inputs = asked(given, monkeypatch, range_="30 %")
    assert set(inputs) == {*uncertain, SAVES, START}


@pytest.mark.parametrize("tiers", [False, True])
@pytest.mark.parametrize("interval", ["1 h", {"adaptive": {"window": "1 d"}}])
def test_an_interval_is_decided_also_that_of_a_tier_or_one_that_follows_the_failures(
    tiers: bool, interval: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = {"interval": interval, "blocks": "30 s"}
    _, inputs = asked(job(checkpoint={"tiers": {"disk": saves}} if tiers else saves), monkeypatch)
    assert set(inputs) == {MTBF, START, "checkpoint.tiers.disk.blocks" if tiers else SAVES}


def test_crews_and_when_a_node_retires_are_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    node = {"per": "node", "mtbf": "90 d", "repair": {"constant": "4 h", "crews": 2}}
    retire = {"after": 3, "within": "30 d", "replacement": "5 d"}
    stages = {"start": "3 min"}
    given = job(failures={"node": node}, recovery={"stages": stages, "retire": retire})
    _, inputs = asked(given, monkeypatch)
    assert {path for path in inputs if "retire" in path or "repair" in path} == {
        "failures.node.repair.constant",
        "recovery.retire.replacement",
    }


def test_what_is_simulated_is_certain_and_ends_by_the_clock_where_ettr_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The days to a target are those of runs until it is reached; both are simulated 16 times."""
    given = job(workload={"productive": "40 h"}, simulation={"horizon": "100 h"})
    for metric, target in (("ettr", None), ("ettr.mean", None), ("days_to_target", 40 * HOUR)):
        fixed, _ = asked(given, monkeypatch, metric=metric)
        assert (fixed.target_s, fixed.simulation.replications) == (target, 16)
    drawn = variant(given, {"uncertain": {START: "2 to 30 min"}, "uncertainty": {"per_draw": 4}})
    fixed, _ = asked(drawn, monkeypatch)
    assert not {"uncertain", "uncertainty"} & set(fixed.document)


@pytest.mark.parametrize(("metric", "values"), [("ettr", [0.0, 1.0]), ("ettr.p10", [1.5, 17.5])])
def test_a_point_has_a_value_for_each_replication_or_each_group_of_16(
    metric: str, values: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 0, 1, ..., 15 the tenth percentile is 1.5.  What screens the inputs is known to every shard.

    A point of medians has those of the ranges, which are their geometric means, in all inputs.
    """
    shards, count = [], 2 if metric == "ettr" else 32

    def rows(made: Sequence[Scenario], asked: int, running: Simulations, only: Sequence[str]) -> list[Any]:
        assert asked == count
        (point,) = made
        assert [mode.mtbf for mode in point.failures.values()] == pytest.approx([HOUR])
        assert point.tiers[0].blocks == pytest.approx(math.sqrt(20 * 40), rel=1e-4)
        assert point.recovery.stages[-1].duration.mean == pytest.approx(60 * math.sqrt(2 * 30), rel=1e-4)
        shards.append(running.part)
        return [(ScenarioFigures(each, only), {metric: np.arange(float(count))[:, None]}) for each in made]

    monkeypatch.setattr("clustersim.studies.inputs.simulated", rows)
    part = Part(1, 2)
    model = InputModel(GIVEN, GIVEN.uncertain, Simulations(replace(HERE, part=part)), 2, metric)
    for _ in range(2):
        assert model(np.full((1, 3), 0.5)).tolist() == [pytest.approx(values)]
    assert shards == [None, part]


@pytest.mark.parametrize(
    ("interruptions", "values"), [((4.0, 6.0), (24.0, 16.0)), ((0.0, 10.0), (40.0, 0.0))]
)
def test_a_replication_without_interruptions_is_a_value_of_the_time_between_them(
    interruptions: tuple[float, float], values: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 h with 10 of them it is 20 h: each replication pulls it by (100 h - n 20 h) / 5, up or down."""
    found = np.array([[100 * HOUR, each] for each in interruptions])
    monkeypatch.setattr(
        "clustersim.studies.inputs.simulated",
        lambda made, *_, only: [(ScenarioFigures(each, only), {"mtti_s": found}) for each in made],
    )
    model = InputModel(GIVEN, GIVEN.uncertain, Simulations(HERE), 2, "mtti_s")
    assert model(np.full((1, 3), 0.5)) == pytest.approx(HOUR * np.array([values]))


def test_the_answer_is_saved_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it was asked with decides what may be gone on from."""
    effort, kept = dict[str, Any](), list[Any]()

    def indices(*_: Any, **given: Any) -> Indices:
        effort.update(given)
        return study().found

    def keeping(*given: Any, question: Any) -> AbstractContextManager[Simulations]:
        kept.extend((*given, question))
        return simulations(*given, question=question)

    monkeypatch.setattr("clustersim.studies.sensitivity.sensitivity_of", indices)
    monkeypatch.setattr("clustersim.studies.sensitivity.simulations", keeping)
    monkeypatch.setattr(InputModel, "swings", lambda *_: [swing(START, -0.2)])
    given, folder = variant(GIVEN, {"simulation.seed": 7}), tmp_path / "answer"
    found = sensitivity(given, folder, settings=HERE, range_="50 %", samples=2, per_point=4)
    assert json.loads((folder / "sensitivity.json").read_text("utf-8")) == found.saved()
    assert effort == {"samples": 2, "trajectories": 10, "most": 8, "seed": 7}
    question = {"range": "50 %", "samples": "2", "per_point": "4", "metric": "ettr"}
    assert kept == [HERE.without_changes, folder, "sensitivity", given, question]
