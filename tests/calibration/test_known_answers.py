"""The exact answers of the calibration, against other ways to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_answers import Plant

from clustersim import theory
from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from tests.theory.z import assert_z, mean_se

PLANTS = [
    Plant(mtbf=100.0, interval=30.0, blocks=4.0, restart=20.0, horizon=250.0),
    Plant(mtbf=100.0, interval=30.0, blocks=4.0, restart=70.0, horizon=60.0),
    Plant(mtbf=100.0, interval=30.0, blocks=4.0, restart=20.0, horizon=250.0, random_restart=True),
]


@pytest.mark.parametrize("blocks", [30.0, 300.0])
def test_over_a_long_run_they_are_dalys(blocks: float) -> None:
    plant = Plant(blocks=blocks, horizon=1e4 * 3600.0)
    long_run = theory.efficiency(plant.interval, plant.mtbf, blocks, plant.restart)
    assert plant.ettr == pytest.approx(long_run, abs=5e-5)


def test_without_failures_whole_cycles_give_the_share() -> None:
    plant = Plant(mtbf=1e15, interval=50.0, blocks=10.0, horizon=600.0)
    assert plant.ettr == pytest.approx(5 / 6)
    assert plant.answers()["ledger.checkpoint"] == pytest.approx(1 / 6)


def test_a_run_shorter_than_an_interval_keeps_all_or_nothing() -> None:
    plant = Plant(mtbf=100.0, interval=1000.0, restart=1000.0, horizon=40.0)
    assert plant.ettr == pytest.approx(np.exp(-0.4))


@pytest.mark.parametrize("plant", PLANTS, ids=range(len(PLANTS)))
def test_they_solve_the_renewal_equation(plant: Plant) -> None:
    """U(h), the work expected of a job that begins to train with h seconds left, on a grid of instants.

    Conditioned on the first failure, and on what ends the recovery, instead of on the density of stretches.
    """
    step = plant.horizon / 3000
    grid = np.arange(3001) * step
    cycle = plant.interval + plant.blocks
    saved = plant.interval * np.floor(grid / cycle)
    useful = saved + np.minimum(grid % cycle, plant.interval)
    fails = -np.diff(np.exp(-np.append(grid, grid[-1] + step) / plant.mtbf))
    trains, down = np.zeros_like(grid), np.zeros_like(grid)
    for n, left in enumerate(grid):
        failed = saved[:n] + down[1 : n + 1][::-1]
        trains[n] = np.exp(-left / plant.mtbf) * useful[n] + (fails[:n] * failed).sum()
        down[n] = _recovering(plant, n, step, trains, down, fails)
    assert trains[-1] / plant.horizon == pytest.approx(plant.ettr, rel=0.01)


def _recovering(
    plant: Plant, n: int, step: float, trains: np.ndarray, down: np.ndarray, fails: np.ndarray
) -> float:
    """Return the work expected of a job that has just failed, with n steps left."""
    if plant.random_restart:
        ends = -np.diff(np.exp(-np.arange(n + 1) * step / plant.restart))
        return float((ends * trains[n:0:-1]).sum())
    restart = round(plant.restart / step)
    again = down[:n][::-1][:restart]
    unbroken = float(np.exp(-plant.restart / plant.mtbf) * trains[n - restart]) if n >= restart else 0.0
    return float((fails[: again.size] * again).sum()) + unbroken


@pytest.mark.parametrize("plant", PLANTS, ids=range(len(PLANTS)))
def test_the_engine_agrees(plant: Plant) -> None:
    scenario = Scenario.model_validate(plant.document(5, replications=400))
    records = [simulate(scenario, number) for number in range(400)]
    answers = plant.answers()
    days = plant.horizon / 86_400
    share, error = mean_se(one.ettr for one in records)
    assert_z(share, answers["ettr"], error, cases=6)
    rate, error = mean_se(one.interruptions / days for one in records)
    assert_z(rate, answers["interruptions_per_day"], error, cases=6)


def test_answers_add_up() -> None:
    answers = PLANTS[0].answers()
    shares = sum(answers[path] for path in ("ettr", "ledger.lost", "ledger.checkpoint", "ledger.recovery"))
    assert shares == pytest.approx(1)
    assert answers["availability"] == pytest.approx(answers["ettr"] + answers["ledger.lost"])
    assert replace(PLANTS[0], blocks=0.0).answers()["ledger.checkpoint"] == pytest.approx(0, abs=1e-12)
