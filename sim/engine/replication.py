"""One replication: a pure function of a scenario and a number."""

from __future__ import annotations

import simpy

from sim.engine.activity import Activity
from sim.engine.audit import Outcome, audit
from sim.engine.chain import Chain
from sim.engine.checkpoints import NoSaves, PeriodicSaves, SaveSchedule
from sim.engine.cluster import Cluster
from sim.engine.failures import Failures
from sim.engine.failures.clock import HORIZON, RETURN, At
from sim.engine.failures.origins import Origins
from sim.engine.job import Job
from sim.engine.journal import Journal
from sim.engine.recovery import Stages
from sim.engine.repair import RepairShop
from sim.engine.stretches import SinceLastSave
from sim.records import Records
from sim.scenario.model import Scenario
from sim.streams import Streams


def simulate(scenario: Scenario, replication: int) -> Records:
    """Return what happens in the history number *replication* of *scenario*.

    The only place where the parts are joined.  The same arguments give the same records, whatever ran before.
    """
    env, streams = simpy.Environment(), Streams(scenario.simulation.seed, replication)
    cluster = Cluster(scenario.cluster.nodes, scenario.cluster.spare_nodes, scenario.cluster.provision)
    schedule, stages = save_schedule(scenario), Stages(scenario, streams)
    journal = Journal()
    activity = Activity(env, journal)
    chain = Chain(env, stages, cluster, activity)
    job = Job(env, scenario, schedule, chain, cluster, activity, journal)
    failures = Failures(env, scenario, streams, cluster, job.strike, job.strike_spare)
    job.begin(failures, repair_shops(env, scenario, streams, chain))
    At(env, scenario.end_s, HORIZON, lambda _: job.finish())
    env.run(until=job.finished)
    outcome = Outcome(env.now, job.reached, cluster.fewest_spares)
    return audit(scenario, replication, outcome, journal, SinceLastSave(journal.stretches, schedule), stages.names)


def save_schedule(scenario: Scenario) -> SaveSchedule:
    """Return when *scenario* saves within a stretch of training."""
    spec = scenario.checkpoint
    if spec is None:
        return NoSaves()
    return PeriodicSaves.every(spec.interval, spec.blocks, spec.durable_after, scenario.workload.step_time)


def repair_shops(
    env: simpy.Environment, scenario: Scenario, streams: Streams, chain: Chain
) -> dict[int, RepairShop]:
    """Return the repair shop of each mode that has one, by the mode's number."""
    origins = Origins(scenario)
    return {
        number: RepairShop(env, mode, streams, origins, chain.take_back, RETURN + number)
        for number, mode in enumerate(scenario.failures.values())
        if mode.repair is not None
    }
