"""`tune`: the best interval where it is known, what is claimed and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clustersim import theory
from clustersim.estimate import Estimate
from clustersim.scenario.model import Scenario
from clustersim.store import ChoiceError, RunError
from clustersim.studies.study import Simulations
from clustersim.studies.sweep import sweep
from clustersim.studies.tune import Candidate, Tuning, rounded, tune
from tests.unit.studies.clusters import HERE, HOUR, TABLE, job


def tuned(scenario: Scenario, **options: bool | int) -> Tuning:
    return tune(scenario, settings=HERE, **options)  # type: ignore[arg-type]


def said(tuning: Tuning) -> str:
    return " ".join(str(advice) for advice in tuning.advice)


@pytest.mark.parametrize("row", TABLE)
def test_the_exact_optimum_lies_in_the_range_which_shrinks_with_replications(row: tuple[float, ...]) -> None:
    mtbf, blocks, restart = row
    exact = theory.optimal(mtbf, blocks)
    widths = []
    for replications in (6, 48):
        found = tuned(job(mtbf, blocks, restart, replications=replications))
        assert found.range_s is not None
        assert found.exact_s == exact
        assert found.range_s[0] <= exact <= found.range_s[1]
        assert found.range_s[0] <= (found.recommended_s or 0) <= found.range_s[1]
        widths.append(found.range_s[1] / found.range_s[0])
    assert widths[1] < widths[0]


def test_no_gain_is_claimed_where_todays_interval_is_the_best() -> None:
    for seed in range(5):
        simulation = {"horizon": "100 h", "replications": 12, "seed": seed}
        found = tuned(job(interval="optimal", simulation=simulation), candidates=25)
        (now,) = (gain for gain in found.gains if gain.over == "now")
        assert not now.distinguishable
        assert "no gain over it can be shown" in said(found)
        assert "gains" not in said(found)


def test_a_gain_is_confirmed_on_fresh_replications() -> None:
    found = tuned(job(interval="1 h", costs={"gpu_hour": "2 USD"}, replications=12))
    (now,) = (gain for gain in found.gains if gain.over == "now")
    assert now.distinguishable
    assert found.recommended_s is not None
    expected = theory.efficiency(found.recommended_s, HOUR, 30, 300) - theory.efficiency(HOUR, HOUR, 30, 300)
    ettr = now.worth.ettr
    assert ettr.mean == pytest.approx(expected, abs=3 * (ettr.half_width or 0))
    assert now.worth.effective_gpus.mean == pytest.approx(1000 * ettr.mean)
    assert now.worth.money_per_year is not None
    assert now.worth.money_per_year.mean == pytest.approx(1000 * ettr.mean * 2 * 365.25 * 24)
    assert now.worth.money is not None
    assert now.worth.money.mean == pytest.approx(1000 * ettr.mean * 2 * 100)
    assert "that gains" in said(found)
    assert "USD over the run" in said(found)


def test_choosing_and_judging_use_different_replications() -> None:
    found = tuned(job(replications=6), candidates=20)
    assert found.ettr_at_best is not None
    chosen = next(one for one in found.curve if one.interval_s == found.best_s)
    assert chosen.ettr.mean != found.ettr_at_best.mean
    assert chosen.ettr.count == found.ettr_at_best.count == 6


def test_both_ways_find_the_same() -> None:
    scenario = job(replications=3, lives=40)
    scored, simulated = tuned(scenario, candidates=10), tuned(scenario, candidates=10, simulate=True)
    assert simulated.simulated == "asked for"
    assert scored.simulated is None
    assert [one.interval_s for one in scored.curve] == [one.interval_s for one in simulated.curve]
    for one, other in zip(scored.curve, simulated.curve, strict=True):
        assert one.ettr.mean == pytest.approx(other.ettr.mean, abs=1e-9)
    assert scored.ettr_at_best is not None
    assert simulated.ettr_at_best is not None
    assert scored.ettr_at_best.mean == pytest.approx(simulated.ettr_at_best.mean, abs=1e-9)


def test_without_failures_there_is_advice_and_no_number() -> None:
    found = tuned(job(failures="none", interval="10 min"))
    assert found.no_failures
    assert (found.best_s, found.recommended_s, found.range_s, list(found.curve)) == (None, None, None, [])
    assert said(found).endswith("do not save more often than you need for other reasons.")
    assert not any(character.isdigit() for character in said(found))


def test_without_checkpoints_there_is_nothing_to_tune() -> None:
    with pytest.raises(ChoiceError, match="checkpoint: none"):
        tuned(job(checkpoint="none"))


def test_free_saves_are_best_as_often_as_can_be() -> None:
    found = tuned(job(blocks=0, interval="10 min", replications=3, lives=30))
    assert (found.boundary, found.best_s) == ("shortest", 1.0)
    assert (found.young_s, found.daly_s, found.exact_s) == (None, None, None)
    assert "Saves are free" in said(found)
    by_step = tuned(job(blocks=0, interval="10 min", replications=3, lives=30, workload={"step_time": "8 s"}))
    assert by_step.best_s == 8.0
    assert "one step" in said(by_step)


def test_a_best_interval_as_long_as_the_run_is_no_optimum() -> None:
    found = tuned(job(mtbf=1000 * HOUR, blocks=300, lives=0.01, interval="1 h", replications=3))
    assert found.boundary == "longest"
    assert "longer horizon" in said(found)


def test_no_progress_says_what_would_have_to_change() -> None:
    found = tuned(job(mtbf=60, blocks=5, restart=600, lives=300, replications=4), candidates=20)
    assert found.no_progress
    assert "makes no progress at any interval" in said(found)
    assert "Save about" not in said(found)
    needed = found.needed
    assert needed["restart_s"] == pytest.approx(theory.restart_for(0.5, 60.0, 5.0))
    for mtbf, restart in ((60.0, needed["restart_s"]), (needed["mtbf_s"], 600.0)):
        best = theory.optimal(mtbf, 5.0)
        assert theory.efficiency(best, mtbf, 5.0, restart) == pytest.approx(0.5, rel=1e-6)


def test_no_restart_is_short_enough_where_saves_alone_take_too_much() -> None:
    assert theory.restart_for(0.5, 60.0, 60.0) is None
    assert theory.mtbf_for(0.5, 60.0, 0.0) > 60.0


def test_a_target_gives_way_to_a_month_and_that_is_said() -> None:
    spec = {"replications": 2}
    found = tuned(job(mtbf=24 * HOUR, workload={"productive": "300 d"}, simulation=spec), candidates=10)
    assert found.scenario.end_s == 30 * 24 * HOUR
    assert found.simulated is None
    assert "30 d instead of until the target" in said(found)


def test_sixty_four_replications_unless_told() -> None:
    found = tuned(job(lives=5, simulation={"horizon": "5 h"}), candidates=5)
    assert found.replications == 64
    assert tuned(job(lives=5, replications=3), candidates=5).replications == 3


def test_asynchronous_saves_have_a_wide_flat_range_below_their_durability() -> None:
    checkpoint = {"interval": "20 s", "blocks": "0.2 s", "durable_after": "2 min"}
    found = tuned(job(checkpoint=checkpoint, replications=12), candidates=40)
    assert found.range_s is not None
    assert found.range_s[1] / found.range_s[0] > 2
    assert found.range_s[0] < 60
    assert "The optimum is flat" in said(found)
    assert "Below 2 min the curve is a plateau:" in said(found)
    assert "saves every 2 min" in said(found)


def test_what_is_near_the_best_is_known_beside_what_is_indistinguishable_from_it() -> None:
    """More replications leave less that is indistinguishable from the best, and as much that is near it."""
    few, many = (tuned(job(replications=count, lives=200), candidates=40) for count in (8, 64))
    best = theory.efficiency(theory.optimal(HOUR, 30), HOUR, 30, 300)
    assert few.near_best_s is not None
    assert many.near_best_s is not None
    for end in many.near_best_s:
        assert best - theory.efficiency(end, HOUR, 30, 300) == pytest.approx(0.005, abs=0.0015)
    assert f"Within 0.5 pp of the best: {many.near_best}." in said(many)
    near = [found[1] / found[0] for found in (few.near_best_s, many.near_best_s)]
    assert few.range_s is not None
    assert many.range_s is not None
    assert many.range_s[1] / many.range_s[0] < few.range_s[1] / few.range_s[0]
    assert near[1] == pytest.approx(near[0], rel=0.2)
    assert few.to_dict()["near_best_s"] == list(few.near_best_s or ())


def test_what_is_near_the_best_may_end_with_what_was_tried() -> None:
    curve = [
        Candidate(60.0 * n, Estimate(ettr, 0.001, 8), True) for n, ettr in enumerate([0.9, 0.9, 0.89], 1)
    ]
    scenario = job()
    found = Tuning(scenario, scenario, 8, 60.0, scenario.tiers[-1], best_s=60.0, curve=curve)
    assert found.near_best_s == pytest.approx((60.0, 120 * 1.5**0.5))
    assert found.near_best == "60 s (the shortest that was tried) to 2.4 min"
    assert Tuning(scenario, scenario, 8, 60.0, scenario.tiers[-1]).near_best_s is None
    least = replace(curve[2], ettr=Estimate(0.9 - 0.005, 0.001, 8))
    beyond = replace(found, curve=[*curve[:2], least, replace(curve[1], interval_s=240.0)])
    assert beyond.near_best_s == (60.0, 240.0)


def test_formulas_mislead_where_the_rate_changes_over_time() -> None:
    failures = {"any": {"per": "job", "mtbf": "1 h", "over_time": {"0 d": 6, "3 d": 1}}}
    simulation = {"horizon": "6 d", "replications": 12}
    found = tuned(job(failures=failures, restart=60, simulation=simulation))
    gains = {gain.over: gain for gain in found.gains}
    assert gains["young"].distinguishable
    assert gains["daly"].distinguishable
    assert (found.best_s or 0) < 0.8 * (found.daly_s or 0)
    assert "Daly's interval" in said(found)
    assert "is not the best here" in said(found)


def test_formulas_mislead_where_failures_come_in_bursts() -> None:
    bursts = {"per": "job", "mtbf": "4 h", "lifetime": {"weibull": {"shape": 0.4}}, "ages": "new"}
    scenario = job(blocks=60, failures={"any": bursts}, simulation={"horizon": "30 d", "replications": 48})
    found = tuned(scenario)
    gains = {gain.over: gain for gain in found.gains}
    assert gains["young"].distinguishable
    assert gains["daly"].distinguishable
    assert (found.best_s or 0) > 1.1 * (found.daly_s or 0)


@pytest.mark.parametrize(
    ("best", "flat", "expected"),
    [
        (71.5, (60.0, 80.0), 70.0),
        (71.5, (71.0, 72.0), 71.5),
        (71.5, (70.0, 72.0), 70.0),
        (71.5, (71.0, 75.0), 75.0),
        (25.2, (24.5, 25.5), 25.0),
        (350.0, (250.0, 460.0), 360.0),
        (3e6, (1e6, 4e6), 35 * 86400.0),
    ],
)
def test_the_recommendation_is_round_and_within_the_range(
    best: float, flat: tuple[float, float], expected: float
) -> None:
    assert rounded(best, flat) == expected


def test_what_ifs_are_tuned_anew() -> None:
    over = {"failures.any.mtbf": ["4 h"]}
    found = tune(job(replications=6), over=over, blocks="3s..30s:2", candidates=20, settings=HERE)
    cheap, same, rarer = found.to_dict()["what_ifs"]
    assert (cheap["value"], rarer["value"], rarer["path"]) == ("3 s", "4 h", "failures.any.mtbf")
    assert cheap["best_s"] < same["best_s"] < rarer["best_s"]
    assert all(each["range_s"][0] <= each["best_s"] <= each["range_s"][1] for each in (cheap, same, rarer))
    assert cheap["ettr"]["mean"] > same["ettr"]["mean"]
    assert cheap["ettr_difference"]["low"] > 0
    assert cheap["distinguishable"]


def test_other_values_are_what_a_sweep_of_them_says() -> None:
    scenario = job(replications=6)
    (one,) = tune(scenario, over={"checkpoint.blocks": "3s,30s"}, candidates=8, settings=HERE).sweeps
    other = sweep(scenario, vary={"checkpoint.blocks": "3s,30s"}, retune=True, settings=HERE)
    assert one.to_dict() | {"wall_s": 0} == other.to_dict() | {"wall_s": 0}
    assert other.interval(0)[0] < other.interval(1)[0]  # type: ignore[operator]


def test_other_sizes_are_shown_with_their_effective_cards() -> None:
    over = {"cluster.gpus": "800", "checkpoint.blocks": "5s"}
    found = tune(job(replications=2, lives=2), over=over, candidates=5, settings=HERE)
    assert [each.chosen for each in found.sweeps] == [("ettr", "effective_gpus"), ("ettr",)]


def test_one_place_has_one_list_of_other_values() -> None:
    with pytest.raises(ChoiceError, match=r"checkpoint.blocks has two lists of values"):
        tune(job(), over={"checkpoint.blocks": "3s"}, blocks=["5s"], settings=HERE)


def test_where_nothing_fails_there_is_no_best_interval() -> None:
    found = tune(
        job(replications=3, interval="10 min"), over={"failures": ["none"]}, candidates=8, settings=HERE
    )
    (calm,) = found.to_dict()["what_ifs"]
    assert (calm["best_s"], calm["range_s"]) == (None, None)
    assert calm["ettr"]["mean"] > 0.9
    assert found.sweeps[0].interval_words(0) == ("—", "nothing fails")


def test_a_gain_is_a_gain_only_when_seen_twice() -> None:
    found = tuned(job(interval="1 h", replications=8), candidates=20)
    forms = [form(HOUR, 30) for form in (theory.young, theory.daly, theory.optimal)]
    assert [found.young_s, found.daly_s, found.exact_s] == forms
    assert [gain.interval_s for gain in found.gains] == [*forms, HOUR]
    now = found.gains[-1]
    assert now.distinguishable
    assert found.ettr_at_best is not None
    assert found.ettr_now is not None
    gap = found.ettr_at_best.mean - found.ettr_now.mean
    assert gap == pytest.approx(now.worth.ettr.mean, abs=0.01)
    assert gap > 0.1
    assert not replace(now, outside=False).distinguishable
    worse = replace(now.worth, ettr=now.worth.ettr.scaled(-1))
    assert not replace(now, worth=worse).distinguishable


def test_one_replication_claims_nothing() -> None:
    found = tuned(job(interval="1 min", replications=1, lives=20), candidates=10)
    assert not any(gain.distinguishable for gain in found.gains)
    assert "gains" not in said(found)
    assert "One replication tells nothing about chance" in said(found)


def tiers(storage: str = "30 min") -> Scenario:
    """A job whose two tiers serve different failures: those of its processes, and of its rack."""
    scenario = job(mtbf=4 * HOUR, lives=40, replications=4)
    peer = {"interval": "5 min", "blocks": "20 s", "survives": ["job"]}
    power = {"power": {"per": "rack", "mtbf": "30 h", "repair": "1 min"}}
    changed = {
        "cluster": {"gpus": 800, "nodes_per_rack": 100},
        "failures": scenario.document["failures"] | power,
        "checkpoint": {"tiers": {"peer": peer, "storage": {"interval": storage, "blocks": "2 min"}}},
    }
    return Scenario.model_validate(scenario.document | changed)


def test_one_tier_of_several_is_tuned_by_simulating_each_interval() -> None:
    found = tune(tiers(), tier="peer", candidates=8, settings=HERE)
    assert found.tier.name == "peer"
    assert "tiers" in str(found.simulated)
    assert found.now_s == 300.0
    assert found.range_s is not None
    assert found.exact_s == theory.optimal(4 * HOUR, 20.0)
    assert found.range_s[0] <= found.exact_s <= found.range_s[1]
    assert said(found).startswith("Save to peer about every")
    assert found.to_dict()["tier"] == "peer"


def test_the_last_tier_is_tuned_where_none_is_named_and_other_values_of_it_tried() -> None:
    blocks = {"checkpoint.tiers.storage.blocks": ["1 min"]}
    (one,) = tune(tiers("2 min"), over=blocks, candidates=5, settings=HERE).to_dict()["what_ifs"]
    assert one["now_s"] == 120.0
    assert one["best_s"] > 120.0
    few = {"replications": 2, "horizon": "3 h"}
    found = tune(tiers(), tier="peer", blocks="5s,40s", candidates=5, workers=1, **few)
    assert [each["path"] for each in found.to_dict()["what_ifs"]] == ["checkpoint.tiers.peer.blocks"] * 2
    assert [each["now_s"] for each in found.to_dict()["what_ifs"]] == [300.0, 300.0]
    best = [each["best_s"] for each in found.to_dict()["what_ifs"]]
    assert all(each < 2000 and each != 300 for each in best)  # that of storage is above 8,000


def test_other_values_that_are_finished_for_one_tier_are_not_those_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(tier: str, folder: str) -> Tuning:
        how = replace(HERE, resume=True)
        over = {"checkpoint.tiers.peer.blocks": "5s"}
        return tune(tiers(), tmp_path / folder, tier=tier, over=over, candidates=5, settings=how)

    def killed(self: Simulations) -> None:
        raise RunError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Simulations, "end_of_part", killed)
        with pytest.raises(RunError, match="killed"):
            asked("peer", "a")
    assert asked("storage", "a").saved() == asked("storage", "b").saved()
