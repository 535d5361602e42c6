"""A scenario as frozen values: what follows from what is written."""

from __future__ import annotations

import json
import math
import pickle
import re
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import ValidationError

from clustersim import theory
from clustersim.distributions import Constant, Empirical, Exponential, Gamma, LogNormal, Truncated, Weibull
from clustersim.scenario import Scenario, loads
from clustersim.scenario.keys.quantities import NAME_PATTERN, around, is_name

DAY, YEAR = 86_400.0, 365.25 * 86_400.0


def scenario(**blocks: Any) -> Scenario:
    """Return a small scenario with some of its blocks replaced."""
    small = {
        "name": "small",
        "cluster": {"gpus": 64},
        "failures": {"node": {"per": "node", "mtbf": "50 d"}},
        "checkpoint": {"interval": "10 min", "blocks": "5 s"},
        "simulation": {"horizon": "3 d"},
    }
    return Scenario.model_validate(
        {key: value for key, value in (small | blocks).items() if value is not None}
    )


def mode(**keys: Any) -> Any:
    """Return the only failure mode of a scenario, with these keys."""
    return scenario(failures={"part": {"per": "node", "mtbf": "50 d"} | keys}).failures["part"]


def test_defaults_are_those_of_the_language() -> None:
    small = scenario()
    assert small.cluster.gpus_per_node == 8
    assert small.cluster.spare_nodes == 0
    assert (small.tiers[-1].durable_after, small.tiers[-1].load) == (0.0, 0.0)
    assert small.recovery.during_recovery == "restart"
    assert not small.recovery.at_start
    assert (small.simulation.replications, small.simulation.seed, small.simulation.warm_up) == (32, 1, 0.0)
    one = small.failures["node"]
    assert (one.ages, one.clock, one.effect.word, one.over_time) == ("steady", "calendar", "crash", ())
    assert (one.transient, one.detect, one.repair, one.renews) == (1.0, None, None, True)
    assert one.lifetime == Exponential(50 * DAY)


def test_the_example_of_the_design_reads_as_it_says() -> None:
    text = """
        name: chen-100k
        cluster: {gpus: 100_000}
        failures:
          any: {per: node, mtbf: 125_000 min}
        checkpoint: {interval: daly, blocks: 5 s, load: 30 s}
        recovery:
          stages: {detect: 30 s, restart: 4 min, load: checkpoint}
        simulation: {horizon: 30 d}
    """
    chen = loads(text)
    assert chen.cluster.nodes == 12_500
    assert chen.mtbf == pytest.approx(600)
    assert chen.checkpoint is not None
    assert chen.checkpoint.interval == theory.daly(chen.mtbf or 0.0, 5.0)
    stages = [(stage.name, stage.kind, stage.duration.mean) for stage in chen.recovery.stages]
    assert stages == [
        ("detect", "detect", 30.0),
        ("nodes", "nodes", 0.0),
        ("restart", "work", 240.0),
        ("load", "load", 30.0),
    ]
    assert chen.end_s == 30 * DAY


def test_units_are_counted_from_the_topology() -> None:
    cluster = {"gpus": 1000, "gpus_per_node": 4, "nodes_per_rack": 4, "racks_per_pod": 8}
    parts = ("gpu", "node", "rack", "pod", "cluster", "job")
    whole = scenario(cluster=cluster, failures={part: {"per": part, "mtbf": "1 y"} for part in parts})
    assert [whole.units(part) for part in parts] == [1000, 250, 63, 8, 1, 1]
    assert (whole.cluster.nodes, whole.cluster.racks, whole.cluster.pods) == (250, 63, 8)
    assert whole.mtbf_of("gpu") == YEAR / 1000
    assert whole.mtbf == pytest.approx(YEAR / (1000 + 250 + 63 + 8 + 1 + 1))


