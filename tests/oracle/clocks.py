"""Clocks of the naive simulator: how much of a lifetime is left, and who is struck when nothing is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sim.distributions import Exponential
from sim.scenario.model import FailureMode, Scenario
from sim.streams import Draws, Streams, uniform


@dataclass
class Clock:
    """What is left of one lifetime, running down at `speed` since the instant `since`."""

    left: float
    speed: float = 0.0
    since: float = 0.0
    fired: bool = False

    def due(self) -> float:
        return self.since + self.left / self.speed if self.speed > 0 else math.inf

    def turn(self, now: float, speed: float) -> None:
        """Run at another speed from now on."""
        if speed != self.speed:
            self.left = max(self.left - (now - self.since) * self.speed, 0.0)
            self.since, self.speed = now, speed

    def arrive(self, now: float) -> None:
        """Note that nothing is left, if that is so."""
        if self.due() <= now:
            self.fired, self.left, self.since = True, 0.0, now

    def again(self, now: float, life: float) -> None:
        """Begin the next lifetime."""
        self.fired, self.left, self.since = False, life, now


class Source:
    """One failure mode: its clocks, in the order of the unit index, and the next life of each."""

    def __init__(self, scenario: Scenario, streams: Streams, name: str, mode: FailureMode) -> None:
        self.scenario, self.streams, self.name, self.mode = scenario, streams, name, mode
        self.strikes = 0
        self.spare_strikes = 0
        self.memoryless = isinstance(mode.lifetime, Exponential)
        self.owned = mode.per in ("gpu", "node")
        self.clocks = self._superposed() if self.memoryless else self._units()
        self.spare_clock = self._spares()

    def draw(self, quantity: str, k: int, sampler: Callable[..., object] = uniform) -> float:
        return float(Draws(self.streams, f"{self.name}/{quantity}", sampler)[k])  # type: ignore[arg-type]

    def _superposed(self) -> list[Clock]:
        self.gaps = Draws(
            self.streams, f"{self.name}/gap", Exponential(self.scenario.mtbf_of(self.name)).sample
        )
        self.chosen = Draws(self.streams, f"{self.name}/unit", uniform)
        return [Clock(self.gaps[0])]

    def _units(self) -> list[Clock]:
        count = job_units = self.scenario.units(self.name)
        if self.owned:
            count += self.scenario.cluster.spare_nodes * self.units_per_node
        law, rng = self.mode.lifetime, self.streams[f"{self.name}/first"]
        draw = law.sample if self.mode.ages == "new" else law.residual
        first = [*draw(rng, job_units), *draw(rng, count - job_units)]
        self.ages = [0.0] * count
        self.lives = [float(life) for life in first]
        self.later = [self._later_lives(unit) for unit in range(count)]
        return [Clock(life) for life in self.lives]

    def _later_lives(self, unit: int) -> Iterator[float]:
        rng = None
        while True:
            rng = rng or self.streams[f"{self.name}/life/{unit}"]
            if self.mode.renews:
                yield float(self.mode.lifetime.sample(rng, 1)[0])
            else:
                self.ages[unit] += self.lives[unit]
                yield self.mode.lifetime.remaining(self.ages[unit], 1 - float(rng.random()))

    def _spares(self) -> Clock | None:
        cluster = self.scenario.cluster
        if not cluster.spare_nodes or not cluster.spare_failures or self.mode.per in ("cluster", "job"):
            return None
        if not self.memoryless and self.owned:
            return None
        mean = self.mode.mtbf / self.units_per_node / cluster.spare_nodes / cluster.spare_failures
        self.spare_gaps = Draws(self.streams, f"{self.name}/spare/gap", Exponential(mean).sample)
        return Clock(self.spare_gaps[0])

    @property
    def units_per_node(self) -> int:
        return self.scenario.cluster.gpus_per_node if self.mode.per == "gpu" else 1

    def all_clocks(self) -> list[Clock]:
        return self.clocks + ([self.spare_clock] if self.spare_clock else [])

    def factor(self, now: float) -> float:
        """How many times the rate holds at this instant of the run."""
        value = 1.0
        for start, factor in self.mode.over_time:
            value = factor if now >= start else value
        return value

    def node_of(self, index: int) -> int | None:
        """The node whose presence lets the clock run, None for a clock of no node in particular."""
        return index // self.units_per_node if self.owned and not self.memoryless else None

    def struck(self, index: int, now: float) -> int:
        """Begin the next lifetime of a clock that has fired, and say which unit is struck."""
        if self.memoryless:
            k = self.strikes
            self.clocks[0].again(now, self.gaps[k + 1])
            return int(self.chosen[k] * self.scenario.units(self.name))
        self.lives[index] = next(self.later[index])
        self.clocks[index].again(now, self.lives[index])
        return index

    def spare_struck(self, now: float) -> int:
        """Begin the next gap among the idle spares, and say which place among them is struck."""
        assert self.spare_clock is not None
        k = self.spare_strikes
        self.spare_clock.again(now, self.spare_gaps[k + 1])
        return int(self.draw("spare/unit", k) * self.scenario.cluster.spare_nodes)
