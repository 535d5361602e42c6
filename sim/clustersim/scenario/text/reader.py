"""YAML 1.2 text to plain data with the place of every value, read so that no text can do harm.

The language uses a part of YAML: mappings, lists and scalars, comments, anchors.  Scalars are resolved here
(JSON's words and numbers, `_` between digits), so `1e6` is a number, `12:30` and `no` are texts.
"""

from __future__ import annotations

import math
import os.path
import re
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any, BinaryIO

from clustersim.scenario.text.document import Document, Mark, Path, Place, Problem, ScenarioError, dotted
from clustersim.units import LARGEST_WHOLE, format_size, shown

LARGEST_FILE = 256_000
LARGEST_LOGS = 10_000_000
DEEPEST = 20
MOST_VALUES = 100_000
_INT = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ROWS = re.compile(rb"^ +[0-9][0-9.e+,]*\n", re.MULTILINE)
_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + name: float(sign + "inf") for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")},
    **{
        word: value
        for name, value in (("null", None), ("true", True), ("false", False))
        for word in (name, name.capitalize(), name.upper())
    },
}
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def resolve(text: str) -> Any:
    """Return what an unquoted scalar means: null, true, false, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 60 and _INT.fullmatch(text):
        return int(text)
    if len(text) <= 60 and _FLOAT.fullmatch(text):
        return float(text)
    return text


def read_file(file: File, shown_as: str) -> Document:
    """Return the document in *file*; raises ScenarioError where it cannot be read or is not YAML."""
    place = Place(shown_as)
    if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
        raise place.error("is a pipe or a device, which may never end; give a file, or - for standard input")
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_LOGS + 1)
            size = max(file.stat().st_size, len(raw))
    except IsADirectoryError:
        raise place.error("is a folder; give a scenario file") from None
    except FileNotFoundError:
        raise place.error("no such file; give a scenario file, or the name of a shipped scenario") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file can be called so"
        raise place.error(f"cannot be read ({why}); give a scenario file") from None
    return _read(raw, size, shown_as)


def read_stream(stream: BinaryIO, shown_as: str) -> Document:
    """Return the document that a *stream* of bytes holds; raises ScenarioError where it is not YAML."""
    raw = stream.read(LARGEST_LOGS + 1)
    return _read(raw, len(raw), shown_as)


def _read(raw: bytes, size: int, shown_as: str) -> Document:
    rows = sum(map(len, _ROWS.findall(raw))) if len(raw) <= LARGEST_LOGS else 0
    if len(raw) - rows > LARGEST_FILE:
        raise Place(shown_as).error(
            f"is too large ({_size(size)}); a scenario has at most {_size(LARGEST_FILE)}"
        )
    return read_text(_decoded(raw, shown_as), shown_as)


def shown_as(file: File) -> str:
    """Return a path as a person in the current directory would write it."""
    here = File.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _size(size: int) -> str:
    return format_size(float(f"{size:.3g}"))


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec counts from behind a byte order mark, in bytes; a place is in characters.
        before, wrong = error.object[: error.start].decode(), error.object[error.start]
        why = f"byte 0x{wrong:02x} is not UTF-8; save the file as UTF-8"
        raise _place_behind(before, file).error(why) from None


def read_text(text: str, file: str) -> Document:
    """Return the document in *text*; duplicate keys become problems, other trouble a ScenarioError."""
    _refuse_harm(text, file)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(file)
    try:
        builder.build(YAML(typ="safe", pure=True).parse(text))
    except ScenarioError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise place.error(_syntax(str(error.problem or error.context))) from None
    except (
        YAMLError,
        ValueError,
        AttributeError,
        LookupError,
        TypeError,
        AssertionError,
        NotImplementedError,
    ):
        # The scanner trips over its own feet on some broken texts; whatever it was, the text is not YAML.
        raise Place(file).error(_syntax("the text breaks off in a way that cannot be located")) from None
    return builder.document


def _syntax(problem: str) -> str:
    if "\\t" in problem:
        return "not YAML: a tab; indent with spaces"
    problem = " ".join(problem.split()).replace("<stream end>", "the end of the text")
    return f'not YAML: {problem}; write "key: value", indent with spaces, quote texts that hold ": " or " #"'


def unspeakable(data: Any) -> Iterator[tuple[Path, str]]:
    """Yield what of plain *data*, from a program, no text of the language can say, and at which path.

    What holds itself is too deep; what holds the same large part many times has too many values.
    """
    waiting: list[tuple[Path, Any]] = [((), data)]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            yield path[:3], _TOO_DEEP
            return
        if isinstance(value, Mapping):
            yield from ((path, why) for key in value if (why := _no_key(key)))
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif type(value) in (list, tuple):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]
        elif why := _no_scalar(value):
            yield path, why
    yield (), _TOO_MANY


def _no_key(key: object) -> str | None:
    if isinstance(key, bool) or not isinstance(key, str | int):
        return f"{shown(key)} is not a key; put it in quotes"
    return _no_scalar(key)


def _no_scalar(value: object) -> str | None:
    if isinstance(value, str) and (match := _UNPRINTABLE.search(value)):
        return _not_allowed(match[0])
    if isinstance(value, int) and abs(value) >= LARGEST_WHOLE:
        return f"{shown(value)} is out of range; give a smaller one"
    return None


def _not_allowed(character: str) -> str:
    return f"character U+{ord(character):04X} is not allowed; remove it"


def _refuse_harm(text: str, file: str) -> None:
    """Refuse characters that no editor shows, and brackets so deep that the scanner would take minutes."""
    if match := _UNPRINTABLE.search(text):
        raise _place_behind(text[: match.start()], file).error(_not_allowed(match[0]))
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > 3 * DEEPEST:
            raise _place_behind(text[: bracket.start()], file).error(_TOO_DEEP)


_TOO_MANY = f"more than {MOST_VALUES:_} values, aliases counted each time; a scenario needs fewer"
_TOO_DEEP = f"nested more than {DEEPEST} levels deep; a scenario needs no more than six"


def _place_behind(before: str, file: str) -> Place:
    """Return the place of the first character behind this much of a file."""
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Builder:
    """Turns the events of a YAML parser into a document."""

    def __init__(self, file: str) -> None:
        self.document = Document(None)
        self._file = file
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def build(self, events: Iterator[Any]) -> None:
        kinds = {"StreamStartEvent", "DocumentStartEvent", "DocumentEndEvent", "StreamEndEvent"}
        documents = 0
        for event in events:
            if type(event).__name__ not in kinds:
                documents += 1
                if documents > 1:
                    raise self._place(event).error("a second document; a file holds one scenario")
                self.document.marks[()] = Mark(self._place(event), self._place(event))
                self.document.data = self._value(event, events, ())
        if documents == 0:
            raise Place(self._file).error("is empty; `clustersim init` writes a scenario to start from")

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, event: Any, path: Path, message: str) -> ScenarioError:
        return self._place(event).error(message, dotted(path))

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        kind = type(event).__name__
        if len(path) > DEEPEST:
            raise self._refuse(event, path[:3], _TOO_DEEP)
        if kind == "AliasEvent":
            return self._alias(event, path)
        if event.tag is not None:
            raise self._refuse(event, path, "tags are not part of the language; leave it out")
        before = self._count(event, 1)
        build = {"MappingStartEvent": self._mapping, "SequenceStartEvent": self._sequence}.get(kind)
        value = build(events, path) if build else self._scalar(event, path)
        if event.anchor:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _scalar(self, event: Any, path: Path) -> Any:
        """Return what a scalar means; what it holds once its quotes are off has to be allowed too."""
        value = event.value if event.style else resolve(event.value)
        if why := _no_scalar(value):
            raise self._refuse(event, path, why)
        return value

    def _count(self, event: Any, more: int) -> int:
        """Count values, those behind aliases each time; return the count before."""
        before = self._values
        self._values += more
        if self._values > MOST_VALUES:
            raise self._refuse(event, (), _TOO_MANY)
        return before

    def _alias(self, event: Any, path: Path) -> Any:
        if event.anchor not in self._anchors:
            raise self._refuse(event, path, f"alias *{event.anchor} has no anchor before it; write the value")
        value, size = self._anchors[event.anchor]
        self._count(event, size)
        return value

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        while type(event := next(events)).__name__ != "SequenceEndEvent":
            here = (*path, len(items))
            self.document.marks[here] = Mark(self._place(event), self._place(event))
            items.append(self._value(event, events, here))
        return items

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[Any, Any]:
        items: dict[Any, Any] = {}
        while type(event := next(events)).__name__ != "MappingEndEvent":
            key, place = self._key(event, path), self._place(event)
            event, here = next(events), (*path, key)
            mark = Mark(place, self._place(event))
            if key in items:
                first = self.document.marks[here].key.line
                message = f"given twice; the first is in line {first}; leave one out"
                self.document.problems.append(Problem(place, dotted(here), message))
                # Read on, without touching what the first one said, so that the other problems are found too.
                kept, self.document.marks = self.document.marks, {}
                self._value(event, events, here)
                self.document.marks = kept
                continue
            self.document.marks[here] = mark
            items[key] = self._value(event, events, here)
        return items

    def _key(self, event: Any, path: Path) -> str | int:
        if type(event).__name__ != "ScalarEvent" or event.tag is not None or event.anchor:
            raise self._refuse(event, path, "a key is a plain word or number; write name: value")
        key: str | int = self._scalar(event, path)
        if why := _no_key(key):
            raise self._refuse(event, path, why)
        return key
