"""The table of metrics: every measure of a run that the page shows, scenario beside scenario or as tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.formatting import NOTHING, points
from clustersim.metrics import cells
from clustersim.metrics.catalogue import table_of
from clustersim_reports.blocks import Cell, Fact, Facts, Row, Table
from clustersim_reports.run import Run, Runs, estimate_text

if TYPE_CHECKING:
    from clustersim.studies.compare import Comparison


def ettr(run: Run) -> str:
    """Return the ETTR in words; of a job without progress only the size matters."""
    return cells.ettr(run.summary).text


def rows(runs: Runs) -> list[Row]:
    """Return the metrics of all runs, and their differences to the baseline below their ETTR."""
    table = []
    for metric, shown in table_of([run.summary for run in runs.runs]):
        table.append(Row(Cell(metric.heading or metric.label, metric.meaning), [Cell(*one) for one in shown]))
        if metric.label == "ETTR" and runs.comparison and not runs.single:
            table.append(_differences(runs, runs.comparison))
    return table


def _differences(runs: Runs, comparison: Comparison) -> Row:
    """Return the ETTR's paired differences to the baseline."""
    cells = {name: Cell(NOTHING, "the baseline") for name in runs.names}
    for name, ettr in ((difference.name, difference.ettr) for difference in comparison.differences):
        gap = estimate_text(ettr, points)
        cells[name] = Cell(gap) if ettr.distinguishable else Cell("not distinguishable", gap)
        if ettr.half_width is None:
            cells[name] = Cell(gap, "one pair: no interval")
    head = Cell(f"ETTR against {comparison.baseline}", "paired difference, percentage points")
    return Row(head, [cells[name] for name in runs.names])


def block(runs: Runs) -> Table | Facts:
    """Return the measures as a table, or of a single run as tiles."""
    if not runs.single:
        return Table("Measures of each scenario", runs.names, rows(runs), "Measure", "measures")
    return Facts([Fact(head.text, cell.text, cell.small or head.small) for head, [cell], *_ in rows(runs)])
