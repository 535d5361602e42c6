"""What the numbers of a run mean, in sentences: the verdict, what costs most, what to be careful about.

Commands and reports only print the sentences.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clustersim import theory
from clustersim.estimate import unseen
from clustersim.formatting import PrintedShares, counted, duration, measured, percent, plus_minus, whole
from clustersim.metrics.cells import inputs, margin, number_at, parts
from clustersim.scenario import Scenario
from clustersim.scenario.describe import about_overlaps, describe
from clustersim.scenario.first_order import mean_parts
from clustersim.scenario.rates import bad_share, calendar_share, lemon_factor

Summary = Mapping[str, Any]
NOTABLE, COSTLY = 0.005, 0.01
"""Shares of all card-time from which on a loss is worth a sentence: one that is easily avoided, any other."""
NOTABLE_GAIN = 0.02
"""Share of all card-time that another interval must gain by the formula, which is a little off itself."""
FAR = 1.5
"""Times the best interval, or its part, from which on another is far from it: the optimum is flat."""
ROUNDED = 0.001
"""Share of all card-time to which such a gain is printed: in whole per cent it could exceed what there is."""
MANY_FAILURES = 100
"""After so many interruptions a tier that was never loaded hardly ever will be."""
MANY_LEMONS = 0.2
"""Share of a mode's failures from which on those of lemons are worth a sentence."""
FEW_REPLICATIONS = 8
"""With fewer replications the intervals themselves vary by half of their width or more."""
FEW_INTERRUPTIONS = 20
"""Interruptions of all replications together below which intervals miss the truth too often."""
MOST_ALIKE = 3
"""Losses that cannot be told apart and are still named."""

