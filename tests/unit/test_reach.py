"""What goes down together: domains, neighbours, the spares of a rack; how far a failure is said to reach."""

from typing import Any

import pytest

from clustersim.records import SCOPES
from tests.unit.plant import Plant, aged

RACKS = {"gpus": 96, "nodes_per_rack": 2, "racks_per_pod": 3}


def struck(mode: dict[str, Any], **cluster: Any) -> list[tuple[tuple[int, ...], str]]:
    """Return the slots and the scope of the first strikes of units that all fail after ten days."""
    plant = Plant(mode, **(RACKS | cluster))
    plant.run(until=10.5)
    return [(tuple(strike.slots), SCOPES[strike.scope]) for _, strike in plant.strikes]


@pytest.mark.parametrize(
    ("mode", "slots", "scope"),
    [
        (aged(), (0,), "node"),
        (aged(per="gpu"), (0,), "gpu"),
        (aged(per="gpu", takes_down="node"), (0,), "node"),
        (aged(takes_down="rack"), (0, 1), "rack"),
        (aged(takes_down="pod"), (0, 1, 2, 3, 4, 5), "pod"),
        (aged(takes_down="job"), tuple(range(12)), "cluster"),
        (aged(per="rack"), (0, 1), "rack"),
        (aged(per="rack", takes_down="pod"), (0, 1, 2, 3, 4, 5), "pod"),
        (aged(per="rack", repair=None), (0, 1), "job"),
        (aged(per="cluster", repair=None), (), "cluster"),
        (aged(per="job", clock="calendar", repair=None), (), "job"),
    ],
)
def test_what_goes_down_and_how_far_that_reaches(mode: dict[str, Any], slots: Any, scope: str) -> None:
    assert struck({key: value for key, value in mode.items() if value is not None})[0] == (slots, scope)


def test_a_share_of_the_failures_spreads_to_the_neighbours() -> None:
    mode = {"per": "node", "mtbf": "12 d", "repair": "1 h"}
    plant = Plant(mode | {"spreads": {"to": "rack", "probability": "25 %"}}, **RACKS)
    plant.run(until=400.0)
    wide = [strike for _, strike in plant.strikes if len(strike.slots) > 1]
    assert all(SCOPES[strike.scope] == "rack" and strike.slots[0] % 2 == 0 for strike in wide)
    assert all(SCOPES[strike.scope] == "node" for _, strike in plant.strikes if len(strike.slots) == 1)
    assert len(wide) / len(plant.strikes) == pytest.approx(0.25, abs=4.5 * (0.19 / len(plant.strikes)) ** 0.5)


def test_what_spreads_strikes_what_it_would_have_struck_alone() -> None:
    mode = {"per": "node", "mtbf": "12 d", "repair": "1 h"}
    alone, wide = (
        Plant(mode, **RACKS),
        Plant(mode | {"spreads": {"to": "pod", "probability": "40 %"}}, **RACKS),
    )
    alone.run(until=50.0)
    wide.run(until=50.0)
    assert [now for now, _ in alone.strikes] == [now for now, _ in wide.strikes]
    pairs = zip(alone.strikes, wide.strikes, strict=True)
    assert all(set(one.slots) <= set(other.slots) for (_, one), (_, other) in pairs)


def test_a_rack_takes_its_own_idle_spares_with_it_and_no_others() -> None:
    plant = Plant(aged(per="rack"), spares=6, spares_within="rack", **RACKS)
    plant.run(until=10.5)
    assert [node for _, node in plant.spares] == [12, 13, 14, 15, 16, 17]
    shared = Plant(aged(per="rack"), spares=6, **RACKS)
    shared.run(until=10.5)
    assert shared.spares == []


def test_the_spares_of_a_pod_are_not_those_of_a_rack() -> None:
    racks, pods = (Plant(aged(per=per), spares=2, spares_within="pod", **RACKS) for per in ("rack", "pod"))
    racks.run(until=10.5)
    pods.run(until=10.5)
    assert (racks.spares, [node for _, node in pods.spares]) == ([], [12, 13])


def test_spares_are_struck_before_the_job_could_take_them() -> None:
    plant = Plant(aged(per="rack"), gpus=16, nodes_per_rack=2, spares=1, spares_within="rack")
    order: list[str] = []
    plant.spares, plant.strikes = Noted(order, "spare"), Noted(order, "job")
    plant.run(until=10.5)
    assert order == ["spare", "job"]


class Noted(list[Any]):
    """A list that notes in *order* when something was added to it."""

    def __init__(self, order: list[str], name: str) -> None:
        super().__init__()
        self._order = order
        self._name = name

    def append(self, item: Any) -> None:
        self._order.append(self._name)
        super().append(item)


def test_a_rack_of_two_replicas_takes_both_with_it() -> None:
    cluster = {"gpus": 96, "nodes_per_rack": 8}
    plant = Plant(aged(per="rack", takes_down="replica"), recovery={"replicas": 3}, **cluster)
    plant.run(until=10.5)
    assert [(tuple(strike.slots), SCOPES[strike.scope]) for _, strike in plant.strikes] == [
        (tuple(range(8)), "replica"),
        (tuple(range(8, 12)), "replica"),
    ]


def test_a_rack_of_one_node_takes_its_bound_spare_with_it() -> None:
    plant = Plant(aged(takes_down="rack"), gpus=16, nodes_per_rack=1, spares=2, spares_within="rack")
    plant.run(until=10.5)
    assert plant.spares


def test_a_strike_does_not_spread_to_a_rack_that_holds_no_more() -> None:
    mode = {"per": "node", "mtbf": "1 d", "repair": "1 h", "spreads": {"to": "rack", "probability": "99 %"}}
    plant = Plant(mode, gpus=16, nodes_per_rack=1)
    plant.run(until=20.0)
    assert {SCOPES[strike.scope] for _, strike in plant.strikes} == {"node"}
