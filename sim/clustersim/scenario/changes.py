"""New values for a scenario by dotted path, tried when the file is read: own levers, and published claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clustersim.scenario.keys.blocks import KEY, Finding, unknown
from clustersim.scenario.text.document import Document, find, paths
from clustersim.scenario.text.errors import Path, ScenarioError, dotted
from clustersim.scenario.text.overrides import override

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario

Changes = Mapping[str, Any]
CHANGEABLE = ("cluster", "workload", "failures", "checkpoint", "recovery", "maintenance", "costs")
SAID = ("sources", "expect", "levers", "published")
"""What is said about a scenario's values: it does not hold of others."""
_NAMED_BY_THE_USER = ("failures", "recovery.stages", "checkpoint.tiers")


def changed(scenario: Scenario, changes: Changes) -> Scenario:
    """Return *scenario* with new values by dotted path (null deletes), without what was said about the old.

    For changes that were tried already: those of a lever or a claim of the scenario itself.
    """
    document = _without_what_is_said(scenario)
    for path, value in changes.items():
        document = override(document, path, value)
    return type(scenario).model_validate(document.data)


def faults(
    scenario: Scenario, changes: Changes, here: Path, who: str, allowed: Sequence[str] = CHANGEABLE
) -> Iterator[Finding]:
    """Yield, each at the path of its value below *here*, what is wrong with the scenario that they make.

    *who* is what wants to change it, in a sentence; only the blocks that are *allowed* may be changed.
    """
    strange = [
        ((*here, path, KEY), why) for path in changes if (why := _strange(scenario, path, who, allowed))
    ]
    yield from strange or _tried(scenario, changes, here)


def _without_what_is_said(scenario: Scenario) -> Document:
    return Document({name: value for name, value in scenario.document.items() if name not in SAID})


def _strange(scenario: Scenario, path: str, who: str, allowed: Sequence[str]) -> str | None:
    """Return why *path* is not one of the scenario's, where that is plain without trying it."""
    document = {name: scenario.document[name] for name in allowed if name in scenario.document}
    if path.partition(".")[0] not in allowed:
        return f"{who} changes {', '.join(allowed[:-1])} or {allowed[-1]}; give such a path"
    if find(document, path) is not None:
        return None
    for free in _NAMED_BY_THE_USER:
        known = [dotted(one) for one in paths(document)]
        name = path.removeprefix(f"{free}.").partition(".")[0]
        if path.startswith(f"{free}.") and f"{free}.{name}" not in known:
            return unknown(path, known, "no such value in this scenario")
    return None


def _tried(scenario: Scenario, changes: Changes, here: Path) -> Iterator[Finding]:
    """Yield what is wrong with the scenario with all of the changes."""
    document = _without_what_is_said(scenario)
    for path, value in changes.items():
        try:
            document = override(document, path, value)
        except ScenarioError as error:
            yield (*here, path), error.faults[0].message
            return
    for fault in document.faults:
        yield (*here, next(iter(changes))), fault.message
    try:
        type(scenario).model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _blamed(changes, here, detail)


def _blamed(changes: Changes, here: Path, detail: Any) -> Finding:
    """Return the finding at the path of the change that brought it about: its own, or the first one."""
    of_key = bool(detail["loc"]) and detail["loc"][-1] == KEY
    path, why = dotted(detail["loc"][:-1] if of_key else detail["loc"]), detail["ctx"]["sentence"]
    own = next((one for one in changes if path == one), None)
    if own is not None:
        return ((*here, own, KEY) if of_key else (*here, own)), why
    near = next((one for one in changes if path.startswith(f"{one}.")), next(iter(changes)))
    return (*here, near), f"with this change, {path}: {why}"
