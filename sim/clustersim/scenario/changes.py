"""New values for a scenario by dotted path, tried when the file is read: own levers, and published claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clustersim.scenario.keys.blocks import KEY, Finding, unknown
from clustersim.scenario.keys.logs import Rows
from clustersim.scenario.text.document import Document, find, paths
from clustersim.scenario.text.errors import Path, ScenarioError, dotted
from clustersim.scenario.text.overrides import override

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario

Changes = Mapping[str, Any]
CHANGEABLE = ("cluster", "workload", "failures", "checkpoint", "recovery", "maintenance", "costs")
SAID = ("sources", "expect", "levers", "published")
"""What is said about a scenario's values: it does not hold of others."""
MOST_TRIED = 200_000
"""The most values that all changes together may read anew: some 50 us each, ten seconds in all."""
_NAMED_BY_THE_USER = ("failures", "recovery.stages", "checkpoint.tiers")


def changed(scenario: Scenario, changes: Changes) -> Scenario:
    """Return *scenario* with new values by dotted path (null deletes), without what was said about the old.

    For changes that were tried already: those of a lever or a claim of the scenario itself.
    """
    document = _without_what_is_said(scenario)
    for path, value in changes.items():
        document = override(document, path, value)
    return type(scenario).model_validate(document.data)


class Trials:
    """Changes of one scenario that are tried, one after another, on its document, which is copied once.

    *who* is what wants to change it, in a sentence; only the blocks that are *allowed* may be changed.  Each
    trial reads every value of the scenario anew, so a large scenario has room for fewer of them.
    """

    def __init__(self, scenario: Scenario, who: str, allowed: Sequence[str] = CHANGEABLE) -> None:
        self._model = type(scenario)
        self._document = _without_what_is_said(scenario)
        self._changeable = {name: value for name, value in self._document.data.items() if name in allowed}
        self._who = who
        self._allowed = allowed
        self._most = self._left = int(MOST_TRIED / _size(self._document.data))

    def faults(self, changes: Changes, here: Path) -> Iterator[Finding]:
        """Yield, each at the path of its value below *here*, what is wrong with the changed scenario."""
        self._left -= 1
        if self._left == -1:
            yield here, f"{self._most:_} changes of so large a scenario can be tried; give fewer"
        if self._left < 0:
            return
        strange = [((*here, path, KEY), why) for path in changes if (why := self._strange(path))]
        yield from strange or self._tried(changes, here)

    def _strange(self, path: str) -> str | None:
        """Return why *path* is not one of the scenario's, where that is plain without trying it."""
        if path.partition(".")[0] not in self._allowed:
            allowed = f"{', '.join(self._allowed[:-1])} or {self._allowed[-1]}"
            return f"{self._who} changes {allowed}; give such a path"
        if find(self._changeable, path) is not None:
            return None
        free = next((free for free in _NAMED_BY_THE_USER if path.startswith(f"{free}.")), None)
        if free is None:
            return None
        known = [dotted(one) for one in paths(self._changeable)]
        name = path.removeprefix(f"{free}.").partition(".")[0]
        return None if f"{free}.{name}" in known else unknown(path, known, "no such value in this scenario")

    def _tried(self, changes: Changes, here: Path) -> Iterator[Finding]:
        """Yield what is wrong with the scenario with all of the changes."""
        document = self._document
        for path, value in changes.items():
            try:
                document = override(document, path, value)
            except ScenarioError as error:
                yield (*here, path), error.faults[0].message
                return
        for fault in document.faults:
            yield (*here, next(iter(changes))), fault.message
        try:
            self._model.model_validate(document.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                yield _blamed(changes, here, detail)


def _size(value: object) -> float:
    """Return how many values there are; a row of a log counts a tenth."""
    if isinstance(value, Mapping | list):
        return sum(map(_size, value.values() if isinstance(value, Mapping) else value)) + 1
    return 1 + len(value) / 10 if isinstance(value, Rows) else 1


def _without_what_is_said(scenario: Scenario) -> Document:
    return Document({name: value for name, value in scenario.document.items() if name not in SAID})


def _blamed(changes: Changes, here: Path, detail: Any) -> Finding:
    """Return the finding at the path of the change that brought it about: its own, or the first one."""
    of_key = bool(detail["loc"]) and detail["loc"][-1] == KEY
    path, why = dotted(detail["loc"][:-1] if of_key else detail["loc"]), detail["ctx"]["sentence"]
    own = next((one for one in changes if path == one), None)
    if own is not None:
        return ((*here, own, KEY) if of_key else (*here, own)), why
    near = next((one for one in changes if path.startswith(f"{one}.")), next(iter(changes)))
    return (*here, near), f"with this change, {path}: {why}"
