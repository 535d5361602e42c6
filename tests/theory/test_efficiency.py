"""The engine against Daly's exact efficiency, and against what follows without chance."""

from __future__ import annotations

import math

import pytest

from clustersim import theory
from clustersim.scenario.describe import describe
from clustersim.scenario.model import Scenario
from tests.theory.runs import daly_spec, outcomes, replications, share, spec
from tests.theory.z import assert_z, controlled, mean_se

HOUR, MINUTE = 3600.0, 60.0
STANDARD_ERROR = 0.0005
# MTBF, blocks, restart; for a quarter of the optimum, the optimum and four times it, how many replications of
# how many MTBF each bring the standard error below 0.0005
TABLE = [
    (24 * HOUR, 300, 600, ((30, 2000), (30, 2000), (30, 2000))),
    (2.5 * HOUR, 60, 300, ((30, 2000), (30, 2000), (40, 2500))),
    (18 * MINUTE, 5, 180, ((30, 2000), (30, 2000), (40, 3000))),
    (HOUR, 600, 600, ((30, 2000), (30, 4000), (72, 10_000))),
    (HOUR, 3600, 600, ((30, 2000), (50, 4000), (48, 10_000))),
]
CASES = [(row, place) for row in range(len(TABLE)) for place in range(3)]


@pytest.mark.parametrize(("row", "place"), CASES)
def test_the_table_of_the_model(row: int, place: int) -> None:
    mtbf, blocks, restart, sizes = TABLE[row]
    interval = theory.optimal(mtbf, blocks) * (0.25, 1.0, 4.0)[place]
    count, length = sizes[place]
    document = daly_spec(mtbf, blocks, restart, interval, length * mtbf, seed=100 + 3 * row + place)
    mean, se = controlled(outcomes(document, count), length)
    assert se <= STANDARD_ERROR
    assert_z(mean, theory.efficiency(interval, mtbf, blocks, restart), se)


@pytest.mark.parametrize(
    ("mtbf", "count", "length"), [(3 * HOUR, 30, 1000), (10 * MINUTE, 30, 1000), (MINUTE, 30, 4000)]
)
def test_jobs_like_chens(mtbf: float, count: int, length: int) -> None:
    interval = theory.daly(mtbf, 5.0)
    document = daly_spec(mtbf, 5.0, 5 * MINUTE, interval, length * mtbf, seed=7)
    mean, se = controlled(outcomes(document, count), length)
    assert_z(mean, theory.efficiency(interval, mtbf, 5.0, 5 * MINUTE), se)


@pytest.mark.parametrize(
    ("mtbf", "detect", "count", "length"), [(10 * MINUTE, 4 * MINUTE, 30, 1000), (MINUTE, MINUTE, 30, 4000)]
)
def test_what_strikes_in_the_detection_is_found_with_it(
    mtbf: float, detect: float, count: int, length: int
) -> None:
    """A failure costs D + M (exp(R/M) - 1) + D (exp(R/M) - 1): a detection each time that the rest fails."""
    interval, restart = theory.daly(mtbf, 5.0), MINUTE
    document = daly_spec(mtbf, 5.0, restart, interval, length * mtbf, seed=11)
    document["recovery"] = {"stages": {"detect": f"{detect} s", "restart": f"{restart} s"}}
    mean, se = controlled(outcomes(document, count), length)
    assert_z(mean, theory.efficiency(interval, mtbf, 5.0, restart) / (1 + detect / mtbf), se)


@pytest.mark.parametrize(("interval", "blocks"), [(600.0, 60.0), (0.7, 0.1), (1e5, 0.0), (1.0, 1e4)])
def test_without_failures_whole_cycles_give_the_share_exactly(interval: float, blocks: float) -> None:
    saves = {"interval": f"{interval!r} s", "blocks": f"{blocks!r} s"}
    document = spec(horizon=1000 * (interval + blocks), checkpoint=saves)
    (records,) = replications(document, 1)
    assert records.ettr == pytest.approx(interval / (interval + blocks), rel=1e-12)


