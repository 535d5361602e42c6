"""Logs of recorded failures: comma-separated columns, one failure a line, times from the run's beginning."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic_core import CoreSchema, core_schema

from clustersim.scenario.keys.blocks import Block, Finding, key, unknown
from clustersim.scenario.keys.quantities import Instant, PositiveDuration, bounded, not_too_long, whole, words
from clustersim.units import DAY, DURATION, HOUR, NUMBER, shown

MOST_ROWS = 100_000
MOST_FAULTS = 20
TIME, NODE, CAUSE, REPAIR, KIND = "time", "node", "cause", "repair", "kind"
FAILURE, PLANNED = "failure", "planned"
_UNITS: Mapping[str, float] = {"s": 1.0, "h": HOUR, "d": DAY}
COLUMNS: Mapping[str, str] = {
    TIME: "when it struck, from the beginning of the run: 3.5 h",
    **{f"{TIME}_{unit}": f"the same as a plain number of {unit}" for unit in _UNITS},
    NODE: "number of the node that it struck, from 0, spares after the job's; empty: the whole job",
    CAUSE: "name of the failure mode; one mode for each",
    REPAIR: "for how long the node was away: 20 h; empty: a restart is enough",
    **{f"{REPAIR}_{unit}": f"the same as a plain number of {unit}" for unit in _UNITS},
    KIND: "empty or failure, or planned: no failure but a planned stop, as long as the repair says",
}
_NO_TIME = f'no column "{TIME}"; the first line names the columns: {", ".join(COLUMNS)}'


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
    """A row of a log, the line in which it stands, from 1, and its cause."""

    row: Recorded
    line: int
    cause: str


class Trouble(NamedTuple):
    """What is wrong with a log: the line, from 1, and a sentence."""

    line: int
    sentence: str


@dataclass(slots=True)
class Log:
    """A log that was read: its rows, and what is wrong with others."""

    entries: list[LogEntry] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    faulty: int = 0

    def refuse(self, line: int, sentence: str) -> None:
        """Note what is wrong with a line; the first few lines are enough to see why."""
        self.faulty += 1
        if len(self.troubles) < MOST_FAULTS:
            self.troubles.append(Trouble(line, sentence))


def read_log(text: str) -> Log:
    """Return what a text of comma-separated columns says, in its own order, and what is wrong with it."""
    log = Log()
    reader = csv.reader(text.splitlines(), strict=True, skipinitialspace=True)
    try:
        header = next((cells for cells in reader if cells), None)
        if header is None:
            log.refuse(1, f"is empty; the first line names the columns, {TIME}, {NODE}, {CAUSE}, {REPAIR}")
        elif parsers := _columns(log, reader.line_num, header):
            _read_rows(log, reader, parsers)
    except csv.Error as error:
        log.refuse(reader.line_num, f"cannot be read ({error}); give cells separated by commas")
    if log.faulty > len(log.troubles):
        more = log.faulty - len(log.troubles)
        log.troubles.append(
            Trouble(log.troubles[-1].line, f"{more:,} more lines cannot be read; correct these")
        )
    return log


Parser = Callable[[str], Any]


def _columns(log: Log, line: int, header: Sequence[str]) -> list[tuple[str, str, Parser]] | None:
    """Return meaning, name and parser of each column, or nothing where the header cannot be used."""
    names = [name.strip() for name in header]
    meanings = [name if name in (NODE, CAUSE, KIND) else name.partition("_")[0] for name in names]
    if any(name in COLUMNS for name in names):
        faults = list(_about_names(names, meanings))
    elif len(names) == 1 and (sign := re.search("[;\t|]", names[0])):
        faults = [f"one column, {shown(names[0])}; separate the cells by commas, not by {sign[0]!r}"]
    else:
        faults = [_NO_TIME]
    for sentence in faults:
        log.refuse(line, sentence)
    return None if faults else list(zip(meanings, names, map(_parser, names), strict=True))


def _about_names(names: Sequence[str], meanings: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the names of the columns."""
    for name in names:
        if name not in COLUMNS:
            yield unknown(name, COLUMNS, f"column {shown(name)} is not known, rename it or take it out")
    for meaning in dict.fromkeys(meanings):
        if meanings.count(meaning) > 1:
            yield f'column "{meaning}" is there twice; give one'
    if TIME not in meanings:
        yield _NO_TIME


def _read_rows(log: Log, reader: Any, columns: list[tuple[str, str, Parser]]) -> None:
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(log.entries) == MOST_ROWS:
            log.refuse(reader.line_num, f"more than {MOST_ROWS:,} rows; give the first ones, or fewer causes")
            return
        if len(cells) != len(columns):
            log.refuse(reader.line_num, f"{len(cells)} cells for {len(columns)} columns; give one for each")
            continue
        _read_row(log, reader.line_num, cells, columns)
    if not log.entries and not log.faulty:
        log.refuse(reader.line_num, "no rows below the names of the columns; give at least one failure")


