"""One replication: a pure function of a scenario and a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import simpy

from clustersim.engine.activity import Activity
from clustersim.engine.audit import Outcome, audit
from clustersim.engine.chain import Chain
from clustersim.engine.checkpoints import NoSaves, PeriodicSaves, SaveSchedule
from clustersim.engine.cluster import Cluster
from clustersim.engine.effects import Culprits, effects
from clustersim.engine.events import HORIZON, At, Environment
from clustersim.engine.failures import Failures
from clustersim.engine.failures.origins import Origins
from clustersim.engine.job import Job
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.machines import cluster_of
from clustersim.engine.recovery import Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.replicas.job import ReplicatedJob
from clustersim.engine.replicas.replica import Replica
from clustersim.engine.replicas.team import Team
from clustersim.engine.stretches import SinceLastSave, Training
from clustersim.engine.work.account import Work
from clustersim.engine.work.fate import Fate
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


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
    outcome = Outcome(env.now, job.reached, cluster.fewest_spares, streams.drawn)
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
