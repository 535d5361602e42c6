"""Levers of one's own, published claims and uncertain inputs are tried on a scenario when it is read.

A lever such as `{recovery.stages.start: 60 s}` makes another scenario.  What would be wrong with that one is
wrong with the lever, and found before anything is simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from clustersim.metrics.metric import FAMILIES
from clustersim.scenario.checks import examine
from clustersim.scenario.keys.blocks import KEY, Finding, refuse, refused, under, unknown
from clustersim.scenario.keys.logs import Rows
from clustersim.scenario.keys.remarks import Claim
from clustersim.scenario.keys.scenario import ScenarioBlock
from clustersim.scenario.keys.uncertain import HIGH, LOW, UncertainInput
from clustersim.scenario.system import System
from clustersim.scenario.text.document import Document, Path, ScenarioError, dotted, paths
from clustersim.scenario.text.layers import alternatives, override
from clustersim.units import shown

Changes = Mapping[str, Any]
CHANGEABLE = ("cluster", "workload", "failures", "checkpoint", "recovery", "maintenance", "costs")
REMARKS = ("group", "sources", "expect", "levers", "published")
"""Blocks that remark on the values of a scenario; they do not hold for other values."""
MOST_TRIED = 200_000
"""The most values that all changes together may read anew: some 50 us each, ten seconds in all."""
CHOSEN = ("cluster.gpus", "cluster.gpus_per_node", "recovery.replicas")
CHANGED_BY_CLAIMS = (*CHANGEABLE, "simulation")
_NAMED_BY_THE_USER = ("failures", "recovery.stages", "checkpoint.tiers")


def trouble(written: ScenarioBlock, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what would be wrong with the scenarios that levers, claims and uncertain inputs make."""
    if written.uncertain:
        trials = Trials(document, "an uncertain input", CHANGEABLE)
        yield from under(("uncertain",), _about_uncertain(written, trials))
    if written.levers:
        yield from _about_levers(written, Trials(document, "a lever", CHANGEABLE))
    if written.published is not None:
        trials = Trials(document, "a claim", CHANGED_BY_CLAIMS)
        for name, claim in written.published.claims.items():
            here = ("published", "claims", name)
            yield from _about_changes(trials, claim, here) or _about_figure(trials, claim, here)


def _about_levers(written: ScenarioBlock, trials: Trials) -> Iterator[Finding]:
    costs = written.costs
    for name, lever in written.levers.items():
        if costs and lever.price and lever.price.currency != costs.currency:
            why = f"the costs are in {costs.currency}; give the price in {costs.currency} too"
            yield ("levers", name, "price"), why
        yield from trials.findings(lever.values, ("levers", name))


def _about_uncertain(written: ScenarioBlock, trials: Trials) -> Iterator[Finding]:
    """Yield what cannot be drawn: what is chosen, one quantity twice, ends that make no scenario."""
    taken: list[str] = []
    for path, entry in written.uncertain.items():
        if path in CHOSEN:
            yield (path, KEY), "it is chosen, not uncertain; compare scenarios with several values instead"
        elif other := next((other for other in taken if is_same(path, other)), None):
            yield (path, KEY), f"it is the same quantity as {other}; leave one of them out"
        elif entry.counted and path.rpartition(".")[2] not in ("rate", "mtbf"):
            yield path, "an observed count tells a rate; use it for a rate or an mtbf"
        else:
            yield from _at_both_ends(path, entry, trials)
        taken.append(path)


def is_same(path: str, other: str) -> bool:
    """Return whether two paths say the same quantity, or one of them lies within the other."""
    within = other.startswith(f"{path}.") or path.startswith(f"{other}.")
    return within or other in alternatives(path)


def _at_both_ends(path: str, entry: UncertainInput, trials: Trials) -> Iterator[Finding]:
    """Yield what is wrong with the scenario at the 5 % or the 95 % point of an uncertain input."""
    for share in (LOW, HIGH):
        changes = entry.changes(path, share)
        for where, why in trials.findings(changes, ()):
            at = f"at {shown(next(iter(changes.values())))}, its {100 * share:g} % point"
            yield ((path, KEY) if KEY in where else (path,)), f"{why} ({at})"
            return


