"""Real logs, fitted: what StepFun's trace of 400 servers says, and the interruptions of three training runs.

The logs are not part of the repository; without them these tests are skipped.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clustersim.fitting.answer import Fit
from clustersim.fitting.causes import CauseFit
from clustersim.fitting.fit import fit
from clustersim.units import DAY, HOUR

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the logs are not here")
WEEK = 7


@pytest.fixture(scope="module")
def stepfun() -> Fit:
    """Return the fit of all faults of StepFun's trace, whatever their class."""
    columns = {"time": "start_day", "end": "end_day"}
    trace = DATA / "infinitehbd_node_faults.csv"
    return fit(trace, nodes=400, begin="0 d", end="348.98 d", columns=columns, workers=1)


@pytest.fixture(scope="module")
def faults(stepfun: Fit) -> CauseFit:
    (found,) = stepfun.causes.values()
    return found


def test_the_rate_is_the_published_one(stepfun: Fit, faults: CauseFit) -> None:
    """584 faults are 4.18 per 1000 node-days; three rows are about nodes that were away, or alarms again."""
    rows = stepfun.history.rows
    assert (rows["total"], rows["used"] + rows["open"]) == (584, faults.count)
    assert faults.count >= 580
    mean, low, high = faults.rate
    assert mean == pytest.approx(4.18, rel=0.01)
    assert (low, high) == pytest.approx((3.83, 4.51), rel=0.01)


def test_first_failures_are_exponential(faults: CauseFit) -> None:
    assert faults.selection.best.model.law == "exponential"
    assert faults.first_shape is not None
    low, high = faults.first_shape[1:]
    assert low is not None
    assert high is not None
    assert low < 1.0 < high


def test_a_first_hardware_failure_is_too() -> None:
    """By the class of the faults: a Weibull shape of 1.05 +- 0.08 with censoring."""
    columns = {"time": "start_day", "end": "end_day", "cause": "level"}
    trace = DATA / "infinitehbd_node_faults.csv"
    found = fit(trace, nodes=400, begin="0 d", end="348.98 d", columns=columns, workers=1, replications=40)
    shape = found.causes["Hardware Failure"].first_shape
    assert shape is not None
    assert shape.mean == pytest.approx(1.05, abs=0.03)
    assert shape.half_width is not None
    assert shape.half_width / 1.96 == pytest.approx(0.08, abs=0.01)


def test_a_fifth_of_the_repairs_does_not_last_a_day(faults: CauseFit) -> None:
    assert faults.relapse is not None
    assert faults.relapse.share == pytest.approx(0.22, abs=0.01)
    assert faults.relapse.expected == pytest.approx(0.004, abs=0.0005)
    assert faults.values["probability"].mean == pytest.approx(0.22, abs=0.02)
    assert faults.selection.best.model.lemons


def test_repairs_are_a_bounded_lognormal(faults: CauseFit) -> None:
    """Median 20 h and mean 133 h, of which those 14 faults are a part here that took no time at all."""
    law = faults.repair
    assert law is not None
    assert (law.law, faults.transient) == ("lognormal", 14)
    assert law.at_most == pytest.approx(131 * DAY, rel=0.01)
    assert law.seen.median_s == pytest.approx(20 * HOUR, rel=0.15)
    assert law.seen.mean_s == pytest.approx(133 * HOUR, rel=0.05)


def test_what_the_fitted_fleet_does_not_have_is_named(stepfun: Fit, faults: CauseFit) -> None:
    """9.3 nodes are down on average; the 35 that were down at once are bursts, which no domain explains."""
    figures = {each.figure: each for each in stepfun.checked}
    assert figures["nodes_away_mean"].observed == pytest.approx(9.26, abs=0.05)
    assert figures["nodes_away_most"].observed == 35
    assert figures["busiest_tenth"].observed == pytest.approx(0.41, abs=0.005)
    assert faults.bursts is not None
    assert faults.bursts.p_value < 1e-9
    assert {each.figure for each in stepfun.outside} == {"nodes_away_most", "short_gaps"}
    sentences = " ".join(map(str, stepfun.advice))
    assert "several nodes fail at once" in sentences
    assert "nodes away, at most, 35 in the log" in sentences


def interruptions(name: str, time: str, nodes: int, begin: str, end: str, zone: str) -> Fit:
    columns = {"time": time, "cause": "kind"}
    log = DATA / name
    where = {"begin": begin, "end": end, "timezone": zone}
    return fit(log, nodes=nodes, columns=columns, workers=1, replications=40, **where)


def per_week(found: Fit, count: int) -> tuple[float, float]:
    """Return the ends of the interval of so many interruptions a week."""
    from clustersim.fitting.rates import exact_rate

    _, low, high = exact_rate(count, found.history.window_s / DAY / WEEK)
    assert low is not None
    assert high is not None
    return low, high


CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
READ = {
    "planner-slurm-extract.csv": (
        "2026-05-01",
        "2026-05-31",
        {"xid79": ("job", None), "ecc": ("node", None)},
    ),
    "field-4-overlap-dropped.csv": ("0 h", "240 h", {"failure": ("node", 101.0)}),
    "field-7-site-outage.csv": ("0 h", "240 h", {"cooling": ("cluster", 41.5)}),
    "field-8-cause-names.csv": ("0 h", "240 h", {"显卡掉线": ("node", 20.0), "网卡故障": ("node", 3.0)}),
}


@pytest.mark.parametrize("name", READ)
def test_what_planners_had_is_read_as_a_person_reads_it(name: str) -> None:
    """A list of nodes is a job's failure, overlaps extend an absence, an outage has its length."""
    if not (CASES / name).exists():
        pytest.skip("the case is not here")
    begin, end, wanted = READ[name]
    found = fit(CASES / name, nodes=16, begin=begin, end=end, timezone="UTC", workers=1, replications=40)
    assert {cause: each.per for cause, each in found.causes.items()} == {
        cause: per for cause, (per, _) in wanted.items()
    }
    for cause, (_, hours) in wanted.items():
        law = found.causes[cause].repair
        assert (law is None) == (hours is None)
        if law is not None:
            assert law.seen.mean_s / HOUR == pytest.approx(hours)


def test_bloom_was_interrupted_about_every_week() -> None:
    """Its chronicle: a failure of a GPU every week or so, of which it dates those that cost work."""
    found = interruptions(
        "bloom176b_interruptions.csv", "timestamp", 48, "2022-03-11", "2022-07-05", "Europe/Paris"
    )
    low, high = per_week(found, found.history.rows["used"])
    assert low < 1.0 < high
    assert {fit.per for fit in found.causes.values()} == {"job"}
    assert all(fit.repair is None for fit in found.causes.values())


def test_glm_and_idefics() -> None:
    """11 failures of GLM-130B in 55 days, and 3 of IDEFICS in 28 days, with exact intervals."""
    glm = interruptions("glm130b_restarts.csv", "relaunch_utc", 96, "2022-05-06", "2022-06-30", "UTC")
    failures = glm.causes["failure"]
    assert failures.count == 11
    assert failures.rate == pytest.approx((2.083, 1.040, 3.728), rel=1e-3)
    assert glm.history.rows["not_understood"] == 2
    idefics = interruptions("idefics80b_restarts.csv", "date", 64, "2023-05-18", "2023-06-15", "UTC")
    assert idefics.causes["failure"].count == 3
    assert idefics.causes["failure"].rate == pytest.approx((1.674, 0.345, 4.892), rel=1e-3)
    for found in (glm, idefics):
        assert all(fit.selection.best.model.law == "exponential" for fit in found.causes.values())
