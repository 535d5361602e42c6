"""From rows to a history: what became of each row, counted aloud.

Node 3 fails at 10 h and is away until 12 h; a second row says that it failed at 11 h and was back at 111 h.
That is one failure, with an absence from 10 h to 111 h, and a row `inside_absence`.  The same node with the
same cause within the time to merge is one failure too (`merged`), however long such rows go on.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from clustersim.arrays import Array
from clustersim.logs.errors import LogError
from clustersim.logs.exposure import Exposure
from clustersim.logs.history import ROWS, TOTAL, History, PlannedStop, UnreadRow
from clustersim.logs.hosts import natural
from clustersim.logs.rows import NOT_UNDERSTOOD, LogRows
from clustersim.logs.times import in_words
from clustersim.units import shown

MERGE_S = 600.0
"""How close rows of one node and cause are merged unless told otherwise: a flood of the same alarm."""
UNNAMED, UNKNOWN = "failure", "unknown"
"""What failures are called if no row tells a cause, and those without one beside others that have one."""
_ORDER = ("used", "open", "inside_absence", "merged", "outside", "planned", NOT_UNDERSTOOD)
"""What a row that names several nodes counts as: the first of these that holds for one of them."""


def cleaned(rows: LogRows, exposure: Exposure, merge_s: float) -> tuple[History, list[int]]:
    """Return the history that *rows* tell of what was observed, with each row counted.

    With it goes, of each failure in it, the entry of *rows* with which it began.  Raises LogError.
    """
    time_s, end_s = _in_window(rows, exposure)
    names = {name: number for number, name in enumerate(exposure.names)}
    incidents = _Incidents(rows, exposure, names, time_s, end_s)
    incidents.sort_out(merge_s)
    exposure, node = incidents.named()
    return incidents.history(exposure, node), incidents.entries()


def _in_window(rows: LogRows, exposure: Exposure) -> tuple[Array, Array]:
    """Return times and ends in seconds from the begin of the window."""
    time_s, dated = np.array(rows.time_s), np.array(rows.dated)
    if dated.any() and not exposure.dated:
        first = int(np.argmax(dated))
        why = "its time is a date, and the window is not; give --from and --to as dates"
        raise LogError.at(why, rows.files[rows.file[first]], rows.line[first])
    shift = np.where(dated, exposure.begin_s, 0.0 if exposure.dated else exposure.begin_s)
    return time_s - shift, time_s - shift + np.array(rows.away_s)


class _Incidents:
    """Rows in the order of time, of which some begin an incident and others only belong to one."""

    def __init__(
        self, rows: LogRows, exposure: Exposure, fleet: dict[str, int], time_s: Array, end_s: Array
    ) -> None:
        self._rows = rows
        self._exposure = exposure
        self._fleet = fleet
        self._time = time_s
        self._row_end = end_s
        self._status = [NOT_UNDERSTOOD] * len(time_s)
        self._first: list[int] = []
        self._end: list[float] = []
        self._kept: list[int] = []
        self._strangers: list[int] = []

    def sort_out(self, merge_s: float) -> None:
        """Decide of each row whether it begins an incident, belongs to one, or lies outside."""
        last: dict[tuple[int, int], tuple[float, int]] = {}
        away: dict[int, list[int]] = {}
        latest: dict[int, int] = {}
        rows, times, ends = self._rows, self._time.tolist(), self._row_end.tolist()
        for entry in np.argsort(self._time, kind="stable").tolist():
            if rows.planned[entry]:
                self._status[entry] = "planned" if self._is_observed(entry, times[entry]) else "outside"
                continue
            time, node, cause = times[entry], rows.node[entry], rows.cause[entry]
            absences = [each for each in away.get(node, ()) if self._end[each] > time]
            previous = last.get((node, cause))
            if previous is not None and time - previous[0] <= merge_s and merge_s:
                status, incident = "merged", previous[1]
            else:
                status, incident = "inside_absence", self._longest(absences)
                if incident < 0:
                    status, incident = "used", self._begin(entry)
                    latest[node] = incident
            self._extend(incident, ends[entry])
            away[node] = absences if incident in absences else [*absences, incident]
            last[node, cause] = time, incident
            self._status[entry] = status if self._is_observed(entry, time) else "outside"
        self._close(latest)
        self._kept = [incident for incident, entry in enumerate(self._first) if self._status[entry] == "used"]

    def _begin(self, entry: int) -> int:
        """Begin an incident, and return its number."""
        self._first.append(entry)
        self._end.append(math.nan)
        return len(self._first) - 1

    def _longest(self, absences: list[int]) -> int:
        """Return which of these absences has the latest end that is known, -1 for none.

        Of those that end at once it is the one that began last: if its end is told no more, the node is away.
        """
        known = [each for each in absences if self._end[each] < math.inf]
        return max(known, key=lambda each: (self._end[each], each), default=-1)

    def _extend(self, incident: int, end: float) -> None:
        """Let an absence last to the later end, or to the first that is told."""
        known = self._end[incident]
        if math.isnan(known) or known == math.inf or end > known:
            self._end[incident] = known if math.isnan(end) else end

    def _close(self, latest: dict[int, int]) -> None:
        """Take for back, whenever that was, whose node failed again after an absence without an end."""
        for incident, end in enumerate(self._end):
            if end == math.inf and latest[self._rows.node[self._first[incident]]] != incident:
                self._end[incident] = math.nan

    def _is_observed(self, entry: int, time: float) -> bool:
        exposure, node = self._exposure, self._rows.node[entry]
        if not 0 <= time < exposure.window_s:
            return False
        if node < 0 or not exposure.names:
            return True
        number = self._fleet.get(self._rows.names[node])
        if number is None:
            self._strangers.append(entry)
            return False
        return bool(exposure.entered_s[number] <= time < exposure.left_s[number])

    def named(self) -> tuple[Exposure, dict[int, int]]:
        """Return the exposure with the names of all nodes that failed in it, and the number of each node."""
        seen: dict[str, tuple[float, float]] = {}
        for entry in self.entries():
            node, time = self._rows.node[entry], float(self._time[entry])
            if node >= 0:
                name = self._rows.names[node]
                seen[name] = seen.get(name, (time, time))[0], time
        exposure = self._exposure.fitted_to(dict(sorted(seen.items())))
        exposure = _in_order(exposure)
        numbers = {name: number for number, name in enumerate(exposure.names)}
        return exposure, {
            node: numbers[name] for node, name in enumerate(self._rows.names) if name in numbers
        }

    def entries(self) -> list[int]:
        """Return the entry with which each incident began that is in the window, of a node of the fleet."""
        return [self._first[incident] for incident in self._kept]

    def history(self, exposure: Exposure, numbers: dict[int, int]) -> History:
        """Return the history of the incidents that are kept."""
        rows, entries = self._rows, self.entries()
        node = np.array([numbers.get(rows.node[entry], -1) for entry in entries], np.int64)
        time = self._time[entries]
        end = np.array([self._end[incident] for incident in self._kept])
        until = np.where(node >= 0, exposure.left_s[node], exposure.window_s)
        is_open = end > until
        end[is_open] = math.inf
        for number in np.flatnonzero(is_open):
            self._status[entries[number]] = "open"
        problems = list(rows.problems)
        for entry in self._strangers:
            self._status[entry] = NOT_UNDERSTOOD
            why = f"node {shown(rows.names[rows.node[entry]])} is not in the fleet of {exposure.source}"
            problems.append(UnreadRow(rows.files[rows.file[entry]], rows.line[entry], f"{why}; add it there"))
        causes, cause = _causes(rows, entries)
        return History(
            time_s=time,
            end_s=end,
            node=node,
            cause=cause,
            causes=causes,
            names=exposure.names,
            window_s=exposure.window_s,
            entered_s=exposure.entered_s,
            left_s=exposure.left_s,
            has_ends=rows.has_ends,
            rows=self._counts(),
            problems=tuple(problems),
            start=exposure.start,
            clock=exposure.clock,
            planned=tuple(self._stops(numbers)),
            notes=tuple(rows.notes + self._notes()),
        )

    def _stops(self, numbers: dict[int, int]) -> list[PlannedStop]:
        stops = []
        for entry in (entry for entry, status in enumerate(self._status) if status == "planned"):
            node = numbers.get(self._rows.node[entry], -1)
            stops.append(PlannedStop(float(self._time[entry]), float(self._row_end[entry]), node, entry))
        return sorted(stops)

    def _counts(self) -> dict[str, int]:
        """Return how many rows there are, and what became of them."""
        rank = {status: number for number, status in enumerate(_ORDER)}
        best: dict[int, int] = {}
        for row, status in zip(self._rows.row, self._status, strict=True):
            best[row] = min(best.get(row, len(_ORDER)), rank[status])
        counts = Counter(_ORDER[number] for number in best.values()) + self._rows.counts
        return {TOTAL: self._rows.total} | {name: counts[name] for name in ROWS}

    def _notes(self) -> list[str]:
        if not len(self._time) or "used" in self._status or "open" in self._status:
            return []
        begin, dated = self._exposure.begin_s, self._exposure.dated
        first, last = (in_words(begin + float(time), dated) for time in (self._time.min(), self._time.max()))
        return [f"no failure was observed in the window: the first row is at {first}, the last at {last}"]


def _in_order(exposure: Exposure) -> Exposure:
    """Return the exposure with its named nodes in the order of their names, before those without one."""
    order = sorted(range(len(exposure.names)), key=lambda number: natural(exposure.names[number]))
    index = [*order, *range(len(order), len(exposure.left_s))]
    return replace(
        exposure,
        entered_s=exposure.entered_s[index],
        left_s=exposure.left_s[index],
        names=tuple(exposure.names[number] for number in order),
    )


def _causes(rows: LogRows, entries: list[int]) -> tuple[tuple[str, ...], Array]:
    """Return the names of all causes in the order in which they first struck, and that of each failure."""
    texts = [rows.causes[rows.cause[entry]] for entry in entries]
    missing = UNKNOWN if any(texts) else UNNAMED
    texts = [text or missing for text in texts]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return tuple(numbers), np.array([numbers[text] for text in texts], np.int64)
