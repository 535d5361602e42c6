"""Running a validation: each variant that a claim needs once, all on one pool; and the verdicts."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from clustersim.experiment import Interrupted, Point, Settings, made, simulate_all, work_key
from clustersim.scenario.changes import Changes, changed
from clustersim.scenario.describe import replication_s
from clustersim.scenario.keys.figures import FIGURES
from clustersim.scenario.model import Scenario
from clustersim.scenario.published import Claim
from clustersim.store import RunError
from clustersim.tuning.variants import variant
from clustersim.validation.cases import Case, Side, refuse_doubles, sides
from clustersim.validation.estimator import Survey
from clustersim.validation.figures import MEASURES
from clustersim.validation.measuring import Measurements, keep, kept
from clustersim.validation.results import Outcome, Tried, Validation
from clustersim.validation.verdict import AGREES, UNDECIDED, Interval, passes, verdict
from clustersim.validation.words import setting

SIMULATION = "simulation."


def validate(
    cases: Sequence[Case],
    settings: Settings,
    *,
    overrides: Mapping[str, Any] | None = None,
    unfinished: Path | None = None,
    estimator: bool = False,
) -> Validation:
    """Return what comes of the claims of *cases*; with *estimator* also how far a first-order formula goes.

    Of *overrides*, those of the simulation (seed, replications, horizon) hold for every claim, whatever it
    changes.  Where the run breaks off, what is finished is kept in the folder *unfinished*, if one is given,
    and `settings.resume` goes on from there.  Raises Interrupted on Ctrl-C, ChoiceError where two cases share
    a name, and RunError where a worker process dies.
    """
    refuse_doubles(cases)
    forced = {path: value for path, value in (overrides or {}).items() if path.startswith(SIMULATION)}
    plan, survey = Plan(forced), Survey(_common_seed(cases)) if estimator else None
    for case, name in claims_of(cases):
        plan.add(case, case.published.claims[name])
    started = time.perf_counter()
    plan.simulate(settings, unfinished, survey.points if survey else ())
    outcomes = tuple(plan.outcome(case, name) for case, name in claims_of(cases))
    how = made(settings, time.perf_counter() - started) | {"seed": _common_seed(cases)}
    scenarios = {case.name: case.scenario for case in cases}
    return Validation(outcomes, scenarios, how, survey.roads() if survey else ())


def claims_of(cases: Sequence[Case]) -> Iterator[tuple[Case, str]]:
    """Yield the name of each claim with its case."""
    for case in cases:
        yield from ((case, name) for name in case.published.claims)


def _common_seed(cases: Sequence[Case]) -> int:
    """Return the seed that most cases have."""
    seeds = Counter(case.scenario.simulation.seed for case in cases)
    return seeds.most_common(1)[0][0]


@dataclass
class Variant:
    """A case with some values changed: what is measured of it, and how many claims need it."""

    point: Point
    measured: Measurements
    users: int = 0

    @classmethod
    def of(cls, scenario: Scenario) -> Variant:
        """Return the variant that *scenario* is, of which nothing is simulated yet."""
        measured = Measurements(scenario)
        return cls(Point.of(scenario, measured), measured)

    @property
    def taken(self) -> float:
        """Seconds that one core simulated it for each of the claims that need it."""
        return self.point.taken / self.users


class Found(NamedTuple):
    """One side of a claim, simulated: its interval, the verdict on it, and what it took."""

    side: Side
    simulated: Interval
    verdict: str
    replications: int
    taken: float


class Plan:
    """All that has to be simulated, each variant of a case once, whoever needs it."""

    def __init__(self, forced: Changes) -> None:
        self._forced = forced
        self._variants: dict[str, Variant] = {}
        self._hashes: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Plan({len(self._variants)} variants)"

    def add(self, case: Case, claim: Claim) -> None:
        """Plan what *claim* needs."""
        for side in sides(claim):
            for changes in (side.change, side.minus):
                if changes is not None:
                    planned = self._variant(case, changes)
                    planned.users += 1
                    planned.measured.want(claim.stated_figure)

    def _variant(self, case: Case, changes: Changes) -> Variant:
        """Return the variant of *case* with these *changes*: one for all that come to the same scenario."""
        key = _key(case, changes)
        if key not in self._hashes:
            # What is forced may contradict the file, so the whole is read anew; changes alone were tried.
            make = variant if self._forced else changed
            scenario = make(case.scenario, {**changes, **self._forced})
            self._hashes[key] = scenario.hash
            self._variants.setdefault(scenario.hash, Variant.of(scenario))
        return self._variants[self._hashes[key]]

    def simulate(self, settings: Settings, unfinished: Path | None, others: Sequence[Point] = ()) -> None:
        """Simulate all variants and *others*, the longest first, so that none is left alone at the end."""
        measured = [one.measured for one in self._variants.values()]
        points = sorted(
            (*(one.point for one in self._variants.values()), *others), key=_expected, reverse=True
        )
        if unfinished is not None:
            self._take_up(settings, unfinished)
        try:
            simulate_all(points, settings)
        except KeyboardInterrupt:
            raise Interrupted(_keep(measured, unfinished)) from None
        except RunError:
            _keep(measured, unfinished)
            raise
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _take_up(self, settings: Settings, unfinished: Path) -> None:
        """Go on from what an interrupted validation left, or throw it away, and say which."""
        rows = kept(unfinished)
        count = sum(map(len, rows.values()))
        if count and not settings.resume:
            settings.progress.say(
                f"{count} replications of an unfinished validation are thrown away;"
                " --resume would have gone on from them"
            )
        elif count:
            settings.progress.say(f"going on from {count} finished replications")
            for one in self._variants.values():
                one.measured.take_up(rows.get(work_key(one.point.scenario), {}))

    def outcome(self, case: Case, name: str) -> Outcome:
        """Return the outcome of the claim called *name*, once everything is simulated."""
        claim = case.published.claims[name]
        found = [self._found(case, claim, side) for side in sides(claim)]
        chosen = _most_telling(found)
        return Outcome(
            name=case.name_of(name),
            scenario=case.name,
            claim=name,
            title=case.scenario.title or case.name,
            kind=claim.kind,
            source=case.published.source,
            says=claim.says,
            figure=claim.figure,
            meaning=FIGURES[claim.figure].meaning,
            unit=claim.unit,
            value=claim.value,
            low=claim.low,
            high=claim.high,
            simulated=chosen.simulated,
            verdict=chosen.verdict,
            passed=passes(claim.kind, chosen.verdict),
            replications=min(one.replications for one in found),
            of=claim.of,
            reads=claim.reads or "",
            assumes=case.published.assumes,
            difference=claim.minus is not None,
            change=dict(claim.change),
            minus=None if claim.minus is None else dict(claim.minus),
            unknown=claim.unknown[0] if claim.unknown else None,
            tried=tuple(_tried(one) for one in found) if claim.unknown else (),
            wall_s=sum(one.taken for one in found),
        )

    def _found(self, case: Case, claim: Claim, side: Side) -> Found:
        """Return what was simulated of one side of *claim*, and the verdict on it."""
        figure, wanted = MEASURES[claim.figure], claim.stated_figure
        one = self._variant(case, side.change)
        rows, taken = one.measured.of(wanted, one.point.wanted), one.taken
        if side.minus is None:
            simulated = figure.interval(rows)
        else:
            other = self._variant(case, side.minus)
            count = min(len(rows), other.point.wanted)
            simulated = figure.difference(rows[:count], other.measured.of(wanted, count))
            rows, taken = rows[:count], taken + other.taken
        return Found(side, simulated, verdict(simulated, claim.low, claim.high), len(rows), taken)


def _expected(point: Point) -> float:
    """Return about how many seconds a point takes one core."""
    return point.wanted * replication_s(point.scenario)


def _key(case: Case, changes: Changes) -> str:
    return json.dumps([case.name, sorted(changes.items())], default=str)


def _keep(measured: Sequence[Measurements], unfinished: Path | None) -> str:
    """Keep what is measured, where there is a place for it; return the sentence about it."""
    count = 0 if unfinished is None else keep(measured, unfinished)
    if not count:
        return "interrupted"
    return f"interrupted; {count} finished replications are kept: --resume goes on from them"


def _most_telling(found: Sequence[Found]) -> Found:
    """Return the first that agrees, else the first that is undecided, else the first."""
    wanted = (one for word in (AGREES, UNDECIDED) for one in found if one.verdict == word)
    return next(wanted, found[0])


def _tried(one: Found) -> Tried:
    return Tried(setting(one.side.tried), one.simulated, one.verdict)
