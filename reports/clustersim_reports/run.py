"""The runs that a page is about, and the one way in which it says a number of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from clustersim.formatting import NOTHING, plus_minus
from clustersim.metrics import cells
from clustersim_reports.blocks import Block, Cell, Group

if TYPE_CHECKING:
    from clustersim.estimate import ConfidenceInterval, Estimate
    from clustersim.results import Results
    from clustersim.studies.compare import Comparison

MOST_DRAWN = 12
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

    def chapters(self, anchor: str, blocks: Callable[[Run], Sequence[Block]]) -> list[Group]:
        """Return the *blocks* of each of the first runs under its name; runs without any are left out."""
        pairs = [(run, blocks(run)) for run in self.runs[:MOST_DRAWN]]
        return [
            Group(inner, Cell("" if self.single else run.name), f"{anchor}-{run.anchor}")
            for run, inner in pairs
            if inner
        ]


def estimate_text(estimate: Estimate | None, show: Callable[[float, float | None], str] = plus_minus) -> str:
    """Return an estimate in words, with the digits that its interval supports, or a dash."""
    return NOTHING if estimate is None else show(estimate.mean, estimate.half_width)


Ends: TypeAlias = tuple[float | None, float | None, float | None]


def ends_of(interval: Estimate | ConfidenceInterval | None) -> Ends:
    """Return the mean and both ends of the interval, or three times None."""
    return (None, None, None) if interval is None else (interval.mean, interval.low, interval.high)


def share_ends(share: Estimate | None) -> Ends:
    """Return the mean of a *share* and both ends of its interval, held within 0 and 1."""
    return (None, None, None) if share is None else share.share
