"""Which tier is tuned, and where its interval stands."""

from __future__ import annotations

import pytest

from clustersim.scenario import loads
from clustersim.store import ChoiceError
from clustersim.studies.change import tuned_tier
from clustersim.studies.search import centre, why_outages_depend
from clustersim.studies.tune import formulas
from tests.unit.studies.clusters import TIERS, job

PLAIN = """\
name: one
cluster: {gpus: 64}
failures: {node: {per: node, mtbf: 8 d}}
checkpoint: {interval: 10 min, blocks: 5 s}
simulation: {horizon: 10 d}
"""


def test_the_last_tier_is_tuned_unless_another_is_named() -> None:
    two = loads(TIERS)
    assert tuned_tier(two).path("interval") == "checkpoint.tiers.storage.interval"
    assert tuned_tier(two, "peer").path("blocks") == "checkpoint.tiers.peer.blocks"
    assert tuned_tier(two, "peer").interval == 600.0
    one = tuned_tier(loads(PLAIN))
    assert (one.path("interval"), one.several) == ("checkpoint.interval", False)


def test_a_tier_that_does_not_exist_is_refused_in_words() -> None:
    with pytest.raises(ChoiceError, match="two: no tier 'per'; did you mean \"peer\""):
        tuned_tier(loads(TIERS), "per")
    with pytest.raises(ChoiceError, match="says checkpoint: none"):
        tuned_tier(loads(PLAIN, overrides={"checkpoint": "none"}), "peer")


def test_formulas_know_which_failures_a_tier_is_there_for() -> None:
    two, day = loads(TIERS), 86_400.0
    for tier, blocks, mtbf in (("peer", 5, day), ("storage", 60, 10 * day)):
        assert formulas(two, tuned_tier(two, tier))["young"] == pytest.approx((2 * blocks * mtbf) ** 0.5)
    none_left = loads(TIERS, overrides={"failures.rack": "null"})
    assert formulas(none_left, tuned_tier(none_left)) == {}
    assert centre(none_left, tuned_tier(none_left)) > 0


def test_formulas_give_no_interval_that_is_shorter_than_one_can_be() -> None:
    """1 ms: Daly's is the MTBF where a save takes twice as long, and the exact one is below that."""
    assert list(formulas(job(mtbf=0.001, blocks=0.002), tuned_tier(job(blocks=0.002)))) == ["young", "daly"]
    free = job(blocks=0, interval="1 h")
    assert formulas(free, tuned_tier(free)) == {}


def test_outages_depend_on_the_saves_where_there_are_several_tiers() -> None:
    assert why_outages_depend(loads(PLAIN)) is None
    assert "tiers, replicas or such effects" in str(why_outages_depend(loads(TIERS)))
    assert why_outages_depend(loads(PLAIN, overrides={"recovery.replicas": "2"})) is not None
