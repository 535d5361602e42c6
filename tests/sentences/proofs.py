"""What each sentence that compares rests on: found again in the replications, the incidents, or a simulation.

A proof reads a clause by its words and checks it against data that the clause was not made from: shares of
card-time from the table of replications, counts from the table of incidents, and what "would" be from another
simulation.  A sentence with a comparing word in it that no proof has read is a claim without proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from clustersim import run
from clustersim.advice import ENTRY_WORDS, REMEDIES
from clustersim.estimate import mean_of, paired
from clustersim.results import Results
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario

ENTRIES = tuple(ENTRY_WORDS)
COMPARING = re.compile(
    r"\b(most|largest|more|fewer|less|best|worse|better|first|cheapest|rarest|longest|shortest|would|met"
    r"|suffice[ds]?|undecided|never|only|too few|at least|up to|all(?! card-time)|none|nothing|gains?|earns?"
    r"|decide|cut|apart|reached)\b",
    re.IGNORECASE,
)
"""Words that say more than a figure does; a share of all card-time is a figure."""
ENTRY = "|".join(sorted(map(re.escape, ENTRY_WORDS.values()), key=len, reverse=True))
NUMBER = r"[\d,._]+"
SHARE = r"(?:<?[\d.]+ %|0)"


@dataclass(frozen=True)
class Counterfactual:
    """What would be: a changed scenario and how its figures come out in many replications."""

    scenario: Scenario

    def values_of(self, figure: str, replications: int | None = None) -> Any:
        """A figure in each of so many replications; in those of the run, if not said."""
        return run(self.scenario, workers=1, replications=replications).values_of(figure)


@dataclass(frozen=True)
class Said:
    """A run, and what is needed to prove what is said of it."""

    results: Results

    @property
    def scenario(self) -> Scenario:
        return self.results.scenario

    @property
    def summary(self) -> Any:
        return self.results.summary

    @cached_property
    def table(self) -> pd.DataFrame:
        return self.results.replications

    @cached_property
    def incidents(self) -> pd.DataFrame:
        return self.results.incidents

    def share(self, *entries: str) -> float:
        """Share of all card-time that some entries of the ledger take."""
        each = self.table[list(entries)].sum(axis=1)
        return float(each.mean())

    def width(self, entry: str) -> float:
        """Half the 95 % interval of an entry's share."""
        return mean_of(self.table[entry].to_numpy()).half_width or 0.0

    def instead(self, changes: dict[str, Any]) -> Counterfactual:
        """The same cluster with other values, simulated on replications of its own."""
        plain = {name: value for name, value in self.scenario.document.items() if name not in ("expect",)}
        return Counterfactual(variant(Scenario.model_validate(plain), changes))

    def struck(self, mode: str) -> int:
        """How often a failure mode struck the job, which an idle spare is no part of, in all replications."""
        counted = self.incidents["time_s"] >= self.scenario.simulation.warm_up
        hit = self.incidents[counted & (self.incidents["doing"] != "idle")]
        return int((hit["mode"] == mode).sum())


Proof = Callable[[Said, re.Match[str]], Any]
PROOFS: dict[str, Proof] = {}
READ: set[str] = set()
"""The patterns of proofs that some sentence needed."""


def proves(pattern: str) -> Callable[[Proof], Proof]:
    """Register a proof of the clauses that a *pattern* finds."""

    def register(proof: Proof) -> Proof:
        PROOFS[pattern] = proof
        return proof

    return register


def unproven(said: Said, sentence: str) -> Iterator[str]:
    """Yield why a sentence does not hold, and each comparing word in it that no proof has read."""
    rest = sentence
    for pattern, proof in PROOFS.items():
        for match in re.finditer(pattern, sentence):
            READ.add(pattern)
            if proof(said, match) is False:
                yield f"does not hold: {match[0]!r}"
            rest = rest.replace(match[0], " ")
    for word in COMPARING.findall(rest):
        yield f"no proof of {word!r} in {rest!r}"


def amount(text: str) -> float:
    """Read a printed share, `6.7 %` or `<0.1 %`."""
    return float(text.strip("< %")) / 100


def named(words: str) -> list[str]:
    """Return the entries of the ledger that a list names."""
    by_words = {words: entry for entry, words in ENTRY_WORDS.items()}
    return [by_words[found] for found in re.findall(ENTRY, words)]


# The verdict.


