"""How often what fails and what it takes, against laws worked out by search, by steps and by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from clustersim.scenario import Scenario
from clustersim.scenario.first_order import (
    fetch_s,
    first_order,
    mean_parts,
    restart_s,
    restarts,
    stakes,
)
from clustersim.scenario.rates import (
    again,
    bad_share,
    calendar_share,
    fleet_factor,
    group_factor,
    most_again,
    mtbf_served,
    rate,
    replicas_down,
    spare_events,
)
from clustersim.scenario.shortage import shortage

DAY, HOUR = 86_400.0, 3600.0
NODE = {"per": "node", "mtbf": "1000 h", "repair": "1 d"}


def scenario(failures: dict[str, Any], **blocks: Any) -> Scenario:
    plain = {
        "name": "rates",
        "cluster": {"gpus": 800, "nodes_per_rack": 10, "spares": 90},
        "checkpoint": {"interval": "1 h", "blocks": "0 s"},
        "recovery": {"stages": {"detect": "0 s", "restart": "4 min"}},
        "simulation": {"horizon": "30 d"},
    }
    return Scenario.model_validate(plain | {"failures": failures} | blocks)


@pytest.mark.parametrize(("spares", "day"), [(1, DAY), (8, DAY), (60, DAY), (8, 0.1)])
@pytest.mark.parametrize("until", ["horizon", "productive"])
def test_nodes_that_leave_more_often_idle_more(spares: int, day: float, until: str) -> None:
    """40 of 40 + S nodes are at work; 6 leave five times as often as the others for one of two reasons.

    The switches of nodes fail as often as these do, and take a rack of four along.  The wait W with which
    all slots are filled is searched for, and the mean over the run is an integral.
    """
    old = {"per": "node", "groups": {"old": 5}, "repair": f"{day / 4} s"}
    failures = {
        "bug": {"per": "job", "mtbf": f"{day} s"},
        "node": old | {"mtbf": f"{30 * day} s"},
        "card": {"per": "gpu", "mtbf": f"{2400 * day} s", "transient": "50 %", "repair": f"{day / 2} s"},
        "switch": old | {"mtbf": f"{600 * day} s", "takes_down": "rack"},
    }
    cluster = {"gpus": 320, "nodes_per_rack": 4, "spares": spares, "groups": {"old": {"nodes": 6}}}
    ends = {"simulation": {}, "workload" if until == "productive" else "simulation": {until: f"{20 * day} s"}}
    found = scenario(failures, cluster=cluster, **ends)
    fleet, card = 40 + spares, 8 / 2400 * 0.5
    count = np.array([fleet - 6, 6]) / fleet
    mean = float(count @ [1, 5])
    leave = np.array([1, 5]) / 30 + card + (np.array([1, 5]) + 3 * mean) / 600
    away = 40 * (mean / 30 * 0.25 + card * 0.5 + 4 * mean / 600 * 0.25)
    there = 40 + spares - away
    wait = optimize.brentq(lambda w: float((there * count / (1 + leave * w)).sum()) - 40, 0, 1e5)
    settled = there * count / (1 + leave * wait) / 40
    at_work = [
        integrate.quad(
            lambda t, g=g: settled[g] + (count[g] - settled[g]) * math.exp(-(leave[g] + 1 / wait) * t), 0, 20
        )[0]
        for g in (0, 1)
    ]
    shares = np.array(at_work) / sum(at_work)
    assert group_factor(found, found.failures["node"]) == pytest.approx(float(shares @ [1, 5]), rel=1e-6)
    assert group_factor(found, found.failures["card"]) == 1.0


@pytest.mark.parametrize("factor", [1e-18, 1e-30, 1e-300])
def test_nodes_that_hardly_ever_fail_are_as_those_that_never_do(factor: float) -> None:
    """Within 1000 years the 6 of them fill as many slots, and the 42 others the 34 that are left."""
    failures = {"node": {"per": "node", "mtbf": "30 d", "groups": {"new": factor}, "repair": "1 s"}}
    cluster = {"gpus": 320, "spares": 8, "groups": {"new": {"nodes": 6}}}
    found = scenario(failures, cluster=cluster, simulation={"horizon": "1000 y"})
    assert group_factor(found, found.failures["node"]) == pytest.approx(34 / 40, rel=1e-4)


def test_a_run_without_an_end_is_refused_where_nodes_differ() -> None:
    cluster = {"gpus": 320, "spares": 8, "groups": {"old": {"nodes": 6}}}
    with pytest.raises(ValueError, match="nothing ends the run"):
        scenario({"node": NODE | {"groups": {"old": 5}}}, cluster=cluster, simulation={})


def test_nodes_that_nothing_sends_away_are_at_work_equally_often() -> None:
    lemons = {"share": "10 %", "factor": 11}
    failures = {"node": {"per": "node", "mtbf": "30 d", "groups": {"old": 5}, "lemons": lemons}}
    found = scenario(failures, cluster={"gpus": 320, "spares": 8, "groups": {"old": {"nodes": 6}}})
    assert group_factor(found, found.failures["node"]) == pytest.approx((42 + 6 * 5) / 48)
    assert fleet_factor(found, found.failures["node"]) == pytest.approx((42 + 6 * 5) / 48 * 2)


@pytest.mark.parametrize(
    ("rack", "per", "mtbf"), [(1, "node", "20 d"), (2, "node", "20 d"), (2, "gpu", "160 d")]
)
@pytest.mark.parametrize(
    "until", [{"simulation": {"horizon": "40 d"}}, {"workload": {"productive": "40 d"}, "simulation": {}}]
)
def test_lemons_are_healed_and_made_by_repairs_of_a_node_and_of_its_neighbours(
    rack: int, per: str, mtbf: str, until: dict[str, Any]
) -> None:
    """dp/dt in small steps: a node is repaired when it fails, or as one of a rack that another takes down."""
    lemons = {"share": "10 %", "factor": 6, "healed": "30 %", "turns_bad": "5 %"}
    mode = {
        "per": per,
        "mtbf": mtbf,
        "transient": "25 %",
        "lemons": lemons,
        "repair": "1 h",
        "takes_down": "rack",
    }
    found = scenario({"node": mode}, cluster={"gpus": 320, "nodes_per_rack": rack}, **until)
    own = 0.75 / 20
    with_others = (rack - 1) * own * (1 + 0.1 * 5)
    bad, steps, total = 0.1, 40_000, 0.0
    for _ in range(steps):
        total += bad
        bad += 40 / steps * (0.05 * (own + with_others) * (1 - bad) - 0.3 * (6 * own + with_others) * bad)
    assert bad_share(found, found.failures["node"]) == pytest.approx(total / steps, rel=1e-4)


def test_lemons_that_repairs_leave_alone_keep_their_share() -> None:
    mode = NODE | {"lemons": {"share": "10 %", "factor": 6}}
    found = scenario({"node": mode, "other": NODE})
    assert [bad_share(found, each) for each in found.failures.values()] == [0.1, 0.0]


def test_a_node_that_is_back_relapses_in_the_job_only_when_the_spares_before_it_are_taken() -> None:
    """1.2 + 1.2 nodes of 12 spares are in repair; 1.2 + 2.4 leave a day, so the others last 2.67 days.

    Lemons make a node's failures twice as many as a good one's.
    """
    lemons = {"share": "10 %", "factor": 11}
    relapse = {"probability": "20 %", "within": "10 d"}
    failures = {
        "node": NODE | {"mtbf": "2000 h", "lemons": lemons, "transient": "50 %", "relapse": relapse},
        "slow": NODE | {"per": "rack", "repair": "12 h"},
    }
    found = scenario(failures, cluster={"gpus": 800, "nodes_per_rack": 5, "spares": 12})
    idle = (12 - 1.2 - 1.2) / (1.2 + 2.4)
    share = 0.5 * 0.2 * (1 - idle / 10)
    assert again(found, found.failures["node"]) == pytest.approx(1 / (1 - share))
    many = scenario(failures, cluster={"gpus": 800, "nodes_per_rack": 5, "spares": 90})
    assert again(many, many.failures["node"]) == 1.0
    stays = scenario({"node": NODE | {"transient": "100 %", "relapse": relapse}})
    assert again(stays, stays.failures["node"]) == 1.0


RELAPSE = {"relapse": {"probability": "100 %", "within": "10 d"}}
IN_VAIN = {"repair": {"constant": "1 d", "false_fix": "99 %"}}


@pytest.mark.parametrize(
    ("keys", "recovery", "most"),
    [
        ({}, {}, 1),
        ({"repair": None}, {}, 1),
        ({"relapse": {"probability": "75 %", "within": "10 d"}}, {}, 4),
        (RELAPSE, {}, 1 + 30 / (1 + 5)),
        (IN_VAIN, {}, 1 + 30 / 1),
        (IN_VAIN, {"missed": "1 %", "recurs_after": "12 h"}, 1 + 30 / 0.5),
        (RELAPSE, {"misdiagnosis": "1 %", "recurs_after": "10 d"}, 1 + 30 / 6),
        (IN_VAIN, {"missed": "1 %", "recurs_after": "2 d"}, 1 + 30 / 2),
        ({}, {"missed": "99 %"}, 100),
    ],
)
def test_what_comes_again_takes_its_time_in_the_run(
    keys: dict[str, Any], recovery: dict[str, Any], most: float
) -> None:
    """A repair takes one of 30 days, and a relapse comes after half of its time; the spares do not count."""
    mode = {key: value for key, value in (NODE | keys).items() if value is not None}
    found = scenario({"node": mode}, recovery=recovery)
    assert most_again(found, found.failures["node"]) == pytest.approx(most)


def test_a_restart_is_begun_again_by_the_share_of_failures_that_are_on_the_calendar() -> None:
    failures = {
        "bug": {"per": "job", "mtbf": "5 h"},
        "node": {"per": "node", "mtbf": "1000 h"},
        "flap": {"per": "node", "mtbf": "100 h", "effect": {"flap": {"stall": "10 s"}}},
    }
    assert calendar_share(scenario(failures)) == pytest.approx((1 / 10) / (1 / 10 + 1 / 5))
    assert calendar_share(scenario(failures, recovery={"during_recovery": "absorb"})) == 0.0


def test_a_detection_ends_with_the_first_alarm_of_those_that_strike_on_the_calendar() -> None:
    """E min(own alarm, alarms of failures that strike later) is the integral of their survival."""
    failures = {
        "a": {"per": "node", "mtbf": "50 h"},
        "b": {"per": "node", "mtbf": "80 h", "detect": "10 min"},
        "c": {"per": "job", "mtbf": "1 h", "detect": "30 min"},
    }
    stages = {"detect": "1 min", "restart": "4 min"}
    found = mean_parts(scenario(failures, recovery={"stages": stages}))
    rates, alarms = [1 / 1800, 1 / 2880, 1 / 3600], [60.0, 600.0, 1800.0]

    def lasts(t: float) -> float:
        return math.exp(-sum(r * max(t - d, 0.0) for r, d in zip(rates[:2], alarms[:2], strict=True)))

    each = [integrate.quad(lasts, 0, alarm, points=alarms[:2])[0] for alarm in alarms]
    mean = sum(r * e for r, e in zip(rates, each, strict=True)) / sum(rates)
    assert found.detection == pytest.approx(mean, rel=1e-6)
    flap = {"per": "node", "mtbf": "50 h", "effect": {"flap": {"stall": "10 s"}}}
    assert mean_parts(scenario({"flap": flap})) == (0, 0)


SAVES = {"interval": "1 h", "blocks": "0 s"}
TWO_TIERS = {"tiers": {"peer": SAVES | {"survives": ["node"]}, "storage": SAVES}}


@pytest.mark.parametrize("checkpoint", [SAVES, TWO_TIERS])
@pytest.mark.parametrize("replicas", [1, 10])
def test_training_goes_on_after_the_detection_of_the_mode(checkpoint: dict[str, Any], replicas: int) -> None:
    recovery = {"stages": {"detect": "0 s", "restart": "4 min"}, "replicas": replicas}
    found = scenario({"node": NODE | {"detect": "5 min"}}, recovery=recovery, checkpoint=checkpoint)
    assert restart_s(found, "node") == 540.0


def test_wrong_work_and_what_stops_the_job_take_all_replicas_and_a_rack_those_that_it_fills() -> None:
    wrong = {"corrupt": {"noticed_after": "1 h"}}
    failures = {"node": NODE, "rack": NODE | {"per": "rack"}, "bug": {"per": "job", "mtbf": "9 d"}}
    failures |= {
        "wrong": NODE | {"effect": wrong},
        "site": {"per": "cluster", "mtbf": "1 y", "repair": "1 h"},
    }
    found = scenario(failures, recovery={"replicas": 20})  # of five nodes; a rack has ten
    assert [replicas_down(found, mode) for mode in found.failures.values()] == [1, 2, 20, 20, 20]


def test_failures_delay_nothing_in_a_detection_and_begin_the_rest_again() -> None:
    """At one failure in 10 hours, 5 of detection and 2 of restart: (1 + D / M) exp(R / M)."""
    found = scenario({"node": NODE}, recovery={"stages": {"detect": "5 h", "restart": "2 h"}})
    assert restarts(found) == pytest.approx(1.5 * math.exp(0.2))


def test_a_stage_of_any_law_lasts_its_mean() -> None:
    """Of a lognormal law with the median m and the sigma s that is m exp(s^2 / 2)."""
    restart = {"lognormal": {"median": "10 min", "sigma": 1.5}}
    found = scenario({"node": NODE}, recovery={"stages": {"detect": "1 min", "restart": restart}})
    assert restart_s(found, "node") == pytest.approx(60 + 600 * math.exp(1.5**2 / 2), rel=1e-9)


@pytest.mark.parametrize("checkpoint", [SAVES, TWO_TIERS])
def test_a_stage_of_chance_counts_as_the_constant_one_that_is_begun_again_as_often(
    checkpoint: dict[str, Any],
) -> None:
    """At a rate r an exponential one with the mean m is over without a failure in 1 of 1 + r m cases."""
    stages = {"detect": "0 s", "restart": {"exponential": {"mean": "1 h"}}}
    node = {"per": "node", "mtbf": "1000 h"}
    found = scenario({"node": node}, recovery={"stages": stages}, checkpoint=checkpoint)
    assert mean_parts(found).recovery == pytest.approx(10 * HOUR * math.log(1 + 1 / 10), rel=1e-3)


def test_a_spare_is_fetched_for_a_node_that_leaves_for_good() -> None:
    cold = {"gpus": 800, "spares": 1, "spare_kind": "cold", "provision": "15 min"}
    failures = {"leaves": NODE | {"transient": "25 %"}, "stays": {"per": "node", "mtbf": "1 y"}}
    failures["site"] = {"per": "cluster", "mtbf": "1 y", "repair": "1 h"}
    found = scenario(failures, cluster=cold)
    assert [fetch_s(found, mode) for mode in found.failures.values()] == [0.75 * 900, 0.0, 0.0]
    none = scenario(failures, cluster=cold | {"spares": 0})
    assert [fetch_s(none, mode) for mode in none.failures.values()] == [0.0, 0.0, 0.0]
    assert restarts(found) - restarts(none) == pytest.approx(0.75 * 900 / (10 * HOUR))


def test_what_is_at_stake_is_how_often_a_mode_strikes_and_what_a_strike_costs() -> None:
    """A rack takes ten nodes, more than there are spares, so that its repair is waited for."""
    failures = {"node": NODE, "rack": NODE | {"per": "rack"}, "log": {"replay": [{"time": "5 h"}]}}
    failures["site"] = {"per": "cluster", "mtbf": "1 y", "repair": "5 h"}
    cluster = {"gpus": 800, "nodes_per_rack": 10}
    found = stakes(scenario(failures, cluster=cluster | {"spares": 9}))
    assert found["node"].strikes == pytest.approx(720 / 10)
    assert found["rack"].strikes == pytest.approx(720 / 100)
    assert found["node"].share == pytest.approx((240 + 1800) / (30 * DAY))
    assert found["rack"].share == pytest.approx((240 + 1800 + DAY) / (30 * DAY))
    assert found["site"].share == pytest.approx((240 + 1800 + 5 * HOUR) / (30 * DAY))
    assert stakes(scenario(failures, cluster=cluster | {"spares": 10}))["rack"].share == found["node"].share
    assert found["log"] == (0.0, 0.0)
    assert stakes(scenario({"node": NODE}, checkpoint="none"))["node"].share == 1.0


def test_nodes_away_are_those_that_are_repaired_at_a_time() -> None:
    """2.4 nodes, less what is transient; 2.4 in racks of ten; and a shop with one crew is M/D/1."""
    both = first_order(scenario({"node": NODE | {"transient": "25 %"}, "rack": NODE | {"per": "rack"}}))
    assert both.away == pytest.approx(2.4 * 0.75 + 2.4, rel=1e-6)
    parts = NODE | {"repair": {"automatic": "2 h", "escalates": "50 %", "manual": "20 h"}}
    assert first_order(scenario({"node": parts})).away == pytest.approx(1.2, rel=1e-6)
    half = shortage(scenario({"node": NODE | {"clock": "training"}}), 15 * DAY, 0.5)
    assert half.away == pytest.approx(1.2, rel=1e-6)
    crew = {"per": "node", "mtbf": "4000 h", "repair": {"constant": "1 d", "crews": 1}}
    queue = first_order(scenario({"node": crew}))
    assert queue.away == pytest.approx(0.6 + 0.6**2 / 2 / 0.4, rel=1e-6)


def test_crews_that_cannot_keep_up_are_counted_as_hardly_keeping_up() -> None:
    """Two crews, busy for 98 % of their time: Erlang's C, and half of that queue for a constant repair."""
    crew = NODE | {"repair": {"constant": "1 d", "crews": 2}}
    found = first_order(scenario({"node": crew}, cluster={"gpus": 800, "spares": 5000}))
    waits = 2 * 0.98**2 / 1.98
    assert found.away == pytest.approx(2 * 0.98 + waits * 0.98 / 0.02 / 2, rel=1e-4)
    assert (
        found.why_not
        == "repairs of failures.node pile up: 2 crews can hardly keep up with them, or not at all"
    )
    five = scenario({"node": NODE | {"repair": {"constant": "1 d", "crews": 5}}})
    assert first_order(five).why_not == ""


