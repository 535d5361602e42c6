"""What `check` estimates before anything is simulated, against sums by hand."""

from __future__ import annotations

import math

import pytest

from clustersim.scenario import loads
from clustersim.scenario.describe import Description, describe
from clustersim.scenario.first_order import chain_s, first_order, newest

HOUR, DAY = 3600.0, 86_400.0
TIERS = """
    name: small
    cluster: {gpus: 800, nodes_per_rack: 10, spares: 90}
    failures:
      node: {per: node, mtbf: 1000 h, repair: 1 d}
      rack: {per: rack, mtbf: 1000 h, repair: 1 d}
    checkpoint:
      tiers:
        peer: {interval: 2 min, blocks: 1 s, load: 10 s, survives: [job, gpu, node]}
        storage: {interval: 1 h, blocks: 20 s, load: 5 min, durable_after: 1 min}
    recovery: {stages: {detect: 30 s, start: 4 min, load: checkpoint}}
    simulation: {horizon: 30 d}
"""
REPLICAS = """
    name: small
    cluster: {gpus: 960}
    failures: {node: {per: node, mtbf: 36 h}}
    checkpoint: {interval: 1 h, blocks: 0 s}
    recovery:
      stages: {restart: 10 min, load: checkpoint}
      replicas: 12
      stall: 3 min
    simulation: {horizon: 30 d}
"""


def described(text: str, **changes: str) -> Description:
    return describe(
        loads(text, overrides={path.replace("__", "."): value for path, value in changes.items()})
    )


ON_TRAINING = """
    name: clock
    cluster: {gpus: 8}
    failures: {bug: {per: job, mtbf: 10 min}}
    checkpoint: {interval: 1 s, blocks: 0 s}
    recovery: {stages: {restart: 60 min}}
    simulation: {horizon: 30 d}
"""


def test_a_program_that_does_not_run_cannot_fail() -> None:
    found = described(ON_TRAINING)
    assert found.ettr == pytest.approx(10 / 70, rel=1e-3)
    assert found.events == pytest.approx(30 * 24 * 60 / 70)
    at_all_times = described(ON_TRAINING, failures__bug__clock="calendar")
    assert at_all_times.ettr == pytest.approx(math.exp(-6), rel=1e-3)
    assert at_all_times.events == 30 * 24 * 6


def test_one_tier_between_failures_of_the_whole_job_follows_daly() -> None:
    saves = {"checkpoint__interval": "10 min", "checkpoint__blocks": "1 min"}
    found = described(ON_TRAINING, recovery__stages__restart="0 s", **saves)
    assert found.ettr == pytest.approx(1 / math.expm1(11 / 10))


SITE, LOG = "a: {per: cluster, mtbf: 9 h, repair: 1 h}", "log: {replay: [{time: 5 h, repair: 5 h}]}"
AT_THE_END = "log: {replay: [{time: 19 s, repair: 2 s}, {time: 22 s, repair: 99 s}]}"


@pytest.mark.parametrize(
    ("failures", "horizon", "up"),
    [
        (f"{SITE}, b: {{per: cluster, mtbf: 4 h, repair: 1 h}}", "9 d", 0.9 * 0.8),
        (AT_THE_END, "20 s", 19 / 20),
        (f"{LOG}, {SITE}", "50 h", 0.9 * 45 / 50),
        (f"{SITE}, {LOG}", "50 h", 0.9 * 45 / 50),
    ],
)
def test_a_site_that_is_out_trains_nothing(failures: str, horizon: str, up: float) -> None:
    """Where no work is lost, and a restart takes no time; what a log says counts until the end."""
    free = {"checkpoint.interval": "1 ms", "recovery.stages.restart": "0 s"}
    scenario = loads(
        ON_TRAINING, overrides=free | {"failures": f"{{{failures}}}", "simulation.horizon": horizon}
    )
    assert first_order(scenario).ettr == pytest.approx(up, rel=1e-4)


def test_a_program_fails_until_the_target_is_reached() -> None:
    to_the_target = ON_TRAINING.replace("simulation: {horizon: 30 d}", "workload: {productive: 20 d}")
    found = described(to_the_target)
    assert found.end_s == 200 * DAY
    assert found.events == pytest.approx(20 * 24 * 6, rel=1e-3)
    quick = {"recovery__stages__restart": "20 min", "failures__bug__mtbf": "20 min"}
    halved = described(to_the_target, **quick)
    assert halved.ettr == pytest.approx(0.5, rel=1e-3)
    assert halved.events == pytest.approx(20 * 24 * 3, rel=1e-3)


