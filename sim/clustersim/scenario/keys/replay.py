"""The key `replay`: recorded failures instead of random ones, as rows, or as the text of a log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic_core import CoreSchema, core_schema

from clustersim.scenario.keys.blocks import KEY, Block, Finding, key
from clustersim.scenario.keys.logs import CAUSE, MOST_ROWS, Recorded, Rows, read_log
from clustersim.scenario.keys.quantities import Instant, PositiveDuration, whole
from clustersim.units import format_duration, shown

if TYPE_CHECKING:
    from clustersim.scenario.keys.failure import FailureMode
    from clustersim.scenario.model import Scenario

MOST_NODES = 1_000_000_000


class ReplayRow(Block):
    """One recorded failure."""

    time: Instant = key("when it struck, from the beginning of the run, such as 3.5 h")
    node: Annotated[int, whole(0, MOST_NODES)] | None = key(
        "number of the node that it struck, spares after the job's; none: the whole job", None, unit="number"
    )
    repair: PositiveDuration | None = key("for how long the node was away; none: a restart is enough", None)

    @property
    def recorded(self) -> Recorded:
        """The row as numbers."""
        return Recorded(self.time, -1 if self.node is None else self.node, self.repair)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a repair of nothing."""
        if self.node is None and self.repair is not None:
            yield ("repair",), "a repair needs its node; name it, or leave the repair out"


