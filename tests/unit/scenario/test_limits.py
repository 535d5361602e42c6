"""Whatever costs memory or time has a limit that the file's check knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clustersim.scenario import ScenarioError, loads
from clustersim.scenario.describe import describe
from clustersim.scenario.json_schema import schema
from clustersim.scenario.keys.blocks import MOST_GUESSES, MOST_NAMES
from clustersim.scenario.loading import variant
from clustersim.scenario.rates import spare_events
from clustersim.scenario.trials import MOST_TRIED
from clustersim.studies.offers import offers, times
from clustersim.studies.search import limits

SMALL = """
name: small
cluster: {gpus: 8}
failures: {a: {per: node, mtbf: 5 d}}
checkpoint: {interval: 1 h, blocks: 1 s}
simulation: {horizon: 1 d}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    return list(map(str, caught.value.problems))


def levers(count: int) -> str:
    return "levers:\n" + "".join(f"  l{number}: {{failures.a.mtbf: 9 d}}\n" for number in range(count))


def test_thousands_of_levers_are_refused_before_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.trials.Trials", None)
    (problem,) = faults(SMALL + levers(2500))
    assert problem.startswith("<text>:7:1: levers: 2_500 entries")


MODES = "".join(f"  m{number}: {{per: node, mtbf: 9 y}}\n" for number in range(1000)).replace("m0:", "a:")
ROWS = (
    '  a: {per: node, replay: "time_s,node\\n' + "".join(f"{number},0\\n" for number in range(1000)) + '"}\n'
)