def test_planned_stops_stop_the_training_clock() -> None:
    found = described(ON_TRAINING, maintenance="{every: 1 d, takes: 6 h}")
    assert found.events == pytest.approx(30 * 18 * 60 / 70)


def test_each_tier_costs_its_saves_and_half_an_interval_of_the_failures_that_it_serves() -> None:
    saves = 1 / (1 + 1 / 120 + 20 / 3600)
    nodes = (30 + 240 + 10 + (120 + 1) / 2) / (10 * HOUR)
    racks = (30 + 240 + 300 + (3600 + 20) / 2 + 60) / (100 * HOUR)
    found = described(TIERS)
    assert found.ettr == pytest.approx(saves * math.exp(-nodes - racks))
    assert found.intervals_s == {"peer": 120.0, "storage": 3600.0}
    assert found.interval_s == 3600.0
    restarts = {mode.name: mode.restart_s for mode in found.modes}
    assert restarts == {"node": 280.0, "rack": 570.0}
    assert found.restart_s == pytest.approx((10 * 280 + 570) / 11)


def test_the_newest_copy_counts_wherever_its_tier_is_listed() -> None:
    """A tier that was meant to save every 48 s and saves every 48 h costs nothing and is never loaded."""
    found = described(TIERS, checkpoint__tiers__peer__interval="48 h")
    nodes = (30 + 240 + 300 + (3600 + 20) / 2 + 60) / (10 * HOUR)
    saves = 1 / (1 + 1 / (48 * HOUR) + 20 / 3600)
    assert found.ettr == pytest.approx(saves * math.exp(-1.1 * nodes))
    assert found.modes[0].restart_s == 570.0
    why = "copies of storage survive as much and are newer, so that its own are hardly ever loaded"
    assert f"checkpoint.tiers.peer: {why}" in found.notes
    assert not described(TIERS).notes
    tenfold = described(TIERS, checkpoint__tiers__peer__interval="610 min")  # 61 minutes old at most
    assert f"checkpoint.tiers.peer: {why}" in tenfold.notes
    slow = "slow: {interval: 20 min, blocks: 1 s, survives: [job, gpu, node]}"
    alike = described(TIERS.replace("peer:", f"{slow}\n        peer:"))
    assert f"checkpoint.tiers.slow: {why.replace('storage', 'peer')}" in alike.notes
    late = described(
        TIERS, checkpoint__tiers__peer__interval="12 h", checkpoint__tiers__storage__durable_after="30 min"
    )
    assert (
        not late.notes
    )  # durable copies of storage are 1.5 hours old at most: more than a tenth of 12 hours


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("{interval: 20 min, blocks: 0 s, durable_after: 16 min}", "{interval: 60 min, blocks: 0 s}"),
        ("{interval: 60 min, blocks: 0 s}", "{interval: 30 min, blocks: 0 s, durable_after: 20 min}"),
        ("{interval: 20 min, blocks: 0 s, durable_after: 19 min}", "{interval: 60 min, blocks: 0 s}"),
        ("{interval: 64 min, blocks: 2 min}", "{interval: 60 min, blocks: 10 min}"),
    ],
    ids=["26 and 30 min", "30 and 35 min", "29 and 30 min", "33 and 35 min"],
)
def test_the_newest_copy_is_the_one_of_the_least_mean_age(newer: str, older: str) -> None:
    """Half of the time from one save to the next, and what it takes until a copy is durable."""
    for listed in (f"newer: {newer}, older: {older}", f"older: {older}, newer: {newer}"):
        assert newest(loads(TIERS, overrides={"checkpoint.tiers": f"{{{listed}}}"}), "node").name == "newer"


