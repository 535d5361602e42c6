"""Repeat offenders: when a node that was repaired once more does not come back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.events import RETURN, At
from clustersim.scenario.model import Scenario


class Rule(Protocol):
    """Whether a node is let go because of its failures."""

    def retires(self, failures: Sequence[float], now: float) -> bool:
        """Return whether a node leaves for good that failed at these instants (s)."""


class AfterSo:
    """Many failures in a window before now leave no way back."""

    def __init__(self, count: int, within: float) -> None:
        self._count = count
        self._within = within

    def retires(self, failures: Sequence[float], now: float) -> bool:
        """Return whether enough failures are younger than the window is long."""
        return sum(time > now - self._within for time in failures) >= self._count


class ByScore:
    """Each failure weighs 1 and fades by half in each half-life; too much weight leaves no way back."""

    def __init__(self, score: float, half_life: float) -> None:
        self._score = score
        self._half_life = half_life

    def retires(self, failures: Sequence[float], now: float) -> bool:
        """Return whether the failures together still weigh enough."""
        weights = (math.exp2((time - now) / self._half_life) for time in failures)
        return math.fsum(weights) >= self._score


class Retirement:
    """Keeps in mind when each node failed for good, and sends those home that did so too often.

    A new node is *delivered* some time later, where the scenario orders one, as that of the same incident.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        cluster: Cluster,
        delivered: Callable[[Sequence[int], int], None],
    ) -> None:
        spec = scenario.recovery.retire
        assert spec is not None
        self._env = env
        self._cluster = cluster
        self._delivered = delivered
        self._replacement = spec.replacement
        self._priority = RETURN + 2 * len(scenario.failures)
        self._failures: dict[int, list[float]] = {}
        self._rule: Rule
        if spec.after is not None and spec.within is not None:
            self._rule = AfterSo(spec.after, spec.within)
        else:
            assert spec.score is not None
            assert spec.half_life is not None
            self._rule = ByScore(spec.score, spec.half_life)
        cluster.on_failure.append(self.failed)

    def failed(self, node: int) -> None:
        """Count a failure of *node*."""
        self._failures.setdefault(node, []).append(self._env.now)

    def left_of(self, nodes: Sequence[int], line: int) -> Sequence[int]:
        """Return those of *nodes*, gone for the incident in *line*, that come back; the others retire."""
        back = []
        for node in nodes:
            if self._rule.retires(self._failures.get(node, ()), self._env.now):
                self._retire(node, line)
            else:
                back.append(node)
        return back

    def _retire(self, node: int, line: int) -> None:
        self._cluster.retire(node)
        del self._failures[node]
        if self._replacement is not None:
            new = self._cluster.order(node)
            delivery = self._env.now + self._replacement
            At(self._env, delivery, self._priority, lambda _: self._delivered((new,), line))
