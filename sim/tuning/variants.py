"""Scenarios made from a scenario: one value changed, or the clock alone deciding when a run ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.scenario import dump, loads
from sim.scenario.model import Scenario

USUAL_HORIZON = "30 d"
USUAL_REPLICATIONS = 64
Changes = Mapping[str, Any]


def variant(scenario: Scenario, changes: Changes) -> Scenario:
    """Return *scenario* with other values at dotted paths, a value of `null` deleted.

    Raises ScenarioError where the changed scenario is faulty.
    """
    about_values = {block: "null" for block in ("sources", "expect") if block in scenario.document}
    return loads(dump(scenario), f"<{scenario.name}>", about_values | dict(changes))


def ended_by_the_clock(scenario: Scenario) -> Scenario:
    """Return *scenario* over a fixed horizon and number of replications, whatever target it has.

    Whoever compares intervals needs the same stretch of time for all of them: a target is left out, and a run
    without a horizon gets one of 30 days.
    """
    simulation = scenario.simulation
    changes: dict[str, Any] = {}
    if scenario.target_s is not None:
        changes |= {f"workload.{key}": "null" for key in ("target", "productive") if key in _work(scenario)}
    if simulation.horizon is None:
        changes["simulation.horizon"] = USUAL_HORIZON
    if simulation.precision is not None:
        changes |= {"simulation.precision": "null", "simulation.replications": USUAL_REPLICATIONS}
    return variant(scenario, changes) if changes else scenario


def _work(scenario: Scenario) -> Mapping[str, Any]:
    return scenario.document.get("workload") or {}