def test_each_rack_has_nothing_but_its_own_spares() -> None:
    """Ten racks of ten nodes, five of them with two spares and five with one: births and deaths of each."""
    cluster = {"gpus": 800, "nodes_per_rack": 10, "spares": 15, "spares_within": "rack"}
    short = shortage(scenario({"node": NODE}, cluster=cluster), 15 * DAY, 1.0)

    def rack(spares: int) -> tuple[float, float]:
        weights = [1.0]
        for away in range(1, 10 + spares + 1):
            at_work = 10 - max(away - 1 - spares, 0)
            weights.append(weights[-1] * 0.024 * at_work / away)
        return sum(weights[: spares + 1]) / sum(weights), float(
            np.average(range(len(weights)), weights=weights)
        )

    (one, away_of_one), (two, away_of_two) = rack(1), rack(2)
    missing = 1 - one**5 * two**5
    assert short == pytest.approx((missing, missing, 5 * (away_of_one + away_of_two)))


def test_a_replica_that_misses_a_node_waits_alone_while_enough_are_left() -> None:
    """Without spares each of 100 nodes is away by itself; below 7 of 10 replicas all wait."""
    recovery = {"replicas": 10, "minimum": 7}
    found = scenario({"node": NODE}, cluster={"gpus": 800}, recovery=recovery)
    away = stats.binom(100, 0.024 / 1.024)
    waits = sum(away.pmf(k) * k / 10 for k in range(4)) + away.sf(3)
    assert shortage(found, 15 * DAY, 1.0).idle_cards == pytest.approx(waits)


