"""Repair shops: times, crews and the queue."""

import simpy

from clustersim.engine.journal import NOBODY
from clustersim.engine.origins import Origins
from clustersim.engine.repair.shop import EndOfRepair, RepairOrder, RepairShop
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams

BLOCKS = {
    "name": "shop",
    "cluster": {"gpus": 64},
    "checkpoint": "none",
    "simulation": {"horizon": "1 d"},
}
Back = list[tuple[float, tuple[int, ...]]]


def shop(repair: object) -> tuple[simpy.Environment, RepairShop, Back]:
    """Return an empty shop with the list of what comes back, and when."""
    env, back = simpy.Environment(), []
    return env, shop_in(env, repair, back), back


def shop_in(env: simpy.Environment, repair: object, back: Back, mode: int = 0) -> RepairShop:
    """Return an empty shop of the *mode* of that number, which notes in *back* what comes back, and when."""
    modes = {"mode": {"per": "node", "mtbf": "1 d", "repair": repair}}
    scenario = Scenario.model_validate(BLOCKS | {"failures": modes})
    plan = scenario.failures["mode"].repair_plan
    assert plan is not None
    return RepairShop(env, Origins(scenario, Streams(1, 0)), mode, plan, None, noted(env, back))


def noted(env: simpy.Environment, back: Back) -> EndOfRepair:
    """Return what notes in *back* the nodes that come back, and when."""

    def note(repair: RepairOrder, phase: int) -> None:
        back.append((env.now, tuple(repair.nodes)))

    return note


def broken(ordinal: int, *nodes: int) -> RepairOrder:
    return RepairOrder(nodes, Failure(0, ordinal, (), False, origin=0, scope=2), NOBODY)


def test_without_crews_every_repair_begins_at_once() -> None:
    env, repairs, back = shop("100 s")
    repairs.enqueue(broken(0, 1))
    repairs.enqueue(broken(1, 2))
    env.run()
    assert back == [(100.0, (1,)), (100.0, (2,))]


def test_crews_take_incidents_first_come_first_served() -> None:
    env, repairs, back = shop({"constant": "100 s", "crews": 2})
    for number in range(5):
        repairs.enqueue(broken(number, number))
    env.run()
    assert back == [(100.0, (0,)), (100.0, (1,)), (200.0, (2,)), (200.0, (3,)), (300.0, (4,))]


def test_a_crew_that_was_idle_takes_the_next_incident() -> None:
    env, repairs, back = shop({"constant": "100 s", "crews": 1})
    repairs.enqueue(broken(0, 0))
    env.run(until=250.0)
    repairs.enqueue(broken(1, 1))
    env.run()
    assert back == [(100.0, (0,)), (350.0, (1,))]


def test_the_nodes_of_an_incident_come_back_together() -> None:
    env, repairs, back = shop({"exponential": {"mean": "1 h"}, "crews": 1})
    repairs.enqueue(broken(0, 4, 5, 6))
    env.run()
    assert [nodes for _, nodes in back] == [(4, 5, 6)]


def test_a_repair_time_belongs_to_the_incident_not_to_the_order_of_calls() -> None:
    times = []
    for order in ((0, 1), (1, 0)):
        env, repairs, back = shop({"exponential": {"mean": "1 h"}})
        for index in order:
            repairs.enqueue(broken(index, index))
        env.run()
        times.append(sorted(back))
    assert times[0] == times[1]


def test_shops_whose_repairs_end_at_one_instant_take_turns_by_their_modes() -> None:
    env, first, back = shop("40 s")
    second = shop_in(env, "100 s", back, mode=1)
    second.enqueue(broken(0, 7))
    env.run(until=60.0)
    first.enqueue(broken(0, 1))
    first.enqueue(broken(1, 2))
    env.run()
    assert back == [(100.0, (1,)), (100.0, (2,)), (100.0, (7,))]


PIPELINE = {"automatic": "10 s", "escalates": "100 %", "manual": "100 s", "crews": 1}


def test_the_crews_of_a_pipeline_work_on_the_manual_part() -> None:
    env, repairs, back = shop(PIPELINE)
    for number in range(3):
        repairs.enqueue(broken(number, number))
    env.run()
    assert back == [(110.0, (0,)), (210.0, (1,)), (310.0, (2,))]


def test_what_does_not_escalate_is_back_after_the_automatic_part() -> None:
    env, repairs, back = shop(PIPELINE | {"escalates": "30 %", "crews": 1000})
    for number in range(1000):
        repairs.enqueue(broken(number, number))
    env.run()
    escalated = [nodes for now, nodes in back if now == 110.0]
    assert len(back) == 1000
    assert {now for now, _ in back} == {10.0, 110.0}
    assert abs(len(escalated) - 300) < 4.5 * 210**0.5


def test_a_repair_of_a_log_lasts_as_long_as_the_log_says() -> None:
    rows = [{"time": "1 h", "node": 1, "repair": "3 h"}, {"time": "2 h", "node": 2, "repair": "1 h"}]
    env, back = simpy.Environment(), []
    scenario = Scenario.model_validate(BLOCKS | {"failures": {"mode": {"replay": rows}}})
    spec = scenario.failures["mode"]
    assert spec.repair_plan is not None
    origins, note = Origins(scenario, Streams(1, 0)), noted(env, back)
    repairs = RepairShop(env, origins, 0, spec.repair_plan, spec.recorded, note)
    repairs.enqueue(broken(0, 1))
    repairs.enqueue(broken(1, 2))
    env.run()
    assert back == [(3600.0, (2,)), (3 * 3600.0, (1,))]