@proves(rf"; most of the rest goes into (?P<entry>{ENTRY}), (?P<share>{SHARE}) of all card-time")
def _most(said: Said, match: re.Match[str]) -> bool:
    (entry,) = named(match["entry"])
    rest = 1 - said.share("productive")
    shown = abs(said.share(entry) - amount(match["share"])) < 0.01  # parts that add up are rounded up or down
    return shown and said.share(entry) > rest / 2 and _is_largest(said, [entry])


@proves(rf"; the largest part of the rest goes into (?P<entry>{ENTRY}), (?P<share>{SHARE}) of all card-time")
def _largest(said: Said, match: re.Match[str]) -> bool:
    return _is_largest(said, named(match["entry"]))


@proves(r"; the largest parts of the rest, which cannot be told apart, go into (?P<list>.+) of all card-time")
def _ties(said: Said, match: re.Match[str]) -> bool:
    entries = named(match["list"])
    gap = max(map(said.share, entries)) - min(map(said.share, entries))
    apart = 2 * max(map(said.width, entries))
    return len(entries) > 1 and _is_largest(said, entries) and gap <= max(apart, 0.0101)


def _is_largest(said: Said, entries: list[str]) -> bool:
    others = [said.share(entry) for entry in ENTRIES if entry not in entries]
    return min(map(said.share, entries)) >= max(others)


@proves("; no single part of the rest stands out")
def _untold(said: Said, match: re.Match[str]) -> bool:
    first = max(ENTRIES, key=said.share)
    gaps = {entry: said.share(first) - said.share(entry) for entry in ENTRIES if said.share(entry)}
    ties = [gap for entry, gap in gaps.items() if gap <= said.width(first) + said.width(entry) + 0.01]
    return sum(gap <= max(ties) for gap in gaps.values()) > 3


@proves("; nothing is lost")
def _nothing(said: Said, match: re.Match[str]) -> bool:
    return said.share("productive") == 1.0


@proves(r"What would matter most: (?P<what>.+?)(?=; a restart takes|\.$)")
def _remedies(said: Said, match: re.Match[str]) -> bool:
    entries = [entry for entry, remedy in REMEDIES.items() if remedy in match["what"]]
    return _is_largest(said, entries) and said.summary["no_progress"]


@proves("; a restart takes .+ so that most restarts fail too")
def _restarts(said: Said, match: re.Match[str]) -> bool:
    """Half of the interruptions at least strike while the job recovers; few of them say little."""
    strikes = said.incidents[said.incidents["interruption"]]
    down = strikes["doing"].isin(["detection", "recovery", "waiting"]).mean()
    return len(strikes) < 30 or down > 0.4


# Spares.


@proves(
    rf"The (?P<count>{NUMBER}) spare nodes? (is|are) too few: waiting for repairs takes .+? of all "
    rf"card-time\."
)
def _too_few(said: Said, match: re.Match[str]) -> bool:
    return said.share("waiting") >= 0.005 and int(match["count"]) == said.scenario.cluster.spare_nodes


@proves(r"Without spare nodes the job waits for repairs: .+? of all card-time")
def _without(said: Said, match: re.Match[str]) -> bool:
    return said.share("waiting") >= 0.005 and said.scenario.cluster.spare_nodes == 0


@proves(r"Each serves one (?P<domain>rack|pod) only")
def _bound(said: Said, match: re.Match[str]) -> bool:
    return said.scenario.cluster.spares_within == match["domain"]


@proves(rf"All {NUMBER} spare nodes were in use at least once|The spare node was in use at least once")
def _all_used(said: Said, match: re.Match[str]) -> bool:
    return float(said.table["spares_left"].min()) == 0


@proves(
    rf"Of the {NUMBER} spare nodes?, all of which are paid for, (never more than "
    rf"(?P<most>{NUMBER}) were|none was ever) in use"
)
def _idle(said: Said, match: re.Match[str]) -> bool:
    used = said.scenario.cluster.spare_nodes - float(said.table["spares_left"].min())
    return used == int(match["most"] or 0)


@proves(
    rf"(The job waits for repairs: .+? )?(?P<count>{NUMBER}) would have sufficed for 99 % of the "
    rf"time \(cluster.spares\)"
)
def _sufficed(said: Said, match: re.Match[str]) -> bool:
    """With so many, and the same failures, more nodes are away than there are spares for 1 % of the time."""
    short = said.instead({"cluster.spares": int(match["count"])}).values_of("spares.short")
    return bool(short.mean() <= 0.015)


