"""Files of logs as columns of text, whatever they are dressed in: cells between , ; | or tabs, or Parquet.

A `LogTable` has the names of its columns and yields its rows in blocks, each with the line in which it
stands, so that a million rows are never in memory at once.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from clustersim.logs.errors import LogError
from clustersim.logs.history import UnreadRow
from clustersim.units import shown

MOST_ROWS = 5_000_000
"""More rows than this are refused: a fit to them would take hours, and a part says the same."""
MOST_COLUMNS = 1_000
MOST_PROBLEMS = 1_000
"""Rows whose reason is kept: more of them say the same, and all are counted."""
BLOCK = 50_000
"""Rows that are taken at once: few enough for little memory, many enough to be quick."""
LONGEST_LINE = 1_000_000
"""A longer line is no row of a log, and would be read into memory as a whole."""
DELIMITERS = ",;|\t"
COMMENT = "#"
_MAGIC = {
    b"\x1f\x8b": "is compressed; unpack it (gunzip), or export it anew",
    b"PK\x03\x04": "is a spreadsheet or an archive; export it as CSV",
    b"BZh": "is compressed; unpack it, or export it anew",
    b"\xfd7zXZ": "is compressed; unpack it, or export it anew",
    b"\x28\xb5\x2f\xfd": "is compressed; unpack it, or export it anew",
    b"SQLite format 3": "is a database; export the table as CSV",
    b"ORC": "is in the format ORC; export it as CSV or Parquet",
}
_PARQUET = b"PAR1"
_WIDE = "utf-16"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class LogSource(NamedTuple):
    """A log: its name in messages, and the file, or else its text."""

    name: str
    path: Path | None = None
    text: str = ""

    @property
    def size(self) -> int:
        """Bytes of the file, or characters of the text."""
        return os.path.getsize(self.path) if self.path else len(self.text)


class RowBlock(NamedTuple):
    """Rows of a table: the line of each, and the cells of each column that was asked for."""

    lines: list[int]
    cells: list[list[str]]


@dataclass(slots=True)
class LogTable:
    """A table that is being read: names of columns, rows in blocks, and lines that are no rows.

    `done` of `size` bytes have been read, where that is known.
    """

    source: LogSource
    names: list[str]
    line: int
    rows: Callable[[LogTable, Sequence[int]], Iterator[RowBlock]]
    size: int = 0
    done: int = 0
    bad: list[UnreadRow] = field(default_factory=list)
    bad_lines: int = 0

    def blocks(self, columns: Sequence[int]) -> Iterator[RowBlock]:
        """Yield all rows, of each the cells of these *columns*; what is no row is refused."""
        return self.rows(self, columns)

    def refuse(self, line: int, reason: str) -> None:
        """Count a line that is no row, in `bad_lines`, and keep the first of them in `bad`."""
        self.bad_lines += 1
        if len(self.bad) < MOST_PROBLEMS:
            self.bad.append(UnreadRow(self.source.name, line, reason))


@contextmanager
def open_table(source: LogSource) -> Iterator[LogTable]:
    """Give the table that a file or a text holds; raises LogError where there is none, and OSError."""
    if source.path is None:
        yield _csv(source, io.StringIO(source.text.removeprefix("\ufeff"), newline=""))
        return
    with source.path.open("rb") as stream:
        head = stream.read(64)
    for magic, why in _MAGIC.items():
        if head.startswith(magic):
            raise LogError.at(why, source.name)
    if head.startswith(_PARQUET):
        with source.path.open("rb") as stream:
            yield _parquet(source, stream)
        return
    encoding = _WIDE if head.startswith(_UTF16) else "utf-8-sig"
    with source.path.open(encoding=encoding, newline="") as lines:
        yield _csv(source, lines)


def _csv(source: LogSource, stream: Any) -> LogTable:
    """Return the table of a text of separated cells, of which the header has been read."""
    lines = _Lines(source, stream)
    headers = (line for line in lines if line.strip() and not _is_comment(line))
    first, delimiters = next(headers, ""), DELIMITERS
    if first.lower().startswith("sep=") and first[4:5].strip(" \r\n") and not first[5:].strip():
        delimiters, first = first[4], next(headers, "")
    if not first:
        raise LogError.at(
            "is empty; the first line names the columns, such as time,node,cause,end", source.name, 1
        )
    if first.lstrip()[:1] in "{[<":
        raise LogError.at("is JSON or XML; export it as CSV or Parquet", source.name, lines.number)
    delimiter = max(delimiters, key=first.count)
    try:
        names = [name.strip().lstrip("\ufeff") for name in next(_parsed([first], delimiter))]
    except csv.Error as error:
        why = f"cannot be read ({error}); the first line names the columns, such as time,node,cause,end"
        raise LogError.at(why, source.name, lines.number) from None
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        raise LogError.at(f"{len(names):,} columns, {MOST_COLUMNS:,} are possible", source.name, lines.number)
    return LogTable(source, names, lines.number, _CsvRows(lines, delimiter).blocks, source.size)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENT)


def _parsed(lines: Any, delimiter: str) -> Any:
    """Return a reader of cells; what schedulers write between | has no quotes."""
    if delimiter == "|":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


class _Lines:
    """The lines of a text, counted; an encoding that is not what it should be is said with its line."""

    def __init__(self, source: LogSource, stream: Any) -> None:
        self._source = source
        self._stream = stream
        self.number = 0
        self.done = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line: str = self._stream.readline(LONGEST_LINE + 1)
        except UnicodeError:
            raise self._not_utf8() from None
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            why = (
                f"a line of more than {LONGEST_LINE:,} characters; give a table with a line for each failure"
            )
            raise LogError.at(why, self._source.name, self.number)
        self.done += len(line)
        return line

    def _not_utf8(self) -> LogError:
        """Return the error of the first line that is not UTF-8, sought anew, as decoding runs ahead.

        UTF-16 that is broken has no such line: no line of it would be UTF-8.
        """
        if self._source.path is not None and self._stream.encoding != _WIDE:
            with self._source.path.open("rb") as stream:
                for number, line in enumerate(stream, 1):
                    try:
                        line.decode("utf-8")
                    except UnicodeDecodeError as bad:
                        why = f"byte 0x{line[bad.start]:02x} is not UTF-8; save the file as UTF-8"
                        return LogError.at(why, self._source.name, number)
        return LogError.at("cannot be decoded as UTF-16; save the file as UTF-8", self._source.name)


class _CsvRows:
    """The rows below the header of a text."""

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter

    def blocks(self, table: LogTable, columns: Sequence[int]) -> Iterator[RowBlock]:
        """Yield the rows in blocks."""
        numbers: list[int] = []
        rows: list[list[str]] = []
        width, count = len(table.names), 0
        for number, cells in self._rows(table):
            # Cells too many are the end of a line where they hold nothing.
            if len(cells) < width or any(map(str.strip, cells[width:])):
                table.refuse(number, f"{len(cells)} cells for {width} columns; give one for each")
                continue
            numbers.append(number)
            rows.append(cells)
            if len(rows) == BLOCK:
                count += BLOCK
                _refuse_too_many(table, count)
                yield _block(table, self._lines.done, numbers, rows, columns)
                numbers, rows = [], []
        _refuse_too_many(table, count + len(rows))
        yield _block(table, table.size, numbers, rows, columns)

    def _rows(self, table: LogTable) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each line that holds some, with its number; a line that is broken is bad."""
        lines, reader = self._lines, _parsed(_without_comments(self._lines), self._delimiter)
        while True:
            before = lines.number
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if lines.number > before + 1:
                    why = "a quote opens here and is not closed; close it, or take it out"
                    raise LogError.at(why, table.source.name, before + 1) from None
                table.refuse(before + 1, f"cannot be read ({error}); give cells with quotes around them")
                continue
            if cells is None:
                return
            if any(map(str.strip, cells)):
                yield before + 1, cells


