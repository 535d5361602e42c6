"""Failure rates of real clusters, as published, and how a scenario's compare with them.

All are failures per 1000 days of a node of eight cards, so that clusters of any size and node compare.  The
3.8 of Llama 3 are its 419 unexpected interruptions over 54 days and 2,048 nodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import events
from clustersim.units import DAY

STOPS, OF_NODES = "failures that stop training", "failures of nodes"
CARDS_OF_A_NODE = 8


class PublishedRate(NamedTuple):
    """One published rate: of which system, what it counts, per 1000 node-days, and where it is to be read."""

    system: str
    counts: str
    per_1000_node_days: float
    source: str


PUBLISHED = (
    PublishedRate(
        "Llama 3",
        STOPS,
        419 / (54 * 2_048) * 1000,
        "419 unexpected interruptions of 16,384 H100 in 54 days, arXiv:2407.21783, table 5",
    ),
    PublishedRate("FT-HSDP", STOPS, 2.3, "interruptions of about 32,000 H100, arXiv:2602.00277"),
    PublishedRate("RSC-1", OF_NODES, 6.50, "A100, arXiv:2410.21680, section III"),
    PublishedRate("RSC-2", OF_NODES, 2.34, "A100, arXiv:2410.21680, section III"),
)


@dataclass(frozen=True, slots=True)
class Times:
    """How many times a published rate a scenario's is."""

    system: str
    per_1000_node_days: float
    times: float
    source: str


@dataclass(frozen=True, slots=True)
class RateBesidePublished:
    """A scenario's rate of what is counted, per 1000 days of a node of eight cards, and published ones."""

    counts: str
    per_1000_node_days: float
    published: tuple[Times, ...]


def beside_published(scenario: Scenario, lasts_s: float) -> Iterator[RateBesidePublished]:
    """Yield the scenario's rates beside the published ones that count the same.

    They are means over a run of *lasts_s* seconds.  What does not happen in the scenario is left out.
    """
    node_days = lasts_s / DAY * scenario.cluster.gpus / CARDS_OF_A_NODE
    for counts in (STOPS, OF_NODES):
        modes = [name for name, mode in scenario.failures.items() if _counts(counts, mode)]
        failures = math.fsum(events(scenario, name, lasts_s) for name in modes)
        if own := 1000 * failures / node_days:
            known = [each for each in PUBLISHED if each.counts == counts]
            yield RateBesidePublished(
                counts,
                own,
                tuple(
                    Times(each.system, each.per_1000_node_days, own / each.per_1000_node_days, each.source)
                    for each in known
                ),
            )


def _counts(counts: str, mode: FailureMode) -> bool:
    return mode.takes_nodes if counts == OF_NODES else mode.effect.stops_training