@pytest.mark.parametrize(("spares", "nodes"), [(0, 0), (7, 7), ("2 %", 246), ("7 %", 861), ("100 %", 12_288)])
def test_spares_are_a_count_or_a_share_rounded_up(spares: object, nodes: int) -> None:
    assert scenario(cluster={"gpus": 98_304, "spares": spares}).cluster.spare_nodes == nodes


def test_seven_per_cent_of_a_hundred_is_seven() -> None:
    assert scenario(cluster={"gpus": 800, "spares": "7 %"}).cluster.spare_nodes == 7


@pytest.mark.parametrize(
    ("written", "lifetime"),
    [
        ("exponential", Exponential(50 * DAY)),
        ("constant", Constant(50 * DAY)),
        ({"weibull": {"shape": 0.78}}, Weibull(50 * DAY, 0.78)),
        ({"lognormal": {"sigma": 1.2}}, LogNormal(50 * DAY, 1.2)),
        ({"gamma": {"shape": 2}}, Gamma(50 * DAY, 2.0)),
    ],
)
def test_lifetimes_have_the_mtbf_as_their_mean(written: object, lifetime: object) -> None:
    assert mode(lifetime=written).lifetime == lifetime
    assert mode(lifetime=written).lifetime.mean == pytest.approx(50 * DAY)


def test_a_pipeline_of_which_no_repair_goes_on_is_its_first_part() -> None:
    repair = {"automatic": "2 h", "escalates": "0 %", "manual": "1 d"}
    assert mode(repair=repair).repair == Constant(2 * 3600.0)


def test_a_lifetime_is_of_one_kind() -> None:
    with pytest.raises(ValidationError) as caught:
        mode(lifetime={"gamma": {"shape": 2}, "weibull": {"shape": 2}})
    kinds = "exponential, constant, weibull, lognormal, gamma, empirical"
    assert f"weibull and gamma given; give exactly one of {kinds}" in str(caught.value)


def test_an_empirical_lifetime_gives_the_mtbf() -> None:
    part = mode(mtbf=None, lifetime={"empirical": ["3 h", "9 h"]})
    assert part.lifetime == Empirical((3 * 3600.0, 9 * 3600.0))
    assert part.mtbf == 6 * 3600.0


def test_a_law_may_be_cut_where_one_in_a_hundred_draws_is_left_and_no_lower() -> None:
    """A Weibull law of shape 2 has a share of 1 - exp(-(t / scale)^2) below t, and its mean is scale times
    half the root of pi.
    """
    limit = 3600 * 2 / math.sqrt(math.pi) * math.sqrt(-math.log(0.99))
    law = {"mean": "1 h", "shape": 2}
    assert mode(repair={"weibull": law | {"at_most": f"{limit * 1.0001} s"}}).repair is not None
    with pytest.raises(ValidationError, match="less than 1 % of the draws are below 407"):
        mode(repair={"weibull": law | {"at_most": f"{limit * 0.9999} s"}})


def test_a_rate_is_an_mtbf() -> None:
    part = mode(mtbf=None, rate="6.5 / 1000 node-days")
    assert part.mtbf == pytest.approx(1000 * DAY / 6.5)


@pytest.mark.parametrize(
    ("written", "law"),
    [
        ("4 h", Constant(4 * 3600.0)),
        ({"constant": "4 h"}, Constant(4 * 3600.0)),
        ({"exponential": {"mean": "2 d"}}, Exponential(2 * DAY)),
        ({"lognormal": {"median": "20 h", "sigma": 2.5}}, LogNormal.from_median(72_000.0, 2.5)),
        ({"lognormal": {"mean": "20 h", "sigma": 1}}, LogNormal(72_000.0, 1.0)),
        ({"weibull": {"mean": "2 d", "shape": 0.7}}, Weibull(2 * DAY, 0.7)),
        ({"gamma": {"mean": "2 d", "shape": 3}}, Gamma(2 * DAY, 3.0)),
        ({"empirical": ["1 h", "2 h"]}, Empirical((3600.0, 7200.0))),
        ({"exponential": {"mean": "2 d", "at_most": "9 d"}}, Truncated(Exponential(2 * DAY), 9 * DAY)),
    ],
)
def test_times_are_durations_or_laws(written: object, law: object) -> None:
    assert mode(repair=written).repair == law
    assert mode(detect=written).detect == law
    stages = scenario(recovery={"stages": {"start": written}}).recovery.stages
    assert stages[-1].duration == law


