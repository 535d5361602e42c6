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


@pytest.mark.parametrize("cost", [1e-40, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-10])
def test_the_optimum_of_saves_that_cost_hardly_anything_is_the_beginning_of_its_series(cost: float) -> None:
    """With x = sqrt(2 d/M) it is M (x - x^2/3 + ...): library values are no number below 1e-16."""
    x = math.sqrt(2 * cost)
    assert theory.optimal(1e4, cost * 1e4) / (1e4 * (x - x * x / 3)) == pytest.approx(1.0, rel=5e-8)


def test_a_free_save_is_made_all_the_time_and_a_dear_one_each_mtbf() -> None:
    assert theory.optimal(100.0, 0.0) == 0.0
    assert theory.optimal(math.inf, 0.0) == 0.0
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


RESTARTS = [(1.0, 0.0), (1.0, 200.0), (0.3, 0.0), (0.3, 200.0)]
"""The share of failures that strike in a restart too, and the detection with which it begins."""


@pytest.mark.parametrize(("calendar", "detection"), RESTARTS)
def test_a_restart_that_fails_begins_again_with_its_detection(calendar: float, detection: float) -> None:
    mtbf, restart = 1000.0, 600.0
    rate, rest = calendar / mtbf, restart - detection
    fails = -math.expm1(-rate * rest)
    each = (detection + fails / rate) / (1 - fails)  # E = D + E[min(X, rest)] + P(X < rest) E
    assert theory.slowdown(mtbf, restart, calendar, detection) == pytest.approx(1 + each / mtbf)
    trains = theory.efficiency(900.0, mtbf, 60.0, restart, calendar)
    without = theory.efficiency(900.0, mtbf, 60.0, 0.0)
    assert trains == pytest.approx(without / theory.slowdown(mtbf, restart, calendar))


def test_restarts_that_nothing_interrupts_add_up_and_hopeless_ones_never_end() -> None:
    for detection in (0.0, 200.0):
        assert theory.slowdown(1000.0, 600.0, 0.0, detection) == pytest.approx(1.6)
    assert theory.slowdown(1.0, 1e6) == math.inf


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize(("calendar", "detection"), [*RESTARTS, (0.0, 0.0), (0.0, 200.0), (1.0, 5000.0)])
@pytest.mark.parametrize("blocks", [0.0, 20.0])
def test_a_share_is_reached_with_just_that_restart_and_just_that_mtbf(
    share: float, calendar: float, detection: float, blocks: float
) -> None:
    def best(mtbf: float, restart: float) -> float:
        saves = theory.efficiency(theory.optimal(mtbf, blocks), mtbf, blocks, 0.0) if blocks else 1.0
        return saves / theory.slowdown(mtbf, restart, calendar, min(detection, restart))

    restart = theory.restart_for(share, 1000.0, blocks, calendar, detection)
    assert restart is not None
    assert best(1000.0, restart) == pytest.approx(share, rel=1e-9)
    if detection < 300:
        rarest = theory.mtbf_for(share, blocks, 300.0, calendar, detection)
        assert best(rarest, 300.0) == pytest.approx(share, rel=1e-9)


def test_failures_strike_in_restarts_too_and_are_seen_at_once_unless_said_otherwise() -> None:
    """Then a restart R makes everything exp(R/M) times as long."""
    assert theory.slowdown(1000.0, 600.0) == pytest.approx(math.exp(0.6), rel=1e-12)
    saves = theory.efficiency(theory.optimal(1000.0, 20.0), 1000.0, 20.0, 0.0)
    assert theory.restart_for(saves * math.exp(-0.6), 1000.0, 20.0) == pytest.approx(600.0, rel=1e-9)
    for restart in (0.01, 0.5, 600.0, 1e6):
        assert theory.mtbf_for(0.5, 0.0, restart) == pytest.approx(restart / math.log(2), rel=1e-9)


def test_where_nothing_is_lost_any_mtbf_will_do() -> None:
    assert theory.mtbf_for(0.5, 0.0, 0.0) <= 1e-3


def test_no_restart_reaches_what_saves_alone_do_not() -> None:
    most = theory.efficiency(theory.optimal(1000.0, 20.0), 1000.0, 20.0, 0.0)
    assert theory.restart_for(most, 1000.0, 20.0) is None
    assert theory.restart_for(most - 1e-9, 1000.0, 20.0) == pytest.approx(0.0, abs=1e-4)
    assert theory.restart_for(1.0, 1000.0, 0.0) is None


@pytest.mark.parametrize("nodes", [1, 2])
def test_crews_are_the_servers_of_a_queue(nodes: int) -> None:
    """Three crews, two failures in repair at a time: M/M/3 with an offered load of 2."""
    kind = theory.Leaving(2.0, nodes=nodes, crews=3)
    shares = theory.nodes_away([kind], job=10**6, spares=10**6)
    weights = [1.0, 2.0, 2.0, *(4 / 3 * (2 / 3) ** more for more in range(5))]
    assert shares[::nodes][:8] == pytest.approx(np.array(weights) / 9, rel=1e-6)
    assert shares.sum() == pytest.approx(1.0)
    waiting = np.maximum(np.arange(0, len(shares), nodes) / nodes - 3, 0) @ shares[::nodes]
    always = theory.nodes_away([kind._replace(variation=0.0)], job=10**6, spares=10**6)
    even = np.maximum(np.arange(0, len(always), nodes) / nodes - 3, 0) @ always[::nodes]
    assert waiting == pytest.approx(8 / 9, rel=1e-6)  # Erlang's C for that load is 4/9
    assert even == pytest.approx(waiting / 2, rel=1e-6)


