"""The rows of logs as numbers, before anything is known of the window or of the fleet.

`read_rows([LogSource("incidents.csv", path)])` reads every row by the meaning of its columns; what it cannot
read it keeps with file, line and reason.  Fits and replays both begin here, so that they agree about every
row.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from clustersim.formatting import counted
from clustersim.logs.columns import (
    CAUSE,
    END,
    EVENTS,
    FORMAT_NAMES,
    JOB,
    JOBS,
    KIND,
    LOST,
    NODE,
    REPAIR,
    REPLICATION,
    STATE,
    TIME,
    TIMES,
    LogColumns,
    layout_of,
)
from clustersim.logs.errors import LogError
from clustersim.logs.files import MOST_PROBLEMS, MOST_ROWS, LogSource, LogTable, RowBlock, open_table
from clustersim.logs.history import UnreadRow
from clustersim.logs.hosts import hosts_of
from clustersim.logs.kinds import (
    FAILURE,
    FLAGS,
    NO_FAILURE,
    PLANNED_STOP,
    kind_of,
    kind_of_event,
    kind_of_job,
)
from clustersim.logs.times import TimeCells, ZoneNeeded, is_missing
from clustersim.units import shown

MERGED, OUTSIDE, NOT_UNDERSTOOD = "merged", "outside", "not_understood"
_WAITING = frozenset(
    ("priority", "resources", "dependency", "begintime", "none", "jobheldadmin", "jobhelduser")
)
"""Reasons of Slurm for which a job has waited: no cause of its end."""
_STAMP = re.compile(r"\s*\[[^\[\]]*@[^\[\]]*\]$")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class LogRows:
    """Rows that were understood, one entry for each node that a row names, in the order of the files.

    `time_s` are seconds since 1970 where `dated`, else from the start of the log; `away_s` is for how long
    the node was away, NaN where that is not told, and infinite where it was not back yet.  `node` (-1: the
    job or the site) and `cause` are indices into `names` and `causes`; `row` numbers the rows of all files,
    `file` and `line` say where one stands.  `counts` are the rows that no entry stands for, by what became of
    them; of the rows that were not understood `problems` are the first.  A cause is called as it is written
    first; of other capitals, `respelt` has how often each is read.
    """

    time_s: array[float] = field(default_factory=lambda: array("d"))
    away_s: array[float] = field(default_factory=lambda: array("d"))
    node: array[int] = field(default_factory=lambda: array("q"))
    cause: array[int] = field(default_factory=lambda: array("q"))
    row: array[int] = field(default_factory=lambda: array("q"))
    file: array[int] = field(default_factory=lambda: array("q"))
    line: array[int] = field(default_factory=lambda: array("q"))
    dated: array[int] = field(default_factory=lambda: array("b"))
    planned: array[int] = field(default_factory=lambda: array("b"))
    files: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    respelt: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[UnreadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_ends: bool = False

    def __len__(self) -> int:
        return len(self.time_s)

    def refuse(self, problem: UnreadRow) -> None:
        """Count a row that is not understood, and keep its reason if it is among the first."""
        self.counts[NOT_UNDERSTOOD] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def read_rows(
    sources: Sequence[LogSource],
    named: Mapping[str, str] | None = None,
    format: str | None = None,
    zone: tzinfo | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> LogRows:
    """Return the rows of all *sources*, of which *progress* hears how many bytes of all are read.

    *named* says which columns mean what (`{"time": "Start"}`), *format* what wrote the files, and *zone*
    where dates are local times.  *strict* takes a column with nearly a known name for a mistake.  Raises
    LogError where a file cannot be used at all, and OSError.
    """
    if format is not None and format not in FORMAT_NAMES:
        raise LogError.at(f"{shown(format)} is no format that is known; there are {', '.join(FORMAT_NAMES)}")
    rows = LogRows()
    nodes, causes = _Names(rows.names), _Names(rows.causes)
    size, done = sum(source.size for source in sources), 0
    for source in sources:
        with open_table(source) as table:
            layout = layout_of(table, named or {}, format, strict)
            rows.files.append(source.name)
            rows.notes += [f"{source.name}: {note}" for note in layout.notes]
            if layout.ignored:
                there = ", ".join(layout.ignored[:10]) + (", ..." if layout.ignored[10:] else "")
                rows.notes.append(f"{source.name}: columns that are not read: {there}")
            reader = _Reader(rows, table, layout, zone, nodes, causes)
            for block in table.blocks(reader.numbers):
                reader.take(block)
                if len(rows) > MOST_ROWS:
                    why = f"more than {MOST_ROWS:,} failures; give a part, such as one year"
                    raise LogError.at(why, source.name)
                if progress is not None:
                    progress(done + table.done, size)
            reader.finish()
        done += source.size
    _say_alike(rows)
    return rows


def _say_alike(rows: LogRows) -> None:
    """Say which names differ only by capitals: nodes are two, and may be meant as one; causes are one."""
    first: dict[str, str] = {}
    for name in rows.names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            rows.notes.append(f"nodes {shown(other)} and {shown(name)} count as two; write them alike if not")
            break
    for (written, called), times in rows.respelt.items():
        where = f"{shown(written)} in {counted(times, 'row')}"
        why = "causes that differ by capitals alone are one, by its first spelling"
        rows.notes.append(f"{where} counts as {shown(called)}; {why}")


class _Names:
    """The names that cells hold, each with a number of its own."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._numbers: dict[str, int] = {}

    def number(self, name: str, alike: str | None = None) -> int:
        """Return the number of a name, a new one where it is new, or none has been *alike*."""
        number = self._numbers.setdefault(name if alike is None else alike, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number


class _Reader:
    """Reads the rows of one table into the rows of all."""

    def __init__(
        self,
        rows: LogRows,
        table: LogTable,
        layout: LogColumns,
        zone: tzinfo | None,
        nodes: _Names,
        causes: _Names,
    ) -> None:
        self._rows = rows
        self._table = table
        self._roles = list(layout.columns)
        self.numbers = [column.number for column in layout.columns.values()]
        self._format = layout.format
        self._column = {role: column.name for role, column in layout.columns.items()}
        self._times = {
            role: TimeCells(column.name, column.unit, zone)
            for role, column in layout.columns.items()
            if role in TIMES
        }
        self._nodes = nodes
        self._causes = causes
        self._hosts: dict[str, list[int]] = {}
        self._kinds: dict[tuple[str, str], str] = {}
        self._cause_numbers: dict[tuple[str, str], tuple[int, str]] = {}
        self._tells_kinds = bool({KIND, STATE, REPLICATION} & self._column.keys())
        self._replications: set[str] = set()
        self._of_several = 0
        rows.has_ends = rows.has_ends or END in self._column or REPAIR in self._column

    def take(self, block: RowBlock) -> None:
        """Read a block of rows."""
        rows, name, count = self._rows, self._table.source.name, len(block.lines)
        cells = dict(zip(self._roles, block.cells, strict=True))
        empty = [""] * count
        order = (TIME, END, REPAIR, NODE, CAUSE, KIND, STATE, JOB, REPLICATION, LOST)
        columns = zip(*(cells.get(role, empty) for role in order), strict=True)
        for line, parts in zip(block.lines, columns, strict=True):
            rows.total += 1
            try:
                self._take(line, parts)
            except ZoneNeeded as error:
                raise LogError.at(str(error), name, line) from None
            except ValueError as error:
                rows.refuse(UnreadRow(name, line, str(error)))

    def finish(self) -> None:
        """Count the lines that are no rows, and say what of the file has to be known."""
        rows, name = self._rows, self._table.source.name
        rows.total += self._table.bad_lines
        rows.counts[NOT_UNDERSTOOD] += self._table.bad_lines
        rows.problems += self._table.bad[: MOST_PROBLEMS - len(rows.problems)]
        if self._replications:
            of = f"replication 0 of {len(self._replications) + 1:,}"
            rows.notes.append(f"{name}: {of} is read, the others lie outside")
        if self._of_several:
            jobs = f"{self._of_several:,} failed job{'s' * (self._of_several > 1)} ran on several nodes"
            why = "which of them failed is not told, so none is named (sacctmgr show event tells it)"
            rows.notes.append(f"{name}: {jobs}; {why}")

    def _take(self, line: int, cells: Sequence[str]) -> None:
        """Read one row; raises ValueError with a sentence where it is not understood."""
        rows = self._rows
        time, end, repair, node, cause, kind, state, job, replication, lost = cells
        planned = False
        if self._tells_kinds:
            if replication not in ("", "0"):
                self._replications.add(replication)
                rows.counts[OUTSIDE] += 1
                return
            word = self._kind(node, cause, kind or state)
            if word == NO_FAILURE or "." in job:
                rows.counts[MERGED if word == FAILURE else NO_FAILURE] += 1
                return
            planned = word == PLANNED_STOP
        time_s, dated = self._time(TIME, time)
        nodes = self._hosts.get(node) or self._nodes_of(node)
        away_s = math.nan
        if rows.has_ends and lost != "0":
            away_s = self._away(time_s, dated, end, repair, nodes)
        number, written = self._cause_numbers.get((cause, state)) or self._numbered(cause, state)
        if written:
            rows.respelt[written, rows.causes[number]] += 1
        for each in nodes:
            rows.time_s.append(time_s)
            rows.away_s.append(away_s)
            rows.node.append(each)
            rows.cause.append(number)
            rows.row.append(rows.total - 1)
            rows.file.append(len(rows.files) - 1)
            rows.line.append(line)
            rows.dated.append(dated)
            rows.planned.append(planned)

    def _kind(self, node: str, cause: str, word: str) -> str:
        """Return whether a row tells of a failure, a planned stop, or neither."""
        key = word, cause
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = self._find_kind(word, cause)
        return NO_FAILURE if self._format == EVENTS and is_missing(node) else kind

    def _find_kind(self, word: str, cause: str) -> str:
        if self._format == EVENTS:
            return kind_of_event(word, cause)
        try:
            return kind_of_job(word) if self._format == JOBS else kind_of("" if is_missing(word) else word)
        except ValueError as error:
            column = self._column[STATE if self._format == JOBS else KIND]
            raise ValueError(f'column "{column}": {error}') from None

    def _time(self, role: str, cell: str) -> tuple[float, bool]:
        try:
            return self._times[role].read(cell)
        except ZoneNeeded as error:
            raise ZoneNeeded(f'column "{self._column[role]}": {error}') from None
        except ValueError as error:
            why = "no time is given; a failure needs one" if is_missing(cell) else error
            raise ValueError(f'column "{self._column[role]}": {why}') from None

    def _away(self, time_s: float, dated: bool, end: str, repair: str, nodes: Sequence[int]) -> float:
        """Return for how long the nodes of a row were away (s): NaN for not at all, infinity for still."""
        if REPAIR in self._column:
            return math.nan if is_missing(repair) else self._repair(repair)
        if END not in self._column:
            return math.nan
        if is_missing(end):
            return math.nan if nodes[0] < 0 else math.inf
        end_s, end_dated = self._time(END, end)
        if end_dated != dated:
            raise ValueError("of its two times one is a date and one counts from the start; write both alike")
        if end_s < time_s:
            raise ValueError("ends before it begins; correct one of its times")
        return end_s - time_s if end_s > time_s else math.nan

    def _repair(self, cell: str) -> float:
        """Return for how long the node of a row was away (s)."""
        try:
            if length := self._times[REPAIR].duration(cell):
                return length
            raise ValueError(f"{shown(cell)} is no repair; leave it empty where a restart is enough")
        except ValueError as error:
            raise ValueError(f'column "{self._column[REPAIR]}": {error}') from None

    def _nodes_of(self, cell: str) -> list[int]:
        try:
            found = self._numbers(cell)
        except ValueError as error:
            raise ValueError(f'column "{self._column[NODE]}": {error}') from None
        if len(found) > 1 and self._format == JOBS:
            self._of_several += 1
            return [-1]
        self._hosts[cell] = found
        return found

    def _numbers(self, cell: str) -> list[int]:
        if (
            is_missing(cell)
            or cell.casefold() == "none assigned"
            or (REPLICATION in self._column and cell == "-1")
        ):
            return [-1]
        if re.fullmatch(r"-[0-9.]+", cell):
            why = f"{shown(cell)} is not the number of a node; give 0, 1, 2, ..."
            raise ValueError(f"{why}, or leave it empty for the job or the site")
        return [self._nodes.number(name) for name in hosts_of(cell)]

    def _numbered(self, cell: str, state: str) -> tuple[int, str]:
        """Return the number of a cause, and how it is written here if that is not how it is called."""
        text = self._cause(cell, state)
        number = self._causes.number(text, text.casefold())
        found = number, text if self._rows.causes[number] != text else ""
        self._cause_numbers[cell, state] = found
        return found

    def _cause(self, cell: str, state: str) -> str:
        text = " ".join(cell.split())
        if self._format in (EVENTS, JOBS):
            text = _STAMP.sub("", text)
            waiting = self._format == JOBS and text.casefold() in _WAITING
            return state.rstrip(FLAGS) if waiting or is_missing(text) else text
        return "" if is_missing(text) else text