def test_crews_stand_beside_the_kind_and_a_repair_makes_failures_permanent() -> None:
    part = mode(repair={"exponential": {"mean": "2 d"}, "crews": 12})
    assert (part.repair_plan.crews, part.transient) == (12, 0.0)
    assert mode(repair="4 h", transient="40 %").transient == 0.4
    assert mode(repair="4 h").repair_plan.crews is None


def test_over_time_is_a_table_from_the_start() -> None:
    assert mode(over_time={"14 d": 1, "0 d": 3}).over_time == ((0.0, 3.0), (14 * DAY, 1.0))
    assert mode(over_time={"14 d": 2}).over_time == ((0.0, 1.0), (14 * DAY, 2.0))


@pytest.mark.parametrize("policy", ["young", "daly", "optimal"])
def test_intervals_are_worked_out_from_all_modes(policy: str) -> None:
    failures = {"a": {"per": "node", "mtbf": "50 d"}, "b": {"per": "job", "mtbf": "1 d"}}
    both = scenario(failures=failures, checkpoint={"interval": policy, "blocks": "30 s"})
    mtbf = 1 / (8 / (50 * DAY) + 1 / DAY)
    assert both.checkpoint is not None
    assert both.checkpoint.interval == pytest.approx(getattr(theory, policy)(mtbf, 30.0), rel=1e-12)


def test_an_interval_in_steps() -> None:
    steps = scenario(workload={"step_time": "12 s"}, checkpoint={"interval": "50 steps", "blocks": "5 s"})
    assert steps.checkpoint is not None
    assert (steps.checkpoint.interval, steps.tiers[-1].adapts) == (600.0, None)


def test_none_is_said() -> None:
    nothing = scenario(failures="none", checkpoint="none")
    assert (nothing.failures, nothing.checkpoint, nothing.mtbf) == ({}, None, None)


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        ({}, "detect nodes"),
        ({"load": "checkpoint"}, "detect nodes load"),
        ({"restart": "1 min"}, "detect nodes restart"),
        ({"detect": "1 min", "restart": "1 min"}, "detect nodes restart"),
        ({"diagnose": "1 min", "nodes": "wait", "restart": "1 min"}, "detect diagnose nodes restart"),
        ({"nodes": "wait", "restart": "1 min"}, "detect nodes restart"),
    ],
)
def test_detect_is_first_and_nodes_are_always_awaited(stages: dict[str, str], names: str) -> None:
    assert [stage.name for stage in scenario(recovery={"stages": stages}).recovery.stages] == names.split()


def test_without_recovery_the_checkpoint_is_loaded() -> None:
    stages = scenario(checkpoint={"interval": "10 min", "blocks": "5 s", "load": "3 min"}).recovery.stages
    assert [(stage.name, stage.duration.mean) for stage in stages] == [
        ("detect", 0),
        ("nodes", 0),
        ("load", 180),
    ]
    none = scenario(checkpoint="none").recovery.stages
    assert none[-1].duration.mean == 0


def test_a_stage_may_fail_and_may_load_in_a_time_of_its_own() -> None:
    stages = scenario(recovery={"stages": {"start": {"constant": "4 min", "fails": "3 %"}, "load": "1 min"}})
    start, load = stages.recovery.stages[-2:]
    assert (start.fails, start.kind) == (0.03, "work")
    assert (load.kind, load.duration) == ("load", Constant(60.0))


