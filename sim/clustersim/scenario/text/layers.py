"""One scenario laid over another: key by key in blocks; stages, tables and laws as a whole; null deletes.

`--set path=value` is such a layer: one value changed, wherever it is, on top of everything the files say.

Three things keep the result honest.  Stating one of two alternatives (a rate where the base had an MTBF)
drops the other one.  A source stands only as long as the value it stands for: what a later layer changes
loses its source, unless that layer gives one too.  And what a later layer states is not uncertain any more,
unless that layer says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from clustersim.scenario.text.document import (
    Document,
    Mark,
    Path,
    Place,
    Problem,
    ScenarioError,
    at,
    dotted,
    find,
    within,
)
from clustersim.scenario.text.reader import read_text, unspeakable
from clustersim.units import shown

_BLOCKS = (
    "cluster workload failures checkpoint recovery maintenance costs simulation uncertain uncertainty levers"
    " expect sources published"
)


def _groups(*groups: tuple[str, str]) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Return groups of keys that stand for each other: of each two the words of both."""
    return tuple((frozenset(first.split()), frozenset(second.split())) for first, second in groups)


_ALTERNATIVES = {
    "workload": _groups(
        ("tokens_per_gpu_second", "model_flops_per_token peak_flops_per_gpu mfu"), ("target", "productive")
    ),
    "failures": _groups(("rate", "mtbf"), ("replay", "rate mtbf")),
    "maintenance": _groups(("every", "at")),
    "costs": _groups(("gpu_hour", "card life")),
    "simulation": _groups(("replications", "precision")),
}
_REPLACES = {
    "checkpoint": _groups(("tiers", "interval blocks durable_after load write read survives unusable keep")),
    "cluster": _groups(("used_per_rack", "spares spares_within")),
}
"""Whoever states the first leaves nothing of the second that a base says."""


_DELETES_NOTHING = "null deletes what a base says, and no base says this; leave it out"


def is_block(path: Path) -> bool:
    """Whether layers merge key by key at *path*: the scenario, its blocks, modes of failure, and claims."""
    if len(path) == 2:
        return path[0] == "failures" or path == ("published", "claims")
    return not path or (len(path) == 1 and path[0] in _BLOCKS.split())


def merge(base: Document, layer: Document) -> Document:
    """Return *layer* over *base*; neither is changed."""
    merged = Document(base.data, dict(base.marks), [*base.problems, *layer.problems])
    merged.data = _over(base.data, layer, (), merged)
    _follow_sources(base, layer, merged)
    _follow_uncertain(base, layer, merged)
    return merged


def _over(below: Any, layer: Document, path: Path, merged: Document) -> dict[Any, Any]:
    """Return the block at *path* of *layer* over the value *below* of the base."""
    above = at(layer.data, path)
    result = dict(below) if isinstance(below, Mapping) else {}
    if path in layer.marks:
        merged.marks[path] = layer.marks[path]
    for key in [key for key in result if key in _displaced(path, above)]:
        _forget(merged.marks, (*path, key), result.pop(key))
    for key, value in above.items():
        _put(result, key, value, layer, (*path, key), merged)
    return result


def _put(result: dict[Any, Any], key: Any, value: Any, layer: Document, here: Path, merged: Document) -> None:
    if value is None and key not in result:
        merged.problems.append(layer.problem(here, _DELETES_NOTHING, of_key=True))
    elif value is None:
        _forget(merged.marks, here, result.pop(key))
    elif isinstance(value, Mapping) and is_block(here):
        result[key] = _over(result.get(key), layer, here, merged)
    else:
        _forget(merged.marks, here, result.get(key))
        result[key] = value
        merged.marks.update({path: layer.marks[path] for path in within(value, here) if path in layer.marks})


def _displaced(path: Path, above: Mapping[Any, Any]) -> set[str]:
    """Return the keys that the layer's own choice among alternatives displaces, or replaces."""
    block = str(path[0]) if path and is_block(path) else ""
    stated = {key for key, value in above.items() if value is not None}
    displaced = set[str]()
    both_ways = [(new, old) for group in _ALTERNATIVES.get(block, ()) for new, old in (group, group[::-1])]
    for new, old in (*both_ways, *_REPLACES.get(block, ())):
        displaced |= old - stated if new & stated else set()
    return displaced


