"""Finished replications, in memory or on disk, so that an interrupted run or study can go on from them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.records import FleetUse, Records

Kept = Mapping[str, Array]
Measures = Mapping[str, Callable[[Records], Any]]
"""What is kept of a replication: numbers and arrays by name, each made from its records."""

KEY_FILE, LOCK_FILE, FINISHED, RESULTS = "key.json", "lock", "finished.npy", "results.dat"
NEW_KEY_FILE = ".key.json.new"
_FILES = (FINISHED, RESULTS, NEW_KEY_FILE, KEY_FILE)
_ASIDE = re.compile("[0-9a-f]{16}")
RESULT, COUNT = "result", "count"
MOST_AT_ONCE = 1 << 24
"""Bytes that are copied at a time."""
TABLES = ("incidents", "segments")
"""The large tables of a replication: their columns rest on disk until they are asked for, as results do."""


class RunError(Exception):
    """A run that cannot go on for a reason outside the scenario, said in one sentence."""

    exit_code = 1


class ChoiceError(RunError):
    """What was asked for contradicts itself, or names something that is not there."""

    exit_code = 2


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Let an OSError that names no file, of a disk that is full, say, name the one at *path*."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        why = error.strerror or "cannot be written to its end; is the disk full?"
        raise OSError(error.errno or errno.EIO, why, str(path)) from error


class ColumnsOnDisk(Mapping[str, Array]):
    """Columns that rest in a file, by name, each at its place in it: read when asked for, and not kept."""

    def __init__(self, path: Path, places: Mapping[str, int]) -> None:
        self._path = path
        self._places = places

    def __repr__(self) -> str:
        return f"ColumnsOnDisk({str(self._path)!r}, {list(self._places)})"

    def __getitem__(self, name: str) -> Array:
        place = self._places[name]
        with self._path.open("rb") as file:
            file.seek(place)
            return np.asarray(np.load(file))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def arrays_of(records: Records) -> dict[str, Array]:
    """Return all that *records* hold as arrays by name.

    Columns of a table are called `table/column`, what the fleet did `fleet.name`; what is no array stands
    together in one, as JSON.
    """
    values = {each.name: getattr(records, each.name) for each in fields(Records)}
    fleet = values.pop("fleet")
    for table in TABLES:
        values |= {f"{table}/{name}": column for name, column in values.pop(table).items()}
    values |= {f"fleet.{each.name}": getattr(fleet, each.name) for each in (fields(fleet) if fleet else ())}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    small = {name: value for name, value in values.items() if name not in arrays}
    return {"small": np.array(json.dumps(small)), **arrays}


def records_of(arrays: Kept, tables: Mapping[str, Kept]) -> Records:
    """Return the replication that has these *arrays* and *tables*."""
    values: dict[str, Any] = {**arrays, **json.loads(str(arrays["small"])), **tables}
    del values["small"]
    fleet = {name.removeprefix("fleet."): values.pop(name) for name in list(values) if name[:6] == "fleet."}
    strip = tuple(tuple(row) for row in values.pop("strip"))
    return Records(**values, strip=strip, fleet=FleetUse(**fleet) if fleet else None)


class StoreEntry:
    """One finished replication in a file: the arrays in memory, and where its tables rest."""

    def __init__(self, path: Path) -> None:
        self.arrays: dict[str, Array] = {}
        self._path = path
        self._places: dict[str, dict[str, int]] = {table: {} for table in (*TABLES, RESULT)}

    def rests(self, name: str, place: int) -> bool:
        """Return whether the array called *name*, at that *place*, is a column of a table, left on disk."""
        table, slash, column = name.partition("/")
        if slash:
            self._places[table][column] = place
        return bool(slash)

    @property
    def tables(self) -> dict[str, ColumnsOnDisk]:
        """The tables."""
        return {table: ColumnsOnDisk(self._path, places) for table, places in self._places.items() if places}


Entries = dict[str, dict[int, StoreEntry]]
"""The finished replications in a file, by the key of their scenario and by number."""


def read_entries(path: Path) -> tuple[Entries, int]:
    """Return what is whole in the file at *path*, and where that ends; nothing where there is no file."""
    entries, end = Entries(), 0
    if not path.exists():
        return entries, end
    size = path.stat().st_size
    # Whatever is wrong with what comes behind, all that is whole before it counts.
    with path.open("rb") as file, suppress(Exception):
        while True:
            scenario, number, *names = json.loads(str(np.load(file)))
            entry = StoreEntry(path)
            for name in names:
                if entry.rests(name, file.tell()):
                    _skip_array(file)
                else:
                    entry.arrays[name] = np.load(file)
            if file.tell() > size:
                break
            _add(entries, scenario, {number: entry})
            end = file.tell()
    return entries, end


def _add(entries: Entries, scenario: str, numbered: Mapping[int, StoreEntry]) -> None:
    """Add replications of a *scenario* to *entries*; what is measured of one already stays beside the new."""
    there = entries.setdefault(scenario, {})
    for number, entry in numbered.items():
        if number in there:
            entry.arrays = there[number].arrays | entry.arrays
        there[number] = entry


def kept_in(folder: Path) -> int:
    """Return of how many replications *folder* holds what is finished, or the results."""
    replications, results = read_entries(folder / FINISHED)[0], read_entries(folder / RESULTS)[0]
    condensed = sum(int(each.arrays[COUNT]) for each in results.get(RESULT, {}).values())
    return sum(map(len, replications.values())) + condensed


def _skip_array(file: BinaryIO) -> None:
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    file.seek(int(np.prod(shape)) * dtype.itemsize, os.SEEK_CUR)


def hand_over(folder: Path, target: Path) -> None:
    """Move what is finished under the key that *folder* has to *target*; what was put aside in it stays.

    Cut short at any instant, `take_back` undoes it.
    """
    _move(_FILES, folder, target)
    if not _put_aside(folder):
        shutil.rmtree(folder, ignore_errors=True)


def drop(folder: Path) -> None:
    """Remove what *folder* holds, its key last: cut short, nothing lies there that belongs to no key."""
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def take_back(target: Path, folder: Path) -> None:
    """Move to *folder* what was handed over to *target*."""
    if any((target / name).is_file() for name in _FILES):
        folder.mkdir(parents=True, exist_ok=True)
        _move(_FILES[::-1], target, folder)


class UnfinishedFile:
    """What is finished of a run or a study that is not, in one file that only grows, in a hidden folder.

    One process at a time holds it.  Its key (what, of which scenario, by which version) says what it holds.
    What is there under other keys is put aside in the same folder, and taken up again under its own key:
    `others` says how often.  Within the file each scenario has a key of its own.  Killed at any instant, it
    loses at most the replication that was being written.  Without *resume* what is there under the same key
    is thrown away: `discarded` says how many replications that were.
    """

    def __init__(self, folder: Path, key: Mapping[str, str], *, resume: bool) -> None:
        self._folder = folder
        self.path = folder / FINISHED
        folder.mkdir(parents=True, exist_ok=True)
        if any(
            path.name not in (LOCK_FILE, *_FILES) and not _ASIDE.fullmatch(path.name)
            for path in folder.iterdir()
        ):
            raise RunError(f"{folder}: not a folder of unfinished replications; move it away")
        self._lock = _locked(folder / LOCK_FILE)
        self._results_path = folder / RESULTS
        self._make_room(json.dumps(dict(key)))
        self.entries, end = read_entries(self.path)
        results, end_of_results = read_entries(self._results_path)
        self.results = results.get(RESULT, {})
        self.discarded = 0 if resume else self.count
        if not resume:
            self.entries, self.results, end, end_of_results = {}, {}, 0, 0
        self._file = _opened(self.path, end)
        self._results = _opened(self._results_path, end_of_results)

    def _make_room(self, key: str) -> None:
        """Put aside what is there under another key, and take up what was put aside under this one.

        Cut short at any instant, it is gone on with by the next start, under whatever key: what is there is
        never without its own, which leaves last and comes first, and is written only where there is none.
        """
        there = self._folder / KEY_FILE
        if there.is_file() and (other := there.read_text("utf-8", "replace")) != key:
            _move(_FILES, self._folder, self._folder / _aside(other))
        _move(_FILES[::-1], self._folder / _aside(key), self._folder)
        if not there.exists():
            new = self._folder / NEW_KEY_FILE
            with naming(there):
                new.write_text(key, "utf-8")
            os.replace(new, there)

    def take(self, folder: Path) -> None:
        """Add all that is whole in another such *folder*, which stays as it is."""
        for name, file in ((FINISHED, self._file), (RESULTS, self._results)):
            entries, end = read_entries(folder / name)
            if end:
                with naming(self._folder / name), (folder / name).open("rb") as other:
                    while end:
                        end -= file.write(other.read(min(end, MOST_AT_ONCE)))
                for key, numbered in entries.items():
                    if name == RESULTS:
                        self.results.update(numbered)
                    else:
                        _add(self.entries, key, numbered)

    @property
    def others(self) -> list[Path]:
        """The folders in which lies what is finished under other keys."""
        return _put_aside(self._folder)

    @property
    def count(self) -> int:
        """How many replications it holds, or holds the results of."""
        condensed = sum(int(result.arrays[COUNT]) for result in self.results.values())
        return sum(map(len, self.entries.values())) + condensed

    def put(self, scenario: str, replication: int, kept: Kept) -> StoreEntry:
        """Write what is *kept* of one more replication of the *scenario* with that key."""
        entry = _append(self._file, self.path, (scenario, replication), kept)
        _add(self.entries, scenario, {replication: entry})
        return entry

    def condense(self, results: Mapping[int, Kept], but: str) -> None:
        """Keep these *results*, by number, in place of all replications, of which they were made.

        So neither the file nor memory grows with the replications of a study of many points: the arrays of a
        result rest on disk.  Its `count` says of how many replications it was made.  Those of the scenario
        with the key *but* stay.
        """
        for number, kept in results.items():
            columns = {f"{RESULT}/{name}": values for name, values in kept.items() if name != COUNT}
            arrays = {COUNT: np.asarray(kept[COUNT]), **columns}
            self.results[number] = _append(self._results, self._results_path, (RESULT, number), arrays)
        staying = self.entries.pop(but, {})
        self.entries = {but: staying} if staying else {}
        self._file.seek(0)
        self._file.truncate()
        for replication, entry in staying.items():
            _append(self._file, self.path, (but, replication), entry.arrays)

    def release(self, *, keep: bool) -> None:
        """Let other processes use the folder; unless it is to be kept, and holds something, it is gone."""
        with suppress(OSError):  # of a full disk, which has been told before
            self._file.close()
            self._results.close()
        if not keep or not self.count:
            for name in _FILES:
                (self._folder / name).unlink(missing_ok=True)
            if not self.others:
                shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


def _put_aside(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _ASIDE.fullmatch(path.name)]


def _aside(key: str) -> str:
    """Return the name of the folder in which lies what is finished under a *key*."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _move(names: Sequence[str], source: Path, target: Path) -> None:
    """Move what is finished, files of these *names* one after the other, from one folder to another."""
    for name in names:
        if (source / name).is_file() and not (target / name).exists():
            target.mkdir(exist_ok=True)
            os.replace(source / name, target / name)
    with suppress(OSError):
        source.rmdir()  # unless there is more in it