@proves(
    rf"It takes at least (?P<count>{NUMBER}) for 99 % of the time: while the job waits for nodes, "
    rf"fewer of them fail"
)
def _lower_bound(said: Said, match: re.Match[str]) -> bool:
    """With one fewer they do not suffice, as far as chance allows: in the same histories, or in 64 others."""
    fewer = said.instead({"cluster.spares": int(match["count"]) - 1})
    if fewer.values_of("spares.short").mean() > 0.005:
        return True
    return (mean_of(fewer.values_of("spares.short", 64)).high or 1.0) > 0.01


# The interval.


@proves(
    r"Saving every .+? is far from the best where something fails every .+?: every (?P<then>.+?) "
    r"or so would gain"
    r" about (?P<gain>[\d.]+) % of all card-time"
)
def _another_interval(said: Said, match: re.Match[str]) -> bool:
    """The gain is no more than saves and lost work take, and half of it at least comes in 32 replications."""
    gain, held = amount(match["gain"]), said.share("checkpoint", "lost")
    then, now = (
        said.instead(changes).values_of("ettr", 32)
        for changes in ({"checkpoint.interval": match["then"]}, {})
    )
    gained = paired(then, now)
    return gain <= held + 0.0005 and gained.mean + (gained.half_width or 0.0) >= gain / 2


@proves(r'by ("[^"]+" <?[\d.]+ %, )+("[^"]+" <?[\d.]+ % )?and (?P<others>\d+) more')
def _others(said: Said, match: re.Match[str]) -> bool:
    return len(said.scenario.failures) >= 3 + int(match["others"])


# Replicas, effects, nodes, tiers.


@proves(r"more than the replicas that are down(, .+?)?: a shorter stall earns more than a faster recovery")
def _stalls(said: Said, match: re.Match[str]) -> bool:
    return said.share("stall") > said.share("detection", "recovery", "waiting")


@proves(
    r"while fewer than (?P<least>\d+) of (?P<count>\d+) replicas are alive take (?P<share>.+?) of "
    r"all card-time: try a lower recovery.minimum"
)
def _held(said: Said, match: re.Match[str]) -> bool:
    recovery = said.scenario.recovery
    sizes = (recovery.minimum, recovery.replicas) == (int(match["least"]), int(match["count"]))
    return sizes and abs(said.share("idle") - amount(match["share"])) < 0.01


@proves(
    r"(?P<what>Slow nodes take|Silent corruption throws away) .+? of all card-time, "
    r'(?P<how>all|most) of it by "(?P<mode>[^"]+)"'
)
def _blamed(said: Said, match: re.Match[str]) -> bool:
    column = "slow_s" if match["what"].startswith("Slow") else "corrupted_s"
    costs = said.incidents.groupby("mode")[column].sum()
    total = costs.sum() - costs.get("overhead", 0.0)
    bound = 1 - 1e-9 if match["how"] == "all" else 0.5
    return bool(costs.get(match["mode"], 0.0) >= bound * total)


@proves(
    r'(?P<mode>"[^"]+") is noticed after .+?, and the (\d+ copies|only copy) kept reach(es)? back .+? only'
)
def _copies(said: Said, match: re.Match[str]) -> bool:
    last = said.scenario.tiers[-1]
    law = said.scenario.failures[match["mode"].strip('"')].effect.shows_after
    return bool(last.keep and law and last.keep * last.interval < law.mean)


@proves(
    r"Lemons, (?P<share>.+?) of the nodes, bring (?P<brings>.+?) of the failures of "
    r'"(?P<mode>[^"]+)", which take (?P<cost>.+?) of all card-time'
)
def _lemons(said: Said, match: re.Match[str]) -> bool:
    """A share b of nodes that fail f times as often brings bf of 1 + b (f - 1) failures.

    Where repairs heal or make lemons, b is the mean over the run, to first order.
    """
    lemons = said.scenario.failures[match["mode"]].lemons
    assert lemons is not None
    bad = amount(match["share"])
    low, high = (
        share * lemons.factor / (1 + share * (lemons.factor - 1)) for share in (bad - 0.0051, bad + 0.0051)
    )
    costs = said.summary["waste_by_cause"][match["mode"]]
    return (
        low - 0.0051 <= amount(match["brings"]) <= high + 0.0051 and abs(costs - amount(match["cost"])) < 0.01
    )


