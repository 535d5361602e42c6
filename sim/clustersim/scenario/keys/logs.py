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
from clustersim.logs.history import UnreadRow
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


@dataclass(slots=True)
class Log:
    """A log that was read: its rows, what is wrong with others, and what there is to say of it."""

    entries: list[LogEntry] = field(default_factory=list)
    problems: list[UnreadRow] = field(default_factory=list)
    faulty: int = 0
    notes: list[str] = field(default_factory=list)

    def refuse(self, problem: UnreadRow) -> None:
        """Note what is wrong with a row; the first few are enough to see why."""
        self.faulty += 1
        if len(self.problems) < MOST_FAULTS:
            self.problems.append(problem)


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
            self.window(zone)
        except ValueError as error:
            yield (), str(error)

    def zone(self) -> tzinfo | None:
        """Return the zone of local times; raises ValueError where none is known by that name."""
        return None if self.timezone is None else zone_of(self.timezone)

    def window(self, zone: tzinfo | None) -> tuple[float, float, bool]:
        """Return begin and length of the window (s), and whether it is dated; raises LogError."""
        return window(self.begin or _START, self.end, zone, ("begin", "end"))


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
            log.refuse(problem)
        log.faulty += rows.counts[NOT_UNDERSTOOD] - len(rows.problems)
        if len(rows) > MOST_ROWS:
            why = f"more than {MOST_ROWS:,} rows; give the first ones, or fewer causes"
            raise LogError(_at(rows, MOST_ROWS, why))
        if not len(rows) and not log.faulty:
            why = "no rows below the names of the columns; give at least one failure"
            raise LogError.at(why, rows.files[-1], 1)
        _take(log, rows, more)
    except LogError as error:
        for problem in error.problems:
            log.refuse(problem)
    if log.faulty > len(log.problems):
        others = f"{log.faulty - len(log.problems):,} more lines cannot be read; correct these"
        log.problems.append(log.problems[-1]._replace(reason=others))
    return log


class _Struck(NamedTuple):
    """A row of a log by its index: when it struck (s), for how long (NaN: a restart; infinite: not told)."""

    entry: int
    time_s: float
    away_s: float
    planned: bool


def _take(log: Log, rows: LogRows, more: ReplayLog | None) -> None:
    """Take the rows of a log as recorded failures, with numbers for the names of nodes."""
    numbers = [*_numbers(rows.names), -1]  # a row without a node has the index -1, and so the last of these
    for note in rows.notes:
        file = next((file for file in rows.files if note.startswith(f"{file}: ")), "")
        log.notes.append(note.removeprefix(f"{file}: "))
    named = sorted(zip(numbers, rows.names, strict=False))
    if others := [f"{name} is {number}" for number, name in named if not _is_number(name)]:
        ends = " and ".join(dict.fromkeys((others[0], others[-1])))
        log.notes.append(f"nodes are numbered in the order of their names, {ends}")
    as_they_are = map(_Struck, range(len(rows)), rows.time_s, rows.away_s, map(bool, rows.planned))
    for entry, time_s, away_s, planned in as_they_are if more is None else _cleaned(log, rows, more):
        repair_s = None if math.isnan(away_s) else away_s
        row = Recorded(time_s, numbers[rows.node[entry]], repair_s, planned)
        if why := _DATED if more is None and rows.dated[entry] else _about(row):
            log.refuse(_at(rows, entry, why))
        else:
            cause, file = rows.causes[rows.cause[entry]], rows.files[rows.file[entry]]
            log.entries.append(LogEntry(row, rows.line[entry], cause, file))


def _at(rows: LogRows, entry: int, why: str) -> UnreadRow:
    return UnreadRow(rows.files[rows.file[entry]], rows.line[entry], why)


def _cleaned(log: Log, rows: LogRows, asked: ReplayLog) -> Iterator[_Struck]:
    """Yield the failures in the window, cleaned, and its planned stops of the whole site.

    Their times are those from the begin that is given.
    """
    begin_s, window_s, dated = asked.window(asked.zone())
    if asked.begin is None and any(rows.dated):
        why = "its time is a date; give begin, such as 2026-05-01"
        raise LogError(_at(rows, list(rows.dated).index(1), why))
    observed = max(len(rows.names), 1)
    fleet = Exposure(
        begin_s, window_s, dated, np.zeros(observed), np.full(observed, window_s), tuple(rows.names)
    )
    history, entries = cleaned(rows, fleet, asked.merge)
    times = zip(entries, history.time_s.tolist(), history.end_s.tolist(), strict=True)
    of_site = [stop for stop in history.planned if stop.node < 0]
    stops = ((stop.entry, stop.time_s, stop.end_s) for stop in of_site)
    for number, (entry, time_s, end_s) in enumerate((*times, *stops)):
        # An end that is NaN stays so, as it is the first of the two.
        yield _Struck(entry, time_s, min(end_s, window_s) - time_s, number >= len(entries))
    left_out = {name: history.rows[name] for name in ("merged", "inside_absence", "outside", "no_failure")}
    left_out["planned, of single nodes"] = len(history.planned) - len(of_site)
    said = [f"{count:,} {name.replace('_', ' ')}" for name, count in left_out.items() if count]
    log.notes += [f"rows that strike nothing: {', '.join(said)}"] * bool(said)
    if not log.entries and not log.faulty:
        raise LogError.at(f"{history.notes[-1]}; correct begin and end", rows.files[-1])


def _numbers(names: Sequence[str]) -> list[int]:
    """Return the numbers of nodes: their own where they have one, behind it others in the order of names."""
    own = {name: int(name) for name in names if _is_number(name)}
    others = sorted((name for name in names if name not in own), key=natural)
    own |= {name: number for number, name in enumerate(others, max(own.values(), default=-1) + 1)}
    return [own[name] for name in names]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= 9


_DATED = "its time is a date; say which is the begin of the run: replay: {log: FILE, begin: 2026-05-01}"


def _about(row: Recorded) -> str:
    """Return what is wrong with a row of a log; empty where nothing is."""
    if row.repair_s == math.inf:
        return "no end is told; say when the log ends: replay: {log: FILE, end: 30 d}"
    if row.repair_s is not None:
        try:
            bounded(row.repair_s, f"{row.repair_s:g} s", none="")
        except ValueError as error:
            return f'column "{REPAIR}": {error}'
    why = _about_stop(row)
    return f'column "{KIND}": {why}' if why else ""


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
        if isinstance(value, str) and "\n" in value:
            return _from_text(value)
        if isinstance(value, str | Mapping):
            named = value if isinstance(value, str) else ", ".join(ReplayLog.model_validate(value).log)
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
    log = read_log(text)
    if any(entry.cause for entry in log.entries):
        why = f'column "{CAUSE}": only a file is split by causes; give one mode for each'
        raise ValueError(f"line 1: {why}")
    if log.problems:
        raise ValueError(f"line {log.problems[0].line}: {log.problems[0].reason}")
    return Rows(entry.row for entry in log.entries)


Replay = Annotated[Rows, _ReadsRows()]