def test_without_failures_whole_steps_and_late_durability_stretch_the_cycle() -> None:
    saves = {"interval": "95 s", "blocks": "5 s", "durable_after": "130 s"}
    document = spec(horizon=100 + 5 + 9 * 145, checkpoint=saves, workload={"step_time": "20 s"})
    (records,) = replications(document, 1)
    assert records.ledger["checkpoint"] / 8 == 10 * 5
    assert records.ledger["productive"] / 8 == 100 + 9 * 140


def test_failures_on_the_training_clock_cost_their_recovery_and_nothing_else() -> None:
    failures = {"software": {"per": "job", "mtbf": "1024 s", "lifetime": "constant", "clock": "training"}}
    failures["software"]["ages"] = "new"
    recovery = {"stages": {"detect": "16 s", "restart": "112 s"}}
    saves = {"interval": "8 s", "blocks": "0 s"}
    document = spec(failures=failures, horizon=50 * 1152, recovery=recovery, checkpoint=saves)
    (records,) = replications(document, 1)
    assert records.ettr == pytest.approx(1024 / 1152, rel=1e-12)
    assert records.ledger["lost"] == 0


def test_random_failures_on_the_training_clock_leave_up_over_up_and_recovery() -> None:
    failures = {"software": {"per": "job", "mtbf": "1000 s", "clock": "training"}}
    document = spec(failures=failures, horizon=2e6, recovery={"stages": {"restart": "250 s"}})
    trains = [share(records, "productive", "lost") for records in replications(document, 32)]
    assert_z(*_against(trains, 1000 / 1250))


@pytest.mark.parametrize("calendar", [0.0, 0.25, 0.75])
def test_failures_on_either_clock_slow_training_down_as_the_formula_and_check_say(calendar: float) -> None:
    mtbf, restart, interval, blocks = 3600.0, 2400.0, 900.0, 60.0
    failures = {
        clock: {"per": "job", "mtbf": f"{mtbf / share!r} s", "clock": clock}
        for clock, share in (("calendar", calendar), ("training", 1 - calendar))
        if share
    }
    saves = {"interval": f"{interval!r} s", "blocks": f"{blocks!r} s"}
    recovery = {"stages": {"restart": f"{restart!r} s"}}
    document = spec(failures=failures, horizon=5e6, checkpoint=saves, recovery=recovery)
    expected = theory.efficiency(interval, mtbf, blocks, restart, calendar)
    described = describe(Scenario.model_validate(document))
    assert described.ettr == pytest.approx(expected)
    runs = list(replications(document, 24))
    assert_z(*_against([records.ettr for records in runs], expected), cases=6)
    assert_z(*_against([records.incident_count for records in runs], described.events), cases=6)


@pytest.mark.parametrize("segment", [200.0, 1000.0, 4000.0])
def test_the_loss_of_a_failure_is_the_expected_loss_of_its_segment(segment: float) -> None:
    failures = {"any": {"per": "cluster", "mtbf": "1000 s"}}
    saves = {"interval": f"{segment!r} s", "blocks": "0 s"}
    (records,) = replications(spec(failures=failures, horizon=2e7, checkpoint=saves), 1)
    lost, se = mean_se(records.incidents["lost_s"])
    expected = 1000.0 - segment / math.expm1(segment / 1000.0)
    assert_z(lost, expected, se, cases=3)


def test_a_card_that_is_repaired_is_available_for_its_share() -> None:
    repair = {"exponential": {"mean": "1 h"}}
    failures = {"node": {"per": "node", "mtbf": "5 h", "repair": repair}}
    document = spec(gpus=8, failures=failures, horizon=2000 * HOUR)
    trains = [share(records, "productive", "lost") for records in replications(document, 64)]
    # the job has one node and waits for its repair; at time 0 the repair shop is empty
    availability = 5.0 / (5.0 + 1.0)
    assert_z(*_against(trains, availability + (1 - availability) * availability / 2000))


def _against(values: list[float], expected: float) -> tuple[float, float, float]:
    mean, se = mean_se(values)
    return mean, expected, se
