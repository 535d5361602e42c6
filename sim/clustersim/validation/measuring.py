"""What the replications of a scenario contribute to figures: all that a validation keeps of them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clustersim.experiment import work_key
from clustersim.folders import write_text
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.store import Shelf
from clustersim.validation.figures import MEASURES, Row
from clustersim.version import VERSION

Wanted = tuple[str, str | None]
"""A figure that is wanted: its word, and which entry or mode."""
ETTR: Wanted = ("ettr", None)
MEASURED = "measured.json"


class Measurements(Shelf):
    """The finished replications of one scenario, of which only the figures that are wanted are kept."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self.scenario = scenario
        self.wanted = [ETTR]
        self.rows: dict[int, dict[str, Row]] = {}

    def __repr__(self) -> str:
        return f"Measurements({len(self.rows)} replications of {self.scenario.name})"

    def want(self, figure: Wanted) -> None:
        """Keep this figure, too, of replications that are to come."""
        if figure not in self.wanted:
            self.wanted.append(figure)

    def put(self, records: Records) -> None:
        """Measure one more replication."""
        self.rows[records.replication] = {
            _key(one): MEASURES[one[0]].row(self.scenario, records, one[1]) for one in self.wanted
        }

    def missing(self, count: int) -> list[int]:
        """Return those of the first *count* replications that are not measured."""
        return [replication for replication in range(count) if replication not in self.rows]

    def ettr(self, count: int) -> list[float]:
        """Return ETTR of the replications 0 to *count* - 1."""
        return [row[0] for row in self.of(ETTR, count)]

    def of(self, wanted: Wanted, count: int) -> list[Row]:
        """Return what the replications 0 to *count* - 1 contribute to the figure that is *wanted*."""
        return [self.rows[replication][_key(wanted)] for replication in range(count)]

    def take_up(self, rows: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
        """Take replications that were measured before, as far as they hold all figures that are wanted."""
        keys = {_key(one) for one in self.wanted}
        for replication, figures in rows.items():
            if keys <= set(figures):
                self.rows[int(replication)] = {name: tuple(row) for name, row in figures.items()}


def _key(wanted: Wanted) -> str:
    return ":".join(part for part in wanted if part is not None)


def keep(measured: Sequence[Measurements], folder: Path) -> int:
    """Write what is measured so far into *folder*, and return how many replications that are."""
    rows = {work_key(one.scenario): one.rows for one in measured if one.rows}
    if rows:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / MEASURED, json.dumps({"version": VERSION, "rows": rows}))
    return sum(map(len, rows.values()))


def kept(folder: Path) -> dict[str, Any]:
    """Return what an interrupted validation by this version left in *folder*, by the key of the scenario."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = json.loads((folder / MEASURED).read_text("utf-8"))
        if found.get("version") == VERSION:
            return dict(found["rows"])
    return {}