def test_racks_serve_with_what_is_left_of_them_where_the_last_has_fewer_nodes() -> None:
    """40 nodes in 3 racks of 16 + 2, and one that stands by: 13 in each on average, and the 2 beside them."""
    cluster = {"gpus": 160, "gpus_per_node": 4, "nodes_per_rack": 18, "used_per_rack": 16, "spare_racks": 1}
    tray = {"per": "node", "mtbf": "100 h", "repair": "10 h"}
    found = scenario({"tray": tray}, cluster=cluster | {"spare_failures": "100 %"})
    load = 0.1 * 40 / 39  # of each of 13 in 3 racks, as 40 fail
    serves = stats.binom(15, 1 / (1 + load)).sf(12)
    waits = stats.binom(4, serves).cdf(2)
    assert shortage(found, 15 * DAY, 1.0).waiting == pytest.approx(waits)


def test_a_run_is_the_mean_of_its_instants_whether_or_not_a_rate_could_change() -> None:
    """Shops start empty: eight instants of two days, in which a repair takes one."""
    cluster = {"gpus": 800, "spares": 2}
    found = first_order(scenario({"node": NODE}, cluster=cluster, simulation={"horizon": "2 d"}))
    steady = scenario({"node": NODE}, cluster=cluster)
    instants = [shortage(steady, (number + 0.5) / 4 * DAY, 1.0) for number in range(8)]
    waiting, idle, away = np.mean(instants, axis=0)
    assert found[1:4] == pytest.approx((waiting, idle, away))
    same = NODE | {"over_time": {"0 d": 1, "1 d": 1, "2 d": 3}}
    again = first_order(scenario({"node": same}, cluster=cluster, simulation={"horizon": "2 d"}))
    assert again[:4] == pytest.approx(found[:4])


