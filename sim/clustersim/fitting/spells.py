"""From a cleaned log to what its failures are estimated from: for each node, the time that it served.

A *spell* is a stay of a node between two failures of one cause: from its entry, or its return from the last
one, until it fails again or nobody looks any more.  While the node is away for other reasons it does not
serve.  Node 3 is watched from 0 h to 100 h and fails at 10 h (back at 30 h) and at 60 h (back at 65 h).  Its
spells are 10 h and 30 h, which end with a failure, and 35 h, which does not.

Failures of one cause that strike several nodes at once are a *burst*: one failure, by its first row, and the
other nodes are away.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtrc

from clustersim.arrays import Array, Floats, dot
from clustersim.logs.history import History

AT_ONCE = 60.0
"""Seconds: failures that are no further apart strike at once; in a log of whole hours, those of one hour."""
RESOLUTIONS = (86_400.0, 3_600.0, 60.0)
BLOCK_SHARE = 0.8
"""So many of the bursts have to lie within a block of nodes each, for the block to be their domain."""


@dataclass(frozen=True)
class Bursts:
    """Failures of one cause at once: `count` bursts, of `rows` rows in all, `expected` ones by chance.

    `p_value` is the chance of as many rows so close to the one before.  `domain` is the number of nodes of
    the blocks in which they lie, 0 where there are none.
    """

    count: int
    rows: int
    expected: float
    p_value: float
    domain: int

    @property
    def scope(self) -> str:
        """What goes down at once, in words."""
        return f"blocks of {self.domain} nodes" if self.domain else "nodes without a common block"


COLUMNS = ("node", "start", "end", "served", "failed", "first", "repaired", "weight")


@dataclass(frozen=True)
class Spells:
    """The spells of one cause: columns of one length, in seconds.

    `node` is a number from 0, `start` and `end` are instants of the window, `served` is the time in service,
    `failed` whether a failure ended it, `first` whether it began with the node's entry, at an age that nobody
    knows, and `repaired` whether with a return from a repair of this cause.  Spells that are all alike stand
    once: so many nodes have them as `weight` says.  Of later spells only those are here that were served for
    longer than `since`, which says nothing of what ended shorter ones (left truncation).
    """

    node: Array
    start: Floats
    end: Floats
    served: Floats
    failed: Array
    first: Array
    repaired: Array
    weight: Floats
    absences: Absences
    since: float = 0.0

    def part(self, chosen: Array) -> Spells:
        """Return the *chosen* spells alone."""
        return replace(self, **{name: vars(self)[name][chosen] for name in COLUMNS})

    def beyond(self, age: float) -> Spells:
        """Return the first spells, and what the later ones say of ages beyond that *age* (s)."""
        return replace(self.part(self.first | (self.served > age)), since=age)

    @property
    def count(self) -> int:
        """How many failures end a spell."""
        return int(self.failed.sum())

    @property
    def total(self) -> float:
        """Time in service of all nodes together."""
        return dot(self.served, self.weight)

    def served_until(self, instant: float) -> Floats:
        """Return how much of each spell was served before the *instant*."""
        return self.absences.served(self.node, self.start, np.clip(instant, self.start, self.end))


class Absences:
    """When each node is away, whatever the cause: `begin` and `end` in seconds, by `node` and in order."""

    def __init__(self, node: Array, begin: Floats, end: Floats) -> None:
        order = np.lexsort((begin, node))
        self.node, self.begin, self.end = node[order], begin[order], end[order]
        self._until = np.concatenate(([0.0], np.cumsum(self.end - self.begin)))
        self._key = self.node * _FAR + self.begin

    def served(self, node: Array, start: Floats, end: Floats) -> Floats:
        """Return the time between *start* and *end* in which each *node* was not away."""
        return np.asarray(end - start - (self._away(node, end) - self._away(node, start)))

    def _away(self, node: Array, instant: Floats) -> Floats:
        """Return the time for which each *node* was away until the *instant*, up to a constant per node."""
        before = np.searchsorted(self._key, node * _FAR + instant, side="right")
        total = self._until[before]
        last = np.maximum(before - 1, 0)
        if not len(self.end):
            return total
        same = (before > 0) & (self.node[last] == node)
        return np.asarray(total - np.where(same, np.maximum(self.end[last] - instant, 0.0), 0.0))


_FAR = 1e10
"""Seconds, more than any window: the nodes' absences lie one after another on one axis."""


def absences_of(history: History) -> Absences:
    """Return when the nodes of a log were away; one that is still away is so until nobody looks any more."""
    away = (history.node >= 0) & ~np.isnan(history.end_s)
    node, begin = history.node[away], history.time_s[away]
    return Absences(node, begin, np.minimum(history.end_s[away], history.left_s[node]))


def site_absences(history: History) -> Absences:
    """Return when the whole site was out, as absences of its only node, 0."""
    away = (history.node < 0) & ~np.isnan(history.end_s)
    begin = history.time_s[away]
    return Absences(np.zeros(len(begin), int), begin, np.minimum(history.end_s[away], history.window_s))


def spells_of(history: History, rows: Array, absences: Absences) -> Spells:
    """Return the spells of the failures in *rows* of a log, all of nodes."""
    entered, left = history.entered_s, history.left_s
    node, time, back = history.node[rows], history.time_s[rows], history.end_s[rows]
    return _spells(node, time, back, entered, left, absences)