def test_saves_come_at_whole_steps() -> None:
    found = described(TIERS, workload="{step_time: 8 min}")
    saves = 1 / (1 + 1 / 480 + 20 / 3840)
    nodes = (30 + 240 + 10 + (480 + 1) / 2) / (10 * HOUR)
    racks = (30 + 240 + 300 + (3840 + 20) / 2 + 60) / (100 * HOUR)
    assert found.ettr == pytest.approx(saves * math.exp(-nodes - racks))
    text = "saves start at the end of a step (workload.step_time), so every"
    assert f"checkpoint.tiers.peer.interval: {text} 8 min" in found.notes
    assert f"checkpoint.tiers.storage.interval: {text} 1.07 h" in found.notes
    plain = ON_TRAINING.replace("interval: 1 s", "interval: 1 min")
    in_steps = described(plain, workload="{step_time: 5 min}").ettr
    assert in_steps == pytest.approx(described(plain, checkpoint__interval="5 min").ettr)
    assert not described(plain, workload="{step_time: 1 min}").notes
    assert not described(plain, workload="{step_time: 21 min}", checkpoint__interval="20 min").notes


def test_a_replica_costs_the_others_a_stall_and_itself_its_recovery() -> None:
    found = described(REPLICAS)
    each = (11 * 180 + 600) / 12
    assert found.ettr == pytest.approx(math.exp(-each / (36 * HOUR / 120)))
    assert found.replicas == 12
    with_rejoin = described(REPLICAS, recovery__rejoin_stall="1 min", workload="{step_time: 10 s}")
    assert with_rejoin.ettr == pytest.approx(math.exp(-(each + 60 + 5) / 1080))
    all_wait = REPLICAS.replace("stall:", "minimum: 12\n      stall:")
    assert first_order(loads(all_wait)).ettr == pytest.approx(math.exp(-600 / 1080))
    lost = "56 % of the time lost beside restarts is too much for a sum of what each failure costs by itself"
    assert described(all_wait).ettr_withheld == lost
    often = described(all_wait, failures__node__mtbf="18 h").ettr_withheld or ""
    assert often.startswith("100 % of the time lost")


def test_overheads_and_planned_stops_take_their_share() -> None:
    one = described(REPLICAS).ettr or 0.0
    assert described(REPLICAS, recovery__overhead="2 %").ettr == pytest.approx(0.98 * one)
    stops = described(REPLICAS, maintenance="{every: 1 d, takes: 6 h}", recovery__overhead="2 %")
    assert stops.ettr == pytest.approx(0.98 * 0.75 * one)
    rolling = described(
        REPLICAS, maintenance="{every: 1 d, takes: 1 h, rolling: true}", recovery__rejoin_stall="0 s"
    )
    assert rolling.ettr == pytest.approx(23 / 24 * one)


def test_effects_cost_what_they_say() -> None:
    slow = described(TIERS, failures="{rack: null, node: {effect: {slow: {factor: 0.5}}, detect: 10 min}}")
    usual = {"failures": "{rack: null, node: {effect: {slow: {factor: 0.5}}}}"}
    assert described(TIERS, **usual, recovery__stages__detect="10 min").ettr == slow.ettr
    crash = described(TIERS, failures="{rack: null, node: {detect: 0 s}}")
    assert slow.ettr is not None
    assert crash.ettr is not None
    assert slow.ettr / crash.ettr == pytest.approx(math.exp(-(300 - 121 / 4) / (10 * HOUR)))
    flap = described(
        TIERS,
        failures="{rack: null, node: null, link: {per: node, mtbf: 100 h, effect: {flap: {stall: 36 s}}}}",
    )
    none = described(TIERS, failures="none")
    assert flap.ettr is not None
    assert none.ettr is not None
    assert flap.ettr / none.ettr == pytest.approx(math.exp(-36 / HOUR))
    assert flap.modes[0].restart_s == 0.0
    assert flap.restart_s is None


def test_repairs_in_two_parts_and_domains_fill_the_shop() -> None:
    repair = "{automatic: 2 h, escalates: 50 %, manual: 20 h}"
    found = described(TIERS, failures__node__repair=repair, failures__node__takes_down="rack")
    nodes = {mode.name: mode.nodes_in_repair for mode in found.modes}
    assert nodes["node"] == pytest.approx(10 * 12 / 10)
    spreading = described(TIERS, failures__node__spreads="{to: rack, probability: 10 %}")
    assert spreading.modes[0].nodes_in_repair == pytest.approx((0.9 + 0.1 * 10) * 24 / 10)