def _opened(path: Path, end: int) -> BinaryIO:
    """Return the file at *path*, open for writing behind *end*, where what is whole in it ends."""
    file = path.open("r+b" if path.exists() else "wb")
    file.truncate(end)
    file.seek(end)
    return file


def _append(file: BinaryIO, path: Path, key: tuple[str, int], kept: Kept) -> StoreEntry:
    """Write what is *kept* under a *key* to the end of an open file, and return where it rests."""
    entry = StoreEntry(path)
    with naming(path):
        np.save(file, np.array(json.dumps([*key, *kept])))
        for name, values in kept.items():
            if not entry.rests(name, file.tell()):
                entry.arrays[name] = values
            np.save(file, values)
        file.flush()
    return entry


def _locked(path: Path) -> int:
    """Return an open file that only one process at a time can hold; released when the process ends."""
    # As open as the other files, by the umask: whoever may go on with what is kept has to hold this one.
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
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


class ReplicationStore:
    """The finished replications of one scenario, from number *start* on.

    Where there is a *file*, each is written to it under the *key* of the scenario, and those that are in it
    already count; their tables are left there.
    """

    def __init__(self, start: int = 0, file: UnfinishedFile | None = None, key: str = "") -> None:
        self.start = start
        self._file = file
        self._key = key
        entries = file.entries.get(key, {}) if file else {}
        self.finished: dict[int, Any] = {}
        for number, entry in entries.items():
            # What another state of the program has written, or somebody damaged, is simulated again.
            with suppress(LookupError, TypeError, ValueError):
                if self._whole(entry):
                    self.finished[number] = self._back(entry)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.finished)} replications)"

    def _back(self, entry: StoreEntry) -> Any:
        return records_of(entry.arrays, entry.tables)

    def _whole(self, entry: StoreEntry) -> bool:
        """Return whether the *entry* of a file holds all that is kept here."""
        return "small" in entry.arrays

    def put(self, records: Records | Measured) -> None:
        """Keep one more replication."""
        assert isinstance(records, Records)
        if self._file is not None:
            tables: dict[str, Any] = self._file.put(self._key, records.replication, arrays_of(records)).tables
            records = replace(records, **tables)
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

    def struck(self, count: int) -> Array:
        """Return how often each failure mode struck in the first *count* replications together."""
        return np.asarray(sum(np.asarray(records.incidents_by_mode) for records in self.first(count)))

    def missing(self, count: int) -> list[int]:
        """Return those of the first *count* replications that are not finished."""
        numbers = range(self.start, self.start + count)
        return [replication for replication in numbers if replication not in self.finished]


