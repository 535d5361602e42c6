"""What a mode's keys must hold about each other: what it takes down, what its effect has no room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.scenario.keys.blocks import Finding
from clustersim.scenario.keys.effects import CORRUPT, FLAP, SLOW, STORAGE

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


def about_effect(mode: FailureMode) -> Iterator[Finding]:
    """Yield what the effect of *mode* contradicts."""
    if mode.effect == SLOW and not mode.takes_nodes:
        yield (
            ("effect",),
            f"a straggler is a node, not what fails per {mode.per}; give per: node",
        )
    if mode.effect in (CORRUPT, FLAP, STORAGE) and mode.stated_detect is not None:
        says = {CORRUPT: "noticed_after says when it shows", FLAP: "it is over by itself"}
        yield ("detect",), f"{says.get(mode.effect, 'an outage shows at once')}; leave detect out"
    if mode.effect == FLAP:
        yield from _unused(mode, ("takes_down", "spreads", "repair", "transient"), "no node leaves")
    if mode.effect == STORAGE:
        yield from _about_storage(mode)


def _about_storage(mode: FailureMode) -> Iterator[Finding]:
    if mode.takes_nodes:
        yield ("per",), f"storage does not fail per {mode.per}; give per: cluster"
        return
    yield from _unused(mode, ("transient",), "an outage costs no node")
    repair = mode.stated_repair
    if repair is None:
        yield ("effect",), "an outage lasts for its repair time; give repair, such as 2 h"
    elif repair.staged or repair.crews is not None or repair.false_fix is not None:
        yield ("repair",), "an outage has one length; give one law, such as {exponential: {mean: 2 h}}"


def _unused(mode: FailureMode, names: tuple[str, ...], why: str) -> Iterator[Finding]:
    for name in names:
        stated = getattr(mode, f"stated_{name}" if hasattr(mode, f"stated_{name}") else name)
        if stated is not None:
            yield (name,), f"with the effect {mode.effect} {why}; leave it out"
