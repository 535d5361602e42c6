"""What the columns of a log mean: by their own names, by usual ones, or as the reader is told.

The header `NodeName|TimeStart|TimeEnd|State|Reason` is that of Slurm's events; `Start` is a usual name of the
time; `--column time=first_seen` says it of any other.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from clustersim.logs.errors import LogError
from clustersim.logs.files import LogTable
from clustersim.logs.times import UNIT_WORDS
from clustersim.units import shown

TIME, NODE, CAUSE, REPAIR, END = "time", "node", "cause", "repair", "end"
KIND = "kind"
SUFFIXES = ("s", "h", "d")
COLUMNS: Mapping[str, str] = {
    TIME: "when it struck: a date, or a time from the start such as 3.5 h",
    **{f"{TIME}_{unit}": f"the same as a plain number of {unit} from the start" for unit in SUFFIXES},
    NODE: "what it struck, by name or number, or a list such as gpu-[012-014]; empty: the job or the site",
    CAUSE: "name of the cause, in any script; one failure mode for each, whatever its capitals",
    REPAIR: "for how long the node was away: 20 h; empty: a restart is enough",
    **{f"{REPAIR}_{unit}": f"the same as a plain number of {unit}" for unit in SUFFIXES},
    END: "in place of repair: when the node was back; empty: it was still away when the log ended",
    KIND: "empty or failure, or planned (maintenance): no failure but a planned stop, as long as the repair"
    " says; or launch, stop and the like, which are neither",
}
"""The columns that a log may have, with what they say."""
ROLES = (TIME, NODE, CAUSE, REPAIR, END, KIND)
TIMES = (TIME, END, REPAIR)
USUAL: Mapping[str, Sequence[str]] = {
    TIME: (
        "timestamp", "start", "start_time", "time_start", "timestart", "started", "began", "begin", "failed",
        "failed_at", "failure_time", "occurred", "opened", "created", "datetime", "date",
    ),
    NODE: (
        "host", "hostname", "host_name", "node_name", "nodename", "nodelist", "node_list", "server",
        "machine",
    ),
    CAUSE: ("reason", "failure", "failure_type", "error"),
    END: ("end_time", "time_end", "timeend", "ended", "back", "restored", "recovered", "resolved", "closed"),
    REPAIR: ("downtime", "duration", "repair_time"),
}  # fmt: skip
"""Other names under which a column is looked for, in small letters, the likeliest first."""
COLUMN_FORMAT, EVENTS, JOBS, INCIDENTS = "columns", "sacctmgr", "sacct", "incidents"
STATE, JOB, REPLICATION, LOST = "state", "job", "replication", "lost"
_NEAR = 0.8
"""How alike (0 to 1) a name has to be to one of a missing column to be taken for a slip of the pen."""


class LogColumn(NamedTuple):
    """A column that is read: its number from 0, its name as it is written, the unit (s) that it carries."""

    number: int
    name: str
    unit: float | None = None


@dataclass(slots=True)
class LogColumns:
    """How a table is read: its format, its columns by what they mean, and sentences about both."""

    format: str
    columns: dict[str, LogColumn]
    notes: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


class Format(NamedTuple):
    """A format that is recognised by its columns: which, where they are read from, how that is announced."""

    name: str
    needed: Mapping[str, Sequence[str]]
    also: Mapping[str, Sequence[str]]
    says: str


FORMATS = (
    Format(
        EVENTS,
        {NODE: ("nodename",), TIME: ("timestart", "start"), END: ("timeend", "end"), STATE: ("state",)},
        {CAUSE: ("reason",)},
        "events of nodes from Slurm's `sacctmgr show event -P`",
    ),
    Format(
        JOBS,
        {JOB: ("jobid", "jobidraw"), TIME: ("end",), STATE: ("state",)},
        {NODE: ("nodelist",), CAUSE: ("reason",)},
        "jobs from Slurm's `sacct -P`: one that fails does so at its end, on its node if it has but one",
    ),
    Format(
        INCIDENTS,
        {REPLICATION: ("replication",), TIME: ("time_s",), CAUSE: ("mode",), NODE: ("node",)},
        {END: ("back_s",), LOST: ("nodes_lost",)},
        "incidents of a simulated run, its first replication",
    ),
)
FORMAT_NAMES = (COLUMN_FORMAT, *(each.name for each in FORMATS))


def layout_of(table: LogTable, named: Mapping[str, str], wanted: str | None, strict: bool) -> LogColumns:
    """Return how *table* is read: columns *named* by meaning, in a *wanted* format or the likeliest.

    *strict* refuses a column whose name is nearly that of a missing one.  Raises LogError.
    """
    plain = [_plain(name) for name in table.names]
    if doubled := [name for number, name in enumerate(plain) if name and name in plain[:number]]:
        raise _error(table, f"column {shown(doubled[0])} is there twice; give one")
    for each in FORMATS:
        if wanted == each.name or (wanted is None and not named and _fits(each, plain)):
            return _recognised(table, each, plain)
    return _by_names(table, named, plain, strict)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _error(table: LogTable, reason: str) -> LogError:
    return LogError.at(reason, table.source.name, table.line)


def _fits(format: Format, plain: Sequence[str]) -> bool:
    return all(any(name in plain for name in names) for names in format.needed.values())


def _recognised(table: LogTable, format: Format, plain: Sequence[str]) -> LogColumns:
    layout = LogColumns(format.name, {}, [f"read as {format.says}"])
    for role, names in ({**format.needed, **format.also}).items():
        name = next((name for name in names if name in plain), None)
        if name is None and role in format.needed:
            why = f"no column {shown(names[0])}, which {format.name} has"
            raise _error(table, f"{why}; export it too, or leave out the format")
        if name is not None:
            number = plain.index(name)
            unit = 1.0 if name.endswith("_s") else None
            layout.columns[role] = LogColumn(number, table.names[number], unit)
    return layout


def _by_names(table: LogTable, named: Mapping[str, str], plain: Sequence[str], strict: bool) -> LogColumns:
    layout = LogColumns(
        COLUMN_FORMAT, {role: _told(table, role, name, plain) for role, name in named.items()}
    )
    taken = {column.number for column in layout.columns.values()}
    said = {REPAIR, END} if {REPAIR, END} & named.keys() else set()
    for role in (role for role in ROLES if role not in named.keys() | said):
        found = _found(table, role, plain, taken)
        if found is not None:
            layout.columns[role] = found
            taken.add(found.number)
            if _base(plain[found.number])[0] != role:
                layout.notes.append(f"column {shown(found.name)} is read as the {role}")
    if TIME not in layout.columns:
        raise _error(table, _no_time(table))
    if REPAIR in layout.columns and END in layout.columns:
        raise _error(table, "both an end and a repair are given; take one of the columns out")
    rest = [number for number in range(len(plain)) if number not in taken]
    if strict:
        _refuse_slips(table, layout, [plain[number] for number in rest])
    layout.ignored = [table.names[number] for number in rest if plain[number]]
    return layout


def _told(table: LogTable, role: str, name: str, plain: Sequence[str]) -> LogColumn:
    if role not in ROLES:
        raise LogError.at(f"{shown(role)} is no column that is read; there are {', '.join(ROLES)}")
    if name in table.names:
        number = table.names.index(name)
    elif _plain(name) in plain:
        number = plain.index(_plain(name))
    else:
        raise _error(table, f"no column {shown(name)}; there are {_listed(table.names)}")
    unit = _base(plain[number])[1] if role in TIMES else None
    return LogColumn(number, table.names[number], unit)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if names[20:] else "")


def _base(plain: str) -> tuple[str, float | None]:
    """Return a name without the unit that it carries at its end, and that unit (s)."""
    base, _, suffix = plain.rpartition("_")
    return (base, UNIT_WORDS[suffix]) if base and suffix in UNIT_WORDS else (plain, None)


def _found(table: LogTable, role: str, plain: Sequence[str], taken: set[int]) -> LogColumn | None:
    """Return the column of a role by its own name, or else by a usual one."""
    for wanted in (role, *USUAL.get(role, ())):
        matches = [
            LogColumn(number, table.names[number], unit)
            for number, (base, unit) in enumerate(map(_base, plain))
            if base == wanted and number not in taken and (unit is None or role in TIMES)
        ]
        if len(matches) > 1:
            doubles = _listed([each.name for each in matches])
            raise _error(table, f'column "{role}" is there twice, {doubles}; give one')
        if matches:
            return matches[0]
    return None


def _no_time(table: LogTable) -> str:
    if len(table.names) == 1:
        why = f'no column "{TIME}", only {shown(table.names[0])}'
        return f"{why}; separate the cells by commas, and name the columns in the first line"
    there = f"there are {_listed(table.names)}" if any(table.names) else "the first line names the columns"
    how = f"--column {TIME}=Start (in a scenario, columns: {{{TIME}: Start}})"
    return f'no column "{TIME}"; {there}; say which it is, {how}, or rename it'


def _refuse_slips(table: LogTable, layout: LogColumns, rest: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if _base(name)[0] not in layout.columns]
    if {REPAIR, END} & layout.columns.keys():
        missing = [name for name in missing if _base(name)[0] not in (REPAIR, END)]
    faults = []
    for name in rest:
        for near in difflib.get_close_matches(name, missing, n=1, cutoff=_NEAR):
            why = f'column {shown(name)} is not known; did you mean "{near}"? rename it, or take it out'
            faults.append(_error(table, why).problems[0])
    if faults:
        raise LogError(*faults)
