"""What is said of spares, replicas, copies and bad nodes: only what the numbers say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clustersim.advice import Advice, corruption, held_back, lemons, spares, stalls, stragglers, tiers
from clustersim.engine.ledger import Entry
from clustersim.scenario import Scenario


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "sample",
            "cluster": {"gpus": 800},
            "failures": {"gpu": {"per": "node", "mtbf": "50 d", "repair": "6 h"}},
            "checkpoint": {"interval": "20 min", "blocks": "20 s"},
            "simulation": {"horizon": "10 d"},
        }
        | changes
    )


def summary(*, ledger: dict[str, float] | None = None, **more: Any) -> dict[str, Any]:
    losses = ledger or {}
    shares = {entry.label: 0.0 for entry in Entry} | losses | {"productive": 1 - sum(losses.values())}
    margins = {f"ledger.{entry}": 0.001 for entry in shares}
    usual = {
        "ledger": shares,
        "margins": defaultdict(lambda: 0.001, margins),
        "reasons": {},
        "spare_nodes": 0,
        "fewest_spares": 0,
        "waste": {},
        "waste_by_cause": defaultdict(float),
        "interruptions_total": 500,
    }
    return usual | more


WAITING = {"waiting": 0.04}
REPLICAS = {"recovery": {"replicas": 4}}
LEAST = {"spares.sufficient_p99": "it takes 9+"}
IDLE = {"spare_nodes": 40, "fewest_spares": 30}
PRICED = {"costs": {"gpu_hour": "2 USD"}}
LENT = {"cluster": {"gpus": 800, "spares": 40, "spare_kind": "lent", "preempt": "2 min"}}
RACKS = {"cluster": {"gpus": 800, "nodes_per_rack": 4, "spares": 3, "spares_within": "rack"}}
FEW = {"replicas": {"count": 8, "minimum": 6, "down": 1.0}}
SLOW = {
    name: {"per": "node", "mtbf": "9 d", "effect": {"slow": {"factor": 0.5}}, "detect": "1 h"}
    for name in "ab"
}
SILENT = {"silent": {"per": "node", "mtbf": "90 d", "effect": {"corrupt": {"noticed_after": "2 h"}}}}
SPOILT = {"ledger": {"corrupted": 0.02}, "waste": {"silent": {"corrupted": 0.02}}}
LEMONS = {"per": "node", "mtbf": "50 d", "repair": "6 h", "lemons": {"share": "5 %", "factor": 8}}
COSTLY = {"waste_by_cause": {"gpu": 0.05}}
TIERS = {
    "peer": {"interval": "1 min", "blocks": "1 s", "survives": ["job"]},
    "storage": {"interval": "1 h", "blocks": "9 s"},
}
NEVER, OFTEN = ({"peer": {"loads": share}, "storage": {"loads": 1 - share}} for share in (0.0, 1.0))


def keeping(copies: int, interval: str = "20 min") -> dict[str, Any]:
    return {"failures": SILENT, "checkpoint": {"interval": interval, "blocks": "20 s", "keep": copies}}


def few_lemons(**more: Any) -> dict[str, Any]:
    return {"failures": {"gpu": LEMONS | more}}


Rule = Callable[..., Iterator[Any]]
CASES: dict[str, tuple[Rule, dict[str, Any], dict[str, Any], str]] = {
    "no spares": (spares, {}, {"ledger": WAITING, "spares": {"sufficient_p99": 12}}, "12 would have"),
    "too few": (
        spares, {}, {"ledger": WAITING, "spare_nodes": 3, "spares": {"sufficient_p99": 12}},
        "The 3 spare nodes are too few",
    ),
    "too few of racks": (spares, RACKS, {"ledger": WAITING, "spare_nodes": 3}, "serves one rack only"),
    "at least": (spares, {}, {"ledger": WAITING, "reasons": LEAST}, "card-time. It takes 9+ (clus"),
    "nobody knows": (spares, {}, {"ledger": WAITING, "spares": {"sufficient_p99": None}}, "cluster.spares"),
    "unpaid": (spares, {}, IDLE, ""),
    "paid": (spares, PRICED, IDLE, "never more than 10 were in use"),
    "lent": (spares, PRICED | LENT, IDLE, ""),
    "never used": (spares, PRICED, {"spare_nodes": 40, "fewest_spares": 40}, "none was ever in use"),
    "half used": (spares, PRICED, {"spare_nodes": 40, "fewest_spares": 15}, ""),
    "free": (spares, {"costs": {"gpu_hour": "2 USD", "idle_spares": "0 %"}}, IDLE, ""),
    "stalls": (
        stalls, {"recovery": {"replicas": 2}},
        {"ledger": {"stall": 0.05, "recovery": 0.02, "detection": 0.01}}, "are down, 3.0 %",
    ),
    "flaps": (stalls, {}, {"ledger": {"stall": 0.05, "recovery": 0.02}}, ""),
    "stalls that pay": (stalls, REPLICAS, {"ledger": {"stall": 0.05, "recovery": 0.06}}, ""),
    "short stalls": (stalls, REPLICAS, {"ledger": {"stall": 0.005}}, ""),
    "held back": (held_back, {}, {"ledger": {"idle": 0.012}, **FEW}, "fewer than 6 of 8 replicas"),
    "no replicas": (held_back, {}, {"ledger": {"idle": 0.012}}, ""),
    "slow": (
        stragglers, {"failures": SLOW},
        {"waste": {"a": {"slow": 0.01}, "b": {"slow": 0.02}, "overhead": {"slow": 0.3}}},
        '3.0 % of all card-time, most of it by "b"',
    ),
    "slow alike": (
        stragglers, {"failures": SLOW}, {"waste": {"a": {"slow": 0.02}, "b": {"slow": 0.02}}},
        '4.0 % of all card-time, by "a" 2.0 % and "b" 2.0 %',
    ),
    "hardly the most": (
        stragglers, {"failures": SLOW},
        {
            "waste": {"a": {"slow": 0.019}, "b": {"slow": 0.021}},
            "margins": defaultdict(lambda: 0.001, {"waste_by_cause.b": 0.002}),
        },
        'by "b" 2 % and "a" 2 %',
    ),
    "overhead": (stragglers, {"failures": SLOW}, {"waste": {"overhead": {"slow": 0.3}}}, ""),
    "few copies": (corruption, keeping(2), SPOILT, "the 2 copies kept reach back 40 min only"),
    "many copies": (corruption, keeping(9), SPOILT, '2.0 % of all card-time, all of it by "silent".'),
    "nothing is saved": (corruption, {"failures": SILENT, "checkpoint": "none"}, SPOILT, 'by "silent".'),
    "two corrupt": (
        corruption, {"failures": SILENT | {"other": SILENT["silent"]}},
        {"ledger": {"corrupted": 0.02}, "waste": {name: {"corrupted": 0.01} for name in ("silent", "other")}},
        'throws away 2.0 % of all card-time, by "silent" 1.0 % and "other" 1.0 %.',
    ),
    "no corruption": (corruption, keeping(2), {}, ""),
    "lemons": (
        lemons, few_lemons(lemons={"share": "10 %", "factor": 2.25}), COSTLY, "bring 20 % of the failures"
    ),
    "retired": (lemons, few_lemons() | {"recovery": {"retire": {"after": 3, "within": "30 d"}}}, COSTLY, ""),
    "cheap lemons": (lemons, few_lemons(), {"waste_by_cause": {"gpu": 0.001}}, ""),
    "few lemons": (lemons, few_lemons(lemons={"share": "1 %", "factor": 8}), COSTLY, ""),
    "no loads": (tiers, {"checkpoint": {"tiers": TIERS}}, {"tiers": NEVER}, '"peer" was never loaded in 500'),
    "too early": (tiers, {"checkpoint": {"tiers": TIERS}}, {"tiers": NEVER, "interruptions_total": 20}, ""),
    "loads": (tiers, {"checkpoint": {"tiers": TIERS}}, {"tiers": OFTEN}, ""),
    "one tier": (tiers, {}, {}, ""),
}  # fmt: skip
"""What a rule says of a scenario with these changes and of this summary; nothing where that is empty."""


@pytest.mark.parametrize("case", CASES)
def test_a_rule_speaks_where_the_numbers_do(case: str) -> None:
    rule, changes, numbers, words = CASES[case]
    told = [str(advice) for advice in rule(scenario(**changes), summary(**numbers))]
    assert len(told) == bool(words)
    assert words in "".join(told)


def test_spares_that_suffice_are_not_told() -> None:
    enough = {"ledger": WAITING, "spare_nodes": 20, "spares": {"sufficient_p99": 12}}
    (told,) = spares(scenario(), summary(**enough))
    assert "sufficed" not in str(told)


ALL = "of all card-time"
IDLE = f"take 0.5 % {ALL}: try a lower recovery.minimum, or smaller replicas."
FEW = f"The 12 spare nodes are too few: waiting for repairs takes 4.0 % {ALL}."
FLAP = {"per": "node", "mtbf": "9 d", "effect": {"flap": {"stall": "20 s"}}}
KNOWN: list[tuple[Any, dict[str, Any], dict[str, Any], Advice | None]] = [
    (
        held_back, {}, {"ledger": {"idle": 0.005}, "replicas": {"count": 8, "minimum": 2}},
        Advice(f"Cards that are held back while fewer than 2 of 8 replicas are alive {IDLE}", True),
    ),
    (held_back, {}, {"ledger": {"idle": 0.005}, "replicas": {"count": 8, "minimum": 1}}, None),
    (held_back, {}, {"ledger": {"idle": 0.0049}, "replicas": {"count": 8, "minimum": 2}}, None),
    (
        stalls, REPLICAS, {"ledger": {"stall": 0.01}},
        Advice(
            f"Standing still while another replica fails or rejoins takes 1.0 % {ALL}, more than the replicas"
            " that are down: a shorter stall earns more than a faster recovery."
        ),
    ),
    (
        stalls, REPLICAS | {"failures": {"link": FLAP}},
        {"ledger": {"stall": 0.07, "detection": 0.01, "recovery": 0.02, "waiting": 0.03}},
        Advice(
            "Standing still while another replica fails or rejoins, or a link flaps, takes 7.0 %"
            f" {ALL}, more than the replicas that are down, 6.0 %: a shorter stall earns more than a faster"
            " recovery."
        ),
    ),
    (stalls, REPLICAS, {"ledger": {"stall": 0.0625, "recovery": 0.0625}}, None),
    (stalls, REPLICAS, {"ledger": {"stall": 0.0099}}, None),
    (
        stragglers, {"failures": SLOW}, {"waste": {"a": {"slow": 0.01}}},
        Advice(f'Slow nodes take 1.0 % {ALL}, all of it by "a": notice them sooner.'),
    ),
    (stragglers, {"failures": SLOW}, {"waste": {"a": {"slow": 0.0099}}}, None),
    (
        corruption, keeping(1), {"waste": {"silent": {"corrupted": 0.005}}},
        Advice(
            f'Silent corruption throws away 0.5 % {ALL}, all of it by "silent": "silent" is noticed after'
            " 2 h, and the only copy kept reaches back 20 min only.", True,
        ),
    ),
    (
        corruption, keeping(6), {"waste": {"silent": {"corrupted": 0.005}}},
        Advice(f'Silent corruption throws away 0.5 % {ALL}, all of it by "silent".', True),
    ),
    (
        corruption,
        keeping(2, "61.5 min") | {"failures": SILENT | {"blunder": {
            "per": "node", "mtbf": "90 d", "effect": {"corrupt": {"noticed_after": "5.25 h"}},
        }}},
        {"waste": {"silent": {"corrupted": 0.001}, "blunder": {"corrupted": 0.009}}},
        Advice(
            f'Silent corruption throws away 1.0 % {ALL}, most of it by "blunder": "blunder" is noticed after'
            " 5.25 h, and the 2 copies kept reach back 2.05 h only.", True,
        ),
    ),
    (corruption, keeping(1), {"waste": {"silent": {"corrupted": 0.0049}}}, None),
    (
        lemons,
        {"failures": {"sound": {"per": "node", "mtbf": "50 d"}, "gpu": LEMONS}},
        {"waste_by_cause": {"sound": 0.5, "gpu": 0.01}, "ledger": {"recovery": 0.51}},
        Advice(
            f'Lemons, 5 % of the nodes, bring 30 % of the failures of "gpu", which take 1.0 % {ALL}: see'
            " what retiring repeat offenders yields (recovery.retire)."
        ),
    ),
    (lemons, {"failures": {"gpu": LEMONS}}, {"waste_by_cause": {"gpu": 0.0099}}, None),
    (
        tiers, {"checkpoint": {"tiers": TIERS}}, {"tiers": NEVER, "interruptions_total": 100},
        Advice('The tier "peer" was never loaded in 100 interruptions: it only costs saves.'),
    ),
    (tiers, {"checkpoint": {"tiers": TIERS}}, {"tiers": NEVER, "interruptions_total": 99}, None),
    (
        spares, RACKS, {"ledger": {"waiting": 0.04}, "spare_nodes": 3, "spares": {"sufficient_p99": None},
            "reasons": {"spares.sufficient_p99": "each spare serves one rack"}},
        Advice(f"{FEW.replace('12', '3')} Each serves one rack only.", True),
    ),
    (
        spares, {}, {"ledger": {"waiting": 0.04}, "spare_nodes": 12, "spares": {"sufficient_p99": 12}},
        Advice(FEW, True),
    ),
    (
        spares, {}, {"ledger": {"waiting": 0.04}, "spare_nodes": 12, "spares": {"sufficient_p99": 13}},
        Advice(f"{FEW} 13 would have sufficed for 99 % of the time (cluster.spares).", True),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "changes", "numbers", "advice"), KNOWN)
def test_a_rule_says_the_figures_and_whether_it_warns(
    rule: Any, changes: dict[str, Any], numbers: dict[str, Any], advice: Advice | None
) -> None:
    assert list(rule(scenario(**changes), summary(**numbers))) == ([advice] if advice else [])
