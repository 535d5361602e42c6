"""What went in: every value of a scenario with its unit and its source; and how the page was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clustersim.formatting import NOTHING, counted, duration
from clustersim.scenario import Scenario, dump
from clustersim.scenario.values import ASSUMPTION, values
from clustersim_reports.blocks import Block, Cell, Group, Row, Section, Source, Table, Text, anchors, row

SHOWN_CHARACTERS, SHOWN_LINES = 15_000, 300
"""So much of a resolved scenario the page shows; a log of recorded failures in it may be far longer."""
LABELS = {"wall_s": "run time", "finished": "finished (UTC)", "incidents": "table of incidents"}
ABOUT = (
    "The button below each figure saves its data. All numbers come from simulation; the same scenario and"
    " seed give the same numbers."
)
SHOWN_ELSEWHERE = {"tool", "name", "seed", "scenario_hash", "files"}


def section(scenarios: Sequence[Scenario]) -> Section:
    """Return what each scenario gives, with its defaults folded; of several the first one is unfolded."""
    blocks: list[Block] = [Text("What the scenario gives; a value without a source is an assumption.")]
    names = [scenario.name for scenario in scenarios]
    if rows := differences(scenarios):
        table = Table("Values in which the scenarios differ", names, rows, "Value", "measures inputs")
        blocks.append(Group([table], Cell("What differs")))
    groups: list[Block] = []
    for anchor, scenario in zip(anchors(names), scenarios, strict=True):
        heading = Cell(f"{'Every' if len(names) == 1 else f'{scenario.name}: every'} value and its source")
        groups.append(
            Group([*_values(scenario, anchor)], heading, f"inputs-{anchor}", folded=True, open=not groups)
        )
    blocks += groups[:1]
    blocks += [Group(groups[1:], look="others", packed=True)] if groups[1:] else []
    return Section("inputs", "What went in", blocks if scenarios else [])


def _values(scenario: Scenario, anchor: str) -> Iterator[Block]:
    yield values_table(scenario)
    defaults = values_table(scenario, defaults=True)
    if defaults.rows:
        count = counted(len(defaults.rows), "value")
        heading = Cell(f"Defaults: {count} that the scenario does not give")
        yield Group([defaults], heading, f"defaults-{anchor}", folded=True, packed=True)
    yield source(scenario, anchor)


def values_table(scenario: Scenario, *, defaults: bool = False) -> Table:
    """Return the values that *scenario* gives with their sources, or its *defaults*."""
    rows: list[Row] = []
    before = ""
    for value in values(scenario):
        if value.default != defaults:
            continue
        kind, source = value.origin
        chip, small = (kind, "") if kind == ASSUMPTION else ("", kind)
        cell = Cell(source, small, "source", chip=chip)
        if source and source == before:
            cell = cell._replace(text="", small="as above")
        contents = [Cell(value.text, look="given")] + ([] if defaults else [cell])
        rows.append(row(Cell(value.path, look="path"), *contents))
        before = source
    what, columns = ("Defaults", ("Default",)) if defaults else ("Values and sources", ("Given", "Source"))
    return Table(f"{what} of {scenario.name}", columns, rows, "Value", "inputs")


def differences(scenarios: Sequence[Scenario]) -> list[Row]:
    """Return the values in which *scenarios* differ, in the order of the language."""
    tables = [{value.path: value.text for value in values(scenario)} for scenario in scenarios]
    rows = []
    for path in dict.fromkeys(path for table in tables for path in table):
        texts = [table.get(path) or NOTHING for table in tables]
        rows += [row(Cell(path, look="path"), *texts)] if len(set(texts)) > 1 else []
    return rows


def source(scenario: Scenario, anchor: str, shown: bool = True) -> Source:
    """Return the resolved scenario to copy and save; where it is *shown*, its first part."""
    text = dump(scenario)
    first = "".join(text.splitlines(keepends=True)[:SHOWN_LINES])[:SHOWN_CHARACTERS]
    return Source(f"yaml-{anchor}", f"{anchor}.yaml", text, first if shown else "")


def making(columns: Sequence[str], items: Sequence[Mapping[str, str]], command: str | None) -> Section:
    """Return the *command*, and for each column how it was made, item by item."""
    rows = []
    for label in dict.fromkeys(label for item in items for label in item):
        texts = [item.get(label, NOTHING) for item in items]
        distinct = texts[:1] if len(set(texts)) == 1 else texts
        rows.append(row(label, *(Cell(text, look="code") for text in distinct)))
    table = Table(
        "How it was made", columns, rows, "Item", "measures inputs" if len(columns) > 1 else "inputs"
    )
    return Section(
        "making", "How it was made", [Text(command, "code") if command else None, table, Text(ABOUT)]
    )


def provenance(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of every item of a provenance."""
    for key, value in record.items():
        if key not in SHOWN_ELSEWHERE:
            yield LABELS.get(key, key.replace("_", " ")), _text(key, value)


def _text(key: str, value: Any) -> str:
    """Return an item's value: seconds as a duration, libraries with their versions in one line."""
    if value is None or isinstance(value, bool):
        return NOTHING if value is None else "kept" if value else "not kept"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    if key.endswith("_s"):
        return duration(float(value))
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
