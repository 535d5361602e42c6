"""What a scenario means, as `check` prints it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustersim.formatting import NOTHING, duration, significant, whole
from clustersim.scenario import Scenario
from clustersim.scenario.describe import Description, describe
from clustersim.settings import Settings

LONGEST_PATH, LONGEST_VALUE, SHORTEST_SOURCE = 40, 30, 24


def described(scenario: Scenario) -> Description:
    """Return what *scenario* means, with the run time on this machine's cores."""
    return describe(scenario, Settings().processes)


def as_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the description as plain data."""
    return asdict(described(scenario))


def show(screen: Console, scenario: Scenario, with_defaults: bool) -> None:
    """Print values (those that are defaults only if wanted), failures by mode, and first estimates."""
    found = described(scenario)
    screen.print(Text(f"\n{found.name} is a valid scenario", style="bold"))
    for line in _values(found, with_defaults, screen.width):
        screen.print(Text(line), soft_wrap=True)
    screen.print()
    if found.modes:
        screen.print(_modes(found))
        screen.print()
    for name, value in _estimates(found):
        screen.print(Text(f"  {name + ':':<34}{value}"))
    for note in found.notes:
        screen.print(Text(f"! {note}", style="yellow"))


def _values(found: Description, with_defaults: bool, width: int) -> Iterator[str]:
    """Yield a line per value: path, value and source; long values go on, long sources are cut."""
    shown = [value for value in found.values if with_defaults or not value.default]
    path = min(max(len(value.path) for value in shown), LONGEST_PATH)
    text = min(max(len(value.text) for value in shown), LONGEST_VALUE)
    room = max(width - path - text - 5, SHORTEST_SOURCE)
    for value in shown:
        said = value.source or ("default" if value.default else "assumption")
        first, *rest = textwrap.wrap(value.text, text)
        yield f"{value.path:<{path}}  {first:<{text}}  {_cut(said, room)}"
        yield from (f"{'':<{path}}  {line}" for line in rest)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1].rstrip()}…"


def _modes(found: Description) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("failures")
    for name in ("units", "one of them every", "together every", "in a run", "restart", "nodes in repair"):
        table.add_column(name, justify="right")
    for mode in found.modes:
        table.add_row(
            Text(mode.name),
            f"{whole(mode.units)} {mode.per}",
            duration(mode.mtbf_s * mode.units, 0.0),
            duration(mode.mtbf_s, 0.0),
            _count(mode.events),
            duration(mode.restart_s, 0.0),
            _count(mode.nodes_in_repair),
        )
    return table


def _count(value: float) -> str:
    return significant(value, 3) if value < 1000 else whole(value)


def _estimates(found: Description) -> Iterator[tuple[str, str]]:
    yield "nodes", f"{whole(found.nodes)}, and {whole(found.spare_nodes)} spare"
    if found.racks is not None:
        yield "racks, pods", f"{whole(found.racks)}, {NOTHING if found.pods is None else whole(found.pods)}"
    if found.replicas > 1:
        yield "replicas", f"{whole(found.replicas)} of {whole(found.nodes // found.replicas)} nodes"
    yield "something fails every", NOTHING if found.mtbf_s is None else duration(found.mtbf_s, 0.0)
    yield "failures in a run, about", _count(found.events)
    if found.restart_s is not None:
        yield "mean restart, without waiting", duration(found.restart_s, 0.0)
    for name, interval in found.intervals_s.items():
        several = len(found.intervals_s) > 1
        yield f"saves in {name} every" if several else "training between two saves", duration(interval, 0.0)
    if found.target_s is not None:
        yield "ideal time to the target", duration(found.target_s, 0.0)
    yield "simulated time, at most", duration(found.end_s, 0.0)
    yield "ETTR, first order", NOTHING if found.ettr is None else f"about {significant(found.ettr, 2)}"
    yield "run time, about", duration(found.run_s)
