"""Cases: scenarios with something published about them, the shipped ones and those of a user."""

from __future__ import annotations

import difflib
import os.path
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clustersim import library
from clustersim.scenario import Place, Problem, ScenarioError, load
from clustersim.scenario.keys.remarks import Published
from clustersim.scenario.loading import overridden
from clustersim.scenario.model import Scenario
from clustersim.settings import ScenarioSource
from clustersim.store import ChoiceError


class Case(NamedTuple):
    """A scenario with published claims, and the name under which it is known."""

    name: str
    scenario: Scenario

    @property
    def published(self) -> Published:
        """What was published."""
        assert self.scenario.published is not None
        return self.scenario.published

    def name_of(self, claim: str) -> str:
        """Return what the outcome of *claim* is called: the case alone, where it is the only one."""
        return f"{self.name}/{claim}" if len(self.published.claims) > 1 else self.name


def shipped_names() -> list[str]:
    """Return the names of the cases that come with the package, in order."""
    return [name.removeprefix(library.CASES) for name in library.cases()]


def find(sources: Sequence[ScenarioSource] = (), overrides: Mapping[str, Any] | None = None) -> list[Case]:
    """Return the cases that *sources* name, shipped ones or files or scenarios; all shipped ones without any.

    Raises ScenarioError for faulty files, and ChoiceError for a name that no case has and for a scenario
    about which nothing is said to be published.
    """
    cases: list[Case] = []
    problems: list[Problem] = []
    for source in sources or shipped_names():
        try:
            cases.append(_case(source, overrides or {}))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(dict.fromkeys(problems))
    return cases


def of_scenario(scenario: Scenario) -> Case:
    """Return a loaded *scenario* as a case; raise ChoiceError where nothing was published about it."""
    if scenario.published is None:
        raise ChoiceError(f'"{scenario.name}" says nothing about what was published; {_how()}')
    return Case(scenario.name, scenario)


def _case(source: ScenarioSource, overrides: Mapping[str, Any]) -> Case:
    if isinstance(source, Scenario):
        return of_scenario(overridden(source, overrides) if overrides else source)
    name = str(source)
    known = name.removesuffix(library.SUFFIX).removeprefix(library.CASES)
    if not os.path.exists(name) and known in shipped_names():
        return Case(known, load(f"{library.CASES}{known}", overrides))
    if not os.path.exists(name) and library.path(name) is None:
        raise _unknown(name)
    scenario = load(name, overrides)
    if scenario.published is None:
        raise ChoiceError(f"{name}: there is no `published` block in it; {_how()}")
    return Case(scenario.name, scenario)


def _unknown(name: str) -> Exception:
    """Return the error for a name that is neither a case nor a file."""
    if name.endswith((library.SUFFIX, ".yml")):
        return Place(name).error("no such file")
    near = difflib.get_close_matches(name, shipped_names(), n=1)
    meant = f"did you mean {near[0]}? The" if near else "the"
    return ChoiceError(f'no published case is called "{name}"; {meant} shipped ones are {_listed()}')


def _how() -> str:
    return f"say what was and where, or name a shipped case: {_listed()}"


def _listed() -> str:
    return ", ".join(shipped_names())
