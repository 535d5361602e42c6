"""What was observed: from when to when, how many nodes, and on which clock.

A rate is a count in a time of observation, and a log tells only the count.
`exposure("2026-05-01", "2026-06-01", "400", zone)` are 400 nodes for 31 days; in place of the number a file
says where a fleet has changed:

    node,from,to                     time,nodes
    gpu-001,,                        2026-05-01,400
    gpu-002,2026-05-10,              2026-05-12,480
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from operator import itemgetter
from pathlib import Path

import numpy as np

from clustersim.arrays import Floats
from clustersim.logs.errors import LogError
from clustersim.logs.files import LogSource, open_table
from clustersim.logs.history import CALENDAR, CLOCKS
from clustersim.logs.hosts import hosts_of
from clustersim.logs.times import TimeCells, is_missing
from clustersim.units import shown

MOST_NODES = 1_000_000
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, eq=False)
class Exposure:
    """A window of `window_s` from `begin_s` (since 1970 where `dated`), and the nodes observed in it.

    `entered_s` and `left_s` (nodes,) are seconds from the begin of the window; the nodes have `names` where
    a file gives them.
    """

    begin_s: float
    window_s: float
    dated: bool
    entered_s: Floats
    left_s: Floats
    names: tuple[str, ...] = ()
    start: datetime | None = None
    clock: str = CALENDAR
    source: str = ""

    def fitted_to(self, seen: Mapping[str, tuple[float, float]]) -> Exposure:
        """Return the exposure with the names of the nodes that were *seen*, each first and last (s).

        Where only the size of the fleet is known, each such node is given an observation that holds both;
        raises LogError where the fleet is too small for that.
        """
        if self.names:
            return self
        if len(seen) > len(self.left_s):
            why = f"the log names {len(seen):,} nodes, and {len(self.left_s):,} are said to be observed"
            raise LogError.at(f"{why}; correct the number of nodes (--nodes)", self.source)
        order = np.argsort(self.entered_s)
        places: dict[str, int] = {}
        free: list[tuple[float, int]] = []
        waiting = list(order[::-1])
        for name, (first, last) in sorted(seen.items(), key=lambda item: item[1][0]):
            while waiting and self.entered_s[waiting[-1]] <= first:
                place = int(waiting.pop())
                bisect.insort(free, (float(self.left_s[place]), place))
            at = bisect.bisect_left(free, last, key=itemgetter(0))
            if at == len(free):
                why = f"node {shown(name)} was seen when the fleet had fewer nodes"
                remedy = "give a file with a line for each node: node,from,to"
                raise LogError.at(f"{why}; {remedy}", self.source)
            places[name] = free.pop(at)[1]
        named = np.array(list(places.values()), np.int64)
        index = np.concatenate([named, np.setdiff1d(np.arange(len(self.left_s)), named)])
        return replace(self, entered_s=self.entered_s[index], left_s=self.left_s[index], names=tuple(places))


def exposure(begin: str, end: str, nodes: str, zone: tzinfo | None = None, clock: str = CALENDAR) -> Exposure:
    """Return what was observed from *begin* to *end* (dates, or times from the start of the log).

    *nodes* is their number, or the path of a file where the fleet has changed.  Raises LogError.
    """
    if clock not in CLOCKS:
        raise LogError.at(f"{shown(clock)} is no clock; there are {' and '.join(CLOCKS)}")
    begin_s, window_s, dated = window(begin, end, zone)
    start = (_EPOCH + timedelta(seconds=begin_s)).astimezone(zone) if dated else None
    base = Exposure(begin_s, window_s, dated, np.zeros(0), np.zeros(0), start=start, clock=clock)
    digits = nodes.strip().replace("_", "").replace(",", "")
    if digits.isdecimal():
        # As a float, since Python makes no integer of more than some thousand digits.
        if not 1 <= float(digits) <= MOST_NODES:
            said = shown(nodes).replace('"', "")
            raise LogError.at(f"--nodes {said}: 1 to {MOST_NODES:,} are possible")
        count = int(digits)
        return replace(base, entered_s=np.zeros(count), left_s=np.full(count, window_s))
    if not Path(nodes).is_file():
        why = f"--nodes {shown(nodes)} is neither a number nor a file that exists"
        raise LogError.at(f"{why}; give one, such as 400")
    return _from_file(base, LogSource(nodes, Path(nodes)), zone)


def window(
    begin: str, end: str | None, zone: tzinfo | None, names: tuple[str, str] = ("--from", "--to")
) -> tuple[float, float, bool]:
    """Return begin and length of a window (s), and whether it is dated: the begin is then since 1970.

    Without an *end* it is endless.  Raises LogError, which calls the two by their *names*.
    """
    begin_s, dated = _instant(names[0], begin, zone)
    if end is None:
        return begin_s, math.inf, dated
    end_s, end_dated = _instant(names[1], end, zone)
    if dated != end_dated:
        raise LogError.at(f"{names[0]} is a date and {names[1]} is not, or the reverse; write both alike")
    if not end_s > begin_s:
        why = f"{names[1]} {end} is not after {names[0]} {begin}"
        raise LogError.at(f"{why}; give the window in which failures were logged")
    return begin_s, end_s - begin_s, dated


def _instant(name: str, text: str, zone: tzinfo | None) -> tuple[float, bool]:
    try:
        return TimeCells("", None, zone).read(text.strip())
    except ValueError as error:
        raise LogError.at(f"{name} {error}") from None


def _from_file(base: Exposure, source: LogSource, zone: tzinfo | None) -> Exposure:
    """Return the exposure with the fleet of a file: a line for each node, or for each change of its size."""
    with open_table(source) as table:
        names = [name.casefold() for name in table.names]
        wanted = ["node", "from", "to"] if "node" in names else ["time", "nodes"]
        missing = [name for name in wanted if name not in names and name not in ("from", "to")]
        if missing:
            why = f'no column "{missing[0]}"; give node,from,to with a line for each node, or time,nodes'
            raise LogError.at(why, source.name, table.line)
        columns = [name for name in wanted if name in names]
        cells = TimeCells("", None, zone)
        spans: list[tuple[str, float, float]] = []
        steps: list[tuple[float, int]] = []
        for block in table.blocks([names.index(name) for name in columns]):
            for line, *texts in zip(block.lines, *block.cells, strict=True):
                row = dict(zip(columns, texts, strict=True))
                try:
                    if "node" in row:
                        spans += _spans(base, cells, row)
                    else:
                        steps.append((_since(base, cells, row["time"], 0.0), _count(row["nodes"])))
                except ValueError as error:
                    raise LogError.at(str(error), source.name, line) from None
        if table.bad:
            raise LogError(*table.bad[:20])
    if "node" not in names:
        spans = _from_steps(base, sorted(steps), source)
    return _with_spans(base, spans, source)


def _with_spans(base: Exposure, spans: Sequence[tuple[str, float, float]], source: LogSource) -> Exposure:
    named = tuple(name for name, _, _ in spans if name)
    if doubled := [name for name, number in Counter(named).items() if number > 1]:
        raise LogError.at(f"node {shown(doubled[0])} is there twice; give it one line", source.name)
    if not spans:
        why = "no node is observed in the window; correct the file, or --from and --to"
        raise LogError.at(why, source.name)
    entered = np.array([entered for _, entered, _ in spans])
    left = np.array([left for _, _, left in spans])
    return replace(base, entered_s=entered, left_s=left, names=named, source=source.name)


def _since(base: Exposure, cells: TimeCells, text: str, usual: float) -> float:
    """Return seconds from the begin of the window."""
    if is_missing(text):
        return usual
    seconds, dated = cells.read(text)
    if dated != base.dated:
        why = f"{shown(text)}: window and fleet are to be dates both, or times from the start both"
        raise ValueError(f"{why}; write them alike")
    return seconds - base.begin_s


def _spans(base: Exposure, cells: TimeCells, row: Mapping[str, str]) -> list[tuple[str, float, float]]:
    """Return name, begin and end of the observation of the nodes of a line that are in the window at all."""
    if is_missing(row["node"]):
        raise ValueError("no node is named")
    entered = _since(base, cells, row.get("from", ""), -math.inf)
    left = _since(base, cells, row.get("to", ""), math.inf)
    if left < entered:
        why = f"to {shown(row['to'])} lies before from {shown(row['from'])}"
        raise ValueError(f"{why}; correct one of the two")
    entered, left = max(entered, 0.0), min(left, base.window_s)
    return [(name, entered, left) for name in hosts_of(row["node"])] if left > entered else []


def _count(text: str) -> int:
    digits = text.replace("_", "")
    if not digits.isdecimal() or float(digits) > MOST_NODES:
        raise ValueError(f"{shown(text)} is not a number of nodes up to {MOST_NODES:,}")
    return int(digits)


def _from_steps(
    base: Exposure, steps: Sequence[tuple[float, int]], source: LogSource
) -> list[tuple[str, float, float]]:
    """Return the observation of each node of a fleet of known sizes: who came last leaves first."""
    if not steps:
        why = "no rows below the names of the columns; give the first number of nodes"
        raise LogError.at(why, source.name)
    if steps[0][0] > 0:
        why = "says no number of nodes for the begin of the window; add a line for it"
        raise LogError.at(why, source.name)
    present: list[float] = []
    spans: list[tuple[str, float, float]] = []
    for time_s, count in steps:
        at = max(time_s, 0.0)
        while len(present) > count:
            spans.append(("", present.pop(), min(at, base.window_s)))
        present += [at] * (count - len(present))
    spans += [("", entered, base.window_s) for entered in present]
    return [span for span in spans if span[2] > span[1]]