def _about_changes(trials: Trials, claim: Claim, here: Path) -> list[tuple[Path, str]]:
    """Return what is wrong with the values of a claim: its own, those of the other side, and those tried."""
    sides = {"change": claim.change, "minus": claim.minus or {}}
    findings = [
        finding
        for side, values in sides.items()
        if values
        for finding in trials.findings(values, (*here, side))
    ]
    if findings or claim.unknown is None:
        return findings
    path, tried = claim.unknown
    for values in sides.values():
        for number, value in enumerate(tried):
            for where, why in trials.findings({**values, path: value}, ()):
                at = (path, KEY) if KEY in where else (path, number)
                findings.append(((*here, "unknown", *at), why))
    return list(dict.fromkeys(findings))


def _about_figure(trials: Trials, claim: Claim, here: Path) -> Iterator[Finding]:
    """Yield why there is no such figure in the scenario that *claim* is about."""
    metric = claim.compared.metric
    if claim.of is None and not metric.needs:
        return
    subjects = trials.changed(claim.change).subjects
    if lacks := subjects.missing(metric.needs):
        yield (*here, "figure"), f"this metric needs {lacks}; give it"
    elif claim.of is not None and claim.of not in subjects.names[metric.of]:
        what = f"{shown(claim.of)} is not {FAMILIES[metric.of]}"
        yield (*here, "figure", claim.figure), unknown(claim.of, subjects.names[metric.of], what)


class Trials:
    """Changes of one scenario that are tried, one after another, on its *document*.

    *who* is what wants to change it, in a sentence; only the blocks that are *allowed* may be changed.  Each
    trial reads every value of the scenario anew, so a large scenario has room for fewer of them.
    """

    def __init__(self, document: Mapping[str, Any], who: str, allowed: Sequence[str]) -> None:
        self._document = Document({name: value for name, value in document.items() if name not in REMARKS})
        self._changeable = {name: value for name, value in self._document.data.items() if name in allowed}
        self._who = who
        self._allowed = allowed
        self._most = self._left = int(MOST_TRIED / _size(self._document.data))

    def changed(self, changes: Changes) -> System:
        """Return the system with *changes* that were tried already."""
        document = self._document
        for path, value in changes.items():
            document = override(document, path, value)
        return _system(document)

    def findings(self, changes: Changes, here: Path) -> Iterator[tuple[Path, str]]:
        """Yield, each at the path of its value below *here*, what is wrong with the changed scenario."""
        self._left -= 1
        if self._left == -1:
            yield here, f"{self._most:_} changes of so large a scenario can be tried; give fewer"
        if self._left < 0:
            return
        foreign = [((*here, path, KEY), why) for path in changes if (why := self._why_foreign(path))]
        yield from foreign or self._tried(changes, here)

    def _why_foreign(self, path: str) -> str | None:
        """Return why *path* is not one of the scenario's, where that is plain without trying it."""
        if path.partition(".")[0] not in self._allowed:
            allowed = f"{', '.join(self._allowed[:-1])} or {self._allowed[-1]}"
            return f"{self._who} changes {allowed}; give such a path"
        free = next((free for free in _NAMED_BY_THE_USER if path.startswith(f"{free}.")), None)
        if free is None:
            return None
        known = [dotted(value) for value in paths(self._changeable)]
        name = path.removeprefix(f"{free}.").partition(".")[0]
        return None if f"{free}.{name}" in known else unknown(path, known, "no such value in this scenario")

    def _tried(self, changes: Changes, here: Path) -> Iterator[tuple[Path, str]]:
        """Yield what is wrong with the scenario with all of the changes."""
        document = self._document
        for path, value in changes.items():
            try:
                document = override(document, path, value)
            except ScenarioError as error:
                yield (*here, path), error.problems[0].message
                return
        for problem in document.problems:
            yield (*here, next(iter(changes))), problem.message
        try:
            _system(document)
        except ValidationError as error:
            for keys, why, of_key in refused(error):
                yield _blamed(changes, here, dotted(keys), why, of_key)


def _system(document: Document) -> System:
    system, findings = examine(ScenarioBlock.model_validate(document.data), document.data)
    refuse(findings)
    return system


def _size(value: object) -> float:
    """Return how many values there are; a row of a log counts a tenth."""
    if isinstance(value, Mapping | list):
        return sum(map(_size, value.values() if isinstance(value, Mapping) else value)) + 1
    return 1 + len(value) / 10 if isinstance(value, Rows) else 1


def _blamed(changes: Changes, here: Path, path: str, why: str, of_key: bool) -> tuple[Path, str]:
    """Return the finding at the path of the change that brought it about: its own, or the first one."""
    if path in changes:
        return ((*here, path, KEY) if of_key else (*here, path)), why
    near = next((changed for changed in changes if path.startswith(f"{changed}.")), next(iter(changes)))
    return (*here, near), f"with this change, {path}: {why}"
