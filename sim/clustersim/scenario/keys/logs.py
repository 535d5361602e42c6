"""Recorded failures as a value of a scenario: rows of its own, or what a log of any dress says.

`{replay: logs/incidents.csv}` has times from the beginning of the run.  A log with dates says when the run
begins, `{replay: {log: logs/events.txt, begin: 2026-05-01, timezone: UTC}}`, and is then cleaned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field
from pydantic_core import CoreSchema, core_schema

from clustersim.logs.cleaning import cleaned
from clustersim.logs.columns import CAUSE, FORMAT_NAMES, KIND, NODE, REPAIR, ROLES, TIME
from clustersim.logs.errors import LogError
from clustersim.logs.exposure import Exposure, window
from clustersim.logs.files import LogSource
from clustersim.logs.hosts import natural
from clustersim.logs.kinds import FAILURE, PLANNED_STOP
from clustersim.logs.rows import NOT_UNDERSTOOD, LogRows, read_rows
from clustersim.logs.times import zone_of
from clustersim.scenario.keys.blocks import KEY, NAMES, Block, Finding, Shorthand, key, unknown
from clustersim.scenario.keys.quantities import (
    Duration,
    Instant,
    PositiveDuration,
    Text,
    bounded,
    whole,
    words,
)
from clustersim.units import shown

MOST_ROWS = 100_000
MOST_FAULTS = 20
MOST_FILES = 100
MOST_NODES = 1_000_000_000
_ENDS = "replay: {log: FILE, end: 30 d}"


class Recorded(NamedTuple):
    """One recorded failure: when (s), the node struck (-1: the whole job), how long it was away (s).

    `repair_s` is None where a restart was enough.  What was `planned` is no failure but a stop, so long.
    """

    time_s: float
    node: int
    repair_s: float | None
    planned: bool = False

    @property
    def is_outage(self) -> bool:
        """Whether the whole site is out for the repair time: it names no node."""
        return self.node < 0 and self.repair_s is not None


class Rows(tuple[Recorded, ...]):
    """Recorded failures as a value of a scenario; as it never changes, a copy of a scenario shares it."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Self:
        return self


class LogEntry(NamedTuple):
    """A row of a log, the file and the line in which it stands, from 1, and its cause."""

    row: Recorded
    line: int
    cause: str
    file: str = ""


class Trouble(NamedTuple):
    """What is wrong with a log: the line, from 1, a sentence, and the file."""

    line: int
    sentence: str
    file: str = ""


@dataclass(slots=True)
class Log:
    """A log that was read: its rows, what is wrong with others, and what there is to say of it."""

    entries: list[LogEntry] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    faulty: int = 0
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, sentence: str, file: str = "") -> None:
        """Note what is wrong with a line; the first few lines are enough to see why."""
        self.faulty += 1
        if len(self.troubles) < MOST_FAULTS:
            self.troubles.append(Trouble(line, sentence, file))


_START = "0 s"
_FILES = Shorthand(
    lambda value: list(value) if isinstance(value, tuple) else [value],
    None,
    entries=Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_FILES)],
)


