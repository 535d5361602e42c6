"""Run folders: what they are called, what makes one, and how one takes another's place as a whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from clustersim.store import ChoiceError, RunError, naming
from clustersim.units import visible

TOOL = "clustersim"
SCENARIO, SUMMARY, PROVENANCE = "scenario.yaml", "summary.json", "provenance.json"
REPORT, COMPARISON = "report.html", "comparison.json"
STUDIES = ("tune", "levers", "sweep", "solve", "sensitivity", "fit")
SHARDS = "-shards"
"""How the name of the folder ends that holds the shards of an answer, beside the folder of that."""
NEW, READY = ".new", ".ready"
"""Folders within a run folder, of files that are being written, and that only have to be moved."""
LARGEST_JSON = 100_000_000
"""Bytes; a summary has some ten thousand, a validation a hundred thousand."""
LONGEST_SLUG = 60
"""Longer names are cut in listings, and paths have limits."""
_NO_RUN = re.compile(r"^[.]|@(\d{4}[\dT-]*|unknown(-\d+)?)$")
"""Names of folders that hold no run of their own: hidden, or set aside under a date."""


def slug(name: str) -> str:
    """Return *name* as a folder name that is safe everywhere: small letters, digits and hyphens.

    Letters are without their accents; a name that has none of the Latin ones keeps its own.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slugs = (re.sub(r"[\W_]+", "-", each).strip("-") for each in (plain, unicodedata.normalize("NFC", name)))
    return next(filter(None, slugs), "scenario")[:LONGEST_SLUG].strip("-")


def unfinished(folder: Path) -> Path:
    """Return the hidden folder beside *folder* that keeps the finished replications of an unfinished run.

    It lies beside the folder that a link leads to, and within a mount point, beside which is another disk.
    """
    real = _real(folder)
    return (real if os.path.ismount(real) else real.parent) / f".{real.name}.partial"


