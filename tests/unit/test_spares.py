"""Idle spares: the order in which they serve is that of a plain list of them, and a billion cost nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.engine import spares as module
from clustersim.engine.cluster import Cluster
from clustersim.engine.replication import simulate
from clustersim.engine.spares import ChosenSpares, Domains, SharedSpares, UnusedSpares
from clustersim.scenario.model import Scenario

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FIRST = 6
"""The nodes of the job, in domains of two; the spares follow them."""


class PlainList:
    """The idle spares as they are described: a list, in the order in which they became idle."""

    def __init__(self, spares: int, domains: int, fewest_failures: bool) -> None:
        self.idle = list(range(FIRST, FIRST + spares))
        self.failures: Counter[int] = Counter()
        self._domains = domains
        self._fewest_failures = fewest_failures

    def domain(self, node: int) -> int:
        return node // 2 if node < FIRST else (node - FIRST) % self._domains

    def take(self, slot: int) -> int | None:
        able = [node for node in self.idle if self._domains == 1 or self.domain(node) == slot // 2]
        if not able:
            return None
        taken = min(able, key=lambda node: self.failures[node] if self._fewest_failures else 0)
        self.idle.remove(taken)
        return taken


@given(st.data(), st.integers(0, 40), st.sampled_from([1, 2, 5, 4096]), st.sampled_from(["", "any", "few"]))
def test_spares_serve_in_the_order_of_a_plain_list(
    data: st.DataObject, count: int, block: int, kind: str
) -> None:
    before, module.BLOCK = module.BLOCK, block
    try:
        domains = 3 if kind else 1
        plain = PlainList(count, domains, kind == "few")
        nodes = range(FIRST, FIRST + count)
        chosen = ChosenSpares(nodes, Domains(FIRST, FIRST // domains, domains), kind == "few")
        spares = chosen if kind else SharedSpares(nodes)
        away = [0, 3, 5]
        for _ in range(data.draw(st.integers(0, 60), "steps")):
            assert len(spares) == len(plain.idle)
            step = data.draw(st.sampled_from(["take", "strike", "return"]))
            if step == "take":
                slot = data.draw(st.integers(0, FIRST - 1))
                taken = spares.take(slot)
                assert taken == plain.take(slot)
                away += [] if taken is None else [taken]
            elif step == "strike":
                position = data.draw(st.integers(0, count))
                node = spares.at(position)
                assert node == (plain.idle[position] if position < len(plain.idle) else None)
                if node is not None:
                    spares.remove(node)
                    plain.idle.remove(node)
                    away.append(node)
            elif away:
                node = away.pop(data.draw(st.integers(0, len(away) - 1)))
                chosen.failed(node)
                plain.failures[node] += 1
                spares.add(node)
                plain.idle.append(node)
        assert [spares.at(position) for position in range(len(plain.idle))] == plain.idle
        for first in range(0, FIRST, 2) if kind else ():
            inside = [node for node in plain.idle if plain.domain(node) == first // 2]
            assert spares.bound_to(first, 2) == inside
    finally:
        module.BLOCK = before


def test_what_is_left_of_a_range() -> None:
    left = UnusedSpares(range(10, 20))
    for node in (11, 12, 15, 10):
        left.remove(node)
    assert (len(left), left.first, [left.at(position) for position in range(6)]) == (
        6,
        13,
        [13, 14, 16, 17, 18, 19],
    )
    assert [node in left for node in (9, 10, 12, 13, 15, 19, 20)] == [
        False,
        False,
        False,
        True,
        False,
        True,
        False,
    ]


HOSTILE = {
    "name": "a billion spares",
    "cluster": {"gpus": 64, "nodes_per_rack": 4, "spares": 999_999_999},
    "failures": {"any": {"per": "node", "mtbf": "1 d", "repair": "1 h"}},
    "checkpoint": "none",
    "simulation": {"horizon": "30 d"},
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"spares_within": "rack"},
        {"spare_choice": "fewest_failures"},
        {"spare_kind": "cold", "provision": "5 min"},
        {"spare_kind": "lent", "preempt": "5 min"},
        {"spare_failures": "0.00001 %"},
    ],
    ids=lambda more: ",".join(more),
)
def test_a_billion_idle_spares_take_no_memory(more: dict[str, str]) -> None:
    scenario = Scenario.model_validate(HOSTILE | {"cluster": HOSTILE["cluster"] | more})
    tracemalloc.start()
    try:
        records = simulate(scenario, 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert records.interruptions > 100
    assert peak < 10e6


def test_a_run_with_a_billion_spares_takes_as_much_memory_as_one_without() -> None:
    code = (
        "import json, sys\n"
        "from clustersim import Scenario\n"
        "from clustersim.engine.replication import simulate\n"
        "from timing import peak_megabytes\n"
        "simulate(Scenario.model_validate(json.loads(sys.argv[1])), 0)\n"
        "print(peak_megabytes())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(HOSTILE)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(BENCHMARKS), *sys.path])},
    )
    assert float(done.stdout) < 150


def test_a_place_without_spares_is_asked_once_for_all_its_empty_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    take = ChosenSpares.take

    def counted(self: ChosenSpares, slot: int) -> int | None:
        asked.append(slot)
        return take(self, slot)

    monkeypatch.setattr(ChosenSpares, "take", counted)
    cluster = Cluster(8, ChosenSpares(range(8, 11), Domains(8, 4, 2)))
    cluster.send_away([4, 0, 5, 6, 7])
    assert not cluster.fill(0.0)
    # Spares 8 and 10 serve the first four slots, of which one is empty, and 9 serves the others.
    assert asked == [4, 0, 5]
    assert (cluster.node(4), cluster.node(0), cluster.idle) == (9, 8, 1)
