"""The parts of a simulation that its job works with, handed on to what the job consists of."""

from __future__ import annotations

from typing import NamedTuple

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.failures import Failures
from clustersim.engine.failures.origins import Origins
from clustersim.engine.journal import Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.recovery import Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.work.work import Work
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Parts(NamedTuple):
    """What a job works with."""

    env: simpy.Environment
    scenario: Scenario
    streams: Streams
    origins: Origins
    causes: Causes
    journal: Journal
    cluster: Cluster
    stages: Stages
    failures: Failures
    repairs: Repairs
    work: Work