@pytest.mark.parametrize(("gpus", "seconds"), [(8000, 200), (16_384, 200), (98_304, 600), (200_000, 600)])
def test_tables_over_cards_are_flat_outside(gpus: int, seconds: float) -> None:
    stages = {"start": {"over_gpus": {16_384: "200 s", 98_304: "600 s"}}}
    grown = scenario(cluster={"gpus": gpus}, recovery={"stages": stages})
    assert grown.recovery.stages[-1].duration == Constant(seconds)


def test_tables_over_cards_are_lines_in_the_logarithms() -> None:
    stages = {"start": {"over_gpus": {80: "1 s", 8000: "100 s"}}}
    grown = scenario(cluster={"gpus": 800}, recovery={"stages": stages})
    assert grown.recovery.stages[-1].duration.mean == pytest.approx(10)


@pytest.mark.parametrize(
    ("gpus", "found"),
    [(5, (1, 1, 0)), (10, (1, 1, 0)), (100, (1, 3, 0.5)), (1000, (1, 3, 1)), (2000, (3, 3, 0))],
)
def test_rows_around_a_number_of_cards(gpus: int, found: tuple[float, float, float]) -> None:
    assert around({10: 1.0, 1000: 3.0}, gpus) == pytest.approx(found)


def test_scaling_is_a_line_in_the_logarithm_of_cards() -> None:
    work = scenario(workload={"scaling_efficiency": {10_000: 1.0, 1_000_000: 0.6}}).workload
    found = [work.efficiency(gpus) for gpus in (10, 10_000, 100_000, 1_000_000, 10**9)]
    assert found == pytest.approx([1, 1, 0.8, 0.6, 0.6])
    assert scenario().workload.efficiency(123) == 1.0


def test_a_target_in_tokens_is_a_time() -> None:
    work = {"tokens_per_gpu_second": 100, "scaling_efficiency": {64: 0.5}, "target": "1 G tokens"}
    to_target = scenario(workload=work, simulation={})
    assert to_target.target_s == pytest.approx(1e9 / (64 * 100 * 0.5))
    assert to_target.end_s == pytest.approx(10 * to_target.target_s)
    assert scenario(workload=work).end_s == 3 * DAY
    assert scenario(workload={"productive": "60 d"}, simulation={}).target_s == 60 * DAY
    assert scenario().target_s is None


def test_speed_from_flops() -> None:
    work = {"model_flops_per_token": 2.43e12, "peak_flops_per_gpu": 989e12, "mfu": "40 %"}
    assert scenario(workload=work).workload.tokens_per_gpu_second == pytest.approx(989e12 * 0.4 / 2.43e12)


def test_prices_by_the_hour_and_by_the_life() -> None:
    by_hour = scenario(costs={"gpu_hour": "2.35 USD"}).costs
    assert by_hour is not None
    assert (by_hour.price_per_gpu_hour, by_hour.currency, by_hour.idle_spares) == (2.35, "USD", 1.0)
    bought = scenario(costs={"card": "65_000 CNY", "life": "4 y"}).costs
    assert bought is not None
    assert bought.price_per_gpu_hour == pytest.approx(65_000 / (4 * 365.25 * 24))
    assert bought.currency == "CNY"


def test_counts_may_be_texts_and_whole_floats() -> None:
    assert scenario(cluster={"gpus": "100_000"}).cluster.gpus == 100_000
    assert scenario(cluster={"gpus": 1e5}).cluster.gpus == 100_000


def test_a_scenario_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        scenario().name = "other"  # type: ignore[misc]


def test_a_scenario_travels_to_a_worker_whole() -> None:
    whole = scenario(
        checkpoint={"interval": "daly", "blocks": "5 s", "load": "1 min"},
        recovery={"stages": {"start": {"lognormal": {"median": "3 min", "sigma": 1}}, "load": "checkpoint"}},
        failures={"node": {"per": "node", "mtbf": "50 d", "lifetime": {"weibull": {"shape": 2}}}},
    )
    there = pickle.loads(pickle.dumps(whole))
    assert there == whole
    assert there.checkpoint.interval == whole.checkpoint.interval  # type: ignore[union-attr]
    assert there.recovery.stages == whole.recovery.stages
    assert there.failures["node"].lifetime == whole.failures["node"].lifetime
    assert there.hash == whole.hash


