"""What all parts of one replication share; they are handed on together.

The world of replication 3 has a clock at 0 s, the names and streams of all draws of this replication, a
cluster whose slots all hold working nodes, and an empty journal.  Failures, repairs and the job work with it.
"""

from __future__ import annotations

from typing import NamedTuple

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.journal import Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.origins import Origins
from clustersim.scenario.model import Scenario


class World(NamedTuple):
    """The clock of one replication, its scenario, its draws, its nodes, and the books that it keeps."""

    env: simpy.Environment
    scenario: Scenario
    origins: Origins
    cluster: Cluster
    causes: Causes
    journal: Journal
