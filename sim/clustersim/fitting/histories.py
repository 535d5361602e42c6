"""What a log of a simulated fleet would say: the failures of one replication as a history."""

from __future__ import annotations

import math

import numpy as np

from clustersim.logs.history import History
from clustersim.records import Records
from clustersim.scenario.model import Scenario


def history_of(scenario: Scenario, records: Records) -> History:
    """Return the failures of a replication with the absence of each node, as a log has them.

    Where failures take racks along, each has a row for every node of the rack that was there, and nodes are
    known by their places, as a returning node may come into another rack; else by their numbers.
    """
    table, fleet = records.incidents, scenario.cluster.nodes + scenario.cluster.spare_nodes
    back = table.get("back_s", table["time_s"])  # Without the column no node is lost, and none comes back.
    by_place = bool(np.any(table["nodes_lost"] > 1))
    size = scenario.slots_per("rack")
    away_until = [0.0] * fleet
    times, nodes, ends, causes = [], [], [], []
    columns = ("time_s", "node", "rack", "nodes_lost", "mode")
    for time, node, rack, lost, mode, end in zip(
        *(table[name].tolist() for name in columns), back.tolist(), strict=True
    ):
        place = rack * size + node % size if by_place and min(rack, node) >= 0 else node
        until = (math.inf if math.isnan(end) else end) if lost else math.nan
        others = range(rack * size, (rack + 1) * size) if lost > 1 and rack >= 0 else ()
        for each in (place, *(other for other in others if other != place)):
            if each < 0 or away_until[each] <= time:
                times.append(time)
                nodes.append(each)
                ends.append(until)
                causes.append(mode)
                if each >= 0 and lost:
                    away_until[each] = until
    return History.of(
        times,
        fleet,
        scenario.end_s,
        end_s=ends,
        node=nodes,
        cause=causes,
        causes=tuple(scenario.failures),
    )