class _ReadsRows:
    """How rows are read: a list of blocks, or the text of a log; those of a file have been read already."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self._read, handler.generate_schema(tuple[ReplayRow, ...])
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1, "examples": ["logs/incidents.csv"]}
        return {"anyOf": [text, handler(core)]}

    @staticmethod
    def _read(value: object, blocks: Callable[[Any], Any]) -> Rows:
        if isinstance(value, Rows):
            return value
        if isinstance(value, str):
            return _from_text(value)
        if not value and isinstance(value, list | tuple):
            raise ValueError("no rows are given; give at least one, or a file such as logs/incidents.csv")
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not a log; give a file such as logs/incidents.csv")
        if len(value) > MOST_ROWS:
            raise ValueError(f"{len(value):,} rows, {MOST_ROWS:,} are possible; give fewer")
        return Rows(row.recorded for row in blocks(value))


def _from_text(text: str) -> Rows:
    if "\n" not in text:
        raise ValueError(f"{shown(text)} is not read here; use load or loads, or give the rows themselves")
    log = read_log(text)
    if any(entry.cause for entry in log.entries):
        log.refuse(1, f'column "{CAUSE}": only a file is split by causes; give one mode for each')
        raise ValueError(f"line 1: {log.troubles[-1].sentence}")
    if log.troubles:
        line, sentence = log.troubles[0]
        raise ValueError(f"line {line}: {sentence}")
    return Rows(entry.row for entry in log.entries)


Replay = Annotated[Rows, _ReadsRows()]


_RANDOM = (
    "rate",
    "mtbf",
    "lifetime",
    "ages",
    "clock",
    "over_time",
    "renews",
    "lemons",
    "relapse",
)
_IN_THE_LOG = ("transient", "repair")
_OF_NODES = ("takes_down", "spreads")


def about_replay(mode: FailureMode) -> Iterator[Finding]:
    """Yield what is stated beside a replay although the log says it, or nothing is random."""
    names = {name: field.alias or name for name, field in type(mode).model_fields.items()}
    stated = [names.get(name, name) for name in mode.model_fields_set]
    for name in (name for name in _RANDOM if name in stated):
        yield (name, KEY), f"{name} beside replay: the log says when it fails; leave it out"
    for name in (name for name in _IN_THE_LOG if name in stated):
        yield (name, KEY), f'{name} beside replay: the log\'s column "repair" says it; leave it out'
    if mode.stated_per not in (None, "node", "job"):
        yield ("per",), f"a log names nodes, not what fails per {mode.stated_per}; leave it out"
    if mode.stated_per == "job" and any(row.node >= 0 for row in mode.recorded or ()):
        yield ("per",), "the log names nodes; leave it out"
    yield from mode.effect.about(mode)
    repairs = any(row.repair_s is not None for row in mode.recorded or ())
    if repairs and not mode.effect.nodes_leave:
        why = f"with the effect {mode.effect.word}, no node leaves; leave the repairs out of the log"
        yield ("effect",), why
    for name in (name for name in _OF_NODES if name in stated and not mode.takes_nodes):
        yield (name, KEY), "no row of the log names a node; leave it out"


def about_nodes(scenario: Scenario) -> Iterator[Finding]:
    """Yield the first row of each log whose node the cluster does not have."""
    nodes, spares = scenario.cluster.nodes, scenario.cluster.spare_nodes
    for name, mode in scenario.failures.items():
        beyond = [number for number, row in enumerate(mode.replay or ()) if row.node >= nodes + spares]
        if beyond:
            row = (mode.replay or ())[beyond[0]]
            more = f" (and {len(beyond) - 1:,} more)" if beyond[1:] else ""
            there = f"the nodes are 0 to {nodes + spares - 1:_}, {nodes:_} of the job and {spares:_} spares"
            sentence = f"node {row.node:_} at {format_duration(row.time_s, 3)}{more} does not exist; {there}"
            yield ("failures", name, "replay", beyond[0]), sentence


def resolve_logs(scenario: Scenario) -> None:
    """Work out which rows strike, and the MTBF: over the horizon, or to the end of all logs if later."""
    logs = {name: mode for name, mode in scenario.failures.items() if mode.recorded}
    ends = [mode.recorded[-1].time_s for mode in logs.values() if mode.recorded]
    seconds = max(scenario.simulation.horizon or 0.0, *ends, 1.0) if ends else 0.0
    strikes = _strikes(scenario, logs)
    for name, mode in logs.items():
        mode.resolve(seconds, scenario.units(name), tuple(strikes[name]))


def _strikes(scenario: Scenario, logs: Mapping[str, FailureMode]) -> dict[str, list[Recorded]]:
    """Return the rows that strike, by mode, each with the whole absence that it begins, in any log.

    A row whose node is away already only extends that absence; of what is random the mean is taken.
    """
    first = scenario.recovery.stages[0].duration
    detection = {name: (mode.detect or first).mean for name, mode in logs.items()}
    found: dict[str, list[Recorded]] = {name: [] for name in logs}
    away: dict[int, tuple[float, float, str, int]] = {}
    rows = [(row, name) for name, mode in logs.items() for row in mode.recorded or ()]
    for row, name in sorted(rows, key=lambda each: each[0].time_s):
        left, back, owner, index = away.get(row.node, (0.0, 0.0, name, 0))
        until = row.time_s + (row.repair_s or 0.0)
        if row.time_s >= back:
            left, owner, index = row.time_s + detection[name], name, len(found[name])
            until = left + (row.repair_s or 0.0)
            found[name].append(row)
        elif until > back:
            found[owner][index] = found[owner][index]._replace(repair_s=until - left)
        if row.repair_s is not None:
            away[row.node] = left, max(until, back), owner, index
    return found


def told(rows: tuple[Recorded, ...]) -> str:
    """Return rows as they read in a table of values."""
    first, last = (format_duration(row.time_s, 3) for row in (rows[0], rows[-1]))
    nodes = len({row.node for row in rows if row.node >= 0})
    where = f" on {nodes:,} node{'s' * (nodes > 1)}" if nodes else ""
    if len(rows) == 1:
        return f"1 recorded failure{where}, after {first}"
    return f"{len(rows):,} recorded failures{where}, {first} to {last}"


def reached(mode: FailureMode, end: float) -> int:
    """Return how many recorded failures of *mode* strike before the *end* of the run (seconds)."""
    return sum(row.time_s < end for row in mode.strikes)


def about_overlaps(scenario: Scenario) -> Iterator[str]:
    """Yield how many rows of all logs only extend the absence of their node."""
    end = scenario.simulation.horizon or math.inf
    modes = [mode for mode in scenario.failures.values() if mode.recorded]
    total = sum(row.time_s < end for mode in modes for row in mode.recorded or ())
    if passed := total - sum(reached(mode, end) for mode in modes):
        name = "names" if passed == 1 else "name"
        which = f"{passed:,} of {total:,} incidents {name} a node that is away already"
        yield f"failures: {which}; its absence is extended to the later end"


def about_logs(scenario: Scenario) -> Iterator[str]:
    """Yield what a reader should know of logs that end before the run, or the other way round."""
    yield from about_overlaps(scenario)
    horizon = scenario.simulation.horizon
    logs = {name: mode.recorded for name, mode in scenario.failures.items() if mode.recorded}
    if horizon is None or not logs:
        return
    if late := sum(row.time_s >= horizon for rows in logs.values() for row in rows):
        total = sum(map(len, logs.values()))
        yield f"failures: {late:,} of {total:,} recorded failures lie behind the horizon and never strike"
    last = max(rows[-1].time_s for rows in logs.values())
    if last < horizon / 2:
        yield f"failures: nothing is recorded after {format_duration(last, 3)}; beyond it the log is silent"
