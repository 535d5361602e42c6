"""The key `replay`: recorded failures instead of random ones, as rows, or as the text of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from pydantic_core import CoreSchema, core_schema

from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.logs import CAUSE, MOST_ROWS, Recorded, Rows, read_log
from clustersim.scenario.keys.quantities import Instant, PositiveDuration, whole
from clustersim.units import shown

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
            yield "repair", "a repair needs its node; name it, or leave the repair out"


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