def test_the_fleets_mean_counts_lemons_and_what_comes_again_is_told() -> None:
    lemons = "{share: 10 %, factor: 11}"
    found = described(
        TIERS,
        failures__node__lemons=lemons,
        failures__node__relapse="{probability: 20 %, within: 1 d}",
        cluster__spares="0",
        recovery__retire="{after: 3, within: 30 d}",
    )
    node = found.modes[0]
    assert node.mtbf_s == pytest.approx(5 * HOUR)
    assert node.events == pytest.approx(30 * DAY / (5 * HOUR) * 1.25)
    mean = "over all nodes it is 2 times that, one failure of a node every 20.8 d"
    assert f"failures.node.lemons: the rate is that of a good node; {mean}" in found.notes
    causes = "after a relapse, a repair in vain or a wrong diagnosis"
    assert f"failures.node: failures that come again, {causes}, add 25 %" in found.notes
    for spares, idle in (("0", False), ("2", True)):
        notes = described(TIERS, cluster__spares=spares, failures__node__lemons=lemons).notes
        (note,) = (note for note in notes if note.startswith("failures.node.lemons"))
        assert note.endswith("lemons idle more than good nodes, and failures are fewer") is idle
    healed = described(TIERS, failures__node__lemons="{share: 10 %, factor: 11, healed: 50 %}").notes
    assert any("good node; over all nodes and the run it is 1." in note for note in healed)
    again = described(TIERS, failures__node__relapse="{probability: 15 %, within: 1 d}", cluster__spares="0")
    assert any("add 18 %" in note for note in again.notes)  # 15 of 85
    assert any(note.startswith("recovery.retire: the fleet shrinks") for note in found.notes)


def test_oddities_of_domains_tiers_and_outages_are_told() -> None:
    found = described(
        TIERS,
        cluster__spares="3",
        cluster__spares_within="rack",
        checkpoint__tiers__peer__survives="[job, node]",
        checkpoint__tiers__peer__keep="2",
        failures__lustre="{per: cluster, mtbf: 10 d, effect: storage, repair: 1 h}",
    )
    assert "cluster.spares: 3 for 10 racks, so not each of them has a spare" in found.notes
    survives = (
        "checkpoint.tiers.peer.survives: node without LOST; a lost LOST does less harm than a lost node"
    )
    assert survives.replace("LOST", "gpu") in found.notes
    alone = described(TIERS, checkpoint__tiers__peer__survives="[node]")
    assert alone.notes == (survives.replace("LOST", "gpu and job"),)
    assert (
        "checkpoint.tiers.peer.keep: it matters only where copies may be unusable or corrupt" in found.notes
    )
    assert "storage outages are not in the first-order ETTR" in found.notes
    one = described(TIERS, cluster__spares="1", cluster__spares_within="rack")
    assert "cluster.spares: 1 for 10 racks, so not each of them has a spare" in one.notes
    assert not described(TIERS, cluster__spares="10", cluster__spares_within="rack").notes
    groups = {"cluster__groups": "{old: {nodes: 19}}", "failures__node__groups": "{old: 3}"}
    (note,) = described(TIERS, failures__node__repair="null", failures__rack="null", **groups).notes
    mean = "over the job's nodes and the run it is 1.2 times that, one failure of a node every 34.7 d"
    assert note == f"failures.node.groups: the rate is that of nodes in no group; {mean}"


def test_the_load_of_a_chain_is_that_of_the_copy() -> None:
    stages = loads(TIERS).recovery.stages
    assert chain_s(stages) == 30 + 240 + 300
    assert chain_s(stages, load=10.0) == 280


def test_a_notice_costs_its_save_and_its_wait_and_spares_a_share_of_the_work() -> None:
    """To storage, in 20 s of 120; 60 % of half a cycle of the peers is kept, and what their save holds."""
    found = described(
        TIERS, failures__rack="null", failures__node__notice="2 min", failures__node__saves="60 %"
    )
    saves = 1 / (1 + 1 / 120 + 20 / 3600)
    cost = found.modes[0].restart_s + 120 + 0.4 * 121 / 2 - 1 * 0.7
    assert found.ettr == pytest.approx(saves * math.exp(-cost / (10 * HOUR)), rel=1e-6)


