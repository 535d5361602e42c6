"""Finished replications on disk, one file each, so that an interrupted run can go on from them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clustersim.records import FleetUse, Records

Array = np.ndarray[Any, np.dtype[Any]]

KEY_FILE, LOCK_FILE = "key.json", "lock"
COLUMNS = ("incidents", "stretches")
ARRAYS = ("charges", "stages", "incidents_by_mode", "curve")
FLEET_ARRAYS = ("away_s", "away_curve", "idle_curve")
SCALARS = (
    "replication",
    "end_s",
    "wall_s",
    "ledger",
    "progress_s",
    "reached_s",
    "interruptions",
    "incident_count",
    "spares_left",
    "strip",
    "drawn",
)


class RunError(Exception):
    """A run that cannot go on for a reason outside the scenario, said in one sentence."""

    exit_code = 1


class ChoiceError(RunError):
    """What was asked for contradicts itself, or names something that is not there."""

    exit_code = 2


class StoredColumns(Mapping[str, Array]):
    """The columns of a table that rests in a file: read when asked for, and not kept."""

    def __init__(self, path: Path, table: str, names: tuple[str, ...]) -> None:
        self._path = path
        self._table = table
        self._names = names

    def __repr__(self) -> str:
        return f"StoredColumns({str(self._path)!r}, {self._table!r})"

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        with np.load(self._path) as file:
            return np.asarray(file[f"{self._table}/{name}"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def load(self) -> dict[str, Array]:
        """Return all columns, with one reading of the file."""
        with np.load(self._path) as file:
            return {name: np.asarray(file[f"{self._table}/{name}"]) for name in self._names}


def loaded(columns: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return *columns* in memory, wherever they rest."""
    return columns.load() if isinstance(columns, StoredColumns) else columns


def write_records(records: Records, path: Path) -> Records:
    """Write *records* to *path*, whole or not at all; return them with their columns left on disk."""
    small = {name: getattr(records, name) for name in SCALARS}
    small |= {name: tuple(getattr(records, name)) for name in COLUMNS}
    arrays = {name: getattr(records, name) for name in ARRAYS}
    for table in COLUMNS:
        arrays |= {f"{table}/{name}": column for name, column in getattr(records, table).items()}
    if records.fleet is not None:
        small["fleet"] = float(records.fleet.waiting_s)
        arrays |= {f"fleet/{name}": getattr(records.fleet, name) for name in FLEET_ARRAYS}
    unfinished = path.with_suffix(".new")
    with unfinished.open("wb") as file:
        np.savez(file, small=np.array(json.dumps(small)), **arrays)
    os.replace(unfinished, path)
    return _resting(records, path)


def _resting(records: Records, path: Path) -> Records:
    """Return *records* with the columns of their tables left in the file at *path*."""
    columns: dict[str, Any] = {
        table: StoredColumns(path, table, tuple(getattr(records, table))) for table in COLUMNS
    }
    return replace(records, **columns)


def read_records(path: Path) -> Records:
    """Return the replication in *path*; its incidents and stretches stay on disk until asked for."""
    with np.load(path) as file:
        fields: dict[str, Any] = json.loads(str(file["small"]))
        fields |= {name: np.asarray(file[name]) for name in ARRAYS}
        if "fleet" in fields:
            columns = {name: np.asarray(file[f"fleet/{name}"]) for name in FLEET_ARRAYS}
            fields["fleet"] = FleetUse(waiting_s=fields["fleet"], **columns)
    fields |= {table: StoredColumns(path, table, tuple(fields[table])) for table in COLUMNS}
    fields["strip"] = tuple(tuple(row) for row in fields["strip"])
    return Records(**fields)


class Shelf:
    """The finished replications of one scenario, kept in memory."""

    def __init__(self) -> None:
        self.finished: dict[int, Records] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.finished)} replications)"

    def put(self, records: Records) -> None:
        """Keep one more replication."""
        self.finished[records.replication] = records

    def first(self, count: int) -> list[Records]:
        """Return the replications 0 to *count* - 1."""
        return [self.finished[replication] for replication in range(count)]

    def ettr(self, count: int) -> list[float]:
        """Return ETTR of the replications 0 to *count* - 1."""
        return [records.ettr for records in self.first(count)]

    def missing(self, count: int) -> list[int]:
        """Return those of the first *count* replications that are not finished."""
        return [replication for replication in range(count) if replication not in self.finished]


class DiskShelf(Shelf):
    """The finished replications of one scenario in a folder, one file each, under a key.

    The key (scenario hash, version) says what they are replications of; under another key they are of no use
    and are thrown away.  One process at a time may hold the folder.
    """

    def __init__(self, folder: Path, key: Mapping[str, str], *, resume: bool) -> None:
        super().__init__()
        self.folder = folder
        self.discarded = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._refuse_foreign()
        self._lock: int | None = _locked(folder / LOCK_FILE)
        if self._holds(key):
            self._take_up(resume)
        else:
            self._empty()
        (folder / KEY_FILE).write_text(json.dumps(dict(key)))

    def put(self, records: Records) -> None:
        """Write one more replication, and keep it without its columns."""
        super().put(write_records(records, self.folder / f"{records.replication:05}.npz"))

    def release(self) -> None:
        """Let other processes use the folder; what is finished stays."""
        if not self.finished:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Throw the folder away."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()

    def _refuse_foreign(self) -> None:
        names = {path.name for path in self.folder.iterdir()}
        if names - {LOCK_FILE} and KEY_FILE not in names:
            raise RunError(f"{self.folder}: not a folder of unfinished replications; move it away")

    def _holds(self, key: Mapping[str, str]) -> bool:
        try:
            return bool(json.loads((self.folder / KEY_FILE).read_text()) == dict(key))
        except (OSError, ValueError):
            return False

    def _take_up(self, resume: bool) -> None:
        files = sorted(self.folder.glob("*.npz"))
        if not resume:
            self.discarded = len(files)
            self._empty()
            return
        for path in files:
            with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
                super().put(read_records(path))

    def _empty(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK_FILE:
                path.unlink()


def _locked(path: Path) -> int:
    """Return an open file that only one process at a time can hold; released when the process ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise RunError(
            f"{path.parent}: another clustersim is writing this run; wait for it, or use another -o"
        ) from error
    except (ImportError, OSError):
        return handle  # Windows, and file systems without locks: there is nothing to hold
    return handle