ETTR, DRAWN, STRUCK = "ettr", "drawn", "struck"


class Measured(NamedTuple):
    """What measures have made of a replication, by name, wherever it was simulated."""

    replication: int
    kept: dict[str, Array]

    @property
    def ettr(self) -> float:
        """Its ETTR."""
        return float(self.kept[ETTR])


def measured(measures: Measures, records: Records) -> Measured:
    """Return what *measures* make of a replication."""
    kept = {name: np.asarray(measure(records)) for name, measure in measures.items()}
    return Measured(records.replication, kept)


class Measurements(ReplicationStore):
    """Of each finished replication of one scenario only what *measures* make of it, by name.

    And what a precision asks for: its ETTR, whether anything in it was drawn at random, and what struck.
    """

    def __init__(
        self,
        measures: Measures | None = None,
        start: int = 0,
        file: UnfinishedFile | None = None,
        key: str = "",
    ) -> None:
        self.measures: Measures = {
            ETTR: attrgetter("ettr"),
            DRAWN: attrgetter("drawn"),
            STRUCK: attrgetter("incidents_by_mode"),
            **(measures or {}),
        }
        super().__init__(start, file, key)

    def _back(self, entry: StoreEntry) -> Any:
        return entry.arrays

    def _whole(self, entry: StoreEntry) -> bool:
        return self.measures.keys() <= entry.arrays.keys()

    def put(self, records: Records | Measured) -> None:
        """Measure one more replication, unless that was done where it was simulated."""
        found = records if isinstance(records, Measured) else measured(self.measures, records)
        self.finished[found.replication] = found.kept
        if self._file is not None:
            self._file.put(self._key, found.replication, found.kept)

    def ettr(self, count: int) -> list[float]:
        """Return ETTR of the first *count* replications."""
        return [float(kept[ETTR]) for kept in self.first(count)]

    def drawn(self, count: int) -> bool:
        """Return whether anything was drawn at random in the first *count* replications."""
        return any(bool(kept[DRAWN]) for kept in self.first(count))

    def struck(self, count: int) -> Array:
        """Return how often each failure mode struck in the first *count* replications together."""
        return np.asarray(sum(kept[STRUCK] for kept in self.first(count)))
