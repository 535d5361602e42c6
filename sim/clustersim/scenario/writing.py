"""A scenario as YAML text: written for people, and so that it reads back as the same values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from clustersim.scenario.keys.logs import Rows, lines_of
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.reader import resolve

_PLAIN = re.compile(r"[A-Za-z0-9_./(][A-Za-z0-9_.%/()*+=> -]*")
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
LONGEST_LINE = 100


def dump(scenario: Scenario) -> str:
    """Return the YAML of a scenario with its bases inlined; loading it gives the same scenario and hash."""
    return "\n".join(_block(scenario.document, 0)) + "\n"


def yaml(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML text."""
    return "\n".join(_block(data, 0)) + "\n"


def _block(data: Mapping[Any, Any], depth: int) -> Iterator[str]:
    """Yield the lines of a mapping, one key each; what is small and deep inside goes on one line."""
    for name, value in data.items():
        head = f"{'  ' * depth}{_scalar(name)}:"
        if isinstance(value, Rows):
            yield f"{head} |"
            yield from (f"{'  ' * (depth + 1)}{line}" for line in lines_of(value))
        elif isinstance(value, Mapping) and value and (depth == 0 or not _fits(head, value)):
            yield head
            yield from _block(value, depth + 1)
        else:
            yield f"{head} {flow(value)}"


def _fits(head: str, block: Mapping[Any, Any]) -> bool:
    """Whether a block fits on the line of its key; the rows of a log never do."""
    rows = any(isinstance(value, Rows) for value in block.values())
    return not rows and len(head) + len(flow(block)) < LONGEST_LINE


def flow(value: Any) -> str:
    """Return plain data as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(name)}: {flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return a scalar: a text without quotes where it reads back as the same text."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value == value.strip() and resolve(value) == value
        return value if plain else _quoted(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return f"{value:_}"
    return repr(float(value)) if math.isfinite(value) else f".{value}".replace(".-", "-.")


def _quoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
