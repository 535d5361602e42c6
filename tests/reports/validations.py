"""Validations for the tests of the report: hand-made, with known values, one claim of every sort."""

from __future__ import annotations

from typing import Any

from clustersim.estimate import ConfidenceInterval
from clustersim.scenario import Scenario
from clustersim.validation import ClaimResult, Trial, Validation
from clustersim.validation.estimator import HOURLY, OPTIMAL, EstimatorCurve, EstimatorPoint
from tests.reports.cases import HOSTILE, PLAIN

HOUR = 3600.0
MADE = {
    "tool": "clustersim",
    "version": "0.1.0",
    "command": "clustersim validate",
    "workers": 2,
    "wall_s": 12.5,
    "finished": "2026-01-02T03:04:05+00:00",
    "seed": 1,
    "libraries": {"numpy": "2.4"},
}
CLAIM = {"says": "0.44 of the time", "kind": "exact", "figure": "ettr", "value": 0.44, "tolerance": 0.01}


def scenario(name: str, **changes: Any) -> Scenario:
    """Return the plain scenario of the tests with something published about it."""
    published = {
        "source": f"Paper of {name}, section 2",
        "assumes": ["nobody queues"],
        "claims": {"a": CLAIM},
    }
    return Scenario.model_validate(PLAIN | {"name": name, "published": published} | changes)


def outcome(name: str, **changes: Any) -> ClaimResult:
    """Return an exact claim about a share that is met: 0.44 published, 0.441 simulated."""
    case, _, claim = name.partition("/")
    usual: dict[str, Any] = {
        "name": name,
        "scenario": case,
        "claim": claim or "a",
        "title": f"Title of {case}",
        "kind": "exact",
        "source": f"Paper of {case}, section 2",
        "says": "0.44 of the time",
        "figure": "ettr",
        "meaning": "productive card-time / all card-time",
        "unit": "share",
        "value": 0.44,
        "low": 0.43,
        "high": 0.45,
        "simulated": ConfidenceInterval(0.441, 0.439, 0.443),
        "verdict": "agrees",
        "replications": 32,
        "wall_s": 1.5,
    }
    return ClaimResult(**(usual | changes))


TRIED = (
    Trial("5 s", ConfidenceInterval(0.944, 0.942, 0.946), "agrees"),
    Trial("30 s", ConfidenceInterval(0.901, 0.898, 0.904), "undecided"),
    Trial("60 s", ConfidenceInterval(0.876, 0.874, 0.878), "differs"),
)
FIRST = "first"
CASES = (
    outcome(f"{FIRST}/whole", reads="eight of eighteen minutes", change={"cluster.gpus": 2048}),
    outcome(
        f"{FIRST}/time",
        kind="band",
        says="over 90 %",
        value=None,
        low=0.9,
        high=None,
        simulated=TRIED[0].simulated,
        unknown="checkpoint.blocks",
        tried=TRIED,
    ),
    outcome(
        f"{FIRST}/gain",
        kind="band",
        says="4 to 10 points",
        value=0.0659,
        low=0.04,
        high=0.1,
        simulated=ConfidenceInterval(0.07, 0.066, 0.074),
        minus={"checkpoint.blocks": "1 min"},
    ),
    outcome(
        "second/mttf",
        says="MTTF 1.8 h",
        figure="mttf",
        unit="s",
        value=1.8 * HOUR,
        low=1.75 * HOUR,
        high=1.85 * HOUR,
        simulated=ConfidenceInterval(1.803 * HOUR, 1.79 * HOUR, 1.816 * HOUR),
    ),
    outcome(
        "second/small",
        kind="control",
        says="MTTF 7.9 h measured",
        figure="mttf",
        unit="s",
        value=7.9 * HOUR,
        low=7.1 * HOUR,
        high=8.7 * HOUR,
        simulated=ConfidenceInterval(28.8 * HOUR, 28.1 * HOUR, 29.5 * HOUR),
        verdict="differs",
    ),
    outcome(
        "second/count",
        kind="plumbing",
        says="419 in 54 days",
        figure="incidents",
        of="gpu",
        unit="incidents",
        value=419.0,
        low=378.0,
        high=460.0,
        simulated=ConfidenceInterval(420.1, 415.2, 425.0),
    ),
)
FAILED = outcome(
    "second/missed",
    simulated=ConfidenceInterval(0.9, 0.899, 0.901),
    verdict="differs",
    low=0.43,
    high=0.45,
)
UNDECIDED = outcome("second/straddles", simulated=ConfidenceInterval(0.45, 0.44, 0.46), verdict="undecided")


def mark(gpus: float, estimator: float, exact: float, simulated: bool = True) -> EstimatorPoint:
    """Return a size on a curve; what is simulated is the exact value, give or take a point."""
    interval = ConfidenceInterval(exact, max(exact - 0.01, 0.0), exact + 0.01) if simulated else None
    return EstimatorPoint(gpus, 6500.0 * 16_384 / gpus, HOUR, estimator, exact, interval)


SIZES = ((1e3, 0.9, 0.9), (16_384, 0.62, 0.64), (1e5, -0.9, 0.07), (1e6, -17.3, 0.0))


def curve(cluster: str, rate: float, policy: str) -> EstimatorCurve:
    """Return a curve from 1,000 to 1,000,000 cards."""
    marks = tuple(mark(*size) for size in SIZES)
    line = tuple(mark(gpus, estimator, exact, False) for gpus, estimator, exact in SIZES)
    return EstimatorCurve(cluster, rate, policy, marks, line)


CURVES = tuple(
    curve(cluster, rate, policy)
    for policy in (HOURLY, OPTIMAL)
    for cluster, rate in (("RSC-1", 6.5), ("RSC-2", 2.34))
)


def validation(*more: ClaimResult, curves: tuple[EstimatorCurve, ...] = CURVES, **changes: Any) -> Validation:
    """Return a validation of every sort of claim that passes, and *more* claims."""
    cases = (*CASES, *more)
    names = dict.fromkeys(case.scenario for case in cases)
    return Validation(cases, {name: scenario(name, **changes) for name in names}, MADE, curves)


def few() -> Validation:
    """Return a validation of two checks, without curves."""
    return Validation(CASES[:2], {FIRST: scenario(FIRST)}, {"seed": 7})


def hostile() -> Validation:
    """Return a validation in which everything that is free text is markup."""
    case = outcome(
        "first",
        title=HOSTILE,
        says=HOSTILE,
        source=HOSTILE,
        reads=HOSTILE,
        assumes=(HOSTILE,),
        change={"checkpoint.blocks": HOSTILE},
        unknown="checkpoint.blocks",
        tried=(Trial(HOSTILE, ConfidenceInterval(0.44, 0.43, 0.45), "agrees"),),
    )
    control = outcome(HOSTILE, scenario="first", kind="control", verdict="differs")
    missed = outcome(f"{HOSTILE}/x", scenario="first", verdict="differs")
    said = {"source": HOSTILE, "assumes": [HOSTILE], "claims": {"a": CLAIM | {"says": HOSTILE}}}
    spec = scenario("first", title=HOSTILE, about=HOSTILE, published=said)
    return Validation((case, control, missed), {"first": spec}, MADE)
