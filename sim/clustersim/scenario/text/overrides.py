"""`--set path=value`: one value changed, wherever it is, on top of everything that the files say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustersim.scenario.text.document import Document, Mark, at, find
from clustersim.scenario.text.errors import Fault, Path, Place, ScenarioError
from clustersim.scenario.text.layers import is_block, merge
from clustersim.scenario.text.reader import read_text
from clustersim.units import shown


def override(document: Document, path: str, value: object) -> Document:
    """Return *document* with *value* at the dotted *path*; a text is read as YAML, `null` deletes.

    Raises ScenarioError where the path leads through something that is not a block, or the text is not YAML.
    """
    origin = f"--set {path}={value if isinstance(value, str) else shown(value)}"
    keys = _keys(document.data, path)
    if not path or not all(str(key) for key in keys):
        raise _error(origin, "", "the path has an empty part; write it like checkpoint.interval=10 min")
    if keys[0] == "base":
        raise _error(origin, path, "bases are read before; change the file")
    read = _read(origin, value)
    _refuse_detours(document.data, keys, origin, path)
    return merge(document, _layer(document, keys, read, Place(origin)))


def _keys(data: Any, path: str) -> Path:
    """Return the keys of the dotted path: those that exist, then what is left of it cut at its dots."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        if (found := find(data, ".".join(parts[:end]))) is not None:
            return (*found, *parts[end:])
    return tuple(parts)


def _read(origin: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise _error(origin, "", "gives no value; say null to delete")
    try:
        read = read_text(value, origin)
    except ScenarioError as error:
        raise ScenarioError(
            Fault(Place(origin), fault.path, fault.message) for fault in error.faults
        ) from None
    if read.faults:
        raise ScenarioError(Fault(Place(origin), fault.path, fault.message) for fault in read.faults)
    return read.data


def _refuse_detours(data: Any, keys: Path, origin: str, path: str) -> None:
    """Refuse a path through a plain value: `repair.crews` where the repair is `4 h`."""
    for end in range(1, len(keys)):
        found = find(data, ".".join(str(key) for key in keys[:end]))
        if found is None:
            return
        if not isinstance(value := at(data, found), Mapping):
            name = ".".join(str(key) for key in keys[:end])
            raise _error(origin, path, f"{name} is {shown(value)}, not a block; set {name} as a whole")


def _layer(document: Document, keys: Path, value: object, place: Place) -> Document:
    """Return a layer that says only this value; tables and laws around it are repeated whole."""
    end = next((end for end in range(len(keys)) if not is_block(keys[: end + 1])), len(keys) - 1) + 1
    whole = keys[:end]
    marks = {path: mark for path, mark in document.marks.items() if path[:end] == whole}
    marks |= {
        keys[:end]: Mark(place, place) for end in range(len(keys) + 1) if keys[:end] not in document.marks
    }
    marks[keys] = Mark(place, place)
    found = find(document.data, ".".join(str(key) for key in whole))
    inner = _changed(at(document.data, found) if found else {}, keys[end:], value)
    for key in reversed(whole):
        inner = {key: inner}
    return Document(inner, marks)


def _changed(data: Any, keys: Path, value: object) -> Any:
    if not keys:
        return value
    changed = dict(data) if isinstance(data, Mapping) else {}
    if value is None and len(keys) == 1:
        changed.pop(keys[0], None)
    else:
        changed[keys[0]] = _changed(changed.get(keys[0], {}), keys[1:], value)
    return changed


def _error(origin: str, path: str, message: str) -> ScenarioError:
    return ScenarioError([Fault(Place(origin), path, message)])
