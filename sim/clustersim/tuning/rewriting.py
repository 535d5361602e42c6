"""A scenario file with another interval, everything else in it as it was: comments, order, blanks."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import Any, NamedTuple

from clustersim import folders
from clustersim.scenario import ScenarioError, load
from clustersim.scenario.text import shipped
from clustersim.scenario.text.errors import Path
from clustersim.scenario.writing import flow
from clustersim.store import ChoiceError, RunError
from clustersim.tuning.places import ONLY, Place
from clustersim.units import format_duration

BLOCK = ("checkpoint",)


class Edit(NamedTuple):
    """Characters of a text, from `start` to `end`, and what takes their place."""

    start: int
    end: int
    text: str


def write_with_interval(
    file: File, target: File, interval: float, force: bool = False, place: Place = ONLY
) -> None:
    """Write the scenario *file* with another *interval* (s) at *place* to *target*.

    A source that the file gives for the interval becomes this tuning.  Raises RunError where *target* is
    there already (unless *force*), ChoiceError where the copy would not be the same scenario.
    """
    if target.exists() and not force:
        raise RunError(f"{target}: there already; give another file, or --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    old, base = file.read_text("utf-8-sig"), moved(file.parent, target.parent)
    text = rewritten(old, interval, base, place, load(file).document if place.several else None)
    trial = target.with_name(f".{target.stem}.trial.yaml")
    trial.write_text(text, "utf-8")
    try:
        found = load(trial)
    except ScenarioError as error:
        raise ChoiceError(f"{target}: the copy would not be valid there: {error.faults[0]}") from error
    finally:
        trial.unlink()
    if [tier.interval for tier in found.tiers if tier.name == place.tier] != [interval]:
        raise ChoiceError(f"{file}: the interval cannot be put in its place; set it by hand")
    folders.write_text(target, text)


def moved(old: File, new: File) -> Callable[[str], str]:
    """Return what turns a base or a log relative to the folder *old* into one relative to *new*."""

    def base(name: str) -> str:
        there = old / name
        if not there.is_file() or os.path.samefile(old, new):
            return name
        by_name = shipped.path(there.stem)
        known = by_name is not None and os.path.samefile(by_name, there)
        return there.stem if known else os.path.relpath(there, new)

    return base


def rewritten(
    text: str,
    interval: float,
    base: Callable[[str], str] = str,
    place: Place = ONLY,
    document: dict[str, Any] | None = None,
) -> str:
    """Return the YAML *text* with another interval at *place*, and each base and log as *base* names it.

    Tiers that are inherited are written whole, as the scenario's *document* has them.
    """
    value = format_duration(interval)
    key, stated = "interval", value
    if document is not None and place.several:
        tiers = document["checkpoint"]["tiers"]
        key, stated = "tiers", flow(tiers | {place.tier: tiers[place.tier] | {"interval": value}})
    for edit in sorted(_edits(text, value, base, place, f"{key}: {stated}"), reverse=True):
        old = text[edit.start : edit.end].rstrip()
        text = text[: edit.start] + edit.text + text[edit.start + len(old) :]
    return text


def _edits(text: str, interval: str, base: Callable[[str], str], place: Place, whole: str) -> Iterator[Edit]:
    """Yield what changes: *whole* is what the block of the checkpoint says anew where it inherits."""
    from ruamel.yaml import YAML

    nodes = dict(_nodes(YAML(typ="safe", pure=True).compose(text)))
    for path, node in nodes.items():
        if _names_a_file(path, node.value) and base(node.value) != node.value:
            yield _replaced(node, _quoted(base(node.value)))
    if (source := ("sources", place.path("interval"))) in nodes:
        yield _replaced(nodes[source], _quoted("clustersim tune"))
    if (stated := (*place.keys, "interval")) in nodes:
        yield _replaced(nodes[stated], interval)
    elif BLOCK not in nodes:
        yield Edit(len(text), len(text), f"\ncheckpoint: {{{whole}}}\n")
    else:
        yield _inserted(nodes[BLOCK], whole)


def _names_a_file(path: Path, value: Any) -> bool:
    """Whether it is a base, or the log of a replay and not its rows."""
    named = path[:1] == ("base",) or (path[:1] == ("failures",) and path[2:] == ("replay",))
    return named and isinstance(value, str) and "\n" not in value


def _nodes(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a composed document with its path."""
    yield path, node
    if isinstance(node.value, list):
        for number, entry in enumerate(node.value):
            key, inner = (entry[0].value, entry[1]) if isinstance(entry, tuple) else (number, entry)
            yield from _nodes(inner, (*path, key))


def _replaced(node: Any, text: str) -> Edit:
    return Edit(node.start_mark.index, node.end_mark.index, text)


def _inserted(block: Any, entry: str) -> Edit:
    """Return the insertion of *entry* as the first key of a block that has others."""
    start = block.start_mark.index
    if block.flow_style:
        return Edit(start + 1, start + 1, f"{entry}{', ' if block.value else ''}")
    indent = " " * block.start_mark.column
    return Edit(start, start, f"{entry}\n{indent}")


def _quoted(text: str) -> str:
    if re.fullmatch(r"[A-Za-z.][A-Za-z0-9_./-]*", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