@proves(
    r'The tier "(?P<tier>[^"]+)" was never loaded in (?P<count>[\d,]+) interruptions: it only costs saves'
)
def _unloaded(said: Said, match: re.Match[str]) -> bool:
    return not (said.incidents["tier"] == match["tier"]).any()


# What chance leaves open.


@proves(r"The target was (never reached|reached in (?P<share>.+?) of the replications) within")
def _reached(said: Said, match: re.Match[str]) -> bool:
    share = float(np.isfinite(said.table["reached_s"]).mean())
    return abs(share - amount(match["share"] or "0 %")) <= 0.0051 and share < 1


@proves(
    r"The precision of ±(?P<asked>[\d.]+) pp is (?P<met>met|not met): ±[\d.]+ pp with "
    r"(?P<count>\d+) replications"
    r"(, but (?P<modes>.+) ha(s|ve) not struck yet)?"
)
def _precise(said: Said, match: re.Match[str]) -> bool:
    """It is met where the interval is as narrow; else it is wider, or modes are named that never struck."""
    width = mean_of(said.table["ettr"].to_numpy()).half_width or 0.0
    inside = 100 * width <= float(match["asked"]) * (1 + 1e-9)
    unstruck = re.split(r", | and ", match["modes"]) if match["modes"] else []
    counted = len(said.table) == int(match["count"]) and not any(map(said.struck, unstruck))
    return counted and (match["met"] == "met") == (inside and not unstruck)


@proves("One replication tells nothing about chance")
def _single(said: Said, match: re.Match[str]) -> bool:
    return len(said.table) == 1


@proves(r"Only (?P<count>\d+) replications: the intervals are unsure themselves. Take 8 or more")
def _few_replications(said: Said, match: re.Match[str]) -> bool:
    return len(said.table) == int(match["count"]) < 8


@proves("The interval of ETTR is cut at what is possible, 0 to 1")
def _cut(said: Said, match: re.Match[str]) -> bool:
    ettr = mean_of(said.table["ettr"].to_numpy())
    return ettr.low is None or ettr.high is None or ettr.low < 0 or ettr.high > 1


@proves(
    r"Nothing interrupted training in any replication; something still may, in up to (?P<share>\d+) % of them"
)
def _calm(said: Said, match: re.Match[str]) -> bool:
    """With the true share p none of n is interrupted with probability (1 - p)^n: 5 % at the one named."""
    chance = (1 - int(match["share"]) / 100) ** len(said.table)
    return int(said.table["interruptions"].sum()) == 0 and 0.02 < chance < 0.08


@proves(
    r"Only (?P<count>\d+) interruptions? in all replications: the intervals miss the truth more "
    r"often than they say"
)
def _few(said: Said, match: re.Match[str]) -> bool:
    return int(said.table["interruptions"].sum()) == int(match["count"]) < 20


@proves(
    r"Few incidents in all replications decide how wide the interval of ETTR is: (?P<list>.+?)\. "
    r"It misses the truth more often than it says"
)
def _decisive(said: Said, match: re.Match[str]) -> bool:
    counts = {
        mode: int(count)
        for mode, count in re.findall(r"([\w ]+?) \((\d+)\)", match["list"].replace(" and ", ", "))
    }
    return all(said.struck(mode.strip()) == count < 20 for mode, count in counts.items())


@proves(
    r"(?P<list>.+?) never struck the job( after the warm-up)? in any replication: what that costs "
    r"is in no figure"
)
def _unstruck(said: Said, match: re.Match[str]) -> bool:
    modes = re.split(r", | and ", match["list"])
    return all(mode in said.scenario.failures and not said.struck(mode) for mode in modes)


@proves(r"Simulate a longer horizon, or more replications")
def _remedy(said: Said, match: re.Match[str]) -> None:
    """A remedy, which compares nothing."""


# Thresholds.

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
}  # fmt: skip


@proves(
    r"^(?P<verdict>met|not met|undecided): random: ettr is .+?, expected (?P<sign>[<>]=?) "
    r"(?P<value>[\d.]+)(; (the interval holds the threshold|one replication has no interval), "
    r"more.* would tell)?$"
)
def _threshold(said: Said, match: re.Match[str]) -> bool:
    ettr, value = mean_of(said.table["ettr"].to_numpy()), float(match["value"])
    width = ettr.half_width if said.summary["random"] else 0.0
    open_still = width is None or abs(ettr.mean - value) < width
    holds = SIGNS[match["sign"]](ettr.mean, value)
    return match["verdict"] == ("undecided" if open_still else "met" if holds else "not met")