def _without_comments(lines: _Lines) -> Iterator[str]:
    return (line if not line.startswith(COMMENT) else "\n" for line in lines)


def _refuse_too_many(table: LogTable, count: int) -> None:
    if count > MOST_ROWS:
        why = f"more than {MOST_ROWS:,} rows; give a part, such as one year"
        raise LogError.at(why, table.source.name)


def _block(
    table: LogTable, done: int, lines: list[int], rows: list[list[str]], columns: Sequence[int]
) -> RowBlock:
    table.done = done
    return RowBlock(lines, [[row[column].strip() for row in rows] for column in columns])


def _parquet(source: LogSource, stream: BinaryIO) -> LogTable:
    """Return the table of a Parquet file; what its footer says is looked at before anything is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Texts stay in dictionaries, so that neither equal nor very long ones are copied for each row.
        texts = [column.name for column in pq.read_schema(stream) if pa.types.is_string(column.type)]
        file = pq.ParquetFile(stream, read_dictionary=texts)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = f"is no whole Parquet file ({_begin_of(error)}); export it anew"
        raise LogError.at(why, source.name) from None
    if file.metadata.num_rows > MOST_ROWS:
        why = f"{file.metadata.num_rows:,} rows, {MOST_ROWS:,} are possible; give a part, such as one year"
        raise LogError.at(why, source.name)
    names = list(file.schema_arrow.names)
    if len(names) > MOST_COLUMNS:
        raise LogError.at(f"{len(names):,} columns, {MOST_COLUMNS:,} are possible", source.name)
    return LogTable(source, names, 0, _ParquetRows(file).blocks, source.size)


def _begin_of(error: Exception) -> str:
    """Return the begin of what a library says, in one line."""
    return " ".join(str(error).split())[:80]


class _ParquetRows:
    """The rows of a Parquet file, as the texts that CSV would have; a row's line is its number from 1."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def blocks(self, table: LogTable, columns: Sequence[int]) -> Iterator[RowBlock]:
        """Yield the rows in blocks."""
        import pyarrow as pa

        wanted = [self._file.schema_arrow.field(column).name for column in columns]
        for column in columns:
            self._refuse_nested(table, self._file.schema_arrow.field(column))
        number, total = 0, max(self._file.metadata.num_rows, 1)
        try:
            for batch in self._file.iter_batches(BLOCK, columns=wanted):
                lines = list(range(number + 1, number + 1 + batch.num_rows))
                number += batch.num_rows
                table.done = math.ceil(table.size * number / total)
                yield RowBlock(lines, [_texts(batch.column(name)) for name in wanted])
        except (pa.ArrowException, OSError) as error:
            why = f"cannot be read ({_begin_of(error)}); export it anew"
            raise LogError.at(why, table.source.name, number + 1) from None

    @staticmethod
    def _refuse_nested(table: LogTable, column: Any) -> None:
        import pyarrow as pa

        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_duration(kind):
            why = f"column {shown(column.name)} holds {kind}; export it as text, a number or a time"
            raise LogError.at(why, table.source.name)


def _texts(column: Any) -> list[str]:
    """Return the values of an Arrow column as texts, "" for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        values = [*_texts(column.dictionary), ""]
        return [values[index] for index in pc.fill_null(column.indices, -1).to_pylist()]
    if pa.types.is_timestamp(column.type):
        utc = column.type.tz is not None
        plain = column.cast(pa.timestamp(column.type.unit, "UTC" if utc else None)).cast(pa.string())
        return [text.strip() if text else "" for text in plain.to_pylist()]
    if pa.types.is_floating(column.type):
        return ["" if value is None or value != value else _number(value) for value in column.to_pylist()]
    texts = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return [text.strip() for text in texts]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
