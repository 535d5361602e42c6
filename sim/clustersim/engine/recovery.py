"""The stages of a recovery: how long each lasts for each failure, and whether it fails.

Every duration belongs to a failure, the stage and the attempt, so that a failure meets the same recovery in
every scenario that has this stage: the second attempt at stage `restart` after GPU failure number 5 draws
number 5 of the stream `gpu/stage/restart/1`.
"""

from __future__ import annotations

from collections.abc import Iterator

from clustersim.distributions import Constant, Distribution
from clustersim.engine.origins import FailureDraws, Origins
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import uniform


class RestartStage:
    """A stage that takes time or may fail: its number, its constant time (s) if any, how often it fails.

    *awaits_nodes* marks the stage in which the job waits for nodes, as long as that takes; *loads* the one in
    which a copy is loaded, where the time depends on the copy.  A plain class, for compiled code to read.
    """

    __slots__ = ("awaits_nodes", "constant", "fails", "loads", "number")

    def __init__(
        self, number: int, constant: float | None, fails: float, awaits_nodes: bool, loads: bool
    ) -> None:
        self.number = number
        self.constant = constant
        self.fails = fails
        self.awaits_nodes = awaits_nodes
        self.loads = loads


class Stages:
    """The stages of a scenario's recovery, in order, with a duration for each incident.

    Stage 0 is the detection; `names` are those of the stages after it, `timed` those among them that can take
    time, and `nodes` is the number of the one in which missing nodes are awaited.
    """

    def __init__(self, scenario: Scenario, origins: Origins) -> None:
        self._origins = origins
        self._stages = scenario.recovery.stages
        self.names = tuple(stage.name for stage in self._stages[1:])
        self.timed = tuple(_timed(scenario))
        self.nodes = next(stage.number for stage in self.timed if stage.awaits_nodes)
        self._load = _own_load(scenario)
        usual = self._stages[0].duration
        laws = [*(mode.detect or usual for mode in scenario.failures.values()), Constant(0.0)]
        self._detections = [self._detection(law) for law in laws]
        self._draws: dict[tuple[str, int, int], FailureDraws] = {}

    def detection(self, failure: Failure) -> float:
        """Return the time from a failure to knowing it, in seconds."""
        time, draws = self._detections[failure.mode]
        return time if draws is None else draws[failure]

    def duration(self, stage: int, attempt: int, failure: Failure) -> float:
        """Return how long *stage* lasts, in seconds, on the *attempt*-th way through the restart."""
        return self._draws_of("stage", stage, attempt)[failure]

    def given_load(self, attempt: int, failure: Failure) -> float | None:
        """Return how long the stage that loads lasts by itself; None where that is up to the copy."""
        return None if self._load is None else self.duration(self._load, attempt, failure)

    def fails(self, stage: int, attempt: int, failure: Failure) -> bool:
        """Return whether *stage* fails at its end, so that the restart begins again."""
        return self._draws_of("fails", stage, attempt)[failure] < self._stages[stage].fails

    def _draws_of(self, quantity: str, stage: int, attempt: int) -> FailureDraws:
        key = quantity, stage, attempt
        draws = self._draws.get(key)
        if draws is None:
            name = f"{quantity}/{self._stages[stage].name}" + (f"/{attempt}" if attempt else "")
            sampler = self._stages[stage].duration.sample if quantity == "stage" else uniform
            draws = self._draws[key] = FailureDraws(self._origins, name, sampler)
        return draws

    def _detection(self, law: Distribution) -> tuple[float, FailureDraws | None]:
        always = constant(law)
        if always is not None:
            return always, None
        return 0.0, FailureDraws(self._origins, "detect", law.sample)


def _timed(scenario: Scenario) -> Iterator[RestartStage]:
    for number, stage in enumerate(scenario.recovery.stages):
        loads, awaits = scenario.needs_work_history and stage.kind == "load", stage.kind == "nodes"
        if number > 0 and (loads or awaits or stage.fails or constant(stage.duration) != 0):
            always = None if loads else constant(stage.duration)
            yield RestartStage(number, always, stage.fails, awaits, loads)


def _own_load(scenario: Scenario) -> int | None:
    """Return the number of the stage that loads where its time is stated, whatever copy is loaded."""
    stages = enumerate(scenario.recovery.stages)
    return next((number for number, stage in stages if stage.kind == "load" and not stage.of_copy), None)


def constant(distribution: Distribution) -> float | None:
    """Return the time that *distribution* always gives, if it is constant."""
    return distribution.mean if isinstance(distribution, Constant) else None
