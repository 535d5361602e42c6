"""Sentences about summaries made by hand: every figure in them, and where each begins and ends to be said."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim import theory
from clustersim.advice import (
    Advice,
    _interval,
    _log,
    _no_progress,
    _precision,
    _rare,
    _target,
    advise,
    largest_losses,
    spares,
    stood_still,
    verdict,
    waiting_for_nodes,
)
from clustersim.formatting import percent
from tests.unit.test_advice_rules import (
    PRICED,
    scenario,
    summary,
)

LOSSES = {"recovery": 0.12, "lost": 0.0677}


def run(
    *, ledger: dict[str, float] | None = None, widths: dict[str, float] | None = None, **more: Any
) -> Any:
    """Return the summary of 1,000 cards of which 812 train, with these half-widths of entries."""
    usual: dict[str, Any] = {
        "name": "sample",
        "gpus": 1000,
        "half_width": 0.002,
        "ettr": {"mean": 0.8123},
        "no_progress": False,
        "scaling_efficiency": 1,
        "effective_gpus": 406.04,
        "replications": 64,
        "warm_up_s": 0.0,
        "horizon_s": 10 * 86_400.0,
        "mtbf_s": 3600.0,
        "incidents_by_mode": {"gpu": 1.0},
    }
    made = summary(ledger=LOSSES if ledger is None else ledger, **usual | more)
    made["margins"] |= {"effective_gpus": 1.0}
    made["margins"] |= {f"ledger.{entry}": width for entry, width in (widths or {}).items()}
    return made


def said(rule: Any, given: Any, **changes: Any) -> list[str]:
    return [str(each) for each in rule(scenario(**changes), given)]


MOST = "; most of the rest goes into recovery, 12.0 % of all card-time."


def test_the_verdict_says_how_many_cards_train_and_how_sure_that_is() -> None:
    assert str(verdict(run())) == f"Of 1,000 cards 812 train (ETTR 0.812 ± 0.002){MOST}"
    assert str(verdict(run(half_width=None))) == f"Of 1,000 cards 810 train (ETTR 0.81){MOST}"
    half = run(scaling_efficiency=0.5)
    worth = ", worth 406.0 at a scaling efficiency of 0.5"
    assert str(verdict(half)) == f"Of 1,000 cards 812 train (ETTR 0.812 ± 0.002){worth}{MOST}"
    assert not verdict(half).warning
    stuck = verdict(run(no_progress=True, ettr={"mean": 0.004}, half_width=0.001))
    assert str(stuck) == f"sample makes no progress: of 1,000 cards 4.0 train (ETTR 0.0040 ± 0.0010){MOST}"
    assert stuck.warning


def test_the_verdict_keeps_chance_and_inputs_apart() -> None:
    points = {"p5": 0.78, "p50": 0.81, "p95": 0.84}
    assert "(ETTR 0.812, chance ± 0.002, inputs 0.780 to 0.840 (90 %));" in str(
        verdict(run(inputs={"ettr": points}))
    )
    assert "(ETTR 0.812, chance ± 0.002, inputs make no difference (90 %));" in str(verdict(run(inputs={})))
    assert "(ETTR 0.81, inputs 0.780 to 0.840 (90 %));" in str(
        verdict(run(inputs={"ettr": points}, half_width=None))
    )


@pytest.mark.parametrize(
    ("ledger", "widths", "names"),
    [
        ({"lost": 0.05, "recovery": 0.0475}, {}, ["lost"]),
        ({"lost": 0.05, "recovery": 0.0485}, {}, ["lost", "recovery"]),
        ({"lost": 0.05, "recovery": 0.0475}, {"lost": 0.002}, ["lost", "recovery"]),
        ({"lost": 0.05004, "recovery": 0.04997}, {"lost": 1e-5, "recovery": 1e-5}, ["lost", "recovery"]),
        (
            {"lost": 0.05, "recovery": 0.0494, "waiting": 0.0487},
            {"lost": 1e-5, "recovery": 1e-5, "waiting": 0.002},
            ["lost", "recovery", "waiting"],
        ),
        ({"lost": 0.0005}, {}, ["lost"]),
        ({}, {}, []),
    ],
)
def test_losses_tie_where_their_intervals_meet_or_they_are_printed_alike(
    ledger: dict[str, float], widths: dict[str, float], names: list[str]
) -> None:
    assert largest_losses(run(ledger=ledger, widths=widths)) == names


@pytest.mark.parametrize(
    ("ledger", "ending"),
    [
        ({}, "; nothing is lost."),
        ({"lost": 0.1, "recovery": 0.07, "waiting": 0.06}, "; the largest part of the rest goes into work"),
        ({"lost": 0.1, "recovery": 0.097}, "; most of the rest goes into work thrown away, 10.0 % of all"),
        ({"lost": 0.1, "recovery": 0.0981}, "; the largest parts of the rest, which cannot be told apart, go"
            " into work thrown away, 10.0 %, and recovery, 9.8 % of all card-time."),
        ({"lost": 0.1, "recovery": 0.1, "waiting": 0.1}, "thrown away, 10.0 %, recovery, 10.0 %, and wai"),
        (dict.fromkeys(("lost", "recovery", "waiting", "idle"), 0.1), "; no single part of the rest stands"),
    ],
)  # fmt: skip
def test_the_verdict_names_what_takes_most_of_the_rest(ledger: dict[str, float], ending: str) -> None:
    assert ending in str(verdict(run(ledger=ledger, widths={"productive": 0.0})))


@pytest.mark.parametrize(
    ("lost", "productive", "words"),
    [(0.001, 0.0, "most of"), (0.0109, 0.0, "the largest part of"), (0.001, 0.019, "the largest part of")],
)
def test_most_is_what_is_surely_more_than_half(lost: float, productive: float, words: str) -> None:
    unsure = run(ledger={"lost": 0.11, "recovery": 0.09}, widths={"lost": lost, "productive": productive})
    assert f"; {words} the rest goes into work thrown away" in str(verdict(unsure))


RESTART = {"recovery": {"stages": {"detect": "1 min", "restart": "20 min"}}}


@pytest.mark.parametrize(
    ("ledger", "mtbf", "text"),
    [
        ({"waiting": 0.99}, 3600.0, "hold more spare nodes, or repair faster."),
        ({"recovery": 0.99}, None, "restart only the part of the job that failed."),
        (
            {"recovery": 0.99}, 3600.0,
            "failed; a restart takes 21 min where something fails every 1 h.",
        ),
        (
            {"detection": 0.99}, 600.0,
            "shorter timeouts; a restart takes 21 min where something fails every 10 min, so that most"
            " restarts fail too.",
        ),
        ({"waiting": 0.495, "idle": 0.495}, 3600.0, "repair faster; or let the job train with fewer"),
    ],
)  # fmt: skip
def test_no_progress_says_what_would_matter(ledger: dict[str, float], mtbf: float | None, text: str) -> None:
    given = run(ledger=ledger, no_progress=True, mtbf_s=mtbf)
    (found,) = said(_no_progress, given, **RESTART)
    assert found.startswith("What would matter most: ")
    assert text in found
    assert ("restart takes" in found) is ("restart takes" in text)
    assert all(each.warning for each in _no_progress(scenario(**RESTART), given))
    assert not said(_no_progress, given | {"no_progress": False}, **RESTART)
    assert not said(_no_progress, run(ledger={}, no_progress=True), **RESTART)


EVERY_5_H = {"failures": {"job": {"per": "job", "mtbf": "5 h"}}}
LEDGER = {"lost": 0.3, "checkpoint": 0.002, "recovery": 0.05}


def far(**more: Any) -> list[str]:
    """Return what is said of saves of 20 s every 4 h where something fails every 5 h."""
    changes = EVERY_5_H | {"checkpoint": {"interval": "4 h", "blocks": "20 s"}}
    return said(_interval, run(**{"ledger": LEDGER} | more), **changes)


def test_another_interval_gains_what_the_formula_says_of_the_time_in_which_the_job_trains_or_saves() -> None:
    best, now, mtbf = theory.optimal(5 * 3600.0, 20.0), 4 * 3600.0, 5 * 3600.0
    gain = theory.efficiency(best, mtbf, 20.0, 0.0) - theory.efficiency(now, mtbf, 20.0, 0.0)
    for lost, checkpoint, recovery in ((0.3, 0.002, 0.05), (0.3, 0.002, 0.3)):
        (found,) = far(ledger={"lost": lost, "checkpoint": checkpoint, "recovery": recovery})
        by_formula = gain * (1 - recovery)
        in_proportion = lost * (1 - (best + 20) / (now + 20)) + checkpoint * (1 - (now + 20) / (best + 20))
        gains = 100 * min(by_formula, in_proportion)
        assert f"every 14 min or so would gain about {gains:.1f} % of all card-time" in found
        assert found.startswith("Saving every 4 h is far from the best where something fails every 5 h: ")
    (found,) = far(ledger={"lost": 0.1, "checkpoint": 0.002})  # less than the formula says is lost at all
    in_proportion = 0.1 * (1 - (best + 20) / (now + 20)) + 0.002 * (1 - (now + 20) / (best + 20))
    assert f"would gain about {100 * in_proportion:.1f} % of all" in found


def test_an_interval_far_from_the_best_is_warned_of() -> None:
    saves = {"checkpoint": {"interval": "4 h", "blocks": "20 s"}}
    assert [each.warning for each in _interval(scenario(**EVERY_5_H | saves), run(ledger=LEDGER))] == [True]


def test_no_other_interval_is_named_where_the_gain_is_not_known_well_enough() -> None:
    assert far()
    assert not far(half_width=None)
    assert not far(widths={"lost": 0.2, "checkpoint": 0.2})
    assert not far(ledger={"lost": 0.01, "checkpoint": 0.002})
    free = {"checkpoint": {"interval": "4 h", "blocks": "0 s"}}
    assert not said(_interval, run(ledger=LEDGER), **EVERY_5_H | free)
    assert not said(_interval, run(ledger=LEDGER), **EVERY_5_H | {"checkpoint": "none"})
    near = {"checkpoint": {"interval": "15 min", "blocks": "20 s"}}
    assert not said(_interval, run(ledger=LEDGER), **EVERY_5_H | near)


@pytest.mark.parametrize(
    ("reached", "text"),
    [
        (None, None), (1.0, None),
        (0.75, "The target was reached in 75 % of the replications within 12.3 d."),
        (0.0, "The target was never reached within 12.3 d."),
    ],
)  # fmt: skip
def test_a_target_that_is_not_always_reached_is_told(reached: float | None, text: str | None) -> None:
    given = run(horizon_s=12.34 * 86_400) | ({} if reached is None else {"target_reached": reached})
    assert said(_target, given) == ([] if text is None else [text])
    assert all(each.warning for each in _target(scenario(), given))


def goal(met: bool, *unstruck: str) -> dict[str, Any]:
    return {"precision": {"asked": 0.01, "met": met, "unstruck": list(unstruck)}}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"half_width": None}, "One replication tells nothing about chance: no interval."),
        (
            {"half_width": None, "inputs": {}},
            "One replication per draw tells nothing about chance: no interval.",
        ),
        (
            goal(met=True) | {"half_width": 0.0099},
            "The precision of ±1 pp is met: ±0.99 pp with 64 replications.",
        ),
        (
            goal(False, "fire"),
            "The precision of ±1 pp is not met: ±0.2 pp with 64 replications, but fire has not struck yet.",
        ),
        (
            goal(False, "fire", "flood"),
            "The precision of ±1 pp is not met: ±0.2 pp with 64 replications, but fire and flood have not"
            " struck yet.",
        ),
        (
            {"replications": 7},
            "Only 7 replications: the intervals are unsure themselves. Take 8 or more.",
        ),
        ({"replications": 8}, None),
        ({"replications": 2, "half_width": 0.0}, None),
        ({"ettr": {"mean": 0.001}}, "The interval of ETTR is cut at what is possible, 0 to 1."),
        ({"ettr": {"mean": 0.001}, "no_progress": True}, None),
        ({"ettr": {"mean": 1.0}, "half_width": 0.0}, None),
        ({"ettr": {"mean": 0.5}, "half_width": 0.5}, None),
    ],
)
def test_how_sure_figures_are_is_said_where_that_needs_saying(
    changes: dict[str, Any], text: str | None
) -> None:
    found = list(_precision(scenario(), run(**changes)))
    assert [str(each) for each in found] == ([] if text is None else [text])
    assert all(each.warning == (" met:" not in str(each) or "not met" in str(each)) or "cut" in str(each)
               for each in found)  # fmt: skip


RARE = (
    "the intervals miss the truth more often than they say. Simulate a longer horizon, or more replications."
)
NEVER = ": what that costs is in no figure. Simulate a longer horizon, or more replications."


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"interruptions_total": 1}, [f"Only 1 interruption in all replications: {RARE}"]),
        ({"interruptions_total": 19}, [f"Only 19 interruptions in all replications: {RARE}"]),
        ({"interruptions_total": 20}, []),
        ({"interruptions_total": 1, "random": False}, []),
        ({"interruptions_total": 1, "half_width": None}, []),
        (
            {"interruptions_total": 0},
            [
                "Nothing interrupted training in any replication; something still may, in up to 5 % of them."
                " Simulate a longer horizon, or more replications."
            ],
        ),
        (
            {"incidents_by_mode": {"a": 0.0, "b": 0, "gpu": 1.0}},
            [f"a and b never struck the job in any replication{NEVER}"],
        ),
        (
            {"incidents_by_mode": {"a": 0.0}, "warm_up_s": 60.0},
            [f"a never struck the job after the warm-up in any replication{NEVER}"],
        ),
    ],
)
def test_where_little_happened_the_intervals_promise_too_much(
    changes: dict[str, Any], texts: list[str]
) -> None:
    given = run(**{"interruptions_per_day": 10.0} | changes)
    assert said(_rare, given) == texts
    assert all(each.warning for each in _rare(scenario(), given))
    assert not said(_rare, run(interruptions_total=1), failures="none")


@pytest.mark.parametrize(
    ("strikes", "waste", "named"),
    [(10, 0.05, True), (10, 0.03, False), (19, 0.06, True), (20, 0.06, False), (1, 0.0126, True)],
)
def test_few_incidents_decide_where_they_make_a_quarter_of_the_variance(
    strikes: int, waste: float, named: bool
) -> None:
    """50 days in all; so many strikes have the half-width 2 x waste / sqrt(strikes), against 0.025."""
    given = run(
        interruptions_total=500,
        interruptions_per_day=10.0,
        half_width=0.05,
        incidents_by_mode={"often": 9.0, "seldom": strikes / 50},
        waste_by_cause={"often": 0.5, "seldom": waste},
    )
    assert (2 * waste / math.sqrt(strikes) > 0.025 and strikes < 20) is named
    text = f"Few incidents in all replications decide how wide the interval of ETTR is: seldom ({strikes})."
    assert [each.startswith(text) for each in said(_rare, given)] == [True] * named


@pytest.mark.parametrize(
    ("nodes", "fewest", "text"),
    [
        (3, 0, "All 3 spare nodes were in use at least once."),
        (1, 0, "The spare node was in use at least once."),
        (0, 0, None),
        (2, 1, None),
        (2, 2, "Of the 2 spare nodes, all of which are paid for, none was ever in use."),
        (40, 20, None),
        (40, 21, "Of the 40 spare nodes, all of which are paid for, never more than 19 were in use."),
        (1, 1, None),
    ],
)
def test_spares_that_were_all_needed_or_not_are_told(nodes: int, fewest: int, text: str | None) -> None:
    priced = {**PRICED, "cluster": {"gpus": 800, "spares": max(nodes, 1)}}
    given = run(ledger={"waiting": 0.0049}, spare_nodes=nodes, fewest_spares=fewest)
    assert said(spares, given, **priced) == ([] if text is None else [text])


def test_waiting_is_told_from_half_a_per_cent_on() -> None:
    given = run(ledger={"waiting": 0.005}, spares={"sufficient_p99": 12})
    assert said(spares, given) == [
        "Without spare nodes the job waits for repairs: 0.5 % of all card-time. 12 would have sufficed for"
        " 99 % of the time (cluster.spares)."
    ]
    (one,) = spares(scenario(), given | {"spare_nodes": 1})
    assert str(one).startswith(
        "The 1 spare node is too few: waiting for repairs takes 0.5 % of all card-time."
    )
    assert one.warning


def test_all_rules_are_heard_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "clustersim.advice.about_overlaps", lambda _: ["failures: 1 of 9 incidents: the node is away already"]
    )
    given = run(
        ledger={"waiting": 0.04},
        spares={"sufficient_p99": 12},
        target_reached=0.0,
        replications=2,
        interruptions_per_day=50.0,
    )
    found = advise(scenario(), given)
    starts = ("Without spare nodes", "The target was never", "1 of 9 incidents: the node is", "Only 2 repl")
    assert [str(each).startswith(start) for each, start in zip(found, starts, strict=True)] == [True] * 4
    assert list(_log(scenario(), given)) == [
        Advice("1 of 9 incidents: the node is away already.", warning=True)
    ]
    assert all(each.warning for each in found)


SITE = {"site": {"per": "cluster", "mtbf": "30 d", "repair": "4 h"}}
TOLD = {"spot": {"per": "node", "mtbf": "5 d", "repair": "1 h", "notice": "2 min"}}
OUT = {"site": {"waiting": 0.03}, "spot": {"waiting": 0.02}, "gpu": {"waiting": 0.01}}


@pytest.mark.parametrize(
    ("failures", "waited", "for_nodes", "stood"),
    [
        ({}, 0.02, 0.06, {}),
        (SITE, 0.02, 0.03, {}),
        (TOLD, None, 0.06, {}),
        (TOLD, 0.042, 0.042, {"spot": 0.018}),
        (TOLD, 0.07, 0.06, {"spot": 0.0}),
        (TOLD, 0.01, 0.04, {"spot": 0.02}),
        (SITE | TOLD, 0.01, 0.01, {"spot": 0.02}),
        (SITE | TOLD, 0.02, 0.02, {"spot": 0.01}),
    ],
)
def test_waiting_for_nodes_is_neither_for_the_site_nor_for_nodes_to_leave(
    failures: dict[str, Any], waited: float | None, for_nodes: float, stood: dict[str, float]
) -> None:
    """Of 6 % in all, 3 % are the site's, 2 % those of announced failures: of these what is not waited."""
    own = {"gpu": {"per": "node", "mtbf": "50 d", "repair": "6 h"}} | failures
    given = run(ledger={"waiting": 0.06}, waste=OUT, spares={"waiting": waited, "sufficient_p99": 5})
    assert stood_still(scenario(failures=own), given) == pytest.approx(stood)
    assert waiting_for_nodes(scenario(failures=own), given) == pytest.approx(for_nodes)
    assert stood_still(scenario(failures=own, recovery={"replicas": 2}), given) == {}
    calm = scenario(failures={"flood": SITE["site"], "drain": TOLD["spot"]})
    assert (stood_still(calm, given), waiting_for_nodes(calm, given)) == ({}, 0.06)
    (told,) = spares(scenario(failures=own), given)
    share = "6.0 %" if for_nodes == 0.06 else percent(for_nodes)
    assert str(told).startswith(
        f"Without spare nodes the job waits for repairs: {share} of all card-time. 5 w"
    )
