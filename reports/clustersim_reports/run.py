"""The runs that a page is about, and what all of its sections ask of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pandas import DataFrame

from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import PrintedShares, plus_minus
from clustersim.metrics import cells
from clustersim.results import Results
from clustersim.studies.compare import Comparison
from clustersim_reports import theme
from clustersim_reports.blocks import Block, Cell, Group

TOGETHER = 1 - 1e-9
OF_ONE = ("start_s", "end_s", "replication_0", "away_0")
"""Columns of the timeline that are not about all replications."""
MOST_DRAWN = 8
"""So many scenarios have figures of their own; the tables hold all."""


class Run(NamedTuple):
    """One run, and the part of its anchors that it shares with no other run of the page."""

    anchor: str
    result: Results

    @property
    def name(self) -> str:
        """The name of its scenario."""
        return self.result.scenario.name

    @property
    def summary(self) -> Mapping[str, Any]:
        """Its metrics, as `summary.json` holds them."""
        return self.result.summary

    def at(self, path: str) -> Any:
        """Return the metric at a dotted *path*, None where the run has none."""
        return cells.at(self.summary, path)

    def margin(self, path: str) -> float | None:
        """Return half the 95 % interval of the metric at *path*, None where it is unknown."""
        return cells.margin(self.summary, path)

    def say(self, path: str, show: Callable[[Any, float | None], str] = plus_minus) -> str:
        """Return the metric at *path* in words, with the digits that its interval supports."""
        return show(self.at(path), self.margin(path))

    @property
    def first_finish_s(self) -> float | None:
        """When the first of several replications reached the target (s); None where they end together."""
        if self.at("target_s") is None or self.at("replications") < 2:
            return None
        ends = self.at("warm_up_s") + self.result.replications["wall_s"]
        return float(ends.min()) if ends.min() < TOGETHER * ends.max() else None

    @property
    def timeline(self) -> DataFrame | None:
        """The timeline; what is of all replications ends where the first has finished, with nothing left out.

        A mean of those that are still running would be that of the unlucky ones.
        """
        table, first = self.result.timeline, self.first_finish_s
        if table is None or first is None:
            return table
        common = [name for name in table.columns if name not in OF_ONE]
        return table.assign(**{name: table[name].where(table["end_s"] <= first) for name in common})

    def shares(self, family: str = "ledger") -> PrintedShares:
        """Return the shares of all card-hours of a family, which add up as they are printed."""
        return cells.parts(self.summary, family)


class Runs(NamedTuple):
    """All runs of a page, the baseline first, and their comparison where there are several."""

    runs: Sequence[Run]
    comparison: Comparison | None = None

    @property
    def single(self) -> bool:
        """Whether the page is about one run."""
        return len(self.runs) == 1

    @property
    def names(self) -> list[str]:
        """What heads the column of each run."""
        return [run.name for run in self.runs]

    @property
    def entries(self) -> list[str]:
        """The ledger entries that any of the runs uses, in the ledger's order."""
        return [entry for entry in theme.STYLES if any(run.at(f"ledger.{entry}") for run in self.runs)]

    def chapters(self, anchor: str, blocks: Callable[[Run], Sequence[Block | None]]) -> list[Group]:
        """Return the *blocks* of each of the first runs under its name; runs without any are left out."""
        chapters = []
        for run in self.runs[:MOST_DRAWN]:
            if inner := [block for block in blocks(run) if block is not None]:
                heading = Cell("" if self.single else run.name)
                chapters.append(Group(inner, heading, f"{anchor}-{run.anchor}"))
        return chapters


def interval(name: str, shown: ConfidenceInterval | None, unit: str = "") -> dict[str, float | None]:
    """Return three columns of data: the mean, called *name*, and the ends of its interval.

    All have the *unit* in their names.
    """
    mean, low, high = shown or ConfidenceInterval()
    return {f"{name}{unit}": mean, f"low{unit}": low, f"high{unit}": high}
