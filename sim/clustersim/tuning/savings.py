"""Changes of how a job saves and loads, tier by tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.keys.tiers import Copies
from clustersim.scenario.model import Scenario
from clustersim.tuning.change import Change, Family, halved
from clustersim.tuning.places import Place, place_of

LEAST_HALVED = 2 * SHORTEST_DURATION
"""Times below it (s) are not halved: twice the bandwidth would give less than a time may be."""


def cheaper_saves(scenario: Scenario, document: Mapping[str, Any]) -> Iterator[Change]:
    """Yield saves of each tier that stop training for half as long, or are durable twice as fast."""
    stops = scenario.maintenance
    awaited = scenario.failures or (stops is not None and not stops.abrupt)
    for place, stated in _places(scenario):
        tier, said = place.of(scenario), _said(document, place)
        which = f": {tier.name}" if place.several else ""
        if tier.blocks >= LEAST_HALVED:
            key = "write" if stated.stated_blocks is None else "blocks"
            yield halved(f"saves at half the cost{which}", {place.path(key): said[key]}, Family.SAVES)
        if tier.durable_after >= LEAST_HALVED and awaited:
            key = "write" if stated.stated_durable_after is None else "durable_after"
            yield halved(f"durable twice as fast{which}", {place.path(key): said[key]}, Family.SAVES)


def loads(scenario: Scenario, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that says how long loading a copy takes, from a tier or from another replica, by path."""
    given = {}
    for place, stated in _places(scenario):
        if place.of(scenario).load >= LEAST_HALVED:
            key = "read" if stated.stated_load is None else "load"
            given[place.path(key)] = _said(document, place)[key]
    if scenario.recovery.peer_load:
        given["recovery.peer_load"] = document["recovery"]["peer_load"]
    return given


def _places(scenario: Scenario) -> Iterator[tuple[Place, Copies]]:
    if (spec := scenario.checkpoint) is not None:
        for name, stated in spec.stated.items():
            yield place_of(scenario, name), stated


def _said(document: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    said: Mapping[str, Any] = document
    for key in place.keys:
        said = said[key]
    return said