@pytest.mark.parametrize(("spares", "have"), [(0, "are no spares"), (1, "is 1 spare"), (2, "are 2 spares")])
@pytest.mark.parametrize(("replicas", "who"), [(1, "the job"), (2, "a replica")])
def test_who_waits_is_the_job_or_one_of_its_replicas(spares: int, have: str, replicas: int, who: str) -> None:
    cluster, recovery = {"gpus": 800, "spares": spares}, {"replicas": replicas}
    found = first_order(scenario({"node": NODE}, cluster=cluster, recovery=recovery))
    away, share = f"{found.away:.2g}", f"{100 * found.waiting:.2g}"
    waits = f"so that {who} waits for nodes about {share} % of the time"
    assert found.why_not == f"{away} nodes are away on average and there {have}, {waits}"


def test_a_rate_that_is_doubled_all_the_time_is_that_of_half_the_mtbf() -> None:
    lemons = {"share": "10 %", "factor": 6, "healed": "30 %", "turns_bad": "5 %"}
    doubled, half = (
        first_order(scenario({"node": NODE | {"lemons": lemons} | keys}))
        for keys in ({"over_time": {"0 d": 2}}, {"mtbf": "500 h"})
    )
    assert doubled[:4] == pytest.approx(half[:4], rel=1e-12)


