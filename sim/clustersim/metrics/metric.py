"""An entry of the catalogue, and a figure: an entry with the name of which it is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import NOTHING
from clustersim.metrics.cells import MetricCell, Summary, in_unit
from clustersim.metrics.measures import Measure, Row, over
from clustersim.metrics.replications import Replications, ScenarioFacts

FAMILIES = {
    "entry": "an entry of the ledger",
    "cause": "a cause of waste",
    "mode": "a mode of failure",
    "stage": "a stage of the recovery",
    "tier": "a tier of checkpoints",
}
"""Of what a metric may be asked one by one, and how a sentence calls it."""


@dataclass(frozen=True)
class Metric:
    """A figure of the summary, or of claims alone.

    `path` is where it stands in the summary; a metric `of` a family stands there once for each name, in place
    of the placeholder (`ledger.<entry>`).  Without a `measure` it is what the scenario gives.  `needs` are
    the parts of a scenario without which it does not exist (or is null, if `else_null`), and `unknown` says
    why it is null where it is.  `expect` and studies may name what is `in_summary`, by its path; a claim may
    be about all that have an interval, by path or by the older `word`.

    Tables show it in its unit, with the remark that `show` makes of a summary, or as the cell that it makes,
    in a row that is called `heading`: its label if that is empty, no row if it is None.  Where no scenario
    has the metric there is a row only if it is `always` shown.  `margin` is the path of its half-width among
    the margins, if not its own.
    """

    path: str
    label: str
    unit: str
    meaning: str
    measure: Measure | None = None
    of: str = ""
    needs: tuple[str, ...] = ()
    unknown: str | Callable[[Replications], str] = ""
    show: Callable[[Summary], MetricCell | str] | None = None
    heading: str | None = ""
    always: bool = False
    else_null: bool = False
    in_summary: bool = True
    word: str = ""
    margin: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a claim calls it: its word, and its path without placeholder and without the word mean."""
        bare = re.sub(r"\.<.*?>", "", self.path).removesuffix(".mean")
        return (self.word, bare) if self.word else (bare,)

    @property
    def by_name(self) -> bool:
        """Whether it must be asked of one of its family: there is no figure of all together."""
        return "<" in self.path

    @property
    def in_tables(self) -> bool:
        """Whether it has a row in the tables of metrics."""
        return self.in_summary and self.heading is not None and (not self.by_name or self.show is not None)

    @property
    def claimable(self) -> bool:
        """Whether a claim may be about it: whether it has an interval."""
        return self.measure is not None and (self.measure.margin or self.measure.ends is not None)

    def figures(self, facts: ScenarioFacts) -> Iterator[MetricFigure]:
        """Yield the figures that it has: one, or one for each name of its family."""
        return (MetricFigure(self, name) for name in (facts.names[self.of] if self.by_name else ("",)))

    def cell(self, summary: Summary) -> MetricCell:
        """Return what a table shows of it."""
        plain = in_unit(summary, self.path, self.unit, given=self.measure is None)
        shown = self.show(summary) if self.show and (plain.text != NOTHING or self.by_name) else ""
        return MetricCell(plain.text, shown or plain.small) if isinstance(shown, str) else shown


class MetricFigure(NamedTuple):
    """A metric, and the name of which it is asked where it is one of a family; without a name of all."""

    metric: Metric
    name: str = ""

    @property
    def path(self) -> str:
        """Where it stands in the summary."""
        return self.metric.path.replace(f"<{self.metric.of}>", self.name)

    @property
    def measure(self) -> Measure:
        """How it is computed; what the scenario gives is the same in each replication."""
        return self.metric.measure or over(self.path, lambda values: values[0])

    def rows(self, replications: Replications) -> Array:
        """Return what each replication contributes.

        Raises LookupError where the replications come from a run folder, which does not hold it.
        """
        columns = [self._own(replications, replications[column]) for column in self.measure.columns]
        return np.column_stack(columns)

    def row(self, replication: Replications) -> Row:
        """Return what a single replication contributes, as numbers that can be kept in its place."""
        return tuple(map(float, self.rows(replication)[0]))

    def _own(self, replications: Replications, values: Any) -> Array:
        """Return its own column of a family's; what a scenario does not have never happened."""
        if not isinstance(values, np.ndarray):
            return np.full(len(replications), math.nan if values is None else values)
        if not self.metric.of or values.ndim == 1:
            return values
        if not self.name:
            return np.asarray(values.sum(axis=1))
        names = list(replications.facts.names[self.metric.of])
        return values[:, names.index(self.name)] if self.name in names else np.zeros(len(values))

    def ends(self, rows: Array) -> ConfidenceInterval:
        """Return the figure with both ends of its interval, held within what it can be."""
        if self.measure.ends is not None:
            return self.measure.ends(rows)
        estimate = self.measure.estimate(rows)
        if estimate is None:
            return ConfidenceInterval()
        return estimate.interval.within(0.0, 1.0 if self.metric.unit == "share" else math.inf)


class Note(NamedTuple):
    """An entry of the summary that is no metric: where it stands, what it means, what it needs.

    It is what `make` makes of the replications, or what the scenario gives under its path.
    """

    path: str
    meaning: str
    make: Callable[[Replications], Any] | None = None
    needs: tuple[str, ...] = ()

    def value(self, replications: Replications) -> Any:
        """Return what the summary says."""
        return self.make(replications) if self.make else replications[self.path]
