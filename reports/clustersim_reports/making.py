"""How the runs were made: what their provenance says, one row per item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clustersim.digits import NOTHING, duration
from clustersim_reports.tables import Cell, Row

if TYPE_CHECKING:
    from clustersim.results import Results

LABELS = {"wall_s": "run time", "finished": "finished (UTC)", "incidents": "table of incidents"}
SAID_ELSEWHERE = {"tool", "name", "seed", "scenario_hash"}


def rows(results: Sequence[Results]) -> list[Row]:
    """Return seed and hash of each scenario, and everything that its provenance holds."""
    found = [_items(result) for result in results]
    labels = dict.fromkeys(label for items in found for label in items)
    return [Row(label, "", tuple(Cell(items.get(label, NOTHING)) for items in found)) for label in labels]


def _items(result: Results) -> dict[str, str]:
    items = {"seed": str(result.summary["seed"]), "scenario hash": result.scenario.hash[:16]}
    return items | dict(told(result.provenance))


def told(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of every item of a provenance."""
    for key, value in provenance.items():
        if key not in SAID_ELSEWHERE:
            yield LABELS.get(key, key.replace("_", " ")), _text(key, value)


def _text(key: str, value: Any) -> str:
    """Return an item's value: seconds as a duration, libraries with their versions in one line."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "kept" if value else "not kept"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    if key.endswith("_s"):
        return duration(float(value))
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
