"""When what breaks: every failure mode of a scenario, and the one door through which it strikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import simpy

from sim.cluster import Cluster
from sim.distributions import Exponential
from sim.failures.clock import Clock, Tempo
from sim.failures.sources import Lifetimes, Memoryless, OnStrike, Source
from sim.records import Strike
from sim.scenario.model import FailureMode, Scenario
from sim.streams import Draws, Streams, uniform

Door = Callable[[Strike], None]
SpareDoor = Callable[[Strike, int], None]


class Failures:
    """The sources of all modes, each strike checked against the cluster before it reaches the job.

    A strike whose unit holds no node at work is void: it uses up its index and nothing else.  *on_strike*
    takes the strikes of the job, *on_spare* those of idle spares (with the node).
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        cluster: Cluster,
        on_strike: Door,
        on_spare: SpareDoor,
    ) -> None:
        self._env = env
        self._scenario = scenario
        self._streams = streams
        self._cluster = cluster
        self._on_strike = on_strike
        self._on_spare = on_spare
        self._training: list[Source] = []
        priority = 0
        for number, (name, mode) in enumerate(scenario.failures.items()):
            for source in self._sources(number, name, mode, priority):
                if mode.clock == "training":
                    self._training.append(source)
                else:
                    source.schedule()
            priority += scenario.units(name) + scenario.cluster.spare_nodes * scenario.cluster.gpus_per_node
        self.last_priority = priority

    def training_begins(self) -> None:
        """Let the modes on the training clock go on."""
        for source in self._training:
            source.resume()

    def training_ends(self) -> None:
        """Let the modes on the training clock stand still."""
        for source in self._training:
            source.pause()

    def _sources(self, number: int, name: str, mode: FailureMode, priority: int) -> list[Source]:
        spares, share = self._scenario.cluster.spare_nodes, self._scenario.cluster.spare_failures
        transient = self._transient(name, mode)
        strikes = self._slot_strikes(number, mode, transient)
        if isinstance(mode.lifetime, Exponential):
            sources = [self._memoryless(name, mode, priority, strikes)]
        elif mode.per in ("gpu", "node"):
            on_node = self._node_strikes(number, name, mode, transient)
            aged = self._aged(name, mode, priority, spares, share, on_node)
            self._cluster.watchers.append(aged)
            return [aged]
        else:
            sources = [self._aged(name, mode, priority, 0, 0.0, strikes)]
        if spares and share and mode.per not in ("cluster", "job"):
            sources.append(self._idle_spares(number, name, mode, priority))
        return sources

    def _memoryless(self, name: str, mode: FailureMode, priority: int, on_strike: OnStrike) -> Source:
        return Memoryless(
            self._env,
            self._clock(mode),
            priority,
            self._scenario.end_s,
            streams=self._streams,
            name=name,
            mtbf=mode.mtbf,
            units=self._scenario.units(name),
            on_strike=on_strike,
        )

    def _aged(
        self, name: str, mode: FailureMode, priority: int, spares: int, share: float, on_strike: OnStrike
    ) -> Lifetimes:
        per_node = self._scenario.cluster.gpus_per_node if mode.per == "gpu" else 1
        horizon = self._scenario.end_s
        tempo = _tempo(mode)
        return Lifetimes(
            self._env,
            self._clock(mode),
            priority,
            horizon,
            streams=self._streams,
            name=name,
            lifetime=mode.lifetime,
            steady=mode.ages == "steady",
            renews=mode.renews,
            units=self._scenario.units(name),
            units_per_node=per_node,
            spare_units=spares * per_node,
            idle_pace=share,
            longest=tempo.passed(horizon) if tempo else horizon,
            on_strike=on_strike,
        )

    def _idle_spares(self, number: int, name: str, mode: FailureMode, priority: int) -> Source:
        """Return the strikes of idle spares, each at its share of a node's rate."""
        cluster = self._scenario.cluster
        per_node = cluster.gpus_per_node if mode.per == "gpu" else 1
        transient = self._transient(f"{name}/spare", mode)

        def strike(index: int, position: int) -> None:
            node = self._cluster.spare(position)
            if node is not None:
                self._on_spare(Strike(number, index, (), transient(index)), node)

        return Memoryless(
            self._env,
            self._clock(mode),
            priority + self._scenario.units(name),
            self._scenario.end_s,
            streams=self._streams,
            name=f"{name}/spare",
            mtbf=mode.mtbf / per_node / cluster.spare_failures,
            units=cluster.spare_nodes,
            on_strike=strike,
        )

    def _slot_strikes(self, number: int, mode: FailureMode, transient: Callable[[int], bool]) -> OnStrike:
        """Return what a strike of the unit that stands in a place of the topology does."""
        on_strike, at_work = self._on_strike, self._cluster.at_work
        slots_of = self._slots_of(mode)

        def strike_job(index: int, unit: int) -> None:
            on_strike(Strike(number, index))

        def strike_slots(index: int, unit: int) -> None:
            slots = at_work(slots_of(unit))
            if slots:
                on_strike(Strike(number, index, slots, transient(index)))

        return strike_job if mode.per in ("cluster", "job") else strike_slots

    def _node_strikes(
        self, number: int, name: str, mode: FailureMode, transient: Callable[[int], bool]
    ) -> OnStrike:
        """Return what a strike of a unit that travels with its node does."""
        spare_transient = self._transient(f"{name}/spare", mode)
        per_node = self._scenario.cluster.gpus_per_node if mode.per == "gpu" else 1
        cluster = self._cluster

        def strike(index: int, unit: int) -> None:
            node = unit // per_node
            slot = cluster.slot(node)
            if slot is not None:
                if cluster.at_work((slot,)):
                    self._on_strike(Strike(number, index, (slot,), transient(index)))
            elif cluster.is_idle(node):
                self._on_spare(Strike(number, index, (), spare_transient(index)), node)

        return strike

    def _slots_of(self, mode: FailureMode) -> Callable[[int], Sequence[int]]:
        """Return the map from a unit's number to the slots that it takes down."""
        cluster = self._scenario.cluster
        if mode.per == "gpu":
            return lambda unit: (unit // cluster.gpus_per_node,)
        if mode.per == "node":
            return lambda unit: (unit,)
        size = (cluster.nodes_per_rack or 1) * ((cluster.racks_per_pod or 1) if mode.per == "pod" else 1)
        return lambda unit: range(unit * size, min((unit + 1) * size, cluster.nodes))

    def _transient(self, name: str, mode: FailureMode) -> Callable[[int], bool]:
        share = mode.transient
        if share in (0, 1):
            return lambda index: bool(share)
        draws = Draws(self._streams, f"{name}/transient", uniform)
        return lambda index: bool(draws[index] < share)

    def _clock(self, mode: FailureMode) -> Clock:
        return Clock(self._env, _tempo(mode), running=mode.clock == "calendar")


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