def test_kinds_with_and_without_crews_are_away_independently() -> None:
    crewed, free = theory.Leaving(0.6, crews=1), theory.Leaving(1.5)
    both = theory.nodes_away([crewed, free], job=10**6, spares=10**6)
    one, other = (theory.nodes_away([kind], job=10**6, spares=10**6) for kind in (crewed, free))
    assert both[:12] == pytest.approx(np.convolve(one, other)[:12], rel=1e-6)


@pytest.mark.parametrize(("load", "nodes"), [(1e-6, 9), (0.7, 9), (3.0, 1), (100.0, 9), (400.0, 4)])
def test_all_nodes_that_may_be_away_are_counted(load: float, nodes: int) -> None:
    """A Poisson number of failures with their nodes; too short a law would lose some of its mean."""
    shares = theory.nodes_away([theory.Leaving(load, nodes=nodes)], job=10**6, spares=10**6)
    numbers = np.arange(len(shares))
    mean = shares @ numbers
    assert mean == pytest.approx(load * nodes, rel=1e-9)
    assert shares @ (numbers - mean) ** 2 == pytest.approx(load * nodes**2, rel=1e-8)


@pytest.mark.parametrize("variation", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("load", [0.3, 0.95])
def test_all_nodes_that_may_wait_for_one_crew_are_counted(load: float, variation: float) -> None:
    """Pollaczek and Khinchine: L = r + r^2 (1 + v) / (2 (1 - r))."""
    kind = theory.Leaving(load, crews=1, variation=variation)
    shares = theory.nodes_away([kind], job=10**6, spares=10**6)
    mean = load + load**2 * (1 + variation) / 2 / (1 - load)
    assert shares @ np.arange(len(shares)) == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(
    ("kinds", "mean", "variance"),
    [
        ([theory.Leaving(3000.0)], 3000.0, 3000.0),
        ([theory.Leaving(3000.0, crews=10_000)], 3000.0, 3000.0),
        ([theory.Leaving(6e5), theory.Leaving(4e5, in_training=True)], 1e6, 1e6),
        ([theory.Leaving(2e4), theory.Leaving(1e3, nodes=8)], 28e3, 84e3),
        ([theory.Leaving(2e5), theory.Leaving(0.5, nodes=4, crews=1)], 200_004.0, 2e5 + 32.0),
    ],
)
def test_many_nodes_away_keep_their_law(kinds: list[theory.Leaving], mean: float, variance: float) -> None:
    """Weights of 3,000 nodes exceed what a float can hold; those of a million are 20,000 numbers."""
    shares = theory.nodes_away(kinds, job=10**9, spares=10**8)
    numbers = np.arange(len(shares))
    assert shares @ numbers == pytest.approx(mean, rel=1e-4)
    assert shares @ (numbers - mean) ** 2 == pytest.approx(variance, rel=1e-2)


@pytest.mark.parametrize("nodes", [1, 8])
def test_failures_in_training_end_where_nodes_are_missing(nodes: int) -> None:
    """Births and deaths one by one: spares for 400 failures; of 600 half strike while none is missing."""
    loads = [(300.0, False), (200.0, True), (100.0, True)]
    kinds = [theory.Leaving(load, nodes=nodes, in_training=training) for load, training in loads]
    shares = theory.nodes_away(kinds, job=1000 * nodes, spares=400 * nodes, idle_rate=0.5)
    away = np.arange(1400)
    pace = (1000 - np.maximum(away - 400, 0) + 0.5 * np.maximum(400 - away, 0)) / 1000
    logs = np.cumsum(np.log(np.where(away > 400, 300.0, 600.0) * pace / (away + 1)))
    exact = np.exp(np.concatenate(([0.0], logs)) - logs.max())
    exact /= exact.sum()
    found = shares[::nodes]
    assert found == pytest.approx(exact[: len(found)], rel=1e-9, abs=1e-18)
    assert found.sum() == pytest.approx(1.0)
    assert exact[len(found) :].sum() < 1e-12


def test_no_more_nodes_are_away_than_there_are() -> None:
    shares = theory.nodes_away([theory.Leaving(50.0)], job=4, spares=2)
    assert len(shares) == 7
    assert shares[6] > shares[5] > 0
    waiting = theory.nodes_away([theory.Leaving(0.6, crews=1)], job=4, spares=2)
    geometric = 0.6 ** np.arange(7)
    assert waiting == pytest.approx(geometric / geometric.sum())
    assert list(theory.nodes_away([], job=4, spares=2)) == [1.0]
    assert (
        len(theory.nodes_away([theory.Leaving(1e5), theory.Leaving(0.6, crews=1)], job=300, spares=0)) == 301
    )


def test_while_nodes_are_missing_fewer_fail_and_spares_fail_at_their_own_rate() -> None:
    """Births and deaths by hand: 2 nodes at work, 1 spare that fails half as often while it is idle."""
    shares = theory.nodes_away([theory.Leaving(0.6)], job=2, spares=1, idle_rate=0.5)
    weights = np.cumprod([1.0, 0.6 * 2.5 / 2, 0.6 / 2, 0.6 / 2 / 3])
    assert shares == pytest.approx(weights / weights.sum())
