"""Nodes that differ: lemons, relapses, faults that stay, repairs in parts, retirement, logs."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from clustersim.streams import Streams
from tests.unit.plant import DAY, Plant, aged

MEMORYLESS = {"per": "node", "mtbf": "10 d", "repair": "1 h"}


def lemons_of(plant: Plant, share: float) -> set[int]:
    """Return the nodes that the stream of lemons says are lemons."""
    spec = plant.scenario.cluster
    draws = Streams(1, 0)["mode/lemons"].random(spec.nodes + spec.spare_nodes)
    return set(np.flatnonzero(draws < share).tolist())


@pytest.mark.parametrize("lifetime", ["exponential", {"gamma": {"shape": 3}}])
def test_lemons_fail_so_many_times_as_often(lifetime: Any) -> None:
    mode = MEMORYLESS | {"lifetime": lifetime, "lemons": {"share": "20 %", "factor": 5}}
    plant = Plant(mode, repairs=True, gpus=800, days=500.0)
    plant.run(until=500.0)
    lemons, struck = lemons_of(plant, 0.2), Counter(plant.nodes)
    of_lemons = sum(struck[node] for node in lemons) / len(lemons)
    of_others = sum(struck[node] for node in range(100) if node not in lemons) / (100 - len(lemons))
    assert (of_lemons, of_others) == (pytest.approx(250, rel=0.05), pytest.approx(50, rel=0.05))


def test_a_lemon_that_ages_lives_so_many_times_shorter_and_so_it_does_after_repair() -> None:
    plant = Plant(aged(lemons={"share": "50 %", "factor": 5}), repairs=True)
    struck = plant.run(until=6.5)
    life = 10 / 5 + 1 / 24
    lemons = lemons_of(plant, 0.5)
    assert 0 < len(lemons) < 8
    assert sorted(slots for _, slots in struck) == sorted((node,) for node in lemons for _ in range(3))
    assert [now for now, _ in struck[:: len(lemons)]] == pytest.approx([2, 2 + life, 2 + 2 * life])
    others = [slots[0] for now, slots in plant.run(until=10.1) if now == 10.0]
    assert sorted([*lemons, *others]) == list(range(8))


def test_all_cards_of_a_lemon_age_faster() -> None:
    plant = Plant(aged(per="gpu", lemons={"share": "50 %", "factor": 5}, transient="100 %", repair=None))
    struck = plant.run(until=2.5)
    assert sorted(slots[0] for _, slots in struck) == sorted(8 * list(lemons_of(plant, 0.5)))


@pytest.mark.parametrize(("factor", "more"), [(1, False), (1.5, True)])
def test_a_lemon_strikes_beyond_what_strikes_every_node_by_its_factor(factor: float, more: bool) -> None:
    plant = Plant(MEMORYLESS | {"lemons": {"share": "50 %", "factor": factor}})
    plant.run(until=200.0)
    assert ("mode/lemon" in plant.origins()) == more


def test_an_idle_lemon_that_ages_does_so_at_its_share() -> None:
    plant = Plant(aged(lemons={"share": "99.9 %", "factor": 5}), gpus=8, spares=2, spare_failures="20 %")
    plant.run(until=10.5)
    assert plant.spares == [(10 * DAY, 1), (10 * DAY, 2)]


def test_lemons_strike_beside_what_strikes_every_node() -> None:
    plain, sour = Plant(MEMORYLESS), Plant(MEMORYLESS | {"lemons": {"share": "50 %", "factor": 3}})
    plain.run(until=50.0)
    sour.run(until=50.0)
    own = [pair for pair, origin in zip(sour.strikes, sour.origins(), strict=True) if origin == "mode"]
    assert str(own) == str(plain.strikes)
    assert len(sour.strikes) > len(own)
    assert set(sour.origins()) == {"mode", "mode/lemon"}


def test_idle_lemons_fail_at_the_share_of_spares() -> None:
    mode = MEMORYLESS | {"lemons": {"share": "99.9 %", "factor": 11}}
    for share in (0.1, 0.5):
        plant = Plant(mode, spares=4, spare_failures=f"{100 * share:g} %")
        plant.run(until=200.0)
        expected = 4 * 20 * 11 * share
        assert abs(len(plant.spares) - expected) < 4.5 * expected**0.5


def test_a_share_of_the_repaired_nodes_fails_again_soon() -> None:
    mode = MEMORYLESS | {"relapse": {"probability": "30 %", "within": "2 h"}}
    plant = Plant(mode, repairs=True, gpus=800)
    plant.run(until=400.0)
    again = [pair for pair, origin in zip(plant.strikes, plant.origins(), strict=True) if "relapse" in origin]
    returns = sum(len(nodes) for _, nodes in plant.back)
    assert len(again) / returns == pytest.approx(0.3, abs=4.5 * (0.21 / returns) ** 0.5)
    back = [now for now, _ in plant.back]
    delays = [now - max(other for other in back if other <= now) for now, _ in again[:200]]
    assert max(delays) <= 2 * 3600


def test_a_relapse_comes_at_any_time_within_what_is_given() -> None:
    mode = MEMORYLESS | {"relapse": {"probability": "30 %", "within": "2 min"}}
    plant = Plant(mode, repairs=True, gpus=800)
    plant.run(until=100.0)
    back = np.array([now for now, _ in plant.back])
    struck = zip(plant.strikes, plant.origins(), strict=True)
    delays = [now - back[back <= now].max() for (now, _), origin in struck if "relapse" in origin]
    assert np.mean(delays) == pytest.approx(60, abs=4.5 * 120 / (12 * len(delays)) ** 0.5)


def test_what_relapses_is_a_node_and_not_a_slot() -> None:
    mode = aged(relapse={"probability": "99 %", "within": "1 d"})
    plant = Plant(mode, repairs=True, gpus=8, spares=1)
    plant.run(until=11.5)
    assert {node for _, node in plant.spares} == {0}
    assert 10 * DAY < plant.spares[0][0] <= (11 + 1 / 24) * DAY


def failures_of(plant: Plant, until: float) -> list[tuple[float, int, str]]:
    """Return when which node failed, and why, until the instant *until* (days)."""
    plant.run(until)
    return [
        (now / DAY, node, origin)
        for (now, _), node, origin in zip(plant.strikes, plant.nodes, plant.origins(), strict=True)
    ]


def test_a_missed_diagnosis_leaves_the_fault_until_training_has_added_up_to_so_long() -> None:
    recovery = {"missed": "99.99 %", "recurs_after": "1 d", "stages": {"detect": "1 min"}}
    plant = Plant(aged(), repairs=True, recovery=recovery, gpus=8)
    plant.env.run(until=12 * DAY)
    assert (plant.cluster.is_at_work(0), plant.cluster.away) == (True, 0)
    plant.training_begins()
    plant.env.run(until=12.5 * DAY)
    plant.training_ends()
    plant.env.run(until=13 * DAY)
    plant.training_begins()
    assert failures_of(plant, 14.5) == [(10.0, 0, "mode"), (13.5, 0, "mode/recurrence")]


MISSED = {"missed": "99.99 %", "stages": {"detect": "1 min"}}


def test_a_fault_that_is_due_as_training_ends_still_shows() -> None:
    plant = Plant(aged(), repairs=True, recovery=MISSED | {"recurs_after": "1 d"}, gpus=8)
    plant.env.run(until=12 * DAY)
    plant.training_begins()
    plant.env.run(until=13 * DAY)
    plant.training_ends()
    assert failures_of(plant, 13.5)[1:] == [(13.0, 0, "mode/recurrence")]


def test_a_fault_that_is_due_at_the_horizon_still_shows() -> None:
    plant = Plant(aged(), days=13.0, repairs=True, recovery=MISSED | {"recurs_after": "1 d"}, gpus=8)
    plant.env.run(until=12 * DAY)
    plant.training_begins()
    assert failures_of(plant, 13.5)[1:] == [(13.0, 0, "mode/recurrence")]


def test_a_new_failure_comes_before_an_old_fault_of_the_same_instant() -> None:
    plant = Plant(aged(), repairs=True, recovery=MISSED | {"recurs_after": "8 d"}, gpus=16)
    plant.env.run(until=12 * DAY)
    plant.training_begins()
    plant.env.run(until=20 * DAY)
    plant.training_ends()
    plant.run(until=20.5)
    assert plant.origins()[2:] == ["mode", "mode", "mode/recurrence", "mode/recurrence"]


def test_every_fault_shows_after_a_time_of_its_own_and_strikes_under_a_number_of_its_own() -> None:
    law = {"exponential": {"mean": "1 h"}}
    plant = Plant(aged(), repairs=True, recovery=MISSED | {"recurs_after": law}, gpus=32)
    plant.env.run(until=11 * DAY)
    plant.training_begins()
    plant.run(until=11.5)
    again = [(now, strike.ordinal) for now, strike in plant.strikes if now > 10.5 * DAY]
    assert len({now for now, _ in again}) == len(again)
    assert {0, 1, 2, 3} <= {ordinal for _, ordinal in again}


def test_a_fault_shows_only_in_a_group_that_trains() -> None:
    recovery = {"missed": "99.99 %", "replicas": 2, "stages": {"detect": "1 min"}}
    plant = Plant(aged(), repairs=True, recovery=recovery, gpus=16)
    plant.env.run(until=12 * DAY)
    plant.training_begins(lambda group: group == 1)
    found = failures_of(plant, 13.0)
    assert [node for _, node, origin in found if origin == "mode/recurrence"] == [1]


def test_a_wrong_diagnosis_sends_an_innocent_node_away() -> None:
    recovery = {"misdiagnosis": "99.99 %", "stages": {"detect": "1 min"}}
    plant = Plant(aged(mtbf="100 d", ages="steady", repair="3 d"), repairs=True, recovery=recovery)
    plant.env.run(until=50 * DAY)
    assert len(plant.strikes) > 2
    culprits, sent = plant.nodes, {node for _, nodes in plant.back for node in nodes}
    assert sent
    assert sent.isdisjoint(culprits[:1])
    assert all(plant.cluster.is_at_work(node) for node in culprits[:1])


def test_a_repair_in_vain_brings_a_faulty_node_back() -> None:
    mode = aged(repair={"constant": "1 h", "false_fix": "99.99 %"})
    plant = Plant(mode, repairs=True, gpus=8)
    plant.env.run(until=11 * DAY)
    plant.training_begins()
    plant.env.run(until=11.01 * DAY)
    assert failures_of(plant, 11.02) == [(10.0, 0, "mode"), (11.0, 0, "mode/recurrence")]


def test_a_sound_repair_clears_the_fault() -> None:
    mode = aged(repair={"constant": "1 h", "false_fix": "1 %"})
    plant = Plant(mode, repairs=True, gpus=8)
    plant.env.run(until=11 * DAY)
    plant.training_begins()
    assert failures_of(plant, 12.0) == [(10.0, 0, "mode")]


def test_a_node_retires_after_so_many_failures_in_the_window() -> None:
    plant = Plant(aged(), repairs=True, recovery={"retire": {"after": 3, "within": "41 d"}}, gpus=8, spares=1)
    plant.run(until=100.0)
    assert plant.nodes == [0, 1, 0, 1, 0, 1]
    assert (plant.cluster.idle, plant.cluster.away, plant.cluster.missing()) == (0, 0, 1)


def test_the_window_forgets_what_lies_long_ago() -> None:
    plant = Plant(aged(), repairs=True, recovery={"retire": {"after": 2, "within": "9 d"}}, gpus=8)
    plant.run(until=100.0)
    assert len(plant.strikes) == 9


@pytest.mark.parametrize(("half_life", "strikes"), [("1 d", 9), ("10 d", 2)])
def test_a_node_retires_by_its_score(half_life: str, strikes: int) -> None:
    plant = Plant(aged(), repairs=True, recovery={"retire": {"score": 1.4, "half_life": half_life}}, gpus=8)
    plant.run(until=100.0)
    assert len(plant.strikes) == strikes


def test_a_new_node_comes_for_one_that_retires_and_is_as_new() -> None:
    recovery = {"retire": {"after": 1, "within": "9 d", "replacement": "5 d"}}
    plant = Plant(aged(), repairs=True, recovery=recovery, gpus=8)
    struck = plant.run(until=40.0)
    hour = 1 / 24
    assert [now for now, _ in struck] == pytest.approx([10, 25 + hour])
    assert plant.nodes == [0, 1]
    assert [nodes for _, nodes in plant.back] == [(), (1,), (), (2,)]
    assert [now / DAY for now, _ in plant.back] == pytest.approx(
        [10 + hour, 15 + hour, 25 + 2 * hour, 30 + 2 * hour]
    )


@pytest.mark.parametrize(("choice", "taken"), [("any", 2), ("fewest_failures", 3)])
def test_which_spare_is_taken(choice: str, taken: int) -> None:
    plant = Plant(MEMORYLESS, gpus=16, spares=2, spare_choice=choice)
    for node in (2, 2, 3):
        plant.cluster.withdraw(node)
        plant.cluster.restore((node,))
    plant.cluster.fail((0,))
    plant.cluster.send_away((0,))
    plant.cluster.fill(0.0)
    assert plant.cluster.node(0) == taken


def test_a_log_strikes_nodes_wherever_they_are() -> None:
    rows = [
        {"time": "1 h", "node": 1, "repair": "10 h"},
        {"time": "2 h", "node": 2, "repair": "1 h"},
        {"time": "3 h", "node": 1, "repair": "1 h"},
        {"time": "4 h"},
        {"time": "5 h", "node": 0},
        {"time": "20 h", "node": 1, "repair": "30 min"},
    ]
    plant = Plant({"replay": rows}, repairs=True, gpus=16, spares=1)
    plant.run(until=2.0)
    hits = [(now / 3600, strike.ordinal, strike.transient) for now, strike in plant.strikes]
    assert hits == [(1.0, 0, False), (2.0, 1, False), (4.0, 3, True), (5.0, 4, True)]
    assert plant.nodes == [1, 2, 0]
    assert [(now / 3600, node) for now, node in plant.spares] == [(20.0, 1)]
    assert [(now / 3600, nodes) for now, nodes in plant.back] == [(3.0, (2,)), (11.0, (1,)), (20.5, (1,))]


def test_a_scenario_that_asks_for_nothing_has_none_of_it() -> None:
    plant = Plant(MEMORYLESS)
    assert (plant.failures.relapses, plant.failures.latent_faults) == ({}, None)


def test_a_fault_takes_down_what_its_mode_takes_down() -> None:
    mode = aged(per="rack", repair={"constant": "1 h", "false_fix": "99.99 %"})
    plant = Plant(mode, repairs=True, gpus=32, nodes_per_rack=2)
    plant.env.run(until=10.5 * DAY)
    plant.training_begins()
    plant.run(until=10.5001)
    assert plant.origins()[:3] == ["mode", "mode", "mode/recurrence"]
    assert [tuple(strike.slots) for _, strike in plant.strikes][:3] == [(0, 1), (2, 3), (0, 1)]
