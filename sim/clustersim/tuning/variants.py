"""Scenarios made from a scenario: one value changed, or the clock alone deciding when a run ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.scenario import dump, loads
from clustersim.scenario.changes import SAID
from clustersim.scenario.model import Scenario

USUAL_HORIZON = "30 d"
Changes = Mapping[str, Any]


def variant(scenario: Scenario, changes: Changes) -> Scenario:
    """Return *scenario* with other values at dotted paths, a value of `null` deleted.

    What is said about values (sources, thresholds, levers, claims) is left out: it was said about the
    old ones.
    Raises ScenarioError where the changed scenario is faulty.
    """
    said = {block: "null" for block in SAID if block in scenario.document}
    return loads(dump(scenario), f"<{scenario.name}>", said | dict(changes))


def ended_by_the_clock(scenario: Scenario, replications: int) -> Scenario:
    """Return *scenario* over a fixed horizon and number of replications, whatever target it has.

    Whoever compares intervals needs the same stretch of time for all of them: a target is left out, and a run
    without a horizon gets one of 30 days.  *replications* are taken where the scenario does not say how many.
    """
    said = scenario.document.get("simulation") or {}
    changes: dict[str, Any] = {}
    if scenario.target_s is not None:
        work = scenario.document.get("workload") or {}
        changes |= {f"workload.{key}": "null" for key in ("target", "productive") if key in work}
    if scenario.simulation.horizon is None:
        changes["simulation.horizon"] = USUAL_HORIZON
    if "replications" not in said:
        changes["simulation.replications"] = replications
    return variant(scenario, changes) if changes else scenario
