"""What a run says of that with which it recovers: spare nodes, replicas, copies, and nodes that are worse."""

from __future__ import annotations

from collections.abc import Iterator

from clustersim.advice.words import Advice, Summary, Topic, share_of
from clustersim.formatting import duration, percent, whole
from clustersim.scenario import Scenario
from clustersim.scenario.rates import fleet_factor

NOTABLE = 0.005
COSTLY = 0.01
MANY_FAILURES = 100
MANY_LEMONS = 0.2
"""Share of a mode's failures from which on those of lemons are worth a sentence."""


def spares(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where nodes ran short, or where spares are paid for that nobody ever needs."""
    waiting, nodes = summary["ledger"]["waiting"], summary["spare_nodes"]
    if waiting >= NOTABLE and nodes == 0:
        text = f"Without spare nodes the job waits for repairs: {share_of(summary, 'waiting')}."
        text += _enough(summary) or " Give cluster.spares."
    elif waiting >= NOTABLE:
        are = f"{_nodes(nodes)} {'is' if nodes == 1 else 'are'} too few"
        text = f"The {are}: waiting for repairs takes {share_of(summary, 'waiting')}.{_enough(summary)}"
        if within := scenario.cluster.spares_within:
            text += f" Each serves one {within} only."
    elif nodes and summary["fewest_spares"] == 0:
        text = f"All {_nodes(nodes)} were in use at least once."
    elif _are_paid_for(scenario) and summary["fewest_spares"] > max(1, nodes / 2):
        most = nodes - summary["fewest_spares"]
        used = f"never more than {whole(most)} were" if most else "none was ever"
        text = f"Of the {_nodes(nodes)}, all of which are paid for, {used} in use."
    else:
        return
    yield Advice(Topic.SPARES, text, {"waiting": waiting, "spare_nodes": nodes}, waiting >= NOTABLE)


def _are_paid_for(scenario: Scenario) -> bool:
    costs = scenario.costs
    return costs is not None and costs.idle_spares > 0 and scenario.cluster.spare_kind != "lent"


def _nodes(spares: int) -> str:
    return f"{whole(spares)} spare node{'' if spares == 1 else 's'}"


def _enough(summary: Summary) -> str:
    """Return how many spares would have done, where that is known and more than there are."""
    found = summary.get("spares", {}).get("sufficient_p99")
    if found is None or found <= summary["spare_nodes"]:
        return ""
    return f" {whole(found)} would have sufficed for 99 % of the time (cluster.spares)."


def stalls(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where replicas that stand still cost more than the recovery of those that failed."""
    ledger = summary["ledger"]
    stall, down = ledger["stall"], ledger["detection"] + ledger["recovery"] + ledger["waiting"]
    if stall >= COSTLY and stall > down:
        text = (
            f"Standing still while another replica fails or rejoins takes {share_of(summary, 'stall')},"
            f" more than the replicas that are down, {percent(down)}:"
            " a shorter stall earns more than a faster recovery."
        )
        yield Advice(Topic.REPLICAS, text, {"stall": stall, "down": down})


def held_back(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where cards are held back because too few replicas are alive."""
    idle, replicas = summary["ledger"]["idle"], summary.get("replicas")
    if idle >= NOTABLE and replicas and replicas["minimum"] > 1:
        text = (
            f"Cards that are held back while fewer than {whole(replicas['minimum'])} of"
            f" {whole(replicas['count'])} replicas are alive take {share_of(summary, 'idle')}:"
            " try a lower recovery.minimum, or smaller replicas."
        )
        yield Advice(Topic.REPLICAS, text, {"idle": idle}, warning=True)


def stragglers(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where slow nodes cost much, and which failures make them slow."""
    costs = _by_mode(scenario, summary, "slow")
    if sum(costs.values()) >= COSTLY:
        worst = max(costs, key=costs.__getitem__)
        share = percent(sum(costs.values()), summary["margins"]["ledger.slow"])
        text = f'Slow nodes take {share} of all card-time, most of it "{worst}": notice them sooner.'
        yield Advice(Topic.STRAGGLERS, text, costs)


def corruption(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where silent corruption costs much, and whether copies are kept for long enough."""
    costs = _by_mode(scenario, summary, "corrupted")
    if sum(costs.values()) < NOTABLE:
        return
    worst = max(costs, key=costs.__getitem__)
    law = scenario.failures[worst].noticed_after
    seen = f", which is noticed after {duration(law.mean, 0.0)}," if law else ""
    text = f'Silent corruption by "{worst}"{seen} throws away {share_of(summary, "corrupted")}'
    last = scenario.tiers[-1] if scenario.tiers else None
    if last and last.keep and law and last.keep * last.interval < law.mean:
        text += (
            f": the {whole(last.keep)} copies kept reach back {duration(last.keep * last.interval, 0.0)} only"
        )
    yield Advice(Topic.CORRUPTION, f"{text}.", costs, warning=True)


def _by_mode(scenario: Scenario, summary: Summary, entry: str) -> dict[str, float]:
    """Return what each failure mode costs in an *entry* of the ledger."""
    return {mode: summary["waste"].get(mode, {}).get(entry, 0.0) for mode in scenario.failures}


def lemons(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where a few bad nodes bring much of what a mode costs, and nobody retires them."""
    for name, mode in scenario.failures.items():
        cost = summary["waste_by_cause"][name]
        if mode.lemons is None or scenario.recovery.retire or cost < COSTLY:
            continue
        share = mode.lemons.share * mode.lemons.factor / fleet_factor(mode)
        if share >= MANY_LEMONS:
            taken = percent(cost, summary["margins"][f"waste_by_cause.{name}"])
            text = (
                f"Lemons, {percent(mode.lemons.share)} of the nodes, bring {percent(share)} of the failures"
                f' of "{name}", which take {taken} of all card-time:'
                " see what retiring repeat offenders yields (recovery.retire)."
            )
            yield Advice(Topic.LEMONS, text, {"share": share, "cost": cost})


def tiers(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where a tier is saved to and never loaded."""
    if summary["interruptions_total"] < MANY_FAILURES:
        return
    quick = [tier.name for tier in scenario.tiers[:-1]]
    for name in quick:
        if summary["tiers"][name]["loads"] == 0:
            count = whole(summary["interruptions_total"])
            text = f'The tier "{name}" was never loaded in {count} interruptions: it only costs saves.'
            yield Advice(Topic.TIERS, text, {})


MEANS = (spares, stalls, held_back, stragglers, corruption, lemons, tiers)
