"""Thresholds of `expect`: what an interval leaves open is undecided, what cannot be is refused."""

import re
from typing import Any

import pytest

from clustersim.expectations import MET, NOT_MET, UNDECIDED, Expectation, expectations
from clustersim.experiment import run
from clustersim.results import Results
from clustersim.scenario import ScenarioError, loads

PLAN = """
name: plan
cluster: {gpus: 800}
failures: {job: {per: job, mtbf: 5 h}}
checkpoint: {interval: 20 min, blocks: 20 s}
recovery: {stages: {detect: 1 min, restart: 20 min}}
simulation: {horizon: 4 d, replications: 4}
"""


def done(text: str = PLAN, **expect: str) -> Results:
    listed = "".join(f'  {path}: "{threshold}"\n' for path, threshold in expect.items())
    return run(loads(f"{text}expect:\n{listed}"), workers=1)


def judged(results: Results, summary: Any = None) -> list[Expectation]:
    return list(expectations(results.scenario, summary or results.summary))


def test_the_interval_decides_unless_it_holds_the_threshold() -> None:
    plain = run(loads(PLAN), workers=1).summary
    ettr, width = plain["ettr"]["mean"], plain["half_width"]
    for shift, sign, verdict, holds in (
        (-0.9, ">=", UNDECIDED, True),
        (+0.9, ">=", UNDECIDED, False),
        (-1.1, ">=", MET, True),
        (+1.1, ">=", NOT_MET, False),
        (-0.9, "<", UNDECIDED, False),
        (-1.1, "<", NOT_MET, False),
    ):
        (found,) = judged(done(ettr=f"{sign} {ettr + shift * width:.9f}"))
        assert (found.verdict, found.holds) == (verdict, holds), (shift, sign)
        assert re.search(r"plan: ettr is 0\.\d+ ± 0\.\d+, expected ", found.text)
        assert ("more replications would tell" in found.text) == (verdict == UNDECIDED)


def test_what_is_not_random_is_decided_with_all_digits() -> None:
    exact = done(PLAN.replace("{job: {per: job, mtbf: 5 h}}", "none"), ettr=">= 0.98363")
    assert str(judged(exact)[0]) == "not met: plan: ettr is 0.983623, expected >= 0.98363"


def test_one_replication_decides_nothing_about_a_mean() -> None:
    one = PLAN.replace("replications: 4", "replications: 1")
    mean, end = judged(done(one, **{"ettr": "> 0.999", "ettr.p10": "> 0.999"}))
    assert re.match(
        r"undecided: plan: ettr is 0\.\d{5,6}, expected > 0\.999; one replication has no", str(mean)
    )
    assert not mean.holds
    assert end.verdict == NOT_MET


@pytest.mark.parametrize(
    ("threshold", "verdict"),
    [(0.2, MET), (0.3, MET), (0.4, UNDECIDED), (0.6, UNDECIDED), (0.7, NOT_MET), (0.8, NOT_MET)],
)
def test_what_inputs_alone_leave_open_is_undecided(threshold: float, verdict: str) -> None:
    results = done(ettr=f">= {threshold}")
    summary = results.summary | {
        "ettr": results.summary["ettr"] | {"mean": 0.5},
        "margins": results.summary["margins"] | {"ettr": 0.01},
        "inputs": {"ettr": {"p5": 0.3, "p50": 0.5, "p95": 0.7}},
    }
    (found,) = judged(results, summary)
    assert (found.verdict, found.holds) == (verdict, threshold < 0.5)
    said = f"plan: ettr is 0.500 ± 0.010, expected >= {threshold}"
    why = "; inputs 0.30 to 0.70 (90 %) hold the threshold, better known ones would tell"
    assert found.text == (said + why if verdict == UNDECIDED else said)
    assert str(found) == f"{verdict}: {found.text}"
    assert found.to_dict() == {
        "path": "ettr", "wanted": f">= {threshold}", "verdict": verdict, "holds": threshold < 0.5,
    }  # fmt: skip


def test_what_is_unknown_without_a_reason_is_unknown_all_the_same() -> None:
    results = done(mtti_s="> 1")
    (found,) = judged(results, results.summary | {"mtti_s": None})
    assert (found.found, found.verdict, found.holds) == ("unknown", NOT_MET, False)


def test_ends_and_percentiles_are_held_against_the_threshold_as_they_are() -> None:
    results = done(**{"ettr.p10": "> 0.999", "ettr.low": ">= 0.1", "mtti_s": "< 60"})
    assert [found.verdict for found in judged(results)] == [NOT_MET, MET, NOT_MET]


def test_what_is_unknown_meets_no_threshold() -> None:
    (found,) = judged(done(PLAN.replace("{job: {per: job, mtbf: 5 h}}", "none"), mtti_s="> 1"))
    assert not found.holds
    assert "is unknown (no interruption in any replication)" in found.text


def test_what_follows_an_unknown_figure_is_judged_too() -> None:
    found = judged(done(PLAN.replace("{job: {per: job, mtbf: 5 h}}", "none"), mtti_s="> 1", ettr="> 0.1"))
    assert [each.verdict for each in found] == [NOT_MET, MET]


@pytest.mark.parametrize(
    ("path", "threshold", "remedy"),
    [
        ("ettr", ">= 90", "it is a share, between 0 and 1; write >= 90 %"),  # the case field-9
        ("ettr", "> 1.5", "it is a share, between 0 and 1; write > 1.5 %"),
        ("ettr", "<= 100", "it is a share, between 0 and 1; write <= 100 %"),
        ("ettr", "<= 100.5", "it is a share, between 0 and 1; give"),
        ("ettr", "> 1", "it is a share, between 0 and 1; give"),
        ("ettr.p10", "<= 120 %", "it is a share, between 0 and 1; give"),
        ("ledger.lost", "< 0", "it is a share, between 0 and 1; give"),
        ("waste_by_cause.job", "<= 5", "it is a share, between 0 and 1; write <= 5 %"),
        ("mtti_s", "> -1", "it is never below 0; give"),
    ],
)
def test_what_no_figure_can_meet_or_miss_is_refused_with_its_line(
    path: str, threshold: str, remedy: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(f'{PLAN}expect:\n  {path}: "{threshold}"\n')
    assert str(caught.value).startswith("<text>:9:")
    assert f'"{threshold}" cannot be expected of {path}: {remedy}' in str(caught.value)


@pytest.mark.parametrize("threshold", [">= 0", "<= 1", "> 0", "< 1", ">= 100 %"])
def test_the_ends_of_what_is_possible_may_be_expected(threshold: str) -> None:
    assert loads(f'{PLAN}expect:\n  ettr: "{threshold}"\n').expect["ettr"] == threshold
