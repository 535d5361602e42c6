"""The tables of a run, column by column, from its replications: what the Parquet files and the frames hold.

Modes and doings are numbers in the engine and words here, kept as dictionary columns (categories in pandas).
Arrow columns are made from the bytes of numpy's arrays: Arrow's own conversion imports pandas, half a second
that a run on the command line has no use for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustersim.arrays import Array
from clustersim.engine.ledger import Entry
from clustersim.metrics.replications import columns_of
from clustersim.records import (
    INCIDENT_COLUMNS,
    PEER,
    REPLICATION_COLUMNS,
    STRIP_COLUMNS,
    TIMELINE_COLUMNS,
    Phase,
    Records,
    StripRow,
)
from clustersim.scenario.drawing import drawn_values
from clustersim.scenario.model import Scenario
from clustersim.store import RunError
from clustersim.units import visible

BINS = 400
"""Of the timeline: more than a curve on a page can show, few enough for a small file."""
REPLICATIONS, INCIDENTS, TIMELINE, STRIP = "replications", "incidents", "timeline", "strip"


def replications(scenario: Scenario, records: Sequence[Records]) -> pa.Table:
    """Return one row per replication: what `REPLICATION_COLUMNS` says."""
    return _table(columns_of(records) | drawn_values(scenario, len(records)))


def incidents(scenario: Scenario, records: Records) -> pa.Table:
    """Return one row per incident of a replication: what `INCIDENT_COLUMNS` says."""
    words = {"mode": list(scenario.failures), "doing": [doing.label for doing in Phase]}
    columns = dict(_complete(records.incidents))
    tiers = _chosen(columns.pop("tier") + 1, ["", *tier_names(scenario)])
    shown = {
        name: _chosen(column, words[name]) if name in words else column for name, column in columns.items()
    }
    return _table(shown | {"tier": tiers})


def _complete(columns: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield *columns* in the order of `INCIDENT_COLUMNS`, with those that a simple job has no use for."""
    count = len(columns["time_s"])
    usual: dict[str, Array] = {
        "replica": np.full(count, -1, np.int32),
        "tier": np.full(count, -1),
        "back_s": np.full(count, np.nan),
    }
    for name in [column.name for column in INCIDENT_COLUMNS if "<" not in column.name]:
        yield name, columns.get(name, usual.get(name, np.zeros(count)))
    yield from ((name, column) for name, column in columns.items() if name.startswith("stage_"))


def tier_names(scenario: Scenario) -> list[str]:
    """Return the names of the checkpoint tiers in the order of the file, and that of another replica."""
    return [*(tier.name for tier in scenario.tiers), PEER]


def timeline(_scenario: Scenario, records: Sequence[Records]) -> pa.Table:
    """Return, in 400 equal bins of the longest replication, what `TIMELINE_COLUMNS` says."""
    edges = np.linspace(0.0, max(each.end_s for each in records), BINS + 1)
    shares = np.array([productive_share(each, edges) for each in records])
    low, middle, high = _quantiles(shares, (0.1, 0.5, 0.9))
    columns: dict[str, Array] = {
        "start_s": edges[:-1],
        "end_s": edges[1:],
        "mean": np.nanmean(shares, axis=0),
        "p10": low,
        "p50": middle,
        "p90": high,
        "replication_0": shares[0],
    }
    return _table(columns | _fleet(records, edges[:-1]))


def _fleet(records: Sequence[Records], instants: Array) -> dict[str, Array]:
    """Return the nodes away and the idle spares at *instants* (s) over the replications still running."""
    uses = [(each.fleet, each.end_s) for each in records if each.fleet]
    if len(uses) < len(records):
        unknown = np.full(len(instants), np.nan)
        return dict.fromkeys(("away_mean", "away_p10", "away_p90", "away_0", "idle_mean"), unknown)
    away = np.array([_counted(use.away_curve, end, instants) for use, end in uses])
    idle = np.array([_counted(use.idle_curve, end, instants) for use, end in uses])
    low, high = _quantiles(away, (0.1, 0.9))
    return {
        "away_mean": np.nanmean(away, axis=0),
        "away_p10": low,
        "away_p90": high,
        "away_0": away[0],
        "idle_mean": np.nanmean(idle, axis=0),
    }


def _quantiles(values: Array, chances: Sequence[float]) -> Array:
    """Return, for each of *chances*, the quantile of each column of *values* over the rows that are no NaN.

    `nanquantile` takes one column after the other, some thirty times as long as `quantile` takes.
    """
    known = ~np.isnan(values).any(axis=0)
    found = np.empty((len(chances), values.shape[1]))
    found[:, known] = np.quantile(values[:, known], chances, axis=0)
    found[:, ~known] = np.nanquantile(values[:, ~known], chances, axis=0)
    return found


def _counted(curve: Array, end: float, instants: Array) -> Array:
    """Return a count that is known at equally spaced instants from 0 to *end*; NaN after it."""
    place = np.floor(instants * ((len(curve) - 1) / end) + 1e-6).astype(int)
    return np.where(instants < end, curve[np.minimum(place, len(curve) - 1)], np.nan)


def productive_share(records: Records, edges: Array) -> Array:
    """Return the productive share of the time between *edges* (s); NaN where the replication is over."""
    instants = np.linspace(0.0, records.end_s, len(records.curve))
    kept = np.diff(np.interp(edges, instants, records.curve))
    covered = np.diff(np.minimum(edges, records.end_s))
    running = covered > 1e-9 * records.end_s
    return np.where(running, np.clip(kept / np.where(running, covered, 1.0), 0.0, 1.0), np.nan)


