"""Changes of a scenario: new values at dotted paths, and the scenarios and files that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from clustersim import folders
from clustersim.scenario import ScenarioError, load
from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import at, dotted, find
from clustersim.scenario.trials import REMARKS
from clustersim.scenario.writing import edited, moved
from clustersim.store import ChoiceError, RunError
from clustersim.units import Money, shown

NOT_GIVEN = "not given"
USUAL_HORIZON = "30 d"
"""For what has a target only: long enough for hundreds of failures in clusters that need tuning."""


class Area(StrEnum):
    """What a change is a change of."""

    FAILURES = "failures"
    RECOVERY = "recovery"
    SAVES = "saves"
    NODES = "nodes"
    INTERVAL = "interval"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Change:
    """New values at dotted paths (None deletes), with a name, what it reads like, and its price if known.

    `joins` says that it is several other changes of a list made together, such as all failures halved.
    """

    name: str
    values: Mapping[str, Any]
    text: str
    area: Area = Area.OWN
    price: Money | None = None
    joins: bool = False

    def of(self, scenario: Scenario) -> Scenario:
        """Return the variant of *scenario* that it makes; raises ScenarioError where that is faulty."""
        return variant(scenario, self.values)


def from_to(document: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return what *values* change in a scenario's *document*: `checkpoint.blocks: 5 s -> 1 s`, and so on."""
    changed = []
    for path, value in values.items():
        keys = find(document, path)
        before, after = keys and at(document, keys), value
        texts = (NOT_GIVEN if each is None else setting(each) for each in (before, after))
        changed.append(f"{path}: {' -> '.join(texts)}")
    return "; ".join(changed)


class ValueChange(NamedTuple):
    """A value that differs between two scenarios: its path, and both as they are written, None where none."""

    path: str
    before: str | None
    after: str | None

    @property
    def texts(self) -> tuple[str, str]:
        """Both values in words, the thousands of a number in groups."""
        return _grouped(self.before or NOT_GIVEN), _grouped(self.after or NOT_GIVEN)

    def to_dict(self) -> dict[str, str | None]:
        """Return it as plain data."""
        return {"path": self.path, "from": self.before, "to": self.after}


def _grouped(text: str) -> str:
    """Return a value with its number as tables have it: `3,750 h` for `3_750 h`, `10,000` for `10000`."""
    number, space, unit = text.partition(" ")
    digits = number.replace("_", "")
    whole = digits.isascii() and digits.isdecimal() and not digits.startswith("0")
    return f"{int(digits):,}{space}{unit}" if whole else text


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ValueChange]:
    """Yield what differs from the document of one scenario to that of another, remarks left out.

    What only one of them has is one value, with all that is in it.
    """
    remarks = {*REMARKS, "name", "title", "about"}
    one, other = ({key: each[key] for key in each if key not in remarks} for each in (before, after))
    yield from _differing(one, other)


def _differing(before: Any, after: Any, *keys: str) -> Iterator[ValueChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _differing(before.get(key), after.get(key), *keys, key)
    elif before != after:
        texts = (None if each is None else setting(each) for each in (before, after))
        yield ValueChange(dotted(keys), *texts)


def setting(value: Any) -> str:
    """Return a value of a scenario as one would write it in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {setting(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(setting, value))}]"
    return value if isinstance(value, str) else shown(value)


def ended_by_the_clock(scenario: Scenario, replications: int) -> Scenario:
    """Return *scenario* over a fixed horizon and number of replications, whatever target it has.

    What is compared needs the same stretch of time: a target is left out, and a run without a horizon gets
    one of 30 days.  *replications* are taken where the scenario does not say how many.
    """
    document = scenario.document
    work, changes = document.get("workload") or {}, dict[str, Any]()
    if scenario.target_s is not None:
        changes = {f"workload.{key}": None for key in ("target", "productive") if key in work}
    if scenario.simulation.horizon is None:
        changes["simulation.horizon"] = USUAL_HORIZON
    if scenario.uncertain:
        changes["uncertainty.per_draw"] = 1
    if "replications" not in (document.get("simulation") or {}):
        changes["simulation.replications"] = replications
    return variant(scenario, changes) if changes else scenario


def on_a_number(scenario: Scenario, replications: int) -> Scenario:
    """Return *scenario* with so many *replications*, where it does not say how many."""
    given = "replications" in (scenario.document.get("simulation") or {})
    return scenario if given else variant(scenario, {"simulation.replications": replications})


def on_the_same(scenario: Scenario, given: Scenario) -> Scenario:
    """Return *scenario* with the seed and replications of the *given* one: both meet the same failures."""
    same = {f"simulation.{name}": getattr(given.simulation, name) for name in ("seed", "replications")}
    return variant(scenario, same)


def tuned_tier(scenario: Scenario, name: str | None = None) -> Tier:
    """Return the tier of *scenario* with that *name*, or the last one: the one whose interval is tuned.

    Raises ChoiceError where there is no such tier, or no checkpoint at all.
    """
    if not scenario.tiers:
        raise ChoiceError(f"{scenario.name} says checkpoint: none, so it has no interval to tune")
    tiers = {tier.name: tier for tier in scenario.tiers}
    if name is not None and name not in tiers:
        raise ChoiceError(f"{scenario.name}: {unknown(name, tiers, f'no tier {name!r}')}")
    return tiers[name] if name else scenario.tiers[-1]


def write_changed(file: Path, target: Path, values: Mapping[str, Any], source: str, force: bool) -> None:
    """Write the scenario *file* with other *values* at dotted paths to *target*.

    A source that the file gives for one of them becomes *source*.  Raises RunError where *target* is there
    already (unless *force*), ChoiceError where the copy would not be the same scenario with these values.
    """
    if target.exists() and not force:
        raise RunError(f"{target}: there already; give another file, or --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    trial = target.with_name(f".{target.stem}.trial.yaml")
    try:
        wanted = load(file, values)
        text, named = file.read_text("utf-8-sig"), moved(file.parent, target.parent)
        text = edited(text, values, wanted.document, source, named)
        trial.write_text(text, "utf-8")
        copy = load(trial)
    except ScenarioError as error:
        raise ChoiceError(f"{target}: the copy would not be valid there: {error.problems[0]}") from error
    finally:
        trial.unlink(missing_ok=True)
    if copy.document | {"sources": None} != wanted.document | {"sources": None}:
        raise ChoiceError(f"{file}: {', '.join(values)} cannot be put in its place; set it by hand")
    folders.write_text(target, text)