def site_spells(history: History, rows: Array, absences: Absences) -> Spells:
    """Return the spells of the job or the site, as of one node, between the failures in *rows*."""
    time, back = history.time_s[rows], history.end_s[rows]
    return _spells(np.zeros(len(time), int), time, back, np.zeros(1), np.array([history.window_s]), absences)


def _spells(
    node: Array, time: Floats, back: Floats, entered: Floats, left: Floats, absences: Absences
) -> Spells:
    """Return the spells between the failures at *time* of *node*, which is away until *back* (NaN: it stays).

    The nodes without any failure or absence, of which there are many, stand once for each time watched.
    """
    order = np.lexsort((time, node))
    node, time, back = node[order], time[order], back[order]
    repaired = ~np.isnan(back)
    returned = np.minimum(np.where(repaired, back, time), left[node])
    seen = np.unique(np.concatenate((node, absences.node)))
    calm = np.setdiff1d(np.arange(len(entered)), seen)
    watched, one, alike = np.unique(
        np.column_stack((entered[calm], left[calm])), axis=0, return_index=True, return_counts=True
    )
    starts_at = np.concatenate((seen, node, calm[one]))
    start = np.concatenate((entered[seen], returned, watched[:, 0]))
    after = np.concatenate((np.zeros(len(seen), bool), repaired, np.zeros(len(one), bool)))
    first = np.concatenate((np.ones(len(seen), bool), np.zeros(len(node), bool), np.ones(len(one), bool)))
    weight = np.concatenate((np.ones(len(seen) + len(node)), alike.astype(np.float64)))
    rank = np.lexsort((~first, start, starts_at))
    starts_at, start, after, first, weight = (
        column[rank] for column in (starts_at, start, after, first, weight)
    )
    follows = np.append(starts_at[1:] == starts_at[:-1], False)
    end = left[starts_at].astype(np.float64)
    end[follows] = time  # The n-th spell of a node ends with its n-th failure.
    served = np.maximum(absences.served(starts_at, start, end), 0.0)
    kept = follows | (served > 0)
    columns = zip(COLUMNS, (starts_at, start, end, served, follows, first, after, weight), strict=True)
    return Spells(**{name: each[kept] for name, each in columns}, absences=absences)


def resolution(times: Floats) -> float | None:
    """Return the step (s) of times that are whole minutes, hours or days; None where they are finer."""
    for step in RESOLUTIONS:
        if len(times) > 2 and np.all(np.abs(times / step - np.round(times / step)) < 1e-6):
            return step
    return None


def without_bursts(history: History, rows: Array) -> tuple[Array, Bursts | None]:
    """Return the *rows* of one cause with each burst by its first row alone, and what the bursts are.

    Only bursts that lie in blocks of nodes are taken together: others are as many failures as rows.
    """
    time, node = history.time_s[rows], history.node[rows]
    if len(rows) < 3:
        return rows, None
    step, count = resolution(time), len(rows)
    if step is None:
        close = np.diff(time) <= AT_ONCE
        chance = -math.expm1(-count * AT_ONCE / history.window_s)
    else:
        close, steps = np.diff(time) < step / 2, history.window_s / step
        chance = 1 + steps / count * math.expm1(count * math.log1p(-1 / max(steps, 2.0)))
    seen = int(close.sum())
    p_value = float(bdtrc(seen - 1, count - 1, chance))
    group = np.concatenate(([0], np.cumsum(~close)))
    numbered = list(zip(group.tolist(), _numbers(history, node), strict=True))
    members: dict[int, list[int]] = {}
    for burst, number in numbered:
        members.setdefault(burst, []).append(number)
    several = [nodes for nodes in members.values() if len(nodes) > 1]
    if not several:
        return rows, Bursts(0, 0, chance * (len(rows) - 1), p_value, 0)
    domain = _domain(several)
    bursts = Bursts(len(several), sum(map(len, several)), chance * (len(rows) - 1), p_value, domain)
    if not domain:
        return rows, bursts
    firsts: dict[tuple[int, int], int] = {}
    for row, (burst, number) in enumerate(numbered):
        firsts.setdefault((burst, number // domain), row)
    return rows[list(firsts.values())], bursts


def _numbers(history: History, node: Array) -> list[int]:
    """Return the numbers at the end of the nodes' names, by which neighbours are known; -1 without one."""
    if not history.names:
        return [int(each) for each in node]
    found = [re.search(r"(\d+)\D*$", name) for name in history.names]
    numbers = [int(match[1]) if match else -1 for match in found]
    return [numbers[each] if each < len(numbers) else -1 for each in node.tolist()]


def _domain(bursts: Sequence[Sequence[int]]) -> int:
    """Return the size of the blocks in which most *bursts*, lists of nodes' numbers, lie; 0 without any."""
    if min(map(min, bursts)) < 0:
        return 0
    size = Counter(map(len, bursts)).most_common()[0][0]
    inside = sum(len({number // size for number in nodes}) == 1 for nodes in bursts)
    return size if inside >= max(BLOCK_SHARE * len(bursts), 3) else 0