def test_a_program_does_not_fail_while_nodes_are_missing() -> None:
    failures = {"node": NODE, "bug": {"per": "job", "mtbf": "10 h"}}
    free = {"stages": {"detect": "0 s", "restart": "0 s"}}
    short = scenario(failures, cluster={"gpus": 800, "spares": 2}, recovery=free)
    found = first_order(short)
    assert found.waiting > 0.1
    assert stakes(short)["bug"].strikes == pytest.approx(72 * (1 - found.waiting))


def test_a_copy_that_is_not_durable_yet_is_none() -> None:
    """Of 10 hours between failures 6 minutes more are lost with each: exp(-0.01) is left."""
    saves = {"interval": "1 h", "blocks": "0 s"}
    at_once, late = (
        first_order(scenario({"node": NODE}, checkpoint=saves | {"durable_after": after})).ettr or 0.0
        for after in ("0 s", "6 min")
    )
    assert late / at_once == pytest.approx(math.exp(-0.01))


def test_the_rate_of_a_mode_is_that_of_all_its_units() -> None:
    assert rate(scenario({"node": NODE}), "node") == pytest.approx(1 / (10 * HOUR))


def test_idle_spares_fail_at_their_share_of_the_rate() -> None:
    """Eight cards of ten spares, half as often as those at work, twice as often in the last 10 of 30 days."""
    card = {"per": "gpu", "mtbf": "400 d", "over_time": {"0 d": 1, "20 d": 2}}
    failures = {"card": card, "bug": {"per": "job", "mtbf": "9 d"}, "log": {"replay": [{"time": "5 h"}]}}
    found = scenario(failures, cluster={"gpus": 800, "spares": 10, "spare_failures": "50 %"})
    strikes = [spare_events(found, name, 30 * DAY) for name in failures]
    assert strikes == pytest.approx([8 * 10 * 0.5 * (20 + 10 * 2) / 400, 0, 0])


