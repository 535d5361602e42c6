"""Sources of failures: when they strike, what they hit, and what stands still."""

import math

import numpy as np
import pytest

from clustersim.records import SCOPES
from tests.unit.plant import DAY, Plant, aged


def test_units_of_equal_age_fail_at_one_instant_in_the_order_of_their_numbers() -> None:
    struck = Plant(aged(), gpus=24).run(until=10.5)
    assert struck == [(10.0, (0,)), (10.0, (1,)), (10.0, (2,))]


def test_each_gpu_has_an_age_and_strikes_the_slot_of_its_node() -> None:
    struck = Plant(aged(per="gpu", mtbf="80 d"), gpus=16).run(until=81.0)
    assert [slots for _, slots in struck] == [(0,)] * 8 + [(1,)] * 8


def test_a_rack_takes_its_nodes_at_once_and_only_those_of_the_job() -> None:
    struck = Plant(aged(per="rack"), gpus=48, nodes_per_rack=4).run(until=10.5)
    assert struck == [(10.0, (0, 1, 2, 3)), (10.0, (4, 5))]


def test_a_failed_node_is_not_struck_again() -> None:
    plant = Plant(aged(per="rack"), gpus=48, nodes_per_rack=4)
    plant.cluster.fail((1, 4, 5))
    assert plant.run(until=10.5) == [(10.0, (0, 2, 3))]


def test_a_node_does_not_age_while_it_is_away() -> None:
    plant = Plant(aged(), gpus=8)
    plant.env.run(until=4 * DAY)
    plant.cluster.fail((0,))
    away = plant.cluster.send_away((0,))
    plant.env.run(until=24 * DAY)
    plant.cluster.restore(away, (0,))
    assert plant.run(until=31.0) == [(30.0, (0,))]


def test_a_spare_takes_its_own_age_into_the_slot() -> None:
    plant = Plant(aged(), gpus=8, spares=1)
    plant.env.run(until=4 * DAY)
    plant.cluster.fail((0,))
    plant.cluster.send_away((0,))
    plant.cluster.fill(plant.env.now)
    assert plant.run(until=15.0) == [(14.0, (0,))]


def test_what_a_spare_has_lived_while_idle_is_its_share() -> None:
    plant = Plant(aged(), gpus=8, spares=1, spare_failures="50 %")
    plant.env.run(until=4 * DAY)
    plant.cluster.fail((0,))
    plant.cluster.send_away((0,))
    plant.cluster.fill(plant.env.now)
    assert plant.run(until=13.0) == [(4.0 + 8.0, (0,))]


def test_a_node_does_not_age_between_its_failure_and_its_leave() -> None:
    plant = Plant(aged(), gpus=8)
    plant.env.run(until=4 * DAY)
    plant.cluster.fail((0,))
    plant.env.run(until=7 * DAY)
    away = plant.cluster.send_away((0,))
    plant.cluster.restore(away, (0,))
    assert plant.run(until=14.0) == [(7.0 + 6.0, (0,))]


def test_cards_of_a_node_that_fail_at_one_instant_are_one_failure_and_all_repaired() -> None:
    plant = Plant(aged(per="gpu"), repairs=True, gpus=8)
    struck = plant.run(until=25.0)
    assert [now for now, _ in struck] == pytest.approx([10.0, 20.0 + 1 / 24])


def test_idle_spares_age_at_their_share() -> None:
    plant = Plant(aged(repair="1 h"), gpus=8, spares=2, spare_failures="25 %")
    plant.run(until=41.0)
    assert plant.spares == [(40 * DAY, 1), (40 * DAY, 2)]


def test_a_unit_that_is_not_renewed_is_as_old_as_it_was() -> None:
    lifetime = {"weibull": {"shape": 2}}
    renewed = Plant(aged(lifetime=lifetime, transient="100 %"), gpus=800).run(until=100.0)
    minimal = Plant(aged(lifetime=lifetime, transient="100 %", renews=False), gpus=800).run(until=100.0)
    # Minimal repair leaves a power-law process: expected count (t/scale)^shape per unit.
    scale = 10.0 / math.gamma(1.5)
    expected = 100 * (100.0 / scale) ** 2
    assert abs(len(minimal) - expected) < 4 * np.sqrt(expected)
    assert len(renewed) == pytest.approx(100 * 10, rel=0.1)


