"""The tables of a run, column by column, from its replications: what the Parquet files and the frames hold.

Modes and doings are numbers in the engine and words here, kept as dictionary columns (categories in pandas).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import arrow
from sim.engine.ledger import Entry
from sim.records import Doing, Records
from sim.scenario.model import Scenario
from sim.store import RunError, loaded

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 400
REPLICATIONS, INCIDENTS, TIMELINE, STRIP = "replications", "incidents", "timeline", "strip"


def replications(records: Sequence[Records]) -> pa.Table:
    """Return one row per replication: what `REPLICATION_COLUMNS` says."""
    shares = np.array([[one.ledger[entry.label] for entry in Entry] for one in records])
    shares /= shares.sum(axis=1, keepdims=True)
    columns: dict[str, Any] = {
        "replication": [one.replication for one in records],
        "wall_s": [one.wall_s for one in records],
        "ettr": shares[:, Entry.PRODUCTIVE],
    }
    columns |= {entry.label: shares[:, entry] for entry in Entry}
    columns |= {
        "progress_s": [one.progress_s for one in records],
        "reached_s": [one.reached_s for one in records],
        "interruptions": [one.interruptions for one in records],
        "incidents": [one.incident_count for one in records],
        "spares_left": [one.spares_left for one in records],
    }
    return arrow.table({name: np.asarray(values) for name, values in columns.items()})


def incidents(scenario: Scenario, one: Records) -> pa.Table:
    """Return one row per incident of a replication: what `INCIDENT_COLUMNS` says."""
    words = {"mode": list(scenario.failures), "doing": [doing.label for doing in Doing]}
    return arrow.table(
        {
            name: arrow.chosen(column, words[name]) if name in words else column
            for name, column in loaded(one.incidents).items()
        }
    )


def timeline(records: Sequence[Records]) -> pa.Table:
    """Return the productive share of card-time in 400 equal bins of the longest replication."""
    edges = np.linspace(0.0, max(one.end_s for one in records), BINS + 1)
    shares = np.array([productive_share(one, edges) for one in records])
    low, middle, high = np.nanquantile(shares, (0.1, 0.5, 0.9), axis=0)
    columns: Mapping[str, Array] = {
        "start_s": edges[:-1],
        "end_s": edges[1:],
        "mean": np.nanmean(shares, axis=0),
        "p10": low,
        "p50": middle,
        "p90": high,
        "replication_0": shares[0],
    }
    return arrow.table(columns)


def productive_share(one: Records, edges: Array) -> Array:
    """Return the productive share of the time between *edges* (s); NaN where the replication is over."""
    instants = np.linspace(0.0, one.end_s, len(one.curve))
    kept = np.diff(np.interp(edges, instants, one.curve))
    covered = np.diff(np.minimum(edges, one.end_s))
    running = covered > 1e-9 * one.end_s
    return np.where(running, np.clip(kept / np.where(running, covered, 1.0), 0.0, 1.0), np.nan)


def strip(records: Sequence[Records]) -> pa.Table:
    """Return a window of replication 0, one row per activity: what `STRIP_COLUMNS` says."""
    starts, ends, activities, details = zip(*records[0].strip, strict=True) if records[0].strip else ((),) * 4
    columns = {
        "start_s": np.array(starts, dtype=np.float64),
        "end_s": np.array(ends, dtype=np.float64),
        "activity": arrow.words(activities),
        "detail": arrow.words(details),
    }
    return arrow.table(columns)


def write(scenario: Scenario, records: Sequence[Records], folder: Path, with_incidents: bool) -> None:
    """Write all tables of a run to *folder*; incidents one replication at a time, a row group each."""
    small = {REPLICATIONS: replications(records), TIMELINE: timeline(records), STRIP: strip(records)}
    for name, table in small.items():
        pq.write_table(table, folder / f"{name}.parquet")
    if with_incidents:
        first = incidents(scenario, records[0])
        with pq.ParquetWriter(folder / f"{INCIDENTS}.parquet", first.schema) as writer:
            for table in incident_tables(scenario, records):
                writer.write_table(table)


def incident_tables(scenario: Scenario, records: Sequence[Records]) -> Iterator[pa.Table]:
    """Yield the incidents of each replication in turn."""
    return (incidents(scenario, one) for one in records)


def frame(scenario: Scenario, records: Sequence[Records], table: str) -> Any:
    """Return a table of a run in memory as a pandas frame."""
    if table == INCIDENTS:
        return pa.concat_tables(incident_tables(scenario, records)).to_pandas()
    makers = {REPLICATIONS: replications, TIMELINE: timeline, STRIP: strip}
    return makers[table](records).to_pandas()


def read(folder: Path, table: str) -> Any:
    """Return a table of a run folder as a pandas frame; raise `RunError` where its file is damaged."""
    path = folder / f"{table}.parquet"
    try:
        return pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path}: cannot be read; run the scenario again with --force") from error


def copy(source: Path, folder: Path, with_incidents: bool) -> None:
    """Copy the tables of one run folder to another."""
    for name in (REPLICATIONS, TIMELINE, STRIP, *([INCIDENTS] if with_incidents else [])):
        path = source / f"{name}.parquet"
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
