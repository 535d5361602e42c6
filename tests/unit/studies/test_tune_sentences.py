"""What `tune` says of results that are given: sentences, the numbers in the file, other values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clustersim.estimate import Estimate
from clustersim.scenario import loads
from clustersim.scenario.model import Scenario
from clustersim.studies.grid import Grid, GridFigures, GridPlan
from clustersim.studies.study import SCHEMA_VERSION, Worth
from clustersim.studies.sweep import Sweep
from clustersim.studies.tune import Candidate, Gain, Tuning
from tests.unit.studies.clusters import TIERS, job

CURVE = [
    Candidate(300.0, Estimate(0.8, 0.01, 8), True),
    Candidate(600.0, Estimate(0.9, 0.01, 8), False),
    Candidate(1200.0, Estimate(0.85, 0.01, 8), True),
]


def gain(over: str, at: float, mean: float, outside: bool = True) -> Gain:
    return Gain(over, at, Worth(Estimate(mean, 0.01, 8), Estimate(1000 * mean, 10.0, 8), None), outside)


def answer(scenario: Scenario | None = None, **more: Any) -> Tuning:
    """A best interval of 10 minutes, with an ETTR of 0.9 ± 0.01; 5 and 20 minutes are worse."""
    given = scenario or job(interval="1201 s")
    best = {"best_s": 600.0, "recommended_s": 600.0, "range_s": (500.0, 700.0), "curve": CURVE}
    found = best | {"ettr_at_best": Estimate(0.9, 0.01, 8)} | more
    return Tuning(given, given, 8, given.tiers[0].interval, given.tiers[0], **found)


def said(tuning: Tuning) -> list[str]:
    return [str(advice) for advice in tuning.advice][1:]


def test_every_sentence_says_what_was_found() -> None:
    """Today's interval is worse; Young's and Daly's too, or all formulas are as good."""
    alike = [gain(name, at, 0.0, False) for name, at in (("young", 550.0), ("daly", 650.0), ("exact", 660.0))]
    found = answer(gains=[gain("now", 1230.0, 0.05), *alike])
    best, *others = map(str, found.advice)
    assert best == (
        "Save about every 10 min: ETTR 0.900 ± 0.010. Anything from 8.3 min to 12 min is indistinguishable"
        " from the best at 95 %. Within 0.5 pp of the best: 9.7 min to 11 min."
    )
    assert others == [
        "Over today's interval of 20.5 min that gains +5.0 ± 1.0 pp ETTR, 50 ± 10 effective cards.",
        "Young's (9.2 min), Daly's (11 min) and the exact (11 min) intervals are indistinguishable from the"
        " best.",
    ]
    checkpoint = {"interval": "1230 s", "blocks": "30 s", "durable_after": "7.25 s"}
    flat = [replace(each, interval_s=each.interval_s / 100) for each in CURVE]
    flat[0] = replace(flat[0], ettr=Estimate(0.899, 0.01, 8))
    gains = [gain("now", 7.25, 0.0), gain("exact", 600.0, 0.0, False), gain("daly", 330.0, 0.03)]
    assert said(answer(job(checkpoint=checkpoint), curve=flat, best_s=6.0, gains=gains)) == [
        "What that gains over today's interval of 7.25 s is not distinguishable on fresh replications.",
        "The exact (10 min) interval is indistinguishable from the best.",
        "Daly's interval, 5.5 min, is not the best here: +3.0 ± 1.0 pp ETTR, 30 ± 10 effective cards would be"
        " given away.",
        "The optimum is flat: the longest interval within 0.5 pp of the best is 2.1 times the shortest. Let"
        " other reasons decide among them; more replications narrow the range at 95 %, and not this one.",
        "Below 7.25 s the curve is a plateau: a save waits until the copy before it is durable, 7.25 s after"
        " its end, so whatever shorter interval is asked for, the job saves every 7.25 s.",
    ]
    exact = answer(gains=[gain("exact", 600.0, 0.03), gain("now", 1230.0, 0.0, False)])
    assert said(exact) == [
        "Today's interval of 20.5 min is indistinguishable from the best: no gain over it can be shown.",
        "The exact interval, 10 min, is not the best here: +3.0 ± 1.0 pp ETTR, 30 ± 10 effective cards would"
        " be given away.",
    ]


@pytest.mark.parametrize(
    ("boundary", "more", "text"),
    [
        (None, {"blocks": 0}, None),
        ("longest", {}, "The best is the longest interval that was tried, the whole 10 min: saves cost more"),
        ("shortest", {}, "The best is the shortest interval that is possible, 10 min."),
        ("shortest", {"workload": {"step_time": "8 s"}}, "that is possible, 10 min (one step)."),
        ("shortest", {"blocks": 0}, "so the shortest interval is the best: 10 min, the shortest that was"),
        ("shortest", {"blocks": 0, "workload": {"step_time": "8 s"}}, "the best: 10 min, one step. Save as"),
    ],
)
def test_a_best_interval_at_a_limit_is_said_to_be_one(
    boundary: str | None, more: dict[str, Any], text: str | None
) -> None:
    found = answer(job(interval="1230 s", **more), boundary=boundary)
    warnings = [str(advice) for advice in found.advice if advice.warning]
    assert len(warnings) == (text is not None)
    assert all(text in warning for warning in warnings if text)