@pytest.mark.parametrize(("failures", "values"), [(MODES, 3000 + 10), (ROWS, 1000 / 10 + 3 + 10)])
def test_a_large_scenario_has_room_for_fewer_levers(
    failures: str, values: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of a log counts as a tenth of a value, each block as one."""
    monkeypatch.setattr("clustersim.scenario.trials.MOST_TRIED", MOST_TRIED // 20)
    text = SMALL.replace("failures: {a: {per: node, mtbf: 5 d}}", f"failures:\n{failures}")
    (fault,) = faults(text + levers(100))
    room = int(MOST_TRIED / 20 / values)
    assert f": levers.l{room}: {room} changes" in fault


def test_the_last_lever_that_there_is_room_for_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.trials.MOST_TRIED", 3 + 10)
    wrong, more = faults(SMALL + levers(2).replace("9 d", "9", 1))
    assert ": levers.l0.failures.a.mtbf: 9 has no unit" in wrong
    assert ": levers.l1: 1 changes of so large a scenario can be tried" in more


RECORDED = 'a: {replay: "time_s\\n' + "".join(f"{number}\\n" for number in range(110)) + '"}'


@pytest.mark.parametrize(
    ("mode", "values"), [("a: {per: node, mtbf: 5 d}", 13), (RECORDED, 13 - 2 + 1 + 110 / 10)]
)
def test_levers_are_tried_as_long_as_there_is_room_for_all_values(
    mode: str, values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("a: {per: node, mtbf: 5 d}", mode) + levers(4).replace("9 d", "9")
    for count, room in ((2 * values, 2), (2 * values - 1, 1), (values - 1, 0)):
        monkeypatch.setattr("clustersim.scenario.trials.MOST_TRIED", count)
        *tried, full = faults(text)
        assert [fault.partition("levers.")[2][:2] for fault in tried] == [
            f"l{number}" for number in range(room)
        ]
        assert f": levers.l{room}: {room} changes of so large" in full


def test_a_claim_tries_no_more_values_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.trials.MOST_TRIED", 150)
    tried = ", ".join(f"{number} s" for number in range(1, 100))
    claim = (
        f"{{says: x, kind: control, figure: ettr, at_least: 9 %, unknown: {{checkpoint.blocks: [{tried}]}}}}"
    )
    (fault,) = faults(f"{SMALL}published: {{source: us, claims: {{a: {claim}}}}}\n")
    assert "changes of so large a scenario can be tried; give fewer" in fault
    assert ": published.claims.a.unknown.checkpoint.blocks." in fault


def test_only_the_first_of_many_unknown_names_are_compared_with_all_that_there_are() -> None:
    for block, what in (("sources", "no such value in this scenario"), ("expect", "no such metric")):
        unknown = "".join(f'  failures.b{number}.mtbf: ">= 1"\n' for number in range(2 * MOST_GUESSES))
        found = faults(f"{SMALL}{block}:\n{unknown}")
        assert len(found) == 2 * MOST_GUESSES
        assert all(what in fault for fault in found)
        assert all("take it out, or correct its name" in fault for fault in found[MOST_GUESSES:])


def mappings_without_limit(node: Any) -> Iterator[Any]:
    """Yield each part of a JSON Schema that allows any names, and any number of them."""
    if isinstance(node, dict):
        free = node.get("additionalProperties") not in (None, False) or "patternProperties" in node
        if free and "maxProperties" not in node:
            yield node
        for inner in node.values():
            yield from mappings_without_limit(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from mappings_without_limit(inner)


def test_every_mapping_with_names_of_ones_own_has_a_limit_that_the_schema_knows() -> None:
    made = schema()
    assert made["properties"]["levers"]["anyOf"][0]["maxProperties"] == MOST_NAMES
    inside = {name: value for name, value in made.items() if name not in ("then", "if")}
    assert list(mappings_without_limit(inside)) == []


@pytest.mark.parametrize("path", ["checkpoint.interval", "checkpoint.blocks", "failures.a.mtbf"])
def test_nothing_shorter_than_a_millisecond_comes_in_by_another_way(path: str) -> None:
    written = loads(SMALL)
    lever = f"levers: {{quick: {{{path}: 0.9 ms}}}}\n"
    assert '"0.9 ms" is shorter than 1 ms' in faults(SMALL + lever)[0]
    for value in ("0.9 ms", "1e-41 s"):
        with pytest.raises(ScenarioError, match="is shorter than 1 ms"):
            loads(SMALL, overrides={path: value})
        with pytest.raises(ScenarioError, match="is shorter than 1 ms"):
            variant(written, {path: value})
    assert loads(SMALL, overrides={"checkpoint.blocks": "0 s"}).tiers[0].blocks == 0


def test_a_log_holds_no_repair_shorter_than_a_millisecond() -> None:
    text = SMALL.replace("{per: node, mtbf: 5 d}", '{replay: "time_s,node,repair_s\\n5,0,0.0001\\n"}')
    assert faults(text)[0].endswith('"0.0001 s" is shorter than 1 ms; give 1 ms or more')


def test_tuning_and_levers_never_ask_for_less_than_a_millisecond() -> None:
    least = loads(
        SMALL.replace("1 h", "1 ms").replace("1 s", "1 ms").replace("5 d", "10 s"),
        overrides={"recovery.stages": {"restart": "1 ms"}, "failures.a.detect": "1.5 ms"},
    )
    assert limits(least, least.tiers[-1])[0] >= 1e-3
    for change in offers(least):
        variant(least, change.values)
    assert times({"constant": "1.5 ms", "other": ["0 s", "1 ms", "4 ms"]}, 0.5) == {
        "constant": "1 ms",
        "other": ["0 s", "1 ms", "2 ms"],
    }


def test_bandwidths_are_not_doubled_beyond_what_a_time_may_be() -> None:
    state = "{interval: 1 h, state: 1 GB, write: 700 GB/s, read: 700 GB/s}"
    quick = loads(
        SMALL.replace("{interval: 1 h, blocks: 1 s}", state),
        overrides={"recovery.stages": {"restart": "1 min", "load": "checkpoint"}},
    )
    names = [change.name for change in offers(quick)]
    assert "halve the cost of saves" not in names
    for change in offers(quick):
        variant(quick, change.values)


@pytest.mark.parametrize(
    "work",
    [
        "{tokens_per_gpu_second: 1e-300, target: 10 T tokens}",
        "{tokens_per_gpu_second: 1e-290, target: 10 T tokens}",
        "{tokens_per_gpu_second: 1e-12, target: 10 T tokens}",
        "{tokens_per_gpu_second: 1, scaling_efficiency: {1: 1e-14}, target: 10 T tokens}",
        "{model_flops_per_token: 1e29, peak_flops_per_gpu: 1e-299, mfu: 1e-9 %, target: 10 T tokens}",
    ],
)
def test_a_target_that_is_never_reached_is_one_sentence(work: str) -> None:
    for end in ("{horizon: 1 d}", "{}"):
        (fault,) = faults(SMALL.replace("{horizon: 1 d}", end) + f"workload: {work}\n")
        assert ": workload.target: " in fault


def test_failures_of_idle_spares_take_their_time_too() -> None:
    spares = {"cluster.spares": 1_000_000, "cluster.spare_failures": "50 %"}
    idle, used = loads(SMALL, overrides={"cluster.spares": 1_000_000}), loads(SMALL, overrides=spares)
    assert spare_events(used, "a", used.end_s) == pytest.approx(100_000)
    assert describe(used).run_s - describe(idle).run_s == pytest.approx(100_000 * 15e-6 * 32)
    assert describe(used).events == describe(idle).events