def _real(folder: Path) -> Path:
    """Return where the link *folder* leads to, or itself; one without a name, such as `.`, by its path."""
    return Path(os.path.realpath(folder)) if folder.is_symlink() or not folder.name else folder


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; the files that are written there take their places in *folder*, all or none.

    They are written within *folder*, renamed to say that they are ready, and moved one by one: cut short
    there, `settle` goes on.  Nothing else in the folder is touched, and the folder stays what it is, a link
    or a mount point too.
    """
    real = _real(folder)
    was_there = real.is_dir()
    real.mkdir(parents=True, exist_ok=True)
    settle(real)
    new = real / NEW
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir()
        with naming(folder):
            yield new
        os.replace(new, real / READY)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        if not was_there:
            with suppress(OSError):
                real.rmdir()
        raise
    settle(real)


def settle(folder: Path) -> None:
    """Let the files that are ready in *folder* take their places, if there are any."""
    ready = folder / READY
    if not ready.is_dir():
        return
    with suppress(FileNotFoundError):  # where another process does the same
        for path in sorted(ready.iterdir()):
            os.replace(path, folder / path.name)
        ready.rmdir()


def set_aside(folder: Path, date: str) -> Path:
    """Give *folder* another name, `<name>@<date>`, with all that is in it, and return that.

    Finished replications of studies that are not finished stay.
    """
    real = _real(folder)
    aside = _free(real.with_name(f"{real.name}@{_plain_date(date)}"))
    os.rename(real, aside)
    for path in aside.glob(".*.partial"):
        real.mkdir(exist_ok=True)
        os.replace(path, real / path.name)
    return aside


def set_file_aside(path: Path) -> Path | None:
    """Give the file at *path*, if there is one, another name, `<name>@<date>` of its change; return that."""
    if not path.is_file():
        return None
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    aside = _free(path.with_name(f"{path.stem}@{_plain_date(changed)}{path.suffix}"), path.suffix)
    os.rename(path, aside)
    return aside


def _plain_date(date: str) -> str:
    """Return a date as part of a name: `2026-11-29T06-50-00`."""
    return re.sub(r"[^0-9T]+", "-", date.removesuffix("+00:00")).strip("-") or "unknown"


def _free(path: Path, suffix: str = "") -> Path:
    """Return *path*, or with a number before its *suffix* the first like it that is not there."""
    stem = path.name.removesuffix(suffix)
    numbered = (path.with_name(f"{stem}-{number}{suffix}") for number in count(2))
    return path if not path.exists() else next(each for each in numbered if not each.exists())


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in *folder*, by name."""
    return {path.name: _checksum(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(folder: Path, name: str, provenance: Mapping[str, Any]) -> None:
    """Raise `RunError` unless a file of a run is as it was written; runs without checksums are older."""
    listed = provenance.get("files")
    wanted = listed.get(name) if isinstance(listed, dict) else None
    if wanted is not None and not (folder / name).is_file():
        raise RunError(f"{folder / name}: is missing; run the scenario again with --force")
    if wanted is not None and _checksum(folder / name) != wanted:
        raise RunError(
            f"{folder / name}: has changed since it was written; run the scenario again with --force"
        )


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; raise `RunError` where there is none."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise RunError(f"{path}: is larger than any file that clustersim writes, and not read")
        value = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError:
        raise RunError(f"{path}: not valid JSON here: nested too deep") from None
    except ValueError as error:
        raise RunError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: not a JSON object")
    return value


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write *value* as JSON, the same bytes for the same value, whole or not at all."""
    write_text(path, as_json(value) + "\n")


def as_json(value: Mapping[str, Any]) -> str:
    """Return *value* as JSON for people; what a terminal would obey, or nobody sees, is escaped in it."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    return "".join(each if visible(each) == each else json.dumps(each)[1:-1] for each in line)


def write_text(path: Path, text: str) -> None:
    """Write *text*, whole or not at all."""
    with replacing_file(path) as new:
        new.write_text(text, "utf-8", "backslashreplace")


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a new file that takes the place of the one at *path* once it is written."""
    new = path.with_name(f".{path.name}.new")
    try:
        with naming(path):
            yield new
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def is_run_folder(folder: Path) -> bool:
    """Return whether *folder* holds a finished run, once what is ready in it has its place."""
    settle(_real(folder))
    if not all((folder / name).is_file() for name in (SCENARIO, SUMMARY, PROVENANCE)):
        return False
    try:
        return bool(read_json(folder / PROVENANCE).get("tool") == TOOL)
    except RunError:
        return False


def refuse_taken(folder: Path, what: str = "run", holds: Callable[[Path], bool] = is_run_folder) -> None:
    """Raise `RunError` where *folder* is a file, or a folder with something else than a run in it.

    Or than *what* else is to be written there: *holds* says whether a folder has one already.
    """
    refuse_file(folder)
    if folder.is_dir():
        settle(_real(folder))
    strange = folder.is_dir() and any(not _is_ours(path.name) for path in folder.iterdir())
    if strange and not holds(folder):
        raise RunError(f"{folder}: holds something else than a {what}, and is left alone; give another -o")


def _is_ours(name: str) -> bool:
    """Return whether a run folder may have that in it without any run: studies, and what is not finished."""
    return name in (*STUDIES, NEW) or re.fullmatch(rf"\..*\.partial|.*{SHARDS}", name) is not None


def refuse_file(folder: Path) -> None:
    """Raise `RunError` where *folder* is a file."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, not a folder; give another -o")


def refuse_run_folder(folder: Path) -> None:
    """Raise `RunError` where *folder*, to hold several runs, is a file or a run itself."""
    refuse_file(folder)
    if is_run_folder(folder):
        raise RunError(f"{folder}: is the folder of one run, and cannot hold several; give another -o")


def one_folder_each(names: Sequence[str], base: Path) -> list[Path]:
    """Return a folder below *base* for each scenario name; raise `ChoiceError` where two would share one."""
    slugs = [slug(name) for name in names]
    for position, each in enumerate(slugs):
        if each in slugs[:position]:
            first, second = names[slugs.index(each)], names[position]
            raise ChoiceError(f'"{first}" and "{second}" would share a folder; give one of them another name')
    return [base / each for each in slugs]


def runs_in(folder: Path) -> list[Path]:
    """Return *folder* if it is a run, else the runs in it: in a comparison's order, or by name."""
    if is_run_folder(folder) or not folder.is_dir():
        return [folder]
    listed = folder / COMPARISON
    names = read_json(listed).get("runs", []) if listed.is_file() else []
    if not isinstance(names, list) or any(str(name) != Path(str(name)).name for name in names):
        raise RunError(f"{listed}: its runs are no names of folders; compare the scenarios again")
    runs = [folder / str(name) for name in names] or sorted(
        path for path in folder.iterdir() if not _NO_RUN.search(path.name) and is_run_folder(path)
    )
    return runs or [folder]
