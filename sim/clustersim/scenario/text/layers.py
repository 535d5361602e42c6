"""One scenario laid over another: key by key in blocks; stages, tables and laws as a whole; null deletes.

Two things keep the result honest.  Stating one of two alternatives (a rate where the base had an MTBF) drops
the other one.  And a source stands only as long as the value it stands for: what a later layer changes loses
its source, unless that layer gives one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.scenario.text.document import Document, Mark, at, find, within
from clustersim.scenario.text.errors import Path, dotted

_BLOCKS = (
    "cluster",
    "workload",
    "failures",
    "checkpoint",
    "recovery",
    "maintenance",
    "costs",
    "simulation",
    "levers",
    "expect",
    "sources",
    "published",
)
_ALTERNATIVES: Mapping[str, tuple[tuple[frozenset[str], frozenset[str]], ...]] = {
    "workload": (
        (
            frozenset({"tokens_per_gpu_second"}),
            frozenset({"model_flops_per_token", "peak_flops_per_gpu", "mfu"}),
        ),
        (frozenset({"target"}), frozenset({"productive"})),
    ),
    "failures": (
        (frozenset({"rate"}), frozenset({"mtbf"})),
        (frozenset({"replay"}), frozenset({"rate", "mtbf"})),
    ),
    "costs": ((frozenset({"gpu_hour"}), frozenset({"card", "life"})),),
    "simulation": ((frozenset({"replications"}), frozenset({"precision"})),),
}

_TIER_KEYS = "interval blocks durable_after load write read survives unusable keep"
_REPLACES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "checkpoint": (frozenset({"tiers"}), frozenset(_TIER_KEYS.split())),
    "cluster": (frozenset({"used_per_rack"}), frozenset({"spares", "spares_within"})),
}


def is_block(path: Path) -> bool:
    """Whether layers merge key by key at *path*: the scenario, its blocks, modes of failure, and claims."""
    if len(path) == 2:
        return path[0] == "failures" or path == ("published", "claims")
    return not path or (len(path) == 1 and path[0] in _BLOCKS)


def merge(base: Document, layer: Document) -> Document:
    """Return *layer* over *base*; neither is changed."""
    merged = Document(base.data, dict(base.marks), [*base.faults, *layer.faults])
    if not isinstance(layer.data, Mapping):
        return Document(layer.data, dict(layer.marks), merged.faults)
    merged.data = _over(base.data, layer, (), merged)
    _follow_sources(base, layer, merged)
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
        message = "null deletes what a base says, and no base says this; leave it out"
        merged.faults.append(layer.fault(here, message, of_key=True))
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
    groups = _ALTERNATIVES.get(block, ())
    stated = {key for key, value in above.items() if value is not None}
    new, old = _REPLACES.get(block, (frozenset(), frozenset()))
    displaced = set(old - stated) if new & stated else set()
    for one, other in groups:
        displaced |= other - stated if one & stated else set()
        displaced |= one - stated if other & stated else set()
    return displaced


def _forget(marks: dict[Path, Mark], path: Path, value: Any) -> None:
    for inner in within(value, path):
        marks.pop(inner, None)


def _follow_sources(base: Document, layer: Document, merged: Document) -> None:
    """Drop the sources of values that the layer changed, keeping those of their unchanged parts."""
    old = base.data.get("sources") if isinstance(base.data, Mapping) else None
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