class ReplayLog(Block):
    """A log of recorded failures that needs more words than its name.

    Its rows are cleaned: what belongs to one failure is merged, and what lies outside is left out.
    """

    log: Annotated[tuple[str, ...], _FILES] = key("the file, or a list of files that are one log")
    begin: Text | None = key(
        "when the run begins in the time of the log: a date, or a time from the log's own start", None
    )
    end: Text | None = key("when the log ends: what is still away then stays away until then", None)
    timezone: Text | None = key("zone of dates without one, such as Europe/Berlin or UTC", None)
    columns: Annotated[Mapping[str, Text], NAMES] = key(
        f"columns under other names, {{time: Start}}, for {', '.join(ROLES)}", {}
    )
    format: Annotated[str, words(*FORMAT_NAMES)] | None = key(
        f"what wrote the log, where that is not seen: {', '.join(FORMAT_NAMES)}", None
    )
    merge: Duration = key("rows of one node and cause within such a time are one failure", "10 min")

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a zone, a window and columns that cannot be used."""
        for name in self.columns:
            if name not in ROLES:
                yield ("columns", name, KEY), unknown(name, ROLES, f"{shown(name)} is no column that is read")
        try:
            zone = self.zone()
        except ValueError as error:
            yield "timezone", str(error)
            return
        try:
            window(self.begin or _START, self.end, zone, ("begin", "end"))
        except ValueError as error:
            yield (), str(error)

    def zone(self) -> tzinfo | None:
        """Return the zone of local times; raises ValueError where none is known by that name."""
        return None if self.timezone is None else zone_of(self.timezone)


def read_log(text: str) -> Log:
    """Return what the text of a log says, in its own order, and what is wrong with it."""
    return read_files([LogSource("", text=text)])


def read_files(sources: Sequence[LogSource], more: ReplayLog | None = None) -> Log:
    """Return what the files of a log say, and what is wrong with them; raises OSError.

    Without more words every row stands for itself, in its own order, with a time from the beginning of the
    run.  Where *more* is said, the log is cleaned, and its times are those from the begin that is given.
    """
    log, asked = Log(), more or ReplayLog(log=("-",))
    try:
        rows = read_rows(sources, asked.columns, asked.format, asked.zone(), strict=True)
        for problem in sorted(rows.problems):
            log.refuse(problem.line, problem.reason, problem.file)
        log.faulty += rows.counts[NOT_UNDERSTOOD] - len(rows.problems)
        if len(rows) > MOST_ROWS:
            line, file = rows.line[MOST_ROWS], rows.files[rows.file[MOST_ROWS]]
            log.refuse(line, f"more than {MOST_ROWS:,} rows; give the first ones, or fewer causes", file)
        elif not len(rows) and not log.faulty:
            why = "no rows below the names of the columns; give at least one failure"
            log.refuse(1, why, rows.files[-1])
        else:
            take = _RowsAsTheyAre if more is None else _CleanRows
            take(log, rows, asked).all()
    except LogError as error:
        for problem in error.problems:
            log.refuse(problem.line, problem.reason, problem.file)
    if log.faulty > len(log.troubles):
        line, _, file = log.troubles[-1]
        others = f"{log.faulty - len(log.troubles):,} more lines cannot be read; correct these"
        log.troubles.append(Trouble(line, others, file))
    return log


class _Taken:
    """Takes the rows of a log as recorded failures, with numbers for the names of nodes."""

    def __init__(self, log: Log, rows: LogRows, asked: ReplayLog) -> None:
        self._log = log
        self._rows = rows
        self._asked = asked
        self._numbers = _numbers(rows.names)
        for note in rows.notes:
            file = next((file for file in rows.files if note.startswith(f"{file}: ")), "")
            log.notes.append(note.removeprefix(f"{file}: "))
        named = sorted(zip(self._numbers, rows.names, strict=True))
        if others := [f"{name} is {number}" for number, name in named if not _is_number(name)]:
            ends = " and ".join(dict.fromkeys((others[0], others[-1])))
            log.notes.append(f"nodes are numbered in the order of their names, {ends}")

    def take(self, entry: int, row: Recorded) -> None:
        """Take one row, or say what is wrong with it."""
        rows = self._rows
        line, file, cause = rows.line[entry], rows.files[rows.file[entry]], rows.causes[rows.cause[entry]]
        try:
            if row.repair_s is not None:
                bounded(row.repair_s, f"{row.repair_s:g} s", none="")
        except ValueError as error:
            self._log.refuse(line, f'column "{REPAIR}": {error}', file)
            return
        if why := _about_stop(row):
            self._log.refuse(line, f'column "{KIND}": {why}', file)
        else:
            self._log.entries.append(LogEntry(row, line, cause, file))

    def refuse(self, entry: int, why: str) -> None:
        """Say what is wrong with a row."""
        self._log.refuse(self._rows.line[entry], why, self._rows.files[self._rows.file[entry]])

    def node(self, entry: int) -> int:
        """Return the number of the node of a row, -1 for none."""
        node = self._rows.node[entry]
        return -1 if node < 0 else self._numbers[node]


class _RowsAsTheyAre(_Taken):
    """Every row for itself, in its own order, with a time from the beginning of the run."""

    def all(self) -> None:
        """Take all rows."""
        rows = self._rows
        for entry, away in enumerate(rows.away_s):
            if rows.dated[entry]:
                why = "its time is a date; say which is the begin of the run"
                self.refuse(entry, f"{why}: replay: {{log: FILE, begin: 2026-05-01}}")
            elif away == math.inf:
                self.refuse(entry, f"no end is told; say when the log ends: {_ENDS}")
            else:
                repair = None if math.isnan(away) else away
                stop = bool(rows.planned[entry])
                self.take(entry, Recorded(rows.time_s[entry], self.node(entry), repair, stop))


class _CleanRows(_Taken):
    """The failures that are left when the log is cleaned, with times from the begin that is given."""

    def all(self) -> None:
        """Take all failures in the window, and its planned stops of the whole site."""
        asked, rows = self._asked, self._rows
        begin_s, window_s, dated = window(asked.begin or _START, asked.end, asked.zone(), ("begin", "end"))
        if asked.begin is None and any(rows.dated):
            self.refuse(list(rows.dated).index(1), "its time is a date; give begin, such as 2026-05-01")
            return
        observed = max(len(rows.names), 1)
        fleet = Exposure(
            begin_s, window_s, dated, np.zeros(observed), np.full(observed, window_s), tuple(rows.names)
        )
        history, entries = cleaned(rows, fleet, asked.merge)
        for entry, time_s, end_s in zip(
            entries, history.time_s.tolist(), history.end_s.tolist(), strict=True
        ):
            back_s = min(end_s, window_s)
            if back_s == math.inf:
                self.refuse(entry, f"no end is told; say when the log ends: {_ENDS}")
                continue
            self.take(
                entry, Recorded(time_s, self.node(entry), None if math.isnan(end_s) else back_s - time_s)
            )
        of_nodes = [stop for stop in history.planned if stop.node >= 0]
        for stop in (stop for stop in history.planned if stop.node < 0):
            length = None if math.isnan(stop.end_s) else min(stop.end_s, window_s) - stop.time_s
            self.take(stop.entry, Recorded(stop.time_s, -1, length, True))
        left_out = {
            name: history.rows[name] for name in ("merged", "inside_absence", "outside", "no_failure")
        }
        left_out["planned, of single nodes"] = len(of_nodes)
        said = [f"{count:,} {name.replace('_', ' ')}" for name, count in left_out.items() if count]
        self._log.notes += [f"rows that strike nothing: {', '.join(said)}"] * bool(said)
        if not self._log.entries and not self._log.faulty:
            self._log.refuse(0, f"{history.notes[-1]}; correct begin and end", rows.files[-1])


def _numbers(names: Sequence[str]) -> list[int]:
    """Return the numbers of nodes: their own where they have one, behind it others in the order of names."""
    own = {name: int(name) for name in names if _is_number(name)}
    others = sorted((name for name in names if name not in own), key=natural)
    own |= {name: number for number, name in enumerate(others, max(own.values(), default=-1) + 1)}
    return [own[name] for name in names]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= 9


def _about_stop(row: Recorded) -> str:
    """Return what is wrong with a planned stop; empty where nothing is, or the row is a failure."""
    if row.planned and row.node >= 0:
        return "a planned stop stops the whole job; leave the node empty, or say failure"
    if row.planned and row.repair_s is None:
        return "a planned stop lasts for a time; give it as the repair, or say failure"
    return ""


def lines_of(rows: Rows) -> Iterator[str]:
    """Yield the lines of a log that reads back as the same numbers."""
    nodes, repairs = any(row.node >= 0 for row in rows), any(row.repair_s is not None for row in rows)
    planned = any(row.planned for row in rows)
    yield ",".join([f"{TIME}_s", *[NODE] * nodes, *[f"{REPAIR}_s"] * repairs, *[KIND] * planned])
    for row in rows:
        node = str(row.node) if row.node >= 0 else ""
        repair = "" if row.repair_s is None else _digits(row.repair_s)
        stop = PLANNED_STOP if row.planned else ""
        yield ",".join([_digits(row.time_s), *[node] * nodes, *[repair] * repairs, *[stop] * planned])


def _digits(seconds: float) -> str:
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


class ReplayRow(Block):
    """One recorded failure."""

    time: Instant = key("when it struck, from the beginning of the run, such as 3.5 h")
    node: Annotated[int, whole(0, MOST_NODES)] | None = key(
        "number of the node that it struck, spares after the job's; none: the whole job", None, unit="number"
    )
    repair: PositiveDuration | None = key(
        "for how long the node was away, or the whole site was out; none: a restart is enough", None
    )

    kind: Annotated[Literal["failure", "planned"], words(FAILURE, PLANNED_STOP)] = key(
        "failure, or planned: no failure but a planned stop, as long as the repair says", FAILURE
    )

    @property
    def recorded(self) -> Recorded:
        """The row as numbers."""
        return Recorded(
            self.time, -1 if self.node is None else self.node, self.repair, self.kind == PLANNED_STOP
        )

    def contradictions(self) -> Iterator[Finding]:
        """Refuse planned stops of one node, and those without a length."""
        if why := _about_stop(self.recorded):
            yield "kind", why


class _ReadsRows:
    """How rows are read: a list of blocks, or the text of a log; those of a file have been read already."""

    block: ClassVar[type[Block]] = ReplayLog

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self._read, handler.generate_schema(tuple[ReplayRow, ...])
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1, "examples": ["logs/incidents.csv"]}
        return {"anyOf": [text, handler(ReplayLog.__pydantic_core_schema__), handler(core)]}

    @staticmethod
    def _read(value: object, blocks: Callable[[Any], Any]) -> Rows:
        if isinstance(value, Rows):
            return value
        if isinstance(value, str):
            return _from_text(value)
        if isinstance(value, Mapping):
            named = ", ".join(ReplayLog.model_validate(value).log)
            raise ValueError(
                f"{shown(named)} is not read here; use load or loads, or give the rows themselves"
            )
        if not value and isinstance(value, list | tuple):
            raise ValueError("no rows are given; give at least one, or a file such as logs/incidents.csv")
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not a log; give a file such as logs/incidents.csv")
        if len(value) > MOST_ROWS:
            raise ValueError(f"{len(value):,} rows, {MOST_ROWS:,} are possible; give fewer")
        return Rows(row.recorded for row in blocks(value))


def _from_text(text: str) -> Rows:
    if "\n" not in text:
        raise ValueError(f"{shown(text)} is not read here; use load or loads, or give the rows themselves")
    log = read_log(text)
    if any(entry.cause for entry in log.entries):
        log.refuse(1, f'column "{CAUSE}": only a file is split by causes; give one mode for each')
        raise ValueError(f"line 1: {log.troubles[-1].sentence}")
    if log.troubles:
        line, sentence, _ = log.troubles[0]
        raise ValueError(f"line {line}: {sentence}")
    return Rows(entry.row for entry in log.entries)


Replay = Annotated[Rows, _ReadsRows()]
