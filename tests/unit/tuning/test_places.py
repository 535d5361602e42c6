"""Which tier is tuned, where its interval stands, and what is offered for each of several tiers."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustersim.scenario import load, loads
from clustersim.scenario.model import Scenario
from clustersim.store import ChoiceError
from clustersim.tuning.change import rarer, wider
from clustersim.tuning.changes import changes_that_fit
from clustersim.tuning.intervals import centre, formulas
from clustersim.tuning.outages import why_outages_depend
from clustersim.tuning.places import place_of
from clustersim.tuning.rewriting import rewritten, write_with_interval
from clustersim.tuning.variants import variant
from tests.unit.scenario.everything import EVERYTHING

TIERS = """\
name: two
cluster: {gpus: 64, nodes_per_rack: 2}
failures:
  node: {per: node, mtbf: 8 d}
  rack: {per: rack, mtbf: 40 d, repair: 1 d}
checkpoint:
  tiers:
    peer: {interval: 10 min, blocks: 5 s, load: 10 s, survives: [job, gpu, node]}   # quick
    storage: {interval: 3 h, blocks: 1 min, load: 5 min}
recovery: {stages: {detect: 30 s, start: 4 min, load: checkpoint}}
simulation: {horizon: 10 d, replications: 4}
sources: {checkpoint.tiers.peer.interval: a guess, failures.node.mtbf: a log}
"""
PLAIN = """\
name: one
cluster: {gpus: 64}
failures: {node: {per: node, mtbf: 8 d}}
checkpoint: {interval: 10 min, blocks: 5 s}
simulation: {horizon: 10 d}
"""


def test_the_last_tier_is_tuned_unless_another_is_named() -> None:
    two = loads(TIERS)
    assert place_of(two).path("interval") == "checkpoint.tiers.storage.interval"
    assert place_of(two, "peer").path("blocks") == "checkpoint.tiers.peer.blocks"
    assert place_of(two, "peer").of(two).interval == 600.0
    one = place_of(loads(PLAIN))
    assert (one.path("interval"), one.within, one.several) == ("checkpoint.interval", "", False)
    assert place_of(two, "peer").within == " to peer"


def test_a_tier_that_does_not_exist_is_refused_in_words() -> None:
    with pytest.raises(ChoiceError, match="two: no tier 'per'; did you mean \"peer\""):
        place_of(loads(TIERS), "per")
    with pytest.raises(ChoiceError, match="says checkpoint: none"):
        place_of(loads(PLAIN, overrides={"checkpoint": "none"}), "peer")


def test_formulas_know_which_failures_a_tier_is_there_for() -> None:
    two, day = loads(TIERS), 86_400.0
    assert place_of(two, "peer").mtbf(two) == pytest.approx(day)
    assert place_of(two, "storage").mtbf(two) == pytest.approx(10 * day)
    young = formulas(two, place_of(two, "storage"))["young"]
    assert young == pytest.approx((2 * 60 * 10 * day) ** 0.5)
    none_left = loads(TIERS, overrides={"failures.rack": "null"})
    assert formulas(none_left, place_of(none_left)) == {}
    assert centre(none_left, place_of(none_left)) > 0


def test_outages_depend_on_the_saves_where_there_are_several_tiers() -> None:
    assert why_outages_depend(loads(PLAIN)) is None
    assert "tiers, replicas or such effects" in str(why_outages_depend(loads(TIERS)))
    assert why_outages_depend(loads(PLAIN, overrides={"recovery.replicas": "2"})) is not None


def test_a_copy_of_the_file_has_the_tiers_new_interval_in_its_place(tmp_path: Path) -> None:
    place = place_of(loads(TIERS), "peer")
    text = rewritten(TIERS, 75.0, place=place)
    expected = TIERS.replace("interval: 10 min", "interval: 1 min 15 s")
    assert text == expected.replace("interval: a guess", 'interval: "clustersim tune"')
    (tmp_path / "two.yaml").write_text(TIERS)
    write_with_interval(tmp_path / "two.yaml", tmp_path / "tuned.yaml", 75.0, place=place)
    assert [tier.interval for tier in load(tmp_path / "tuned.yaml").tiers] == [75.0, 3 * 3600.0]


@pytest.mark.parametrize("own", ["", "checkpoint: {state: 1 TB}\n", "checkpoint:\n  state: 1 TB\n"])
def test_tiers_that_come_from_a_base_are_written_whole(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = TIERS.replace("blocks: 1 min", "write: 100 GB/s").replace("  tiers:", "  state: 2 TB\n  tiers:")
    (tmp_path / "two.yaml").write_text(base if own else TIERS)
    (tmp_path / "mine.yaml").write_text(f"base: two.yaml\nname: mine\n{own}")
    target, place = tmp_path / "tuned.yaml", place_of(loads(TIERS), "peer")
    write_with_interval(tmp_path / "mine.yaml", target, 75.0, place=place)
    found, was = load(target), load(tmp_path / "mine.yaml")
    assert place.of(found).interval == 75.0
    assert found.tiers[1] == was.tiers[1]


@pytest.mark.parametrize(
    ("value", "twice"),
    [("1 TB/s", "2 TB/s"), ("2 GB/s per node", "4 GB/s per node"), ("400 Gb/s/node", "100 GB/s/node")],
)
def test_twice_a_bandwidth(value: str, twice: str) -> None:
    assert wider(value) == twice


def test_half_of_all_shares() -> None:
    assert rarer({"automatic": "40 %", "manual": "20 %"}) == {"automatic": "20 %", "manual": "10 %"}


def everything_changed() -> dict[str, Scenario]:
    now = loads(EVERYTHING)
    return {change.name: variant(now, change.values) for change in changes_that_fit(now)}


def test_every_change_of_everything_is_a_scenario_that_changes_what_it_says() -> None:
    made = everything_changed()
    gpu = {name: one.failures["gpu"] for name, one in made.items()}
    assert gpu["half the lemons: gpu"].lemons.share == 0.025  # type: ignore[union-attr]
    assert gpu["half the relapses: gpu"].relapse.probability == 0.11  # type: ignore[union-attr]
    assert gpu["half the bursts: gpu"].spreads.probability == 0.015  # type: ignore[union-attr]
    assert gpu["half the repairs in vain"].repair_plan.false_fix == (0.2, 0.1)  # type: ignore[union-attr]
    wrong = made["half the wrong diagnoses"].recovery
    assert (wrong.misdiagnosis, wrong.missed) == (0.025, 0.01)
    stall = made["half the stall of other replicas"].recovery
    assert (stall.stall, stall.rejoin_stall) == (90.0, 50.0)
    assert made["half the overhead of each step"].recovery.overhead == 0.005
    assert made["half the stall of a flap"].failures["flap"].flap_stall.mean == 20.0  # type: ignore[union-attr]
    noticed = made["corruption noticed twice as fast"].failures["sdc"].noticed_after
    assert noticed is not None
    assert noticed.mean == 3600.0
    assert made["storage back twice as fast"].failures["lustre"].repair.mean == 900.0  # type: ignore[union-attr]


def test_saves_and_loads_are_changed_tier_by_tier() -> None:
    now, made = loads(EVERYTHING), everything_changed()
    peer, storage = now.tiers
    assert made["saves at half the cost: peer"].tiers == (
        made["saves at half the cost: peer"].tiers[0],
        storage,
    )
    assert made["saves at half the cost: peer"].tiers[0].blocks == peer.blocks / 2
    assert made["durable twice as fast: storage"].tiers[1].durable_after == storage.durable_after / 2
    load = made["half the time: load"]
    assert [tier.load for tier in load.tiers] == pytest.approx([peer.load / 2, storage.load / 2])
    assert load.recovery.peer_load == 15.0


def test_more_spares_are_not_offered_where_racks_hold_their_own() -> None:
    racks = {"cluster": "{gpus: 64, nodes_per_rack: 3, used_per_rack: 2}", "failures.node.repair": "1 d"}
    offered = {change.name for change in changes_that_fit(loads(TIERS, overrides=racks))}
    assert not any("spares" in name for name in offered)
    assert "repair twice as fast" in offered