def test_without_progress_it_is_said_what_would_have_to_change() -> None:
    """The numbers are Daly's formula inverted, as in `needed`."""
    found = answer(job(mtbf=60, blocks=5, restart=600), ettr_at_best=Estimate(0.0, 0.001, 8))
    assert said(found) == [
        "Half of the cards would train if training went on 15 s after a failure (now 10 min), or if something"
        " failed only every 17 min (now every 60 s), by Daly's formula."
    ]
    assert str(found.advice[0]) == (
        "job makes no progress at any interval: ETTR 0.0000 ± 0.0010 at the best of them. It is not the saves"
        " that must change."
    )
    assert all(each.warning for each in found.advice)


def test_an_interval_is_said_with_three_digits_and_that_it_followed_the_failures() -> None:
    scenario = job(checkpoint={"interval": {"adaptive": {"window": "1 d"}}, "blocks": "30 s"})
    found = replace(answer(scenario, recommended_s=7.1512), now_s=7.2512)
    assert str(found.advice[0]).startswith("Save about every 7.15 s: ETTR 0.900 ± 0.010.")
    assert said(found) == [
        "Today's interval follows the failures; what is compared is that of its start, 7.25 s, kept. To see"
        " what following them earns, compare the two scenarios."
    ]


@pytest.mark.parametrize("longest", [120.0, 121.0])
@pytest.mark.parametrize("durable_after", ["60 s", "60.1 s"])
def test_the_optimum_is_flat_above_twice_its_lower_end_and_a_plateau_where_a_copy_is_durable_after_that(
    longest: float, durable_after: str
) -> None:
    checkpoint = {"interval": "60 s", "blocks": "30 s", "durable_after": durable_after}
    curve = [Candidate(at, Estimate(0.9, 0.01, 8), False) for at in (60.0, longest)]
    sentences = " ".join(said(answer(job(checkpoint=checkpoint), curve=curve, best_s=60.0)))
    assert ("The optimum is flat" in sentences) == (longest > 120)
    assert ("the curve is a plateau" in sentences) == (durable_after == "60.1 s")


def test_the_file_has_all_that_was_found() -> None:
    now = gain("now", 1230.0, 0.05)
    found = answer(
        fresh_replications=4,
        young_s=1.0,
        daly_s=2.0,
        exact_s=3.0,
        boundary="longest",
        simulated="asked for",
        ettr_now=Estimate(0.01, 0.02, 8),
        gains=[now],
    )
    ends = [{"mean": 0.9, "low": 0.89, "high": 0.91}, {"mean": 0.01, "low": 0.0, "high": 0.03}]
    body = found.body()
    assert body == {
        "tier": "checkpoint",
        "method": "simulated",
        "method_reason": "asked for",
        "no_failures": False,
        "no_progress": False,
        "best_s": 600.0,
        "range_s": [500.0, 700.0],
        "near_best_s": list(found.near_best_s or ()),
        "recommended_s": 600.0,
        "boundary": "longest",
        "ettr_at_best": pytest.approx(ends[0]),
        "now_s": found.now_s,
        "ettr_now": pytest.approx(ends[1]),
        "young_s": 1.0,
        "daly_s": 2.0,
        "exact_s": 3.0,
        "fresh_replications": 4,
        "gains": [now.to_dict()],
        "curve": [each.to_dict() for each in CURVE],
        "what_ifs": [],
    }
    assert replace(found, simulated=None).body()["method"] == "scored"


@pytest.mark.parametrize(("costs", "currency"), [({"costs": {"gpu_hour": "2 USD"}}, "USD"), ({}, None)])
def test_the_file_says_what_of_which_scenario_it_is(costs: Any, currency: str | None) -> None:
    scenario = job(**costs)
    found = answer(scenario)
    head = {
        "schema_version": SCHEMA_VERSION,
        "name": "job",
        "gpus": 1000,
        "horizon_s": 360_000.0,
        "replications": 8,
        "seed": scenario.simulation.seed,
        "currency": currency,
        "scenario_hash": scenario.hash,
    }
    end = {"advice": [str(advice) for advice in found.advice], "wall_s": 0.0}
    assert list(found.to_dict().items()) == list((head | dict(found.body()) | end).items())


def test_other_values_are_those_of_the_tier_in_question() -> None:
    """Of two tiers, saved to every 10 min and every 3 h; where nothing fails there is no best interval."""
    scenario = loads(TIERS)
    vary = {"failures.node.mtbf": "8 d,4 d"}
    planned = GridPlan.of(Grid.of([scenario], vary), True, "peer")
    count = len(planned.metrics)
    figures, differences = np.full((2, 2, count, 3), 0.5)
    differences[:] = 0.25, 0.2, 0.3
    ranges = np.array([[500.0, 700.0], [math.nan, math.nan]])
    told = np.array([[True] * count, [False] * count])
    best = np.array([600.0, 900.0])
    found = GridFigures(figures[0], figures, differences, told, best, ranges, {})
    ettr = {"mean": 0.5, "low": 0.5, "high": 0.5}
    first, second = answer(scenario, sweeps=[Sweep.of(planned, found)]).body()["what_ifs"]
    assert first == {
        "path": "failures.node.mtbf",
        "value": "8 d",
        "gpus": 64,
        "now_s": 600.0,
        "best_s": 600.0,
        "range_s": [500.0, 700.0],
        "ettr": ettr,
        "effective_gpus": ettr,
        "ettr_difference": {"mean": 0.25, "low": 0.2, "high": 0.3},
        "distinguishable": True,
    }
    assert (second["value"], second["best_s"], second["range_s"]) == ("4 d", None, None)
    assert not second["distinguishable"]
