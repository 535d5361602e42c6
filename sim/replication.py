"""One replication: a pure function of a scenario and a number."""

from __future__ import annotations

import numpy as np
import simpy

from sim.checkpoints import NoSaves, PeriodicSaves, SaveSchedule
from sim.cluster import Cluster
from sim.failures import Failures
from sim.failures.clock import HORIZON, At
from sim.job import Job
from sim.journal import NOBODY, Journal, incident_table
from sim.ledger import Causes, book
from sim.records import Doing, Records
from sim.recovery import Stages
from sim.repair import RepairShop
from sim.scenario.model import Scenario
from sim.streams import Streams
from sim.timeline import Strip, curve


def simulate(scenario: Scenario, replication: int) -> Records:
    """Return what happens in the history number *replication* of *scenario*.

    The only place where the parts are joined.  The same arguments give the same records, whatever ran before.
    """
    env, streams = simpy.Environment(), Streams(scenario.simulation.seed, replication)
    cluster = Cluster(scenario.cluster.nodes, scenario.cluster.spare_nodes, scenario.cluster.provision)
    schedule, stages = save_schedule(scenario), Stages(scenario, streams)
    journal = Journal()
    job = Job(env, scenario, schedule, stages, cluster, journal)
    failures = Failures(env, scenario, streams, cluster, job.strike, job.strike_spare)
    job.begin(failures, repair_shops(env, scenario, streams, job))
    At(env, scenario.end_s, HORIZON, lambda _: job.finish())
    env.run(until=job.finished)
    return _records(scenario, replication, env.now, job, cluster, journal, schedule, stages)


def save_schedule(scenario: Scenario) -> SaveSchedule:
    """Return when *scenario* saves within a stretch of training."""
    spec = scenario.checkpoint
    if spec is None:
        return NoSaves()
    return PeriodicSaves.every(spec.interval, spec.blocks, spec.durable_after, scenario.workload.step_time)


def repair_shops(
    env: simpy.Environment, scenario: Scenario, streams: Streams, job: Job
) -> dict[int, RepairShop]:
    """Return the repair shop of each mode that has one, by the mode's number."""
    return {
        number: RepairShop(env, name, mode, streams, job.take_back)
        for number, (name, mode) in enumerate(scenario.failures.items())
        if mode.repair is not None
    }


def _records(
    scenario: Scenario,
    replication: int,
    end: float,
    job: Job,
    cluster: Cluster,
    journal: Journal,
    schedule: SaveSchedule,
    stages: Stages,
) -> Records:
    """Book the journal and gather the tables; raise `LedgerError` where the ledger does not add up."""
    warm_up, cards = scenario.simulation.warm_up, scenario.cluster.gpus
    phases, stretches, causes = journal.phases, journal.stretches, Causes(tuple(scenario.failures))
    ledger = book(phases, stretches, schedule, causes, cards=cards, stages=len(stages.names), warm_up=warm_up)
    ledger.close(cards, end - warm_up)
    incidents = incident_table(journal, stages.names, replication)
    counted = (incidents["time_s"] >= warm_up) & (incidents["doing"] != Doing.IDLE)
    interruptions = int(np.count_nonzero(counted & incidents["interruption"]))
    strip = Strip.of_interruptions(end, interruptions, schedule, stages.names, causes.names)
    return Records(
        replication=replication,
        end_s=end,
        wall_s=end - warm_up,
        ledger=ledger.entries,
        charges=ledger.charges,
        stages=ledger.stages,
        progress_s=job.progress,
        reached_s=job.reached,
        interruptions=interruptions,
        incident_count=int(np.count_nonzero(counted)),
        incidents_by_mode=np.bincount(incidents["mode"][counted], minlength=len(scenario.failures)),
        spares_left=cluster.fewest_spares,
        curve=curve(stretches, schedule, end),
        incidents=incidents,
        stretches={
            "start": stretches.start,
            "end": stretches.end,
            "kept": stretches.kept,
            "broken": stretches.cause != NOBODY,
        },
        strip=strip.rows(phases, stretches) if replication == 0 else (),
    )