def test_the_strikes_of_units_that_age_are_numbered_one_after_the_other() -> None:
    plant = Plant(aged(), gpus=24)
    plant.run(until=21.0)
    assert [strike.ordinal for _, strike in plant.strikes] == [0, 1, 2, 3, 4, 5]


def test_what_is_on_the_training_clock_strikes_only_in_training() -> None:
    plant = Plant(
        aged(clock="training", per="cluster", repair=None, mtbf="10 d") | {"transient": "100 %"}, gpus=8
    )
    plant.env.run(until=5 * DAY)
    plant.training_begins()
    plant.env.run(until=12 * DAY)
    plant.training_ends()
    plant.env.run(until=20 * DAY)
    plant.training_begins()
    assert plant.run(until=24.0) == [(23.0, ())]


def test_a_cluster_that_ages_is_one_unit_whatever_spares_there_are() -> None:
    plant = Plant(aged(per="cluster", repair=None), gpus=8, spares=1, spare_failures="100 %")
    assert plant.run(until=10.5) == [(10.0, ())]


def test_rates_that_change_over_time() -> None:
    plant = Plant(aged(over_time={"0 d": 2, "3 d": 0.5}), gpus=8)
    assert plant.run(until=12.0) == [(11.0, (0,))]


def test_units_that_outlive_the_calendar_fail_where_their_own_time_passes_faster() -> None:
    assert Plant(aged(over_time={"0 d": 2}), days=6.0, gpus=8).run(until=5.5) == [(5.0, (0,))]


@pytest.mark.parametrize("per", ["node", "rack"])
def test_a_share_of_the_strikes_is_transient_and_reaches_no_further_than_the_job(per: str) -> None:
    mode = {"per": per, "mtbf": "1 d", "transient": "30 %", "repair": "1 h"}
    plant = Plant(mode, nodes_per_rack=1)
    plant.run(until=100.0)
    transient = [strike.transient for _, strike in plant.strikes]
    assert np.mean(transient) == pytest.approx(0.3, abs=4.5 * (0.21 / len(transient)) ** 0.5)
    reach = {strike.transient: SCOPES[strike.scope] for _, strike in plant.strikes}
    assert reach == {True: "job", False: per}


@pytest.mark.parametrize(("per", "units"), [("gpu", 64), ("node", 8), ("rack", 2), ("cluster", 1)])
def test_a_memoryless_mode_strikes_at_the_rate_of_all_its_units(per: str, units: int) -> None:
    mode = {"per": per, "mtbf": "1 d"}
    struck = Plant(mode, gpus=64, nodes_per_rack=4).run(until=400.0)
    assert abs(len(struck) - 400 * units) < 4.5 * np.sqrt(400 * units)
    hit = {slots for _, slots in struck}
    assert len(hit) == {"gpu": 8, "node": 8, "rack": 2, "cluster": 1}[per]


def test_a_strike_on_an_empty_slot_is_void_and_uses_up_its_index() -> None:
    mode = {"per": "node", "mtbf": "1 d"}
    whole, holed = Plant(mode), Plant(mode)
    holed.cluster.fail((3,))
    every, fewer = whole.run(until=50.0), holed.run(until=50.0)
    assert fewer == [strike for strike in every if strike[1] != (3,)]
    ordinals = [strike.ordinal for _, strike in holed.strikes]
    assert ordinals == [number for number, strike in enumerate(every) if strike[1] != (3,)]


@pytest.mark.parametrize(("per", "mtbf"), [("node", "1 d"), ("gpu", "8 d")])
def test_idle_spares_fail_from_streams_of_their_own(per: str, mtbf: str) -> None:
    mode = {"per": per, "mtbf": mtbf, "repair": "1 h"}
    bare, spared = Plant(mode), Plant(mode, spares=4, spare_failures="100 %")
    assert bare.run(until=50.0) == spared.run(until=50.0)
    assert abs(len(spared.spares) - 200) < 4.5 * np.sqrt(200)
