"""A cluster under fire without a job, for tests of failures and repairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clustersim.engine.environment import Environment
from clustersim.engine.failures import Failures
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.origins import Origins
from clustersim.engine.repair import Repairs
from clustersim.engine.replication import cluster_of
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams

DAY = 86_400.0


class Plant:
    """The nodes of a scenario with one failure mode, and what struck them.

    With `repairs` nodes that fail leave at once, and come back to the empty slots.
    """

    def __init__(
        self,
        mode: dict[str, Any],
        days: float = 400.0,
        recovery: dict[str, Any] | None = None,
        repairs: bool = False,
        **cluster: Any,
    ) -> None:
        self.scenario = scenario = Scenario.model_validate(
            {
                "name": "plant",
                "cluster": {"gpus": 64} | cluster,
                "failures": {"mode": mode},
                "checkpoint": {"interval": "10 min", "blocks": "5 s"},
                "recovery": recovery or {},
                "simulation": {"horizon": f"{days} d"},
            }
        )
        self.env = Environment()
        self.cluster = cluster_of(scenario)
        self.places = self.cluster.track()
        self.strikes: list[tuple[float, Failure]] = []
        self.nodes: list[int] = []
        self.spares: list[tuple[float, int]] = []
        self.back: list[tuple[float, tuple[int, ...]]] = []
        self._origins = Origins(scenario, Streams(1, 0))
        world = World(self.env, scenario, self._origins, self.cluster, Causes(["mode"]), Journal())
        self.failures = Failures(world)
        self.failures.on_failure.append(self.strike)
        self.failures.on_spare_failure.append(self.strike_spare)
        self.repairs = Repairs(world, self.failures)
        self.repairs.on_return.append(self.take_back)
        self._leave = repairs

    def strike(self, strike: Failure) -> None:
        """Note a strike, and let its nodes leave where they are to."""
        self.strikes.append((self.env.now, strike))
        self.nodes += [self.cluster.node(slot) for slot in strike.slots]
        if self._leave and not strike.transient:
            self.cluster.fail(strike.slots)
            self.repairs.send(strike, strike.slots, len(self.strikes) - 1)
            self.cluster.fill(self.env.now)

    def strike_spare(self, strike: Failure, node: int) -> None:
        """Note the strike of a spare, and let it leave where it is to."""
        self.spares.append((self.env.now, node))
        if self._leave and not strike.transient:
            self.repairs.send_spare(strike, node, NOBODY)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Note the nodes that come back, and put them to work."""
        self.back.append((self.env.now, tuple(nodes)))
        self.cluster.restore(nodes, (0,))

    def training_begins(self, trains: Callable[[int], object] | None = None) -> None:
        """Let time run for those that wait for training, in the groups of slots that *trains* tells."""
        for clock in self.failures.clocked:
            clock.training_begins(None if trains is None else lambda: trains)

    def training_ends(self) -> None:
        """Let their time stand still."""
        for clock in self.failures.clocked:
            clock.training_ends()

    def origins(self) -> list[str]:
        """Return the names of the origins of all strikes, in order."""
        return [self._origins.names[strike.origin] for _, strike in self.strikes]

    def run(self, until: float) -> list[tuple[float, tuple[int, ...]]]:
        """Return when what was struck by the instant *until* (days)."""
        self.env.run(until=until * DAY)
        return [(now / DAY, tuple(strike.slots)) for now, strike in self.strikes]


def aged(**changes: Any) -> dict[str, Any]:
    """Return a mode whose units all fail when they are ten days old, with *changes*."""
    return {"per": "node", "mtbf": "10 d", "lifetime": "constant", "ages": "new", "repair": "1 h"} | changes
