"""When what breaks: every failure mode of a scenario, and the one door through which it strikes."""

from __future__ import annotations

from collections.abc import Callable

import simpy

from sim.distributions import Exponential
from sim.engine.cluster import Cluster
from sim.engine.failures.clock import Clock, Tempo
from sim.engine.failures.sources import Lifetimes, Memoryless, OnStrike, Source
from sim.records import Strike
from sim.scenario.model import FailureMode, Scenario
from sim.streams import Draws, Streams, uniform

UNITS_OF_A_NODE, WHOLE_JOB = ("gpu", "node"), ("cluster", "job")
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
        if isinstance(mode.lifetime, Exponential):
            strikes = self._slot_strikes(number, name, mode)
            sources = [self._memoryless(name, mode, priority, strikes)]
        elif mode.per in UNITS_OF_A_NODE:
            return [self._travelling(number, name, mode, priority)]
        else:
            strikes = self._slot_strikes(number, name, mode)
            sources = [self._aged(name, mode, priority, 0, strikes)]
        if spares and share and mode.per not in WHOLE_JOB:
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
        self, name: str, mode: FailureMode, priority: int, spares: int, on_strike: OnStrike
    ) -> Lifetimes:
        per_node = self._per_node(mode)
        horizon, tempo = self._scenario.end_s, _tempo(mode)
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
            idle_pace=self._scenario.cluster.spare_failures,
            longest=tempo.passed(horizon) if tempo else horizon,
            on_strike=on_strike,
        )

    def _travelling(self, number: int, name: str, mode: FailureMode, priority: int) -> Source:
        """Return the strikes of units that age and travel with their node."""
        cluster, per_node = self._cluster, self._per_node(mode)
        transient = self._transient(name, mode)
        spare_transient = self._transient(f"{name}/spare", mode)

        def strike(index: int, unit: int) -> None:
            node = unit // per_node
            slot = source.slot_of(node)
            if slot is not None and cluster.is_at_work(slot):
                self._on_strike(Strike(number, index, (slot,), transient(index)))
            elif source.is_idle(node):
                self._on_spare(Strike(number, index, (), spare_transient(index)), node)

        source = self._aged(name, mode, priority, self._scenario.cluster.spare_nodes, strike)
        cluster.watchers.append(source)
        return source

    def _idle_spares(self, number: int, name: str, mode: FailureMode, priority: int) -> Source:
        """Return the strikes of idle spares, each at its share of a node's rate."""
        cluster = self._scenario.cluster
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
            mtbf=mode.mtbf / self._per_node(mode) / cluster.spare_failures,
            units=cluster.spare_nodes,
            on_strike=strike,
        )

    def _slot_strikes(self, number: int, name: str, mode: FailureMode) -> OnStrike:
        """Return what a strike does whose unit has a fixed place in the topology."""
        cluster, on_strike, transient = self._cluster, self._on_strike, self._transient(name, mode)
        per_node, size = self._per_node(mode), self._nodes_of(mode)

        def strike_job(index: int, unit: int) -> None:
            on_strike(Strike(number, index, (), True))

        def strike_node(index: int, unit: int) -> None:
            slot = unit // per_node
            if cluster.is_at_work(slot):
                on_strike(Strike(number, index, (slot,), transient(index)))

        def strike_domain(index: int, unit: int) -> None:
            slots = cluster.at_work(range(unit * size, min((unit + 1) * size, cluster.nodes)))
            if slots:
                on_strike(Strike(number, index, slots, transient(index)))

        if mode.per in WHOLE_JOB:
            return strike_job
        return strike_node if mode.per in UNITS_OF_A_NODE else strike_domain

    def _per_node(self, mode: FailureMode) -> int:
        return self._scenario.cluster.gpus_per_node if mode.per == "gpu" else 1

    def _nodes_of(self, mode: FailureMode) -> int:
        """Return how many nodes one unit of a domain mode holds."""
        cluster = self._scenario.cluster
        return (cluster.nodes_per_rack or 1) * ((cluster.racks_per_pod or 1) if mode.per == "pod" else 1)

    def _transient(self, name: str, mode: FailureMode) -> Callable[[int], bool]:
        share = mode.transient
        if share in (0, 1):
            return lambda _: bool(share)
        draws = Draws(self._streams, f"{name}/transient", uniform)
        return lambda index: bool(draws[index] < share)

    def _clock(self, mode: FailureMode) -> Clock:
        return Clock(self._env, _tempo(mode), running=mode.clock == "calendar")


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