def _forget(marks: dict[Path, Mark], path: Path, value: Any) -> None:
    for inner in within(value, path):
        marks.pop(inner, None)


def _follow_sources(base: Document, layer: Document, merged: Document) -> None:
    """Drop the sources of values that the layer changed, keeping those of their unchanged parts."""
    old = base.data.get("sources")
    if not isinstance(old, Mapping) or not isinstance(merged.data.get("sources"), Mapping):
        return
    stated = layer.data.get("sources")
    stated = set(stated) if isinstance(stated, Mapping) else set()
    sources = dict(merged.data["sources"])
    for name in [name for name in sources if name in old and name not in stated]:
        text, mark = sources.pop(name), merged.marks.pop(("sources", name), None)
        for kept in _still_true(str(name), base.data, merged.data):
            sources.setdefault(kept, text)
            if mark:
                merged.marks.setdefault(("sources", kept), mark)
    merged.data["sources"] = sources


def _still_true(name: str, before: Any, after: Any) -> Iterator[str]:
    """Yield the paths at or beneath *name* whose values are as they were or never were."""
    path = find(before, name)
    if path is None:
        yield name
        return
    if find(after, name) != path:
        return
    was, now = at(before, path), at(after, path)
    if was == now:
        yield name
    elif isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in was:
            yield from _still_true(dotted((*path, key)), before, after)


_COUNTS = (("simulation", "replications"), ("uncertainty", "draws"))
"""Both say how many replications there are in all."""


def _follow_uncertain(base: Document, layer: Document, merged: Document) -> None:
    """Drop how uncertain values are that the layer states, and one of two numbers of replications."""
    old, new = (each.data.get("uncertain") for each in (base, layer))
    if isinstance(old, Mapping) and isinstance(merged.data.get("uncertain"), Mapping):
        again = new if isinstance(new, Mapping) else {}
        for path in [path for path in old if path not in again]:
            if _settled(str(path), base, layer, merged):
                _drop(merged, "uncertain", path)
    for first, second in (_COUNTS, _COUNTS[::-1]):
        if find(layer.data, dotted(first)) and not find(layer.data, dotted(second)):
            _drop(merged, *second)


def _drop(merged: Document, block: str, key: Any) -> None:
    """Leave a key of a block of the merged document out, and the block where nothing is left of it."""
    kept = merged.data.get(block)
    if not isinstance(kept, Mapping) or key not in kept:
        return
    rest = {name: value for name, value in kept.items() if name != key}
    _forget(merged.marks, (block, key), kept[key])
    merged.data[block] = rest
    if not rest:
        del merged.data[block]


def _settled(name: str, base: Document, layer: Document, merged: Document) -> bool:
    """Whether the layer states the value called *name* or an alternative to it, or drops it."""
    for each in (name, *alternatives(name)):
        path = find(layer.data, each)
        if path is not None and layer.marks.get(path) != base.marks.get(path):
            return True
    return find(base.data, name) is not None and find(merged.data, name) is None


def alternatives(name: str) -> Iterator[str]:
    """Yield the paths of values that cannot stand beside the one called *name*: the rate, of an MTBF."""
    block, _, key = name.rpartition(".")
    for first, second in _ALTERNATIVES.get(name.partition(".")[0], ()):
        others = second if key in first else first if key in second else frozenset[str]()
        yield from (f"{block}.{other}" for other in sorted(others))


def override(document: Document, path: str, value: object) -> Document:
    """Return *document* with *value* at the dotted *path*; a text is read as YAML, `null` deletes.

    Raises ScenarioError where the path leads through something that is not a block, or the text is not YAML.
    """
    origin = f"--set {path}={value if isinstance(value, str) else shown(value)}"
    keys = _keys_of(document.data, path, origin)
    return _put_at(document, keys, _read(origin, value, path), origin, path)


