"""Levers of one's own: changes that might be bought, each tried on the scenario when it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, ValidationError

from sim.scenario.blocks import KEY, Block, Finding, key, unknown
from sim.scenario.document import Document, find, paths
from sim.scenario.errors import Path, ScenarioError, dotted
from sim.scenario.overrides import override
from sim.scenario.quantities import Price

if TYPE_CHECKING:
    from sim.scenario.model import Scenario

CHANGEABLE = ("cluster", "workload", "failures", "checkpoint", "recovery", "maintenance", "costs")
NAMED_BY_THE_USER = ("failures", "recovery.stages", "checkpoint.tiers")


class OwnLever(Block):
    """New values by dotted path, such as `recovery.stages.start: 60 s` (null deletes), and their price."""

    model_config = ConfigDict(extra="allow")
    price: Price | None = key("what the change costs, once, such as 100_000 USD", None)

    @property
    def values(self) -> dict[str, Any]:
        """The new values, by dotted path."""
        return dict(self.model_extra or {})

    def contradictions(self) -> Iterator[Finding]:
        """Ask for a change."""
        if not self.values:
            yield (), "changes nothing; give a path and its new value, such as recovery.stages.start: 60 s"


def faults_of_levers(scenario: Scenario) -> Iterator[Finding]:
    """Yield, at the value of each lever, what would be wrong with the scenario that it makes."""
    costs = scenario.costs
    for name, lever in scenario.levers.items():
        here = ("levers", name)
        if lever.price and costs and lever.price.currency != costs.currency:
            yield (
                (*here, "price"),
                f"the costs are in {costs.currency}; give the price in {costs.currency} too",
            )
        strange = [((*here, path, KEY), why) for path in lever.values if (why := _strange(scenario, path))]
        yield from strange or _tried(scenario, lever, here)


def _strange(scenario: Scenario, path: str) -> str | None:
    """Return why *path* is not one of the scenario's, where that is plain without trying it."""
    document = {name: scenario.document[name] for name in CHANGEABLE if name in scenario.document}
    if path.partition(".")[0] not in CHANGEABLE:
        return f"a lever changes {', '.join(CHANGEABLE[:-1])} or {CHANGEABLE[-1]}; give such a path"
    if find(document, path) is not None:
        return None
    for free in NAMED_BY_THE_USER:
        known = [dotted(one) for one in paths(document)]
        name = path.removeprefix(f"{free}.").partition(".")[0]
        if path.startswith(f"{free}.") and f"{free}.{name}" not in known:
            return unknown(path, known, "no such value in this scenario")
    return None


def _tried(scenario: Scenario, lever: OwnLever, here: Path) -> Iterator[Finding]:
    """Yield what is wrong with the scenario with all of the lever's values."""
    data: dict[str, Any] = {
        name: value
        for name, value in scenario.document.items()
        if name not in ("sources", "expect", "levers")
    }
    document = Document(data)
    for path, value in lever.values.items():
        try:
            document = override(document, path, value)
        except ScenarioError as error:
            yield (*here, path), error.faults[0].message
            return
    for fault in document.faults:
        yield (*here, next(iter(lever.values))), fault.message
    try:
        type(scenario).model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _blamed(lever.values, here, detail)


def _blamed(values: Mapping[str, Any], here: Path, detail: Any) -> Finding:
    """Return the finding at the path of the lever that brought it about: its own, or the first one."""
    of_key = bool(detail["loc"]) and detail["loc"][-1] == KEY
    path, why = dotted(detail["loc"][:-1] if of_key else detail["loc"]), detail["ctx"]["sentence"]
    own = next((one for one in values if path == one), None)
    if own is not None:
        return ((*here, own, KEY) if of_key else (*here, own)), why
    near = next((one for one in values if path.startswith(f"{one}.")), next(iter(values)))
    return (*here, near), f"with this change, {path}: {why}"