def test_the_document_is_what_was_given_and_nobody_can_change_it() -> None:
    pools = [{"name": "shelf", "count": 2}]
    given: dict[str, Any] = {"gpus": 64, "spares": pools}
    small = scenario(cluster=given)
    given["gpus"] = 128
    pools.clear()
    small.document["cluster"]["gpus"] = 256
    assert small.document["cluster"] == {"gpus": 64, "spares": [{"name": "shelf", "count": 2}]}
    assert json.loads(json.dumps(small.document)) == small.document


def test_the_hash_follows_every_value_and_the_order_of_stages_but_not_of_blocks() -> None:
    assert scenario().hash == scenario().hash
    assert len(scenario().hash) == 64
    assert scenario(simulation={"horizon": "3 d", "seed": 2}).hash != scenario().hash
    one = scenario(recovery={"stages": {"a": "1 min", "b": "1 min"}})
    other = scenario(recovery={"stages": {"b": "1 min", "a": "1 min"}})
    assert one.hash != other.hash
    turned = Scenario.model_validate(dict(reversed(scenario().document.items())))
    assert turned.hash == scenario().hash


def test_plain_dicts_get_the_same_sentences() -> None:
    with pytest.raises(ValidationError) as caught:
        scenario(cluster={"gpus": 64, "spars": 1})
    (fault,) = caught.value.errors()
    assert fault["loc"] == ("cluster", "spars", "[key]")
    assert "spares" in fault["msg"]


def test_braces_in_a_value_do_not_disturb_its_sentence() -> None:
    with pytest.raises(ValidationError) as caught:
        scenario(name="{sentence}")
    assert '"{sentence}" is not a name' in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("gpu_memory", True), ("a", True), ("9 b-c", True), ("显卡掉线", True), ("Überhitzung", True),
        ("हार्डवेयर", True), ("x" * 40, True), ("x" * 41, False), ("", False), (" x", False), ("x ", False),
        ("_x", False), ("-x", False), ("a.b", False), ("a<b", False), ("a`b", False), ("a^b", False),
        ("a\nb", False), ("a\x7f", False),
    ],
)  # fmt: skip
def test_names_are_of_any_script_for_the_model_and_for_editors(name: str, is_one: bool) -> None:
    assert is_name(name) is is_one
    assert bool(re.search(NAME_PATTERN.replace("$", r"\Z"), name)) is is_one


def test_names_have_no_invisible_signs() -> None:
    assert not any(map(is_name, ("a\u202eb", "a\u200bb", "a\u2028b", "\u0301a", "a…b")))


@pytest.mark.parametrize("given", [{"price": "100 EUR"}, {}])
def test_a_lever_may_have_a_price_without_costs_and_none_with_them(given: dict[str, str]) -> None:
    costs = None if given else {"gpu_hour": "2 USD"}
    lever = scenario(costs=costs, levers={"x": {"checkpoint.blocks": "3 s"} | given}).levers["x"]
    assert bool(lever.price) is bool(given)


def test_of_a_log_the_share_of_nodes_that_leave_is_that_of_its_failures() -> None:
    """A failure at a node that is away extends its absence, and is no strike of its own."""
    for rows, hours in (("1,0,10\n", 10), ("1,0,10\n2,0,40\n", 41)):
        read = scenario(failures={"part": {"replay": f"time_h,node,repair_h\n{rows}"}}).failures["part"]
        assert (read.transient, read.repair) == (0.0, Empirical((hours * 3600.0,)))


def test_all_saves_in_a_notice_can_be_loaded_unless_it_says_so() -> None:
    assert mode(notice="2 min").effect.saves == 1.0
    assert mode(notice="2 min", saves="30 %").effect.saves == 0.3
