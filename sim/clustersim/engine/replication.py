"""One replication: a pure function of a scenario and a number.

`simulate(scenario, 3)` returns the records of history number 3.  The same arguments give the same records,
whatever was simulated before.  This is the only place where the parts of the engine are joined.
"""

from __future__ import annotations

from clustersim.engine.audit import Outcome, audit
from clustersim.engine.cluster import Cluster
from clustersim.engine.environment import Environment
from clustersim.engine.events import HORIZON, At
from clustersim.engine.failures import Failures
from clustersim.engine.journal import Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.origins import Origins
from clustersim.engine.pools import PooledCluster, PooledSpares
from clustersim.engine.racks import RackCluster, RackSpares
from clustersim.engine.recovery import Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.replicas.job import Job
from clustersim.engine.spares import ChosenSpares, Domains
from clustersim.engine.work.plain import PlainWork
from clustersim.engine.work.tiered import TieredWork
from clustersim.engine.work.work import Work
from clustersim.engine.world import World
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


def simulate(scenario: Scenario, replication: int) -> Records:
    """Return what happens in the history number *replication* of *scenario*."""
    env, streams = Environment(), Streams(scenario.simulation.seed, replication)
    origins, causes = Origins(scenario, streams), Causes(tuple(scenario.failures))
    journal, cluster = Journal(), cluster_of(scenario)
    world = World(env, scenario, origins, cluster, causes, journal)
    stages, failures = Stages(scenario, origins), Failures(world)
    repairs = Repairs(world, failures)
    work: Work = PlainWork(scenario, journal)
    if scenario.needs_work_history:
        work = TieredWork(scenario, origins)
    job = Job(world, stages, failures, repairs, work)
    job.begin()
    At(env, scenario.end_s, HORIZON, lambda _: job.finish())
    env.run(until=job.finished)
    outcome = Outcome(env.now, job.reached, cluster.fewest_spares, streams.drawn)
    return audit(scenario, replication, outcome, causes, journal, work.training(), cluster.log, stages.names)


def cluster_of(scenario: Scenario) -> Cluster:
    """Return the cluster at time 0: each slot holds a working node, and all spares are idle."""
    spec, groups = scenario.cluster, scenario.recovery.replicas
    if spec.pools:
        return PooledCluster(spec.nodes, PooledSpares(spec.nodes, spec.pools), groups)
    if spec.spare_racks:
        others = spec.spare_nodes - spec.spare_racks * spec.rack_nodes
        used = scenario.slots_per("rack")
        racks = RackSpares(spec.nodes, used, others, spec.rack_nodes, spec.spare_racks)
        return RackCluster(spec.nodes, racks, spec.delay, groups)
    if spec.spares_within is None and spec.spare_choice == "any":
        return Cluster(spec.nodes, spec.spare_nodes, spec.delay, groups)
    size = scenario.slots_per(spec.spares_within or "job")
    domains = Domains(spec.nodes, size, spec.spare_domains)
    numbers = range(spec.nodes, spec.nodes + spec.spare_nodes)
    chosen = ChosenSpares(numbers, domains, spec.spare_choice == "fewest_failures")
    cluster = Cluster(spec.nodes, chosen, spec.delay, groups)
    if spec.spare_choice == "fewest_failures":
        cluster.on_node_failure.append(chosen.failed)
    return cluster