def test_a_retirement_that_could_cost_much_is_told() -> None:
    """Repairs of four days: births and deaths; of those that are replaced at once nothing is said."""
    weights = [1.0]
    for away in range(1, 110):
        weights.append(weights[-1] * 0.096 * (100 - max(away - 1 - 9, 0)) / away)
    waits = f"{100 * sum(weights[10:]) / sum(weights):.0f} %"
    for spares, replacement, share in (("9", "3 d", waits), ("9", "null", "100 %"), ("5", "1 min", "")):
        retire = f"{{after: 3, within: 30 d, replacement: {replacement}}}"
        found = described(TIERS, failures__rack="null", cluster__spares=spares, recovery__retire=retire)
        would = f"the job would wait {share} of the time if all that fail did"
        why = f"how many nodes retire is not known, and {would}" if share else None
        assert found.ettr_withheld == why
    assert found.waiting_share > 0.02


def test_stops_at_dates_count_as_far_as_the_run_reaches() -> None:
    stops = "[{every: 1 d, takes: 1 h}, {at: {5 d: 2 d, 15 d: 1 d, 40 d: 9 d}}]"
    plain = described(ON_TRAINING, failures="none").ettr
    assert plain == pytest.approx(1)
    found = described(ON_TRAINING, failures="none", maintenance=stops, simulation__horizon="20 d")
    assert found.ettr == pytest.approx(1 - 1 / 24 - 3 / 20, rel=1e-9)
    target = {"simulation__horizon": "null", "workload__productive": "10 d"}
    found = described(ON_TRAINING, failures="none", maintenance=stops, **target)
    assert found.lasts_s == pytest.approx(DAY * (10 + 2) / (1 - 1 / 24), rel=0.02)


POOLS = """
    name: pools
    cluster: {gpus: 800, spares: [{name: standby, count: 8}, {name: own, count: 20, takes: TAKES}]}
    failures: {node: {per: node, mtbf: 1000 h, repair: 1 d}}
    checkpoint: {interval: 1 h, blocks: 20 s}
    recovery: {stages: {restart: 4 min}}
    simulation: {horizon: 30 d}
"""


def test_the_ettr_is_withheld_where_taking_from_pools_may_cost_much() -> None:
    quick, slow = (described(POOLS.replace("TAKES", takes)) for takes in ("1 s", "10 min"))
    assert quick.ettr_withheld is None
    why = "how often nodes are taken from own is unknown, which may cost up to 1.7 % of the time"
    assert slow.ettr_withheld == why  # 600 s every 10 hours
    assert slow.ettr is None
    half = described(POOLS.replace("TAKES", "10 min"), failures__node__transient="50 %")
    assert half.ettr_withheld is None
    assert "what taking nodes from own costs is not in the ETTR to first order" in half.notes[0]


def test_a_stage_that_fails_begins_the_others_again() -> None:
    """A pass takes 100 s, 50 s of 80 % and 30 s of 40 % of them; 4 of 10 passes are the last."""
    first = "{exponential: {mean: 100 s}, fails: 20 %}"
    start = f"{{detect: 10 s, a: {first}, b: {{constant: 50 s, fails: 50 %}}, c: 30 s}}"
    stages = loads(ON_TRAINING, overrides={"recovery.stages": start}).recovery.stages
    assert chain_s(stages) == pytest.approx(10 + (100 + 0.8 * 50 + 0.4 * 30) / 0.4)


def test_a_rate_that_changes_is_the_mean_of_runs_at_each() -> None:
    changing = described(TIERS, failures__node__over_time="{0 d: 2, 10 d: 0}").ettr
    twice, never = (
        described(TIERS, failures__node__mtbf="500 h").ettr,
        described(TIERS, failures__node="null").ettr,
    )
    assert changing == pytest.approx(((twice or 0.0) + 2 * (never or 0.0)) / 3, rel=1e-12)


def test_copies_that_cannot_be_used_cost_another_interval_and_another_load() -> None:
    found = described(
        TIERS,
        checkpoint__tiers__peer="null",
        checkpoint__tiers__storage__unusable="20 %",
        failures__rack="null",
    )
    cost = 30 + 240 + 300 + 3620 / 2 + 60 + 0.25 * (3620 + 300)
    assert found.ettr == pytest.approx(math.exp(-cost / (10 * HOUR)) / (1 + 20 / 3600), rel=1e-6)


