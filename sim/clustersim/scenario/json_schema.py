"""The JSON Schema of a scenario file, for completion and checking in editors; made from the model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from clustersim import units
from clustersim.scenario.keys.scenario import ScenarioBlock
from clustersim.scenario.text.layers import is_block
from clustersim.units import Quantity

_KINDS = {kind.pattern: kind for kind in units.QUANTITIES}
_OUTSIDE = ("description", "default", "x-unit")
_BASE = {
    "description": "scenarios to inherit from, in order: relative paths or shipped names",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    What is needed is asked for only where nothing is inherited, and null, which deletes, is allowed wherever
    layers merge key by key.
    """
    made: dict[str, Any] = _tidy(
        json.loads(json.dumps(ScenarioBlock.model_json_schema()).replace('Block"', '"'))
    )
    definitions: dict[str, Any] = made.pop("$defs")
    needed = {"required": made.pop("required"), "properties": dict(_needed(made, definitions))}
    for block in (made, *(definitions[name] for _, name in _merged(made))):
        block.pop("required", None)
        block["properties"] = {name: _or_null(value) for name, value in block["properties"].items()}
    made["properties"] = {"base": _BASE, **made["properties"]}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "clustersim scenario"}
    whole = {"if": {"not": {"required": ["base"]}}, "then": needed}
    quantities = {kind.name.split()[-1]: _quantity(kind) for kind in _KINDS.values()}
    return head | made | whole | {"$defs": definitions | quantities}


def _tidy(node: Any) -> Any:
    """Return a part of the schema without titles and empty defaults, with quantities by reference."""
    if isinstance(node, list):
        return [_tidy(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    if node.get("pattern") in _KINDS:
        reference = {"$ref": f"#/$defs/{_KINDS[node['pattern']].name.split()[-1]}"}
        return {name: node[name] for name in _OUTSIDE if name in node} | reference
    kept = {name: _tidy(inner) for name, inner in node.items() if not _says_nothing(name, inner)}
    return kept | {"additionalProperties": False} if "patternProperties" in kept else kept


def _says_nothing(name: str, value: Any) -> bool:
    """Whether it is a title made from an attribute's name, an empty default, or not for editors."""
    return (
        name == "x-quiet"
        or (name == "title" and isinstance(value, str))
        or (name == "default" and not value and value != 0)
    )


def _quantity(kind: Quantity[Any]) -> dict[str, Any]:
    about = f"{kind.name}: {kind.allowed}"
    return {"type": "string", "description": about, "pattern": kind.pattern, "examples": [kind.example]}


_ONE_OR_MORE_TIERS = {"anyOf": [{"required": ["interval"]}, {"required": ["tiers"]}]}


def _needed(made: dict[str, Any], definitions: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what each block needs where it stands alone."""
    yield "checkpoint", _ONE_OR_MORE_TIERS
    for name, definition in _merged(made):
        if required := definitions[definition].get("required"):
            needs = {"required": required}
            yield name, {"additionalProperties": needs} if name == "failures" else needs


def _merged(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys whose blocks layers merge key by key, each with the definition of its block."""
    for name, value in made["properties"].items():
        named = "Properties" in str(value)
        if is_block((name, "any") if named else (name,)):
            yield from ((name, definition) for definition in re.findall(r"#/\$defs/(\w+)", str(value)))


def _or_null(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that a layer may delete."""
    null = {"type": "null"}
    if "anyOf" in value:
        return value if null in value["anyOf"] else value | {"anyOf": [*value["anyOf"], null]}
    outside = {name: value[name] for name in _OUTSIDE if name in value}
    inside = {name: inner for name, inner in value.items() if name not in outside}
    return outside | {"anyOf": [inside, null]}