def _read_row(log: Log, line: int, cells: Sequence[str], columns: list[tuple[str, str, Parser]]) -> None:
    parsed: dict[str, Any] = {}
    for (meaning, name, parse), cell in zip(columns, cells, strict=True):
        try:
            parsed[meaning] = parse(cell.strip())
        except ValueError as error:
            log.refuse(line, f'column "{name}": {error}')
            return
    row = Recorded(parsed[TIME], parsed.get(NODE, -1), parsed.get(REPAIR), parsed.get(KIND, False))
    if why := _about_stop(row):
        log.refuse(line, f'column "{KIND}": {why}')
    else:
        log.entries.append(LogEntry(row, line, parsed.get(CAUSE, "")))


def _about_stop(row: Recorded) -> str:
    """Return what is wrong with a planned stop; empty where nothing is, or the row is a failure."""
    if row.planned and row.node >= 0:
        return "a planned stop stops the whole job; leave the node empty, or say failure"
    if row.planned and row.repair_s is None:
        return "a planned stop lasts for a time; give it as the repair, or say failure"
    return ""


def _parser(column: str) -> Parser:
    """Return how the cells of a column are read; each raises ValueError with a sentence."""
    if column == NODE:
        return _node
    if column == CAUSE:
        return lambda cell: " ".join(cell.split())
    if column == KIND:
        return _is_planned
    meaning, _, unit = column.partition("_")

    def time(cell: str) -> float:
        seconds = _plain(cell, column) * _UNITS[unit] if unit else _duration(cell, column)
        not_too_long(seconds, cell)
        return seconds

    def repair(cell: str) -> float | None:
        if not cell:
            return None
        if (seconds := time(cell)) == 0:
            raise ValueError(f"{shown(cell)} is no repair; leave it empty where a restart is enough")
        bounded(seconds, cell, none="")
        return seconds

    return time if meaning == TIME else repair


def _node(cell: str) -> int:
    """Read a number of a node; libraries for tables write 12.0 where other cells are empty."""
    if not cell:
        return -1
    if not re.fullmatch(r"[0-9]{1,9}(\.0*)?", cell):
        raise ValueError(f"{shown(cell)} is not the number of a node; give 0, 1, 2, ..., or leave it empty")
    return int(cell.partition(".")[0])


def _is_planned(cell: str) -> bool:
    if cell not in ("", FAILURE, PLANNED):
        raise ValueError(f"{shown(cell)} is not known; say {FAILURE} or {PLANNED}, or leave it empty")
    return cell == PLANNED


def _plain(cell: str, column: str) -> float:
    if not re.fullmatch(NUMBER, cell):
        plain = column.partition("_")[0]
        raise ValueError(f"{shown(cell)} is not a plain number; give one such as 3.5, or call it {plain}")
    return float(cell.replace("_", ""))


def _duration(cell: str, column: str) -> float:
    if re.fullmatch(NUMBER, cell):
        raise ValueError(f"{cell} has no unit; write {cell} h, or name the column {column}_h")
    return DURATION.parse(cell)


def lines_of(rows: Rows) -> Iterator[str]:
    """Yield the lines of a log that reads back as the same numbers."""
    nodes, repairs = any(row.node >= 0 for row in rows), any(row.repair_s is not None for row in rows)
    planned = any(row.planned for row in rows)
    yield ",".join([f"{TIME}_s", *[NODE] * nodes, *[f"{REPAIR}_s"] * repairs, *[KIND] * planned])
    for row in rows:
        node = str(row.node) if row.node >= 0 else ""
        repair = "" if row.repair_s is None else _digits(row.repair_s)
        stop = PLANNED if row.planned else ""
        yield ",".join([_digits(row.time_s), *[node] * nodes, *[repair] * repairs, *[stop] * planned])


def _digits(seconds: float) -> str:
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


MOST_NODES = 1_000_000_000


class ReplayRow(Block):
    """One recorded failure."""

    time: Instant = key("when it struck, from the beginning of the run, such as 3.5 h")
    node: Annotated[int, whole(0, MOST_NODES)] | None = key(
        "number of the node that it struck, spares after the job's; none: the whole job", None, unit="number"
    )
    repair: PositiveDuration | None = key(
        "for how long the node was away, or the whole site was out; none: a restart is enough", None
    )

    kind: Annotated[Literal["failure", "planned"], words(FAILURE, PLANNED)] = key(
        "failure, or planned: no failure but a planned stop, as long as the repair says", FAILURE
    )

    @property
    def recorded(self) -> Recorded:
        """The row as numbers."""
        return Recorded(self.time, -1 if self.node is None else self.node, self.repair, self.kind == PLANNED)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse planned stops of one node, and those without a length."""
        if why := _about_stop(self.recorded):
            yield "kind", why


class _ReadsRows:
    """How rows are read: a list of blocks, or the text of a log; those of a file have been read already."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self._read, handler.generate_schema(tuple[ReplayRow, ...])
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1, "examples": ["logs/incidents.csv"]}
        return {"anyOf": [text, handler(core)]}

    @staticmethod
    def _read(value: object, blocks: Callable[[Any], Any]) -> Rows:
        if isinstance(value, Rows):
            return value
        if isinstance(value, str):
            return _from_text(value)
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
        line, sentence = log.troubles[0]
        raise ValueError(f"line {line}: {sentence}")
    return Rows(entry.row for entry in log.entries)


Replay = Annotated[Rows, _ReadsRows()]