def put(document: Document, path: str, value: object, origin: str) -> Document:
    """Return *document* with *value*, plain data, at the dotted *path*, written in *origin*; None deletes."""
    return _put_at(document, _keys_of(document.data, path, origin), value, origin, path)


def _put_at(document: Document, keys: Path, value: object, origin: str, path: str) -> Document:
    _refuse_detours(document.data, keys, origin, path)
    if value is None and find(document.data, path) is None:
        raise Place(origin).error(_DELETES_NOTHING, path)
    return merge(document, _layer(document, keys, value, Place(origin)))


def _keys_of(data: Any, path: str, origin: str) -> Path:
    """Return the keys of the dotted path: those that exist, then what is left of it cut at its dots."""
    parts = path.split(".")
    found = ((find(data, ".".join(parts[:end])), parts[end:]) for end in range(len(parts), 0, -1))
    keys = next(((*existing, *rest) for existing, rest in found if existing is not None), tuple(parts))
    if len(keys) > 1 and keys[0] in _OF_PATHS and "." not in str(keys[1]):
        # A block of paths has a new one for a key in one piece.
        keys = (keys[0], dotted(keys[1:]))
    if not path or not all(str(key) for key in keys):
        raise Place(origin).error("the path has an empty part; write it like checkpoint.interval=10 min")
    if keys[0] == "base":
        raise Place(origin).error("bases are read before; change the file", path)
    return keys


_OF_PATHS = ("uncertain", "expect", "sources")
"""Blocks whose keys are paths."""


def _read(origin: str, value: object, path: str) -> object:
    if not isinstance(value, str):
        strange = unspeakable(value)
        if problems := [Problem(Place(origin), dotted((path, *inside)), why) for inside, why in strange]:
            raise ScenarioError(problems)
        return value
    if not value.strip():
        raise Place(origin).error("gives no value; say null to delete")
    try:
        read = read_text(value, origin)
        problems, data = read.problems, read.data
    except ScenarioError as error:
        problems, data = list(error.problems), None
    if problems:
        raise ScenarioError(replace(problem, place=Place(origin)) for problem in problems)
    return data


def _refuse_detours(data: Any, keys: Path, origin: str, path: str) -> None:
    """Refuse a path through a plain value: `repair.crews` where the repair is `4 h`."""
    for end in range(1, len(keys)):
        existing = find(data, dotted(keys[:end]))
        if existing is None:
            return
        value = at(data, existing)
        if not isinstance(value, Mapping) and not (isinstance(value, list) and isinstance(keys[end], int)):
            name = dotted(keys[:end])
            why = f"{name} is {shown(value)}, not a block; set {name} as a whole"
            raise Place(origin).error(why, path)


def _layer(document: Document, keys: Path, value: object, place: Place) -> Document:
    """Return a layer that says only this value; tables and laws around it are repeated whole."""
    listed = isinstance(document.data, Mapping) and isinstance(document.data.get(keys[0]), list)
    end = next((end for end in range(len(keys)) if not is_block(keys[: end + 1])), len(keys) - 1) + 1
    end = 1 if listed else end
    whole = keys[:end]
    marks = {
        path: mark
        for path, mark in document.marks.items()
        if path[:end] == whole and path[: len(keys)] != keys
    }
    marks |= {keys[:end]: Mark(place, place) for end in range(len(keys)) if keys[:end] not in document.marks}
    marks[keys] = Mark(place, place)
    existing = find(document.data, dotted(whole))
    inner = _changed(at(document.data, existing) if existing else {}, keys[end:], value)
    for key in reversed(whole):
        inner = {key: inner}
    return Document(inner, marks)


def _changed(data: Any, keys: Path, value: object) -> Any:
    if not keys:
        return value
    changed = dict(enumerate(data) if isinstance(data, list) else data)
    if value is None and len(keys) == 1:
        del changed[keys[0]]
    else:
        changed[keys[0]] = _changed(changed.get(keys[0], {}), keys[1:], value)
    return list(changed.values()) if isinstance(data, list) else changed
