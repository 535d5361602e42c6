"""How the runs were made: what their provenance says, one row per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.tables import Cell, Row
from sim.digits import NOTHING, duration

if TYPE_CHECKING:
    from sim.results import Results


def rows(results: Sequence[Results]) -> list[Row]:
    """Return seed and hash of each scenario, and everything that its provenance holds."""
    found = [_items(result) for result in results]
    labels = dict.fromkeys(label for items in found for label in items)
    return [Row(label, "", tuple(Cell(items.get(label, NOTHING)) for items in found)) for label in labels]


def _items(result: Results) -> dict[str, str]:
    items = {"seed": str(result.summary["seed"]), "scenario hash": result.scenario.hash[:16]}
    return items | {label: text for label, text in _flat(result.provenance) if label not in items}


def _flat(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return label and text of every value of a provenance; libraries and the like are joined in one line."""
    found = []
    for key, inner in value.items():
        label = key.replace("_", " ")
        if isinstance(inner, Mapping):
            found.append((label, ", ".join(f"{name} {text}" for name, text in inner.items())))
        elif key.endswith("_s") and isinstance(inner, int | float):
            found.append((label.removesuffix(" s"), duration(float(inner))))
        elif isinstance(inner, list | tuple):
            found.append((label, " ".join(map(str, inner))))
        else:
            found.append((label, NOTHING if inner is None else str(inner)))
    return found