def strip(_scenario: Scenario, records: Sequence[Records]) -> pa.Table:
    """Return a window of replication 0, one row per activity: what `STRIP_COLUMNS` says."""
    rows = [StripRow(*row) for row in records[0].strip]
    columns = {
        "start_s": np.array([row.start for row in rows], dtype=np.float64),
        "end_s": np.array([row.end for row in rows], dtype=np.float64),
        "activity": _words([row.activity for row in rows]),
        "detail": _words([row.detail for row in rows]),
        "lane": np.array([row.lane for row in rows], dtype=np.int32),
    }
    return _table(columns)


SMALL = {REPLICATIONS: replications, TIMELINE: timeline, STRIP: strip}
"""The tables that all replications together make up; incidents, which may be many, go one by one."""


def write(scenario: Scenario, records: Sequence[Records], folder: Path, with_incidents: bool) -> None:
    """Write all tables of a run to *folder*; incidents one replication at a time, a row group each.

    Files are opened here: Arrow takes a path for an address, and knows no name that is not UTF-8.
    """
    for name, make in SMALL.items():
        with (folder / f"{name}.parquet").open("wb") as file:
            pq.write_table(make(scenario, records), file)
    if with_incidents:
        first = incidents(scenario, records[0])
        with (
            (folder / f"{INCIDENTS}.parquet").open("wb") as file,
            pq.ParquetWriter(file, first.schema) as writer,
        ):
            for each in records:
                writer.write_table(incidents(scenario, each))


def frame(scenario: Scenario, records: Sequence[Records], table: str) -> Any:
    """Return a table of a run in memory as a pandas frame."""
    if table == INCIDENTS:
        return pa.concat_tables(incidents(scenario, each) for each in records).to_pandas()
    return SMALL[table](scenario, records).to_pandas()


def read(folder: Path, table: str, replications: int) -> Any:
    """Return a table of a run folder as a pandas frame; of a run of so many *replications*.

    Raises RunError where its file is damaged, or by what it says of itself cannot be such a table: that is
    asked before its rows are read.
    """
    path = folder / f"{table}.parquet"
    try:
        with path.open("rb") as file:
            parquet = pq.ParquetFile(file)
            if why := _wrong_with(table, parquet.metadata.num_rows, parquet.schema_arrow, replications):
                raise RunError(f"{path}: {why}; run the scenario again with --force")
            return _in_range(path, parquet.read().to_pandas())
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path}: cannot be read; run the scenario again with --force") from error


COLUMNS = {
    REPLICATIONS: REPLICATION_COLUMNS,
    INCIDENTS: INCIDENT_COLUMNS,
    TIMELINE: TIMELINE_COLUMNS,
    STRIP: STRIP_COLUMNS,
}
TEXTS = {"mode", "doing", "tier", "activity", "detail"}
"""Columns of words; all others are numbers or truth values."""
MOST_ROWS = {TIMELINE: BINS, STRIP: 1_000_000, INCIDENTS: 20_000_000}
"""More rows are not read: those of incidents would take more than 3 GB."""


def _wrong_with(table: str, rows: int, schema: pa.Schema, replications: int) -> str:
    """Return what of the rows and columns of a file cannot be those of a *table*; empty where all can."""
    most = MOST_ROWS.get(table, replications)
    if rows > most:
        return f"{rows:,} rows, where at most {most:,} can be read"
    if table == REPLICATIONS and rows < replications:
        return f"{rows:,} rows are too few"
    for column in (each.name for each in COLUMNS[table] if "<" not in each.name):
        if column not in schema.names:
            return f"has no column {column}"
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        if not (is_text if field.name in TEXTS else is_number):
            return f"its column {visible(field.name)} holds {visible(str(kind))}"
    return ""


def _in_range(path: Path, frame: Any) -> Any:
    """Return the *frame*; raise `RunError` where a share of time is none."""
    for name in frame.columns.intersection(
        ["ettr", "mean", "p10", "p50", "p90", *(each.label for each in Entry)]
    ):
        values = frame[name].to_numpy(np.float64)
        if not np.all(np.isnan(values) | ((values > -SHARE_TOLERANCE) & (values < 1 + SHARE_TOLERANCE))):
            raise RunError(f"{path}: a share in column {name} is out of its range; run the scenario again")
    return frame


SHARE_TOLERANCE = 1e-6
"""Of shares in a table, which are sums of many seconds."""


def copy(source: Path, folder: Path, with_incidents: bool) -> None:
    """Copy the tables of one run folder to another."""
    for name in (*SMALL, *[INCIDENTS] * with_incidents):
        path = source / f"{name}.parquet"
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _table(columns: Mapping[str, Array | pa.Array]) -> pa.Table:
    """Return a table of *columns*; numpy arrays become numbers, where NaN is null, or truth values."""
    arrays = [column if isinstance(column, pa.Array) else _numbers(column) for column in columns.values()]
    return pa.table(arrays, names=list(columns))


def _numbers(values: Array) -> pa.Array:
    """Return a column of numbers (NaN is null) or of truth values."""
    valid = _bits(~np.isnan(values)) if values.dtype.kind == "f" else None
    data = _bits(values) if values.dtype == np.bool_ else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, data])


def _words(texts: Sequence[str]) -> pa.Array:
    """Return a column of texts."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    )


def _chosen(indices: Array, texts: Sequence[str]) -> pa.DictionaryArray:
    """Return a column of texts, each given by its index in *texts*."""
    return pa.DictionaryArray.from_arrays(_numbers(indices.astype(np.int16)), _words(texts))


def _bits(truth: Array) -> pa.Buffer:
    return pa.py_buffer(np.packbits(truth, bitorder="little"))