@pytest.mark.parametrize(("minimum", "others"), [(1, 180), (2, 180), (3, 600)])
def test_replicas_go_on_while_enough_of_them_are_left(minimum: int, others: int) -> None:
    """Of ten replicas of a node each a rack takes eight: two are left, exactly."""
    nodes = {"cluster__nodes_per_rack": "8", "recovery__replicas": "10", "recovery__minimum": str(minimum)}
    found = described(REPLICAS, cluster__gpus="80", failures__node__takes_down="rack", **nodes)
    assert found.ettr == pytest.approx(math.exp(-(0.2 * others + 0.8 * 600) / (3.6 * HOUR)))


def test_a_replica_waits_for_its_cold_spare_and_loads_the_first_copy() -> None:
    cold = "{gpus: 960, spares: 90, spare_kind: cold, provision: 15 min}"
    found = described(REPLICAS, cluster=cold, failures__node__repair="1 h")
    assert found.ettr == pytest.approx(math.exp(-(11 * 180 + 600 + 900) / 12 / 1080), rel=1e-6)
    tiers = described(TIERS, recovery__replicas="10").modes
    assert [mode.restart_s for mode in tiers] == [280.0, 280.0]


@pytest.mark.parametrize("load", ["checkpoint", "20 min"])
def test_a_replica_loads_from_another_one_in_the_time_given_for_that(load: str) -> None:
    keys = {"recovery__stages": f"{{restart: 10 min, load: {load}}}", "recovery__peer_load": "30 s"}
    assert described(REPLICAS, **keys).modes[0].restart_s == 630.0


def test_a_replica_that_finds_no_copy_has_its_stages_all_the_same() -> None:
    bare = described(REPLICAS, checkpoint="none", recovery__stages="{restart: 10 min, load: 2 min}")
    assert bare.modes[0].restart_s == 720.0
    assert bare.ettr_withheld == "without checkpoints all work is lost when no replica is left"


def test_replicas_save_nothing_when_a_node_says_that_it_leaves() -> None:
    all_of_them = {"failures__node__takes_down": "job"}
    said = described(REPLICAS, failures__node__notice="2 min", **all_of_them)
    assert said.ettr == described(REPLICAS, **all_of_them).ettr


def test_stops_that_are_merged_or_rolling_take_less() -> None:
    """One failure in 12 hours: of 3 that a stop waits for, exp(-1/4) have none."""
    seldom = ON_TRAINING.replace("10 min", "12 h")
    alone = described(seldom).ettr or 0.0
    merged = "{every: 1 d, takes: 1 h, if_down: postpone, merge_within: 3 h}"
    assert described(seldom, maintenance=merged).ettr == pytest.approx((1 - math.exp(-1 / 4) / 24) * alone)
    stall = REPLICAS.replace("stall: 3 min", "stall: 3 min\n      rejoin_stall: 1 min")
    plain = described(stall).ettr or 0.0
    for stops, every in (("at: [1 d, 2 d, 40 d]", 15), ("every: 2 d", 2)):
        found = described(stall, maintenance=f"{{{stops}, takes: 1 h, rolling: true}}").ettr
        assert found == pytest.approx((1 - (1 / 24 + 12 * 60 / DAY) / every) * plain)


@pytest.mark.parametrize(
    ("law", "units", "why"),
    [
        ("{weibull: {shape: 2}}", 100, None),
        ("{weibull: {shape: 2}}", 9, "so few units with such a lifetime do not fail at random"),
        ("{weibull: {shape: 2}}", 10, None),
        ("exponential", 9, None),
        ("new", 100, "its units are new at the start, so that their rate changes as they age"),
    ],
)
def test_lifetimes_with_a_memory_are_told(law: str, units: int, why: str | None) -> None:
    keys = {"failures__node__ages": "new", "failures__node__lifetime": "{weibull: {shape: 2}}"}
    keys = keys if law == "new" else {"failures__node__lifetime": law}
    found = described(TIERS, cluster__gpus=str(8 * units), failures__rack="null", **keys)
    assert found.ettr_withheld == (f"failures.node: {why}" if why else None)
