"""Finished replications, in memory or on disk, so that an interrupted run or study can go on from them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clustersim.records import FleetUse, Records

Array = np.ndarray[Any, np.dtype[Any]]

KEY_FILE, LOCK_FILE, MEASURED = "key.json", "lock", "measured.npy"
COLUMNS = ("incidents", "segments")
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
    """Return the replication in *path*; its incidents and segments stay on disk until asked for."""
    with np.load(path) as file:
        fields: dict[str, Any] = json.loads(str(file["small"]))
        fields |= {name: np.asarray(file[name]) for name in ARRAYS}
        if "fleet" in fields:
            columns = {name: np.asarray(file[f"fleet/{name}"]) for name in FLEET_ARRAYS}
            fields["fleet"] = FleetUse(waiting_s=fields["fleet"], **columns)
    fields |= {table: StoredColumns(path, table, tuple(fields[table])) for table in COLUMNS}
    fields["strip"] = tuple(tuple(row) for row in fields["strip"])
    return Records(**fields)


class ReplicationStore:
    """The finished replications of one scenario, kept in memory: those from number *start* on."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.finished: dict[int, Any] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.finished)} replications)"

    def put(self, records: Records) -> None:
        """Keep one more replication."""
        self.finished[records.replication] = records

    def first(self, count: int) -> list[Any]:
        """Return what is kept of the first *count* replications."""
        return [self.finished[replication] for replication in range(self.start, self.start + count)]

    def ettr(self, count: int) -> list[float]:
        """Return ETTR of the first *count* replications."""
        return [records.ettr for records in self.first(count)]

    def drawn(self, count: int) -> bool:
        """Return whether anything was drawn at random in the first *count* replications."""
        return any(records.drawn for records in self.first(count))

    def missing(self, count: int) -> list[int]:
        """Return those of the first *count* replications that are not finished."""
        numbers = range(self.start, self.start + count)
        return [replication for replication in numbers if replication not in self.finished]


Kept = Mapping[str, Array]
Measures = Mapping[str, Callable[[Records], Any]]
"""What is kept of a replication: numbers and arrays by name, each made from its records."""
ETTR, DRAWN = "ettr", "drawn"


class Measurements(ReplicationStore):
    """Of each finished replication of one scenario only what *measures* make of it, by name.

    And what a precision asks for: its ETTR, and whether anything in it was drawn at random.
    """

    def __init__(self, measures: Measures | None = None, start: int = 0) -> None:
        super().__init__(start)
        self.measures: dict[str, Callable[[Records], Any]] = {
            ETTR: lambda records: records.ettr,
            DRAWN: lambda records: records.drawn,
            **(measures or {}),
        }
        self.on_put: Callable[[int, Kept], None] | None = None

    def put(self, records: Records) -> None:
        """Measure one more replication."""
        kept = {name: np.asarray(measure(records)) for name, measure in self.measures.items()}
        self.finished[records.replication] = kept
        if self.on_put is not None:
            self.on_put(records.replication, kept)

    def take_up(self, measured: Mapping[int, Kept]) -> None:
        """Take replications that were measured before, as far as they hold all that is measured now."""
        self.finished |= {
            number: kept for number, kept in measured.items() if self.measures.keys() <= kept.keys()
        }

    def ettr(self, count: int) -> list[float]:
        """Return ETTR of the first *count* replications."""
        return [float(kept[ETTR]) for kept in self.first(count)]

    def drawn(self, count: int) -> bool:
        """Return whether anything was drawn at random in the first *count* replications."""
        return any(bool(kept[DRAWN]) for kept in self.first(count))


class UnfinishedFolder:
    """A hidden folder for what is finished of a run or a study that is not; one process at a time holds it.

    Its key (what, of which scenario, by which version) says what it holds; under another key that is of no
    use, and is thrown away.
    """

    def __init__(self, path: Path, key: Mapping[str, str]) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        names = {file.name for file in path.iterdir()}
        if names - {LOCK_FILE} and KEY_FILE not in names:
            raise RunError(f"{path}: not a folder of unfinished replications; move it away")
        self._lock: int | None = _locked(path / LOCK_FILE)
        if not self._holds(key):
            self.empty()
            (path / KEY_FILE).write_text(json.dumps(dict(key)))

    def _holds(self, key: Mapping[str, str]) -> bool:
        try:
            return bool(json.loads((self.path / KEY_FILE).read_text()) == dict(key))
        except (OSError, ValueError):
            return False

    def empty(self) -> None:
        """Throw away what is finished."""
        for file in self.path.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name not in (LOCK_FILE, KEY_FILE):
                file.unlink()

    def release(self, *, keep: bool) -> None:
        """Let other processes use the folder; unless it is to be kept, it is gone."""
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class DiskReplicationStore(ReplicationStore):
    """The finished replications of one scenario in a folder, one file each, under a key.

    Without *resume* those of an earlier run are thrown away: `discarded` says how many.
    """

    def __init__(self, folder: Path, key: Mapping[str, str], *, resume: bool) -> None:
        super().__init__()
        self._folder = UnfinishedFolder(folder, key)
        files = sorted(folder.glob("*.npz"))
        self.discarded = 0 if resume else len(files)
        if not resume:
            self._folder.empty()
        for path in files if resume else ():
            with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
                super().put(read_records(path))

    def put(self, records: Records) -> None:
        """Write one more replication, and keep it without its columns."""
        super().put(write_records(records, self._folder.path / f"{records.replication:05}.npz"))

    def release(self) -> None:
        """Let other processes use the folder; what is finished stays."""
        self._folder.release(keep=bool(self.finished))

    def remove(self) -> None:
        """Throw the folder away."""
        self._folder.release(keep=False)


class MeasurementFile:
    """What was measured of the replications of many scenarios, in one file that only grows.

    Each scenario has a key of its own.  Killed at any instant, the file loses at most the replication that
    was being written.  Without *resume* an earlier one is thrown away: `discarded` says how many it held.
    """

    def __init__(self, folder: Path, key: Mapping[str, str], *, resume: bool) -> None:
        self._folder = UnfinishedFolder(folder, key)
        self.measured: dict[str, dict[int, Kept]] = {}
        path = folder / MEASURED
        end = self._read(path) if path.exists() else 0
        self.count = sum(map(len, self.measured.values()))
        self.discarded = 0 if resume else self.count
        if not resume:
            self.measured, self.count, end = {}, 0, 0
        self._file = path.open("r+b" if path.exists() else "wb")
        self._file.truncate(end)
        self._file.seek(end)

    def _read(self, path: Path) -> int:
        """Read what is whole, and return where it ends."""
        end = 0
        with path.open("rb") as file, contextlib.suppress(EOFError, ValueError, OSError):
            while True:
                scenario, number, *names = json.loads(str(np.load(file)))
                self.measured.setdefault(scenario, {})[number] = {name: np.load(file) for name in names}
                end = file.tell()
        return end

    def put(self, scenario: str, replication: int, kept: Kept) -> None:
        """Write what was measured of one more replication of the *scenario* with that key."""
        np.save(self._file, np.array(json.dumps([scenario, replication, *kept])))
        for values in kept.values():
            np.save(self._file, values)
        self._file.flush()
        self.count += 1

    def release(self, *, keep: bool) -> None:
        """Close the file; unless it is to be kept, it is gone with its folder."""
        self._file.close()
        self._folder.release(keep=keep and self.count > 0)


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
