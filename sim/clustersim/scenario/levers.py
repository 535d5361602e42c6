"""Levers of one's own: changes that might be bought, each tried on the scenario when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict

from clustersim.scenario.changes import Trials
from clustersim.scenario.keys.blocks import MOST_NAMES, Block, Finding, key, too_many
from clustersim.scenario.keys.quantities import Price

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario


class OwnLever(Block):
    """New values by dotted path, such as `recovery.stages.start: 60 s` (null deletes), and their price."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"maxProperties": MOST_NAMES + 1})
    price: Price | None = key("what the change costs, once, such as 100_000 USD", None)

    @property
    def values(self) -> dict[str, Any]:
        """The new values, by dotted path."""
        return dict(self.model_extra or {})

    def contradictions(self) -> Iterator[Finding]:
        """Ask for a change, and refuse too many."""
        if (count := len(self.values)) > MOST_NAMES:
            yield (), too_many(count, MOST_NAMES)
        if not self.values:
            yield (), "changes nothing; give a path and its new value, such as recovery.stages.start: 60 s"


def faults_of_levers(scenario: Scenario) -> Iterator[Finding]:
    """Yield, at the value of each lever, what would be wrong with the scenario that it makes."""
    if not scenario.levers:
        return
    costs, trials = scenario.costs, Trials(scenario, "a lever")
    for name, lever in scenario.levers.items():
        here = ("levers", name)
        if lever.price and costs and lever.price.currency != costs.currency:
            yield (
                (*here, "price"),
                f"the costs are in {costs.currency}; give the price in {costs.currency} too",
            )
        yield from trials.faults(lever.values, here)
