"""What a mode's keys must hold about each other: what it takes down and spreads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.scenario.keys.blocks import Finding

if TYPE_CHECKING:
    from clustersim.scenario.keys.failure import FailureMode

SIZES = ("gpu", "node", "rack", "pod")
OF_NODES = ("gpu", "node")


def about_reach(mode: FailureMode) -> Iterator[Finding]:
    """Yield what is wrong with what *mode* takes down and spreads to, and with nodes that differ."""
    down = mode.stated_takes_down
    if down is not None and not mode.takes_nodes:
        yield ("takes_down",), f"a failure per {mode.per} stops the whole job anyway; leave it out"
    elif down in SIZES and SIZES.index(down) < SIZES.index(mode.per):
        yield ("takes_down",), f"a {mode.per} is more than a {down}; give {mode.per} or more, or leave it out"
    if mode.spreads is not None:
        yield from _about_spreads(mode, mode.spreads.to)
    for name in ("lemons", "relapse"):
        if getattr(mode, name) is not None and mode.per not in OF_NODES:
            yield (name,), f"only nodes differ, not what fails per {mode.per}; use it per gpu or per node"
    if mode.relapse is not None and mode.per in OF_NODES and mode.stated_repair is None:
        yield ("relapse",), "nodes fail again after a repair, and there is none; give repair"


def _about_spreads(mode: FailureMode, to: str) -> Iterator[Finding]:
    if not mode.takes_nodes:
        yield ("spreads",), f"a failure per {mode.per} strikes no node that has neighbours; leave it out"
    elif mode.takes_down == "job" or (
        mode.takes_down in SIZES and SIZES.index(to) <= SIZES.index(mode.takes_down)
    ):
        yield (
            ("spreads", "to"),
            f"the {mode.takes_down} goes down anyway; spread to more, or leave it out",
        )