def test_a_tier_is_there_for_what_it_is_the_first_to_survive() -> None:
    """Of nodes 20 % spread to their rack, which takes the copies of the peers along."""
    failures = {
        "node": NODE | {"spreads": {"to": "rack", "probability": "20 %"}},
        "rack": NODE | {"per": "rack"},
        "bug": {"per": "job", "mtbf": "40 h"},
    }
    tier = {"interval": "1 h", "blocks": "0 s"}
    peer = tier | {"survives": ["job", "gpu", "node"]}
    found = scenario(failures, checkpoint={"tiers": {"peer": peer, "storage": tier, "archive": tier}})
    per_hour = [
        1 / ((mtbf_served(found, name) or math.inf) / HOUR) for name in ("peer", "storage", "archive")
    ]
    assert per_hour == pytest.approx([0.8 / 10 + 1 / 40, 0.2 / 10 + 1 / 100, 0])


def test_a_job_of_one_node_waits_for_it_and_of_racks_with_1500_for_each() -> None:
    one = shortage(scenario({"node": NODE}, cluster={"gpus": 8}), 15 * DAY, 1.0)
    assert one == pytest.approx((0.024 / 1.024,) * 3)
    cluster = {"gpus": 24_000, "nodes_per_rack": 1500}
    two = shortage(scenario({"rack": NODE | {"per": "rack"}}, cluster=cluster), 15 * DAY, 1.0)
    assert two == pytest.approx((1 - math.exp(-0.048), 1 - math.exp(-0.048), 0.048 * 1500))


def test_racks_that_stand_by_fail_at_their_share() -> None:
    """Four racks of ten nodes and two more, of which nodes fail half as often."""
    cluster = {"gpus": 160, "gpus_per_node": 4, "nodes_per_rack": 10, "used_per_rack": 10, "spare_racks": 2}
    tray = {"per": "node", "mtbf": "100 h", "repair": "10 h"}
    found = scenario({"tray": tray}, cluster=cluster | {"spare_failures": "50 %"})
    assert shortage(found, 15 * DAY, 1.0).away == pytest.approx(10 * 0.1 / 1.1 * (4 + 2 * 0.5))
