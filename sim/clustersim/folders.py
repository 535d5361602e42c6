"""Run folders: what they are called, what makes one, and how one takes another's place as a whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clustersim.store import ChoiceError, RunError
from clustersim.units import visible

TOOL = "clustersim"
SCENARIO, SUMMARY, PROVENANCE = "scenario.yaml", "summary.json", "provenance.json"
REPORT, COMPARISON = "report.html", "comparison.json"
STUDIES = ("tune", "levers", "sweep", "solve")
BESIDE = (*STUDIES, *(f".{name}.partial" for name in STUDIES))
"""Folders that studies, finished or not, keep within a run folder, whether there is a run in it or not."""
LONGEST_SLUG = 60
"""Longer names are cut in listings, and paths have limits."""


def slug(name: str) -> str:
    """Return *name* as a folder name that is safe everywhere: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-") or "scenario"


def unfinished(folder: Path) -> Path:
    """Return the hidden folder beside *folder* that keeps the finished replications of an unfinished run."""
    return folder.parent / f".{folder.name}.partial"


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; what is written there takes the place of *folder*, whole or not at all."""
    new = folder.parent / f".{folder.name}.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
        _take_place(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; raise `RunError` where there is none."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: not a JSON object")
    return value


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
        new.write_text(text, "utf-8")


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a new file that takes the place of the one at *path* once it is written."""
    new = path.with_name(f".{path.name}.new")
    yield new
    os.replace(new, path)


def is_run_folder(folder: Path) -> bool:
    """Return whether *folder* holds a finished run."""
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
    strange = folder.is_dir() and any(path.name not in BESIDE for path in folder.iterdir())
    if strange and not holds(folder):
        raise RunError(f"{folder}: holds something else than a {what}, and is left alone; give another -o")


def refuse_file(folder: Path) -> None:
    """Raise `RunError` where *folder* is a file."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, not a folder; give another -o")


def refuse_run_folder(folder: Path) -> None:
    """Raise `RunError` where *folder*, to hold several runs, is a file or a run itself."""
    refuse_file(folder)
    if is_run_folder(folder):
        raise RunError(f"{folder}: is the folder of one run, and cannot hold several; give another -o")


def _take_place(new: Path, folder: Path) -> None:
    """Let the finished folder *new* take the place of *folder*, whatever run that holds."""
    for name in BESIDE:
        if (folder / name).is_dir():
            os.replace(folder / name, new / name)
    if folder.exists():
        old = folder.parent / f".{folder.name}.old"
        shutil.rmtree(old, ignore_errors=True)
        os.replace(folder, old)
        os.replace(new, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(new, folder)


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
    runs = [folder / str(name) for name in names] or sorted(
        path for path in folder.iterdir() if not path.name.startswith(".") and is_run_folder(path)
    )
    return runs or [folder]
