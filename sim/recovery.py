"""From knowing to training: the stages of a recovery, and how long each lasts for each incident."""

from __future__ import annotations

from collections.abc import Sequence

from sim.distributions import Constant, Distribution
from sim.ledger import START_CAUSE
from sim.scenario.model import Scenario, Stage
from sim.streams import Draws, Streams, uniform


class KeyedTimes:
    """A duration in seconds for each incident of a mode: a constant, or the k-th draw of a stream."""

    def __init__(self, streams: Streams, name: str, distribution: Distribution) -> None:
        self._constant = distribution.mean if isinstance(distribution, Constant) else None
        self._draws = Draws(streams, name, distribution.sample)

    def __getitem__(self, index: int) -> float:
        return self._draws[index] if self._constant is None else self._constant


class Stages:
    """The stages of a scenario's recovery, in order, with a duration for each incident.

    Stage 0 is the detection; `names` are those of the stages after it, and `nodes` is the number of the one
    in which missing nodes are awaited.  Durations are known by (mode, stage, attempt, index of the incident
    in its mode), so that an incident meets the same recovery in every scenario that shares the stage.
    """

    def __init__(self, scenario: Scenario, streams: Streams) -> None:
        self._streams = streams
        self._modes = (*scenario.failures, START_CAUSE)
        self._stages: Sequence[Stage] = scenario.recovery.stages
        self.names = tuple(stage.name for stage in self._stages[1:])
        self.nodes = next(number for number, stage in enumerate(self._stages) if stage.kind == "nodes")
        self._detections = [
            KeyedTimes(streams, f"{name}/detect", mode.detect or self._stages[0].duration)
            for name, mode in scenario.failures.items()
        ]
        self._detections.append(KeyedTimes(streams, f"{START_CAUSE}/detect", Constant(0.0)))
        self._times: dict[tuple[int, int, int], KeyedTimes] = {}
        self._failures: dict[tuple[int, int, int], Draws] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def detection(self, mode: int, index: int) -> float:
        """Return the time from the *index*-th failure of *mode* to knowing it, in seconds."""
        return self._detections[mode][index]

    def duration(self, stage: int, attempt: int, mode: int, index: int) -> float:
        """Return how long *stage* lasts, in seconds, on the *attempt*-th way through the chain."""
        key = (stage, attempt, mode)
        times = self._times.get(key)
        if times is None:
            name = self._name("stage", stage, attempt, mode)
            times = self._times[key] = KeyedTimes(self._streams, name, self._stages[stage].duration)
        return times[index]

    def fails(self, stage: int, attempt: int, mode: int, index: int) -> bool:
        """Return whether *stage* fails at its end, so that the chain begins again."""
        chance = self._stages[stage].fails
        if chance == 0:
            return False
        key = (stage, attempt, mode)
        if key not in self._failures:
            self._failures[key] = Draws(self._streams, self._name("fails", stage, attempt, mode), uniform)
        return bool(self._failures[key][index] < chance)

    def _name(self, quantity: str, stage: int, attempt: int, mode: int) -> str:
        name = f"{self._modes[mode]}/{quantity}/{self._stages[stage].name}"
        return f"{name}/{attempt}" if attempt else name
