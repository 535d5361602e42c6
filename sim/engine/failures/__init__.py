"""When what breaks: every failure mode of a scenario, and the one door through which it strikes."""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from sim.distributions import Exponential
from sim.engine.cluster import Cluster
from sim.engine.failures.aim import UNITS_OF_A_NODE, WHOLE_JOB, Aim, Door, OnStrike, Site, SpareDoor
from sim.engine.failures.clock import Clock, Tempo
from sim.engine.failures.lifetimes import Lifetimes
from sim.engine.failures.origins import SPARE, Origins
from sim.engine.failures.sources import Memoryless, Source
from sim.scenario.model import FailureMode, Scenario
from sim.streams import Streams

MODE, PROCESS = 1 << 40, 1 << 36
"""Room among the failures of one instant: for a mode, and in it for the units of each of its processes."""


class Failures:
    """The sources of all modes, each strike checked against the cluster before it reaches the job."""

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        cluster: Cluster,
        on_strike: Door,
        on_spare: SpareDoor,
    ) -> None:
        self._site = Site(env, scenario, streams, Origins(scenario), cluster, on_strike, on_spare)
        self._training: list[Source] = []
        for number, mode in enumerate(scenario.failures.values()):
            for source in self._sources(Aim(self._site, number, mode)):
                if mode.clock == "training":
                    self._training.append(source)
                else:
                    source.schedule()

    @property
    def origins(self) -> tuple[str, ...]:
        """Names under which the draws of strikes are known, by the number of the strike's origin."""
        return self._site.origins.names

    def training_begins(self) -> None:
        """Let the modes on the training clock go on."""
        for source in self._training:
            source.resume()

    def training_ends(self) -> None:
        """Let the modes on the training clock stand still."""
        for source in self._training:
            source.pause()

    def _sources(self, aim: Aim) -> Iterator[Source]:
        cluster, spec = self._site.scenario.cluster, aim.spec
        own_ages = not isinstance(spec.lifetime, Exponential)
        if own_ages and spec.per in UNITS_OF_A_NODE:
            yield self._travelling(aim)
            return
        yield self._aged(aim, 0, aim.of_units()) if own_ages else self._memoryless(aim)
        if cluster.spare_nodes and cluster.spare_failures and spec.per not in WHOLE_JOB:
            yield self._idle_spares(aim)

    def _memoryless(self, aim: Aim) -> Source:
        site, name = self._site, self.origins[aim.mode]
        return Memoryless(
            site.env,
            self._clock(aim.spec),
            aim.mode * MODE,
            site.scenario.end_s,
            streams=site.streams,
            name=name,
            mtbf=aim.spec.mtbf,
            units=site.scenario.units(name),
            on_strike=aim.of_units(),
        )

    def _aged(self, aim: Aim, spares: int, on_strike: OnStrike) -> Lifetimes:
        site, name, spec = self._site, self.origins[aim.mode], aim.spec
        horizon, tempo = site.scenario.end_s, _tempo(spec)
        return Lifetimes(
            site.env,
            self._clock(spec),
            aim.mode * MODE,
            horizon,
            streams=site.streams,
            name=name,
            lifetime=spec.lifetime,
            steady=spec.ages == "steady",
            renews=spec.renews,
            units=site.scenario.units(name),
            units_per_node=aim.units_per_node,
            spare_units=spares * aim.units_per_node,
            idle_pace=site.scenario.cluster.spare_failures,
            longest=tempo.passed(horizon) if tempo else horizon,
            on_strike=on_strike,
        )

    def _travelling(self, aim: Aim) -> Source:
        """Return the strikes of units that age and travel with their node."""
        cluster, spare = self._site.cluster, self._site.origins.of(aim.mode, SPARE)

        def strike(index: int, unit: int) -> None:
            node = unit // aim.units_per_node
            slot = source.slot_of(node)
            if slot is not None:
                aim.at_slot(aim.mode, index, slot)
            elif source.is_idle(node):
                aim.at_spare(spare, index, node)

        source = self._aged(aim, self._site.scenario.cluster.spare_nodes, strike)
        cluster.watchers.append(source)
        return source

    def _idle_spares(self, aim: Aim) -> Source:
        """Return the strikes of idle spares, each at its share of a node's rate."""
        site, spec = self._site, self._site.scenario.cluster
        origin = site.origins.of(aim.mode, SPARE)

        def strike(index: int, position: int) -> None:
            node = site.cluster.spare(position)
            if node is not None:
                aim.at_spare(origin, index, node)

        return Memoryless(
            site.env,
            self._clock(aim.spec),
            aim.mode * MODE + PROCESS,
            site.scenario.end_s,
            streams=site.streams,
            name=self.origins[origin],
            mtbf=aim.spec.mtbf / aim.units_per_node / spec.spare_failures,
            units=spec.spare_nodes,
            on_strike=strike,
        )

    def _clock(self, mode: FailureMode) -> Clock:
        return Clock(self._site.env, _tempo(mode), running=mode.clock == "calendar")


def _tempo(mode: FailureMode) -> Tempo | None:
    return Tempo(mode.over_time) if mode.over_time else None