ENTRY_WORDS = {
    "lost": "work thrown away",
    "checkpoint": "standing still for saves",
    "detection": "noticing failures",
    "recovery": "recovery",
    "waiting": "waiting for nodes to come or to leave, or for the site",
    "stall": "standing still for other replicas or for flaps",
    "idle": "cards held back",
    "slow": "stragglers and overhead",
    "corrupted": "silent corruption",
    "maintenance": "maintenance",
}
REMEDIES = {
    "lost": "save more often, or recover from copies that fewer failures destroy",
    "checkpoint": "save less often, or let training go on while a copy is written",
    "detection": "notice failures sooner: shorter timeouts",
    "recovery": "recover faster than failures come, or restart only the part of the job that failed",
    "waiting": "hold more spare nodes, or repair faster",
    "stall": "stand still for less long when a replica fails or rejoins, or a link flaps",
    "idle": "let the job train with fewer replicas, or make them smaller",
    "slow": "notice stragglers sooner, or make the protocol of the recovery cheaper",
    "corrupted": "notice corruption sooner, and keep copies that are older than it",
    "maintenance": "stop less often, or for less long",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence, and whether it is a warning."""

    text: str
    warning: bool = False

    def __str__(self) -> str:
        return self.text


def share_of(summary: Summary, entry: str) -> str:
    """Return the share of an entry of the ledger, in words."""
    return f"{parts(summary).text(entry)} of all card-time"


def largest_losses(summary: Summary) -> list[str]:
    """Return the ledger entry that takes the most, and all down to the last that ties with it.

    Two tie where their intervals meet, or where they are printed alike.  What lies between is named too, even
    where its own interval is narrow enough to tell: else a smaller entry would be named and a larger one not.
    """
    ledger, shares = summary["ledger"], parts(summary)
    losses = sorted(
        (entry for entry in ledger if entry != "productive"), key=ledger.__getitem__, reverse=True
    )
    first, width = losses[0], _width(summary, losses[0])

    def is_like_it(entry: str) -> bool:
        apart = width + _width(summary, entry)
        return shares.counts[entry] == shares.counts[first] or ledger[first] - ledger[entry] <= apart

    last = max(place for place, entry in enumerate(losses) if is_like_it(entry))
    return [entry for entry in losses[: last + 1] if ledger[entry]]


def _width(summary: Summary, entry: str) -> float:
    """Return the half-width of an entry; that of one replication is only about itself."""
    return margin(summary, f"ledger.{entry}") or 0.0


def verdict(summary: Summary) -> Advice:
    """Return the answer in one sentence: how many of the cards train, and what takes most of the rest."""
    ettr, gpus = summary["ettr"]["mean"], summary["gpus"]
    width = summary["half_width"]
    training = measured(gpus * ettr, None if width is None else gpus * width)
    train = f"{whole(gpus)} cards {training} train (ETTR {_ettr(summary)})"
    if summary["no_progress"]:
        text = f"{summary['name']} makes no progress: of {train}{_most(summary)}."
        return Advice(text, warning=True)
    text = f"Of {train}"
    if summary["scaling_efficiency"] != 1:
        worth = measured(summary["effective_gpus"], summary["margins"]["effective_gpus"])
        text += f", worth {worth} at a scaling efficiency of {summary['scaling_efficiency']:.3g}"
    return Advice(f"{text}{_most(summary)}.")


def _ettr(summary: Summary) -> str:
    """Return ETTR with its interval; chance and uncertain inputs are kept apart."""
    ettr, width = summary["ettr"]["mean"], summary["half_width"]
    if "inputs" not in summary:
        return plus_minus(ettr, width)
    mean, _, chance = plus_minus(ettr, width).partition(" ± ")
    of_inputs = inputs(summary, "ettr") or ", inputs make no difference"
    return f"{mean}{chance and f', chance ± {chance}'}{of_inputs} (90 %)"


def _most(summary: Summary) -> str:
    """Return what the rest of the card-time goes into: most of it, the largest part, or parts that tie."""
    losses, shares = largest_losses(summary), parts(summary)
    if not losses:
        return "; nothing is lost"
    listed = [f"{ENTRY_WORDS[entry]}, {shares.text(entry)}" for entry in losses]
    if len(losses) > MOST_ALIKE:
        return "; no single part of the rest stands out"
    if len(losses) > 1:
        alike = f"{', '.join(listed[:-1])}, and {listed[-1]}"
        return (
            f"; the largest parts of the rest, which cannot be told apart, go into {alike} of all card-time"
        )
    rest = 1 - summary["ledger"]["productive"] + _width(summary, "productive")
    surely = summary["ledger"][losses[0]] - _width(summary, losses[0])
    how_much = "most" if surely > rest / 2 else "the largest part"
    return f"; {how_much} of the rest goes into {listed[0]} of all card-time"


def advise(scenario: Scenario, summary: Summary) -> list[Advice]:
    """Return what to change and what to be careful about, the most important first, without the verdict."""
    sentences: list[Advice] = []
    for rule in RULES:
        sentences += rule(scenario, summary)
    return sentences


def _no_progress(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say what would have to change where nothing is trained."""
    losses = largest_losses(summary)
    if not summary["no_progress"] or not losses:
        return
    text = f"What would matter most: {'; or '.join(REMEDIES[entry] for entry in losses)}"
    restart, mtbf = describe(scenario).restart_s or 0.0, summary["mtbf_s"]
    if {"recovery", "detection"}.intersection(losses) and mtbf is not None:
        text += f"; a restart takes {duration(restart)} where something fails every {duration(mtbf)}"
        if math.exp(-calendar_share(scenario) * mean_parts(scenario).recovery / mtbf) < 0.5:
            text += ", so that most restarts fail too"
    yield Advice(f"{text}.", warning=True)


def _interval(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the interval between saves is far from the best of Daly's exact formula.

    The formula holds for the time in which the job trains or saves, so the gain is a share of that; and it is
    no more than what this run lost and spent on saves becomes less when the one is in proportion to the
    interval and the other to how often it saves.  Where that is not known well enough nothing is said.
    """
    mtbf, saves = scenario.mtbf, scenario.checkpoint.last if scenario.checkpoint else None
    if saves is None or saves.blocks == 0 or mtbf is None or scenario.needs_work_history:
        return
    best, now = (
        max(each, saves.durable_after) for each in (theory.optimal(mtbf, saves.blocks), saves.interval)
    )
    if max(now / best, best / now) < FAR:
        return
    better, worse = (theory.efficiency(each, mtbf, saves.blocks, 0.0) for each in (best, now))
    ledger, longer = summary["ledger"], (best + saves.blocks) / (now + saves.blocks)
    by_formula = (better - worse) * (ledger["productive"] + ledger["checkpoint"] + ledger["lost"])
    in_proportion = ledger["checkpoint"] * (1 - 1 / longer) + ledger["lost"] * (1 - longer)
    gain = min(by_formula, in_proportion)
    unsure = _width(summary, "checkpoint") + _width(summary, "lost")
    if summary["half_width"] is None or gain - unsure < NOTABLE_GAIN:
        return
    text = (
        f"Saving every {duration(now)} is far from the best where something fails every"
        f" {duration(mtbf)}: every {duration(best)} or so would gain about {percent(gain, ROUNDED)}"
        " of all card-time (Daly's exact formula)."
    )
    yield Advice(text, True)


def _target(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where the target was not always reached."""
    reached = summary.get("target_reached", 1.0)
    if reached < 1:
        days = duration(summary["horizon_s"], 0.0)
        text = f"The target was reached in {percent(reached)} of the replications within {days}."
        if reached == 0:
            text = f"The target was never reached within {days}."
        yield Advice(text, warning=True)


def _log(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say which incidents of a log did not strike by themselves."""
    for note in about_overlaps(scenario):
        yield Advice(f"{note.partition(': ')[2]}.", warning=True)


def _precision(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say how sure the figures are where that needs saying."""
    count, width, ettr = summary["replications"], summary["half_width"], summary["ettr"]
    goal = summary.get("precision")
    if width is None:
        each = " per draw" if "inputs" in summary else ""
        yield Advice(f"One replication{each} tells nothing about chance: no interval.", True)
    elif goal:
        met, reached = "met" if goal["met"] else "not met", f"±{100 * width:.2g} pp"
        text = f"The precision of ±{100 * goal['asked']:.3g} pp is {met}: {reached} with {count} replications"
        if unstruck := goal.get("unstruck"):
            has = "has" if len(unstruck) == 1 else "have"
            text += f", but {_listed(unstruck)} {has} not struck yet"
        yield Advice(f"{text}.", not goal["met"])
    elif count < FEW_REPLICATIONS and width > 0:
        few = f"Only {count} replications: the intervals are unsure themselves."
        yield Advice(f"{few} Take {FEW_REPLICATIONS} or more.", True)
    if width and not summary["no_progress"] and (ettr["mean"] < width or ettr["mean"] + width > 1):
        yield Advice("The interval of ETTR is cut at what is possible, 0 to 1.")


def _rare(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Warn where so little happened that the intervals, or the lack of one, promise too much."""
    count, happened = summary["replications"], summary["interruptions_total"]
    if summary["half_width"] is None or not summary.get("random", True) or not _may_be_interrupted(scenario):
        return
    more = "Simulate a longer horizon, or more replications"
    if not happened:
        likely = f"in up to {percent(unseen(count))} of them"
        text = f"Nothing interrupted training in any replication; something still may, {likely}. {more}."
        yield Advice(text, True)
        return
    if happened < FEW_INTERRUPTIONS:
        times = "1 interruption" if happened == 1 else f"{happened} interruptions"
        text = f"Only {times} in all replications: the intervals miss the truth more often than they say."
        yield Advice(f"{text} {more}.", True)
    elif decisive := _rare_and_decisive(summary):
        listed = _listed([f"{mode} ({whole(struck)})" for mode, struck in decisive.items()])
        text = f"Few incidents in all replications decide how wide the interval of ETTR is: {listed}."
        text += f" It misses the truth more often than it says. {more}."
        yield Advice(text, True)
    if never := [mode for mode, per_day in summary["incidents_by_mode"].items() if not per_day]:
        when = " after the warm-up" if summary["warm_up_s"] else ""
        text = f"{_listed(never)} never struck the job{when} in any replication"
        yield Advice(f"{text}: what that costs is in no figure. {more}.", True)


def _may_be_interrupted(scenario: Scenario) -> bool:
    """Return whether any failure ends a training segment: storage that is out of reach does not."""
    effects = [mode.effect for mode in scenario.failures.values()]
    return any(effect.stops_training or effect.pause for effect in effects)


def _rare_and_decisive(summary: Summary) -> dict[str, float]:
    """Return how often those modes struck that struck seldom and make up a quarter of ETTR's variance.

    With k strikes of like size the share of a mode has the half-width 2 / sqrt(k) times itself.
    """
    days = summary["interruptions_total"] / summary["interruptions_per_day"]
    struck = {
        mode: round(days * per_day) for mode, per_day in summary["incidents_by_mode"].items() if per_day
    }
    width, waste = summary["half_width"], summary["waste_by_cause"]
    return {
        mode: times
        for mode, times in struck.items()
        if times < FEW_INTERRUPTIONS and 2 * waste[mode] / math.sqrt(times) > width / 2
    }


def spares(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where nodes ran short, or where spares are paid for that nobody ever needs."""
    waiting, nodes = waiting_for_nodes(scenario, summary), summary["spare_nodes"]
    takes = share_of(summary, "waiting")
    if waiting < summary["ledger"]["waiting"]:
        takes = f"{percent(waiting)} of all card-time"
    if waiting >= NOTABLE and nodes == 0:
        text = f"Without spare nodes the job waits for repairs: {takes}."
        text += _enough(scenario, summary) or " Give cluster.spares."
    elif waiting >= NOTABLE:
        are = f"{_nodes(nodes)} {'is' if nodes == 1 else 'are'} too few"
        text = f"The {are}: waiting for repairs takes {takes}."
        text += _enough(scenario, summary)
        if within := scenario.cluster.spares_within:
            text += f" Each serves one {within} only."
    elif nodes and summary["fewest_spares"] == 0:
        text = f"All {_nodes(nodes)} were in use at least once."
        if nodes == 1:
            text = "The spare node was in use at least once."
    elif _are_paid_for(scenario) and summary["fewest_spares"] > max(1, nodes / 2):
        most = nodes - summary["fewest_spares"]
        used = f"never more than {whole(most)} were" if most else "none was ever"
        text = f"Of the {_nodes(nodes)}, all of which are paid for, {used} in use."
    else:
        return
    yield Advice(text, waiting >= NOTABLE)


def modes_of_outages(scenario: Scenario) -> list[str]:
    """Return the modes that keep the whole site out for a time."""
    return [name for name, mode in scenario.failures.items() if mode.keeps_site_out]


def waiting_for_nodes(scenario: Scenario, summary: Summary) -> float:
    """Return the share of card-time spent waiting for nodes, not for the site, nor for nodes to leave."""
    stood = math.fsum(stood_still(scenario, summary).values())
    return max(_waited_within(scenario, summary) - stood, 0.0)


def stood_still(scenario: Scenario, summary: Summary) -> dict[str, float]:
    """Return the share of card-time for which the job stood still until announced nodes left, by mode.

    That is what of the waiting was neither for nodes nor for the site; each mode has its share of it.
    """
    announced = [name for name, mode in scenario.failures.items() if mode.effect.is_announced]
    waits = {name: summary["waste"].get(name, {}).get("waiting", 0.0) for name in announced}
    every, waited = math.fsum(waits.values()), number_at(summary, "spares.waiting")
    if not every or waited is None or scenario.recovery.replicas > 1:
        return {}
    share = min(max(_waited_within(scenario, summary) - waited, 0.0) / every, 1.0)
    return {name: share * wait for name, wait in waits.items()}


def _waited_within(scenario: Scenario, summary: Summary) -> float:
    waits = (summary["waste"].get(name, {}).get("waiting", 0.0) for name in modes_of_outages(scenario))
    return float(max(summary["ledger"]["waiting"] - math.fsum(waits), 0.0))


def _are_paid_for(scenario: Scenario) -> bool:
    costs = scenario.costs
    lent = scenario.cluster.spare_nodes and not scenario.cluster.own_spares
    return costs is not None and costs.idle_spares > 0 and not lent


def _nodes(spares: int) -> str:
    return counted(spares, "spare node")


def _enough(scenario: Scenario, summary: Summary) -> str:
    """Return how many spares would have done: where that is more than there are, or at least so many."""
    path = "spares.sufficient_p99"
    enough, least = number_at(summary, path), summary["reasons"].get(path)
    if least and not scenario.cluster.spares_within:
        return f" {least[0].upper()}{least[1:]} (cluster.spares)."
    if enough is None or enough <= summary["spare_nodes"]:
        return ""
    return f" {whole(enough)} would have sufficed for 99 % of the time (cluster.spares)."


def stalls(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where replicas that stand still cost more than the recovery of those that failed."""
    ledger = summary["ledger"]
    stall, down = ledger["stall"], ledger["detection"] + ledger["recovery"] + ledger["waiting"]
    if scenario.recovery.replicas > 1 and stall >= COSTLY and stall > down:
        flaps = any(mode.effect.pause for mode in scenario.failures.values())
        others = f", {parts(summary).text('detection', 'recovery', 'waiting')}" if down else ""
        text = (
            f"Standing still while another replica fails or rejoins{', or a link flaps,' if flaps else ''}"
            f" takes {share_of(summary, 'stall')},"
            f" more than the replicas that are down{others}:"
            " a shorter stall earns more than a faster recovery."
        )
        yield Advice(text)


def held_back(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where cards are held back because too few replicas are alive."""
    idle, replicas = summary["ledger"]["idle"], summary.get("replicas")
    if idle >= NOTABLE and replicas and replicas["minimum"] > 1:
        text = (
            f"Cards that are held back while fewer than {whole(replicas['minimum'])} of"
            f" {whole(replicas['count'])} replicas are alive take {share_of(summary, 'idle')}:"
            " try a lower recovery.minimum, or smaller replicas."
        )
        yield Advice(text, warning=True)


def stragglers(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where slow nodes cost much, and which failures make them slow."""
    costs = _by_mode(scenario, summary, "slow")
    if sum(costs.values()) >= COSTLY:
        yield Advice(f"Slow nodes take {_shared(summary, costs)}: notice them sooner.")


def _shared(summary: Summary, costs: Mapping[str, float]) -> str:
    """Return what failure modes cost together, and which of them bring it."""
    total = sum(costs.values())
    printed = PrintedShares.of(costs, parts(summary).decimals, total)
    first, *others = sorted((mode for mode in costs if costs[mode]), key=costs.__getitem__, reverse=True)
    whole_share = f"{printed.text(*costs)} of all card-time"
    if not others:
        return f'{whole_share}, all of it by "{first}"'
    if costs[first] - (margin(summary, f"waste_by_cause.{first}") or 0.0) > total / 2:
        return f'{whole_share}, most of it by "{first}"'
    listed = [f'"{mode}" {printed.text(mode)}' for mode in (first, *others)][:MOST_ALIKE]
    if len(others) >= MOST_ALIKE:
        listed.append(f"{len(others) + 1 - MOST_ALIKE} more")
    return f"{whole_share}, by {_listed(listed)}"


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def corruption(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where silent corruption costs much, and whether copies are kept for long enough."""
    costs = _by_mode(scenario, summary, "corrupted")
    if sum(costs.values()) < NOTABLE:
        return
    worst = max(costs, key=costs.__getitem__)
    law = scenario.failures[worst].effect.shows_after
    text = f"Silent corruption throws away {_shared(summary, costs)}"
    last = scenario.tiers[-1] if scenario.tiers else None
    if last and last.keep and law and last.keep * last.interval < law.mean:
        copies = "the only copy kept reaches"
        if last.keep > 1:
            copies = f"the {whole(last.keep)} copies kept reach"
        back = duration(last.keep * last.interval, 0.0)
        text += f': "{worst}" is noticed after {duration(law.mean, 0.0)}, and {copies} back {back} only'
    yield Advice(f"{text}.", warning=True)


def _by_mode(scenario: Scenario, summary: Summary, entry: str) -> dict[str, float]:
    """Return what each failure mode costs in an *entry* of the ledger."""
    return {mode: summary["waste"].get(mode, {}).get(entry, 0.0) for mode in scenario.failures}


def lemons(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where a few bad nodes bring much of what a mode costs, and nobody retires them."""
    for name, mode in scenario.failures.items():
        cost = summary["waste_by_cause"][name]
        if mode.lemons is None or scenario.recovery.retire or cost < COSTLY:
            continue
        bad = bad_share(scenario, mode)
        share = bad * mode.lemons.factor / lemon_factor(scenario, mode)
        if share >= MANY_LEMONS:
            taken = parts(summary, "waste_by_cause").text(name)
            text = (
                f"Lemons, {percent(bad)} of the nodes, bring {percent(share)} of the failures"
                f' of "{name}", which take {taken} of all card-time:'
                " see what retiring repeat offenders yields (recovery.retire)."
            )
            yield Advice(text)


def tiers(scenario: Scenario, summary: Summary) -> Iterator[Advice]:
    """Say where a tier is saved to and never loaded."""
    if summary["interruptions_total"] < MANY_FAILURES:
        return
    quick = [tier.name for tier in scenario.tiers[:-1]]
    for name in quick:
        if summary["tiers"][name]["loads"] == 0:
            count = whole(summary["interruptions_total"])
            text = f'The tier "{name}" was never loaded in {count} interruptions: it only costs saves.'
            yield Advice(text)


RULES = (
    _no_progress,
    spares,
    stalls,
    held_back,
    stragglers,
    corruption,
    lemons,
    tiers,
    _interval,
    _target,
    _log,
    _precision,
    _rare,
)
"""Each yields its sentences about a run, in the order in which they are said."""
