"""What a log tells once it is read and cleaned: failures on one clock, and the fleet that was observed.

Two nodes, observed for ten days.  The second failed on day 2, was away for a day, and failed again on day 9,
from which it was not back at the end:

    History.of([2 * DAY, 9 * DAY], nodes=2, window_s=10 * DAY, node=[1, 1], end_s=[3 * DAY, math.inf])

Readers make one of files, and estimates read nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from clustersim.arrays import Array, Floats
from clustersim.units import DAY

CALENDAR, TRAINING = "calendar", "training"
CLOCKS = (CALENDAR, TRAINING)
ROWS: Mapping[str, str] = {
    "used": "a failure of its own, which is over or took nobody away",
    "merged": "the same node and cause again within a short time: one failure with the row before",
    "inside_absence": "its node was away already; the absence lasts to the later end",
    "open": "a failure of its own, with the node still away at the end of the window",
    "outside": "before or after the window, or while its node was not observed",
    "planned": "a planned stop, no failure",
    "no_failure": "no failure: a start, a power-down, a job that ended well, was cancelled or out of time",
    "not_understood": "cannot be read; the reason is given with file and line",
}
"""What may become of a row; each row is counted under one of them."""
TOTAL = "total"


class UnreadRow(NamedTuple):
    """A row that was not understood: its file, its line from 1 (in Parquet its row) and the reason.

    Line 0 stands for the whole file.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}" if place else self.reason


class PlannedStop(NamedTuple):
    """A planned stop of a log: when (s), until when (s; NaN where it does not say), its node or -1.

    `entry` is its place among the rows that were read.
    """

    time_s: float
    end_s: float
    node: int
    entry: int = -1


@dataclass(frozen=True, eq=False)
class History:
    """The failures of a fleet in a window of observation; all times are seconds from its begin.

    Of n failures, in the order of time: `time_s` (n,); `end_s` (n,), when the node (or the site) was back:
    NaN where a restart was enough or the log says nothing, infinite where it was still away at the end of the
    window; `node` (n,), from 0, -1 for the job or the site; `cause` (n,), an index into `causes`.

    `names` belong to the first nodes; a fleet may have more, which were never seen and have no name.  Node
    number i was observed from `entered_s[i]` to `left_s[i]`.  `rows` counts what became of the rows of the
    log (`TOTAL` and each of `ROWS`), `problems` are those not understood, `notes` say how it was read.
    """

    time_s: Floats
    end_s: Floats
    node: Array
    cause: Array
    causes: tuple[str, ...]
    names: tuple[str, ...]
    window_s: float
    entered_s: Floats
    left_s: Floats
    has_ends: bool
    rows: Mapping[str, int]
    problems: tuple[UnreadRow, ...] = ()
    start: datetime | None = None
    clock: str = CALENDAR
    planned: tuple[PlannedStop, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        time_s: ArrayLike,
        nodes: int,
        window_s: float,
        *,
        end_s: ArrayLike | None = None,
        node: ArrayLike | None = None,
        cause: ArrayLike | None = None,
        causes: Sequence[str] = ("failure",),
        entered_s: ArrayLike | None = None,
        left_s: ArrayLike | None = None,
    ) -> History:
        """Return the history of failures that are known as numbers, in any order; all rows are used.

        Without *node* they are the job's; without *entered_s* and *left_s* all nodes are observed throughout.
        """
        times = np.asarray(time_s, float)
        order = np.argsort(times, kind="stable")
        ends = np.full(len(times), np.nan) if end_s is None else np.asarray(end_s, float)
        still_away = int(np.isinf(ends).sum())
        counts = {"used": len(times) - still_away, "open": still_away}
        return cls(
            time_s=times[order],
            end_s=ends[order],
            node=_whole(node, len(times), -1)[order],
            cause=_whole(cause, len(times), 0)[order],
            causes=tuple(causes),
            names=(),
            window_s=window_s,
            entered_s=_each(entered_s, nodes, 0.0),
            left_s=_each(left_s, nodes, window_s),
            has_ends=end_s is not None,
            rows={TOTAL: len(times)} | dict.fromkeys(ROWS, 0) | counts,
        )

    @property
    def nodes(self) -> int:
        """Number of nodes that were ever observed."""
        return len(self.entered_s)

    @property
    def end(self) -> datetime | None:
        """When the window ends, by the clocks of its zone; None where the log has no dates.

        Added in UTC, as Python adds to local times without heed to clocks that change in between.
        """
        if self.start is None:
            return None
        return (self.start.astimezone(UTC) + timedelta(seconds=self.window_s)).astimezone(self.start.tzinfo)

    @property
    def node_days(self) -> float:
        """Days for which nodes were observed, all together; a node that is away counts on."""
        return float((self.left_s - self.entered_s).sum()) / DAY


def _whole(values: ArrayLike | None, count: int, usual: int) -> Array:
    return np.full(count, usual) if values is None else np.asarray(values, np.int64)


def _each(values: ArrayLike | None, count: int, usual: float) -> Floats:
    return np.full(count, usual) if values is None else np.asarray(values, float)
