"""The closed forms, to the digits of the table on the page of the model, and in their limits."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize

from clustersim import theory

HOUR, MINUTE = 3600.0, 60.0
# mtbf, blocks, restart, Young, Daly first, Daly higher, optimum, efficiency at it
TABLE = [
    (24 * HOUR, 300, 600, 7200.0, 6900.0, 7001.39, 7001.40, 0.91261),
    (2.5 * HOUR, 60, 300, 1039.23, 979.23, 999.62, 999.62, 0.85979),
    (18 * MINUTE, 5, 180, 103.92, 98.92, 100.62, 100.62, 0.76762),
    (HOUR, 600, 600, 2078.46, 1478.46, 1697.71, 1699.23, 0.44694),
    (HOUR, 3600, 600, 5091.17, 1491.17, 2974.01, 3029.06, 0.13425),
]


@pytest.mark.parametrize("row", TABLE)
def test_the_intervals_have_the_digits_of_the_table(row: tuple[float, ...]) -> None:
    mtbf, blocks, _, young, _, higher, optimum, _ = row
    found = [f(mtbf, blocks) for f in (theory.young, theory.daly, theory.optimal)]
    assert [round(value, 2) for value in found] == [young, higher, optimum]


@pytest.mark.parametrize("row", TABLE)
def test_the_efficiency_at_the_optimum_has_the_digits_of_the_table(row: tuple[float, ...]) -> None:
    mtbf, blocks, restart, *_, efficiency = row
    best = theory.optimal(mtbf, blocks)
    assert round(theory.efficiency(best, mtbf, blocks, restart), 5) == efficiency


@pytest.mark.parametrize("row", TABLE)
def test_the_optimum_is_where_the_efficiency_is_largest_whatever_the_restart(row: tuple[float, ...]) -> None:
    mtbf, blocks, restart = row[:3]
    for pause in (0.0, restart, 10 * restart):
        found = optimize.minimize_scalar(
            lambda t, pause=pause: -math.log(theory.efficiency(t, mtbf, blocks, pause)),
            bounds=(1e-3 * mtbf, 5 * mtbf),
            method="bounded",
            options={"xatol": 1e-6 * mtbf},
        )
        assert found.x == pytest.approx(theory.optimal(mtbf, blocks), rel=1e-4)


@pytest.mark.parametrize("cost", [1e-14, 1e-10, 1e-6, 1e-3, 0.5, 3.0, 100.0, 600.0])
def test_the_optimum_is_stationary_to_rounding_for_any_ratio_of_cost_and_mtbf(cost: float) -> None:
    mtbf = 10_000.0
    ratio = theory.optimal(mtbf, cost * mtbf) / mtbf
    assert ratio == pytest.approx(-math.expm1(-(ratio + cost)), rel=1e-12)


@pytest.mark.parametrize(("segment", "share"), [(16, 88.8), (18, 83.5), (9, 91.7)])
def test_whole_segments_of_a_rack_use_what_is_published(segment: int, share: float) -> None:
    assert round(100 * theory.usable_share(18, segment, 0.01), 1) == share


@pytest.mark.parametrize(("nodes", "segment"), [(18, 16), (18, 18), (18, 9), (18, 4), (7, 2)])
def test_what_segments_use_is_counted_rack_by_rack(nodes: int, segment: int) -> None:
    healthy = np.random.default_rng(1).binomial(nodes, 0.9, 200_000)
    used = segment * (healthy // segment) / nodes
    found = theory.usable_share(nodes, segment, 0.1)
    assert abs(used.mean() - found) < 4 * used.std() / math.sqrt(len(used))
    assert theory.usable_share(nodes, segment, 0.0) == nodes // segment * segment / nodes


def test_a_cheap_save_makes_young_daly_and_the_optimum_one() -> None:
    mtbf, blocks = 1e9, 1e-3
    young = theory.young(mtbf, blocks)
    assert theory.optimal(mtbf, blocks) == pytest.approx(young, rel=1e-5)
    assert theory.daly(mtbf, blocks) == pytest.approx(theory.optimal(mtbf, blocks), rel=1e-9)


def test_a_free_save_is_made_all_the_time_and_a_dear_one_each_mtbf() -> None:
    assert theory.optimal(100.0, 0.0) == 0.0
    assert theory.daly(100.0, 200.0) == 100.0
    assert theory.daly(100.0, 1e6) == 100.0
    assert theory.optimal(100.0, 1e4) == pytest.approx(100.0, rel=1e-9)


def test_dalys_higher_order_meets_its_other_branch_nearly() -> None:
    below = theory.daly(100.0, 200.0 * (1 - 1e-12))
    assert below == pytest.approx(200.0 * (1 + 1 / 3 + 1 / 9) - 200.0)


def test_without_failures_the_efficiency_is_the_share_of_training_in_a_cycle() -> None:
    assert theory.efficiency(900.0, 1e15, 100.0, 50.0) == pytest.approx(0.9, rel=1e-9)


def test_hopeless_cases_have_no_efficiency_instead_of_an_overflow() -> None:
    assert theory.efficiency(1e6, 1.0, 10.0, 5.0) == 0.0
    assert theory.efficiency(10.0, 1.0, 10.0, 1e6) == 0.0


def test_the_efficiency_is_what_one_cycle_needs_on_average() -> None:
    mtbf, t, d, restart = 1000.0, 400.0, 60.0, 90.0
    span = t + d
    completes = math.exp(-span / mtbf)
    spent, _ = integrate.quad(lambda x: x * math.exp(-x / mtbf) / mtbf, 0, span)
    # a restart succeeds when no failure strikes in it; each try costs what the failure leaves of it
    once_more = mtbf * math.expm1(restart / mtbf)
    failures = (1 - completes) / completes
    cycle = failures * (spent / (1 - completes) + once_more) + span
    assert theory.efficiency(t, mtbf, d, restart) == pytest.approx(t / cycle, rel=1e-12)


@pytest.mark.parametrize(("interval", "published"), [(60 * MINUTE, 0.7), (5 * MINUTE, 0.93)])
def test_the_estimator_of_kokolis_says_what_its_paper_says_of_16_000_gpus(
    interval: float, published: float
) -> None:
    mtbf = 24 * HOUR / (2000 * 6.5e-3)
    digits = len(f"{published}") - 2
    assert round(theory.kokolis(interval, mtbf, 0.0, 5 * MINUTE), digits) == published


@pytest.mark.parametrize("rare", [1e-3, 1e-4])
def test_the_estimator_of_kokolis_is_the_first_order_but_for_failures_in_a_save(rare: float) -> None:
    interval, blocks, restart = 1000.0, 100.0, 300.0
    mtbf = 1 / rare * interval
    exact = theory.efficiency(interval, mtbf, blocks, restart)
    found = theory.kokolis(interval, mtbf, blocks, restart) - blocks / (2 * mtbf) / (1 + blocks / interval)
    assert found == pytest.approx(exact, abs=rare**2)
    assert found != pytest.approx(exact, abs=0.01 * rare**2)


def test_the_estimator_of_kokolis_leaves_the_road_where_failures_are_frequent() -> None:
    assert theory.kokolis(3600.0, 2100.0, 0.0, 300.0) == 0.0
    assert theory.kokolis(3600.0, 1000.0, 300.0, 300.0) == pytest.approx(-1.1 / (13 / 12))
    assert 0 < theory.efficiency(3600.0, 1000.0, 300.0, 300.0) < 0.1


@pytest.mark.parametrize("row", TABLE)
def test_the_cycle_of_saxena_is_where_its_availability_is_largest(row: tuple[float, ...]) -> None:
    mtbf, blocks, restart = row[:3]
    found = optimize.minimize_scalar(
        lambda cycle: -(1 - blocks / cycle) / (1 + cycle / (2 * (mtbf + restart))),
        bounds=(blocks, 20 * mtbf),
        method="bounded",
        options={"xatol": 1e-6 * mtbf},
    )
    assert found.x == pytest.approx(theory.saxena_cycle(mtbf, blocks, restart), rel=1e-4)


def test_the_cycle_of_saxena_is_youngs_interval_where_saves_and_restarts_are_cheap() -> None:
    assert theory.saxena_cycle(1e9, 1e-3, 0.0) == pytest.approx(theory.young(1e9, 1e-3), rel=1e-5)
    assert theory.saxena_cycle(1000.0, 0.0, 10.0) == 0.0
