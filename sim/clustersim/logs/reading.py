"""From files to a history, in one call: what `fit` begins with.

`read_history(["incidents.csv"], begin="2026-05-01", end="2026-06-01", nodes="400", timezone="UTC")`
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from clustersim.logs.cleaning import MERGE_S, cleaned
from clustersim.logs.errors import LogError
from clustersim.logs.exposure import exposure
from clustersim.logs.files import LogSource
from clustersim.logs.history import CALENDAR, History
from clustersim.logs.rows import LogRows, Progress, read_rows
from clustersim.logs.times import in_words, zone_of


def read_history(
    files: Sequence[str | Path],
    *,
    begin: str | None = None,
    end: str | None = None,
    nodes: str | int | Path | None = None,
    timezone: str | None = None,
    columns: Mapping[str, str] | None = None,
    format: str | None = None,
    merge_s: float = MERGE_S,
    clock: str = CALENDAR,
    progress: Progress | None = None,
) -> History:
    """Return what *files* tell of *nodes* that were observed from *begin* to *end*.

    *nodes* is a number, or a file where the fleet has changed; *timezone* is that of dates without one;
    *columns* says which of them mean what, `{"time": "Start"}`; *format* is what wrote the files where that
    is not seen (`columns`, `sacctmgr`, `sacct`, `incidents`).  LogRows of one node and cause within *merge_s*
    are merged.  *progress* is called with the bytes that are read and all there are.

    Raises LogError with a remedy where the exposure is not given or a file cannot be used, and OSError.
    """
    try:
        zone = None if timezone is None else zone_of(timezone)
    except ValueError as error:
        raise LogError.at(f"--timezone {error}") from None
    if not files:
        raise LogError.at("no log is given; name at least one file")
    sources = [LogSource(os.fspath(file), Path(file)) for file in files]
    given = begin is not None and end is not None and nodes is not None
    observed = exposure(str(begin), str(end), str(nodes), zone, clock) if given else None
    rows = read_rows(sources, columns, format, zone, progress=progress)
    if observed is None:
        raise LogError.at(_missing(rows, {"--nodes": nodes, "--from": begin, "--to": end}))
    return cleaned(rows, observed, merge_s)[0]


def _missing(rows: LogRows, options: Mapping[str, object]) -> str:
    """Return the sentence for an exposure that is not given, with what the log shows of it."""
    missing = [option for option, value in options.items() if value is None]
    seen = ""
    if len(rows):
        first, last = min(rows.time_s), max(rows.time_s)
        between = " to ".join(in_words(time, bool(rows.dated[0])) for time in (first, last))
        named = f" and name {len(rows.names):,} nodes" if rows.names else ""
        seen = f" (the rows lie from {between}{named}; what was observed may be more)"
    return f"a rate needs to know what was observed: give {', '.join(missing)}{seen}"
