"""One replication: a pure function of a scenario and a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import simpy

from sim.engine.activity import Activity
from sim.engine.audit import Outcome, audit
from sim.engine.chain import Chain
from sim.engine.checkpoints import NoSaves, PeriodicSaves, SaveSchedule
from sim.engine.cluster import Cluster
from sim.engine.effects import Culprits, effects
from sim.engine.events import HORIZON, At, Environment
from sim.engine.failures import Failures
from sim.engine.failures.origins import Origins
from sim.engine.job import Job
from sim.engine.journal import NOBODY, Journal
from sim.engine.machines import cluster_of
from sim.engine.recovery import Stages
from sim.engine.repair import Repairs
from sim.engine.replicas.job import ReplicatedJob
from sim.engine.replicas.replica import Replica
from sim.engine.replicas.team import Team
from sim.engine.stretches import SinceLastSave, Training
from sim.engine.work.account import Work
from sim.engine.work.fate import Fate
from sim.records import Records
from sim.scenario.model import Scenario
from sim.streams import Streams


def simulate(scenario: Scenario, replication: int) -> Records:
    """Return what happens in the history number *replication* of *scenario*.

    The only place where the parts are joined.  The same arguments give the same records, whatever ran before.
    """
    env, streams = Environment(), Streams(scenario.simulation.seed, replication)
    journal = Journal()
    cluster = cluster_of(scenario)
    stages = Stages(scenario, streams)
    parts = Parts(env, scenario, streams, stages, cluster, journal)
    job, fate = replicated(parts) if scenario.general else gang(parts)
    failures = Failures(env, scenario, streams, cluster, job.strike, job.strike_spare)
    job.begin(failures.clocked, Repairs(env, scenario, streams, cluster, failures, job.take_back))
    At(env, scenario.end_s, HORIZON, lambda _: job.finish())
    env.run(until=job.finished)
    outcome = Outcome(env.now, job.reached, cluster.fewest_spares)
    return audit(scenario, replication, outcome, journal, fate(), cluster.log, stages.names)


class Parts(NamedTuple):
    """What every job is made of."""

    env: simpy.Environment
    scenario: Scenario
    streams: Streams
    stages: Stages
    cluster: Cluster
    journal: Journal


def gang(parts: Parts) -> tuple[Job, Callable[[], Training]]:
    """Return the job that restarts as a whole from its last save, and what tells its fate at the end."""
    env, scenario, _, stages, cluster, journal = parts
    schedule, activity = save_schedule(scenario), Activity(env, journal)
    chain = Chain(env, stages, cluster, activity)
    job = Job(env, scenario, schedule, chain, cluster, activity, journal)
    return job, lambda: SinceLastSave(journal.stretches, schedule)


def replicated(parts: Parts) -> tuple[ReplicatedJob, Callable[[], Training]]:
    """Return the job of replicas, with all that may happen to one, and what tells its fate at the end."""
    env, scenario, streams, stages, cluster, journal = parts
    origins = Origins(scenario).names
    work, culprits = Work(scenario, streams, origins), Culprits(cluster)
    size, count = scenario.slots_per("replica"), scenario.recovery.replicas
    replicas = []
    for index in range(count):
        activity = Activity(env, journal, index if count > 1 else NOBODY)
        activity.share = 1 / count
        chain = Chain(env, stages, cluster, activity, index)
        replicas.append(Replica(index, range(index * size, (index + 1) * size), chain, activity))
    if any(mode.effect in ("slow", "corrupt") for mode in scenario.failures.values()):
        cluster.on_move.append(culprits.moved)
    harms = effects(env, scenario, streams, origins, stages, culprits, work)
    together = Activity(env, journal)
    job = ReplicatedJob(
        env, scenario, work, Team(replicas, cluster), cluster, together, journal, stages, culprits, harms
    )
    culprits.job = job
    return job, lambda: Fate(work)


def save_schedule(scenario: Scenario) -> SaveSchedule:
    """Return when *scenario* saves within a stretch of training."""
    spec = scenario.checkpoint
    if spec is None:
        return NoSaves()
    return PeriodicSaves.every(spec.interval, spec.blocks, spec.durable_after, scenario.workload.step_time)
